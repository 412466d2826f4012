"""`sam deploy`, for real, against an emulator of CloudFormation."""

import json
import unittest

from cloud import ACCOUNT, REPOSITORY, Cloud, Stack
from resource_types import MADE, UNKNOWN
from test_limits import SHORTEST, longest
from transformed import as_list, read, transformed

DESTINATIONS = "arn:aws:backup:*:444455556666:backup-vault:*,arn:aws:backup:eu-west-1:555566667777:backup-vault:dr-*"
KEYS = f"arn:aws:kms:*:{ACCOUNT}:key/*"
ORGANIZATION = "o-exampleorgid"
EXTERNAL_ID = "an-external-id"
HUB = {
    "HubOrganizationId": ORGANIZATION,
    "MemberRole": "copymend/CopymendMember",
    "AdvisorMemberRole": "copymend/CopymendMemberReader",
    "ExternalId": EXTERNAL_ID,
    "SweepSchedule": "rate(6 hours)",
    "SweepRegions": "eu-west-1,eu-central-1",
    "SweepAccounts": "444455556666,555566667777",
    "NotificationEmail": "people@example.com",
}
READS = {"delayed-retries", "lists", "own-resources", "read", "report-events", "reports-and-ledger"}
PEOPLE = "arn:aws:iam::999900001111:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Backup_*"
PIPELINE = "arn:aws:iam::555566667777:role/Pipeline"


def setUpModule():
    global cloud
    cloud = Cloud()
    unittest.addModuleCleanup(cloud.stop)


def resource(statements, sid):
    [found] = [statement["Resource"] for statement in statements if statement["Sid"] == sid]
    return as_list(found)


def writes(policies):
    """The statements that allow a policy to be put or a copy to be started."""
    actions = {"backup:PutBackupVaultAccessPolicy", "backup:StartCopyJob", "kms:PutKeyPolicy"}
    found = [s for statements in policies.values() for s in statements if s["Effect"] == "Allow" and actions & set(as_list(s["Action"]))]
    assert len(found) == len(actions), found
    return found


class Deploy(unittest.TestCase):
    maxDiff = None

    def deployed(self, stack, **parameters):
        code, output = stack.deploy(**parameters)
        self.assertEqual(code, 0, output[-3000:])
        return output

    def test_guided_with_every_parameter_left_as_it_is_and_then_unguided(self):
        stack = Stack(cloud, "us-east-1")
        code, questions, output = stack.guided()
        self.assertEqual(code, 0, output[-3000:])
        # Each parameter is asked for once, and Enter takes the template's own value.
        asked = {q.removeprefix("Parameter "): answer for q, answer in questions.items() if q.startswith("Parameter ")}
        self.assertEqual(asked, {name: str(parameter["Default"]) for name, parameter in read()["Parameters"].items()})
        self.assertEqual(stack.status(), "CREATE_COMPLETE")
        self.assertEqual(stack.variables()["COPYMEND_MODE"], "observe")
        self.assertEqual(set(stack.inline_policies("CopyRemediatorRole")), READS)
        self.watched(stack)
        # What guided has saved deploys the same again.
        code, output = stack.sam("deploy", "--no-confirm-changeset")
        self.assertEqual(code, 0, output[-3000:])
        self.assertIn("No changes to deploy", output)

    def test_from_observe_to_repair_to_hub(self):
        stack = Stack(cloud, "eu-west-1")
        self.deployed(stack)
        self.assertEqual(set(stack.inline_policies("CopyRemediatorRole")), READS)
        ledger = stack.outputs()["LedgerTable"]

        self.deployed(
            stack, Mode="repair", AllowedDestinations=DESTINATIONS, AllowedKeys=KEYS, JobRole="backup/*,Copies,a/b/*Role"
        )
        self.assertEqual(stack.status(), "UPDATE_COMPLETE")
        policies = stack.inline_policies("CopyRemediatorRole")
        self.assertEqual(set(policies), READS | {"retry", "repair-vault-policies", "repair-key-policies"})
        self.assertEqual(resource(policies["repair-vault-policies"], "AllowedDestinations"), DESTINATIONS.split(","))
        self.assertEqual(resource(policies["repair-key-policies"], "AllowedKeys"), [KEYS])
        self.assertEqual(
            resource(policies["retry"], "PassJobRoles"),
            [f"arn:aws:iam::{ACCOUNT}:role/backup/*", "arn:*:iam::*:role/Copies", "arn:*:iam::*:role/a/b/*Role"],
        )
        variables = stack.variables()
        self.assertEqual(variables["COPYMEND_ALLOWED_DESTINATIONS"], DESTINATIONS)
        self.assertEqual(variables["COPYMEND_ALLOWED_KEYS"], KEYS)
        self.assertEqual(variables["COPYMEND_LEDGER_TABLE"], ledger)
        for statement in writes(policies):
            self.assertEqual(statement["Condition"]["ArnEquals"], {"lambda:SourceFunctionArn": stack.outputs()["FunctionArn"]})

        # What isn't named stays as it was, and a list that is empty again allows nothing.
        self.deployed(stack, AllowedKeys="", CreateServiceLinkedRole="true", **HUB)
        self.assertEqual(stack.variables()["COPYMEND_ALLOWED_DESTINATIONS"], DESTINATIONS)
        self.assertEqual(stack.outputs()["LedgerTable"], ledger)
        for function, role, member in (
            ("CopyRemediator", "CopyRemediatorRole", HUB["MemberRole"]),
            ("AccessAdvisor", "AccessAdvisorRole", HUB["AdvisorMemberRole"]),
        ):
            variables = stack.variables(function)
            self.assertEqual((variables["COPYMEND_MEMBER_ROLE"], variables["COPYMEND_EXTERNAL_ID"]), (member, EXTERNAL_ID))
            [statement] = stack.inline_policies(role)["member-role"]
            self.assertEqual(statement["Resource"], f"arn:aws:iam::*:role/{member}")
            output = {"CopyRemediator": "FunctionArn", "AccessAdvisor": "AdvisorFunctionArn"}[function]
            self.assertEqual(
                statement["Condition"],
                {
                    "StringEquals": {"aws:ResourceOrgID": ORGANIZATION},
                    "ArnEquals": {"lambda:SourceFunctionArn": stack.outputs()[output]},
                },
            )
        events, bus = stack.client("events"), stack.resources()["Bus"][0]
        [admitted] = json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"]
        self.assertEqual(
            admitted["Condition"],
            {
                "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/copymend/CopymendForward"},
                "ForAllValues:StringEquals": {"events:source": ["aws.backup"]},
                "Null": {"events:source": "false"},
            },
        )
        names = ("CopyRemediator", "AccessAdvisor")
        self.audited(stack, [f"arn:aws:iam::{ACCOUNT}:role/copymend/copymend-{name}-eu-west-1" for name in names])
        [target] = events.list_targets_by_rule(Rule=stack.resources()["SweepRule"][0])["Targets"]
        self.assertEqual(
            json.loads(target["Input"])["detail"],
            {"accounts": HUB["SweepAccounts"].split(","), "regions": HUB["SweepRegions"].split(",")},
        )
        subscriptions = stack.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs()["TopicArn"])["Subscriptions"]
        self.assertEqual([(one["Protocol"], one["Endpoint"]) for one in subscriptions], [("email", HUB["NotificationEmail"])])
        # Every resource of the template is there now but the policies for keys, images, tags, places and a VPC and the topic of chats, which are off.
        absent = {"KeyRepairPolicy", "CopyRemediatorReadImages", "CopyRemediatorReadTags", "CopyRemediatorReadOrganizationPaths"}
        absent |= {"CopyRemediatorNetwork", "AccessAdvisorNetwork", "Approvals", "ChatTopic"}
        self.assertEqual(set(transformed()["Resources"]) - set(stack.resources()), absent)

        # Approve mode has what repair mode has, and the alias that people answer by.
        repairing = stack.inline_policies("CopyRemediatorRole")
        approvers = "arn:aws:sts::444455556666:assumed-role/BackupOwner/*"
        self.deployed(stack, Mode="approve", Approvers=approvers)
        self.assertEqual(stack.inline_policies("CopyRemediatorRole"), repairing)
        self.assertEqual((stack.variables()["COPYMEND_MODE"], stack.variables()["COPYMEND_APPROVERS"]), ("approve", approvers))
        self.assertEqual(stack.outputs()["ApprovalsArn"], stack.outputs()["FunctionArn"] + ":approvals")
        self.assertEqual(set(transformed()["Resources"]) - set(stack.resources()), absent - {"Approvals"})

        self.deployed(stack, Mode="observe", HubOrganizationId="", MemberRole="", AdvisorMemberRole="", SweepSchedule="", PreflightSchedule="")
        self.assertEqual(set(stack.inline_policies("CopyRemediatorRole")), READS - {"lists"})

    def watched(self, stack):
        """There is a sweep and a preflight a day a test message and a digest a week, and every alarm goes to the topic of alarms."""
        events, resources = stack.client("events"), stack.resources()
        for rule, schedule, kind in (
            ("SweepRule", "rate(1 day)", "Copymend Sweep"),
            ("PreflightRule", "rate(1 day)", "Copymend Preflight"),
            ("TestMessageRule", "cron(0 8 ? * MON *)", "Copymend Test Message"),
            ("DigestRule", "cron(0 7 ? * MON *)", "Copymend Digest"),
        ):
            name = resources[rule][0]
            self.assertEqual(events.describe_rule(Name=name)["ScheduleExpression"], schedule)
            [target] = events.list_targets_by_rule(Rule=name)["Targets"]
            self.assertEqual(json.loads(target["Input"])["detail-type"], kind)
        alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
        self.assertEqual(len(alarms), sum(kind == "AWS::CloudWatch::Alarm" for _, kind in resources.values()))
        for alarm in alarms:
            self.assertEqual(alarm["AlarmActions"], [stack.outputs()["AlarmTopicArn"]])
            self.assertIn("docs/runbook.md#", alarm["AlarmDescription"])
        shown = stack.client("cloudwatch").get_dashboard(DashboardName=stack.outputs()["DashboardName"])["DashboardBody"]
        self.assertIn(resources["CopyRemediator"][0], json.dumps(json.loads(shown)))

    def audited(self, stack, roles):
        """The rule of the audit matches these roles, and sends to its topic, which takes what it sends."""
        events, (rule, _) = stack.client("events"), stack.resources()["AuditRule"]
        name = rule.rsplit("/", 1)[-1]
        described = events.describe_rule(Name=name)
        identity = json.loads(described["EventPattern"])["detail"]["userIdentity"]
        self.assertEqual(identity, {"sessionContext": {"sessionIssuer": {"arn": roles}}})
        [target] = events.list_targets_by_rule(Rule=name)["Targets"]
        self.assertEqual(target["Arn"], stack.outputs()["AuditTopicArn"])
        attributes = stack.client("sns").get_topic_attributes(TopicArn=target["Arn"])["Attributes"]
        allow, deny = json.loads(attributes["Policy"])["Statement"]
        self.assertEqual((allow["Effect"], allow["Condition"]), ("Allow", {"ArnEquals": {"aws:SourceArn": described["Arn"]}}))
        self.assertEqual((deny["Effect"], deny["Condition"]), ("Deny", {"ArnNotEquals": {"aws:SourceArn": described["Arn"]}}))

    def test_a_removal_keeps_the_ledger_alone_and_a_second_deploy_stands_beside_it(self):
        stack = Stack(cloud, "eu-central-1")
        self.deployed(stack)
        kept, role = stack.outputs()["LedgerTable"], stack.outputs()["FunctionRoleArn"]
        self.assertEqual(role, f"arn:aws:iam::{ACCOUNT}:role/copymend/copymend-CopyRemediator-eu-central-1")
        code, output = stack.delete()
        self.assertEqual(code, 0, output[-3000:])
        self.assertEqual(stack.tables(), {kept})
        self.assertEqual(stack.client("lambda").list_functions()["Functions"], [])

        self.deployed(stack)
        self.assertEqual(stack.status(), "CREATE_COMPLETE")
        self.assertNotEqual(stack.outputs()["LedgerTable"], kept)
        self.assertIn(kept, stack.tables())
        # The member roles' trust still holds.
        self.assertEqual(stack.outputs()["FunctionRoleArn"], role)

    def test_the_ledger_is_protected_and_concurrency_reserved_only_once_asked(self):
        stack = Stack(cloud, "eu-south-1")

        def made():
            ledger = stack.client("dynamodb").describe_table(TableName=stack.outputs()["LedgerTable"])["Table"]
            function, _ = stack.resources()["CopyRemediator"]
            reserved = stack.client("lambda").get_function_concurrency(FunctionName=function)
            return ledger["DeletionProtectionEnabled"], reserved.get("ReservedConcurrentExecutions")

        self.deployed(stack)
        self.assertEqual(made(), (False, None))
        self.deployed(stack, LedgerDeletionProtection="true", ReservedConcurrency="6")
        self.assertEqual(made(), (True, 6))
        self.deployed(stack, LedgerDeletionProtection="false", ReservedConcurrency="")
        self.assertEqual(made(), (False, None))

    def test_a_failed_first_create_leaves_no_ledger_behind(self):
        stack = Stack(cloud, "eu-north-1")
        # More than the account has.
        code, output = stack.deploy(ReservedConcurrency="950")
        self.assertNotEqual(code, 0)
        self.assertEqual(stack.status(), "ROLLBACK_COMPLETE", output[-3000:])
        events = stack.client("cloudformation").describe_stack_events(StackName=stack.name)["StackEvents"]
        reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
        self.assertIn("decreases account's UnreservedConcurrentExecution below its minimum value", reasons)
        ledger = [event["ResourceStatus"] for event in reversed(events) if event["LogicalResourceId"] == "Ledger"]
        self.assertEqual(ledger, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"])
        self.assertEqual(stack.tables(), set())

    def test_what_is_refused_makes_nothing(self):
        stack = Stack(cloud, "eu-west-2")
        for parameters, reason in (
            ({"MemberRole": HUB["MemberRole"]}, "MemberRole and AdvisorMemberRole need HubOrganizationId or OrganizationId"),
            ({"AllowedKeys": f"{KEYS},*"}, "must be ARN patterns of KMS keys"),
            ({"AllowedKeys": ",".join(f"arn:aws:kms:*:{number:012}:key/*" for number in range(80))}, "AllowedKeys"),
            ({"VpcSubnetIds": "subnet-0123456789abcdef0"}, "VpcSubnetIds and VpcSecurityGroupIds are given together"),
        ):
            code, output = stack.deploy(**parameters)
            self.assertNotEqual(code, 0)
            self.assertIn(reason, output)
            self.assertEqual(stack.client("lambda").list_functions()["Functions"], [])
            self.assertEqual(stack.tables(), set())

    def test_the_longest_lists_can_be_deployed(self):
        stack = Stack(cloud, "ap-southeast-2")
        template = transformed()
        lists = {name: longest(template, name) for name in SHORTEST if name in template["Parameters"]}
        self.deployed(stack, Mode="repair", OrganizationId=ORGANIZATION, MemberRole="m" * 128, ExternalId="e" * 128, **lists)
        self.assertEqual(stack.variables()["COPYMEND_ALLOWED_SOURCES"], lists["AllowedSources"])

    def test_with_path_prefix_and_key(self):
        stack = Stack(cloud, "ca-west-1")
        key = f"arn:aws:kms:ca-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        # The emulator keeps no boundary: tests/template/test_platform.py looks at it.
        self.deployed(stack, PermissionsBoundary="boundaries/Workload", RolePath="/acme/", NamePrefix="acme-", EncryptionKey=key)
        for role in ("CopyRemediatorRole", "AccessAdvisorRole"):
            made = stack.client("iam").get_role(RoleName=stack.resources()[role][0])["Role"]
            self.assertEqual(made["Path"], "/acme/")
            self.assertTrue(made["RoleName"].startswith("acme-copymend-"), made["RoleName"])
        self.assertEqual(set(stack.inline_policies("CopyRemediatorRole")), READS | {"encryption-key"})
        queue = stack.client("sqs").get_queue_attributes(QueueUrl=stack.outputs()["DeadLettersUrl"], AttributeNames=["All"])
        self.assertEqual(queue["Attributes"]["KmsMasterKeyId"], key)

    def test_a_member_account_in_its_home_region_and_in_another(self):
        hub = {
            "HubFunctionRoleArn": "arn:aws:iam::999900001111:role/copymend/copymend-CopyRemediator-eu-west-3",
            "HubAdvisorRoleArn": "arn:aws:iam::999900001111:role/copymend/copymend-AccessAdvisor-eu-west-3",
            "HubBusArn": "arn:aws:events:eu-west-3:999900001111:event-bus/hub-copymend",
            "ExternalId": EXTERNAL_ID,
            "OrganizationId": ORGANIZATION,
            "HomeRegion": "eu-west-3",
        }
        repair = {"Mode": "repair", "AllowedDestinations": DESTINATIONS, "AllowedKeys": KEYS, "JobRole": "backup/*,Copies"}
        home = Stack(cloud, "eu-west-3", "member.yaml", "copymend-member")
        self.deployed(home, **hub)
        self.assertEqual(set(home.inline_policies("MemberRole")), {"read", "lists"})
        self.assertEqual(set(home.inline_policies("AdvisorMemberRole")), {"read-for-advice"})
        for role, parameter in (("MemberRole", "HubFunctionRoleArn"), ("AdvisorMemberRole", "HubAdvisorRoleArn")):
            [hubs] = home.admitted(role)
            self.assertEqual(hubs["Principal"], {"AWS": "arn:aws:iam::999900001111:root"})
            self.assertEqual(hubs["Condition"]["ArnEquals"], {"aws:PrincipalArn": hub[parameter]})
        self.assertEqual({"ReaderRole", "UndoRole"} & set(home.resources()), set())
        watched = [f"arn:aws:iam::{ACCOUNT}:role/copymend/Copymend{name}" for name in ("Member", "MemberReader", "Reader", "Undo")]
        self.audited(home, watched)

        self.deployed(home, **hub | repair)
        policies = home.inline_policies("MemberRole")
        self.assertEqual(set(policies), {"read", "lists", "retry", "repair-vault-policies", "repair-key-policies"})
        self.assertEqual(resource(policies["repair-vault-policies"], "AllowedDestinations"), DESTINATIONS.split(","))
        self.assertEqual(
            resource(policies["retry"], "PassJobRoles"), [f"arn:aws:iam::{ACCOUNT}:role/backup/*", "arn:*:iam::*:role/Copies"]
        )

        people = {"ReaderPrincipalArns": f"{PEOPLE},{PIPELINE}", "UndoPrincipalArns": PIPELINE}
        other = Stack(cloud, "ca-central-1", "member.yaml", "copymend-member")
        self.deployed(other, **hub | repair | people)
        types = {kind for _, kind in other.resources().values()}
        audit = {"AWS::SNS::Topic", "AWS::SNS::TopicPolicy"}
        self.assertEqual(types, {"AWS::CloudWatch::Alarm", "AWS::Events::Rule", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"} | audit)
        self.audited(other, watched)
        # The emulator sees no change where conditions alone decide otherwise.
        self.deployed(other, WithAlarms="false", ForwardRecoveries="true")
        self.assertNotIn("AWS::CloudWatch::Alarm", {kind for _, kind in other.resources().values()})

        # People come and go. What is switched off for the hub stays on for those who undo.
        self.deployed(home, **people, Mode="observe")
        for role, named in (("ReaderRole", [PEOPLE, PIPELINE]), ("UndoRole", [PIPELINE])):
            [those] = home.admitted(role)
            self.assertEqual(
                those["Condition"],
                {"ArnLike": {"aws:PrincipalArn": named}, "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
            )
        self.assertEqual(set(home.inline_policies("MemberRole")), {"read", "lists"})
        self.assertEqual(set(home.inline_policies("ReaderRole")), {"read", "read-for-advice", "lists"})
        undo = home.inline_policies("UndoRole")
        self.assertEqual(set(undo), {"read", "undo-vault-policies", "undo-key-policies"})
        self.assertEqual(resource(undo["undo-vault-policies"], "AllowedDestinations"), DESTINATIONS.split(","))
        self.deployed(home, ReaderPrincipalArns="", UndoPrincipalArns="")
        self.assertEqual({"ReaderRole", "UndoRole"} & set(home.resources()), set())
        self.assertEqual(set(home.inline_policies("MemberRole")), {"read", "lists"})


class ResourceTypes(unittest.TestCase):
    """The tests of the deployments show that each type that is in use here was made."""

    def test_the_table_has_every_type_of_the_transformed_templates_and_no_other(self):
        used = {one["Type"] for one in transformed()["Resources"].values()}
        used |= {one["Type"] for one in read(REPOSITORY / "member.yaml")["Resources"].values()}
        self.assertEqual(MADE | UNKNOWN, used)
        self.assertEqual(MADE & UNKNOWN, set())

    def test_the_emulator_makes_what_the_table_says(self):
        known = cloud.known_types()
        self.assertEqual(MADE - known, set(), "the emulator doesn't know these any longer")
        self.assertEqual(known - MADE, set(), "the emulator has learned these: move them to MADE")


if __name__ == "__main__":
    unittest.main()
