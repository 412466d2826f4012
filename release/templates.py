"""CloudFormation templates: how they are read, and what makes one of a release of them."""

import re
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
HUB = REPOSITORY / "template.yaml"
MEMBER = REPOSITORY / "member.yaml"
# Both are built by `make build`, and lie in the release as NAME-ARCHITECTURE.zip.
FUNCTIONS = {"CopyRemediator": "copy-remediator", "AccessAdvisor": "access-advisor"}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
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


def parse(text):
    return yaml.load(text, _Loader)


def read(path=HUB):
    """The template as written."""
    return parse(Path(path).read_text(encoding="utf-8"))


class CannotPackage(Exception):
    """The template isn't written as the packaging expects."""


def packaged(text, version):
    """The hub's template for a release: the functions' code is taken from a bucket instead of being built.

    The text is edited, so that comments stay, and then read again: nothing but what is meant may differ. The version is the only value
    that `CodeVersion` takes. A stack that is updated keeps the parameters that nobody names, and would run a new template with old code
    otherwise.
    """
    original = parse(text)
    functions = {name for name, resource in original["Resources"].items() if resource["Type"] == "AWS::Serverless::Function"}
    if functions != set(FUNCTIONS):
        raise CannotPackage(f"the functions of the template are {', '.join(sorted(functions))}")
    text = _once(r"^(  AWS::CloudFormation::Interface:\n    ParameterGroups:\n)", r"\g<1>" + _GROUP, text)
    text = _once(r"^(Parameters:\n)", lambda found: found[1] + _parameters(version), text)
    for function, binary in FUNCTIONS.items():
        # Every line of the resource is indented deeper than its name.
        build = (
            rf"^(  {function}:\n(?:    .*\n)*?)"
            rf"      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: {binary}\n"
        )
        text = _once(build, r"\g<1>", text)
        text = _once(rf"^      CodeUri: functions/{binary}\n", _code(binary), text)
    text = re.sub(r"^    Metadata:\n(?=    \w)", "", text, flags=re.MULTILINE)
    if parse(text) != _expected(original, version):
        raise CannotPackage("the packaged template differs from the source in more than the functions' code")
    return text


_GROUP = "      - Label: { default: The release }\n        Parameters: [CodeBucket, CodeVersion]\n"


def _parameters(version):
    return f"""\
  CodeBucket:
    Type: String
    AllowedPattern: "[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9]"
    ConstraintDescription: must be the name of an S3 bucket.
    Description: The bucket that holds the release, in this stack's Region.
  CodeVersion:
    Type: String
    Default: {version}
    AllowedValues: [{version}]
    Description: The folder of the bucket that holds the release. A template runs the code of its own version alone.
"""


def _code(binary):
    return f"      CodeUri:\n        Bucket: !Ref CodeBucket\n        Key: !Sub ${{CodeVersion}}/{binary}-${{Architecture}}.zip\n"


def _expected(template, version):
    added = parse("Parameters:\n" + _parameters(version))["Parameters"]
    template["Parameters"] = added | template["Parameters"]
    template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].insert(0, parse(_GROUP)[0])
    for function, binary in FUNCTIONS.items():
        resource = template["Resources"][function]
        for key in ("BuildMethod", "BuildProperties"):
            del resource["Metadata"][key]
        if not resource["Metadata"]:
            del resource["Metadata"]
        resource["Properties"] |= parse(_code(binary))
    return template


def _once(pattern, replacement, text):
    text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
    if count != 1:
        raise CannotPackage(f"found {count} times instead of once in the template: {pattern}")
    return text
