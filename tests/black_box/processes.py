"""Starts programs on loopback, waits until they are ready, and stops exactly those."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

READY_SECONDS = 30


class Process:
    """A program in a process group of its own. Its output goes to a log file."""

    def __init__(self, name, arguments, log, env=None, cwd=None):
        self.name = name
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self._process.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def is_running(self):
        return self._process.poll() is None

    def wait_until(self, is_ready):
        """Waits until `is_ready()` answers something, and returns it. Stops the program if it never does."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            answer = is_ready()
            if answer:
                return answer
            if not self.is_running():
                break
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"{self.name} did not become ready; its log {self.log} ends with:\n{self.output()[-2000:]}")

    def address(self):
        """The address of the line `listening on HOST:PORT`."""

        def line():
            return re.search(r"^listening on (\S+:\d+)$", self.output(), re.MULTILINE)

        return self.wait_until(line)[1]

    def stop(self):
        for end in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, end)
                self._process.wait(timeout=5)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(timeout=5)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
