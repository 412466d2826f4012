"""What people and schedules start: undo, dead-letter messages, sweeps; and the ledger's contract on a real table."""

import json
import os
import pty
import select
import signal
import subprocess
import time

import pytest

import world as w
from conftest import ROOT
from expect import report, says_the_same
from test_advisor import make_caller, refused_call


@pytest.fixture
def copymend(copymend_program):
    """Runs the command line with the function's environment."""

    def run(world, *arguments):
        return subprocess.run(
            [copymend_program, *arguments], env=world.environment(), capture_output=True, text=True, timeout=60
        )

    return run


def test_undo_restores_the_policy_byte_for_byte(make_world, start, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    answer = report(start(world).invoke(world.failed_copy()))
    [change] = answer["changes"]
    assert world.vault_policy() != w.VAULT_CLOSED

    done = copymend(world, "undo", "--json", change["id"])

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["change"]["undoes"] == change["id"]
    assert world.vault_policy() == w.VAULT_CLOSED
    again = copymend(world, "undo", change["id"])
    assert again.returncode == 1 and "taken back before" in again.stdout


def test_what_was_undone_is_refused_until_it_is_allowed_again(make_world, start, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    function = start(world)
    [change] = report(function.invoke(world.failed_copy()))["changes"]
    unasked = copymend(world, "undo", "--last")
    assert unasked.returncode == 2 and "--yes" in unasked.stderr
    assert copymend(world, "undo", change["id"]).returncode == 0

    refused = report(function.invoke(world.failed_copy()))

    assert [guard["name"] for guard in refused["guards"] if not guard["passed"]] == ["not-taken-back"]
    assert world.vault_policy() == w.VAULT_CLOSED
    lifted = copymend(world, "undo", "--allow-again", "--json", change["id"])
    assert lifted.returncode == 0, lifted.stdout + lifted.stderr
    assert json.loads(lifted.stdout)["lifted"] == [change["id"]]
    assert report(function.invoke(world.failed_copy()))["outcome"] == "repaired-and-retried"
    days = world.client("dynamodb").scan(TableName=w.LEDGER, IndexName="by-day")["Items"]
    kinds = sorted({item["pk"]["S"].split("#")[0] for item in days})
    assert kinds == ["change", "incident", "refusal"], days


def test_undo_of_the_last_change_shows_it_and_asks_on_a_terminal(make_world, start, copymend_program):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    [change] = report(start(world).invoke(world.failed_copy()))["changes"]
    repaired = world.vault_policy()

    for answer in ("", "n", "no"):
        code, output = on_terminal(copymend_program, world, answer)
        assert code == 1, output
        for shown in (change["id"], change["resource"], change["added"][0], "Take it back? [y/N]", "Nothing was taken back."):
            assert shown in output, output
        assert world.vault_policy() == repaired

    code, output = on_terminal(copymend_program, world, "yes")
    assert code == 0, output
    assert world.vault_policy() == w.VAULT_CLOSED


def on_terminal(program, world, answer):
    """The exit code and the output of `undo --last` on a terminal, where its one question is answered."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(program, [program, "undo", "--last"], world.environment())
    output, asked, end = "", False, time.monotonic() + 60
    try:
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                read = os.read(terminal, 65536)
            except OSError:  # The program has closed its side.
                break
            if not read:
                break
            output += read.decode(errors="replace")
            if not asked and output.endswith("[y/N] "):
                asked = True
                os.write(terminal, f"{answer}\n".encode())
        else:
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(terminal)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), output


def test_people_hear_once_that_the_settings_changed(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    events = [world.failed_copy() for _ in range(3)]
    observing = start(world, COPYMEND_MODE="observe")
    notes = report(observing.invoke(events[0])).get("notes", [])
    assert not [note for note in notes if "the settings changed" in note]
    observing.stop()
    repairing = start(world)
    told = [report(repairing.invoke(event)).get("notes", []) for event in events[1:]]
    said = [[note for note in notes if "the settings changed" in note] for notes in told]
    assert said == [["the settings changed since the last event: COPYMEND_MODE is `repair`, it was `observe`"], []], told


def test_a_pause_stops_the_function_until_it_is_resumed(make_world, start, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    function = start(world)
    assert copymend(world, "pause", "--until", "2020-01-01T00:00:00Z", "audit").returncode == 2
    paused = copymend(world, "pause", "a change freeze")
    assert paused.returncode == 0, paused.stdout + paused.stderr

    refused = report(function.invoke(world.failed_copy()))

    [guard] = [guard for guard in refused["guards"] if not guard["passed"]]
    assert guard["name"] == "not-paused" and "a change freeze" in guard["detail"]
    assert world.writes() == []
    assert copymend(world, "resume").returncode == 0
    assert report(function.invoke(world.failed_copy()))["outcome"] == "repaired-and-retried"


def test_undo_deletes_no_policy_and_prints_the_command(make_world, start, copymend):
    world = make_world(vault_policy=None)
    report(start(world).invoke(world.failed_copy()))

    writes = world.writes()

    refused = copymend(world, "undo", "--last", "--yes")

    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "aws backup delete-backup-vault-access-policy --region" in refused.stdout, refused.stdout
    assert world.writes() == writes


def test_undo_of_a_key_policy_leaves_what_others_wrote(make_world, start, copymend):
    world = make_world(key_policy=w.KEY_CLOSED)
    report(start(world).invoke(world.failed_copy()))
    theirs = '{"Sid":"Auditor","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:DescribeKey","Resource":"*"}'
    theirs %= w.STRANGER
    ours = world.key_policy()
    end = ours.rindex("]")
    world.client("kms").put_key_policy(KeyId=world.key_id, PolicyName="default", Policy=f"{ours[:end]},{theirs}{ours[end:]}")

    done = copymend(world, "undo", "--last", "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert says_the_same(world.key_policy(), w.policy(w.KEY_ADMINISTRATION, theirs))


def test_dead_letter_messages_of_both_functions_are_read_back_and_deleted_once_handled(make_world, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    make_caller(world)
    event = world.failed_copy()
    sweep = {
        "source": "copymend",
        "detail-type": "Copymend Sweep",
        "detail": {"accounts": [w.SOURCE], "regions": [w.REGION]},
    }
    dynamodb = world.client("dynamodb")
    dynamodb.create_table(
        TableName="advisor-ledger",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    sqs = world.client("sqs")
    queue = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    wrapped = {"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(wrapped))
    for body in (json.dumps(sweep), json.dumps(refused_call(world)), "no event at all"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)

    done = copymend(world, "replay", "--dlq", queue, "--advisor-ledger", "advisor-ledger", "--json")

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 4, done.stdout + done.stderr
    [copy] = [answer for answer in answers if "copy" in answer]
    [swept] = [answer for answer in answers if "found" in answer]
    [advised] = [answer for answer in answers if "subject" in answer]
    [refused] = [answer for answer in answers if "errorType" in answer]
    # The message of the copy and the sweep are about the same copy: whichever comes first repairs it.
    outcomes = [copy["outcome"]] + [one["outcome"] for one in swept["reports"]]
    assert outcomes in (["repaired-and-retried"], ["already-handled", "repaired-and-retried"])
    assert (swept["found"], swept["left"], swept["errors"]) == (1, 0, [])
    assert (advised["outcome"], advised["diagnosis"]["cause"]) == ("advised", "caller-permission")
    assert refused["errorType"] == "NotAnEvent"
    assert done.returncode == 1, "one message could not be handled"
    kept = {item["pk"]["S"] for item in dynamodb.scan(TableName="advisor-ledger")["Items"]}
    assert any(pk.startswith("job#call-") for pk in kept), kept
    assert world.writes() == ["PutBackupVaultAccessPolicy", "StartCopyJob"]
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    left = int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])
    assert left == 1


def test_a_sweep_finds_the_copy_whose_event_never_came(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    world.failed_copy()
    function = start(world)
    sweep = {
        "source": "copymend",
        "detail-type": "Copymend Sweep",
        "detail": {"accounts": [w.SOURCE], "regions": [w.REGION]},
    }

    swept = function.invoke(sweep)

    assert swept["found"] == 1 and swept["errors"] == [], swept
    assert swept["outcomes"] == {"repaired-and-retried": 1} and swept["handled_before"] == 0, swept
    again = function.invoke(sweep)
    assert (again["outcomes"], again["handled_before"]) == ({}, again["found"]), again
    assert world.writes() == ["PutBackupVaultAccessPolicy", "StartCopyJob"]


@pytest.mark.timeout(900)
def test_the_table_keeps_the_contract_that_the_ledger_in_memory_keeps(moto_url):
    environment = os.environ | {"COPYMEND_TEST_DYNAMODB_ENDPOINT": moto_url}
    command = ["cargo", "test", "--locked", "--workspace", "--lib", "a_real_table_keeps_the_contract"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
