"""What is counted of calls."""

import itertools
import random
import unittest

from calls import Call, counted, longest_chain, most_at_once, named


def call(begin, end, operation="Read"):
    return Call("backup", operation, begin, end)


def by_trying_all(calls):
    """The length of the longest chain, found by trying every subset."""
    for size in range(len(calls), 0, -1):
        for chosen in itertools.combinations(sorted(calls, key=lambda one: one.begin), size):
            if all(before.end <= after.begin for before, after in itertools.pairwise(chosen)):
                return size
    return 0


class LongestChain(unittest.TestCase):
    def test_nothing_has_no_chain(self):
        self.assertEqual(longest_chain([]), [])

    def test_calls_side_by_side_are_one_step(self):
        self.assertEqual(len(longest_chain([call(0, 5), call(1, 6), call(4, 9)])), 1)

    def test_calls_one_after_the_other_are_a_step_each_whatever_their_order(self):
        calls = [call(0, 1), call(1, 2), call(2.5, 3)]
        for order in itertools.permutations(calls):
            self.assertEqual(longest_chain(order), calls)

    def test_a_long_call_beside_short_ones_shortens_no_chain(self):
        short = [call(0, 1), call(1, 2), call(2, 3)]
        self.assertEqual(longest_chain([call(0, 10), *short]), short)

    def test_the_chain_may_leave_out_the_call_that_ended_last(self):
        first, long, second = call(0, 1), call(0, 5), call(3, 4)
        self.assertEqual(longest_chain([first, long, second]), [first, second])

    def test_a_call_without_duration_is_in_one_place(self):
        self.assertEqual(len(longest_chain([call(1, 1)])), 1)

    def test_random_calls_are_counted_as_by_trying_all(self):
        drawn = random.Random(20)
        for _ in range(200):
            begins = [drawn.uniform(0, 10) for _ in range(9)]
            calls = [call(begin, begin + drawn.uniform(0.1, 4)) for begin in begins]
            chain = longest_chain(calls)
            self.assertTrue(all(before.end <= after.begin for before, after in itertools.pairwise(chain)))
            self.assertEqual(len(chain), by_trying_all(calls))


class Counts(unittest.TestCase):
    def test_calls_at_the_same_time_are_counted(self):
        self.assertEqual(most_at_once([call(0, 5), call(1, 2), call(2, 3), call(6, 7)]), 2)
        self.assertEqual(most_at_once([]), 0)

    def test_operations_are_counted_by_name(self):
        self.assertEqual(counted([call(0, 1), call(0, 1), call(0, 1, "Put")]), {"backup:Put": 1, "backup:Read": 2})


class Names(unittest.TestCase):
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=ASIA/20261101/eu-west-1/backup/aws4_request, SignedHeaders=host"}

    def test_a_rest_call_is_named_by_its_path(self):
        self.assertEqual(
            named("GET", "/backup-vaults/dr/access-policy?x=1", self.signed, b""),
            ("backup", "GetBackupVaultAccessPolicy", "/backup-vaults/dr/access-policy"),
        )
        self.assertEqual(named("DELETE", "/copy-jobs", self.signed, b"")[1], "DELETE /copy-jobs")

    def test_a_json_call_is_named_by_its_target_and_told_by_its_keys(self):
        headers = {
            "authorization": self.signed["authorization"].replace("/backup/", "/dynamodb/"),
            "x-amz-target": "DynamoDB_20120810.TransactWriteItems",
        }
        body = b'{"TransactItems": [{"Update": {"Key": {"pk": {"S": "a"}}}}, {"Put": {"Item": {"pk": {"S": "b"}}}}]}'
        self.assertEqual(named("POST", "/", headers, body), ("dynamodb", "TransactWriteItems", "a, b"))

    def test_a_query_call_is_named_by_its_action(self):
        headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = b"Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2FM"
        self.assertEqual(named("POST", "/", headers, body), ("?", "AssumeRole", "arn:aws:iam::1:role/M"))


if __name__ == "__main__":
    unittest.main()
