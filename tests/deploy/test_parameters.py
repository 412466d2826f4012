"""What may be typed for each parameter of the templates. The emulator's CloudFormation decides by their patterns and rules."""

import json
import unittest

from botocore.exceptions import ClientError
from cloud import REPOSITORY, Cloud
from transformed import read

VAULTS = "arn:aws:backup:*:444455556666:backup-vault:*"
KEYS = "arn:aws:kms:*:111122223333:key/*"
SOURCE = "arn:aws:iam::111122223333:role/Backup*"
ROLE = "arn:aws:iam::999900001111:role/copymend/copymend-CopyRemediator-eu-west-1"
ORGANIZATION = "o-exampleorgid"
# A parameter: what is right, and what is wrong.
LISTS = {
    "AllowedDestinations": (
        [
            "",
            VAULTS,
            f"{VAULTS},arn:aws-us-gov:backup:us-gov-west-1:*:backup-vault:dr-*",
            f"{VAULTS},arn:*:backup:eu-west-?:444455556666:backup-vault:a_B-1",
        ],
        [
            "*",
            "dr-vault",
            "arn:aws:backup:*",
            "arn:aws:backup:*:*:*",
            "arn:aws:backup:eu-west-1::backup-vault:a",
            "arn:aws:backup:eu-west-1:4444555566667:backup-vault:a",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:",
            "arn:aws:backup:eu-west-1:444455556666:recovery-point:*",
            "arn:aws:s3:::bucket",
            KEYS,
            f"{VAULTS},*",
            f"{VAULTS}, {VAULTS}",
            ",".join([VAULTS] * 90),
            f"{VAULTS};{VAULTS}",
            f"{VAULTS} {VAULTS}",
            f'"{VAULTS}"',
        ],
    ),
    "AllowedKeys": (
        [
            "",
            KEYS,
            "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
            f"{KEYS},arn:aws-cn:kms:*:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        ],
        [
            "*",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:*:111122223333:alias/*",
            "arn:aws:kms:key/*",
            VAULTS,
            f"{KEYS},x",
        ],
    ),
    "JobRole": (
        ["service-role/AWSBackupDefaultServiceRole", "Copies", "backup/*", "*Copies*", "*/Copies", "a/b/C,backup/*,D@x+=._-", ",".join("a" * 20)],
        ["", "*", "**", "*/*", "/backup/*", "Copies,*", "a,,b", "role with spaces", ROLE, "${aws:username}", "a?", "Copies, backup/*", ",".join("a" * 21), "x" * 601],
    ),
}
ORGANIZATION_ID = (
    ["", ORGANIZATION, "o-a1b2c3d4e5"],
    ["o-short", "o-*", "O-EXAMPLEORGID", "exampleorgid", f"{ORGANIZATION},{ORGANIZATION}"],
)
HUB = LISTS | {
    "AllowedSources": (
        [
            "",
            "*",
            "111122223333",
            SOURCE,
            f"111122223333>{VAULTS},{SOURCE}>{VAULTS}",
            "arn:aws:iam::*:role/a>b/Copies?Daily",
        ],
        [
            "Backup*",
            "1111222233334",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            f">{VAULTS}",
            f"{SOURCE} {SOURCE}",
            f"{SOURCE},x",
        ],
    ),
    "Approvers": (
        [
            "",
            "*",
            "arn:aws:sts::444455556666:assumed-role/BackupOwner/*",
            "arn:aws:iam::444455556666:user/path/mary,arn:aws-us-gov:iam::444455556666:root",
        ],
        ["mary", "444455556666", "arn:aws:iam::444455556666:role/BackupOwner", "arn:aws:sts:eu-west-1:444455556666:assumed-role/a/b", "arn:aws:sts::4444:assumed-role/a b"],
    ),
    "ApprovalHours": (["1", "72", "720"], ["0", "721", "ever"]),
    "Mode": (["observe", "approve", "repair"], ["", "Repair", "fix"]),
    "OrganizationId": ORGANIZATION_ID,
    "HubOrganizationId": ORGANIZATION_ID,
    "OrganizationPaths": (
        [
            "",
            f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*",
            f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/ou-ab12-22222222/",
            f"{ORGANIZATION}/r-ab12/*,{ORGANIZATION}/r-ab12/ou-ab12-11111111/ou-*",
        ],
        [
            "*",
            "ou-ab12-11111111",
            f"{ORGANIZATION}/*",
            f"{ORGANIZATION}/r-ab12/ou-ab12-11111111",
            f"{ORGANIZATION}/r-*/ou-ab12-11111111/*",
        ],
    ),
    "RetryBudget": (["0", "3", "100"], ["-1", "101", "many", ""]),
    "WriteBudget": (["0", "1000"], ["-1", "1001", "many"]),
    "SourceWriteBudget": (["0", "20", "10000"], ["-1", "10001", "many"]),
    "SourceRetryBudget": (["0", "100", "1000000"], ["-1", "1000001", "many"]),
    "SourceMessageBudget": (["0", "60", "10000"], ["-1", "10001", "many"]),
    "RetryMaxBytes": (["0", "1099511627776"], ["-1", "many"]),
    "ExternalId": (
        ["", "12345678", "an-external-id", "a:b/c_d+e=f,g.h@i", "x" * 128],
        ["1234567", "with a blank", "x" * 129, "quote'd-id"],
    ),
    "SweepSchedule": (
        ["", "rate(1 hour)", "rate(6 hours)", "rate(15 minutes)", "cron(0 6 * * ? *)", "cron(0/15 8-17 ? * MON-FRI *)"],
        [
            "6 hours",
            "rate(0 hours)",
            "rate(1 hours)",
            "rate(6 hour)",
            "rate(6 weeks)",
            "rate(6 hours) ",
            "cron(0 6 * * ?)",
            "at(2026-01-01T00:00:00)",
        ],
    ),
    "TestMessageSchedule": (["", "rate(7 days)", "cron(0 8 ? * MON *)"], ["weekly", "rate(1 weeks)", "at(2026-01-01T00:00:00)"]),
    "DigestSchedule": (["", "rate(1 day)", "cron(0 7 ? * MON *)"], ["weekly", "rate(1 weeks)", "at(2026-01-01T00:00:00)"]),
    "PreflightSchedule": (["", "rate(1 day)", "cron(0 14 * * ? *)"], ["daily", "rate(1 days)", "at(2026-01-01T00:00:00)"]),
    "CopyAgeObjective": (["", "90m", "26h", "8d", "2w"], ["26", "h", "0h", "026h", "10000h", "26H", "vault=dr:26h", "26h "]),
    "SilenceHours": (["2", "25", "168"], ["", "1", "169", "many"]),
    "SweepRegions": (
        ["", "eu-west-1", "eu-west-1,us-gov-west-1,eu-isoe-west-1"],
        ["*", "eu-west", "Ireland", "eu-west-1a", "eu-west-1;us-east-1", "eu-west-1, us-east-1"],
    ),
    "SweepAccounts": (
        ["", "444455556666", "444455556666,555566667777"],
        ["*", "4444", "4444-5555-6666", "444455556666;555566667777"],
    ),
    "NotificationEmail": (
        ["", "people@example.com", "back.up+alerts@mail.example.co.uk"],
        ["people", "people@", "@example.com", "people@example", "a@example.com,b@example.com", "People <people@example.com>"],
    ),
    "PermissionsBoundary": (
        ["", "arn:aws:iam::111122223333:policy/a/Boundary", "arn:aws:iam::aws:policy/PowerUserAccess", "boundaries/Workload", "Workload"],
        ["*", "arn:aws:iam::111122223333:role/x", "/Workload", "a//b", "arn:aws:iam::*:policy/x", "a:b"],
    ),
    "RolePath": (["/", "/copymend/", "/a/b/"], ["", "copymend", "/copymend", "copymend/", "/*/", "/a b/", f"/{'p' * 63}/"]),
    "NamePrefix": (["", "acme-", "a" * 16], ["-acme", "1acme", "acme_", "acme/", "a" * 17]),
    "EncryptionKey": (
        ["", "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"],
        ["alias/copymend", "arn:aws:kms:eu-west-1:111122223333:alias/copymend", "1234abcd-12ab-34cd-56ef-1234567890ab", KEYS, "*"],
    ),
    "LogLevel": (["DEBUG", "INFO", "WARN", "ERROR"], ["", "info", "TRACE"]),
    "Memory": (["128", "256", "10240"], ["", "127", "10241", "many"]),
    "LogRetentionDays": (["1", "90", "3653"], ["0", "91", "forever"]),
    "Architecture": (["x86_64", "arm64"], ["x86"]),
    "AllowOnDemand": (["true", "false"], ["yes", ""]),
    "LedgerDeletionProtection": (["true", "false"], ["yes", ""]),
    "DelayedRetriesConcurrency": (["2", "5", "1000"], ["", "0", "1", "1001", "many"]),
    "ReservedConcurrency": (["", "6", "100", "99999"], ["0", "01", "-1", "1", "2", "5", "100000", "none", "1.5"]),
}
MEMBER_ROLE = (
    ["copymend/CopymendMember", "Member", "a/b/c/Member+=,.@_-"],
    ["arn:aws:iam::444455556666:role/Member", "/Member", "a//b", "a/", "*", "copymend/*", "role with spaces"],
)
PRINCIPALS = (
    [
        "",
        ROLE,
        f"{ROLE},arn:aws-us-gov:iam::111122223333:user/people/alice",
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Backup_*",
        "arn:aws:iam::111122223333:role/*Operators",
    ],
    [
        "*",
        "alice",
        "arn:aws:iam::*:role/Operators",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:role/*/*",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:*",
        "arn:aws:sts::111122223333:assumed-role/Operators/alice",
        "arn:aws:iam::111122223333:role/${aws:username}",
        f"{ROLE},*",
    ],
)
MEMBER_GIVEN = {
    "HubFunctionRoleArn": ROLE,
    "HubBusArn": "arn:aws:events:eu-west-1:999900001111:event-bus/hub-copymend",
    "ExternalId": "an-external-id",
    "OrganizationId": ORGANIZATION,
    "HomeRegion": "eu-west-1",
}
MEMBER = LISTS | {
    "HubFunctionRoleArn": (
        [ROLE, "arn:aws-cn:iam::999900001111:role/a/b"],
        ["", "*", "hub-role", "arn:aws:iam::*:role/x", "arn:aws:iam::999900001111:role/*", "arn:aws:iam::999900001111:root"],
    ),
    "HubAdvisorRoleArn": (["", ROLE], ["*", "arn:aws:iam::999900001111:user/x"]),
    "ReaderPrincipalArns": PRINCIPALS,
    "UndoPrincipalArns": PRINCIPALS,
    "HubBusArn": (
        [MEMBER_GIVEN["HubBusArn"]],
        ["", "default", "arn:aws:events:eu-west-1:999900001111:rule/x", "arn:aws:events:eu-west-1:999900001111:event-bus/*"],
    ),
    "ExternalId": (["12345678", "an-external-id"], ["", "1234567", "with a blank"]),
    "OrganizationId": ([ORGANIZATION], ["", "o-*"]),
    "EncryptionKey": (
        ["", "alias/copymend", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        # AWS's own keys admit neither EventBridge nor CloudWatch.
        ["alias/aws/sns", "copymend", "*", KEYS],
    ),
    "PermissionsBoundary": (["", "boundaries/Workload"], ["*", "/Workload"]),
    "RolePath": (["/copymend/"], ["", "copymend"]),
    "NamePrefix": (["", "acme-"], ["-acme", "a" * 17]),
    "HomeRegion": (["eu-west-1", "ap-southeast-2", "us-gov-west-1"], ["", "*", "eu-west", "eu-west-1,eu-west-2"]),
    "Mode": (["observe", "repair"], ["write"]),
    "ForwardRecoveries": (["true", "false"], ["yes"]),
    "WithAlarms": (["true", "false"], ["yes"]),
    "NotificationEmail": (["", "people@example.com"], ["people", "a@example.com,b@example.com"]),
}


def setUpModule():
    global client, cloud
    cloud = Cloud()
    unittest.addModuleCleanup(cloud.stop)
    client = cloud.client("cloudformation", "us-east-1")


def refusal(template, values):
    """Why CloudFormation refuses the values, or nothing. Only the parameters and the rules of the template are asked."""
    asked = {part: template[part] for part in ("Parameters", "Rules") if part in template}
    asked["Resources"] = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    refusal.count += 1
    try:
        client.create_change_set(
            StackName=f"parameters-{refusal.count}",
            ChangeSetName="parameters",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps(asked),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        )
    except ClientError as error:
        return error.response["Error"]["Message"]
    return None


refusal.count = 0


class Parameters(unittest.TestCase):
    def check(self, template, table, given):
        for name, (right, wrong) in table.items():
            for value in right:
                with self.subTest(parameter=name, accepted=value):
                    self.assertIsNone(refusal(template, given | {name: value}))
            for value in wrong:
                with self.subTest(parameter=name, refused=value):
                    self.assertIn(name, refusal(template, given | {name: value}) or "accepted")

    def test_the_hub(self):
        self.check(read(), HUB, {})
        self.check(read(), {"MemberRole": MEMBER_ROLE, "AdvisorMemberRole": MEMBER_ROLE}, {"OrganizationId": ORGANIZATION})

    def test_a_member_account(self):
        self.check(read(REPOSITORY / "member.yaml"), MEMBER, MEMBER_GIVEN)

    def test_a_member_role_needs_an_organization(self):
        for role in ("MemberRole", "AdvisorMemberRole"):
            values = {role: "copymend/CopymendMember"}
            self.assertIn("need HubOrganizationId or OrganizationId", refusal(read(), values))
            for organization in ("HubOrganizationId", "OrganizationId"):
                self.assertIsNone(refusal(read(), values | {organization: ORGANIZATION}))

    def test_reserved_concurrency_leaves_some_for_what_was_not_put_off(self):
        for reserved, delayed in (("", "5"), ("6", "5"), ("3", "2"), ("100", "99")):
            values = {"ReservedConcurrency": reserved, "DelayedRetriesConcurrency": delayed}
            self.assertIsNone(refusal(read(), values), values)
        for reserved, delayed in (("1", "2"), ("2", "2"), ("3", "5"), ("4", "5"), ("5", "5"), ("100", "100")):
            values = {"ReservedConcurrency": reserved, "DelayedRetriesConcurrency": delayed}
            self.assertIn("must be greater than DelayedRetriesConcurrency", refusal(read(), values) or "accepted", values)

    def test_subnets_and_security_groups_are_given_together(self):
        given = {"VpcSubnetIds": "subnet-0123456789abcdef0,subnet-01234567", "VpcSecurityGroupIds": "sg-0123456789abcdef0"}
        self.assertIsNone(refusal(read(), given))
        for name in given:
            self.assertIn("are given together", refusal(read(), {name: given[name]}))
            for wrong in ("*", "vpc-01234567", f"{given[name]}, {given[name]}", f"{given[name]} ", ",".join([given[name]] * 20)):
                self.assertIn(name, refusal(read(), given | {name: wrong}) or "accepted")

    def test_every_typed_parameter_has_a_pattern_or_a_list_of_values(self):
        for template in (read(), read(REPOSITORY / "member.yaml")):
            for name, parameter in template["Parameters"].items():
                bounds = {"AllowedPattern", "AllowedValues"} if parameter["Type"] != "Number" else {"MinValue", "AllowedValues"}
                self.assertTrue(bounds & set(parameter), name)
                if "AllowedPattern" in parameter:
                    self.assertIn("ConstraintDescription", parameter, name)

    def test_no_parameter_is_asked_for_without_an_answer_that_enter_gives(self):
        for name, parameter in read()["Parameters"].items():
            self.assertIn("Default", parameter, name)
            self.assertNotIn("NoEcho", parameter, name)

    def test_patterns_mean_in_python_what_they_mean_in_java(self):
        # Both read classes, groups, alternatives and counts alike. Escapes, anchors, nested or joined classes are where they part.
        for template in (read(), read(REPOSITORY / "member.yaml")):
            for name, parameter in template["Parameters"].items():
                pattern = parameter.get("AllowedPattern", "")
                for part in ("\\", "^", "$", "&&", "(?", "[["):
                    self.assertNotIn(part, pattern.replace("[^", "["), name)


if __name__ == "__main__":
    unittest.main()
