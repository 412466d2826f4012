"""The Docker engine of the tests and the image that the SAM CLI builds upon."""

import contextlib
import ipaddress
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import docker

from places import IMAGE, LOGS, RAPID_IMAGE, REPOSITORY, TAG, WORK
from processes import Process


class EngineError(Exception):
    """Why there is no engine, or no image."""


@contextlib.contextmanager
def own_engine(archive):
    """Starts an engine of our own, with the archive as its image. Its data is thrown away at the end."""
    # Not under .test-tools: the path of a socket is at most 107 bytes long.
    folder = Path(tempfile.mkdtemp(prefix="copymend-"))
    data = WORK / "engine"
    host = f"unix://{folder}/docker.sock"
    shutil.rmtree(data, ignore_errors=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # What goes elsewhere vanishes without an answer: no machine without network is worse.
    subprocess.run(["ip", "route", "add", "blackhole", "default"], check=True)
    arguments = ["dockerd", "--data-root", data, "--exec-root", folder / "exec", "--pidfile", folder / "dockerd.pid", "--host", host]
    process = Process("dockerd", arguments, LOGS / "dockerd.log")
    try:
        client = process.wait_until(lambda: reachable(host))
        try:
            client.api.import_image_from_file(archive, repository=REPOSITORY, tag=TAG)
            yield host
        finally:
            for container in client.containers.list(all=True):
                container.remove(force=True)
            client.close()
    except (RuntimeError, docker.errors.DockerException) as error:
        raise EngineError(str(error)) from error
    finally:
        process.stop()
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def reachable(host):
    """A client of the engine, once it answers."""
    try:
        return docker.DockerClient(base_url=host, timeout=60)
    except docker.errors.DockerException:
        return None


@contextlib.contextmanager
def running_engine(archive):
    """The engine that already runs. With an archive it has no image of its own; the archive is taken out again at the end."""
    client = docker.from_env(timeout=600)
    with contextlib.closing(client):
        if archive:
            client.api.import_image_from_file(archive, repository=REPOSITORY, tag=TAG)
        try:
            yield os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        finally:
            if archive:
                for name in (RAPID_IMAGE, IMAGE):
                    with contextlib.suppress(docker.errors.ImageNotFound):
                        client.images.remove(name, force=True)


def gateway(host):
    """The address at which a container reaches this machine."""
    with contextlib.closing(docker.DockerClient(base_url=host)) as client:
        configuration = client.networks.get("bridge").attrs["IPAM"]["Config"][0]
        # An engine that chose the network itself names no gateway: it takes the first address.
        return configuration.get("Gateway") or str(ipaddress.ip_network(configuration["Subnet"])[1])
