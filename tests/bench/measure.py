"""Measures a command against a sandbox in a process of its own: 50 ms a call, AWS's published rates, and nothing behind it."""

import argparse
import dataclasses
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
processes.READY_SECONDS = 600

SOURCE_REGION = "us-east-1"
COPY_REGIONS = ("eu-west-1", "eu-central-1")
# The accounts that copies go to.
HUBS = ("444455556661", "444455556662", "444455556663", "444455556664")
# A world is moved so that this time becomes the present.
TIME = datetime(2026, 11, 2, 6)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Limits:
    """What is wanted at the full size."""

    seconds: float
    megabytes: float


@dataclasses.dataclass(frozen=True)
class Measured:
    code: int
    told: dict
    seconds: float
    megabytes: float


def account(number):
    return f"{100000000000 + number}"


def text(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def vault_arn(owner, region, name):
    return f"arn:aws:backup:{region}:{owner}:backup-vault:{name}"


def role_arn(owner, name):
    return f"arn:aws:iam::{owner}:role/{name}"


def key_id(number):
    return f"{number:08x}-0000-4000-8000-000000000000"


def key_arn(owner, region, number):
    return f"arn:aws:kms:{region}:{owner}:key/{key_id(number)}"


def key_policy(owner, *others):
    """AWS's policy of a new key, and one that lets other accounts use it for copies."""
    statements = [allow(f"arn:aws:iam::{owner}:root", "kms:*")]
    actions = ["kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant"]
    statements += [allow(f"arn:aws:iam::{other}:root", actions) for other in others]
    return {"Version": "2012-10-17", "Statement": statements}


def vault_policy(*sources):
    return {"Version": "2012-10-17", "Statement": [allow(f"arn:aws:iam::{source}:root", "backup:CopyIntoBackupVault") for source in sources]}


def allow(principal, action):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"}


def organization(accounts):
    management = "999988887777"
    members = {owner: "o-exampleorgid/r-ab12/ou-ab12-11111111/" for owner in (*accounts, *HUBS)}
    return {"id": "o-exampleorgid", "management_account": management, "cross_account_backup_enabled": True, "member_accounts": members}


def write(file, world):
    with file.open("w") as output:
        json.dump(world, output)


def arguments(about, **sizes):
    """The command line of a benchmark: its sizes, and `--scale` for trying."""
    parser = argparse.ArgumentParser(description=about)
    for name, size in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--scale", type=float, default=1.0, help="a smaller size, such as 0.01; the limits hold for the whole")
    return parser.parse_args()


def scaled(number, scale):
    return max(1, round(number * scale))


def measure(write_world, command):
    """Serves the world that `write_world` writes into a file, runs the command in it and reads its JSON."""
    program = ROOT / os.environ.get("COPYMEND_PROGRAM", "target/release/copymend")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        world = folder / "world.json"
        write_world(world)
        options = ["--world", world, "--listen", "127.0.0.1:0", "--latency-ms", "50", "--rates", "aws"]
        begin = time.monotonic()
        server = processes.Process("sandbox", [program, "sandbox", "serve", *options], folder / "log")
        try:
            url = f"http://{server.address()}"
            print(f"the world was loaded in {time.monotonic() - begin:.1f} s ({world.stat().st_size / 1e6:.0f} MB)", flush=True)
            environment = {
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": account(0),
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": SOURCE_REGION,
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            code, took, peak = run([program, *command], environment, folder / "told.json")
            answer = (folder / "told.json").read_text()
        finally:
            server.stop()
    if not answer:
        raise SystemExit(f"exit code {code}, and nothing was told")
    return Measured(code, json.loads(answer), took, peak)


def run(command, environment, output):
    """Exit code, seconds, and the peak of memory in megabytes. What the system keeps for children that ended would count this
    process's own."""
    begin = time.monotonic()
    peak = 0
    with output.open("wb") as file, subprocess.Popen(command, env=environment, stdout=file) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            found = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
            peak = max(peak, int(found[1]) if found else 0)
            time.sleep(0.02)
    return process.returncode, time.monotonic() - begin, peak * 1024 / 1e6


def expect(what, found, wanted):
    """A benchmark that counts wrongly measures nothing."""
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, and {wanted!r} was expected")


def judge(measured, limits):
    """Says how it compares with the limits; answers the exit code."""
    print(
        f"{measured.seconds:.1f} s of {limits.seconds:.0f} s, {measured.megabytes:.1f} MB ({measured.megabytes / 1.048576:.1f} MiB) at the "
        f"peak of {limits.megabytes:.0f} MB"
    )
    fits = measured.seconds <= limits.seconds and measured.megabytes <= limits.megabytes
    if not fits:
        print("over a limit")
    return 0 if fits else 1
