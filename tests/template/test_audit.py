"""The audit past our code: AWS's own record of each policy that a role of Copymend puts, on a topic that only its rule can publish to."""

import copy
import unittest

from test_roles import ENCRYPTED_QUEUE
from transformed import MEMBER, read, transformed

CALLS = ["CreateServiceLinkedRole", "PutBackupVaultAccessPolicy", "PutKeyPolicy"]
TOPIC = {"Ref": "AuditTopic"}
RULE = {"Fn::GetAtt": ["AuditRule", "Arn"]}
QUEUE = {"Fn::GetAtt": ["AuditDeadLetters", "Arn"]}
NOTHING = {"Ref": "AWS::NoValue"}


def named(path):
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role${{RolePath}}${{NamePrefix}}{path}"}


# Every role that could write, and those that only read, should they ever be able to. The names are as they are, also in Regions whose
# stack doesn't create the role, and for a role that somebody else made by this name.
TEMPLATES = {
    "hub": [
        {"Fn::GetAtt": ["CopyRemediatorRole", "Arn"]},
        {"Fn::If": ["HasAdvisor", {"Fn::GetAtt": ["AccessAdvisorRole", "Arn"]}, NOTHING]},
    ],
    "member": [named("CopymendMember"), named("CopymendMemberReader"), named("CopymendReader"), named("CopymendUndo")],
}


def resources_of(template):
    return transformed()["Resources"] if template == "hub" else read(MEMBER)["Resources"]


def gaps(resources, roles):
    """What the audit would miss or lose, and who else could write into it."""
    found = set()
    rule = resources["AuditRule"]["Properties"]
    pattern = rule["EventPattern"]
    if pattern["source"] != ["aws.backup", "aws.iam", "aws.kms"] or pattern["detail-type"] != ["AWS API Call via CloudTrail"]:
        found.add("records of another kind")
    if sorted(pattern["detail"]["eventName"]) != CALLS:
        found.add("another choice of calls")
    if pattern["detail"]["userIdentity"] != {"sessionContext": {"sessionIssuer": {"arn": roles}}}:
        found.add("another choice of roles")
    # A call that was refused is on record, too.
    if set(pattern["detail"]) != {"eventName", "userIdentity"} or "EventBusName" in rule or rule.get("State", "ENABLED") != "ENABLED":
        found.add("records left out")
    [target] = rule["Targets"]
    if target["Arn"] != TOPIC or set(target) != {"Id", "Arn", "RetryPolicy", "DeadLetterConfig"}:
        found.add("the record isn't sent as it is")
    if target.get("RetryPolicy") != {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}:
        found.add("gives up early")
    if target.get("DeadLetterConfig") != {"Arn": QUEUE}:
        found.add("drops records")
    # EventBridge can't publish to a topic under AWS's own key (SNS developer guide, "Managing encryption keys and costs").
    if resources["AuditTopic"]["Properties"].get("KmsMasterKeyId", NOTHING) != {"Fn::If": ["HasEncryptionKey", {"Ref": "EncryptionKey"}, NOTHING]}:
        found.add("EventBridge can't publish")
    policy = resources["AuditTopicPolicy"]["Properties"]
    allowed = {
        "Sid": "RecordsOfTheRule",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
    }
    denied = {
        "Sid": "NothingElse",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"ArnNotEquals": {"aws:SourceArn": RULE}},
    }
    if policy["Topics"] != [TOPIC] or allowed not in policy["PolicyDocument"]["Statement"]:
        found.add("the rule can't publish")
    if denied not in policy["PolicyDocument"]["Statement"] or len(policy["PolicyDocument"]["Statement"]) != 2:
        found.add("others can publish")
    queue = resources["AuditDeadLettersPolicy"]["Properties"]
    allows = [s for s in queue["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    [sender] = allows
    if (
        queue["Queues"] != [{"Ref": "AuditDeadLetters"}]
        or sender["Principal"] != {"Service": "events.amazonaws.com"}
        or sender["Action"] != "sqs:SendMessage"
        or sender["Resource"] != QUEUE
        or sender["Condition"] != {"ArnEquals": {"aws:SourceArn": RULE}}
    ):
        found.add("another sender than the rule")
    for name, resource in resources.items():
        # What only counts can't reach anything.
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"):
            continue
        if name.startswith("Audit"):
            if "Condition" in resource:
                found.add(f"{name} is not everywhere")
        elif "Audit" in str(resource.get("Properties", {})):
            found.add(f"{name} can reach the audit")
    return found


class Audit(unittest.TestCase):
    def test_it_misses_nothing_loses_nothing_and_takes_nothing_else(self):
        for template, roles in TEMPLATES.items():
            with self.subTest(template=template):
                self.assertEqual(gaps(resources_of(template), roles), set())

    def test_the_topic_and_the_queue_can_be_found(self):
        for outputs in (transformed()["Outputs"], read(MEMBER)["Outputs"]):
            self.assertEqual(outputs["AuditTopicArn"]["Value"], TOPIC)
            self.assertEqual(outputs["AuditDeadLettersUrl"]["Value"], {"Ref": "AuditDeadLetters"})

    def test_the_queue_is_encrypted_and_keeps_records_as_long_as_it_can(self):
        for template in TEMPLATES:
            queue = resources_of(template)["AuditDeadLetters"]["Properties"]
            self.assertEqual(queue, {"MessageRetentionPeriod": 14 * 24 * 60 * 60} | ENCRYPTED_QUEUE)

    def test_every_role_that_may_put_a_policy_is_watched(self):
        for template, roles in TEMPLATES.items():
            resources = resources_of(template)
            for name, resource in resources.items():
                if resource["Type"] != "AWS::IAM::Role" or name == "ForwardRole":
                    continue
                role = resource["Properties"]["RoleName"]["Fn::Sub"].removeprefix("${NamePrefix}")
                arns = [{"Fn::GetAtt": [name, "Arn"]}, named(role)]
                self.assertTrue(any(str(arn) in str(roles) for arn in arns), name)

    def test_each_gap_would_be_found(self):
        def without_call(resources):
            resources["AuditRule"]["Properties"]["EventPattern"]["detail"]["eventName"].pop()

        def without_role(resources):
            resources["AuditRule"]["Properties"]["EventPattern"]["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"].pop()

        def only_refused(resources):
            resources["AuditRule"]["Properties"]["EventPattern"]["detail"]["errorCode"] = [{"exists": True}]

        def every_rule(resources):
            del resources["AuditTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]

        def everybody(resources):
            del resources["AuditTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][1]

        def managed_key(resources):
            resources["AuditTopic"].setdefault("Properties", {})["KmsMasterKeyId"] = "alias/aws/sns"

        def no_queue(resources):
            del resources["AuditRule"]["Properties"]["Targets"][0]["DeadLetterConfig"]

        for change, gap in (
            (without_call, {"another choice of calls"}),
            (without_role, {"another choice of roles"}),
            (only_refused, {"records left out"}),
            (every_rule, {"the rule can't publish"}),
            (everybody, {"others can publish"}),
            (managed_key, {"EventBridge can't publish"}),
            (no_queue, {"the record isn't sent as it is", "drops records"}),
        ):
            for template, roles in TEMPLATES.items():
                resources = copy.deepcopy(resources_of(template))
                change(resources)
                with self.subTest(template=template, gap=gap):
                    self.assertEqual(gaps(resources, copy.deepcopy(roles)), gap)


if __name__ == "__main__":
    unittest.main()
