"""Puts a world (docs/world.md) into moto's backends: what moto keeps of it, under the world's own ids.

What a world leaves to its defaults is filled in as `World::from_json` of `copymend-sandbox` does; a test compares the two.
"""

import json
from contextlib import contextmanager
from datetime import timedelta

from moto.core.utils import utcnow
from moto.iam import models as iam_models
from moto.iam.models import iam_backends
from moto.kms.models import Alias, Key, kms_backends
from moto.organizations import utils as organization_ids
from moto.organizations.models import organizations_backends

SERVICE_LINKED_ROLE = "AWSServiceRoleForBackup"
SERVICE_LINKED_ROLE_PATH = "/aws-service-role/backup.amazonaws.com/"
MAIN_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
WAITING_PERIOD = timedelta(days=30)


def load(world):
    accounts = world["accounts"]
    for organization in world.get("organizations", []):
        load_organization(organization, accounts)
    for account_id, account in accounts.items():
        load_identities(account_id, account)
        for region, resources in account.get("regions", {}).items():
            load_keys(account_id, partition_of(account), region, resources)


def partition_of(account):
    return account.get("partition", "aws")


def text(policy):
    """A policy is written as an object or as its text."""
    return policy if isinstance(policy, str) else json.dumps(policy)


@contextmanager
def made_with(module, **makers):
    """Lets a module's functions that make random ids make these."""
    before = {name: getattr(module, name) for name in makers}
    try:
        for name, made in makers.items():
            setattr(module, name, lambda *_, made=made: made)
        yield
    finally:
        for name, maker in before.items():
            setattr(module, name, maker)


# Organizations


def load_organization(organization, accounts):
    management = organization["management_account"]
    partition = partition_of(accounts.get(management, {}))
    backend = organizations_backends[management][partition]
    members = organization.get("member_accounts", {})
    paths = [path.strip("/").split("/")[1:] for path in members.values()]
    root = paths[0][0] if paths else "r-root"
    with made_with(organization_ids, make_random_org_id=organization["id"], make_random_root_id=root):
        backend.create_organization(MAIN_REGIONS[partition], FeatureSet="ALL")
    units = {root}
    for [_, *below] in paths:
        parent = root
        for unit in below:
            if unit not in units:
                with made_with(organization_ids, make_random_ou_id=unit):
                    backend.create_organizational_unit(Name=unit, ParentId=parent)
                units.add(unit)
            parent = unit
    for account_id, path in members.items():
        if account_id == management:
            continue
        name = accounts.get(account_id, {}).get("name", account_id)
        # The account's id is taken out of the address.
        backend.create_account(AccountName=name, Email=f"account-{account_id}@example.com")
        backend.get_account_by_id(account_id).parent_id = path.strip("/").split("/")[-1]
    for kind, policies in (
        ("SERVICE_CONTROL_POLICY", organization.get("service_control_policies", [])),
        ("RESOURCE_CONTROL_POLICY", organization.get("resource_control_policies", [])),
    ):
        for policy in policies:
            made = backend.create_policy(Name=policy["name"], Description="", Type=kind, Content=text(policy["policy"]))
            for target in policy["targets"]:
                backend.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=target)


# Identities


def load_identities(account_id, account):
    partition = partition_of(account)
    backend = iam_backends[account_id][partition]
    if account.get("service_linked_role", True):
        make_role(backend, SERVICE_LINKED_ROLE, {"path": SERVICE_LINKED_ROLE_PATH})
    for name, role in account.get("roles", {}).items():
        make_role(backend, name, role)
    for user in account.get("users", []):
        user = {"name": user} if isinstance(user, str) else user
        path, _, name = user["name"].rpartition("/")
        path = f"/{path.strip('/')}/" if path.strip("/") else "/"
        backend.create_user(MAIN_REGIONS[partition], name, path)
        for policy_name, policy in user.get("policies", {}).items():
            backend.users[name].put_policy(policy_name, text(policy))
        for policy in user.get("managed_policies", []):
            backend.attach_user_policy(managed_arn(backend, policy), name)


def make_role(backend, name, role):
    trust = role.get("trust_policy") or trust_in_backup()
    path = role.get("path", "/")
    arn = f"arn:{backend.partition}:iam::{backend.account_id}:role{path}{name}"
    with made_with(iam_models, random_role_id=role_id(arn)):
        made = backend.create_role(
            role_name=name,
            assume_role_policy_document=text(trust),
            path=path,
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration="3600",
        )
    for policy_name, policy in role.get("policies", {}).items():
        made.put_policy(policy_name, text(policy))
    for policy in role.get("managed_policies", []):
        backend.attach_role_policy(managed_arn(backend, policy), name)
    if boundary := role.get("permissions_boundary"):
        make_policy(backend, boundary["arn"], text(boundary["policy"]))
        made.permissions_boundary_arn = boundary["arn"]


def make_policy(backend, arn, document):
    if arn not in backend.managed_policies:
        path, _, name = arn.split(":policy", 1)[1].rpartition("/")
        backend.create_policy("", f"{path}/", document, name, [])


def managed_arn(backend, name):
    """The ARN of one of AWS's policies, which a world may name without its path."""
    return next((arn for arn in backend.managed_policies if arn.rpartition("/")[2] == name.rpartition("/")[2]), name)


def trust_in_backup():
    statement = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


# Keys


def load_keys(account_id, partition, region, resources):
    keys = dict(resources.get("keys", {}))
    vaults = resources.get("vaults", {}).values()
    if any("encryption_key_arn" not in vault and not is_air_gapped(vault) for vault in vaults):
        keys.setdefault(uuid("aws/backup", account_id, region), {"alias": "aws/backup", "manager": "AWS"})
    backend = kms_backends[account_id][region]
    for key_id, key in keys.items():
        manager = key.get("manager", "CUSTOMER")
        policy = text(key.get("policy") or default_key_policy(partition, account_id, manager))
        is_multi_region = key_id.startswith("mrk-")
        made = Key(policy, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", account_id, region, is_multi_region)
        made.id = key_id
        made.arn = f"arn:{partition}:kms:{region}:{account_id}:key/{key_id}"
        if is_multi_region:
            made.multi_region_configuration["PrimaryKey"]["Arn"] = made.arn
        made.key_manager = manager
        made.key_state = key.get("state", "Enabled")
        made.enabled = made.key_state == "Enabled"
        if made.key_state == "PendingDeletion":
            made.deletion_date = utcnow() + WAITING_PERIOD
        made.other_policies = key.get("other_policies", [])
        backend.keys[key_id] = made
        if alias := key.get("alias"):
            made.aliases[f"alias/{alias}"] = Alias(account_id, region, f"alias/{alias}", made)
        if tags := key.get("tags"):
            backend.tagger.tag_resource(key_id, [{"TagKey": name, "TagValue": value} for name, value in tags.items()])


def is_air_gapped(vault):
    return vault.get("vault_type") == "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"


def default_key_policy(partition, account_id, manager):
    if manager == "CUSTOMER":
        statement = {
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account_id}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    else:
        actions = ["CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey*", "ReEncrypt*"]
        statement = {
            "Sid": "Allow use through AWS services in this account",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"kms:{action}" for action in actions],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:CallerAccount": account_id}},
        }
    return {"Version": "2012-10-17", "Statement": [statement]}


# Ids


def digits(*parts):
    return f"{fnv(parts, 0):016x}{fnv(parts, 0x9E37_79B9_7F4A_7C15):016x}"


def fnv(parts, seed):
    """FNV-1a with 64 bits, as in the sandbox's `ids`."""
    value = 0xCBF2_9CE4_8422_2325 ^ seed
    for part in parts:
        for byte in part.encode() + b"\x1f":
            value = (value ^ byte) * 0x100_0000_01B3 % 2**64
    return value


def uuid(*parts):
    found = digits(*parts)
    found = f"{found[:12]}4{found[13:]}"
    return "-".join([found[:8], found[8:12], found[12:16], found[16:20], found[20:]])


def role_id(role):
    return f"AROA{digits('role', role).upper()[:16]}A"
