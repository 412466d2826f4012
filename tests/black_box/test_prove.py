"""`copymend prove` in a running sandbox: proved, stopped, killed, refused; and nothing is left each time."""

import json
import re
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from conftest import LOGS
from faulty_proxy import Faults, Proxy, operation
from running_sandbox import WORKLOADS, running_sandbox

# Some tests go through thirty runs.
pytestmark = pytest.mark.timeout(1200)

BACKUP = "444455556666"
PLACES = {"source": (WORKLOADS, "us-east-1"), "destination": (BACKUP, "eu-west-1")}
NAME = "copymend-prove-"
PATIENCE = ["--every", "0.05", "--patience", "60"]
WRITES = re.compile(r"PUT /|DELETE /|Create(Key|Volume)$|DeleteVolume$|PutKeyPolicy$|ScheduleKeyDeletion$")


@pytest.fixture(scope="module")
def sandbox(copymend_program):
    """One in which copies end at once, and no denial is remembered."""
    options = ["--copies-take", "0", "--denials-last", "0"]
    with running_sandbox(copymend_program, LOGS / "prove-sandbox.log", *options) as sandbox:
        yield sandbox


class Prover:
    """Runs the program in a folder of its own, with two profiles that lead to `url`."""

    def __init__(self, program, sandbox, folder, url=None):
        self.program, self.sandbox, self.folder = program, sandbox, folder
        # How long after a denial the repair begins.
        self.settle = "0"
        folder.mkdir(parents=True, exist_ok=True)
        self.point_to(url or sandbox.url)

    def point_to(self, url):
        lines = []
        for name, (account, region) in PLACES.items():
            values = self.sandbox.credentials(account) | {"region": region, "endpoint_url": url}
            lines += [f"[profile {name}]", *(f"{key} = {value}" for key, value in values.items())]
        (self.folder / "config").write_text("\n".join(lines))

    def start(self, *arguments, source="source", destination="destination"):
        command = [self.program, "prove", "--source", source, "--destination", destination, *PATIENCE, "--settle", self.settle, *arguments]
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=self.folder, env=environment, text=True, **pipes)

    def run(self, *arguments, answers="", **sides):
        process = self.start(*arguments, **sides)
        output, _ = process.communicate(answers, timeout=300)
        return process.returncode, output

    def clean(self, **sides):
        code, output = self.run("--clean", "--yes", **sides)
        assert code == 0, output
        assert not self.state.exists()
        return output

    @property
    def state(self):
        return self.folder / "copymend-prove.state.json"

    def records(self):
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob(f"{NAME}*.json"))]


@pytest.fixture
def prover(copymend_program, sandbox, tmp_path):
    return Prover(copymend_program, sandbox, tmp_path)


CLIENTS = {}


def clients(sandbox, account, region):
    """Made once: reading the model of Amazon EC2 takes long."""
    if (sandbox.url, account) not in CLIENTS:
        CLIENTS[sandbox.url, account] = [sandbox.client(service, account, region) for service in ("backup", "kms", "ec2")]
    return CLIENTS[sandbox.url, account]


def left(sandbox):
    """Everything of a run that is in the two accounts."""
    found = []
    for account, region in PLACES.values():
        backup, kms, ec2 = clients(sandbox, account, region)
        found += [vault["BackupVaultArn"] for vault in backup.list_backup_vaults()["BackupVaultList"] if vault["BackupVaultName"].startswith(NAME)]
        found += [volume["VolumeId"] for volume in ec2.describe_volumes(Filters=[{"Name": "tag-key", "Values": ["copymend-prove"]}])["Volumes"]]
        for page in kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                metadata = kms.describe_key(KeyId=key["KeyArn"])["KeyMetadata"]
                if NAME in metadata.get("Description", "") and metadata["KeyState"] != "PendingDeletion":
                    found.append(key["KeyArn"])
    return found


def ids_in(text):
    """What looks like an id of AWS's, but for the accounts of the sandbox, which are AWS's examples."""
    uuids = re.findall(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text)
    return {*(uuid for uuid in uuids if not uuid.startswith("00000000-0000-4000-8000-")), *re.findall(r"(?:vol|snap)-0*[1-9a-f][0-9a-f]{12,}", text)}


@pytest.mark.parametrize("options", [[], ["--with-key"]], ids=["vault", "vault-and-key"])
def test_a_run_proves_the_repair_and_leaves_nothing(prover, sandbox, options):
    code, output = prover.run(*options, "--yes")

    assert code == 0, output
    assert left(sandbox) == []
    assert not prover.state.exists()
    [record] = prover.records()
    assert record["result"] == "proved"
    assert record["reports"][0]["diagnosis"]["cause"] == "destination-vault-policy"
    facts = {fact["fact"]: fact for fact in record["facts"]}
    assert facts["vault-statement-suffices"]["verdict"] == "agrees"
    assert facts["key-statements-suffice"]["verdict"] == ("agrees" if options else "not-seen")
    operations = {answer["operation"] for answer in record["answers"]}
    assert {"StartCopyJob", "DescribeCopyJob", "CreateVolume", "DeleteBackupVault", "ScheduleKeyDeletion"} <= operations
    assert not operations & {"AssumeRole", "GetRole", "ListKeys", "DescribeOrganization"}
    messages = [answer["answer"]["CopyJob"].get("StatusMessage") for answer in record["answers"] if answer["operation"] == "DescribeCopyJob"]
    assert "Access Denied trying to call AWS Backup service" in messages


def test_a_record_holds_no_id(prover):
    code, output = prover.run("--with-key", "--yes")

    assert code == 0, output
    [file] = prover.folder.glob(f"{NAME}*.json")
    text = file.read_text()
    assert ids_in(output), "the output names what was made"
    assert ids_in(text) == set()
    assert "o-exampleorgid" not in text
    credentials = (prover.folder / "config").read_text()
    for line in credentials.splitlines():
        key, _, value = line.partition(" = ")
        if key.startswith("aws_"):
            assert value not in text


def test_what_aws_remembers_is_waited_for(copymend_program, tmp_path):
    options = ["--copies-take", "2", "--denials-last", "4"]
    with running_sandbox(copymend_program, LOGS / "prove-slow-sandbox.log", *options) as sandbox:
        prover = Prover(copymend_program, sandbox, tmp_path)
        prover.settle = "1"
        code, output = prover.run("--yes")
        assert code == 0, output
        assert left(sandbox) == []
    [record] = prover.records()
    facts = {fact["fact"]: fact for fact in record["facts"]}
    assert facts["denial-is-remembered"]["seen"].startswith("still refused "), facts["denial-is-remembered"]
    running = [a for a in record["answers"] if a["operation"] == "DescribeCopyJob" and a["answer"]["CopyJob"]["State"] == "RUNNING"]
    assert running and running[0]["times"] > 1


def test_nothing_is_made_before_somebody_agrees(prover, sandbox):
    for answers in ["", "n\n", "\n"]:
        code, output = prover.run(answers=answers)
        assert code == 1 and "At most about $0.0" in output and "Nothing was made." in output, output
        assert not prover.state.exists() and prover.records() == []
    assert left(sandbox) == []


def steps_of(prover):
    code, output = prover.run("--with-key", "--yes")
    assert code == 0, output
    return int(re.search(r"^ *1/(\d+) ", output, re.MULTILINE)[1])


def test_a_run_stops_at_each_step_and_clean_leaves_nothing(prover, sandbox):
    steps = steps_of(prover)
    assert steps == 10
    for going in range(steps):
        code, output = prover.run("--with-key", "--step", answers="y\n" + "go\n" * going + "stop\n")
        assert code == 1 and "Stopped." in output, output
        assert prover.state.exists()
        assert bool(left(sandbox)) == (going > 0), (going, output)
        again, refused = prover.run("--yes")
        assert again == 1 and "an earlier run left something" in refused, refused
        prover.clean()
        assert left(sandbox) == [], (going, output)
    code, output = prover.run("--with-key", "--step", answers="y\n" + "go\n" * steps)
    assert code == 0, output
    assert {record["result"] for record in prover.records()} == {"proved", "stopped"}


class KillAtWrite(Faults):
    """Ends the program when its write of this number is about to be passed on, or was."""

    def __init__(self, number, when):
        super().__init__()
        self.number, self.when = number, when
        self.names = []

    def of(self, name, _body):
        if not WRITES.search(name):
            return None
        with self.lock:
            self.names.append(name)
            return self.when if len(self.names) - 1 == self.number else None


def killed(prover, sandbox, number, when):
    """The run's writes until it was killed, or all of them where it has fewer."""
    faults = KillAtWrite(number, when)
    proxy = Proxy(sandbox.url, faults)
    try:
        prover.point_to(proxy.url)
        process = prover.start("--with-key", "--yes")
        faults.kill = process.kill
        output, _ = process.communicate(timeout=300)
    finally:
        proxy.stop()
        prover.point_to(sandbox.url)
    return process.returncode, faults.names, output


@pytest.mark.parametrize("when", ["killed-before", "killed-after"])
def test_a_kill_at_any_write_leaves_nothing_that_clean_does_not_remove(prover, sandbox, when):
    code, names, output = killed(prover, sandbox, -1, when)
    assert code == 0, output
    assert len(names) > 18, names
    # What is killed before a removal is as it was when it was killed after the one before.
    copies = [number for number, name in enumerate(names) if "copy-jobs" in name]
    numbers = range(len(names)) if when == "killed-after" else range(copies[0] + 1)
    for number in numbers:
        name = names[number]
        code, made, output = killed(prover, sandbox, number, when)
        assert code == -signal.SIGKILL, (name, output)
        assert prover.state.exists(), name
        cleaned = prover.clean()
        assert left(sandbox) == [], (name, made, output, cleaned)


@pytest.mark.parametrize("sides", [{}, {"source": "destination", "destination": "source"}], ids=["as-it-was", "the-other-way-round"])
def test_without_a_state_file_names_and_tags_are_enough(prover, sandbox, sides):
    code, output = prover.run("--with-key", "--step", answers="y\n" + "go\n" * 8 + "stop\n")
    assert code == 1, output
    prover.state.unlink()
    other = sandbox.client("backup", BACKUP, "eu-west-1")
    other.create_backup_vault(BackupVaultName=f"{NAME}0a1b2c3d")
    try:
        code, output = prover.run("--clean", answers="\n")
        assert code == 1 and "Nothing was removed." in output, output
        assert len(left(sandbox)) > 3
        prover.clean(**sides)
        # Its name alone, without the tag, makes no vault one of a run.
        assert left(sandbox) == [f"arn:aws:backup:eu-west-1:{BACKUP}:backup-vault:{NAME}0a1b2c3d"]
    finally:
        other.delete_backup_vault(BackupVaultName=f"{NAME}0a1b2c3d")
    assert "Nothing of a run was found" in prover.clean()


class Refuse(Faults):
    """Refuses the calls whose name fits."""

    def __init__(self, pattern):
        super().__init__()
        self.pattern = re.compile(pattern)

    def of(self, name, _body):
        return "denied" if self.pattern.search(name) else None


def refused(prover, sandbox, pattern, *arguments):
    proxy = Proxy(sandbox.url, Refuse(pattern))
    try:
        prover.point_to(proxy.url)
        return prover.run(*arguments)
    finally:
        proxy.stop()
        prover.point_to(sandbox.url)


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("^DELETE /backup-vaults/[^/]*$", "backup:DeleteBackupVault"),
        ("^DELETE /backup-vaults/.*/recovery-points/", "backup:DeleteRecoveryPoint"),
        ("^DeleteVolume$", "ec2:DeleteVolume"),
        ("^ScheduleKeyDeletion$", "kms:ScheduleKeyDeletion"),
        ("^DescribeVolumes$", "ec2:DescribeVolumes"),
        ("^ListResourceTags$", "kms:ListResourceTags"),
        # Whether a vault is gone that is denied, only the list of all vaults tells.
        ("^GET /backup-vaults/?$|^GET /backup-vaults/.*/recovery-points", "backup:ListRecoveryPointsByBackupVault"),
    ],
)
def test_a_denied_removal_is_named_and_fails(prover, sandbox, pattern, named):
    code, output = prover.run("--step", answers="y\n" + "go\n" * 7 + "stop\n")
    assert code == 1, output
    code, output = refused(prover, sandbox, pattern, "--clean")
    assert code == 1 and "Something is left." in output, output
    assert named in output and "not authorized" in output, output
    assert prover.state.exists()
    prover.clean()
    assert left(sandbox) == []


def test_what_can_not_be_looked_for_is_named_and_the_rest_is_removed(prover, sandbox):
    code, output = prover.run("--with-key", "--step", answers="y\n" + "go\n" * 8 + "stop\n")
    assert code == 1, output
    prover.state.unlink()
    code, output = refused(prover, sandbox, "^ListKeys$", "--clean", "--yes")
    assert code == 1 and "Something is left, or could not be looked for." in output, output
    assert "kms:ListKeys" in output, output
    assert all(":key/" in one for one in left(sandbox)), "keys alone are left"
    prover.clean()
    assert left(sandbox) == []
    code, output = refused(prover, sandbox, "^ListKeys$", "--clean", "--yes")
    assert code == 1 and "No run was found where it could be looked." in output, output


class Altered(Faults):
    """Answers otherwise than the sandbox: what `change` makes of an answer, by the call's name. Calls that fit `accepted` are not passed on."""

    def __init__(self, change, accepted="^$"):
        super().__init__()
        self.change, self.accepted = change, re.compile(accepted)

    def of(self, name, _body):
        return "accepted" if self.accepted.search(name) else None


def altered(prover, sandbox, faults, *arguments, **answers):
    proxy = Proxy(sandbox.url, faults)
    try:
        prover.point_to(proxy.url)
        return prover.run(*arguments, **answers)
    finally:
        proxy.stop()
        prover.point_to(sandbox.url)


def test_a_backup_that_aws_only_lets_expire_ends_the_waiting(prover, sandbox):
    """AWS Backup takes a deletion whose caller lacks a permission, and deletes nothing."""
    code, output = prover.run("--step", answers="y\n" + "go\n" * 6 + "stop\n")
    assert code == 1, output

    def expired(name, answer):
        return answer.replace(b'"COMPLETED"', b'"EXPIRED"') if name.rstrip("/").endswith("/recovery-points") else answer

    start = time.monotonic()
    code, output = altered(prover, sandbox, Altered(expired, "^DELETE .*/recovery-points/"), "--clean")
    assert code == 1 and "it is EXPIRED" in output, output
    assert "ec2:DeleteSnapshot" in output and "iam:CreateServiceLinkedRole" in output, output
    assert time.monotonic() - start < 30, "it does not wait for its patience to end"
    prover.clean()
    assert left(sandbox) == []


def test_a_volume_that_is_taken_away_again_names_the_keys_permissions(prover, sandbox):
    def taken_away(name, answer):
        if name != "DescribeVolumes" or b"<volumeId>" not in answer:
            return answer
        seen.append(name)
        if len(seen) > 1:
            return re.sub(b"<volumeSet>.*</volumeSet>", b"<volumeSet/>", answer, flags=re.DOTALL)
        return answer.replace(b"<status>available</status>", b"<status>creating</status>")

    seen = []
    start = time.monotonic()
    code, output = altered(prover, sandbox, Altered(taken_away), "--with-key", "--step", answers="y\n" + "go\n" * 5 + "stop\n")
    assert code == 1 and "kms:CreateGrant" in output, output
    assert time.monotonic() - start < 30
    prover.clean()
    assert left(sandbox) == []


def test_an_empty_state_file_is_of_a_run_that_made_nothing(prover, sandbox):
    prover.state.write_text("")
    code, output = prover.run("--yes")
    assert code == 0 and "its run was ended before it made anything" in output, output
    prover.state.write_text("")
    assert "its run was ended before it made anything" in prover.clean()
    assert left(sandbox) == []


@pytest.mark.parametrize("pattern", ["^CreateKey$", "^PUT /backup-vaults/[^/]*$", "^CreateVolume$", "^PUT /backup-jobs", "^PUT /copy-jobs"])
def test_what_can_not_be_made_is_named_and_the_rest_is_removed(prover, sandbox, pattern):
    code, output = refused(prover, sandbox, pattern, "--yes")

    assert code == 1 and "not proved: " in output and "not authorized" in output, output
    assert left(sandbox) == []
    assert not prover.state.exists()
    assert prover.records()[-1]["result"] == "not-proved"


def test_profiles_of_another_account_clean_nothing(prover, sandbox):
    code, output = prover.run("--step", answers="y\n" + "go\n" * 2 + "stop\n")
    assert code == 1, output
    code, output = prover.run("--clean", "--destination-region", "us-east-1")
    assert code == 1 and "these profiles lead to" in output, output
    prover.clean()
    assert left(sandbox) == []


def test_what_can_never_work_makes_nothing(prover, sandbox):
    for arguments, words in [
        (["--role", "nobody"], "there is no role"),
        (["--role", f"arn:aws:iam::{BACKUP}:role/x"], "which the copy comes from"),
        (["--destination", "source"], "cannot be used multiple times"),
        (["--source-region", "nowhere-1"], None),
    ]:
        code, output = prover.run(*arguments, answers="")
        assert code in (1, 2), output
        assert words is None or words in output, output
    assert left(sandbox) == [] and not prover.state.exists()


def test_the_deployed_function_repairs(prover, sandbox, start):
    class Printed:
        @staticmethod
        def environment(**settings):
            own = {"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}
            # Without the queue of delayed retries the copy is started again at once, however lately it failed: AWS's events come
            # minutes later.
            own |= {name: value for name, value in sandbox.environment.items() if name != "COPYMEND_DELAYED_RETRIES_QUEUE_URL"}
            return own | {"COPYMEND_ALLOW_ON_DEMAND": "true"} | settings

    function = start(Printed)
    answers = []

    def deliver():
        """As EventBridge does: the event of the run's failed copy."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with urllib.request.urlopen(f"{sandbox.url}/_sandbox/copies", timeout=20) as answer:
                jobs = json.load(answer)
            for job in jobs:
                if NAME in job["DestinationBackupVaultArn"] and job["State"] == "FAILED" and job["CopyJobId"] not in before:
                    with urllib.request.urlopen(f"{sandbox.url}/_sandbox/event/{job['CopyJobId']}", timeout=20) as event:
                        answers.append(function.invoke(json.load(event)))
                    return
            time.sleep(0.1)

    with urllib.request.urlopen(f"{sandbox.url}/_sandbox/copies", timeout=20) as answer:
        before = {job["CopyJobId"] for job in json.load(answer)}
    thread = threading.Thread(target=deliver)
    thread.start()
    code, output = prover.run("--deployed", "--yes")
    thread.join()

    assert code == 0, (output, answers)
    assert "AllowOnDemand=true" in output
    assert answers[0]["outcome"] == "repaired-and-retried", answers
    assert left(sandbox) == []
    [record] = prover.records()
    assert record["repaired_by"] == "the deployed function" and record["result"] == "proved"


def test_operations_are_named_as_the_proxy_names_them():
    assert operation("PUT", "/copy-jobs?x=1", {}, b"") == "PUT /copy-jobs"
    assert all(WRITES.search(name) for name in ["PUT /copy-jobs", "CreateKey", "DELETE /backup-vaults/x"])
    assert not any(WRITES.search(name) for name in ["GET /copy-jobs", "DescribeKey", "ListKeys"])
