"""A repair from inside a container: through the address of `make sandbox` the function mends what it may, and the copy succeeds."""

import os
import re

import pytest

from expect import report
from places import LOGS, PROGRAM, ROOT, TOOLS
from processes import Process

WORLD = ROOT / "shared" / "sandbox" / "worlds" / "default.json"
# Written by `make sandbox`: what leads a function in a container there.
VARIABLES = TOOLS / "sandbox.env.json"


@pytest.fixture
def sandbox(engine):
    """The environment of programs on this machine. Started after the engine, because it listens on the engine's bridge too."""
    environment = os.environ | {"COPYMEND_PROGRAM": str(PROGRAM), "LISTEN": "127.0.0.1:0"}
    process = Process("make sandbox", ["sandbox/run", WORLD], LOGS / "sandbox.log", env=environment, cwd=ROOT)
    try:
        process.address()
        process.wait_until(lambda: process.output().count("COPYMEND_LEDGER_TABLE") == 2)
        here, _ = process.output().split("# For programs in containers:")
        yield dict(re.findall(r"^export (\w+)='(.*)'$", here, re.MULTILINE))
    finally:
        process.stop()


def test_a_repair_lets_the_copy_succeed(sandbox, copymend, invoke, note, tmp_path):
    event = tmp_path / "event.json"
    event.write_text(copymend("sandbox", "event", "source-key-policy", **sandbox))

    answer = invoke("CopyRemediator", event, "--env-vars", VARIABLES, **sandbox)

    repaired = report(answer.json())
    note("source-key-policy, in the sandbox", answer, repaired)
    assert repaired["verified"], repaired
    assert repaired["outcome"] == "repaired-and-retried", repaired
    assert [change["applied"] for change in repaired["changes"]] == [True]
