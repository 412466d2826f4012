"""Runs the container tests with the engine that can be had: `run.py [pytest arguments]`.

An engine that already runs is used as it is. Otherwise root gets one of its own, in a network namespace without a way out: the
function and the SAM CLI reach nothing but this machine, and the machine's own network and firewall stay as they are.

Where no engine can be had, the tests that need one are skipped by name. With COPYMEND_CONTAINERS=required they fail instead, and what
is missing is installed first, as root, with apt-get.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import docker

from places import IMAGE, LOGS, REPOSITORY, TAG, WORK

PACKAGES = {"dockerd": "docker.io", "debootstrap": "debootstrap", "iptables": "iptables", "ip": "iproute2"}
SUITE = "bookworm"
# Nothing that a function could need, and a third of the size.
LEFT_OUT = ("./dev/*", "./proc/*", "./sys/*", "./usr/share/doc", "./usr/share/locale", "./usr/share/man", "./var/cache", "./var/lib/apt/lists")


class NoEngine(Exception):
    """Why no engine can be had."""


def engine_runs():
    try:
        return docker.from_env(timeout=10).ping()
    except docker.errors.DockerException:
        return False


def engine_has_image():
    """Whether the engine that runs has the image, or can fetch it."""
    client = docker.from_env(timeout=600)
    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(REPOSITORY, tag=TAG)
        except docker.errors.APIError:
            return False
    finally:
        client.close()
    return True


def missing_packages():
    return [package for program, package in PACKAGES.items() if not shutil.which(program)]


def checked(log, arguments, **settings):
    """Runs a program whose output goes to a log, and tells the log's end if it fails."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("w") as output:
        status = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **settings).returncode
    if status != 0:
        raise NoEngine(f"{arguments[0]} ended with {status}: {path.read_text()[-500:].strip()}")


def install_packages():
    missing = missing_packages()
    if missing and shutil.which("apt-get"):
        print(f"containers: apt-get install {' '.join(missing)}", file=sys.stderr)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        checked("apt-get-update", ["apt-get", "update"], env=quiet)
        checked("apt-get-install", ["apt-get", "install", "--yes", "--no-install-recommends", *missing], env=quiet)


def check_own_engine_can_start():
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NoEngine("no Docker engine answers, and only root can start one")
    missing = missing_packages()
    if missing:
        raise NoEngine(f"no Docker engine answers, and to start one these packages are missing: {' '.join(missing)} (as root, `make local` installs them)")
    checked("unshare", ["unshare", "--net", "ip", "link", "set", "lo", "up"])


def base_archive():
    """The file system of a small Debian. It stands in for Amazon Linux 2023, whose image only a registry has; it is made once."""
    archive = WORK / f"debian-{SUITE}.tar"
    if archive.is_file():
        return archive
    print(f"containers: debootstrap of Debian {SUITE} into {archive.relative_to(WORK.parent.parent)}", file=sys.stderr)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        root, part = Path(folder) / "root", Path(folder) / "part.tar"
        # What it mounts goes with the namespace, also when it is ended from outside.
        checked("debootstrap", ["unshare", "--mount", "debootstrap", "--variant=minbase", SUITE, root], timeout=900)
        checked("tar", ["tar", "--create", "--file", part, "--directory", root, *(f"--exclude={path}" for path in LEFT_OUT), "."])
        part.rename(archive)
    return archive


def command(required):
    """What to put before pytest, and its environment."""
    runs = engine_runs()
    if not runs and required and os.geteuid() == 0:
        install_packages()
        # On some machines the package starts its engine.
        runs = engine_runs()
    if runs:
        return [], {} if engine_has_image() else {"COPYMEND_BASE_ARCHIVE": str(base_archive())}
    check_own_engine_can_start()
    return ["unshare", "--net"], {"COPYMEND_OWN_ENGINE": "1", "COPYMEND_BASE_ARCHIVE": str(base_archive())}


def main(arguments):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    required = os.environ.get("COPYMEND_CONTAINERS") == "required"
    try:
        prefix, environment = command(required)
    except (NoEngine, OSError, subprocess.TimeoutExpired) as error:
        if required:
            sys.exit(f"containers: {error}")
        prefix, environment = [], {"COPYMEND_NO_ENGINE": str(error)}
    pytest = [*prefix, sys.executable, "-m", "pytest", str(Path(__file__).parent), *arguments]
    os.execvpe(pytest[0], pytest, os.environ | environment)


if __name__ == "__main__":
    main(sys.argv[1:])
