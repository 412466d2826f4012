"""The rules that enterprises have for everything that is deployed: where a parameter states one, no resource is without it; and without the
parameter nothing of it is there."""

import copy
import unittest

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from evaluated import ACCOUNT, evaluated
from transformed import MEMBER, as_list, read, transformed

KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundaries/Workload"
SUBNETS = "subnet-0123456789abcdef0,subnet-0123456789abcdef1"
GROUPS = "sg-0123456789abcdef0"
# Everything that can be switched on, so that every resource is there.
HUB = {
    "WithChat": "true",
    # Approve mode has all that repair mode has.
    "Mode": "approve",
    "AllowedDestinations": "arn:aws:backup:*:444455556666:backup-vault:*",
    "AllowedKeys": "arn:aws:kms:*:444455556666:key/*",
    "CreateServiceLinkedRole": "true",
    "HubOrganizationId": "o-exampleorgid",
    "MemberRole": "acme/acme-CopymendMember",
    "AdvisorMemberRole": "acme/acme-CopymendMemberReader",
    "ReadImages": "true",
    "ReadTags": "true",
    "OrganizationReader": ACCOUNT,
    "SweepSchedule": "rate(6 hours)",
    "NotificationEmail": "people@example.com",
    "EndpointUrl": "http://127.0.0.1",
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/copymend/x"
MEMBER_GIVEN = {
    "HubFunctionRoleArn": ROLE,
    "HubAdvisorRoleArn": ROLE,
    "HubBusArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/hub-copymend",
    "ExternalId": "an-external-id",
    "OrganizationId": "o-exampleorgid",
    "HomeRegion": "ap-northeast-1",
    "Mode": "repair",
    "AllowedDestinations": "arn:aws:backup:*:444455556666:backup-vault:*",
    "AllowedKeys": "arn:aws:kms:*:444455556666:key/*",
    "CreateServiceLinkedRole": "true",
    "ReadImages": "true",
    "ReadTags": "true",
    "ReadOrganizationPaths": "true",
    "ReaderPrincipalArns": ROLE,
    "UndoPrincipalArns": ROLE,
    "NotificationEmail": "people@example.com",
}
NETWORK = {"VpcSubnetIds": SUBNETS, "VpcSecurityGroupIds": GROUPS}
# How each type says what it is encrypted under. Those of the second list keep nothing that a key of one's own could be given for here.
ENCRYPTED = {
    "AWS::DynamoDB::Table": lambda properties: properties["SSESpecification"].get("KMSMasterKeyId"),
    "AWS::Lambda::Function": lambda properties: properties.get("KmsKeyArn"),
    "AWS::Logs::LogGroup": lambda properties: properties.get("KmsKeyId"),
    "AWS::SNS::Topic": lambda properties: properties.get("KmsMasterKeyId"),
    "AWS::SQS::Queue": lambda properties: properties.get("KmsMasterKeyId"),
}
NOT_ENCRYPTED = {
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    # Events pass through it.
    "AWS::Events::EventBus",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}
# What AWS gives no tags to.
WITHOUT_TAGS = {
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


def only_in_vpc(template):
    return {name for name, one in template["Resources"].items() if one.get("Condition") in ("InVpc", "AdvisorInVpc")}


def templates():
    return (("hub", transformed(), HUB), ("member", read(MEMBER), MEMBER_GIVEN))


def of_type(resources, kind):
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


def without_boundary_or_path(resources, path):
    return {
        name
        for name, role in of_type(resources, "AWS::IAM::Role").items()
        if role.get("PermissionsBoundary") != BOUNDARY or role.get("Path") != path
    }


def without_the_key(resources):
    return {name for name, one in resources.items() if one["Type"] in ENCRYPTED and ENCRYPTED[one["Type"]](one["Properties"]) != KEY}


class Platform(unittest.TestCase):
    maxDiff = None

    def test_every_resource_of_the_templates_is_looked_at(self):
        for which, template, given in templates():
            self.assertEqual(set(evaluated(template, **given)), set(template["Resources"]) - only_in_vpc(template), which)

    def test_no_role_is_without_the_boundary_and_the_path(self):
        for which, template, given in templates():
            resources = evaluated(template, **given, PermissionsBoundary=BOUNDARY, RolePath="/acme/backup/")
            self.assertEqual(without_boundary_or_path(resources, "/acme/backup/"), set(), which)
            self.assertEqual(len(of_type(resources, "AWS::IAM::Role")), {"hub": 2, "member": 5}[which])

    def test_a_boundary_by_path_and_name_is_each_accounts_own(self):
        for which, template, given in templates():
            roles = of_type(evaluated(template, **given, PermissionsBoundary="boundaries/Workload"), "AWS::IAM::Role")
            own = BOUNDARY.replace("arn:aws:", "arn:aws-us-gov:")
            self.assertEqual({role["PermissionsBoundary"] for role in roles.values()}, {own}, which)

    def test_a_role_without_the_boundary_would_be_found(self):
        for _, template, given in templates():
            template = copy.deepcopy(template)
            name = next(name for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Role")
            del template["Resources"][name]["Properties"]["PermissionsBoundary"]
            resources = evaluated(template, **given, PermissionsBoundary=BOUNDARY)
            self.assertEqual(without_boundary_or_path(resources, "/copymend/"), {name})

    def test_no_resource_is_without_the_key(self):
        for which, template, given in templates():
            resources = evaluated(template, **given, EncryptionKey=KEY)
            self.assertEqual(without_the_key(resources), set(), which)
            self.assertEqual({one["Type"] for one in resources.values()} - set(ENCRYPTED) - NOT_ENCRYPTED, set())
            # A queue that has a key isn't under SQS's own at the same time.
            for name, queue in of_type(resources, "AWS::SQS::Queue").items():
                self.assertNotIn("SqsManagedSseEnabled", queue, name)

    def test_a_resource_without_the_key_would_be_found(self):
        template = transformed()
        for name in ("Ledger", "CopyRemediator", "CopyRemediatorLogs", "AuditTopic", "DelayedRetries"):
            changed = copy.deepcopy(template)
            properties = changed["Resources"][name]["Properties"]
            for key in ("KmsKeyArn", "KmsKeyId", "KmsMasterKeyId"):
                properties.pop(key, None)
            properties.get("SSESpecification", {}).pop("KMSMasterKeyId", None)
            self.assertEqual(without_the_key(evaluated(changed, **HUB, EncryptionKey=KEY)), {name})

    def test_the_functions_roles_may_use_the_key_through_the_services_alone(self):
        resources = evaluated(transformed(), **HUB, EncryptionKey=KEY)
        for role, services in (("CopyRemediatorRole", ["dynamodb", "sns", "sqs"]), ("AccessAdvisorRole", ["dynamodb", "sns"])):
            [document] = [p["PolicyDocument"] for p in resources[role]["Properties"]["Policies"] if p["PolicyName"] == "encryption-key"]
            [statement] = document["Statement"]
            self.assertEqual((statement["Action"], statement["Resource"]), (["kms:Decrypt", "kms:GenerateDataKey"], KEY))
            via = [f"{service}.ap-northeast-1.amazonaws.com" for service in services]
            self.assertEqual(statement["Condition"], {"StringEquals": {"kms:ViaService": via}})

    def test_the_functions_are_in_the_subnets_and_their_roles_may_have_interfaces_made_but_they_cannot_make_them(self):
        resources = evaluated(transformed(), **HUB, **NETWORK)
        wanted = {"SubnetIds": SUBNETS.split(","), "SecurityGroupIds": [GROUPS]}
        for name, function in of_type(resources, "AWS::Lambda::Function").items():
            self.assertEqual(function["VpcConfig"], wanted, name)
            policies = {p["PolicyName"]: p["PolicyDocument"] for p in resources[f"{name}Role"]["Properties"]["Policies"]}
            [allowed] = policies["network"]["Statement"]
            [denied] = resources[f"{name}Network"]["Properties"]["PolicyDocument"]["Statement"]
            self.assertEqual((allowed["Effect"], denied["Effect"]), ("Allow", "Deny"))
            self.assertLessEqual(set(allowed["Action"]), set(denied["Action"]))
            self.assertEqual(list(denied["Condition"]), ["ArnEquals"])
            self.assertIn(f"-{name}-", denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])

    def test_subnets_and_security_groups_go_together(self):
        for given in ({"VpcSubnetIds": SUBNETS}, {"VpcSecurityGroupIds": GROUPS}):
            for function in of_type(evaluated(transformed(), **given), "AWS::Lambda::Function").values():
                self.assertNotIn("VpcConfig", function)
        [rule] = [rule for name, rule in read()["Rules"].items() if name == "SubnetsNeedSecurityGroups"]
        self.assertIn("together", rule["Assertions"][0]["AssertDescription"])

    def test_every_name_that_is_given_here_begins_with_the_prefix(self):
        for which, template, given in templates():
            for name, one in evaluated(template, **given, NamePrefix="acme-").items():
                for key, value in one["Properties"].items():
                    if key in ("RoleName", "Name", "FunctionName", "TopicName", "QueueName", "TableName", "AlarmName", "DashboardName"):
                        # A function's alias has its name within the function alone.
                        if one["Type"] == "AWS::Lambda::Alias" or (key == "FunctionName" and one["Type"] != "AWS::Lambda::Function"):
                            continue
                        with self.subTest(template=which, resource=name):
                            self.assertTrue(value.startswith("acme-"), value)

    def test_hub_and_members_follow_the_prefix_and_the_path_to_each_other(self):
        names = {"NamePrefix": "acme-", "RolePath": "/acme/"}
        member = evaluated(read(MEMBER), **MEMBER_GIVEN, **names)
        hub = evaluated(transformed(), **HUB, **names)
        forward = hub["BusPolicy"]["Properties"]["Statement"]["Condition"]["ArnLike"]["aws:PrincipalArn"]
        role = member["ForwardRole"]["Properties"]
        self.assertEqual(forward, f"arn:aws-us-gov:iam::*:role{role['Path']}{role['RoleName']}")
        watched = member["AuditRule"]["Properties"]["EventPattern"]["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]
        made = [
            f"arn:aws-us-gov:iam::{ACCOUNT}:role{role['Path']}{role['RoleName']}"
            for name, role in of_type(member, "AWS::IAM::Role").items()
            if name != "ForwardRole"
        ]
        self.assertEqual(sorted(watched), sorted(made))
        # Another Region's stack makes no role, and names the same.
        elsewhere = evaluated(read(MEMBER), **(MEMBER_GIVEN | {"HomeRegion": "eu-west-1"}), **names)
        self.assertEqual(of_type(elsewhere, "AWS::IAM::Role"), {})
        for name, rule in of_type(elsewhere, "AWS::Events::Rule").items():
            for target in rule["Targets"]:
                if "RoleArn" in target:
                    self.assertEqual(target["RoleArn"], f"arn:aws-us-gov:iam::{ACCOUNT}:role/acme/acme-CopymendForward", name)
        own = hub["AccessAdvisor"]["Properties"]["Environment"]["Variables"]["COPYMEND_OWN_ROLES"].split(",")
        self.assertEqual([one.split(":role")[-1].split("s")[0] for one in own[:2]], ["/acme/acme-", "/acme/acme-"])
        self.assertEqual(own[2], HUB["MemberRole"])

    def test_without_the_parameters_there_is_nothing_of_it(self):
        for which, template, given in templates():
            resources = evaluated(template, **given)
            text = str(resources)
            for part in ("PermissionsBoundary", "VpcConfig", "NetworkInterface", "KmsKeyArn", "KmsKeyId", "KMSMasterKeyId", "kms:Decrypt"):
                self.assertNotIn(part, text, which)
            keys = {topic.get("KmsMasterKeyId") for topic in of_type(resources, "AWS::SNS::Topic").values()}
            self.assertLessEqual(keys, {None, "alias/aws/sns"})
            for name, queue in of_type(resources, "AWS::SQS::Queue").items():
                self.assertIs(queue["SqsManagedSseEnabled"], True, name)
                self.assertNotIn("KmsMasterKeyId", queue, name)

    def test_memory_processor_and_log_level_reach_both_functions(self):
        given = {"Memory": 512, "Architecture": "arm64"}
        for name, function in of_type(evaluated(transformed(), **given), "AWS::Lambda::Function").items():
            self.assertEqual((function["MemorySize"], function["Architectures"]), (512, ["arm64"]), name)
        for level, filtered in (("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARN", "INFO"), ("ERROR", "INFO")):
            for name, function in of_type(evaluated(transformed(), LogLevel=level), "AWS::Lambda::Function").items():
                self.assertEqual(function["Environment"]["Variables"]["COPYMEND_LOG_LEVEL"], level, name)
                # Lambda takes a line without a level for INFO: a stricter filter would drop the metrics.
                self.assertEqual(function["LoggingConfig"]["ApplicationLogLevel"], filtered, name)
                self.assertEqual(function["LoggingConfig"]["LogFormat"], "JSON", name)

    def test_the_stacks_tags_reach_all_that_can_have_tags(self):
        used = {one["Type"] for _, template, _ in templates() for one in template["Resources"].values()}
        for kind in used:
            tagging = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema.get("tagging", {})
            reached = bool(tagging.get("taggable") and tagging.get("tagOnCreate") and tagging.get("tagUpdatable"))
            self.assertEqual(reached, kind not in WITHOUT_TAGS, kind)

    def test_what_the_checks_skip_has_its_reason(self):
        skipped = [
            (name, one)
            for template in (read(), read(MEMBER))
            for name, resource in template["Resources"].items()
            for one in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
        ]
        self.assertLessEqual(len(skipped), 6)
        for name, one in skipped:
            self.assertGreater(len(one["comment"].split()), 5, name)

    def test_no_default_asks_for_anything_of_the_platform(self):
        for _, template, _ in templates():
            for name in ("PermissionsBoundary", "NamePrefix", "EncryptionKey", "VpcSubnetIds", "VpcSecurityGroupIds"):
                if name in template["Parameters"]:
                    self.assertEqual(template["Parameters"][name]["Default"], "", name)
            for name in as_list(template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]):
                for parameter in name["Parameters"]:
                    self.assertIn(parameter, template["Parameters"])


if __name__ == "__main__":
    unittest.main()
