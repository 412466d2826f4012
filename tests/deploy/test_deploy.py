"""`sam deploy`, for real, against an emulator of CloudFormation."""

import json
import unittest

from cloud import ACCOUNT, REPOSITORY, Cloud, Stack
from resource_types import MADE, UNKNOWN
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
READS = {"own-resources", "read"}


def setUpModule():
    global cloud
    cloud = Cloud()
    unittest.addModuleCleanup(cloud.stop)


def resource(statements, sid):
    [found] = [statement["Resource"] for statement in statements if statement["Sid"] == sid]
    return as_list(found)


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
            self.assertEqual(statement["Condition"], {"StringEquals": {"aws:ResourceOrgID": ORGANIZATION}})
        events, bus = stack.client("events"), stack.resources()["Bus"][0]
        [admitted] = json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"]
        self.assertEqual(
            admitted["Condition"], {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION, "events:source": "aws.backup"}}
        )
        [target] = events.list_targets_by_rule(Rule=stack.resources()["SweepRule"][0])["Targets"]
        self.assertEqual(
            json.loads(target["Input"])["detail"],
            {"accounts": HUB["SweepAccounts"].split(","), "regions": HUB["SweepRegions"].split(",")},
        )
        subscriptions = stack.client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs()["TopicArn"])["Subscriptions"]
        self.assertEqual([(one["Protocol"], one["Endpoint"]) for one in subscriptions], [("email", HUB["NotificationEmail"])])
        # Every resource of the template is there now but the policy for keys.
        self.assertEqual(set(transformed()["Resources"]) - set(stack.resources()), {"KeyRepairPolicy"})

        self.deployed(stack, Mode="observe", HubOrganizationId="", MemberRole="", AdvisorMemberRole="", SweepSchedule="")
        self.assertEqual(set(stack.inline_policies("CopyRemediatorRole")), READS)

    def test_a_removal_keeps_the_ledger_alone_and_a_second_deploy_stands_beside_it(self):
        stack = Stack(cloud, "eu-central-1")
        self.deployed(stack)
        kept = stack.outputs()["LedgerTable"]
        code, output = stack.delete()
        self.assertEqual(code, 0, output[-3000:])
        self.assertEqual(stack.tables(), {kept})
        self.assertEqual(stack.client("lambda").list_functions()["Functions"], [])

        self.deployed(stack)
        self.assertEqual(stack.status(), "CREATE_COMPLETE")
        self.assertNotEqual(stack.outputs()["LedgerTable"], kept)
        self.assertIn(kept, stack.tables())

    def test_a_failed_first_create_leaves_no_ledger_behind(self):
        stack = Stack(cloud, "eu-north-1")
        # Each list is short enough for a parameter, and together they are too long for a function's environment.
        destinations = ",".join(f"arn:aws:backup:*:{number:012}:backup-vault:*" for number in range(80))
        keys = ",".join(f"arn:aws:kms:*:{number:012}:key/*" for number in range(80))
        code, output = stack.deploy(AllowedDestinations=destinations, AllowedKeys=keys)
        self.assertNotEqual(code, 0)
        self.assertEqual(stack.status(), "ROLLBACK_COMPLETE", output[-3000:])
        self.assertIn("exceeded the 4KB limit", output)
        events = stack.client("cloudformation").describe_stack_events(StackName=stack.name)["StackEvents"]
        ledger = [event["ResourceStatus"] for event in reversed(events) if event["LogicalResourceId"] == "Ledger"]
        self.assertEqual(ledger, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"])
        self.assertEqual(stack.tables(), set())

    def test_what_is_refused_makes_nothing(self):
        stack = Stack(cloud, "eu-west-2")
        for parameters, reason in (
            ({"MemberRole": HUB["MemberRole"]}, "MemberRole and AdvisorMemberRole need HubOrganizationId or OrganizationId"),
            ({"AllowedKeys": f"{KEYS},*"}, "must be ARN patterns of KMS keys"),
        ):
            code, output = stack.deploy(**parameters)
            self.assertNotEqual(code, 0)
            self.assertIn(reason, output)
            self.assertEqual(stack.client("lambda").list_functions()["Functions"], [])
            self.assertEqual(stack.tables(), set())

    def test_a_member_account_in_its_home_region_and_in_another(self):
        hub = {
            "HubFunctionRoleArn": "arn:aws:iam::999900001111:role/hub-CopyRemediatorRole-ABC",
            "HubAdvisorRoleArn": "arn:aws:iam::999900001111:role/hub-AccessAdvisorRole-ABC",
            "HubBusArn": "arn:aws:events:eu-west-3:999900001111:event-bus/hub-copymend",
            "ExternalId": EXTERNAL_ID,
            "OrganizationId": ORGANIZATION,
            "HomeRegion": "eu-west-3",
        }
        repair = {"Mode": "repair", "AllowedDestinations": DESTINATIONS, "AllowedKeys": KEYS, "JobRole": "backup/*,Copies"}
        home = Stack(cloud, "eu-west-3", "member.yaml", "copymend-member")
        self.deployed(home, **hub)
        self.assertEqual(set(home.inline_policies("MemberRole")), {"read"})
        self.deployed(home, **hub | repair)
        policies = home.inline_policies("MemberRole")
        self.assertEqual(set(policies), {"read", "retry", "repair-vault-policies", "repair-key-policies"})
        self.assertEqual(resource(policies["repair-vault-policies"], "AllowedDestinations"), DESTINATIONS.split(","))
        self.assertEqual(
            resource(policies["retry"], "PassJobRoles"), [f"arn:aws:iam::{ACCOUNT}:role/backup/*", "arn:*:iam::*:role/Copies"]
        )

        other = Stack(cloud, "ca-central-1", "member.yaml", "copymend-member")
        self.deployed(other, **hub | repair)
        types = {kind for _, kind in other.resources().values()}
        self.assertEqual(types, {"AWS::Events::Rule", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"})


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
