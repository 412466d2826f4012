"""The bootstrap under AWS's Runtime Interface Emulator."""

import http.client
import json
import os
import signal
from pathlib import Path

from processes import Process, accepts, free_ports

TIMEOUT_SECONDS = 30
PATH = "/2015-03-31/functions/function/invocations"


class Function:
    """A running function. One invocation at a time: the emulator doesn't survive two."""

    def __init__(self, emulator, bootstrap, env, log):
        for attempt in range(5):
            self.port, runtime_port = free_ports(2)
            arguments = [
                emulator,
                "--log-level",
                "info",
                "--runtime-interface-emulator-address",
                f"127.0.0.1:{self.port}",
                "--runtime-api-address",
                f"127.0.0.1:{runtime_port}",
                bootstrap,
            ]
            self.process = Process("aws-lambda-rie", arguments, log, env=env)
            try:
                self.process.wait_until(lambda: accepts(self.port))
                return
            except RuntimeError:
                # Somebody else may have taken the port since.
                if attempt == 4 or "address already in use" not in self.process.output():
                    raise

    def invoke_raw(self, body):
        """The emulator's status and the answer's bytes. An error of the function is also status 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS + 10)
        try:
            connection.request("POST", PATH, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def invoke(self, event):
        """The function's answer, as JSON: a Report, or an error with `errorType`."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        status, answer = self.invoke_raw(body)
        assert status == 200, f"status {status}: {answer!r}; log: {self.process.log}"
        return json.loads(answer)

    def starts(self):
        """How often the bootstrap was started."""
        return self.process.output().count("INIT START(")

    def stop(self):
        self.process.stop()


def kill_bootstrap(function):
    """Ends the function's process at once, as Lambda does when its time is over. The emulator starts another."""
    emulator = function.process.pid
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        if parent == emulator:
            os.kill(int(entry.name), signal.SIGKILL)
