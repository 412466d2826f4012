"""`copymend preflight` over the wire: the sandbox alone, in a process of its own. Its plans make the copies of the default world, so
that every cause is planned once, and each copy is then made: what was said of it must come true."""

import contextlib
import datetime
import json
import re
import signal
import subprocess
import time

import boto3
import pytest
from botocore.config import Config

from conftest import LOGS
from processes import Process
from running_sandbox import WORKLOADS, WORLD

MANAGEMENT = "999988887777"
REGION = "us-east-1"
# The accounts of the partition `aws` from which the default world copies.
ACCOUNTS = [WORKLOADS, "222233334444", "123412341234"]
REGIONS = ["us-east-1", "eu-west-1"]
# A plan whose copies go into an account that can't be read.
ELSEWHERE = "elsewhere"
# A copy that nothing stops.
FINE = "snap-ab4e5a1d1bfc5ab4b"


def planned_world():
    """The default world with a plan for each of its copies, and without the copies. They are of now: a rule's backups count for 30 days."""
    world = json.loads(WORLD.read_text())
    world["time"] = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for job in world.pop("copy_jobs"):
        _, _, _, region, account, _, vault = job["source_vault_arn"].split(":")
        regions = world["accounts"][account]["regions"]
        points = regions[region]["vaults"].get(vault, {}).get("recovery_points", [])
        point = next((point for point in points if point["arn"] == job["recovery_point_arn"]), None)
        if point is None:
            continue
        plan = name_of(job["recovery_point_arn"])
        plan_arn = f"arn:aws:backup:{region}:{account}:backup-plan:{plan}"
        point["created_by"] = {"backup_plan_arn": plan_arn, "backup_plan_id": plan, "backup_rule_id": "copies"}
        point["iam_role_arn"] = job["iam_role_arn"]
        action = {"destination_vault_arn": job["destination_vault_arn"], "lifecycle": {"delete_after_days": 35}}
        plans = regions[region].setdefault("backup_plans", {})
        plans[plan] = plan_of(vault, action, job["iam_role_arn"], point["resource_arn"])
        if plan == FINE:
            action = {"destination_vault_arn": "arn:aws:backup:eu-west-1:777777777777:backup-vault:dr"}
            plans[ELSEWHERE] = plan_of(vault, action, job["iam_role_arn"], point["resource_arn"])
    world.pop("backup_jobs", None)
    world.pop("restore_jobs", None)
    return world


def plan_of(vault, action, role, resource):
    return {
        "rules": [{"id": "copies", "target_vault": vault, "copy_actions": [action]}],
        "selections": {"all": {"iam_role_arn": role, "resources": [resource]}},
    }


def name_of(recovery_point):
    return re.split("[:/]", recovery_point)[-1]


@contextlib.contextmanager
def served(program, folder, world, *options):
    path = folder / "world.json"
    path.write_text(json.dumps(world))
    command = [program, "sandbox", "serve", "--world", path, "--listen", "127.0.0.1:0", *options]
    process = Process("sandbox", command, LOGS / f"preflight-{folder.name}.log")
    try:
        yield f"http://{process.address()}"
    finally:
        process.stop()


def environment(url, account):
    # Without another endpoint behind the sandbox an access key is its account's id.
    return {
        "PATH": "/usr/bin:/bin",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def preflight(program, url, *arguments, account=WORKLOADS, **settings):
    command = [program, "preflight", *arguments]
    return subprocess.run(command, env=environment(url, account) | settings, capture_output=True, text=True, timeout=120)


def document(ran, code):
    assert ran.returncode == code, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    assert found["preflight"] == 1
    return found


def by_plan(found):
    return {rule["plan_id"]: route for route in found["routes"] for rule in route["rules"]}


def causes(route):
    return [found["cause"] for found in route["in_the_way"]]


def backup_of(url, account, region):
    return boto3.client(
        "backup",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def sandbox(copymend_program, tmp_path_factory):
    with served(copymend_program, tmp_path_factory.mktemp("planned"), planned_world()) as url:
        yield url


@pytest.fixture(scope="module")
def whole(copymend_program, sandbox):
    """What is found where everything may be read."""
    where = ["--account", ",".join(ACCOUNTS), "--region", ",".join(REGIONS)]
    ran = preflight(copymend_program, sandbox, *where, "--organization-reader", MANAGEMENT, "--json", account=MANAGEMENT)
    return document(ran, 1)


@pytest.fixture(scope="module")
def some(whole):
    """Options for a few plans of one account and Region: AWS's rates, which hold here too, take their time."""
    own = [route for route in whole["routes"] if (route["account"], route["region"]) == (WORKLOADS, REGION)]
    chosen = {(route["verdict"], *causes(route)[:1]): route["rules"][0]["plan_id"] for route in own}
    return ["--plan", ",".join(sorted({FINE, ELSEWHERE, *list(chosen.values())[:7]}))]


@pytest.fixture(scope="module")
def alone(copymend_program, sandbox, some):
    """What is found of them in their own account, without a reader of the organization."""
    return document(preflight(copymend_program, sandbox, *some, "--json"), 1)


def verdicts(found):
    return {plan: (route["verdict"], causes(route)) for plan, route in by_plan(found).items()}


def test_every_verdict_is_among_what_is_found(whole):
    told = [route["verdict"] for route in whole["routes"]]
    assert set(told) == {"will-pass", "will-fail", "cannot-be-known"}
    assert by_plan(whole)[ELSEWHERE]["verdict"] == "cannot-be-known"
    assert whole["not_read"] == []
    assert whole["will_fail"] == told.count("will-fail")
    # Those that will fail come first.
    assert set(told[: whole["will_fail"]]) == {"will-fail"}
    in_the_way = {cause for route in whole["routes"] for cause in causes(route)}
    assert {
        "destination-vault-policy",
        "destination-vault-deny",
        "source-key-policy",
        "source-key-deny",
        "aws-managed-key",
        "service-control-policy",
        "service-linked-role",
    } <= in_the_way, in_the_way


def test_the_verdict_is_the_fate_of_the_copy(whole, sandbox):
    fates = {"COMPLETED": 0, "FAILED": 0}
    for route in whole["routes"]:
        judged_by = route["judged_by"]
        assert judged_by["vault"] == route["source_vault"]
        backup = backup_of(sandbox, route["account"], route["region"])
        started = backup.start_copy_job(
            RecoveryPointArn=judged_by["recovery_point"],
            SourceBackupVaultName=route["source_vault"].rsplit(":", 1)[1],
            DestinationBackupVaultArn=route["destination_vault"],
            IamRoleArn=route["job_role"],
            Lifecycle={"DeleteAfterDays": 35},
        )
        job = backup.describe_copy_job(CopyJobId=started["CopyJobId"])["CopyJob"]
        expected = {"will-pass": ["COMPLETED"], "will-fail": ["FAILED"], "cannot-be-known": list(fates)}[route["verdict"]]
        assert job["State"] in expected, (route, job)
        fates[job["State"]] += 1
    assert min(fates.values()) >= 3, fates


def test_what_copymend_would_do_is_told_by_the_settings_of_the_hub(copymend_program, sandbox, whole):
    acts = {causes(route)[0]: route["would"] for route in whole["routes"] if len(causes(route)) == 1}
    assert acts["source-key-policy"]["act"] == "repair"
    assert ":key/" in acts["source-key-policy"]["changes"]
    assert acts["destination-vault-policy"]["act"] == "repair"
    assert acts["aws-managed-key"] | {"text": ""} == {"act": "advise", "text": "", "cause": "aws-managed-key", "changes": None}
    assert all(route["would"] is None for route in whole["routes"] if route["verdict"] != "will-fail")

    settings = {"COPYMEND_ALLOWED_KEYS": "arn:aws:kms:*:777777777777:key/*"}
    plan = next(plan for plan, route in by_plan(whole).items() if causes(route) == ["source-key-policy"] and route["region"] == REGION)
    found = document(preflight(copymend_program, sandbox, "--plan", plan, "--json", **settings), 1)
    [refused] = [route["would"] for route in found["routes"]]
    assert refused["act"] == "refuse"
    assert "key-allowed" in refused["text"]


def test_people_are_told_by_whom_and_in_which_order(copymend_program, sandbox, whole):
    broken = next(route for route in whole["routes"] if causes(route) == ["destination-vault-policy"])
    plan = broken["rules"][0]["plan_id"]
    ran = preflight(copymend_program, sandbox, "--plan", plan, "--region", broken["region"])
    assert (ran.returncode, ran.stderr) == (1, "")
    for part in ["WILL FAIL", "Who: ", "Once it has failed, Copymend would mend it (destination-vault-policy)", "1 will fail"]:
        assert part in ran.stdout, ran.stdout


def test_a_pipeline_is_not_stopped_where_no_copy_will_fail(copymend_program, sandbox):
    found = document(preflight(copymend_program, sandbox, "--plan", FINE, "--json"), 0)
    assert [route["verdict"] for route in found["routes"]] == ["will-pass"]
    assert "passing-conditions" in residuals(found["routes"][0])
    assert "other-backups" not in residuals(found["routes"][0])
    assert "1 will pass" in preflight(copymend_program, sandbox, "--plan", FINE).stdout


def test_what_only_the_management_account_may_read_is_unknown_to_others(copymend_program, sandbox, whole, some, alone):
    known = by_plan(whole)
    refused = document(preflight(copymend_program, sandbox, *some, "--json", "--organization-reader", WORKLOADS), 1)
    for found in [alone, refused]:
        routes = by_plan(found)
        assert set(routes) <= set(known)
        decided = {plan: route for plan, route in routes.items() if route["verdict"] != "cannot-be-known"}
        assert {plan: route["verdict"] for plan, route in decided.items()} == {plan: known[plan]["verdict"] for plan in decided}
        # A copy passes by what was read, and what the simulator alone has judged is named.
        passes = [route for route in found["routes"] if route["verdict"] == "will-pass"]
        assert passes
        assert any("simulated-service-control" in residuals(route) for route in passes)


def test_where_one_backup_speaks_for_many_it_is_said(whole):
    for route in whole["routes"]:
        assert ("other-backups" in residuals(route)) == (len(route["resources"]) > 1)
    assert any(len(route["resources"]) > 1 for route in whole["routes"])


def residuals(route):
    return {one["residual"] for one in route["residuals"]}


def test_an_account_that_refuses_is_a_line_and_loses_nothing(copymend_program, sandbox, some, alone):
    two = ["--account", f"777777777777,{WORKLOADS}"]
    found = document(preflight(copymend_program, sandbox, *some, *two, "--json"), 1)
    assert {line["account"] for line in found["not_read"]} == {"777777777777"}
    assert all(line["do"] for line in found["not_read"])
    assert verdicts(found) == verdicts(alone)
    told = preflight(copymend_program, sandbox, "--plan", FINE, *two).stdout
    assert "not read: " in told
    assert "777777777777" in told
    assert "1 will pass" in told


def plan_document(url, plan):
    backup = backup_of(url, WORKLOADS, REGION)
    document = backup.get_backup_plan(BackupPlanId=plan)
    chosen = [
        backup.get_backup_selection(BackupPlanId=plan, SelectionId=listed["SelectionId"])
        for listed in backup.list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
    ]
    return {"BackupPlan": document["BackupPlan"], "BackupSelections": [{"BackupSelection": one["BackupSelection"]} for one in chosen]}


def test_a_plan_document_is_judged_instead_of_the_plans_of_the_account(copymend_program, sandbox, tmp_path):
    file = tmp_path / "plan.json"
    plan = plan_document(sandbox, FINE)
    file.write_text(json.dumps(plan, default=str))
    found = document(preflight(copymend_program, sandbox, "--document", file, "--json"), 0)
    assert [(route["verdict"], route["rules"][0]["plan_id"]) for route in found["routes"]] == [("will-pass", None)]

    # The same copy into a vault whose policy does not admit it.
    action = plan["BackupPlan"]["Rules"][0]["CopyActions"][0]
    action["DestinationBackupVaultArn"] = action["DestinationBackupVaultArn"].replace(":dr", ":dr-orders")
    file.write_text(json.dumps(plan, default=str))
    found = document(preflight(copymend_program, sandbox, "--document", file, "--json"), 1)
    assert [causes(route) for route in found["routes"]] == [["destination-vault-policy"]]

    file.write_text("{}")
    ran = preflight(copymend_program, sandbox, "--document", file)
    assert ran.returncode == 2
    assert "BackupPlan: it is missing" in ran.stderr


def backup_policy(vault):
    """As an organization's management account writes it."""
    arn = f"arn:aws:backup:us-east-1:$account:backup-vault:{vault}"
    return {
        "plans": {
            "PII": {
                "regions": {"@@append": ["us-east-1"]},
                "rules": {
                    "Daily": {
                        "schedule_expression": {"@@assign": "cron(0 5 ? * * *)"},
                        "target_backup_vault_name": {"@@assign": "prod"},
                        "lifecycle": {"delete_after_days": {"@@assign": "35"}},
                        "copy_actions": {arn: {"target_backup_vault_arn": {"@@assign": arn}}},
                    }
                },
                "selections": {
                    "tags": {
                        "pii": {
                            "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/BackupRole"},
                            "tag_key": {"@@assign": "dataType"},
                            "tag_value": {"@@assign": ["PII"]},
                        }
                    }
                },
            }
        }
    }


def test_a_backup_policy_is_judged_by_the_backups_of_the_plan_that_it_made(copymend_program, tmp_path):
    world = planned_world()
    region = world["accounts"][WORKLOADS]["regions"][REGION]
    # The plan that the policy has made in this account takes two resources by their tags.
    made = "orgs/5a7f9d3e-0000-4000-8000-000000000001"
    region["backup_plans"] = {
        made: {
            "name": "PII",
            "rules": [{"id": "rule-1", "name": "daily", "target_vault": "prod"}],
            "selections": {"pii": {"iam_role_arn": f"arn:aws:iam::{WORKLOADS}:role/BackupRole", "tags": [{"key": "dataType", "value": "PII"}]}},
        }
    }
    points = [point for point in region["vaults"]["prod"]["recovery_points"] if FINE in point["arn"] or "snap-62ca9bbea5c654f2b" in point["arn"]]
    for point in points:
        plan_arn = f"arn:aws:backup:{REGION}:{WORKLOADS}:backup-plan:{made}"
        point["created_by"] = {"backup_plan_arn": plan_arn, "backup_plan_id": made, "backup_rule_id": "rule-1"}
        point["iam_role_arn"] = f"arn:aws:iam::{WORKLOADS}:role/BackupRole"
    file = tmp_path / "policy.json"
    with served(copymend_program, tmp_path, world) as url:
        file.write_text(json.dumps(backup_policy("documents")))
        found = document(preflight(copymend_program, url, "--document", file, "--json"), 0)
        assert {route["destination_vault"] for route in found["routes"]} == {f"arn:aws:backup:us-east-1:{WORKLOADS}:backup-vault:documents"}
        assert {resource for route in found["routes"] for resource in route["resources"]} == {point["resource_arn"] for point in points}
        assert any("`@@append`" in note for note in found["notes"])

        # In another Region it makes no plan, which is said.
        ran = preflight(copymend_program, url, "--document", file, "--region", "eu-west-1", "--json")
        elsewhere = document(ran, 0)
        assert elsewhere["routes"] == []
        assert any("us-east-1" in note for note in elsewhere["notes"])

        # What can't be resolved is wrong usage.
        text = json.dumps(backup_policy("documents")).replace("$account:role", "$organization:role")
        file.write_text(text)
        ran = preflight(copymend_program, url, "--document", file)
        assert ran.returncode == 2
        assert "plans.PII.selections.tags.pii.iam_role_arn: `$organization` can't be resolved" in ran.stderr


def test_what_was_found_until_it_is_stopped_is_shown(copymend_program, tmp_path):
    with served(copymend_program, tmp_path, planned_world(), "--latency-ms", "150") as url:
        command = [copymend_program, "preflight", "--json"]
        process = subprocess.Popen(command, env=environment(url, WORKLOADS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(4)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "")
    stopped = json.loads(told)["stopped"]
    assert stopped["routes_judged"] < max(stopped["routes"], 1) or stopped["places_read"] == 0, stopped
    assert len(json.loads(told)["routes"]) == stopped["routes_judged"]


@pytest.mark.parametrize("arguments", [["--document", "none"], ["--organization-reader", "me"], ["--region", "nowhere"]], ids=lambda arguments: arguments[0])
def test_wrong_usage_is_told(copymend_program, arguments):
    ran = preflight(copymend_program, "http://127.0.0.1:1", *arguments)
    assert ran.returncode == 2
    assert "error" in ran.stderr or "copymend" in ran.stderr
