"""Fixtures: moto once, a world, a sandbox in front of moto and a function for every test."""

import json
import os
import platform
import shutil
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from function import TIMEOUT_SECONDS, Function
from processes import Process
from world import World

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / ".test-tools"
LOGS = TOOLS / "logs"


def program(variable, default):
    path = ROOT / os.environ.get(variable, default)
    if not path.is_file():
        pytest.exit(f"{path} is missing: run `make test`, or name the program in {variable}", returncode=2)
    return path


def pytest_configure():
    # So that the fixtures clean up when the run is ended from outside.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


@pytest.fixture(scope="session")
def bootstrap():
    return program("COPYMEND_BOOTSTRAP", ".aws-sam/build/CopyRemediator/bootstrap")


@pytest.fixture(scope="session")
def advisor_bootstrap():
    return program("COPYMEND_ADVISOR_BOOTSTRAP", ".aws-sam/build/AccessAdvisor/bootstrap")


@pytest.fixture(scope="session")
def copymend_program():
    return program("COPYMEND_PROGRAM", "target/debug/copymend")


@pytest.fixture(scope="session")
def emulator():
    """The emulator that the SAM CLI ships; its package forgets the executable bit."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    name = f"aws-lambda-rie-{machine}"
    found = sorted((TOOLS / "sam").glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"))
    if not found:
        pytest.exit(f"{name} is missing: run tests/black_box/install sam", returncode=2)
    copy = TOOLS / name
    shutil.copyfile(found[0], copy)
    copy.chmod(0o755)
    return copy


@pytest.fixture(scope="session")
def moto_url():
    process = Process("moto", [sys.executable, ROOT / "sandbox" / "aws_services.py"], LOGS / "moto.log")
    try:
        yield f"http://{process.address()}"
    finally:
        process.stop()


@pytest.fixture
def logs(request):
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in request.node.name)[:100]
    return LOGS / f"{request.node.path.stem}-{name}"


@pytest.fixture
def make_world(moto_url, copymend_program, logs):
    """Makes the test's world and the sandbox that serves it. Arguments as for World."""
    processes = []

    def make(**arguments):
        urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST"), timeout=20).close()
        world = World(moto_url, **arguments)
        logs.mkdir(parents=True, exist_ok=True)
        file = logs / "world.json"
        file.write_text(json.dumps(world.file(), indent=2))
        arguments = ["sandbox", "serve", "--listen", "127.0.0.1:0", "--world", file, "--aws", moto_url]
        process = Process("sandbox", [copymend_program, *arguments], logs / "sandbox.log")
        processes.append(process)
        world.endpoint_url = f"http://{process.address()}"
        world.stop_sandbox = process.stop
        return world

    try:
        yield make
    finally:
        for process in processes:
            process.stop()


@pytest.fixture
def functions():
    """The functions that a test starts; stopped at its end."""
    running = []
    try:
        yield running
    finally:
        for function in running:
            function.stop()


@pytest.fixture
def start(bootstrap, emulator, logs, functions):
    """Starts the copy remediator in a world, with settings that replace World.environment's."""
    return starter(bootstrap, emulator, logs, functions)


@pytest.fixture
def start_advisor(advisor_bootstrap, emulator, logs, functions):
    """Starts the access advisor in a world, with settings that replace World.environment's."""
    return starter(advisor_bootstrap, emulator, logs, functions)


def starter(bootstrap, emulator, logs, functions):
    def start(world, **settings):
        env = world.environment(**({"AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT_SECONDS)} | settings))
        function = Function(emulator, bootstrap, env, logs / f"function-{len(functions)}.log")
        functions.append(function)
        return function

    return start
