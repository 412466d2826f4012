"""What is measured side by side: an empty function in Rust, the copy remediator, and the same written plainly in Python."""

import dataclasses
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".test-tools"
RIVAL = ROOT / "bench" / "rival"
# What a deployed function trusts: it carries these, and reads no file.
AMAZON_ROOTS = ROOT / "shared" / "aws" / "src" / "amazon_roots.pem"


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    command: tuple
    environment: dict
    # The files that a deployment would hold.
    files: tuple
    # Which variables tell it what certificates to trust, each with the bundle that it reads where nothing is told. What reads a
    # bundle in AWS is to read as much here.
    trust: dict

    def size(self):
        """Bytes of what is deployed."""
        return sum(file.stat().st_size for root in self.files for file in ([root] if root.is_file() else root.rglob("*")) if file.is_file())


def binary(name, variable, default):
    path = ROOT / os.environ.get(variable, default)
    if not path.is_file():
        raise SystemExit(f"{path} is missing: `make bench` builds it, or name it in {variable}")
    return Program(name, (path,), {}, (path,), {"SSL_CERT_FILE": AMAZON_ROOTS, "AWS_CA_BUNDLE": None})


def copied(program, folder):
    """A program of one file, copied. Where a linker's own file lies in small pieces in the kernel's cache of files, mapping it took up to a
    quarter more of the processor than its copy, and no function in AWS is linked where it runs."""
    copy = Path(shutil.copy(program.command[0], folder / program.name.replace(" ", "-")))
    return dataclasses.replace(program, command=(copy,), files=(copy,))


def floor():
    return binary("floor", "COPYMEND_BENCH_FLOOR", "target/release/bench-floor")


def remediator():
    return binary("copy-remediator", "COPYMEND_BENCH_REMEDIATOR", "target/release/copy-remediator")


def advisor():
    return binary("access-advisor", "COPYMEND_BENCH_ADVISOR", "target/release/access-advisor")


def rival():
    """As Lambda's own bootstrap starts it. What it imports is compiled once, by the first run."""
    python = TOOLS / "bench" / "bin" / "python"
    if not python.is_file():
        raise SystemExit(f"{python} is missing: run tests/black_box/install bench")
    environment = {
        "LAMBDA_TASK_ROOT": str(RIVAL),
        "_HANDLER": "remediator.handler",
        "PYTHONPATH": str(RIVAL),
        "PYTHONPYCACHEPREFIX": str(TOOLS / "bench" / "compiled"),
    }
    command = (python, "-m", "awslambdaric", "remediator.handler")
    return Program("rival", command, environment, (RIVAL, *packages()), {"AWS_CA_BUNDLE": packages_folder() / "botocore" / "cacert.pem"})


def packages():
    """The rival's own packages, less what only installs packages. Lambda's Python has boto3 already; a team that pins it deploys it."""
    left_out = ("pip", "setuptools", "_distutils_hack", "distutils-precedence")
    return tuple(path for path in packages_folder().iterdir() if not path.name.startswith(left_out))


def packages_folder():
    [folder] = (TOOLS / "bench" / "lib").glob("python*/site-packages")
    return folder
