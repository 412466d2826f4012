"""A repair from inside a container: through the address of `make sandbox` the function mends what it may, and the copy succeeds."""

import pytest

from expect import report
from places import LOGS, PROGRAM, TOOLS
from running_sandbox import running_sandbox

# Written by `make sandbox`: what leads a function in a container there.
VARIABLES = TOOLS / "sandbox.env.json"


@pytest.fixture
def sandbox(engine):
    """Started after the engine, because it listens on the engine's bridge too."""
    with running_sandbox(PROGRAM, LOGS / "sandbox.log") as sandbox:
        yield sandbox


def test_a_repair_lets_the_copy_succeed(sandbox, copymend, invoke, note, tmp_path):
    event = tmp_path / "event.json"
    event.write_text(copymend("sandbox", "event", "source-key-policy", **sandbox.environment))

    answer = invoke("CopyRemediator", event, "--env-vars", VARIABLES, **sandbox.environment)

    repaired = report(answer.json())
    note("source-key-policy, in the sandbox", answer, repaired)
    assert repaired["verified"], repaired
    assert repaired["outcome"] == "repaired-and-retried", repaired
    retried = sandbox.client("backup").describe_copy_job(CopyJobId=repaired["retried_job"])["CopyJob"]
    assert retried["State"] == "COMPLETED", retried
