"""`copymend history` on the services: what was done stands on record, with what it was decided on."""

import json
import subprocess

import pytest

import world as w


@pytest.fixture
def copymend(copymend_program):
    """Runs the command line with the function's environment."""

    def run(world, *arguments, **more):
        environment = world.environment() | more
        line = [copymend_program, *arguments]
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)

    return run


def history(copymend, world, *arguments):
    ran = copymend(world, "history", "--json", *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["unreadable"] == [] and answer["goes_on_before"] is None
    return answer["records"]


def applied(copymend, world):
    event = world.failed_copy()
    where = ["--account", event["account"], "--region", event["region"]]
    plan = copymend(world, "plan", "--json", event["detail"]["copyJobId"], *where)
    plan = json.loads(plan.stdout)
    ran = copymend(world, "apply", "--yes", "--json", "--plan", plan["id"], event["detail"]["copyJobId"], *where)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    [change] = json.loads(ran.stdout)["report"]["changes"]
    return change


def kinds(records):
    return sorted(record["kind"] for record in records)


def test_what_was_done_is_on_record_and_taken_back_from_there(make_world, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    assert history(copymend, world) == []
    done = applied(copymend, world)

    records = history(copymend, world)
    [change] = [record for record in records if record["kind"] == "change"]
    assert (change["id"], change["state"], change["resource"]) == (done["id"], "written", done["resource"])
    assert change["before"] == w.VAULT_CLOSED and json.loads(change["after"]) == json.loads(world.vault_policy())
    assert change["made_by"].startswith("arn:aws:") and change["certificate"]["granted"][0]["sid"] == done["added"][0]
    grounds = change["grounds"]
    assert grounds["program_version"] and grounds["settings_hash"]
    assert grounds["settings"]["COPYMEND_ALLOWED_DESTINATIONS"] == world.environment()["COPYMEND_ALLOWED_DESTINATIONS"]
    assert any(entry.startswith("COPYMEND_ALLOWED_DESTINATIONS: ") for entry in grounds["admitted_by"])
    assert any(guard.startswith("not-paused: ") for guard in grounds["guards"])

    shown = copymend(world, "history")
    assert shown.returncode == 0 and f"`{change['undo']}`" in shown.stdout, shown.stdout + shown.stderr
    undone = copymend(world, *change["undo"].split()[1:])
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert world.vault_policy() == w.VAULT_CLOSED

    records = history(copymend, world, "--resource", done["resource"], "--kind", "change,refusal")
    assert kinds(records) == ["change", "change", "refusal"]
    [first] = [record for record in records if record.get("id") == done["id"]]
    [undo] = [record for record in records if record.get("undoes") == done["id"]]
    [refusal] = [record for record in records if record["kind"] == "refusal"]
    assert (first["state"], first["undone_by"], first["undo"]) == ("undone", undo["id"], None)
    assert refusal["in_force"] and refusal["made_by"] == undo["made_by"] is not None
    lifted = copymend(world, *refusal["allow_again"].split()[1:])
    assert lifted.returncode == 0, lifted.stdout + lifted.stderr
    [refusal] = history(copymend, world, "--kind", "refusal")
    assert not refusal["in_force"] and refusal["lifted"]["by"].startswith("arn:aws:")


def test_records_are_found_by_account_time_and_id(make_world, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    done = applied(copymend, world)

    for account in (w.SOURCE, w.DESTINATION):
        assert "change" in kinds(history(copymend, world, "--account", account)), account
    assert history(copymend, world, "--account", "999999999999") == []
    assert history(copymend, world, "--resource", done["resource"] + "x") == []
    assert history(copymend, world, "--since", "60d", "--until", "1d") == []
    one = copymend(world, "history", done["id"])
    assert one.returncode == 0, one.stdout + one.stderr
    for part in (done["id"], "guards:", "+", f"copymend undo {done['id']}"):
        assert part in one.stdout, one.stdout
    none = copymend(world, "history", "none")
    assert none.returncode == 1 and "knows no change `none`" in none.stderr


def test_every_pause_is_on_record(make_world, copymend):
    world = make_world()
    assert copymend(world, "pause", "audit").returncode == 0
    [pause] = history(copymend, world)
    assert pause["in_force"] and pause["reason"] == "audit" and pause["made_by"].startswith("arn:aws:")
    assert copymend(world, "pause", "freeze").returncode == 0
    assert copymend(world, "resume").returncode == 0
    freeze, audit = history(copymend, world, "--kind", "pause")
    assert [(one["reason"], one["in_force"]) for one in (freeze, audit)] == [("freeze", False), ("audit", False)]
    assert freeze["lifted"]["by"].startswith("arn:aws:") and audit["lifted"]["at"] == freeze["since"]


def test_wrong_usage_and_a_table_without_the_index(make_world, copymend):
    world = make_world()
    for arguments in (["--since", "yesterday"], ["--since", "1d", "--until", "2d"], ["--since", "2000d"], ["--most", "0"], ["--ledger", "none"], ["id", "--kind", "change"]):
        assert copymend(world, "history", *arguments).returncode == 2, arguments
    unnamed = copymend(world, "history", COPYMEND_LEDGER_TABLE="")
    assert unnamed.returncode == 2 and "--ledger" in unnamed.stderr
    world.client("dynamodb").update_table(
        TableName=w.LEDGER, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-resource"}}]
    )
    missing = copymend(world, "history", "--resource", "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr")
    assert missing.returncode == 2 and "index" in missing.stderr, missing.stderr
