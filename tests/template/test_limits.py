"""The longest values that the parameters admit fit into what AWS takes, whatever else is switched on. So what is too long is refused where
it is typed, by the name of its parameter."""

import json
import re
import unittest

from evaluated import ACCOUNT, evaluated
from transformed import MEMBER, TEMPLATE, holders, read, transformed

# Lambda developer guide, "Lambda quotas"; IAM user guide, "IAM and AWS STS quotas", of which whitespace doesn't count; EventBridge user
# guide, "Quotas"; CloudFormation user guide, "Understand CloudFormation quotas".
ENVIRONMENT = 4096
INLINE_POLICIES = 10_240
TRUST_POLICY = 2048
RULE_INPUT = 8192
PARAMETER = 4096
TEMPLATE_IN_THE_CALL = 51_200
ROLE_NAME = 64
ALARM_DESCRIPTION = 1024

# The shortest item of each list: what surrounds an item in a policy counts most then.
SHORTEST = {
    "Approvers": "arn:aws:iam::*:root",
    "AllowedSources": "*",
    "AllowedDestinations": "arn:*:backup:*:*:backup-vault:*",
    "AllowedKeys": "arn:*:kms:*:*:key/*",
    "JobRole": "a",
    "OrganizationPaths": "o-aaaaaaaaaa/r-aaaa/*",
    "ReaderPrincipalArns": "arn:aws:iam::111122223333:role/a",
    "UndoPrincipalArns": "arn:aws:iam::111122223333:role/a",
    "SweepAccounts": "444455556666",
    "SweepRegions": "aa-a-1",
}
# Lists of which the pattern counts the items.
MOST_ITEMS = {"JobRole": 20}
ORGANIZATION = "o-" + "a" * 32
KEY = f"arn:aws-us-gov:kms:ap-northeast-1:{ACCOUNT}:key/mrk-{'0' * 32}"
VPC = {
    "VpcSubnetIds": ",".join(f"subnet-{n:017x}" for n in range(16)),
    "VpcSecurityGroupIds": ",".join(f"sg-{n:017x}" for n in range(5)),
}
SWITCHED_ON = {
    "Mode": "repair",
    "CreateServiceLinkedRole": "true",
    "ReadImages": "true",
    "ReadTags": "true",
    "PermissionsBoundary": f"arn:aws-us-gov:iam::{ACCOUNT}:policy/{'b' * 128}",
    "RolePath": f"/{'p' * 62}/",
    "NamePrefix": "n" * 16,
    "EncryptionKey": KEY,
    "ExternalId": "e" * 128,
}
ROLE_ARN = f"arn:aws-us-gov:iam::{ACCOUNT}:role/{'p' * 62}/{'r' * 64}"
HUB = SWITCHED_ON | VPC | {
    "WithChat": "true",
    "ReportBus": "b" * 48,
    "OrganizationReader": ACCOUNT,
    "OrganizationId": ORGANIZATION,
    "HubOrganizationId": ORGANIZATION,
    "MemberRole": "m" * 128,
    "AdvisorMemberRole": "m" * 128,
    "VaultScope": "organizational-unit",
    "KeyProfile": "least-privilege",
    "SourceRetryBudget": "1000000",
    "SourceMessageBudget": "10000",
    "Messages": "after-last-retry",
    "RetryMaxBytes": "1" * 16,
    "CopyAgeObjective": "9999h",
    "EndpointUrl": "https://" + "e" * 56,
    "AllowOnDemand": "false",
    "AllowFullyManagedKeys": "false",
}
MEMBER_GIVEN = SWITCHED_ON | {
    "HubFunctionRoleArn": ROLE_ARN,
    "HubAdvisorRoleArn": ROLE_ARN,
    "HubBusArn": f"arn:aws-us-gov:events:ap-northeast-1:{ACCOUNT}:event-bus/{'b' * 256}",
    "OrganizationId": ORGANIZATION,
    "HomeRegion": "ap-northeast-1",
    "ReadOrganizationPaths": "true",
}


def longest(template, name):
    """As many items as the parameter's longest value holds; the last one is longer, if something is left."""
    length, item = template["Parameters"][name]["MaxLength"], SHORTEST[name]
    value = ",".join([item] * min((length + 1) // (len(item) + 1), MOST_ITEMS.get(name, length)))
    filled = value + ("a" if item[-1] != "*" else "*") * (length - len(value))
    # What can't be longer than its item isn't filled up.
    return filled if re.fullmatch(template["Parameters"][name]["AllowedPattern"], filled) else value


def with_longest(template, given):
    return given | {name: longest(template, name) for name in SHORTEST if name in template["Parameters"]}


def size(document):
    return len(json.dumps(document, separators=(",", ":")))


def policies(resources):
    """The characters of each role's inline policies."""
    sizes = {name: 0 for name, one in resources.items() if one["Type"] == "AWS::IAM::Role"}
    named = {one["Properties"]["RoleName"]: name for name, one in resources.items() if name in sizes}
    for name, one in resources.items():
        properties = one["Properties"]
        if name in sizes:
            sizes[name] += sum(size(policy["PolicyDocument"]) for policy in properties.get("Policies", []))
        elif one["Type"] == "AWS::IAM::RolePolicy":
            sizes[named[properties["RoleName"]]] += size(properties["PolicyDocument"])
        elif one["Type"] == "AWS::IAM::Policy":
            for role in properties["Roles"]:
                sizes[named[role]] += size(properties["PolicyDocument"])
    return sizes


def environments(resources):
    """The bytes of each function's environment, as JSON: so Lambda shows it where it refuses one as too large (seen)."""
    return {
        name: size(one["Properties"]["Environment"]["Variables"])
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Function"
    }


class Limits(unittest.TestCase):
    def setUp(self):
        self.templates = {
            "hub": (transformed(), HUB),
            "member": (read(MEMBER), MEMBER_GIVEN),
        }

    def resources(self, which):
        template, given = self.templates[which]
        return evaluated(template, **with_longest(template, given))

    def test_the_longest_values_are_admitted_and_one_item_more_is_not(self):
        for which, (template, given) in self.templates.items():
            for name, value in with_longest(template, given).items():
                parameter = template["Parameters"][name]
                with self.subTest(template=which, parameter=name):
                    self.assertLessEqual(len(value), min(parameter.get("MaxLength", PARAMETER), PARAMETER))
                    if "AllowedPattern" in parameter:
                        self.assertRegex(value, f"^({parameter['AllowedPattern']})$")
                    if "AllowedValues" in parameter:
                        self.assertIn(value, parameter["AllowedValues"])
                    if name in SHORTEST:
                        more = f"{value},{SHORTEST[name]}"
                        admitted = len(more) <= parameter["MaxLength"] and re.fullmatch(parameter["AllowedPattern"], more)
                        self.assertFalse(admitted)

    def test_every_parameter_that_people_type_is_bounded(self):
        for which, (template, _) in self.templates.items():
            for name, parameter in template["Parameters"].items():
                self.assertNotEqual(parameter["Type"], "CommaDelimitedList", f"{name}: its length can't be bounded")
                without_classes = re.sub(r"\[[^\]]*\]", "", parameter.get("AllowedPattern", ""))
                endless = re.search(r"[+*]|,}", without_classes)
                if endless:
                    with self.subTest(template=which, parameter=name):
                        self.assertLessEqual(parameter.get("MaxLength", PARAMETER + 1), PARAMETER)

    def test_every_functions_environment_fits(self):
        sizes = environments(self.resources("hub"))
        self.assertEqual(set(sizes), {"CopyRemediator", "AccessAdvisor"})
        for function, found in sizes.items():
            self.assertLessEqual(found, ENVIRONMENT, function)

    def test_every_roles_inline_policies_fit(self):
        for which, roles in (("hub", 2), ("member", 5)):
            sizes = policies(self.resources(which))
            self.assertEqual(len(sizes), roles)
            for role, found in sizes.items():
                self.assertLessEqual(found, INLINE_POLICIES, role)

    def test_every_trust_policy_fits_into_what_an_account_has_by_default(self):
        for which in self.templates:
            for name, one in self.resources(which).items():
                if one["Type"] == "AWS::IAM::Role":
                    self.assertLessEqual(size(one["Properties"]["AssumeRolePolicyDocument"]), TRUST_POLICY, name)

    def test_every_roles_name_fits(self):
        for which in self.templates:
            for name, one in self.resources(which).items():
                if one["Type"] == "AWS::IAM::Role":
                    self.assertLessEqual(len(one["Properties"]["RoleName"]), ROLE_NAME, name)

    def test_what_a_rule_hands_on_fits(self):
        for which in self.templates:
            for name, one in self.resources(which).items():
                for target in one["Properties"].get("Targets", []) if one["Type"] == "AWS::Events::Rule" else []:
                    self.assertLessEqual(len(target.get("Input", "")), RULE_INPUT, name)

    def test_the_members_template_can_be_sent_in_the_call_itself(self):
        self.assertLessEqual(len(MEMBER.read_bytes()), TEMPLATE_IN_THE_CALL)

    def test_a_list_that_is_longer_would_be_found(self):
        for name, sizes, limit in (
            ("AllowedSources", environments, ENVIRONMENT),
            ("AllowedDestinations", environments, ENVIRONMENT),
            ("JobRole", policies, INLINE_POLICIES),
        ):
            template, given = self.templates["hub"]
            given = with_longest(template, given)
            resources = evaluated(template, **(given | {name: ",".join([SHORTEST[name]] * 3000)}))
            self.assertTrue(any(found > limit for found in sizes(resources).values()), name)


if __name__ == "__main__":
    unittest.main()
