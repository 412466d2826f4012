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

    def run(*arguments, reader="harness", **settings):
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [copymend_program, "scan", "--profile", "workloads", "--reader-role", reader, *arguments]
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

    assert not any(incident["from_message"] for incident in found["incidents"])
    repaired = {incident["cause"]: incident for incident in found["incidents"] if incident["would"]["act"] == "repair"}
    assert {"source-key-policy", "destination-vault-policy"} <= set(repaired), found
    assert all(incident["confirmed"] for incident in repaired.values())
    assert ":key/" in repaired["source-key-policy"]["resource"]


def test_the_settings_of_the_environment_decide(scan):
    found = document(scan("--facts", "--json", COPYMEND_ALLOWED_KEYS="arn:aws:kms:*:777777777777:key/*"))

    acts = {incident["would"]["act"] for incident in found["incidents"] if incident["cause"] == "source-key-policy"}
    texts = [incident["would"]["text"] for incident in found["incidents"] if incident["would"]["act"] == "refuse"]
    assert "repair" not in acts
    assert any("key-allowed" in text for text in texts)


def test_a_reader_that_is_not_there_leaves_the_facts_open_and_says_so(scan):
    found = document(scan("--facts", "--json", reader="copymend/CopymendReader"))

    assert all(incident["would"]["act"] != "repair" for incident in found["incidents"])
    assert any("role/copymend/CopymendReader" in note for note in found["notes"])


def test_other_accounts_are_read_through_their_reader_and_one_that_refuses_hides_nothing(scan):
    ran = scan("--account", f"{WORKLOADS},{BACKUP},777777777777", "--json")

    found = document(ran, code=1)
    assert found["places"] == 3
    assert found["jobs"] == document(scan("--json"))["jobs"]
    assert {line["account"] for line in found["not_read"]} == {"777777777777"}, found["not_read"]
    assert all(line["do"] for line in found["not_read"])


def test_the_page_changes_neither_text_nor_exit_code_and_a_file_that_cannot_be_written_is_told_first(scan, tmp_path):
    page = tmp_path / "scan.html"
    places = ["--account", f"{WORKLOADS},{BACKUP},777777777777"]
    plain, with_page = scan(*places), scan(*places, "--html", page)
    assert (with_page.returncode, with_page.stdout, with_page.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert plain.returncode == 1
    html = page.read_text()
    assert html.startswith("<!doctype html>") and html.endswith("</html>")
    assert "777777777777" in html, "what could not be read is in the page"
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith((".html", ".tmp")) or file.name.startswith(".")] == ["scan.html"]

    refused = scan("--html", tmp_path / "missing" / "scan.html")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "copymend: cannot write the page `" in refused.stderr
