"""The list of permissions, and what is said of a change of it."""

import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path += [str(REPOSITORY / "release"), str(REPOSITORY / "tests" / "template")]

import permissions  # noqa: E402
from permission_changes import changes, compare  # noqa: E402
from permissions import UnknownPermission, of_template  # noqa: E402
from templates import HUB, MEMBER, parse, read  # noqa: E402
from transformed import as_list, statements, transformed  # noqa: E402

ROLE = """
Parameters:
  Mode: {Type: String, Default: observe}
  Unused: {Type: String, Default: x}
Conditions:
  Repairs: !Equals [!Ref Mode, repair]
  RepairsKeys: !And [!Condition Repairs, !Not [!Equals [!Join ["", !Ref Keys], ""]]]
Resources:
  Function:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: read
          PolicyDocument:
            Statement:
              - {Sid: Read, Effect: Allow, Action: [a:Read, a:List], Resource: !Sub "arn:${AWS::Partition}:a:*"}
  Write:
    Type: AWS::IAM::RolePolicy
    Condition: RepairsKeys
    Properties:
      RoleName: !Ref Function
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: a:Put, Resource: !Ref Keys, Condition: {StringEquals: {a:b: !GetAtt Function.Arn}}}
"""


def row(action, resource="*", effect="Allow", **more):
    return {"kind": "permission", "effect": effect, "action": action, "resource": [resource]} | more


class Listed(unittest.TestCase):
    maxDiff = None

    def test_the_committed_list_is_that_of_the_templates(self):
        self.assertTrue(
            permissions.LIST.read_text(encoding="utf-8") == permissions.written(permissions.of_templates()),
            "the templates' permissions changed: run `make permissions`, and read what it changes in release/permissions.json",
        )

    def test_every_statement_of_every_role_of_the_transformed_templates_is_in_it(self):
        for path in (HUB, MEMBER):
            resources, listed = transformed(path)["Resources"], of_template(read(path))["permissions"]
            roles = [name for name, resource in resources.items() if resource["Type"] == "AWS::IAM::Role"]
            self.assertTrue(roles)
            for role in roles:
                expected = sorted(
                    (statement["Effect"], action) for _, _, statement in statements(resources, role) for action in as_list(statement["Action"])
                )
                found = sorted((row["effect"], row["action"]) for row in listed[role] if row["kind"] == "permission")
                self.assertEqual(found, expected, role)

    def test_a_role_its_trust_and_a_policy_under_a_condition(self):
        listed = of_template(parse(ROLE))
        self.assertEqual(listed["defaults"], {"Mode": "observe"})
        self.assertEqual(listed["conditions"], {"Repairs": "${Mode} = repair", "RepairsKeys": "(Repairs and ${Keys} ≠ empty)"})
        self.assertEqual(
            listed["permissions"],
            {
                "Function": [
                    row("a:List", "arn:${AWS::Partition}:a:*"),
                    row("a:Put", "${Keys}", condition={"StringEquals": {"a:b": ["${Function.Arn}"]}}, when=["RepairsKeys"]),
                    row("a:Read", "arn:${AWS::Partition}:a:*"),
                    {"kind": "trust", "effect": "Allow", "action": "sts:AssumeRole", "principal": {"Service": ["lambda.amazonaws.com"]}},
                ]
            },
        )

    def test_what_an_if_picks_is_listed_with_its_condition(self):
        template = parse(ROLE)
        [policy] = template["Resources"]["Function"]["Properties"]["Policies"]
        [read_statement] = policy["PolicyDocument"]["Statement"]
        write = {"Effect": "Allow", "Action": "a:Write", "Resource": "*"}
        policy["PolicyDocument"]["Statement"] = [{"Fn::If": ["Repairs", write, read_statement]}]
        listed = of_template(template)["permissions"]["Function"]
        self.assertIn(row("a:Write", when=["Repairs"]), listed)
        self.assertIn(row("a:Read", "arn:${AWS::Partition}:a:*", when=["not Repairs"]), listed)

    def test_a_boundary_that_a_parameter_names_is_listed(self):
        template = parse(ROLE)
        template["Resources"]["Function"]["Properties"]["PermissionsBoundary"] = {
            "Fn::If": ["Repairs", {"Ref": "Mode"}, {"Ref": "AWS::NoValue"}]
        }
        boundary = {"kind": "permissions boundary", "arn": "${Mode}", "when": ["Repairs"]}
        self.assertIn(boundary, of_template(template)["permissions"]["Function"])

    def test_what_the_list_cannot_show_is_refused(self):
        statement = {"Effect": "Allow", "Action": "a:Write", "Resource": "*"}
        for name, resource in {
            "a managed policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [statement]}}},
            "a bucket's policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [statement]}}},
            "a policy of users": {"Type": "AWS::IAM::Policy", "Properties": {"Users": ["u"], "PolicyDocument": {"Statement": []}}},
            "a function with policies": {"Type": "AWS::Serverless::Function", "Properties": {"Policies": []}},
            "an unknown element": {
                "Type": "AWS::IAM::RolePolicy",
                "Properties": {"RoleName": {"Ref": "Function"}, "PolicyDocument": {"Statement": [statement | {"Actions": "*"}]}},
            },
        }.items():
            template = parse(ROLE)
            template["Resources"]["Other"] = resource
            with self.subTest(name), self.assertRaises(UnknownPermission):
                of_template(template)


class Compared(unittest.TestCase):
    maxDiff = None

    def test_an_allow_that_comes_or_a_deny_that_goes_is_more(self):
        new, old = row("a:New"), row("a:Old", effect="Deny")
        self.assertEqual(compare([old], [new]), ([old, new], [], []))

    def test_an_allow_that_goes_or_a_deny_that_comes_is_less(self):
        new, old = row("a:New", effect="Deny"), row("a:Old")
        self.assertEqual(compare([old], [new]), ([], [old, new], []))

    def test_a_boundary_limits(self):
        boundary = {"kind": "permissions boundary", "arn": "${Boundary}"}
        self.assertEqual(compare([], [boundary]), ([], [boundary], []))
        self.assertEqual(compare([boundary], []), ([boundary], [], []))

    def test_other_resources_or_conditions_are_neither_more_nor_less(self):
        old, new = row("a:Put", "x"), row("a:Put", "x", condition={"Null": {"a:b": ["false"]}})
        self.assertEqual(compare([old], [new]), ([], [], [([old], [new])]))

    def test_one_of_two_equal_rows_that_goes_is_seen(self):
        self.assertEqual(compare([row("a:Put")] * 2, [row("a:Put")]), ([], [row("a:Put")], []))

    def test_the_page_names_each_change(self):
        before, after = of_template(parse(ROLE)), of_template(parse(ROLE.replace("[a:Read, a:List]", "[a:Read, a:Tag]")))
        after["defaults"]["Mode"] = "repair"
        after["conditions"]["Repairs"] = "${Mode} ≠ observe"
        after["permissions"]["Function"][1]["resource"] = ["*"]
        self.assertEqual(
            changes("0.2.0", "0.1.0", {"t.yaml": before}, {"t.yaml": after}),
            """\
# Permissions of Copymend 0.2.0

What changed since 0.1.0. `permissions.json` lists all of them.

`when` names conditions of the template; a row without it holds in every deployment. `${…}` is a parameter or a resource of the stack.

## t.yaml

### Function

- more: `a:Tag` on `arn:${AWS::Partition}:a:*`
- less: `a:List` on `arn:${AWS::Partition}:a:*`
- changed: `a:Read` on `arn:${AWS::Partition}:a:*`
  - now: `a:Read` on `*`

### Conditions

- Repairs: `${Mode} = repair` → `${Mode} ≠ observe`

### Defaults of parameters that permissions rest on

- Mode: `observe` → `repair`
""",
        )

    def test_the_same_permissions_are_said_to_be_the_same(self):
        listed = permissions.of_templates()
        self.assertIn("\nNo permission changed.\n", changes("0.2.0", "0.1.0", listed, listed))

    def test_a_first_version_says_so_and_lists_every_permission(self):
        listed = permissions.of_templates()
        page = changes("0.1.0", None, None, listed)
        self.assertIn("There is no earlier version", page)
        rows = [row for template in listed.values() for rows in template["permissions"].values() for row in rows]
        self.assertEqual(page.count("\n- more: ") + page.count("\n- less: "), len(rows))

    def test_a_template_that_is_gone_loses_all(self):
        listed = {"t.yaml": of_template(parse(ROLE))}
        page = changes("0.2.0", "0.1.0", listed, {})
        self.assertIn("### Function (gone)", page)
        self.assertEqual(page.count("\n- less: "), 4)


if __name__ == "__main__":
    unittest.main()
