"""`copymend scan` in a running sandbox: two accounts by a profile, one that refuses, and the settings that decide."""

import json
import subprocess

import pytest

from conftest import LOGS
from running_sandbox import WORKLOADS, running_sandbox

BACKUP = "444455556666"
REGION = "us-east-1"


@pytest.fixture(scope="module")
def sandbox(copymend_program):
    with running_sandbox(copymend_program, LOGS / "scan-sandbox.log") as sandbox:
        yield sandbox


@pytest.fixture
def scan(copymend_program, sandbox, tmp_path):
    """Runs the program with a profile that leads to the sandbox."""
    values = sandbox.credentials(WORKLOADS) | {"region": REGION, "endpoint_url": sandbox.url}
    lines = ["[profile workloads]", *(f"{key} = {value}" for key, value in values.items())]
    (tmp_path / "config").write_text("\n".join(lines))

    def run(*arguments, **settings):
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [copymend_program, "scan", "--profile", "workloads", *arguments]
        return subprocess.run(command, env=environment | settings, capture_output=True, text=True, timeout=300)

    return run


def document(ran, code=0):
    assert ran.returncode == code, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def test_every_failed_copy_of_the_account_is_counted_once(scan, sandbox):
    found = document(scan("--json"))

    backup = sandbox.client("backup", WORKLOADS, REGION)
    failed = backup.list_copy_jobs(ByState="FAILED", MaxResults=1000)["CopyJobs"]
    assert found["jobs"] == len([job for job in failed if not job.get("IsParent")])
    assert all(incident["from_message"] for incident in found["incidents"])
    assert found["not_read"] == []


def test_facts_confirm_what_the_function_would_repair(scan):
    found = document(scan("--facts", "--json"))

    by_cause = {incident["cause"]: incident for incident in found["incidents"]}
    key = by_cause["source-key-policy"]
    assert (key["would"]["act"], key["confirmed"], key["from_message"]) == ("repair", True, False)
    assert ":key/" in key["resource"]
    assert by_cause["destination-vault-policy"]["would"]["act"] == "repair"


def test_the_settings_of_the_environment_decide(scan):
    found = document(scan("--facts", "--json", COPYMEND_ALLOWED_KEYS="arn:aws:kms:*:777777777777:key/*"))

    [key] = [incident for incident in found["incidents"] if incident["cause"] == "source-key-policy"]
    assert key["would"]["act"] == "refuse"
    assert "key-allowed" in key["would"]["text"]


def test_other_accounts_are_read_through_their_reader_and_one_that_refuses_hides_nothing(scan):
    ran = scan("--account", f"{WORKLOADS},{BACKUP},777777777777", "--json")

    found = document(ran, code=1)
    assert found["places"] == 3
    assert found["jobs"] > 10
    assert {line["account"] for line in found["not_read"]} == {"777777777777"}
    assert all(line["do"] for line in found["not_read"])
