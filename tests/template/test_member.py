"""What the hub may do in a member account, who may send it events, and that none is lost on the way."""

import copy
import re
import unittest

from test_roles import ADVISOR_READS, ENCRYPTED_QUEUE, NO_RESOURCE, each
from transformed import MEMBER, as_list, read, role_policies, rules_of, senders, statements, transformed

WRITES = {
    "backup:StartCopyJob": "Repairs",
    "iam:PassRole": "Repairs",
    "backup:PutBackupVaultAccessPolicy": "RepairsVaults",
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
    "kms:ListAliases",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "organizations:DescribeEffectivePolicy",
    "organizations:DescribeOrganization",
}
# Reads that a parameter switches, each with its condition.
SWITCHED_READS = {
    "tag:GetResources": "ReadsTags",
    "organizations:DescribePolicy": "ReadsOrganizationPaths",
    "organizations:ListParents": "ReadsOrganizationPaths",
    "organizations:ListPoliciesForTarget": "ReadsOrganizationPaths",
}
# What the hub's preflight lists, and `copymend scan`, `preflight` and `rpo`.
LISTS = {
    "account:GetRegionOptStatus",
    "backup:GetBackupPlan",
    "backup:GetBackupSelection",
    "backup:ListBackupJobs",
    "backup:ListBackupPlans",
    "backup:ListBackupSelections",
    "backup:ListBackupVaults",
    "backup:ListProtectedResources",
    "backup:ListRecoveryPointsByBackupVault",
    "backup:ListRestoreJobs",
}
IMAGE_READS = {"ec2:DescribeImages", "ec2:DescribeSnapshots"}
# What an undo reads.
UNDO_READS = {"backup:GetBackupVaultAccessPolicy", "kms:GetKeyPolicy"}
# Each put of the undo role: the list that it is allowed on, with the condition that the list isn't empty.
UNDO_PUTS = {
    "backup:PutBackupVaultAccessPolicy": ("AllowedDestinations", "UndoesVaults"),
    "kms:PutKeyPolicy": ("AllowedKeys", "UndoesKeys"),
}
# Roles of people and pipelines: the parameter and the condition that create each.
PEOPLE = {"ReaderRole": ("ReaderPrincipalArns", "HasReaders"), "UndoRole": ("UndoPrincipalArns", "HasUndoers")}
ROLES = {"MemberRole", "AdvisorMemberRole", "ForwardRole"} | set(PEOPLE)
QUEUE = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
# The longest and the most that EventBridge allows.
RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def sources(resources):
    """The senders that the queue's policy lets in."""
    [statement] = [s for s in resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    return statement["Condition"]["ArnEquals"]["aws:SourceArn"]


def forwarding(resources):
    """The rules that forward. The audit's has a queue of its own (test_audit.py)."""
    return {name: rule for name, rule in rules_of(resources).items() if name != "AuditRule"}


def losses(resources):
    """Where an event could be lost, or a stranger's be kept."""
    found = set()
    for name, rule in forwarding(resources).items():
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
    wanted = senders(resources, forwarding(resources))
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

    def test_there_is_no_other_role(self):
        roles = {name for name, resource in self.resources.items() if resource["Type"] == "AWS::IAM::Role"}
        self.assertEqual(roles, ROLES)

    def test_only_the_hubs_own_role_with_the_external_id_from_the_organization_may_assume_the_roles(self):
        for role, hub in (("MemberRole", "HubFunctionRoleArn"), ("AdvisorMemberRole", "HubAdvisorRoleArn")):
            [statement] = self.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual(statement["Action"], "sts:AssumeRole")
            # The hub's account, so that no unique id of a role is kept; which of its roles, the condition says.
            account = {"Hub": {"Fn::Select": [4, {"Fn::Split": [":", {"Ref": hub}]}]}}
            self.assertEqual(statement["Principal"], {"AWS": {"Fn::Sub": ["arn:${AWS::Partition}:iam::${Hub}:root", account]}})
            self.assertEqual(
                statement["Condition"],
                {
                    "ArnEquals": {"aws:PrincipalArn": {"Ref": hub}},
                    "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}, "aws:PrincipalOrgID": {"Ref": "OrganizationId"}},
                },
            )
            # The operator compares with wildcards, and the parameter has none.
            self.assertNotIn("*", self.template["Parameters"][hub]["AllowedPattern"].replace("[a-z-]*", ""))

    def test_a_role_of_people_exists_only_where_somebody_is_named(self):
        for role, (parameter, condition) in PEOPLE.items():
            self.assertEqual(self.resources[role]["Condition"], condition)
            named = {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
            self.assertEqual(self.template["Conditions"][condition], {"Fn::And": [{"Condition": "IsHome"}, named]})
            self.assertEqual(self.template["Parameters"][parameter]["Default"], "")

    def test_only_who_is_named_and_in_the_organization_may_assume_a_role_of_people(self):
        for role, (parameter, _) in PEOPLE.items():
            [statement] = self.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            self.assertEqual((statement["Action"], statement["Principal"]), ("sts:AssumeRole", {"AWS": "*"}))
            # The condition alone says who, so each entry has a literal account.
            self.assertIn(":iam::[0-9]{12}:(role|user)/", self.template["Parameters"][parameter]["AllowedPattern"])
            self.assertEqual(
                statement["Condition"],
                {
                    "ArnLike": {"aws:PrincipalArn": each(parameter)},
                    "StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}},
                },
            )

    def test_the_roles_of_people_have_the_names_that_the_documentation_gives(self):
        for role, name in (("ReaderRole", "CopymendReader"), ("UndoRole", "CopymendUndo")):
            properties = self.resources[role]["Properties"]
            self.assertEqual((properties["Path"], properties["RoleName"]), ({"Ref": "RolePath"}, {"Fn::Sub": f"${{NamePrefix}}{name}"}))

    def test_the_reader_reads_what_both_functions_read_and_what_the_commands_list_and_does_nothing_else(self):
        actions = set()
        for name, condition, statement in statements(self.resources, "ReaderRole"):
            self.assertEqual((statement["Effect"], condition), ("Allow", "HasReaders"), name)
            actions |= set(as_list(statement["Action"]))
        self.assertEqual(actions, READS | IMAGE_READS | set(SWITCHED_READS) | ADVISOR_READS | LISTS)
        self.assertTrue(all(re.fullmatch(r"[a-z0-9]+:(Get|List|Describe|Simulate)\w+", action) for action in actions), actions)

    def test_the_functions_read_with_the_same_words(self):
        for role, reads in (("MemberRole", READS), ("AdvisorMemberRole", ADVISOR_READS)):
            [(_, _, document)] = [one for one in role_policies(self.resources, role) if one[2]["Statement"][0]["Sid"].startswith("Jobs")]
            self.assertEqual({a for s in document["Statement"] for a in as_list(s["Action"])}, reads)

    def test_the_hub_lists_what_its_preflight_reads(self):
        actions = {a for _, _, statement in statements(self.resources, "MemberRole") for a in as_list(statement["Action"])}
        self.assertLessEqual(LISTS, actions)
        hub = transformed()["Resources"]
        listed = {a for s in hub["CopyRemediatorLists"]["Properties"]["PolicyDocument"]["Statement"] for a in as_list(s["Action"])}
        # Nothing that the hub has but the jobs, which the commands alone list.
        self.assertEqual(LISTS - listed, {"backup:ListBackupJobs", "backup:ListRestoreJobs"})
        self.assertLessEqual(listed, LISTS)

    def test_places_are_read_in_the_hubs_organization_alone(self):
        for role in ("MemberRole", "ReaderRole"):
            [statement] = [s for _, _, s in statements(self.resources, role) if s["Action"] == "organizations:ListParents"]
            place = "arn:${AWS::Partition}:organizations::*"
            self.assertEqual(
                [resource["Fn::Sub"] for resource in statement["Resource"]],
                [f"{place}:account/${{OrganizationId}}/*", f"{place}:ou/${{OrganizationId}}/ou-*"],
            )

    def test_undo_reads_policies_and_puts_them_on_the_lists_alone(self):
        actions = set()
        for name, condition, statement in statements(self.resources, "UndoRole"):
            if statement["Effect"] != "Allow":
                continue
            for action in as_list(statement["Action"]):
                actions.add(action)
                if action in UNDO_PUTS:
                    allowed, needed = UNDO_PUTS[action]
                    self.assertEqual((statement["Resource"], condition), (each(allowed), needed), name)
                else:
                    self.assertNotIn("*", as_list(statement["Resource"]), name)
        self.assertEqual(actions, UNDO_READS | set(UNDO_PUTS))

    def test_undo_needs_a_list_and_works_in_observe_mode_too(self):
        for condition, parameter in (("UndoesVaults", "AllowedDestinations"), ("UndoesKeys", "AllowedKeys")):
            named = {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}
            self.assertEqual(self.template["Conditions"][condition], {"Fn::And": [{"Condition": "HasUndoers"}, named]})

    def test_no_role_may_delete_a_policy(self):
        for role in ROLES:
            actions = [a for _, _, statement in statements(self.resources, role) for a in as_list(statement["Action"])]
            self.assertNotIn("backup:DeleteBackupVaultAccessPolicy", actions, role)

    def test_nothing_asks_for_the_function_since_its_sessions_here_do_not_carry_it(self):
        self.assertNotIn("lambda:SourceFunctionArn", str(self.resources))

    def test_the_member_role_reads_and_writes_only_under_the_conditions(self):
        for name, condition, statement in statements(self.resources, "MemberRole"):
            if statement["Effect"] != "Allow":
                continue
            for action in as_list(statement["Action"]):
                if action in WRITES:
                    self.assertEqual(condition, WRITES[action], f"{name}: {action}")
                elif action in IMAGE_READS:
                    self.assertEqual(condition, "ReadsImages", f"{name}: {action}")
                elif action in SWITCHED_READS:
                    self.assertEqual(condition, SWITCHED_READS[action], f"{name}: {action}")
                else:
                    self.assertIn(action, READS | LISTS, name)
            if "*" in as_list(statement["Resource"]):
                self.assertLessEqual(set(as_list(statement["Action"])), NO_RESOURCE, name)

    def test_policies_are_written_on_named_resources_and_never_where_the_owner_opted_out(self):
        for role in ("MemberRole", "UndoRole"):
            found = {"kms:PutKeyPolicy": [], "backup:PutBackupVaultAccessPolicy": []}
            for _, _, statement in statements(self.resources, role):
                for action in as_list(statement["Action"]):
                    if action in found:
                        found[action].append(statement)
            for action, allowed in (
                ("kms:PutKeyPolicy", "AllowedKeys"),
                ("backup:PutBackupVaultAccessPolicy", "AllowedDestinations"),
            ):
                allows = [s for s in found[action] if s["Effect"] == "Allow"]
                self.assertEqual([s["Resource"] for s in allows], [each(allowed)])
                denied = [s for s in found[action] if s["Effect"] == "Deny" and "aws:ResourceTag/copymend" in str(s["Condition"])]
                self.assertEqual(len(denied), 1, action)
            bypass = [s for s in found["kms:PutKeyPolicy"] if "kms:BypassPolicyLockoutSafetyCheck" in str(s.get("Condition"))]
            self.assertEqual([s["Effect"] for s in bypass], ["Deny"])

    def test_the_advisors_member_role_can_only_read(self):
        for _, _, statement in statements(self.resources, "AdvisorMemberRole"):
            self.assertLessEqual(set(as_list(statement["Action"])), ADVISOR_READS)

    def test_every_rule_forwards_to_the_hub_alone(self):
        rules = forwarding(self.resources)
        self.assertEqual(set(rules), {"CopyFailedRule", "CallRefusedRule", "JobFailedRule"})
        for name, rule in rules.items():
            self.assertEqual([t["Arn"] for t in rule["Properties"]["Targets"]], [{"Ref": "HubBusArn"}], name)

    def test_every_rule_retries_and_the_queue_keeps_what_its_rules_cannot_deliver_and_nothing_else(self):
        self.assertEqual(losses(self.resources), set())

    def test_the_queue_is_encrypted_keeps_messages_as_long_as_it_can_and_can_be_found(self):
        queue = self.resources["DeadLetters"]
        self.assertEqual(queue["Properties"], {"MessageRetentionPeriod": 14 * 24 * 60 * 60} | ENCRYPTED_QUEUE)
        self.assertEqual(self.template["Outputs"]["DeadLettersUrl"]["Value"], {"Ref": "DeadLetters"})

    def test_each_rule_without_retries_or_queue_would_be_found(self):
        for name in forwarding(self.resources):
            for key, loss in (("RetryPolicy", "gives up early"), ("DeadLetterConfig", "drops events")):
                resources = copy.deepcopy(self.resources)
                del resources[name]["Properties"]["Targets"][0][key]
                self.assertEqual(losses(resources), {f"{name} {loss}"})

    def test_a_rule_with_another_queue_would_be_found(self):
        resources = copy.deepcopy(self.resources)
        resources["CopyFailedRule"]["Properties"]["Targets"][0]["DeadLetterConfig"]["Arn"] = {"Ref": "HubBusArn"}
        self.assertEqual(losses(resources), {"CopyFailedRule drops events"})

    def test_each_rule_that_the_queue_refuses_would_be_found(self):
        for place, arn in enumerate(senders(self.resources, forwarding(self.resources))):
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


def strangers(policy):
    """Whose events, or which, a bus would take that it shouldn't."""
    statement = policy["Properties"]["Statement"]
    condition = statement["Condition"]
    found = set()
    if (statement["Action"], statement["Resource"]) != ("events:PutEvents", {"Fn::GetAtt": ["Bus", "Arn"]}):
        found.add("more than events on this bus")
    if condition.get("StringEquals") != {"aws:PrincipalOrgID": {"Ref": "HubOrganizationId"}}:
        found.add("other organizations")
    forwarders = {"aws:PrincipalArn": {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role${RolePath}${NamePrefix}CopymendForward"}}
    if condition.get("ArnLike") != forwarders:
        found.add("other principals")
    # One call can put events of several sources. A plain StringEquals isn't meant for a key of several values, and ForAllValues holds
    # for a request that has none (EventBridge user guide, "Using IAM policy conditions").
    if condition.get("ForAllValues:StringEquals") != {"events:source": ["aws.backup"]}:
        found.add("other sources")
    if condition.get("Null") != {"events:source": "false"}:
        found.add("events without a source")
    return found


class Hub(unittest.TestCase):
    def setUp(self):
        [self.policy] = [r for r in transformed()["Resources"].values() if r["Type"] == "AWS::Events::EventBusPolicy"]

    def test_the_bus_takes_events_of_aws_backup_from_the_forwarding_roles_of_the_organization_alone(self):
        self.assertEqual(strangers(self.policy), set())
        forward = read(MEMBER)["Resources"]["ForwardRole"]["Properties"]
        self.assertEqual((forward["Path"], forward["RoleName"]), ({"Ref": "RolePath"}, {"Fn::Sub": "${NamePrefix}CopymendForward"}))

    def test_a_condition_that_is_missing_would_be_found(self):
        for operator, stranger in (
            ("StringEquals", "other organizations"),
            ("ArnLike", "other principals"),
            ("ForAllValues:StringEquals", "other sources"),
            ("Null", "events without a source"),
        ):
            policy = copy.deepcopy(self.policy)
            del policy["Properties"]["Statement"]["Condition"][operator]
            self.assertEqual(strangers(policy), {stranger})

    def test_the_hub_matches_the_events_that_the_members_forward(self):
        hub, member = rules_of(transformed()["Resources"]), rules_of(read(MEMBER)["Resources"])
        for name in ("CallRefusedRule", "JobFailedRule"):
            self.assertEqual(hub[f"Hub{name}"]["Properties"]["EventPattern"], member[name]["Properties"]["EventPattern"])


if __name__ == "__main__":
    unittest.main()
