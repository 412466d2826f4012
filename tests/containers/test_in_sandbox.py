"""A repair from inside a container: through the address of `make sandbox` the function mends what it may, and the copy succeeds."""

import pytest

from expect import report
from places import LOGS, PROGRAM, TOOLS
from running_sandbox import running_sandbox
from transcript import printed, shown

# Written by `make sandbox`: what leads a function in a container there.
VARIABLES = TOOLS / "sandbox.env.json"


@pytest.fixture
def sandbox(engine):
    """Started after the engine, because it listens on the engine's bridge too."""
    with running_sandbox(PROGRAM, LOGS / "sandbox.log") as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", ["source-key-policy", "destination-vault-policy"])
def test_a_repair_lets_the_copy_succeed(sandbox, copymend, invoke, note, tmp_path, name):
    event = tmp_path / "event.json"
    event.write_text(copymend("sandbox", "event", name, **sandbox.environment))

    answer = invoke("CopyRemediator", event, "--env-vars", VARIABLES, **sandbox.environment)

    repaired = report(answer.json())
    note(f"{name}, in the sandbox", answer, repaired)
    assert repaired["verified"], repaired
    assert repaired["outcome"] == "repaired-and-retried", repaired
    retried = sandbox.client("backup").describe_copy_job(CopyJobId=repaired["retried_job"])["CopyJob"]
    assert retried["State"] == "COMPLETED", retried
    assert shown(repaired) == printed(f"copymend sandbox event {name}")
