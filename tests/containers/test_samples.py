"""`sam local invoke` out of the box: every sample event is answered with its cause, without network and without credentials."""

import json
import os

import pytest

from expect import report
from places import ROOT
from transcript import printed, shown

SECONDS = 3
# Two of one function and one of the other; `make test` runs these alone.
SAMPLES = ("events/source-key-policy.json", "events/destination-vault-policy.json", "events/advisor/create-backup-vault.json")


def events(folder):
    paths = sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("*.json"))
    assert paths
    return [pytest.param(path, id=path, marks=[] if path in SAMPLES else [pytest.mark.every]) for path in paths]


@pytest.fixture
def explain(copymend):
    """The cause that `copymend explain` reads out of a message."""

    def run(message):
        return json.loads(copymend("explain", "--json", message))["candidates"][0]["cause"]

    return run


@pytest.mark.parametrize("event", events("events"))
def test_a_failed_copy_is_explained_from_its_message(invoke_timed, explain, note, event):
    answer = invoke_timed("CopyRemediator", event)

    explained = report(answer.json())
    note(event, answer, explained)
    assert explained["diagnosis"]["cause"] == explain(json.loads((ROOT / event).read_text())["detail"]["statusMessage"])
    assert not explained["verified"] and not any(change["applied"] for change in explained["changes"])
    assert answer.function_seconds() <= SECONDS


@pytest.mark.parametrize("event", SAMPLES[:2])
def test_the_transcript_shows_what_is_printed(invoke, event):
    answered = invoke("CopyRemediator", event).json()

    assert shown(report(answered)) == printed(f"sam local invoke CopyRemediator --event {event}")


@pytest.mark.parametrize("event", events("events/advisor"))
def test_the_access_advisor_answers(invoke_timed, note, event):
    answer = invoke_timed("AccessAdvisor", event)

    explained = report(answer.json())
    note(event, answer, explained)
    assert answer.function_seconds() <= SECONDS


@pytest.mark.skipif("COPYMEND_OWN_ENGINE" not in os.environ, reason="the engine that runs may reach AWS")
@pytest.mark.parametrize("function, event", [("CopyRemediator", SAMPLES[0]), ("AccessAdvisor", SAMPLES[-1])])
def test_credentials_without_a_network_cost_one_short_attempt(invoke_timed, note, function, event):
    answer = invoke_timed(function, event, AWS_ACCESS_KEY_ID="AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY="secret")

    explained = report(answer.json())
    note(f"{event}, credentials", answer, explained)
    assert answer.function_seconds() <= SECONDS
