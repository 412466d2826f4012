"""`copymend rpo` over the wire: the sandbox alone, in a process of its own."""

import contextlib
import json
import subprocess

import pytest

from conftest import LOGS
from processes import Process

SOURCE, DESTINATION = "111122223333", "444455556666"
PROD = f"arn:aws:backup:us-east-1:{SOURCE}:backup-vault:prod"
DR = f"arn:aws:backup:eu-west-1:{DESTINATION}:backup-vault:dr"
TIME = "2026-11-02T06:00:00Z"


def point(region, name, number, created, **more):
    return {
        "arn": f"arn:aws:ec2:{region}::snapshot/snap-{name}-{number}",
        "resource_arn": f"arn:aws:ec2:us-east-1:{SOURCE}:volume/vol-{name}",
        "resource_type": "EBS",
        "creation_date": created,
        "created_by": {
            "backup_plan_arn": f"arn:aws:backup:us-east-1:{SOURCE}:backup-plan:plan-1",
            "backup_plan_id": "plan-1",
            "backup_rule_id": "rule-1",
        },
    } | more


def copy(name, number, created, **more):
    return point("eu-west-1", name, number, created, source_vault_arn=PROD, **more)


def world():
    """`fresh` is copied daily, `late` was a week ago, `never` wasn't, `partial` only in part."""
    fresh, week = "2026-11-02T05:00:00Z", "2026-10-26T05:00:00Z"
    names = ["fresh", "late", "never", "partial"]
    return {
        "time": TIME,
        "accounts": {
            SOURCE: {
                "regions": {
                    "us-east-1": {
                        "vaults": {"prod": {"recovery_points": [point("us-east-1", name, at, date) for name in names for at, date in enumerate([week, fresh])]}},
                        "backup_plans": {"plan-1": {"rules": [{"id": "rule-1", "target_vault": "prod", "copy_actions": [{"destination_vault_arn": DR}]}]}},
                    }
                }
            },
            DESTINATION: {
                "regions": {
                    "eu-west-1": {
                        "vaults": {
                            "dr": {
                                "recovery_points": [
                                    copy("fresh", 1, fresh),
                                    copy("late", 1, week),
                                    copy("partial", 1, fresh, status="PARTIAL"),
                                ]
                            }
                        }
                    }
                }
            },
        },
    }


@contextlib.contextmanager
def served(program, folder, file, *options):
    path = folder / "world.json"
    path.write_text(json.dumps(file))
    process = Process("sandbox", [program, "sandbox", "serve", "--world", path, "--listen", "127.0.0.1:0", *options], LOGS / f"rpo-{folder.name}.log")
    try:
        yield f"http://{process.address()}"
    finally:
        process.stop()


def rpo(program, url, *arguments, account=SOURCE):
    # Without another endpoint behind the sandbox an access key is its account's id.
    environment = {
        "PATH": "/usr/bin:/bin",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [program, "rpo", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def states(ran):
    told = json.loads(ran.stdout)
    assert told["rpo"] == 1
    return {place["resource"].rsplit("-", 1)[1]: place["state"] for place in told["places"]}


def test_what_is_missing_is_told_and_ends_a_pipeline(copymend_program, tmp_path):
    with served(copymend_program, tmp_path, world()) as url:
        ran = rpo(copymend_program, url, "--objective", "26h", "--json")
        assert (ran.returncode, ran.stderr) == (1, "")
        assert states(ran) == {"fresh": "in-time", "late": "late", "never": "never", "partial": "no-good-copy"}
        told = json.loads(ran.stdout)
        assert told["missed"] == 3
        assert {vault["vault"]: (vault["places"], vault["missed"]) for vault in told["vaults"]} == {DR: (4, 3)}

        # As people read it: the worst first, and what is well isn't shown.
        ran = rpo(copymend_program, url, "--objective", "26h")
        assert ran.returncode == 1
        assert ran.stdout.index("vol-never") < ran.stdout.index("vol-late")
        assert "vol-fresh" not in ran.stdout
        assert "3 of 4 places miss their objective." in ran.stdout
        assert "vol-fresh" in rpo(copymend_program, url, "--objective", "26h", "--all").stdout


def test_objectives_and_exclusions_decide_what_is_missed(copymend_program, tmp_path):
    with served(copymend_program, tmp_path, world()) as url:
        ran = rpo(copymend_program, url, "--objective", "26h", "--objective", "vault=dr:9d", "--json")
        assert states(ran)["late"] == "in-time"
        file = tmp_path / "exclusions"
        lines = [f"arn:aws:ec2:*:*:volume/vol-{name},retired,2999-01-01" for name in ("never", "partial")]
        file.write_text("\n".join(["# retired", *lines]))
        ran = rpo(copymend_program, url, "--objective", "9d", "--exclusions", file, "--json")
        assert ran.returncode == 0
        assert states(ran) == {"fresh": "in-time", "late": "in-time", "never": "excluded", "partial": "excluded"}
        ran = rpo(copymend_program, url, "--objective", "26h", "--exclude", "arn:aws:ec2:*:*:volume/vol-late,retired,2026-10-01")
        assert ran.returncode == 1
        assert "exclusion over since 2026-10-01" in ran.stdout


def test_a_tag_of_the_resource_may_have_an_objective(copymend_program, tmp_path):
    file = world()
    volume = f"arn:aws:ec2:us-east-1:{SOURCE}:volume/vol-late"
    file["accounts"][SOURCE]["regions"]["us-east-1"]["resource_tags"] = {volume: {"tier": "bronze"}}
    options = ["--objective", "26h", "--objective", "tag=tier=bronze:9d", "--json"]
    with served(copymend_program, tmp_path, file) as url:
        ran = rpo(copymend_program, url, *options)
        assert (ran.returncode, ran.stderr) == (1, "")
        assert states(ran) == {"fresh": "in-time", "late": "in-time", "never": "never", "partial": "no-good-copy"}
        assert states(rpo(copymend_program, url, "--objective", "26h", "--json"))["late"] == "late"


def test_what_cannot_be_read_is_unknown_and_hides_nothing(copymend_program, tmp_path):
    file = world()
    del file["accounts"][DESTINATION]
    with served(copymend_program, tmp_path, file) as url:
        ran = rpo(copymend_program, url, "--objective", "26h", "--json")
        assert ran.returncode == 0, ran.stdout
        assert set(states(ran).values()) == {"unknown"}
        assert json.loads(ran.stdout)["not_read"][0]["what"] == DR


def test_pages_and_rates_lose_nothing(copymend_program, tmp_path):
    file = world()
    regions = file["accounts"][SOURCE]["regions"]["us-east-1"]
    points = regions["vaults"]["prod"]["recovery_points"]
    points += [point("us-east-1", f"v{number}", 0, "2026-10-26T05:00:00Z") for number in range(2500)]
    with served(copymend_program, tmp_path, file, "--rates", "aws", "--latency-ms", "5") as url:
        ran = rpo(copymend_program, url, "--objective", "26h", "--json")
        assert ran.returncode == 1
        found = states(ran)
        assert len(found) == 2504
        assert sum(state == "never" for state in found.values()) == 2501


@pytest.mark.parametrize("arguments", [["--objective", "26"], ["--exclude", "arn:aws:s3:::b,old"], ["--exclusions", "none"], ["--region", "nowhere"]], ids=lambda arguments: arguments[0])
def test_wrong_usage_is_told(copymend_program, arguments):
    ran = rpo(copymend_program, "http://127.0.0.1:1", *arguments)
    assert ran.returncode == 2
    assert "copymend" in ran.stderr or "error" in ran.stderr
