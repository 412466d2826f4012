"""What the templates permit, as a list of rows that two versions can be compared by.

`permissions.json` is that list for the templates beside it. A test holds it to them; `make permissions` writes it anew.
"""

import json
import re

from templates import HUB, MEMBER, REPOSITORY, read

LIST = REPOSITORY / "release" / "permissions.json"
NO_VALUE = {"Ref": "AWS::NoValue"}
# Resources whose policy says who may use them, and the property that holds it.
_RESOURCE_POLICIES = {
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::DynamoDB::Table": "ResourcePolicy",
}
_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}


# In the order of a row.
_KEYS = ("kind", "effect", "action", "resource", "not resource", "principal", "not principal", "condition", "arn", "when")


class UnknownPermission(Exception):
    """A permission is written in a way that this list can't show. Leaving it out would be wrong."""


def of_templates():
    """The list of the templates as they are."""
    return {path.name: of_template(read(path)) for path in (HUB, MEMBER)}


def of_template(template):
    """`permissions`: for each role or resource its rows. `conditions` and `defaults`: of what the rows name."""
    rows = {}
    for name, resource in template["Resources"].items():
        for holder, when, row in _rows_of(name, resource):
            when = {*when, resource["Condition"]} if "Condition" in resource else set(when)
            if when:
                row["when"] = sorted(when)
            rows.setdefault(holder, []).append({key: row[key] for key in _KEYS if key in row})
    for holder in rows:
        rows[holder].sort(key=lambda row: [json.dumps(row.get(key)) for key in _KEYS])
    conditions = _conditions(rows, template.get("Conditions", {}))
    named, parameters = json.dumps([rows, conditions]), template.get("Parameters", {})
    return {
        "defaults": {name: parameters[name].get("Default") for name in sorted(parameters) if f"${{{name}}}" in named},
        "conditions": conditions,
        "permissions": dict(sorted(rows.items())),
    }


def _rows_of(name, resource):
    """The rows that a resource brings: whose they are, under which conditions of the template, and what they say."""
    kind, properties = resource["Type"], resource.get("Properties", {})
    if kind == "AWS::IAM::Role":
        yield from _statements(name, "trust", properties["AssumeRolePolicyDocument"])
        for when, policy in _branches(properties.get("Policies", [])):
            yield from _statements(name, "permission", policy["PolicyDocument"], when)
        for when, arn in _branches(properties.get("ManagedPolicyArns", [])):
            yield name, when, {"kind": "managed policy", "arn": shown(arn)}
        for when, arn in _branches(properties.get("PermissionsBoundary", [])):
            yield name, when, {"kind": "permissions boundary", "arn": shown(arn)}
    elif kind == "AWS::IAM::RolePolicy":
        yield from _statements(properties["RoleName"]["Ref"], "permission", properties["PolicyDocument"])
    elif kind == "AWS::IAM::Policy":
        if {"Users", "Groups"} & set(properties):
            raise UnknownPermission(f"`{name}` is a policy of users or groups")
        for when, role in _branches(properties["Roles"]):
            yield from _statements(role["Ref"], "permission", properties["PolicyDocument"], when)
    elif kind == "AWS::Events::EventBusPolicy":
        yield from _statements(properties["EventBusName"]["Ref"], "resource policy", {"Statement": properties["Statement"]})
    elif kind == "AWS::Lambda::Permission":
        conditions = {key: shown(properties[key]) for key in sorted(set(properties) - {"Action", "FunctionName", "Principal"})}
        row = {"kind": "resource policy", "effect": "Allow", "action": properties["Action"]}
        yield properties["FunctionName"]["Ref"], [], row | {"principal": shown(properties["Principal"]), "condition": conditions}
    elif kind in _RESOURCE_POLICIES:
        for when, document in _branches(properties.get(_RESOURCE_POLICIES[kind], [])):
            yield from _statements(name, "resource policy", document.get("PolicyDocument", document), when)
    elif kind == "AWS::Serverless::Function" and ("Role" not in properties or "Policies" in properties or "Events" in properties):
        raise UnknownPermission(f"the transform of the function `{name}` brings permissions of its own")
    elif kind.startswith("AWS::IAM::") or "Policy" in kind or "PolicyDocument" in json.dumps(properties):
        raise UnknownPermission(f"`{name}` is of the type `{kind}`")


def _statements(holder, kind, document, when=()):
    for branch, statement in _branches(document["Statement"]):
        if unknown := set(statement) - _ELEMENTS:
            raise UnknownPermission(f"a statement of `{holder}` has {', '.join(sorted(unknown))}")
        row = {"kind": kind, "effect": statement["Effect"]}
        for element, key in (("Principal", "principal"), ("NotPrincipal", "not principal")):
            if element in statement:
                row[key] = _principal(statement[element])
        for element, key in (("Resource", "resource"), ("NotResource", "not resource")):
            if element in statement:
                row[key] = _listed(statement[element])
        if "Condition" in statement:
            row["condition"] = {test: {key: _listed(value) for key, value in keys.items()} for test, keys in statement["Condition"].items()}
        if "NotAction" in statement:
            yield holder, [*when, *branch], row | {"action": "all but " + ", ".join(sorted(_listed(statement["NotAction"])))}
        else:
            for action in _listed(statement["Action"]):
                yield holder, [*when, *branch], row | {"action": action}


def _branches(value):
    """The items of a list or one value, each with the conditions under which `Fn::If` picks it."""
    if isinstance(value, list):
        for one in value:
            yield from _branches(one)
    elif isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        for when, one in _branches(yes):
            yield [condition, *when], one
        for when, one in _branches(no):
            yield [f"not {condition}", *when], one
    elif value != NO_VALUE:
        yield [], value


def _listed(value):
    return [shown(one) for one in (value if isinstance(value, list) else [value])]


def _principal(value):
    return {kind: _listed(one) for kind, one in value.items()} if isinstance(value, dict) and set(value) <= _KINDS else shown(value)


_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}


def shown(value):
    """A value of the template as text: parameters and attributes as `Fn::Sub` writes them, all else as JSON."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::If": _} | {"Fn::Join": _} | {"Fn::Split": _} | {"Fn::Select": _} | {"Fn::Sub": _}:
            [(function, arguments)] = value.items()
            return f"{function.removeprefix('Fn::')}({', '.join(_argument(one) for one in arguments)})"
    return json.dumps(value)


def _argument(value):
    if isinstance(value, list):
        return f"[{', '.join(_argument(one) for one in value)}]"
    if isinstance(value, dict) and not any(key == "Ref" or key.startswith("Fn::") for key in value):
        return f"{{{', '.join(f'{key}: {_argument(one)}' for key, one in value.items())}}}"
    return shown(value)


def _conditions(rows, conditions):
    """Those conditions of the template that the rows rest on, directly or not."""
    found = {}
    left = {name.removeprefix("not ") for listed in rows.values() for row in listed for name in row.get("when", [])}
    left |= set(re.findall(r"\bIf\((\w+),", json.dumps(rows)))
    while left:
        name = left.pop()
        if name not in found:
            found[name] = _condition(conditions[name])
            left |= set(re.findall(r'"Condition": "(\w+)"', json.dumps(conditions[name])))
    return dict(sorted(found.items()))


def _condition(value):
    match value:
        case {"Condition": str(name)}:
            return name
        case {"Fn::Equals": [left, right]}:
            return f"{_operand(left)} = {_operand(right)}"
        case {"Fn::Not": [{"Fn::Equals": [left, right]}]}:
            return f"{_operand(left)} ≠ {_operand(right)}"
        case {"Fn::Not": [inner]}:
            return f"not ({_condition(inner)})"
        case {"Fn::And": several}:
            return f"({' and '.join(_condition(one) for one in several)})"
        case {"Fn::Or": several}:
            return f"({' or '.join(_condition(one) for one in several)})"
    raise UnknownPermission(f"a condition is {json.dumps(value)}")


def _operand(value):
    match value:
        case {"Fn::Join": ["", {"Ref": name}]}:
            return f"${{{name}}}"
        case "":
            return "empty"
    return shown(value)


def written(listed):
    """The text of `permissions.json`: one row a line, so that a change of it is easy to read."""
    lines = ["{"]
    for template, content in listed.items():
        lines.append(f'  "{template}": {{')
        for part in ("defaults", "conditions"):
            lines.append(f'    "{part}": {{')
            lines += _rows(f'"{name}": {listed_text(value)}' for name, value in content[part].items())
            lines.append("    },")
        lines.append('    "permissions": {')
        for holder, rows in content["permissions"].items():
            lines.append(f'      "{holder}": [')
            lines += _rows(listed_text(row) for row in rows)
            lines.append("      ],")
        lines[-1] = "      ]"
        lines += ["    }", "  },"]
    lines[-1] = "  }"
    return "\n".join([*lines, "}"]) + "\n"


def _rows(texts):
    lines = [f"        {text}," for text in texts]
    return [*lines[:-1], *(line.removesuffix(",") for line in lines[-1:])]


def listed_text(value):
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    LIST.write_text(written(of_templates()), encoding="utf-8")
