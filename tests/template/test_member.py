"""What the hub may do in a member account, and who may send it events."""

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
    "iam:GetRole",
    "iam:SimulatePrincipalPolicy",
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "organizations:DescribeEffectivePolicy",
    "organizations:DescribeOrganization",
}


class Member(unittest.TestCase):
    def setUp(self):
        self.resources = read(MEMBER)["Resources"]

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
        rules = {name: r for name, r in self.resources.items() if r["Type"] == "AWS::Events::Rule"}
        self.assertIn("CopyFailedRule", rules)
        for name, rule in rules.items():
            self.assertEqual([t["Arn"] for t in rule["Properties"]["Targets"]], [{"Ref": "HubBusArn"}], name)


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
