"""The template as CloudFormation sees it after the SAM transform."""

import copy
import functools
import json
import logging
import os
import sys
from pathlib import Path

from samtranslator.translator.transform import transform

# It complains that nobody published its metrics.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)

sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "release"))

from templates import HUB as TEMPLATE  # noqa: E402
from templates import MEMBER, read  # noqa: E402, F401


class _NoManagedPolicies:
    def load(self):
        return {}


def transformed(path=TEMPLATE):
    """The template after the transform, to be changed as one likes. Code is not looked at: every CodeUri is taken to be packaged."""
    return copy.deepcopy(_transformed(path))


@functools.cache
def _transformed(path):
    template = read(path)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    return after_transform(template)


def after_transform(template):
    """A template whose code is packaged, after the transform."""
    # The transform asks for a Region; none is called.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    return transform(template, {}, _NoManagedPolicies())


def as_list(value):
    return value if isinstance(value, list) else [value]


def role_policies(resources, role):
    """The policy documents of a role: its own and those attached by resources of their own, with their condition."""
    properties = resources[role]["Properties"]
    assert "ManagedPolicyArns" not in properties, f"{role} has managed policies"
    for policy in properties.get("Policies", []):
        condition = resources[role].get("Condition")
        if "Fn::If" in policy:
            condition, policy, otherwise = policy["Fn::If"]
            assert otherwise == {"Ref": "AWS::NoValue"}, otherwise
        yield policy["PolicyName"], condition, policy["PolicyDocument"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::RolePolicy" and resource["Properties"]["RoleName"] == {"Ref": role}:
            yield name, resource.get("Condition"), resource["Properties"]["PolicyDocument"]
        if resource["Type"] == "AWS::IAM::Policy":
            assert not {"Users", "Groups"} & set(resource["Properties"]), f"{name} is for more than roles"
            for condition, holder in holders(resource):
                if holder == role:
                    yield name, condition, resource["Properties"]["PolicyDocument"]
        assert resource["Type"] != "AWS::IAM::ManagedPolicy", f"{name}: look at it here too"


def holders(policy):
    """The roles that share an inline policy, each with its condition."""
    for role in policy["Properties"]["Roles"]:
        condition = policy.get("Condition")
        if "Fn::If" in role:
            condition, role, otherwise = role["Fn::If"]
            assert otherwise == {"Ref": "AWS::NoValue"}, otherwise
        yield condition, role["Ref"]


def statements(resources, role):
    for name, condition, document in role_policies(resources, role):
        for statement in as_list(document["Statement"]):
            yield name, condition, statement


def targets_of(rule):
    """The targets of a rule, those among them that only a condition makes."""
    for target in rule["Properties"]["Targets"]:
        _, there, otherwise = target.get("Fn::If", (None, target, None))
        assert otherwise in (None, {"Ref": "AWS::NoValue"})
        yield there


def rules_of(resources):
    return {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::Events::Rule"}


def senders(resources, rules):
    """The ARNs of rules as a policy lists them: each under the rule's own condition."""
    arns = []
    for name in rules:
        arn = {"Fn::GetAtt": [name, "Arn"]}
        if "Condition" in resources[name]:
            arn = {"Fn::If": [resources[name]["Condition"], arn, {"Ref": "AWS::NoValue"}]}
        arns.append(arn)
    return arns


if __name__ == "__main__":
    # Writes both templates as CloudFormation sees them into a folder, for `make deploy-check`.
    for written, made in ((TEMPLATE, transformed()), (MEMBER, transformed(MEMBER))):
        (Path(sys.argv[1]) / written.with_suffix(".json").name).write_text(json.dumps(made, indent=1))
