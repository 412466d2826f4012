"""`copymend plan` and `copymend apply` on the services: exactly what was shown is written, and nothing else."""

import json
import os
import pty
import subprocess

import pytest
import yaml

import world as w


@pytest.fixture
def copymend(copymend_program, tmp_path):
    """Runs the command line with the function's environment."""

    def run(world, event, command, *arguments, job=None, **more):
        environment = world.environment() | more
        line = [copymend_program, command, job or event["detail"]["copyJobId"], *arguments]
        if not (job and job.endswith(".json")):
            line += ["--account", event["account"], "--region", event["region"]]
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    return run


def plan_of(copymend, world, event, **more):
    ran = copymend(world, event, "plan", "--json", **more)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def test_what_was_shown_is_written_and_taken_back_again(make_world, copymend, copymend_program, tmp_path):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    plan = plan_of(copymend, world, event)
    [shown] = plan["report"]["changes"]
    assert world.vault_policy() == w.VAULT_CLOSED and shown["applied"] is False
    (tmp_path / "plan.json").write_text(json.dumps(plan))

    ran = copymend(world, event, "apply", "--yes", "--json", job="plan.json")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    applied = json.loads(ran.stdout)
    assert applied["hash"] == plan["hash"] and applied["report"]["outcome"] == "repaired-and-retried"
    assert json.loads(world.vault_policy()) == json.loads(shown["after"])
    [change] = applied["report"]["changes"]
    undone = subprocess.run(
        [copymend_program, "undo", "--json", change["id"]], env=world.environment(), capture_output=True, text=True, timeout=60
    )
    assert undone.returncode == 0 and json.loads(undone.stdout)["undone"]["made_by"].startswith("arn:aws:"), undone.stdout
    assert world.vault_policy() == w.VAULT_CLOSED


def test_a_plan_that_is_another_one_by_now_is_not_carried_out(make_world, copymend, tmp_path):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    plan = plan_of(copymend, world, event)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    policy = json.loads(w.VAULT_CLOSED)
    statement = {"Sid": "Others", "Effect": "Deny", "Principal": "*", "Action": "backup:DeleteRecoveryPoint", "Resource": "*"}
    policy["Statement"].append(statement)
    backup = world.client("backup", w.DESTINATION, w.DESTINATION_REGION)
    backup.put_backup_vault_access_policy(BackupVaultName=w.DESTINATION_VAULT_NAME, Policy=json.dumps(policy))

    ran = copymend(world, event, "apply", "--yes", job="plan.json")

    assert ran.returncode == 1 and "Nothing was written" in ran.stdout, ran.stdout + ran.stderr
    assert json.loads(world.vault_policy()) == policy


def test_a_person_is_asked_on_a_terminal(make_world, copymend, copymend_program):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    unasked = copymend(world, event, "apply")
    assert unasked.returncode == 2 and "--yes" in unasked.stderr
    unnamed = copymend(world, event, "apply", "--yes")
    assert unnamed.returncode == 2 and "--plan" in unnamed.stderr

    command = [copymend_program, "apply", event["detail"]["copyJobId"], "--account", event["account"], "--region", event["region"]]
    code, output = on_terminal(command, world, "no")
    assert code == 1 and "Carry it out? [y/N]" in output and "+" in output, output
    assert world.vault_policy() == w.VAULT_CLOSED
    code, output = on_terminal(command, world, "yes")
    assert code == 0, output
    assert world.vault_policy() != w.VAULT_CLOSED


def test_without_a_ledger_or_a_list_nothing_is_carried_out(make_world, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()

    refused = copymend(world, event, "plan", "--json", COPYMEND_ALLOWED_DESTINATIONS="")
    assert refused.returncode == 1
    answer = json.loads(refused.stdout)
    assert answer["id"] is None and answer["report"]["outcome"] == "refused"
    without = copymend(world, event, "apply", "--yes", "--plan", "x", COPYMEND_LEDGER_TABLE="")
    assert without.returncode == 2 and "ledger" in without.stderr
    assert world.vault_policy() == w.VAULT_CLOSED


def test_a_job_that_is_not_there_is_an_error(make_world, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()

    ran = copymend(world, event, "plan", job="no-such-job")

    assert ran.returncode == 2 and "no-such-job" in ran.stderr, ran.stderr


def test_what_is_printed_for_tools_holds_the_statement(make_world, copymend):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    plan = plan_of(copymend, world, event)
    [shown] = plan["report"]["changes"]
    after = json.loads(shown["after"])
    added = [one for one in after["Statement"] if one.get("Sid") in shown["added"]]

    cloudformation = copymend(world, event, "plan", "--for", "cloudformation")
    assert yaml.safe_load(cloudformation.stdout) == {"AccessPolicy": {"Version": "2012-10-17", "Statement": added}}
    commands = copymend(world, event, "plan", "--for", "aws-cli").stdout
    _, rest = commands.split("<<'END_OF_POLICY'\n")
    policy, rest = rest.split("\nEND_OF_POLICY\n")
    assert json.loads(policy) == after
    assert "aws backup put-backup-vault-access-policy" in rest and "aws backup start-copy-job" in rest
    checked = subprocess.run(["bash", "-n"], input=commands, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr
    terraform = copymend(world, event, "plan", "--for", "terraform").stdout
    assert 'data "aws_iam_policy_document" "copymend"' in terraform and shown["added"][0] in terraform


def on_terminal(command, world, answer):
    """The exit code and the output of a command on a terminal, where its one question is answered."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(command[0], command, world.environment())
    output = b""
    is_answered = False
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            break
        if not read:
            break
        output += read
        if not is_answered and b"[y/N]" in output:
            os.write(terminal, answer.encode() + b"\n")
            is_answered = True
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), output.decode()
