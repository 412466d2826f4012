"""Reading policies, and the statements with the least that a copy needs."""

import fnmatch
import hashlib
import json

SERVICE_LINKED_ROLE = "arn:aws:iam::{}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
VAULT_ACTIONS = ["backup:CopyIntoBackupVault"]
DESCRIBE_ACTIONS = ["kms:DescribeKey"]
USE_ACTIONS = ["kms:ReEncryptFrom", "kms:GenerateDataKeyWithoutPlaintext", "kms:ListGrants"]
GRANT_ACTIONS = ["kms:CreateGrant"]
KEY_ACTIONS = DESCRIBE_ACTIONS + USE_ACTIONS + GRANT_ACTIONS


def as_list(value):
    return value if isinstance(value, list) else [value]


def names(statement, principal):
    """Whether the statement's principal is this role, its account or everybody."""
    principals = statement.get("Principal")
    if principals == "*":
        return True
    account = principal.split(":")[4]
    admitted = {"*", principal, account, f"arn:aws:iam::{account}:root"}
    return isinstance(principals, dict) and any(one in admitted for one in as_list(principals.get("AWS", [])))


def covers(statement, action):
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in as_list(statement.get("Action", [])))


def judge(policy, principal, actions):
    """`allowed`, `missing`, `denied`, or `unclear` where a condition or a negated element decides."""
    statements = as_list(policy.get("Statement", []))
    if any({"NotPrincipal", "NotAction"} & statement.keys() for statement in statements):
        return "unclear"
    unclear = missing = False
    for action in actions:
        found = [statement for statement in statements if names(statement, principal) and covers(statement, action)]
        denies = [statement for statement in found if statement["Effect"] == "Deny"]
        allows = [statement for statement in found if statement["Effect"] == "Allow"]
        if any("Condition" not in statement for statement in denies):
            return "denied"
        if denies:
            unclear = True
        elif not any("Condition" not in statement for statement in allows):
            unclear, missing = unclear or bool(allows), True
    if unclear:
        return "unclear"
    return "missing" if missing else "allowed"


def sid(*parts):
    return "Remediator" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def vault_statements(role):
    return [statement(sid("vault", role), role, VAULT_ACTIONS)]


def key_statements(role):
    """Of snapshots: EBS copies them, in the destination's Region, and keeps the key by a grant."""
    through_ec2 = {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        statement(sid("describe", role), role, DESCRIBE_ACTIONS),
        statement(sid("use", role), role, USE_ACTIONS, through_ec2),
        statement(sid("grant", role), role, GRANT_ACTIONS, through_ec2 | for_aws),
    ]


def statement(sid, principal, actions, condition=None):
    made = {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"}
    return made | ({"Condition": condition} if condition else {})


def with_statements(policy, statements):
    """The policy with these statements, each once."""
    present = {one.get("Sid") for one in as_list(policy.get("Statement", []))}
    added = [one for one in statements if one["Sid"] not in present]
    return {"Version": "2012-10-17", **policy, "Statement": [*as_list(policy.get("Statement", [])), *added]}


def holds(policy, statements):
    """Whether the policy has these statements. AWS tells lists in an order of its own."""
    found = {one.get("Sid"): normal(one) for one in as_list(policy.get("Statement", []))}
    return all(found.get(one["Sid"]) == normal(one) for one in statements)


def normal(value):
    if isinstance(value, dict):
        return {name: normal(one) for name, one in value.items()}
    if isinstance(value, list):
        return sorted((normal(one) for one in value), key=json.dumps) if len(value) > 1 else normal(value[0]) if value else []
    return value
