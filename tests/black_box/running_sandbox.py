"""`make sandbox`, running."""

import contextlib
import os
import re
from pathlib import Path

import boto3
from botocore.config import Config

from processes import Process

ROOT = Path(__file__).resolve().parent.parent.parent
WORLD = ROOT / "shared" / "sandbox" / "worlds" / "default.json"
WORKLOADS = "111122223333"


def start_process(program, log, *options):
    """Starts it on a free port, with options of `copymend sandbox serve`, and waits for its address."""
    environment = os.environ | {"COPYMEND_PROGRAM": str(program), "LISTEN": "127.0.0.1:0"}
    process = Process("make sandbox", ["sandbox/run", WORLD, *options], log, env=environment, cwd=ROOT)
    process.address()
    return process


@contextlib.contextmanager
def running_sandbox(program, log, *options):
    """A running sandbox; ended afterwards."""
    process = start_process(program, log, *options)
    try:
        process.wait_until(lambda: process.output().count("COPYMEND_DELAYED_RETRIES_QUEUE_URL") == 2)
        yield Sandbox(process)
    finally:
        process.stop()


class Sandbox:
    """Its two environments, and clients of its services."""

    def __init__(self, process):
        self.process = process
        here, containers = process.output().split("# For programs in containers:")
        self.environment = dict(re.findall(r"^export (\w+)='(.*)'$", here, re.MULTILINE))
        self.of_containers = dict(re.findall(r"^export (\w+)='(.*)'$", containers, re.MULTILINE))
        self.url = self.environment["AWS_ENDPOINT_URL"]

    def credentials(self, account):
        """Credentials of the account, by their names in a configuration file."""
        arguments = {"endpoint_url": self.url, "region_name": "us-east-1"}
        sts = boto3.client("sts", aws_access_key_id="AKIAHARNESS", aws_secret_access_key="secret", **arguments)
        role = f"arn:aws:iam::{account}:role/harness"
        made = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }

    def client(self, service, account=WORKLOADS, region="us-east-1"):
        config = Config(retries={"max_attempts": 1})
        return boto3.client(service, endpoint_url=self.url, region_name=region, config=config, **self.credentials(account))
