"""Mends copy jobs of AWS Backup that failed for want of a vault's or a key's policy, as a team would write it in Python.

An event is verified with AWS Backup and claimed in the ledger; the facts are read side by side; where nothing speaks against it the
policy gets one statement more, is read back, and the copy is started again. People hear of it through a topic.
"""

import fnmatch
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

import policies
from accounts import Accounts
from ledger import Ledger

OWN_ACCOUNT_OF_TOPIC = 4
RETRIES_OF_A_COPY = 3
WRITES_OF_A_POLICY = 100
TOLD_AT = {1, 10, 100, 1000}
# What a retry makes of an outcome. Of a storm's copies the first is repaired, and the others are admitted by then.
RETRIED = {"repaired": "repaired-and-retried", "admitted": "retried"}

log = logging.getLogger()
log.setLevel(logging.INFO)

mode = os.environ.get("COPYMEND_MODE", "observe")
allowed = {
    name: [pattern for pattern in os.environ.get(f"COPYMEND_ALLOWED_{name}", "").split(",") if pattern]
    for name in ("DESTINATIONS", "KEYS")
}
topic = os.environ["COPYMEND_TOPIC_ARN"]
accounts = Accounts(
    topic.split(":")[OWN_ACCOUNT_OF_TOPIC],
    os.environ.get("COPYMEND_MEMBER_ROLE", "").rpartition("/")[2],
    os.environ.get("COPYMEND_EXTERNAL_ID", ""),
)
# Every event needs these two; the others are made when they are needed.
accounts.client("backup", region=os.environ["AWS_REGION"])
ledger = Ledger(accounts.client("dynamodb"), os.environ["COPYMEND_LEDGER_TABLE"])
threads = ThreadPoolExecutor(max_workers=16)


class Arn:
    def __init__(self, text):
        self.text = text
        _, _, _, self.region, self.account, self.resource = text.split(":", 5)
        self.name = self.resource.rpartition("/" if "/" in self.resource else ":")[2]


class Copy:
    """A copy that failed, as AWS Backup itself tells it."""

    def __init__(self, job):
        self.id, self.message = job["CopyJobId"], job.get("StatusMessage", "")
        self.source_vault, self.destination_vault = Arn(job["SourceBackupVaultArn"]), Arn(job["DestinationBackupVaultArn"])
        self.recovery_point, self.role = job["SourceRecoveryPointArn"], Arn(job["IamRoleArn"])
        self.lifecycle = job.get("DestinationRecoveryPointLifecycle")
        self.by_plan = bool(job.get("CreatedBy", {}).get("BackupPlanId"))

    def source(self, service):
        return accounts.client(service, self.source_vault.account, self.source_vault.region)

    def destination(self, service):
        return accounts.client(service, self.destination_vault.account, self.destination_vault.region)


def handler(event, context):
    copy = verify(event)
    if copy is None:
        return answer(event, "unverified")
    if before := ledger.claim(copy.id):
        return answer(event, "already-handled", note=before)
    facts = investigate(copy)
    cause, target, verdict = diagnose(copy, facts)
    reasons = guard(copy, facts, target) if target else ["no repair is known"]
    outcome, retried = "advised", None
    if target and not reasons and mode != "repair":
        outcome = "planned"
    elif target and not reasons:
        outcome, reasons = repair(copy, target, context.aws_request_id) if verdict == "missing" else ("admitted", [])
    if outcome in RETRIED and (retried := retry(copy)):
        outcome = RETRIED[outcome]
    tell(copy, cause, outcome, reasons, target)
    ledger.finish(copy.id, outcome)
    return answer(event, outcome, cause=cause, reasons=reasons, retried_job=retried)


def answer(event, outcome, **more):
    told = {"copy_job": event.get("detail", {}).get("copyJobId"), "outcome": outcome} | more
    log.info(json.dumps(told))
    return told


def verify(event):
    """The copy job, if AWS Backup confirms that it failed as the event says."""
    detail = event["detail"]
    region = Arn(detail["sourceBackupVaultArn"]).region
    job = accounts.client("backup", event["account"], region).describe_copy_job(CopyJobId=detail["copyJobId"])["CopyJob"]
    same = (
        job["State"] == "FAILED" == detail["state"]
        and job["SourceBackupVaultArn"] == detail["sourceBackupVaultArn"]
        and job["DestinationBackupVaultArn"] == detail["destinationBackupVaultArn"]
    )
    return Copy(job) if same else None


def investigate(copy):
    """The facts, read side by side. One that can't be read is the error."""
    source, destination = copy.source_vault, copy.destination_vault
    recovery_point = dict(BackupVaultName=source.name, RecoveryPointArn=copy.recovery_point)
    facts = at_once(
        recovery_point=lambda: copy.source("backup").describe_recovery_point(**recovery_point),
        source_vault=lambda: copy.source("backup").describe_backup_vault(BackupVaultName=source.name),
        job_role=lambda: copy.source("iam").get_role(RoleName=copy.role.name)["Role"],
        source_organization=lambda: copy.source("organizations").describe_organization()["Organization"]["Id"],
        vault=lambda: copy.destination("backup").describe_backup_vault(BackupVaultName=destination.name),
        vault_policy=lambda: vault_policy(copy),
        vault_tags=lambda: copy.destination("backup").list_tags(ResourceArn=destination.text).get("Tags", {}),
        service_linked_role=lambda: copy.destination("iam").get_role(RoleName="AWSServiceRoleForBackup")["Role"],
        organization=lambda: copy.destination("organizations").describe_organization()["Organization"]["Id"],
    )
    reads = {}
    if known(facts["recovery_point"]) and (key := facts["recovery_point"].get("EncryptionKeyArn")):
        kms = accounts.client("kms", Arn(key).account, Arn(key).region)
        reads |= {
            "key": lambda: kms.describe_key(KeyId=key)["KeyMetadata"],
            "key_policy": lambda: json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]),
            "key_tags": lambda: {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key)["Tags"]},
        }
    if known(facts["vault"]) and (copy_key := facts["vault"].get("EncryptionKeyArn")):
        copy_kms = accounts.client("kms", Arn(copy_key).account, Arn(copy_key).region)
        reads["copy_key"] = lambda: copy_kms.describe_key(KeyId=copy_key)["KeyMetadata"]
    return facts | at_once(**reads)


def at_once(**reads):
    futures = {name: threads.submit(read) for name, read in reads.items()}
    facts = {}
    for name, future in futures.items():
        try:
            facts[name] = future.result()
        except (ClientError, BotoCoreError) as error:
            facts[name] = error
    return facts


def known(fact):
    return fact is not None and not isinstance(fact, Exception)


def vault_policy(copy):
    try:
        return json.loads(copy.destination("backup").get_backup_vault_access_policy(BackupVaultName=copy.destination_vault.name)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return {"Version": "2012-10-17", "Statement": []}


class VaultPolicy:
    """The destination vault's policy, which is to admit the job role."""

    def __init__(self, copy):
        self._copy, self.resource = copy, copy.destination_vault.text
        self.principal, self.actions = copy.role.text, policies.VAULT_ACTIONS
        self.statements = policies.vault_statements(copy.role.text)

    def read(self):
        return vault_policy(self._copy)

    def write(self, text):
        self._copy.destination("backup").put_backup_vault_access_policy(BackupVaultName=self._copy.destination_vault.name, Policy=text)


class KeyPolicy:
    """The source key's policy, which is to admit the destination's service-linked role."""

    def __init__(self, copy, key):
        self._kms, self.resource = accounts.client("kms", Arn(key).account, Arn(key).region), key
        self.principal = policies.SERVICE_LINKED_ROLE.format(copy.destination_vault.account)
        self.actions = policies.KEY_ACTIONS
        self.statements = policies.key_statements(self.principal)

    def read(self):
        return json.loads(self._kms.get_key_policy(KeyId=self.resource, PolicyName="default")["Policy"])

    def write(self, text):
        self._kms.put_key_policy(KeyId=self.resource, PolicyName="default", Policy=text)


def diagnose(copy, facts):
    """The cause, the policy that would mend it, and whether that admits the copy already."""
    if "Access Denied trying to call AWS Backup service" in copy.message:
        return judged("vault-policy", facts["vault_policy"], VaultPolicy(copy))
    if "Given key ID is not accessible" in copy.message and known(facts.get("key")):
        return judged("key-policy", facts["key_policy"], KeyPolicy(copy, facts["key"]["Arn"]))
    return "unknown", None, None


def judged(cause, policy, target):
    verdict = policies.judge(policy, target.principal, target.actions) if known(policy) else "unreadable"
    if verdict in ("missing", "allowed"):
        return cause, target, verdict
    return f"{cause}-{verdict}", None, verdict


def guard(copy, facts, target):
    """What speaks against a repair."""
    is_key = isinstance(target, KeyPolicy)
    patterns = allowed["KEYS" if is_key else "DESTINATIONS"]
    checks = {
        "the copy was started by no plan": copy.by_plan,
        "the resource isn't in the allowlist": any(fnmatch.fnmatchcase(target.resource, one) for one in patterns),
        "the accounts aren't in one organization": known(facts["organization"]) and facts["organization"] == facts["source_organization"],
        "the vault's tags say no, or are unknown": known(facts["vault_tags"]) and facts["vault_tags"].get("copymend") != "never",
        "the job role doesn't exist": known(facts["job_role"]) and facts["job_role"]["Arn"] == copy.role.text,
        "the vault's key can't be used": known(facts.get("copy_key")) and facts["copy_key"]["KeyState"] == "Enabled",
    }
    if is_key:
        key, tags = facts["key"], facts["key_tags"]
        checks |= {
            "the key isn't customer managed and enabled": key["KeyManager"] == "CUSTOMER" and key["KeyState"] == "Enabled",
            "the key's tags say no, or are unknown": known(tags) and tags.get("copymend") != "never",
            "there is no service-linked role": known(facts["service_linked_role"]) and facts["service_linked_role"]["Arn"] == target.principal,
        }
    return [reason for reason, holds in checks.items() if not holds]


def repair(copy, target, owner):
    """Adds the statements under a lease, and reads them back."""
    if not ledger.lease(target.resource, owner):
        raise RuntimeError(f"another invocation changes the policy of {target.resource}; the event is delivered again")
    try:
        before = target.read()
        if policies.judge(before, target.principal, target.actions) != "missing":
            return "admitted", []
        if ledger.count(f"writes#{target.resource}", WRITES_OF_A_POLICY) is None:
            return "advised", ["the policy was written too often"]
        ledger.record_change(copy.id, target.resource, json.dumps(before), target.statements)
        target.write(json.dumps(policies.with_statements(before, target.statements)))
        if not policies.holds(target.read(), target.statements):
            return "advised", ["the policy isn't as it was written"]
    finally:
        ledger.release(target.resource, owner)
    return "repaired", []


def retry(copy):
    if ledger.count(f"retries#{copy.recovery_point}>{copy.destination_vault.text}", RETRIES_OF_A_COPY) is None:
        return None
    arguments = {"Lifecycle": copy.lifecycle} if copy.lifecycle else {}
    started = copy.source("backup").start_copy_job(
        RecoveryPointArn=copy.recovery_point,
        SourceBackupVaultName=copy.source_vault.name,
        DestinationBackupVaultArn=copy.destination_vault.text,
        IamRoleArn=copy.role.text,
        IdempotencyToken=copy.id,
        **arguments,
    )
    return started["CopyJobId"]


def tell(copy, cause, outcome, reasons, target):
    """Tells people of an incident's first failure, and of every tenth power."""
    occurrences = ledger.count(f"incident#{cause}#{copy.source_vault.account}#{copy.destination_vault.text}")
    if occurrences not in TOLD_AT and outcome != "repaired-and-retried":
        return
    text = {
        "copy job": copy.id,
        "from": copy.source_vault.text,
        "to": copy.destination_vault.text,
        "AWS Backup says": copy.message,
        "cause": cause,
        "outcome": outcome,
        "what speaks against a repair": reasons,
        "statements": target.statements if target else [],
        "occurrences": occurrences,
    }
    accounts.client("sns").publish(TopicArn=topic, Subject=f"Copy {outcome}: {cause}"[:100], Message=json.dumps(text, indent=2))
