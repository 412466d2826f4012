"""Changes to moto: what it lacks of AWS, and the functions need.

- AssumeRole asks the role's trust policy: the role must exist, its policy must admit the caller's account, and an
  `sts:ExternalId` condition must hold. The roles of the sandbox itself (OWN_ROLES) are let through in every account.
- CreateAccount takes the account id out of the e-mail address `account-<12 digits>@example.com`.
- IAM knows AWS's managed policies for AWS Backup and a few general ones, and the right name of AWS Backup's service-linked role.
- PutKeyPolicy refuses what AWS refuses: no JSON, no statement, more than 32,768 bytes.
- GetKeyPolicy tells the lists of a policy's statements in another order on every call, as AWS does.
- DescribeKey asks no policy, and takes the bare ids of multi-Region keys.
- ScheduleKeyDeletion takes ARNs.
- ListKeyPolicies also names policies that the world gives a key beside `default`.

The name of this module doesn't begin with `moto`: of exceptions from such a module moto expects more than it says.
"""

import itertools
import json
import re
from collections import defaultdict

import moto.backends  # noqa: F401  (fills moto's registry before the changes)
from moto.core.exceptions import ServiceException
from moto.iam import models as iam_models
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import NotFoundException as RoleNotFound
from moto.iam.models import AWSManagedPolicy, IAMBackend, get_account_id_from, iam_backends
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.organizations import models as organizations_models
from moto.sts.responses import TokenResponse

from key_policies import in_another_order

OWN_ROLES = {"harness", "sandbox-server"}
GENERAL_POLICIES = {"AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "IAMFullAccess", "SecurityAudit"}
KEY_POLICY_LIMIT = 32_768


class AccessDenied(ServiceException):
    code = "AccessDenied"


class MalformedPolicyDocument(ServiceException):
    code = "MalformedPolicyDocumentException"


class LimitExceeded(ServiceException):
    code = "LimitExceededException"


def as_list(value):
    return value if isinstance(value, list) else [value]


def role_of(arn):
    match = re.fullmatch(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:.*/)?([^/]+)", arn)
    return match and iam_backends[match[2]][match[1]].get_role(match[3])


def trusts(role, caller_account, external_id):
    document = role.assume_role_policy_document
    if isinstance(document, str):
        document = json.loads(document)
    for statement in as_list(document.get("Statement", [])):
        if statement.get("Effect") != "Allow" or "sts:AssumeRole" not in as_list(statement.get("Action")):
            continue
        principals = as_list(statement.get("Principal", {}).get("AWS", []))
        admitted = any(p == caller_account or f"::{caller_account}:" in p for p in principals)
        wanted = [
            value
            for operator in statement.get("Condition", {}).values()
            for key, value in operator.items()
            if key.lower() == "sts:externalid"
        ]
        if admitted and all(external_id in as_list(value) for value in wanted):
            return True
    return False


def change_assume_role():
    original = TokenResponse.assume_role

    def assume_role(self):
        arn = self._get_param("RoleArn") or ""
        if arn.rsplit("/", 1)[-1] in OWN_ROLES:
            return original(self)
        caller = get_account_id_from(self.get_access_key())
        try:
            role = role_of(arn)
        except RoleNotFound:
            role = None
        if role is None or not trusts(role, caller, self._get_param("ExternalId")):
            raise AccessDenied(
                f"User: arn:aws:sts::{caller}:assumed-role/sandbox/caller is not authorized to perform: sts:AssumeRole on resource: {arn}"
            )
        return original(self)

    TokenResponse.assume_role = assume_role


def change_accounts():
    original = organizations_models.FakeAccount.__init__

    def init(self, organization, **kwargs):
        match = re.fullmatch(r"account-(\d{12})@example\.com", kwargs.get("Email", ""))
        make = organizations_models.utils.make_random_account_id
        if match:
            organizations_models.utils.make_random_account_id = lambda: match[1]
        try:
            original(self, organization, **kwargs)
        finally:
            organizations_models.utils.make_random_account_id = make

    organizations_models.FakeAccount.__init__ = init


def change_keys():
    put_key_policy = KmsResponse.put_key_policy

    def checked_put(self):
        policy = self._get_param("Policy") or ""
        if len(policy.encode()) > KEY_POLICY_LIMIT:
            raise LimitExceeded("The key policy is larger than 32768 bytes.")
        try:
            statements = as_list(json.loads(policy)["Statement"])
        except (ValueError, KeyError, TypeError):
            statements = []
        if not statements:
            raise MalformedPolicyDocument("The new key policy is not valid.")
        return put_key_policy(self)

    get_key_policy = KmsResponse.get_key_policy
    calls = defaultdict(itertools.count)

    def reordered_get(self):
        answer = json.loads(get_key_policy(self))
        key_id = self.kms_backend.get_key_id(self._get_param("KeyId"))
        answer["Policy"] = in_another_order(answer["Policy"], next(calls[key_id]))
        return json.dumps(answer)

    list_key_policies = KmsResponse.list_key_policies

    def list_all(self):
        answer = json.loads(list_key_policies(self))
        key = self.kms_backend.describe_key(self.kms_backend.get_key_id(self._get_param("KeyId")))
        answer["PolicyNames"] += getattr(key, "other_policies", [])
        return json.dumps(answer)

    validate_cmk_id = KmsResponse._validate_cmk_id

    def validate(self, key_id):
        # moto takes the ids of AWS's multi-Region keys only within an ARN.
        if key_id not in self.kms_backend.keys:
            validate_cmk_id(self, key_id)

    schedule_key_deletion = KmsBackend.schedule_key_deletion

    def schedule_by_arn(self, key_id, days):
        return schedule_key_deletion(self, self.get_key_id(key_id), days)

    KmsBackend.schedule_key_deletion = schedule_by_arn
    KmsResponse._validate_cmk_id = validate
    # moto would let any Deny of DescribeKey refuse it to everyone.
    KmsResponse._validate_key_policy = lambda self, key_id, action: None
    KmsResponse.put_key_policy = checked_put
    KmsResponse.get_key_policy = reordered_get
    KmsResponse.list_key_policies = list_all


def change_identities():
    parsed = json.loads(aws_managed_policies_data)
    wanted = {name: data for name, data in parsed.items() if "Backup" in name or name in GENERAL_POLICIES}

    def aws_policies(self):
        made = [AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data) for name, data in wanted.items()]
        for policy in made:
            for version in policy.versions:
                version.document = version.document.replace("arn:aws:", f"arn:{self.partition}:")
        return made

    IAMBackend._init_aws_policies = aws_policies
    # moto would write the second B of AWSServiceRoleForBackup in lower case.
    iam_models.SERVICE_NAME_CONVERSION["backup"] = "Backup"


def change_moto():
    change_assume_role()
    change_accounts()
    change_keys()
    change_identities()
