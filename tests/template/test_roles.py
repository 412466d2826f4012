"""What the roles of the template may do. Run with the SAM CLI's own Python, which has the transform."""

import copy
import json
import unittest

from transformed import TEMPLATE, as_list, read, rules_of, senders, statements, targets_of, transformed

OWN = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sns:Publish",
    "events:PutEvents",
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
    "account:GetRegionOptStatus",
    "backup:DescribeBackupJob",
    "backup:DescribeCopyJob",
    "backup:DescribeGlobalSettings",
    "backup:DescribeRecoveryPoint",
    "backup:DescribeRestoreJob",
    "backup:ListBackupJobs",
    "backup:ListBackupPlans",
    "backup:ListBackupVaults",
    "backup:ListCopyJobs",
    "backup:ListProtectedResources",
    "backup:ListRestoreJobs",
    "backup:ListTags",
    "backup:StartCopyJob",
    "ec2:DescribeImages",
    "ec2:DescribeSnapshots",
    "kms:ListAliases",
    "organizations:DescribeEffectivePolicy",
    "organizations:DescribeOrganization",
    "tag:GetResources",
}
# What must come from the function's own code: every write, and the way into other accounts. AWS Backup asks for `iam:PassRole` by itself,
# when it is told to start a copy; and Lambda itself writes the log and sends on what a function failed on.
FROM_THE_FUNCTION = {
    "backup:PutBackupVaultAccessPolicy",
    "backup:StartCopyJob",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "events:PutEvents",
    "iam:CreateServiceLinkedRole",
    "kms:PutKeyPolicy",
    "sns:Publish",
    "sts:AssumeRole",
}
OF_THE_LEDGER = {action for action in FROM_THE_FUNCTION if action.startswith("dynamodb:")}
FROM_LAMBDA = [{"Ref": "AdvisorFailures"}]
# What Lambda does with the role of a function in a VPC. It asks for these actions on all resources (Lambda developer guide, "Giving
# Lambda functions access to resources in an Amazon VPC"); the function's own code is denied them.
NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
KEY_USES = {"kms:Decrypt", "kms:GenerateDataKey"}
# A queue under the key that was given, or else under SQS's own.
ENCRYPTED_QUEUE = {
    "SqsManagedSseEnabled": {"Fn::If": ["HasEncryptionKey", {"Ref": "AWS::NoValue"}, True]},
    "KmsMasterKeyId": {"Fn::If": ["HasEncryptionKey", {"Ref": "EncryptionKey"}, {"Ref": "AWS::NoValue"}]},
}
FUNCTIONS = {"CopyRemediatorRole": "CopyRemediator", "AccessAdvisorRole": "AccessAdvisor"}
# Writes, each with the conditions of the template under which a role may hold it.
WRITES = {
    "backup:StartCopyJob": {"Repairs"},
    "iam:PassRole": {"Repairs"},
    "backup:PutBackupVaultAccessPolicy": {"RepairsVaults"},
    "kms:PutKeyPolicy": {"RepairsKeys"},
    "iam:CreateServiceLinkedRole": {"RepairsServiceLinkedRoles"},
}
ROLES = {"CopyRemediatorRole", "AccessAdvisorRole"}
MEMBER_ROLES = {"CopyRemediatorRole": "MemberRole", "AccessAdvisorRole": "AdvisorMemberRole"}
# An empty organization would refuse every role, and the template's rule refuses it before.
IN_THE_ORGANIZATION = {"aws:ResourceOrgID": {"Fn::If": ["IsHub", {"Ref": "HubOrganizationId"}, {"Ref": "OrganizationId"}]}}


def each(parameter):
    """The items of a list that is typed as one string."""
    return {"Fn::Split": [",", {"Ref": parameter}]}


def of_the_platform(name, condition, statement):
    """Whether a statement is there for the network or the key alone, as far as AWS asks for it."""
    if name == "network":
        return condition == "InVpc" and set(statement["Action"]) == NETWORK
    if name.endswith("Network"):
        return statement["Effect"] == "Deny" and NETWORK < set(statement["Action"])
    if name == "encryption-key":
        through = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService")
        return (
            condition == "HasEncryptionKey"
            and set(statement["Action"]) == KEY_USES
            and statement["Resource"] == {"Ref": "EncryptionKey"}
            and bool(through)
        )
    return False


def foreign_actions(resources):
    """The advisor's actions that are neither reads nor its own affairs."""
    found = set()
    for name, condition, statement in statements(resources, "AccessAdvisorRole"):
        if of_the_platform(name, condition, statement):
            continue
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
            if statement["Resource"] != own or statement.get("Condition", {}).get("StringEquals") != IN_THE_ORGANIZATION:
                found.add(role)
    return found


def without_the_function(resources):
    """The writes and assumed roles that the credentials of a function's role would open outside the function."""
    found = set()
    for role, function in FUNCTIONS.items():
        own = {"lambda:SourceFunctionArn": {"Fn::GetAtt": [function, "Arn"]}}
        for _, _, statement in statements(resources, role):
            if statement["Effect"] != "Allow" or statement["Resource"] in FROM_LAMBDA:
                continue
            if statement.get("Condition", {}).get("ArnEquals") != own:
                found |= {f"{role}: {action}" for action in as_list(statement["Action"]) if action in FROM_THE_FUNCTION}
    return found


class Roles(unittest.TestCase):
    def setUp(self):
        self.resources = transformed()["Resources"]

    def test_the_list_of_needs_is_what_the_roles_may_do(self):
        # What `copymend doctor` has simulated. A permission that no list names would never be asked about, and one that no role has
        # would be missed in every deployment. That the advisor is deployed is a condition of all that it has.
        needed, granted = set(), set()
        for row in json.loads((TEMPLATE.parent / "shared" / "doctor" / "src" / "needs.json").read_text()):
            needed |= {(row["role"], action, row["when"]) for action in row["actions"]}
        for role in ROLES:
            for _, condition, statement in statements(self.resources, role):
                if statement["Effect"] == "Allow":
                    condition = None if condition == "HasAdvisor" else condition
                    granted |= {(role, action, condition) for action in as_list(statement["Action"])}
        self.assertEqual(needed, granted)

    def test_there_is_no_other_role(self):
        roles = {name for name, resource in self.resources.items() if resource["Type"] == "AWS::IAM::Role"}
        self.assertEqual(roles, ROLES)

    def test_the_advisor_can_only_read_tell_and_keep_its_ledger(self):
        self.assertEqual(foreign_actions(self.resources), set())

    def test_one_action_more_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        policy = resources["AccessAdvisorRole"]["Properties"]["Policies"][-1]["PolicyDocument"]
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

    def test_writes_and_other_accounts_need_the_functions_own_code(self):
        self.assertEqual(without_the_function(self.resources), set())

    def test_a_write_without_the_function_would_be_found(self):
        for policy, *actions in (
            # One statement for both, since a role has little room.
            ("CopyRemediatorReportsAndLedger", "CopyRemediatorRole: sns:Publish", *(f"CopyRemediatorRole: {action}" for action in OF_THE_LEDGER)),
            ("AccessAdvisorReportsAndLedger", "AccessAdvisorRole: sns:Publish"),
            ("CopyRemediatorReportEvents", "CopyRemediatorRole: events:PutEvents"),
            ("AccessAdvisorReportEvents", "AccessAdvisorRole: events:PutEvents"),
            ("VaultRepairPolicy", "CopyRemediatorRole: backup:PutBackupVaultAccessPolicy"),
            ("KeyRepairPolicy", "CopyRemediatorRole: kms:PutKeyPolicy"),
            ("ServiceLinkedRolePolicy", "CopyRemediatorRole: iam:CreateServiceLinkedRole"),
            ("RetryPolicy", "CopyRemediatorRole: backup:StartCopyJob"),
            ("MemberRolePolicy", "CopyRemediatorRole: sts:AssumeRole"),
            ("AdvisorMemberRolePolicy", "AccessAdvisorRole: sts:AssumeRole"),
        ):
            resources = copy.deepcopy(self.resources)
            del resources[policy]["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]
            self.assertEqual(without_the_function(resources), set(actions))

    def test_lambda_itself_may_send_on_what_a_function_failed_on(self):
        # It does so with the function's role and without the function's ARN (Lambda developer guide, "Using source function ARN").
        sent = {}
        for role in ROLES:
            for _, _, statement in statements(self.resources, role):
                if statement["Action"] in ("sqs:SendMessage", "sns:Publish") and "Condition" not in statement:
                    sent[role] = (statement["Action"], statement["Resource"])
        self.assertEqual(
            sent,
            {
                "CopyRemediatorRole": ("sqs:SendMessage", {"Fn::GetAtt": ["DeadLetters", "Arn"]}),
                "AccessAdvisorRole": ("sns:Publish", {"Ref": "AdvisorFailures"}),
            },
        )

    def test_what_denies_does_so_outside_the_function_too(self):
        denied = 0
        for role in ROLES:
            for name, _, statement in statements(self.resources, role):
                if statement["Effect"] == "Deny" and not name.endswith("Network"):
                    denied += 1
                    self.assertNotIn("lambda:SourceFunctionArn", str(statement), name)
        self.assertEqual(denied, 3)

    def test_no_role_may_delete_a_policy(self):
        for role in ROLES:
            actions = [a for _, _, statement in statements(self.resources, role) for a in as_list(statement["Action"])]
            self.assertNotIn("backup:DeleteBackupVaultAccessPolicy", actions)

    def test_a_role_that_is_made_again_has_the_same_name_and_no_other_stack_has_it(self):
        names = {role: self.resources[role]["Properties"]["RoleName"] for role in ROLES}
        # Names of roles are the same in all Regions, and those of stacks are not.
        self.assertEqual(
            names,
            {
                "CopyRemediatorRole": {"Fn::Sub": "${NamePrefix}${AWS::StackName}-CopyRemediator-${AWS::Region}"},
                "AccessAdvisorRole": {"Fn::Sub": "${NamePrefix}${AWS::StackName}-AccessAdvisor-${AWS::Region}"},
            },
        )
        for role in ROLES:
            self.assertEqual(self.resources[role]["Properties"]["Path"], {"Ref": "RolePath"})
        self.assertEqual(read()["Parameters"]["RolePath"]["Default"], "/copymend/")
        self.assertEqual(read()["Parameters"]["NamePrefix"]["Default"], "")

    def test_the_hub_knows_its_organization(self):
        hub = {"Fn::Not": [{"Fn::Equals": [{"Ref": "HubOrganizationId"}, ""]}]}
        self.assertEqual(read()["Conditions"]["IsHub"], hub)

    def test_no_action_is_a_wildcard_and_no_resource_that_could_be_narrower(self):
        for role in ROLES:
            for name, condition, statement in statements(self.resources, role):
                if of_the_platform(name, condition, statement):
                    continue
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

    def test_images_are_read_only_where_the_parameter_says_so(self):
        actions = {"ec2:DescribeImages", "ec2:DescribeSnapshots"}
        found = [(condition, set(as_list(s["Action"]))) for _, condition, s in statements(self.resources, "CopyRemediatorRole") if actions & set(as_list(s["Action"]))]
        self.assertEqual(found, [("ReadsImages", actions)])
        self.assertEqual(read()["Conditions"]["ReadsImages"], {"Fn::Equals": [{"Ref": "ReadImages"}, "true"]})

    def test_tags_and_places_are_read_only_where_a_parameter_says_so(self):
        for action, condition in (("tag:GetResources", "ReadsTags"), ("organizations:ListParents", "ReadsOrganizationPaths")):
            found = [one for _, one, s in statements(self.resources, "CopyRemediatorRole") if action in as_list(s["Action"])]
            self.assertEqual(found, [condition], action)
        conditions = read()["Conditions"]
        self.assertEqual(conditions["ReadsTags"], {"Fn::Equals": [{"Ref": "ReadTags"}, "true"]})
        self.assertEqual(
            conditions["ReadsOrganizationPaths"], {"Fn::Equals": [{"Ref": "OrganizationReader"}, {"Ref": "AWS::AccountId"}]}
        )

    def test_places_are_read_in_the_known_organization_alone(self):
        [statement] = [s for _, _, s in statements(self.resources, "CopyRemediatorRole") if s["Action"] == "organizations:ListParents"]
        found = []
        for resource in statement["Resource"]:
            text, values = resource["Fn::Sub"]
            found.append(text)
            named = {"Fn::If": ["HasOrganizationId", {"Ref": "OrganizationId"}, "o-*"]}
            self.assertEqual(values, {"Organization": {"Fn::If": ["IsHub", {"Ref": "HubOrganizationId"}, named]}})
        # An account's and a unit's ARN (Service Authorization Reference, "AWS Organizations").
        place = "arn:${AWS::Partition}:organizations::*"
        self.assertEqual(found, [f"{place}:account/${{Organization}}/*", f"{place}:ou/${{Organization}}/ou-*"])

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
        for name, rule in rules_of(self.resources).items():
            for target in targets_of(rule):
                function, attribute = target["Arn"].get("Fn::GetAtt", (None, None))
                if attribute == "Arn":
                    self.assertIn((str({"Ref": function}), name), allowed, f"{name} may not invoke {function}")
                else:
                    self.assertEqual(name, "AuditRule")

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

    def test_what_is_put_off_comes_back_to_the_function_alone(self):
        queue = {"Fn::GetAtt": ["DelayedRetries", "Arn"]}
        properties = self.resources["DelayedRetries"]["Properties"]
        self.assertEqual({key: properties[key] for key in ENCRYPTED_QUEUE}, ENCRYPTED_QUEUE)
        self.assertEqual(properties["RedrivePolicy"]["deadLetterTargetArn"], {"Fn::GetAtt": ["DeadLetters", "Arn"]})
        timeout = self.resources["CopyRemediator"]["Properties"]["Timeout"]
        self.assertGreaterEqual(properties["VisibilityTimeout"], 6 * timeout)
        [source] = [r["Properties"] for r in self.resources.values() if r["Type"] == "AWS::Lambda::EventSourceMapping"]
        self.assertEqual((source["EventSourceArn"], source["FunctionName"]), (queue, {"Ref": "CopyRemediator"}))
        self.assertEqual(source["BatchSize"], 1)
        self.assertEqual(source["ScalingConfig"], {"MaximumConcurrency": {"Ref": "DelayedRetriesConcurrency"}})
        self.assertGreaterEqual(read()["Parameters"]["DelayedRetriesConcurrency"]["MinValue"], 2)
        held = {}
        for role in ROLES:
            for _, _, statement in statements(self.resources, role):
                if statement["Resource"] == queue:
                    self.assertEqual((role, statement["Effect"]), ("CopyRemediatorRole", "Allow"))
                    held[statement["Sid"]] = set(as_list(statement["Action"]))
        self.assertEqual(
            held, {"PutOff": {"sqs:SendMessage"}, "TakeUp": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}}
        )
        # Nobody is let in by the queue itself.
        for statement in self.resources["DelayedRetriesPolicy"]["Properties"]["PolicyDocument"]["Statement"]:
            self.assertEqual(statement["Effect"], "Deny")

    def test_each_rule_for_the_advisor_asks_of_the_hubs_bus_what_it_asks_of_its_own_account(self):
        for own, hub in (("CallRefusedRule", "HubCallRefusedRule"), ("JobFailedRule", "HubJobFailedRule")):
            own, hub = self.resources[own]["Properties"], self.resources[hub]["Properties"]
            self.assertEqual(hub["EventPattern"], own["EventPattern"])
            self.assertEqual(hub.get("State"), own.get("State"))
            self.assertEqual(hub["EventBusName"], {"Ref": "Bus"})
        calls = self.resources["HubCallRefusedRule"]["Properties"]["EventPattern"]["detail"]
        self.assertEqual(
            calls["errorCode"], [{"prefix": "AccessDenied"}, {"suffix": "UnauthorizedOperation"}, {"prefix": "NotAuthorized"}]
        )

    def test_no_rule_takes_calls_without_an_error_but_the_audits(self):
        for name, rule in rules_of(self.resources).items():
            pattern = rule["Properties"].get("EventPattern", {})
            if "AWS API Call via CloudTrail" in pattern.get("detail-type", []) and name != "AuditRule":
                self.assertIn("errorCode", pattern.get("detail", {}), name)

    def test_the_queue_takes_what_each_rule_of_events_cannot_deliver(self):
        [statement] = [
            s
            for s in self.resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
            if s.get("Principal") == {"Service": "events.amazonaws.com"}
        ]
        # The audit's rule has a queue of its own.
        wanted = senders(self.resources, [name for name in rules_of(self.resources) if name != "AuditRule"])
        admitted = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        self.assertEqual(sorted(map(str, admitted)), sorted(map(str, wanted)))

    def test_every_rule_retries_and_keeps_what_it_cannot_deliver(self):
        for name, resource in self.resources.items():
            if resource["Type"] == "AWS::Events::Rule":
                for target in targets_of(resource):
                    self.assertIn("RetryPolicy", target, name)
                    self.assertIn("DeadLetterConfig", target, name)


if __name__ == "__main__":
    unittest.main()
