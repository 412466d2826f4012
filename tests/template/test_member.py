"""What the hub may do in a member account, who may send it events, and that none is lost on the way."""

import copy
import unittest

from test_roles import ADVISOR_READS, NO_RESOURCE
from transformed import TEMPLATE, as_list, read, statements, transformed

MEMBER = TEMPLATE.parent / "member.yaml"
WRITES = {
    "backup:StartCopyJob": "Repairs",
    "iam:PassRole": "Repairs",
    "backup:PutBackupVaultAccessPolicy": "RepairsVaults",
    "backup:DeleteBackupVaultAccessPolicy": "RepairsVaults",
    "kms:PutKeyPolicy": "RepairsKeys",
    "iam:CreateServiceLinkedRole": "RepairsServiceLinkedRoles",
}
READS = {
    "backup:DescribeBackupVault",
    "backup:DescribeCopyJob",
    "backup:DescribeGlobalSettings",
    "backup:DescribeRecoveryPoint",
    "backup:GetBackupVaultAccessPolicy",
    "backup:ListCopyJobs",
    "backup:ListTags",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:SimulatePrincipalPolicy",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "organizations:DescribeEffectivePolicy",
    "organizations:DescribeOrganization",
}
QUEUE = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
# The longest and the most that EventBridge allows.
RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def rules_of(resources):
    return {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::Events::Rule"}


def senders(resources):
    """The ARNs that the queue's policy has to let in: each rule's, under the rule's own condition."""
    arns = []
    for name, rule in rules_of(resources).items():
        arn = {"Fn::GetAtt": [name, "Arn"]}
        if "Condition" in rule:
            arn = {"Fn::If": [rule["Condition"], arn, {"Ref": "AWS::NoValue"}]}
        arns.append(arn)
    return arns


def sources(resources):
    """The senders that the queue's policy lets in."""
    [statement] = [s for s in resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    return statement["Condition"]["ArnEquals"]["aws:SourceArn"]


def losses(resources):
    """Where an event could be lost, or a stranger's be kept."""
    found = set()
    for name, rule in rules_of(resources).items():
        for target in rule["Properties"]["Targets"]:
            if target.get("RetryPolicy") != RETRIES:
                found.add(f"{name} gives up early")
            if target.get("DeadLetterConfig") != {"Arn": QUEUE}:
                found.add(f"{name} drops events")
    for name in ("DeadLetters", "DeadLettersPolicy"):
        if "Condition" in resources[name]:
            found.add(f"{name} is not in every Region")
    policy = resources["DeadLettersPolicy"]["Properties"]
    if policy["Queues"] != [{"Ref": "DeadLetters"}]:
        found.add("the policy is on another queue")
    statements_of_queue = policy["PolicyDocument"]["Statement"]
    admitted = []
    for statement in statements_of_queue:
        if statement["Effect"] != "Allow":
            continue
        condition = statement.get("Condition", {})
        if (
            statement["Principal"] != {"Service": "events.amazonaws.com"}
            or statement["Action"] != "sqs:SendMessage"
            or statement["Resource"] != QUEUE
            or list(condition) != ["ArnEquals"]
            or list(condition["ArnEquals"]) != ["aws:SourceArn"]
        ):
            found.add("the queue takes more than events of rules")
            continue
        admitted += condition["ArnEquals"]["aws:SourceArn"]
    wanted = senders(resources)
    found |= {f"the queue refuses {arn}" for arn in wanted if arn not in admitted}
    found |= {f"the queue admits {arn}" for arn in admitted if arn not in wanted}
    denied = [s for s in statements_of_queue if s["Effect"] == "Deny"]
    if [(s["Principal"], s["Resource"], s["Condition"]) for s in denied] != [("*", QUEUE, {"Bool": {"aws:SecureTransport": "false"}})]:
        found.add("the queue takes what is sent unencrypted")
    return found


class Member(unittest.TestCase):
    def setUp(self):
        self.template = read(MEMBER)
        self.resources = self.template["Resources"]

    def test_only_the_hub_with_the_external_id_from_the_organization_may_assume_the_roles(self):
        for role, hub in (("MemberRole", "HubFunctionRoleArn"), ("AdvisorMemberRole", "HubAdvisorRoleArn")):
            document = self.resources[role]["Properties"]["AssumeRolePolicyDocument"]
            [statement] = document["Statement"]
            self.assertEqual(statement["Principal"], {"AWS": {"Ref": hub}})
            self.assertEqual(
                statement["Condition"],
                {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}, "aws:PrincipalOrgID": {"Ref": "OrganizationId"}}},
            )

    def test_the_member_role_reads_and_writes_only_under_the_conditions(self):
        for name, condition, statement in statements(self.resources, "MemberRole"):
            if statement["Effect"] != "Allow":
                continue
            for action in as_list(statement["Action"]):
                if action in WRITES:
                    self.assertEqual(condition, WRITES[action], f"{name}: {action}")
                else:
                    self.assertIn(action, READS, name)
            if "*" in as_list(statement["Resource"]):
                self.assertLessEqual(set(as_list(statement["Action"])), NO_RESOURCE, name)

    def test_policies_are_written_on_named_resources_and_never_where_the_owner_opted_out(self):
        found = {"kms:PutKeyPolicy": [], "backup:PutBackupVaultAccessPolicy": []}
        for _, _, statement in statements(self.resources, "MemberRole"):
            for action in as_list(statement["Action"]):
                if action in found:
                    found[action].append(statement)
        for action, allowed in (("kms:PutKeyPolicy", "AllowedKeys"), ("backup:PutBackupVaultAccessPolicy", "AllowedDestinations")):
            allows = [s for s in found[action] if s["Effect"] == "Allow"]
            self.assertEqual([s["Resource"] for s in allows], [{"Ref": allowed}])
            denied = [s for s in found[action] if s["Effect"] == "Deny" and "aws:ResourceTag/copymend" in str(s["Condition"])]
            self.assertEqual(len(denied), 1, action)
        bypass = [s for s in found["kms:PutKeyPolicy"] if "kms:BypassPolicyLockoutSafetyCheck" in str(s.get("Condition"))]
        self.assertEqual([s["Effect"] for s in bypass], ["Deny"])

    def test_the_advisors_member_role_can_only_read(self):
        for _, _, statement in statements(self.resources, "AdvisorMemberRole"):
            self.assertLessEqual(set(as_list(statement["Action"])), ADVISOR_READS)

    def test_every_rule_forwards_to_the_hub_alone(self):
        rules = rules_of(self.resources)
        self.assertEqual(set(rules), {"CopyFailedRule", "CallRefusedRule", "JobFailedRule"})
        for name, rule in rules.items():
            self.assertEqual([t["Arn"] for t in rule["Properties"]["Targets"]], [{"Ref": "HubBusArn"}], name)

    def test_every_rule_retries_and_the_queue_keeps_what_its_rules_cannot_deliver_and_nothing_else(self):
        self.assertEqual(losses(self.resources), set())

    def test_the_queue_is_encrypted_keeps_messages_as_long_as_it_can_and_can_be_found(self):
        queue = self.resources["DeadLetters"]
        self.assertEqual(queue["Properties"], {"MessageRetentionPeriod": 14 * 24 * 60 * 60, "SqsManagedSseEnabled": True})
        self.assertEqual(self.template["Outputs"]["DeadLettersUrl"]["Value"], {"Ref": "DeadLetters"})

    def test_each_rule_without_retries_or_queue_would_be_found(self):
        for name in rules_of(self.resources):
            for key, loss in (("RetryPolicy", "gives up early"), ("DeadLetterConfig", "drops events")):
                resources = copy.deepcopy(self.resources)
                del resources[name]["Properties"]["Targets"][0][key]
                self.assertEqual(losses(resources), {f"{name} {loss}"})

    def test_a_rule_with_another_queue_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        resources["CopyFailedRule"]["Properties"]["Targets"][0]["DeadLetterConfig"]["Arn"] = {"Ref": "HubBusArn"}
        self.assertEqual(losses(resources), {"CopyFailedRule drops events"})

    def test_each_rule_that_the_queue_refuses_would_be_found(self):
        for place, arn in enumerate(senders(self.resources)):
            resources = copy.deepcopy(self.resources)
            del sources(resources)[place]
            self.assertEqual(losses(resources), {f"the queue refuses {arn}"})

    def test_one_sender_more_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        sources(resources).append("arn:aws:events:*:*:rule/*")
        self.assertEqual(losses(resources), {"the queue admits arn:aws:events:*:*:rule/*"})

    def test_a_rule_under_a_condition_that_the_policy_does_not_know_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        resources["JobFailedRule"]["Condition"] = "IsHome"
        self.assertEqual(len(losses(resources)), 2)

    def test_a_sender_without_a_condition_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        del resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]
        self.assertIn("the queue takes more than events of rules", losses(resources))

    def test_a_queue_that_takes_what_is_unencrypted_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        del resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][1]
        self.assertEqual(losses(resources), {"the queue takes what is sent unencrypted"})


class Hub(unittest.TestCase):
    def test_the_bus_takes_events_of_aws_backup_from_the_organization_alone(self):
        policies = [r for r in transformed()["Resources"].values() if r["Type"] == "AWS::Events::EventBusPolicy"]
        [policy] = policies
        statement = policy["Properties"]["Statement"]
        self.assertEqual(statement["Action"], "events:PutEvents")
        self.assertEqual(
            statement["Condition"],
            {"StringEquals": {"aws:PrincipalOrgID": {"Ref": "HubOrganizationId"}, "events:source": "aws.backup"}},
        )


if __name__ == "__main__":
    unittest.main()
