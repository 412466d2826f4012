"""`copymend doctor` on a deployed stack, whose parts are broken one by one."""

import json
import re
import unittest

import deployment as breaks
from deployment import ACCOUNT, OTHER, REPOSITORY, Deployment

# What breaks a part in the deployment, by the finding. Each is mended again.
BREAKS = {
    "setting-invalid": lambda it: breaks.settings(it, COPYMEND_RETRY_BUDGET="many"),
    "setting-changed-by-hand": lambda it: breaks.settings(it, COPYMEND_RETRY_BUDGET="4"),
    "environment-nearly-full": lambda it: breaks.settings(it, LONG="x" * 3300),
    "permission-missing": breaks.permission_missing,
    "rule-missing": breaks.rule_missing,
    "rule-disabled": breaks.rule_disabled,
    "rule-matches-others": breaks.rule_matches_others,
    "failures-lost": breaks.failures_lost,
    "log-group-missing": breaks.log_group_missing,
    "delayed-retries-lost": breaks.delayed_retries_lost,
    "alarm-missing": breaks.alarm_missing,
    "alarm-off": breaks.alarm_off,
    "alarm-sends-elsewhere": breaks.alarm_sends_elsewhere,
    "alarm-raised": breaks.alarm_raised,
    "alarms-refused": breaks.alarms_refused,
    "ledger-keeps-all": breaks.ledger_keeps_all,
    "rule-sends-elsewhere": lambda it: breaks.other_targets(it, lambda targets: []),
    "rule-keeps-nothing": lambda it: breaks.other_targets(
        it, lambda targets: [{key: value for key, value in one.items() if key != "DeadLetterConfig"} for one in targets]
    ),
    "rule-may-not-invoke": breaks.rule_may_not_invoke,
    "rule-misses-reads": breaks.rule_misses_reads,
    "bus-closed": breaks.bus_closed,
    "bus-open": breaks.bus_open,
    "dead-letters-waiting": breaks.dead_letters_waiting,
    "queue-refuses-rule": breaks.queue_refuses_rule,
    "delayed-retries-off": breaks.delayed_retries_off,
    "nobody-subscribed": lambda it: breaks.unsubscribed(it, "Topic"),
    "subscription-pending": breaks.subscription_pending,
    "alarms-unread": lambda it: breaks.unsubscribed(it, "AlarmTopic"),
    "audit-unwatched": lambda it: breaks.unsubscribed(it, "AuditTopic"),
    "failures-not-kept": lambda it: breaks.unsubscribed(it, "AdvisorFailures"),
    "ledger-not-read": lambda it: breaks.settings(it, COPYMEND_LEDGER_TABLE="no-such-table"),
    "ledger-not-recoverable": breaks.ledger_not_recoverable,
    "ledger-unprotected": breaks.ledger_unprotected,
    "no-trail": breaks.no_trail,
    "trail-of-writes-only": breaks.trail_of_writes_only,
    "service-linked-role-missing": breaks.service_linked_role_missing,
    "function-stopped": lambda it: breaks.reserved(it, 0),
    "delayed-retries-take-all": lambda it: breaks.reserved(it, 5),
    "self-check-failed": lambda it: breaks.settings(it, COPYMEND_MODE="fix"),
    "paused": breaks.paused,
}
# Parameters, each set with its findings. What isn't named is as in the healthy deployment.
DEPLOYED = [
    (
        {
            "AllowedSources": "",
            "MaxAgeHours": "0",
            "WriteBudget": "0",
            "RetryBudget": "0",
            "VaultScope": "organizational-unit",
            "SweepRegions": "eu-west-1",
            "SweepSchedule": "",
        },
        {
            "repair-without-sources",
            "repair-of-nothing-old",
            "no-writes",
            "no-retries",
            "scope-without-paths",
            "scope-without-reader",
            "sweep-without-schedule",
        },
    ),
    (
        {
            "Mode": "observe",
            "AllowedSources": "*",
            "AllowFullyManagedKeys": "true",
            "CreateServiceLinkedRole": "true",
            "OrganizationPaths": "o-exampleorgid/r-ab12/*",
            "AdvisorMemberRole": "",
            "ExternalId": "",
            "EndpointUrl": "http://127.0.0.1:9",
            "SweepAccounts": "",
        },
        {
            "members-unchecked",
            "list-admits-everything",
            "fully-managed-keys-unlisted",
            "service-linked-role-not-made",
            "paths-unused",
            "advisor-without-member-role",
            "member-role-without-external-id",
            "calls-go-elsewhere",
        },
    ),
    (
        {
            "Mode": "approve",
            "WithAccessAdvisor": "false",
            "AllowedDestinations": "",
            "AllowedKeys": "",
            "AllowedSources": OTHER,
            "MemberRole": "",
            "OrganizationId": "o-anotherorganization",
            "HubOrganizationId": "",
            "ReportBus": "no-such-bus",
        },
        {
            "advisor-role-without-advisor",
            "report-bus-missing",
            "approve-without-approvers",
            "repair-without-lists",
            "accounts-without-member-role",
            "account-in-another-organization",
        },
    ),
]
# What the emulator can't be brought to, or what a whole deployment would be needed for to mend it. The tests of shared/doctor show each
# of them on facts; those of shared/remediation and shared/aws, that the facts are read.
ELSEWHERE = {
    "stack-broken": "a deployment that fails and can't be rolled back",
    "stack-busy": "the emulator deploys at once",
    "function-missing": "a deployment would have to mend it",
    "function-not-active": "the emulator's functions are always active",
    "role-missing": "a deployment would have to mend it",
    "bus-missing": "a deployment would have to mend it",
    "member-role-refused": "the emulator lets every role be assumed",
    "account-not-read": "the emulator asks no permission",
    "accounts-left": "the emulator answers in no time",
    "queue-missing": "a deployment would have to mend it",
    "topic-missing": "a deployment would have to mend it",
    "chat-unread": "a topic more than the deployment has; its facts are those of any topic",
    "table-missing": "a deployment would have to mend it",
    "ledger-index-missing": "a deployment would have to mend it",
    "table-not-active": "the emulator's tables are always active",
    "no-trail-for-audit": "tested by itself below",
    "test-message-failed": "tested by itself below",
}


def setUpModule():
    global it
    it = Deployment()
    unittest.addModuleCleanup(it.stop)


def known():
    """The findings that the page lists, with their states."""
    page = (REPOSITORY / "docs" / "doctor.md").read_text()
    return dict(re.findall(r"^\| [a-z -]+ \| `([a-z-]+)` \| ([a-z ]+) \|", page, re.MULTILINE))


class Doctor(unittest.TestCase):
    maxDiff = None

    def check(self, expected, code, found):
        """Each expected finding is there with the page's state, and the exit code follows from the states."""
        states = known()
        for finding in expected:
            self.assertEqual(found.get(finding), states[finding], f"{finding}: {found}")
        self.assertEqual(code, int("broken" in found.values()), found)

    def test_a_healthy_deployment_has_no_finding(self):
        code, answer, found = it.doctor()
        self.assertEqual((code, found), (0, {}), json.dumps(answer, indent=1))
        parts = {one["part"] for one in answer["findings"]}
        self.assertEqual(parts | {"test-message"}, {one.replace(" ", "-") for one in self.parts()})

    def parts(self):
        page = (REPOSITORY / "docs" / "doctor.md").read_text()
        return set(re.findall(r"^\| ([a-z -]+) \| `", page, re.MULTILINE))

    def test_each_broken_part_is_found_and_mended_again_it_is_not(self):
        for finding, broken in BREAKS.items():
            with self.subTest(finding):
                with broken(it):
                    code, _, found = it.doctor()
                    self.check([finding], code, found)
                code, _, found = it.doctor()
                self.assertEqual((code, found), (0, {}))

    def test_settings_that_contradict_each_other(self):
        try:
            for parameters, expected in DEPLOYED:
                with self.subTest(sorted(expected)):
                    it.deploy(**parameters)
                    code, answer, found = it.doctor()
                    self.check(expected, code, found)
                    if parameters.get("WithAccessAdvisor") == "false":
                        with breaks.no_trail(it):
                            self.check(["no-trail-for-audit"], *it.doctor()[::2])
        finally:
            it.deploy()
        self.assertEqual(it.doctor()[2], {})

    def test_the_test_message_arrives_once_a_day_and_a_function_without_a_topic_sends_none(self):
        sqs = it.client("sqs")
        with breaks.settings(it, COPYMEND_TOPIC_ARN=""):
            code, _, found = it.doctor("--send")
            self.check(["test-message-failed"], code, found)
        sqs.purge_queue(QueueUrl=it.readers)
        for _ in range(2):
            code, _, found = it.doctor("--send")
            self.assertEqual((code, found), (0, {}))
        messages = sqs.receive_message(QueueUrl=it.readers, MaxNumberOfMessages=10).get("Messages", [])
        subjects = [json.loads(message["Body"])["Subject"] for message in messages]
        self.assertEqual(subjects, ["[Copymend] test message: the way to people works"])

    def test_the_table_is_for_people_and_a_stack_that_is_not_there_is_wrong_usage(self):
        code, output, _ = it.run("doctor", "--region", breaks.REGION)
        self.assertEqual(code, 0)
        self.assertIn("Broken: 0. Warnings: 0. Not checkable: 0.", output)
        self.assertIn(f"The function answers as arn:aws:iam::{ACCOUNT}:", output)
        code, output, errors = it.run("doctor", "--region", breaks.REGION, "--stack", "nobodys")
        self.assertEqual((code, output), (2, ""))
        self.assertIn("nobodys", errors)

    def test_the_self_check_writes_nothing(self):
        dynamodb = it.client("dynamodb")
        before = dynamodb.scan(TableName=it.ids["Ledger"])["Items"]
        it.doctor()
        self.assertEqual(dynamodb.scan(TableName=it.ids["Ledger"])["Items"], before)

    def test_every_finding_of_the_page_is_tried_here_or_says_why_not_and_no_other_is(self):
        tried = set(BREAKS) | {finding for _, findings in DEPLOYED for finding in findings}
        self.assertEqual(tried & set(ELSEWHERE), set())
        self.assertEqual(tried | set(ELSEWHERE), set(known()))


if __name__ == "__main__":
    unittest.main()
