"""The template as CloudFormation sees it after the SAM transform."""

import copy
import logging
import os
from pathlib import Path

import yaml
from samtranslator.translator.transform import transform

# It complains that nobody published its metrics.
logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)

TEMPLATE = Path(__file__).resolve().parent.parent.parent / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


class _NoManagedPolicies:
    def load(self):
        return {}


def read(path=TEMPLATE):
    """The template as written."""
    return yaml.load(Path(path).read_text(), _Loader)


def transformed(path=TEMPLATE):
    """The template after the transform. Code is not looked at: every CodeUri is taken to be packaged."""
    template = copy.deepcopy(read(path))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
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
        yield policy["PolicyName"], resources[role].get("Condition"), policy["PolicyDocument"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::RolePolicy" and resource["Properties"]["RoleName"] == {"Ref": role}:
            yield name, resource.get("Condition"), resource["Properties"]["PolicyDocument"]
        assert resource["Type"] not in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"), f"{name}: look at it here too"


def statements(resources, role):
    for name, condition, document in role_policies(resources, role):
        for statement in as_list(document["Statement"]):
            yield name, condition, statement
