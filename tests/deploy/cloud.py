"""One emulator on loopback, and the pinned SAM CLI that deploys to it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import botocore.session
from botocore.config import Config

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path += [str(REPOSITORY / "tests" / "black_box"), str(REPOSITORY / "tests" / "template")]

from processes import Process, accepts, free_ports  # noqa: E402
from terminal import answered  # noqa: E402

SAM = REPOSITORY / ".test-tools" / "sam" / "bin" / "sam"
ACCOUNT = "111122223333"
SECONDS = 150


class Cloud:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="copymend-deploy-"))
        [port] = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "COLUMNS": "200",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.2",
        }
        self._server = Process(
            "emulator",
            [sys.executable, Path(__file__).parent / "emulator.py"],
            self.folder / "emulator.log",
            env=self.env
            | {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_ACCOUNT_ID": ACCOUNT, "SFTP_ENABLED": "0"},
            cwd=self.folder,
        )
        self._server.wait_until(lambda: accepts(port))

    def known_types(self):
        """The types of the table that the emulator knows without a stand-in."""
        return {line.removeprefix("knows ") for line in self._server.output().splitlines() if line.startswith("knows ")}

    def client(self, service, region):
        return botocore.session.get_session().create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"max_attempts": 1}, read_timeout=60),
        )

    def stop(self):
        self._server.stop()
        shutil.rmtree(self.folder)


class Stack:
    """A folder to deploy from: the templates, the project's own samconfig.toml, and small artifacts in place of the functions."""

    def __init__(self, cloud, region, template="template.yaml", name="copymend", bootstraps=None):
        """`bootstraps` are the functions' real programs, by the functions' names."""
        self.cloud, self.region, self.name, self.template = cloud, region, name, template
        self.folder = Path(tempfile.mkdtemp(dir=cloud.folder))
        for file in ("template.yaml", "member.yaml", "samconfig.toml"):
            shutil.copy(REPOSITORY / file, self.folder)
        for function in ("copy-remediator", "access-advisor"):
            code = self.folder / "functions" / function
            code.mkdir(parents=True)
            if bootstraps:
                shutil.copy(bootstraps[function], code / "bootstrap")
            else:
                (code / "bootstrap").write_text(f"#!/bin/sh\necho {function}\n")
        self.env = cloud.env | {"AWS_DEFAULT_REGION": region}

    def guided(self):
        """`sam deploy --guided` with Enter at every question, and a yes to the change set."""
        return answered(
            [str(SAM), "deploy", "--guided"],
            lambda question: "y" if question.startswith("Deploy this changeset?") else "",
            self.env,
            self.folder,
        )

    def sam(self, *arguments):
        run = subprocess.run(
            [SAM, *arguments],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        return run.returncode, run.stdout + run.stderr

    def deploy(self, **parameters):
        """`sam deploy`. Answers the exit code and the output."""
        overrides = [f'{name}="{value}"' for name, value in parameters.items()]
        return self.sam(
            "deploy",
            "--no-confirm-changeset",
            *("--template", self.template, "--stack-name", self.name),
            *(["--parameter-overrides", *overrides] if overrides else []),
        )

    def delete(self):
        return self.sam("delete", "--no-prompts", "--stack-name", self.name, "--region", self.region)

    def client(self, service):
        return self.cloud.client(service, self.region)

    def status(self):
        [stack] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return stack["StackStatus"]

    def outputs(self):
        [stack] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def resources(self):
        """Logical to physical ids and types."""
        found = self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return {one["LogicalResourceId"]: (one["PhysicalResourceId"], one["ResourceType"]) for one in found}

    def tables(self):
        return set(self.client("dynamodb").list_tables()["TableNames"])

    def variables(self, function="CopyRemediator"):
        name, _ = self.resources()[function]
        return self.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def admitted(self, role):
        """Who may assume a role, under which condition: the statements of its trust policy."""
        name, _ = self.resources()[role]
        return self.client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]

    def inline_policies(self, role):
        """The inline policies of a role: what IAM of the emulator holds, with every function of the template resolved."""
        iam, (name, _) = self.client("iam"), self.resources()[role]
        return {
            policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
