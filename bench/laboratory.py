"""What every measurement needs: the sandbox with the benchmark's world, the recording endpoint before it, and functions that run there."""

import contextlib
import json
import os
import re
import sys
import tempfile
import urllib.request
from pathlib import Path

import certificates
from endpoint import Endpoint
from programs import ROOT
from runtime_api import FUNCTION_ARN, RunningFunction
from world import ORGANIZATION

sys.path.insert(0, str(ROOT / "tests" / "black_box"))

import processes  # noqa: E402

# A world with a storm takes its time.
processes.READY_SECONDS = 300
LATENCY_SECONDS = 0.05


class Laboratory:
    """Made by `opened`."""

    def __init__(self, folder, environment, endpoint, authority):
        self.folder, self.endpoint = folder, endpoint
        self._environment, self._authority = environment, authority
        self._sandbox_url = environment["AWS_ENDPOINT_URL"]
        self._runs = 0

    def event(self, name):
        """The event of a copy job, by its name in the world."""
        return self._control(f"event/{name}")

    def copy(self, job_id):
        """A copy job as it stands."""
        return next(job for job in self._control("copies") if job["CopyJobId"] == job_id)

    def _control(self, path):
        with urllib.request.urlopen(f"{self._sandbox_url}/_sandbox/{path}", timeout=30) as answer:
            return json.load(answer)

    def run(self, program, over="tls", traced_by=(), function_arn=FUNCTION_ARN, **settings):
        """A function in Lambda's environment, over `http` or `tls`; settings replace the sandbox's. To be entered with `async with`."""
        self._runs += 1
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": "bootstrap",
            "LAMBDA_TASK_ROOT": "/var/task",
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "AWS_LAMBDA_FUNCTION_NAME": "copy-remediator",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/copy-remediator",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/02/[$LATEST]0123456789abcdef0123456789abcdef",
            **self._environment,
            **(self._trust(program) if over == "tls" else {}),
            "AWS_ENDPOINT_URL": self.endpoint.urls[over],
            "COPYMEND_ORGANIZATION_ID": ORGANIZATION,
            # No budget ends a storm or a long benchmark.
            "COPYMEND_SOURCE_RETRY_BUDGET": "100000",
            "COPYMEND_SOURCE_WRITE_BUDGET": "10000",
            "COPYMEND_SOURCE_MESSAGE_BUDGET": "10000",
            **program.environment,
            **settings,
        }
        log = self.folder / f"{program.name}-{self._runs}.log"
        return RunningFunction([*traced_by, *program.command], environment, log, function_arn)

    def _trust(self, program):
        """What makes it trust the endpoint, too."""
        variables = {}
        for variable, bundle in program.trust.items():
            file = self.folder / f"{program.name}-{variable}.pem"
            if not file.exists():
                file.write_bytes((bundle.read_bytes() if bundle else b"") + self._authority.read_bytes())
            variables[variable] = str(file)
        return variables


@contextlib.asynccontextmanager
async def opened(world, latency=LATENCY_SECONDS):
    """A laboratory in a world, given as JSON or as a world file. It leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="copymend-bench-") as folder:
        folder = Path(folder)
        file = world if isinstance(world, Path) else folder / "world.json"
        if file is not world:
            file.write_text(json.dumps(world))
        authority, certificate, key = certificates.make(folder)
        sandbox = start_sandbox(file, folder / "sandbox.log")
        try:
            environment = printed(sandbox)
            endpoint = Endpoint(environment["AWS_ENDPOINT_URL"], latency, certificate, key)
            await endpoint.start()
            try:
                yield Laboratory(folder, environment, endpoint, authority)
            finally:
                await endpoint.stop()
        finally:
            sandbox.stop()


def start_sandbox(world, log):
    environment = os.environ | {"LISTEN": "127.0.0.1:0"}
    return processes.Process("sandbox", ["sandbox/run", world], log, env=environment, cwd=ROOT)


def printed(sandbox):
    """The environment that the sandbox prints for programs on this machine."""
    sandbox.wait_until(lambda: sandbox.output().count("COPYMEND_DELAYED_RETRIES_QUEUE_URL") == 2)
    here, _, _ = sandbox.output().partition("# For programs in containers:")
    return dict(re.findall(r"^export (\w+)='(.*)'$", here, re.MULTILINE))
