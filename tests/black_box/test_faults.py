"""The real process, with one call that goes wrong on its way.

A sample of calls and faults runs by default. COPYMEND_TORTURE=1/1 takes every call and every fault; 1/3, 2/3 and 3/3 take a third
each, to run side by side.
"""

import os
import time

import pytest

import world as w
from expect import added_statements, report
from faulty_proxy import FAULTS, Faults, Proxy
from function import kill_bootstrap

# Long enough to read facts again that could not be read.
TIMEOUT = 30
# A process that died holds its job until its own timeout and 10 seconds more, and its lease for 30 seconds.
PATIENCE_SECONDS = 150
AWAITING = ", awaiting another delivery"
SAMPLE = {
    "DescribeCopyJob": ["unavailable"],
    "PutBackupVaultAccessPolicy": ["throttled", "cut-after", "killed-after"],
    "StartCopyJob": ["cut-after"],
    "Publish": ["cut-before"],
    "TransactWriteItems": ["unavailable"],
    "GetBackupVaultAccessPolicy": ["cut-before"],
}
PART, PARTS = (int(number) for number in os.environ.get("COPYMEND_TORTURE", "0/1").split("/"))
ALL = PART > 0


@pytest.fixture
def proxied(make_world, start):
    """A world whose function talks to AWS through the proxy. The one before is stopped."""
    stops = []

    def stop_all():
        while stops:
            stops.pop()()

    def make(**arguments):
        stop_all()
        world = make_world(**arguments)
        faults = Faults()
        proxy = Proxy(world.endpoint_url, faults)
        stops.extend([world.stop_sandbox, proxy.stop])
        function = start(world, AWS_ENDPOINT_URL=proxy.url, AWS_LAMBDA_FUNCTION_TIMEOUT=str(TIMEOUT))
        stops.append(function.process.stop)
        faults.kill = lambda: kill_bootstrap(function)
        return world, faults, function

    yield make
    stop_all()


def readable(calls):
    """REST calls by their operation's name."""
    names = {
        ("GET", "copy-jobs"): "DescribeCopyJob",
        ("PUT", "copy-jobs"): "StartCopyJob",
        ("PUT", "backup-vaults/access-policy"): "PutBackupVaultAccessPolicy",
        ("GET", "backup-vaults/access-policy"): "GetBackupVaultAccessPolicy",
    }
    for call in calls:
        method, _, path = call.partition(" ")
        for (wanted, part), name in names.items():
            head, _, tail = part.partition("/")
            if path and method == wanted and head in path and tail in path:
                call = name
        yield call


def awaits_another_delivery(answer):
    """Whether a sweep or a replay takes the event up again: facts are missing for a reason that passes, or a policy was put
    that could not be seen."""
    reasons = {fact["reason"] for fact in answer["diagnosis"].get("unknown", [])}
    is_open = answer["outcome"] in ("advised", "refused", "failed")
    is_unseen = answer["outcome"] == "failed" and any(not change["applied"] for change in answer["changes"])
    return is_unseen or is_open and bool(reasons & {"throttled", "timeout", "unavailable"})


def deliver_until_handled(function, event, outcomes):
    """Delivers the event as EventBridge and Lambda would, until it is handled."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            answer = function.invoke(event)
        except AssertionError:
            answer = {"errorType": "Killed"}
        if "errorType" in answer:
            outcomes.append(answer["errorType"])
            time.sleep(0.5)
            continue
        outcomes.append(answer["outcome"])
        if answer["outcome"] == "already-handled" and "another invocation" in str(answer.get("notes")):
            time.sleep(5)
            continue
        if awaits_another_delivery(answer):
            outcomes[-1] += AWAITING
            continue
        return report(answer)
    raise AssertionError(f"never handled: {outcomes}")


def check_end(world, messages, outcomes=()):
    [added] = added_statements(
        w.VAULT_CLOSED, world.vault_policy(), [w.VAULT_KEEPS_RECOVERY_POINTS, w.VAULT_FOR_STRANGER]
    )
    assert added["Sid"].startswith("Copymend")
    started = [copy for copy in world.copies() if copy["State"] == "COMPLETED"]
    assert len(started) == 1, world.copies()
    # Where a fact was missing first, people hear that too; what came of it they hear once, or twice the same.
    is_told_twice = any(outcome.endswith(AWAITING) for outcome in outcomes)
    subjects = [subject for subject, _ in messages]
    assert 1 <= subjects.count(subjects[-1]) <= 2, messages
    assert len(set(subjects)) == (2 if is_told_twice else 1), messages


def one_fault(proxied, number, fault):
    world, faults, function = proxied(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    faults.break_call(number, fault)
    outcomes = []
    answer = deliver_until_handled(function, event, outcomes)
    calls = list(readable(faults.calls))
    if fault == "denied" and not world.writes():
        assert answer["outcome"] in ("refused", "advised", "failed"), outcomes
        return
    try:
        check_end(world, world.messages(), outcomes)
    except (AssertionError, ValueError) as error:
        raise AssertionError(f"call {number} ({calls[number]}), {fault}: {outcomes} {answer}: {error}") from error


@pytest.mark.timeout(3 * 3600 if ALL else 500)
def test_a_sample_of_faults_leaves_the_same_end(proxied):
    world, faults, function = proxied(vault_policy=w.VAULT_CLOSED)
    faults.mend()
    answer = report(function.invoke(world.failed_copy()))
    assert answer["outcome"] == "repaired-and-retried"
    calls = list(readable(faults.calls))
    check_end(world, world.messages())
    missing = [name for name in SAMPLE if name not in calls]
    assert not missing, f"{missing} are not among {calls}"
    if ALL:
        rows = [(number, fault) for number in range(len(calls)) for fault in FAULTS][PART - 1 :: PARTS]
    else:
        rows = [(calls.index(name), fault) for name, faults in SAMPLE.items() for fault in faults]
    wrong = []
    for number, fault in rows:
        try:
            one_fault(proxied, number, fault)
        except AssertionError as error:
            wrong.append(str(error))
            print(error, flush=True)
    print(f"{len(calls)} calls, {len(rows)} rows, {len(wrong)} wrong")
    assert not wrong
