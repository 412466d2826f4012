"""Makes the pages that the tests open, with the program itself in sandboxes: `pages.py FOLDER` writes NAME.html and NAME.json of each view.

The worlds are those of the benchmarks, smaller, with more causes and with texts of people who mean harm.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "bench"))

import estate  # noqa: E402
import preflight  # noqa: E402
import rpo  # noqa: E402
import scan  # noqa: E402
from measure import DAY, HOUR, HUBS, SOURCE_REGION, TIME, account, processes, text  # noqa: E402

PROGRAM = ROOT / os.environ.get("COPYMEND_PROGRAM", "target/debug/copymend")
ACCOUNTS = 20
JOBS = 10_000
ROUTES = 600
PLACES = 10_000

# What AWS might print: wordings of several causes, and texts that try to be markup, a link, a line of their own or another direction.
MESSAGES = (
    "Copy job failed because of an internal error. Please try again later",
    "Abort signal detected",
    "You have reached the limit of concurrent copy jobs",
    "</script><script>document.title='forged'</script><img src=https://evil.example/x onerror=\"document.title='forged'\">",
    "all is well\r\nCopymend would: trust https://evil.example/x \u202egnorw\u2066 \u0007\u001b[31mred <b>bold</b> {{7*7}} ${7*7} &lt;i&gt;",
)
# A name that an ARN may hold.
HOSTILE = "<img/src=x/onerror=document.title='forged'>"


def scan_world():
    """Ten thousand copies that failed: for five causes that facts show, and for the messages above."""
    causes = [*estate.FLAWS, *MESSAGES]
    scan.flaw_of = lambda route: causes[route.number % len(causes)]
    world, routes = scan.make_world(JOBS, ROUTES, ACCOUNTS)
    of_vault = {route.source_vault: causes[route.number % len(causes)] for route in routes}
    for job in world["copy_jobs"]:
        cause = of_vault[job["source_vault_arn"]]
        if cause in MESSAGES:
            job["faults"] = [{"message": cause}]
    return world


def preflight_world():
    """Three hundred routes; plans and rules bear names that try to be markup."""
    world, routes = preflight.make_world(2_000, 2, 300, ACCOUNTS)
    for route in routes[:3]:
        plans = world["accounts"][route.owner]["regions"][SOURCE_REGION]["backup_plans"]
        plans[route.plan]["name"] = f"nightly {HOSTILE}"
    return world


def rpo_world():
    """Ten thousand resources: a fifth each was never copied, is late, and has only a part; the others are well. One has an odd name."""
    world = rpo.make_world(PLACES, 1, ACCOUNTS, 12)
    region = world["accounts"][HUBS[0]]["regions"]["eu-west-1"]
    for vault in region["vaults"].values():
        kept = []
        for point in vault["recovery_points"]:
            number = int(point["resource_arn"].rsplit("-", 1)[1])
            if number % 5 == 1:
                point["creation_date"] = text(TIME - DAY * (2 + number % 20) - HOUR)
            if number % 5 == 2:
                point["status"] = "PARTIAL"
            if number % 5 != 0:
                kept.append(point)
        vault["recovery_points"] = kept
    for number in range(ACCOUNTS):
        backups = world["accounts"][account(number)]["regions"][SOURCE_REGION]["vaults"]["prod"]["recovery_points"]
        # A copy that never came is missed only if a backup is older than the objective.
        older = [point | {"arn": point["arn"] + "-older", "creation_date": text(TIME - DAY * 5)} for point in backups]
        backups += [point for point in older if int(point["resource_arn"].rsplit("-", 1)[1]) % 5 == 0]
        for point in backups:
            if point["resource_arn"] == f"arn:aws:ec2:{SOURCE_REGION}:{account(0)}:volume/vol-{0:017}":
                point["resource_arn"] = f"arn:aws:ec2:{SOURCE_REGION}:{account(0)}:volume/{HOSTILE}"
    return world


def make(folder, name, world, command):
    """Serves the world and runs the command once, for the page and for the JSON of the same findings."""
    file = folder / f"{name}-world.json"
    file.write_text(json.dumps(world))
    begin = time.monotonic()
    server = processes.Process("sandbox", [PROGRAM, "sandbox", "serve", "--world", file, "--listen", "127.0.0.1:0"], folder / f"{name}.log")
    try:
        environment = {
            "AWS_ENDPOINT_URL": f"http://{server.address()}",
            "AWS_ACCESS_KEY_ID": account(0),
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": SOURCE_REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        served = time.monotonic()
        page = folder / f"{name}.html"
        told = subprocess.run([PROGRAM, *command, "--json", "--html", page], env=environment, stdout=subprocess.PIPE, check=False)
        (folder / f"{name}.json").write_bytes(told.stdout)
        if not told.stdout or not page.is_file():
            raise SystemExit(f"copymend {name}: exit code {told.returncode}, and no page")
    finally:
        server.stop()
    size = page.stat().st_size
    print(f"{name}: {size / 1e6:.2f} MB, served in {served - begin:.1f} s, made in {time.monotonic() - served:.1f} s", flush=True)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    accounts = ",".join(account(number) for number in range(ACCOUNTS))
    objectives = ["--objective", "26h"]
    make(folder, "scan", scan_world(), ["scan", "--facts", "--account", accounts])
    one_world, _ = scan.make_world(1, 1, 1)
    make(folder, "one", one_world, ["scan", "--facts", "--account", account(0)])
    make(folder, "preflight", preflight_world(), ["preflight", "--account", accounts])
    make(folder, "rpo", rpo_world(), ["rpo", "--account", f"{accounts},{HUBS[0]}", "--region", f"{SOURCE_REGION},eu-west-1", *objectives])


if __name__ == "__main__":
    main()
