"""`make sandbox`: moto with a world file in it, and `copymend sandbox serve` in front of it."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from conftest import LOGS, ROOT
from expect import as_sets, report
from running_sandbox import WORKLOADS, WORLD, running_sandbox, start_process

sys.path.insert(0, str(ROOT / "sandbox"))
from key_policies import in_another_order  # noqa: E402

SETTINGS = {"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}


@pytest.fixture(scope="module")
def sandbox(copymend_program):
    with running_sandbox(copymend_program, LOGS / "make-sandbox.log") as sandbox:
        yield sandbox


@pytest.fixture
def untouched_sandbox(copymend_program):
    """One that no other test has changed."""
    with running_sandbox(copymend_program, LOGS / "make-sandbox-untouched.log") as sandbox:
        yield sandbox


@pytest.fixture
def event(sandbox, copymend_program):
    """The event of a job, as `copymend sandbox event` prints it."""

    def event(name):
        command = [copymend_program, "sandbox", "event", name]
        done = subprocess.run(command, env=SETTINGS | sandbox.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return event


def start_in(sandbox, start, **more):
    """The function with the printed environment, and these settings."""

    class Printed:
        @staticmethod
        def environment(**settings):
            return SETTINGS | sandbox.environment | more | settings

    return start(Printed)


def test_the_newest_failed_copy_ended_a_minute_before_the_start(sandbox, event):
    newest = datetime.fromisoformat(event("unknown")["detail"]["completionDate"])
    assert 55 <= (datetime.now(UTC) - newest).total_seconds() <= 60 + 600
    assert sandbox.environment.keys() == sandbox.of_containers.keys()


def test_the_event_and_the_job_agree(sandbox, event):
    detail = event("source-key-policy")["detail"]

    job = sandbox.client("backup").describe_copy_job(CopyJobId=detail["copyJobId"])["CopyJob"]

    assert job["State"] == detail["state"] == "FAILED"
    assert job["StatusMessage"] == detail["statusMessage"]
    assert job["CompletionDate"].timestamp() == datetime.fromisoformat(detail["completionDate"]).timestamp()


@pytest.mark.parametrize("name", ["destination-vault-policy", "source-key-policy", "source-key-policy-2"])
def test_a_repair_through_the_printed_address_lets_the_copy_succeed(sandbox, event, start, name):
    answer = report(start_in(sandbox, start).invoke(event(name)))

    assert answer["verified"], answer
    assert answer["outcome"] == "repaired-and-retried", answer
    retried = sandbox.client("backup").describe_copy_job(CopyJobId=answer["retried_job"])["CopyJob"]
    assert retried["State"] == "COMPLETED", retried


@pytest.mark.parametrize(
    "name",
    ["job-role-permission", "permissions-boundary", "service-control-policy", "job-role-trust", "tag-policy", "source-key-deny"],
)
def test_what_only_iam_and_organizations_know_is_found(sandbox, event, start, name):
    answer = report(start_in(sandbox, start).invoke(event(name)))

    assert answer["verified"], answer
    assert answer["diagnosis"]["cause"] == name
    assert answer["changes"] == [] and answer["retried_job"] is None


def test_the_daily_preflight_tells_once_what_will_fail_and_once_that_it_is_mended(untouched_sandbox, start):
    event = json.loads((ROOT / "events" / "hub" / "preflight.json").read_text())
    # Without these reads a copy between accounts can't be known to pass.
    function = start_in(untouched_sandbox, start, COPYMEND_READ_TAGS="true", COPYMEND_READ_IMAGES="true")

    first = function.invoke(event)
    assert (first["preflight"], first["plans"], first["will_fail"], first["new"]) == ("told", 1, 1, 1), first
    again = function.invoke(event)
    assert (again["preflight"], again["known_to_fail"]) == ("nothing-new", 1), again
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{WORKLOADS}:role/BackupRole"},
                "Action": "backup:CopyIntoBackupVault",
                "Resource": "*",
            }
        ],
    }
    backup = untouched_sandbox.client("backup", "444455556666", "eu-west-1")
    backup.put_backup_vault_access_policy(BackupVaultName="dr-orders", Policy=json.dumps(policy))
    mended = function.invoke(event)
    assert (mended["preflight"], mended["over"], mended["known_to_fail"]) == ("told", 1, 0), mended


def test_the_ages_of_copies_are_metrics_of_the_vaults_they_go_to(untouched_sandbox, start):
    event = json.loads((ROOT / "events" / "hub" / "copy-age.json").read_text())
    off = start_in(untouched_sandbox, start).invoke(event)
    assert (off["copy_age"], off["vaults"]) == ("no-objective", []), off

    function = start_in(untouched_sandbox, start, COPYMEND_COPY_AGE_OBJECTIVE="1m")
    answer = function.invoke(event)
    assert answer["copy_age"] == "measured", answer
    assert answer["vaults_read"] == answer["of_vaults"] > 0, answer
    assert answer["vaults"] and not answer["not_whole"], answer
    lines = [json.loads(line) for line in function.process.output().splitlines() if '"_aws"' in line]
    printed = {line["Vault"]: line for line in lines if "CopiesOverObjective" in line}
    assert set(printed) == {vault["vault"] for vault in answer["vaults"]}
    for vault in answer["vaults"]:
        line = printed[vault["vault"]]
        assert line["CopiesOverObjective"] == vault["over_objective"]
        assert line.get("WorstCopyAge") == vault["worst_age_seconds"]
        assert [metrics["Dimensions"] for metrics in line["_aws"]["CloudWatchMetrics"]] == [[["Vault"]]]


def test_what_iam_learns_counts_for_the_simulator_and_for_copies(sandbox, event):
    detail = event("job-role-permission")["detail"]
    role = detail["iamRoleArn"]
    iam = sandbox.client("iam")
    actions = ["backup:CopyFromBackupVault", "backup:CopyIntoBackupVault"]

    def decisions():
        answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions, ResourceArns=["*"])
        return [result["EvalDecision"] for result in answer["EvaluationResults"]]

    assert decisions() == ["allowed", "implicitDeny"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName=role.rpartition("/")[2], PolicyName="copies", PolicyDocument=json.dumps(policy))

    assert decisions() == ["allowed", "allowed"]
    backup = sandbox.client("backup")
    [job] = [job for job in backup.list_copy_jobs()["CopyJobs"] if job["CopyJobId"] == detail["copyJobId"]]
    started = backup.start_copy_job(
        RecoveryPointArn=job["SourceRecoveryPointArn"],
        SourceBackupVaultName=job["SourceBackupVaultArn"].rpartition(":")[2],
        DestinationBackupVaultArn=job["DestinationBackupVaultArn"],
        IamRoleArn=role,
    )
    assert backup.describe_copy_job(CopyJobId=started["CopyJobId"])["CopyJob"]["State"] == "COMPLETED"


def test_moto_and_the_sandbox_are_the_same_world(untouched_sandbox):
    world = json.loads(WORLD.read_text())
    vaults = keys = roles = 0
    for account, content in world["accounts"].items():
        if content.get("partition", "aws") != "aws":
            continue
        iam = untouched_sandbox.client("iam", account)
        for name, role in content.get("roles", {}).items():
            found = iam.get_role(RoleName=name)["Role"]
            assert found["Arn"] == f"arn:aws:iam::{account}:role{role.get('path', '/')}{name}"
            roles += 1
        for region, resources in content.get("regions", {}).items():
            kms, backup = untouched_sandbox.client("kms", account, region), untouched_sandbox.client("backup", account, region)
            for name in resources.get("vaults", {}):
                vault = backup.describe_backup_vault(BackupVaultName=name)
                # Also the keys that a vault gets by itself: their ids are made in both places.
                key = kms.describe_key(KeyId=vault["EncryptionKeyArn"])["KeyMetadata"]
                is_default = "encryption_key_arn" not in resources["vaults"][name]
                assert key["KeyManager"] == ("AWS" if is_default else "CUSTOMER")
                vaults += 1
            for key_id, key in resources.get("keys", {}).items():
                metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
                assert metadata["KeyState"] == key.get("state", "Enabled")
                assert metadata["KeyManager"] == key.get("manager", "CUSTOMER")
                told = json.loads(kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
                if "policy" in key:
                    policy = key["policy"] if isinstance(key["policy"], dict) else json.loads(key["policy"])
                    assert as_sets(told) == as_sets(policy)
                keys += 1
    assert vaults > 15 and keys > 30 and roles > 8


def test_operations_that_nobody_serves_are_refused(sandbox):
    with pytest.raises(ClientError) as refused:
        sandbox.client("backup").list_frameworks()
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


def test_kms_tells_an_unchanged_policy_in_another_order(sandbox):
    kms = sandbox.client("kms")
    [key_id] = [alias["TargetKeyId"] for alias in kms.list_aliases()["Aliases"] if alias["AliasName"] == "alias/half-shared"]
    told = [kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"] for _ in range(8)]
    assert all(one != next_one for one, next_one in zip(told, told[1:], strict=False)), told
    assert len({json.dumps(as_sets(json.loads(policy)), sort_keys=True) for policy in told}) == 1


def test_the_order_of_every_list_in_a_statement_changes_and_nothing_else():
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "A",
                "Principal": {"AWS": ["a", "b", "c"]},
                "Action": ["x", "y"],
                "Resource": "*",
                "Condition": {"StringEquals": {"k": ["1", "2"]}},
            },
            {"Sid": "B", "Action": ["one"]},
        ],
    }
    text = json.dumps(policy)
    told = [json.loads(in_another_order(text, number)) for number in range(12)]
    assert told == [json.loads(in_another_order(text, number)) for number in range(12)]
    assert all(as_sets(one) == as_sets(policy) for one in told)
    orders = [one["Statement"][0] for one in told]
    assert len({tuple(one["Principal"]["AWS"]) for one in orders}) == 6
    for one, following in zip([policy["Statement"][0], *orders], orders, strict=False):
        assert one["Principal"]["AWS"] != following["Principal"]["AWS"]
        assert one["Action"] != following["Action"]
        assert one["Condition"] != following["Condition"]
    assert all([statement["Sid"] for statement in one["Statement"]] == ["A", "B"] for one in told)
    assert in_another_order("no policy", 1) == "no policy"


def test_a_signal_ends_both_servers(copymend_program):
    process = start_process(copymend_program, LOGS / "make-sandbox-ended.log")
    servers = children(process.pid)
    assert len(servers) == 2, servers

    os.kill(process.pid, 15)

    end = time.monotonic() + 10
    while any(is_alive(pid) for pid in servers) and time.monotonic() < end:
        time.sleep(0.05)
    alive = [pid for pid in servers if is_alive(pid)]
    process.stop()
    assert alive == []


def children(pid):
    return [int(child) for child in (open(f"/proc/{pid}/task/{pid}/children").read()).split()]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
