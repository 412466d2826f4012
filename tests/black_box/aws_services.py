"""moto's server on a free loopback port, with what moto lacks and the function needs.

Prints `listening on 127.0.0.1:PORT` when it is ready. Changes to moto:

- AssumeRole asks the role's trust policy: the role must exist, its policy must admit the caller's account, and an
  `sts:ExternalId` condition must hold. The roles of the harness itself (HARNESS_ROLES) are let through in every account.
- CreateAccount takes the account id out of the e-mail address `account-<12 digits>@example.com`.
- PutKeyPolicy refuses what AWS refuses: no JSON, no statement, more than 32,768 bytes.
"""

import json
import re
import signal
import sys

import moto.backends  # noqa: F401  (fills moto's registry before the patches)
from moto.core.exceptions import ServiceException
from moto.iam.exceptions import NotFoundException as RoleNotFound
from moto.iam.models import get_account_id_from, iam_backends
from moto.kms.responses import KmsResponse
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.organizations import models as organizations_models
from moto.sts.responses import TokenResponse
from werkzeug.serving import make_server

HARNESS_ROLES = {"harness", "backup-endpoint"}
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


def patch_assume_role():
    original = TokenResponse.assume_role

    def assume_role(self):
        arn = self._get_param("RoleArn") or ""
        if arn.rsplit("/", 1)[-1] in HARNESS_ROLES:
            return original(self)
        caller = get_account_id_from(self.get_access_key())
        try:
            role = role_of(arn)
        except RoleNotFound:
            role = None
        if role is None or not trusts(role, caller, self._get_param("ExternalId")):
            raise AccessDenied(
                f"User: arn:aws:sts::{caller}:assumed-role/harness/test is not authorized to perform: sts:AssumeRole on resource: {arn}"
            )
        return original(self)

    TokenResponse.assume_role = assume_role


def patch_accounts():
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


def patch_keys():
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

    KmsResponse.put_key_policy = checked_put


def main():
    patch_assume_role()
    patch_accounts()
    patch_keys()

    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
