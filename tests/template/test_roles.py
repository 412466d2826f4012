"""What the roles of the template may do. Run with the SAM CLI's own Python, which has the transform."""

import copy
import unittest

from transformed import as_list, read, statements, transformed

OWN = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sns:Publish",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
}
ADVISOR_READS = {
    "backup:DescribeBackupJob",
    "backup:DescribeRestoreJob",
    "iam:GetGroupPolicy",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAttachedGroupPolicies",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupPolicies",
    "iam:ListGroupsForUser",
    "iam:ListRolePolicies",
    "iam:ListUserPolicies",
    "iam:SimulatePrincipalPolicy",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:ListAliases",
}
# Actions that no narrower resource than `*` can be given for: they know no resource, or one of another service's making.
NO_RESOURCE = {
    "backup:DescribeBackupJob",
    "backup:DescribeCopyJob",
    "backup:DescribeGlobalSettings",
    "backup:DescribeRecoveryPoint",
    "backup:DescribeRestoreJob",
    "backup:ListCopyJobs",
    "backup:ListTags",
    "backup:StartCopyJob",
    "kms:ListAliases",
    "organizations:DescribeEffectivePolicy",
    "organizations:DescribeOrganization",
}
# Writes, each with the conditions of the template under which a role may hold it.
WRITES = {
    "backup:StartCopyJob": {"Repairs"},
    "iam:PassRole": {"Repairs"},
    "backup:PutBackupVaultAccessPolicy": {"RepairsVaults"},
    "backup:DeleteBackupVaultAccessPolicy": {"RepairsVaults"},
    "kms:PutKeyPolicy": {"RepairsKeys"},
    "iam:CreateServiceLinkedRole": {"RepairsServiceLinkedRoles"},
}
ROLES = {"CopyRemediatorRole", "AccessAdvisorRole"}
MEMBER_ROLES = {"CopyRemediatorRole": "MemberRole", "AccessAdvisorRole": "AdvisorMemberRole"}
# An empty organization would refuse every role, and the template's rule refuses it before.
IN_THE_ORGANIZATION = {
    "StringEquals": {"aws:ResourceOrgID": {"Fn::If": ["IsHub", {"Ref": "HubOrganizationId"}, {"Ref": "OrganizationId"}]}}
}


def foreign_actions(resources):
    """The advisor's actions that are neither reads nor its own affairs."""
    found = set()
    for _, _, statement in statements(resources, "AccessAdvisorRole"):
        if "NotAction" in statement or "NotResource" in statement:
            found.add("by exception")
        for action in as_list(statement.get("Action", [])):
            if action == "sts:AssumeRole" and "AdvisorMemberRole" in str(statement["Resource"]):
                continue
            if action not in OWN | ADVISOR_READS:
                found.add(action)
    return found


def foreign_roles(resources):
    """The roles of ours that may assume another than their member role, or assume it in a foreign organization."""
    found = set()
    for role, member_role in MEMBER_ROLES.items():
        own = {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::*:role/${{{member_role}}}"}
        for _, _, statement in statements(resources, role):
            if "sts:AssumeRole" not in as_list(statement["Action"]):
                continue
            if statement["Resource"] != own or statement.get("Condition") != IN_THE_ORGANIZATION:
                found.add(role)
    return found


class Roles(unittest.TestCase):
    def setUp(self):
        self.resources = transformed()["Resources"]

    def test_there_is_no_other_role(self):
        roles = {name for name, resource in self.resources.items() if resource["Type"] == "AWS::IAM::Role"}
        self.assertEqual(roles, ROLES)

    def test_the_advisor_can_only_read_tell_and_keep_its_ledger(self):
        self.assertEqual(foreign_actions(self.resources), set())

    def test_one_action_more_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        policy = resources["AccessAdvisorRole"]["Properties"]["Policies"][0]["PolicyDocument"]
        policy["Statement"].append({"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"})
        self.assertEqual(foreign_actions(resources), {"kms:PutKeyPolicy"})

    def test_the_advisor_has_a_ledger_of_its_own_and_cannot_become_the_member_role(self):
        for _, _, statement in statements(self.resources, "AccessAdvisorRole"):
            self.assertNotIn("'Ledger'", str(statement["Resource"]))
            self.assertNotIn("{MemberRole}", str(statement["Resource"]))

    def test_member_roles_are_assumed_in_the_organization_alone(self):
        self.assertEqual(foreign_roles(self.resources), set())

    def test_a_member_role_of_a_foreign_organization_would_be_found(self):
        for role, policy in (("CopyRemediatorRole", "MemberRolePolicy"), ("AccessAdvisorRole", "AdvisorMemberRolePolicy")):
            resources = copy.deepcopy(self.resources)
            del resources[policy]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]
            self.assertEqual(foreign_roles(resources), {role})

    def test_the_hub_knows_its_organization(self):
        hub = {"Fn::Not": [{"Fn::Equals": [{"Ref": "HubOrganizationId"}, ""]}]}
        self.assertEqual(read()["Conditions"]["IsHub"], hub)

    def test_no_action_is_a_wildcard_and_no_resource_that_could_be_narrower(self):
        for role in ROLES:
            for name, _, statement in statements(self.resources, role):
                actions = as_list(statement["Action"])
                for action in actions:
                    self.assertNotIn("*", action, f"{role}/{name}")
                if "*" in as_list(statement["Resource"]):
                    self.assertLessEqual(set(actions), NO_RESOURCE, f"{role}/{name}")

    def test_writes_exist_only_under_their_conditions(self):
        for role in ROLES:
            for name, condition, statement in statements(self.resources, role):
                if statement["Effect"] != "Allow":
                    continue
                for action in as_list(statement["Action"]):
                    if action in WRITES:
                        self.assertIn(condition, WRITES[action], f"{role}/{name}: {action}")

    def test_the_lockout_check_can_never_be_bypassed(self):
        denied = [
            statement
            for _, _, statement in statements(self.resources, "CopyRemediatorRole")
            if statement["Effect"] == "Deny"
            and statement["Action"] == "kms:PutKeyPolicy"
            and "kms:BypassPolicyLockoutSafetyCheck" in str(statement.get("Condition"))
        ]
        self.assertEqual(len(denied), 1)

    def test_only_the_rules_may_invoke_the_functions(self):
        allowed = set()
        for name, resource in self.resources.items():
            if resource["Type"] != "AWS::Lambda::Permission":
                continue
            properties = resource["Properties"]
            self.assertIn(properties["Principal"], ("events.amazonaws.com", "scheduler.amazonaws.com"), name)
            source = properties["SourceArn"]["Fn::GetAtt"]
            self.assertIn(self.resources[source[0]]["Type"], ("AWS::Events::Rule", "AWS::Scheduler::Schedule"), name)
            allowed.add((str(properties["FunctionName"]), source[0]))
        for name, resource in self.resources.items():
            if resource["Type"] == "AWS::Events::Rule":
                self.assertTrue(any(rule == name for _, rule in allowed), f"{name} may invoke nothing")

    def test_what_a_function_cannot_handle_reaches_the_queue(self):
        found = {}
        for resource in self.resources.values():
            if resource["Type"] == "AWS::Lambda::EventInvokeConfig":
                properties = resource["Properties"]
                found[properties["FunctionName"]["Ref"]] = properties["DestinationConfig"]["OnFailure"]["Destination"]
        queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        # The advisor may write to no queue: a topic hands its failures on.
        topic = {"Ref": "AdvisorFailures"}
        self.assertEqual(found, {"CopyRemediator": queue, "AccessAdvisor": topic})
        [subscription] = [
            r["Properties"]
            for r in self.resources.values()
            if r["Type"] == "AWS::SNS::Subscription" and r["Properties"]["TopicArn"] == topic
        ]
        self.assertEqual((subscription["Endpoint"], subscription["RawMessageDelivery"]), (queue, True))
        policy = str(self.resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"])
        self.assertIn(str({"ArnEquals": {"aws:SourceArn": topic}}), policy)

    def test_every_rule_retries_and_keeps_what_it_cannot_deliver(self):
        for name, resource in self.resources.items():
            if resource["Type"] == "AWS::Events::Rule":
                for target in resource["Properties"]["Targets"]:
                    self.assertIn("RetryPolicy", target, name)
                    self.assertIn("DeadLetterConfig", target, name)


if __name__ == "__main__":
    unittest.main()
