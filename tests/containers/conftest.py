"""Fixtures: one engine for all tests, and the command that a user types."""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import engine as engines
from places import ARCHITECTURE, BUILT, FUNCTIONS, PROGRAM, ROOT, SAM

TABLE = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[TABLE] = []
    # So that the fixtures clean up when the run is ended from outside.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


@pytest.fixture(scope="session")
def bootstraps():
    """The built functions, by name."""
    built = {name: BUILT / name / "bootstrap" for name in FUNCTIONS}
    missing = [str(path.relative_to(ROOT)) for path in built.values() if not path.is_file()]
    if missing:
        pytest.exit(f"run `make build` first; missing: {', '.join(missing)}", returncode=2)
    return built


@pytest.fixture(scope="session")
def copymend():
    """Runs the command line and answers what it prints."""
    if not PROGRAM.is_file():
        pytest.exit(f"{PROGRAM} is missing: run `make programs`", returncode=2)

    def run(*arguments, **settings):
        done = subprocess.run([PROGRAM, *arguments], env=os.environ | settings, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def engine():
    """The engine's address. What stands in its way skips the test, or fails it where containers are required."""
    without = pytest.fail if os.environ.get("COPYMEND_CONTAINERS") == "required" else pytest.skip
    if reason := os.environ.get("COPYMEND_NO_ENGINE"):
        without(reason)
    archive = os.environ.get("COPYMEND_BASE_ARCHIVE")
    start = engines.own_engine if "COPYMEND_OWN_ENGINE" in os.environ else engines.running_engine
    running = start(archive)
    try:
        host = running.__enter__()
    except engines.EngineError as error:
        without(str(error))
    try:
        yield host
    finally:
        running.__exit__(None, None, None)


class Answer:
    """What one `sam local invoke` printed, and how long it took: in all, and in the function."""

    def __init__(self, done, seconds):
        self.status, self.output, self.log, self.seconds = done.returncode, done.stdout, done.stderr, seconds

    def json(self):
        assert self.status == 0, self.log[-3000:]
        try:
            return json.loads(self.output)
        except ValueError:
            pytest.fail(f"no JSON on standard output: {self.output!r}; log: {self.log[-3000:]}")

    def function_seconds(self):
        """Nothing where the SAM CLI ended before it had printed the emulator's last line."""
        found = re.search(r"^REPORT .*\tDuration: ([\d.]+) ms", self.log, re.MULTILINE)
        return float(found[1]) / 1000 if found else None


@pytest.fixture(scope="session")
def invoke(engine, bootstraps, tmp_path_factory):
    """Types `sam local invoke` in the project's folder, as somebody without AWS credentials."""
    home = tmp_path_factory.mktemp("home")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_HOST": engine, "SAM_CLI_TELEMETRY": "0", "LC_ALL": "C.UTF-8"}
    # What the template says without parameters is x86_64.
    natively = [] if ARCHITECTURE == "x86_64" else ["--parameter-overrides", f"Architecture={ARCHITECTURE}"]

    def invoke(function, event, *arguments, **settings):
        start = time.monotonic()
        done = subprocess.run(
            [SAM, "local", "invoke", function, "--event", event, *natively, *arguments],
            cwd=ROOT,
            env=environment | settings,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Answer(done, time.monotonic() - start)

    return invoke


@pytest.fixture
def invoke_timed(invoke):
    """The same for what may be invoked again: until the function's own time is told, three times at most."""

    def invoke_timed(*arguments, **settings):
        for _ in range(3):
            answer = invoke(*arguments, **settings)
            if answer.function_seconds() is not None:
                return answer
        pytest.fail(f"the emulator tells no time: {answer.log[-3000:]}")

    return invoke_timed


@pytest.fixture
def note(request):
    """Adds a line to the table at the end."""

    def add(event, answer, report):
        request.config.stash[TABLE].append(
            (event, report["diagnosis"]["cause"], report["outcome"], answer.function_seconds(), answer.seconds)
        )

    return add


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash[TABLE]
    if rows:
        terminalreporter.section("sam local invoke")
        terminalreporter.write_line(f"{'event':52} {'cause':32} {'outcome':20} {'function':>9} {'in all':>9}")
        for event, cause, outcome, function, seconds in rows:
            own = "-" if function is None else f"{function:.2f} s"
            terminalreporter.write_line(f"{event:52} {cause:32} {outcome:20} {own:>9} {seconds:7.1f} s")
