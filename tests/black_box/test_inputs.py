"""Inputs that are no good events, sample events, and bad settings."""

import json
from pathlib import Path

import pytest

import world as w
from expect import error, report

EVENTS = sorted((Path(__file__).resolve().parents[2] / "events").glob("*.json"))
# Not named after a cause.
OTHER_EVENTS = {"documentation-sample", "on-demand"}
# AWS words it like an unusable key; only a read of the role tells.
NOT_IN_THE_MESSAGE = {"service-linked-role"}


def changed(event, *, without=(), **members):
    return {key: value for key, value in (event | members).items() if key not in without}


def detail(event, *, without=(), **members):
    return event | {"detail": changed(event["detail"], without=without, **members)}


def test_bad_inputs_get_a_stable_error_and_the_process_survives(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    function = start(world)
    cases = [
        (b"this is not JSON", "NotAnEvent"),
        (b"", "NotAnEvent"),
        (b"\x00\xff\xfe", "NotAnEvent"),
        (b"[1, 2, 3]", "NotAnEvent"),
        (b'"text"', "NotAnEvent"),
        (b"{}", "MissingField"),
        (b"[" * 100_000, "NotAnEvent"),
        (json.dumps(event).encode()[:300], "NotAnEvent"),
        (json.dumps(event).encode("utf-16"), "NotAnEvent"),
        (json.dumps(event).encode() * 2, "NotAnEvent"),
        (json.dumps([event, event]).encode(), "NotAnEvent"),
        (changed(event, time="yesterday"), "NotAnEvent"),
        (detail(event, iamRoleArn="arn:aws:iam::111122223333:role/" + "a" * 5_000_000), "MalformedField"),
        (changed(event, source="aws.s3"), "OtherEvent"),
        (changed(event, **{"detail-type": "Backup Job State Change"}), "OtherEvent"),
        (changed(event, without=["source"]), "MissingField"),
        (detail(event, without=["copyJobId"]), "MissingField"),
        (detail(event, without=["iamRoleArn"]), "MissingField"),
        (detail(event, without=["destinationBackupVaultArn"]), "MissingField"),
        (detail(event, sourceBackupVaultArn="prod"), "MalformedArn"),
        (detail(event, iamRoleArn="arn:aws:iam::1111:role"), "MalformedArn"),
        (detail(event, destinationBackupVaultArn="arn:aws:backup:\u0000:x"), "MalformedArn"),
        (detail(event, copyJobId="../../etc\r\nX: y"), "MalformedField"),
        (detail(event, state="BROKEN"), "MalformedField"),
    ]
    for body, error_type in cases:
        error(function.invoke(body), error_type)

    assert function.starts() == 1
    assert world.writes() == []
    assert report(function.invoke(event))["outcome"] == "repaired-and-retried"
    assert function.starts() == 1


@pytest.mark.parametrize(
    "message",
    ["Access Denied trying to call AWS Backup service. " * 100_000, "a" * 1_000_000, "\u0000\u0007\u001b[31m\r\n\u202e\ufffe"],
    ids=["5 MB of a known message", "1 MB of nothing", "control characters"],
)
def test_odd_messages_are_explained_without_a_write(make_world, start, message):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    function = start(world)
    event = detail(world.failed_copy(), copyJobId="11111111-2222-3333-4444-555555555555", statusMessage=message)

    answer = report(function.invoke(event))

    assert not answer["verified"]
    assert world.writes() == []
    assert function.starts() == 1
    # It is not echoed whole.
    assert len(json.dumps(answer)) < 100_000


def test_unknown_members_and_an_empty_recovery_point_are_accepted(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = detail(world.failed_copy(), destinationRecoveryPointArn={}, newMember={"deep": [1]}, parentJobId=None)

    assert report(start(world).invoke(event | {"trace-header": "x"}))["outcome"] == "repaired-and-retried"


def test_sample_events_are_explained_anywhere(make_world, start):
    """Their jobs exist nowhere, so they are explained from their messages: the cause is among the candidates."""
    assert EVENTS
    world = make_world()
    function = start(world, COPYMEND_MODE="observe")
    for path in EVENTS:
        answer = report(function.invoke(json.loads(path.read_text())))

        assert not answer["verified"], path.name
        causes = [candidate["cause"] for candidate in answer["diagnosis"]["candidates"]]
        if path.stem not in OTHER_EVENTS | NOT_IN_THE_MESSAGE:
            assert any(f"{path.stem}-".startswith(f"{cause}-") for cause in causes), f"{path.name}: {causes}"
    assert world.writes() == []


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("COPYMEND_MODE", "fix-it", ["observe", "repair"]),
        ("COPYMEND_ALLOWED_DESTINATIONS", "dr-vault", ["ARN pattern"]),
        ("COPYMEND_RETRY_BUDGET", "many", ["number"]),
        ("COPYMEND_ORGANIZATION_ID", "o-*", ["o-exampleorgid"]),
        ("COPYMEND_WRITE_BUGDET", "1", ["COPYMEND_WRITE_BUDGET"]),
        ("COPYMEND_MAX_AGE_HOURS", "-1", ["from 0 to 720"]),
        ("COPYMEND_ALLOWED_KEYS", "arn:moon:kms:*:111122223333:key/*", ["ARN pattern"]),
    ],
)
def test_a_bad_setting_stops_the_start_and_is_named(make_world, start, name, value, accepted):
    world = make_world()
    function = start(world, **{name: value})

    status, _ = function.invoke_raw(b"{}")

    assert status == 502
    [line, *_] = [line for line in function.process.output().splitlines() if name in line]
    for word in (value, *accepted):
        assert word in line
