"""How long `copymend rpo` takes, and how much memory: 10,000 resources with 35 recovery points each, at 50 ms a call.

The sandbox runs in a process of its own, without anything behind it. COPYMEND_PROGRAM names the program; it is best built with --release.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "black_box"))

import processes  # noqa: E402

# A large world takes its time.
processes.READY_SECONDS = 300

HUB = "444455556666"
TIME = datetime(2026, 11, 2, 6)
DAY = timedelta(days=1)


def account(number):
    return f"{100000000000 + number}"


def text(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def write_world(file, resources, points, accounts, vaults):
    """Backups in the sources, and all their copies in `vaults` vaults of one account."""

    def point(region, owner, name, number, **more):
        plan = f"plan-{owner}"
        return {
            "arn": f"arn:aws:ec2:{region}::snapshot/snap-{owner}-{name}-{number}",
            "resource_arn": f"arn:aws:ec2:us-east-1:{owner}:volume/vol-{name:017}",
            "resource_type": "EBS",
            "creation_date": text(TIME - DAY * number - timedelta(hours=1)),
            "created_by": {
                "backup_plan_arn": f"arn:aws:backup:us-east-1:{owner}:backup-plan:{plan}",
                "backup_plan_id": plan,
                "backup_rule_id": "daily",
            },
        } | more

    copies = {f"dr-{number}": [] for number in range(vaults)}
    world = {"time": text(TIME), "accounts": {}}
    for number in range(accounts):
        owner = account(number)
        vault = f"dr-{number % vaults}"
        arn = f"arn:aws:backup:eu-west-1:{HUB}:backup-vault:{vault}"
        source = f"arn:aws:backup:us-east-1:{owner}:backup-vault:prod"
        names = range(number, resources, accounts)
        copies[vault] += [point("eu-west-1", owner, name, day, source_vault_arn=source) for name in names for day in range(points)]
        rules = [{"id": "daily", "target_vault": "prod", "copy_actions": [{"destination_vault_arn": arn}]}]
        backups = [point("us-east-1", owner, name, 0) for name in names]
        for backup in backups:
            backup["arn"] += "-source"
        region = {"vaults": {"prod": {"recovery_points": backups}}, "backup_plans": {f"plan-{owner}": {"rules": rules}}}
        world["accounts"][owner] = {"regions": {"us-east-1": region}}
    world["accounts"][HUB] = {"regions": {"eu-west-1": {"vaults": {name: {"recovery_points": found} for name, found in copies.items()}}}}
    file.write_text(json.dumps(world))


def measured(command, environment, output):
    """Exit code, seconds, and the peak of memory in MiB. What the system keeps for children that ended would count this process's own."""
    begin = time.monotonic()
    peak = 0
    with output.open("wb") as file, subprocess.Popen(command, env=environment, stdout=file) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
            peak = max(peak, int(found[1]) if found else 0)
            time.sleep(0.02)
    return process.returncode, time.monotonic() - begin, peak / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=10_000)
    parser.add_argument("--points", type=int, default=35)
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--vaults", type=int, default=1)
    arguments = parser.parse_args()
    program = ROOT / os.environ.get("COPYMEND_PROGRAM", "target/release/copymend")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_world(folder / "world.json", arguments.resources, arguments.points, arguments.accounts, arguments.vaults)
        options = ["--world", folder / "world.json", "--listen", "127.0.0.1:0", "--latency-ms", "50", "--rates", "aws"]
        begin = time.monotonic()
        server = processes.Process("sandbox", [program, "sandbox", "serve", *options], folder / "log")
        try:
            url = f"http://{server.address()}"
            print(f"the world was loaded in {time.monotonic() - begin:.1f} s")
            environment = {
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": account(0),
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            accounts = ",".join(account(number) for number in range(arguments.accounts))
            command = [program, "rpo", "--objective", "26h", "--account", accounts, "--json"]
            code, took, peak = measured(command, environment, folder / "rpo.json")
            told = json.loads((folder / "rpo.json").read_text())
        finally:
            server.stop()
    print(f"exit code {code}, {len(told['places'])} places, {told['missed']} missed, not read: {told['not_read'][:3]}")
    print(f"{took:.1f} s, {peak:.0f} MiB at the peak")


if __name__ == "__main__":
    main()
