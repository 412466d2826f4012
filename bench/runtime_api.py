"""Lambda's Runtime API on loopback, and a bootstrap that asks it for events, with what it takes of time, processor and memory."""

import asyncio
import dataclasses
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from http_messages import Message, Server

API = "/2018-06-01/runtime"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:111122223333:function:copy-remediator"
# Of a function's one invocation.
TIMEOUT_SECONDS = 60


class FunctionFailed(Exception):
    """The bootstrap ended, or answered with an error."""


@dataclasses.dataclass(frozen=True)
class Answered:
    """An answer, and how it stood then. `after_spawn` and `took` are seconds, `processor` the seconds of all the process's threads
    since the spawn, `peak` the most memory that it had, in bytes."""

    body: object
    after_spawn: float
    took: float
    processor: float
    peak: int


class RunningFunction:
    """A bootstrap with a Runtime API of its own. `command` may be its tracer's, followed by the bootstrap's."""

    def __init__(self, command, environment, log, function_arn=FUNCTION_ARN):
        self._command, self._environment, self._log, self._function_arn = command, environment, log, function_arn
        self._events, self._answers = asyncio.Queue(), {}
        self._polls = asyncio.Event()
        self._server = Server(self._answer)
        self._process = None
        self._count = 0

    async def __aenter__(self):
        environment = self._environment | {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{await self._server.listen()}"}
        with self._log.open("ab") as output:
            self.spawned = time.perf_counter()
            self._process = subprocess.Popen(
                [str(word) for word in self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        return self

    async def __aexit__(self, *_):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        await self._server.stop()

    @property
    def pid(self):
        return self._process.pid

    def processor(self):
        """Seconds of user and system time, of threads that ended, too. The kernel's clock of another process: what `/proc` tells is
        rounded to hundredths."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def peak(self):
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) * 1024

    def bytes_read(self):
        """By `read` and its like, until now; what is mapped isn't counted."""
        return int(re.search(r"^rchar: (\d+)$", Path(f"/proc/{self.pid}/io").read_text(), re.MULTILINE)[1])

    async def first_poll(self):
        """Seconds from the spawn to the first request for an event. Nothing answers it before `invoke`."""
        await self._until(self._polls.wait())
        return self.first_polled - self.spawned

    async def invoke(self, event):
        self._count += 1
        invocation = f"00000000-0000-4000-8000-{self._count:012}"
        self._answers[invocation] = asyncio.get_running_loop().create_future()
        await self.first_poll()
        self._events.put_nowait((invocation, json.dumps(event).encode()))
        return await self._until(self._answers[invocation])

    async def _until(self, awaited):
        """What is awaited, or an error when the process ends before."""
        awaited = asyncio.ensure_future(awaited)
        end = time.monotonic() + TIMEOUT_SECONDS
        while not awaited.done():
            await asyncio.wait([awaited], timeout=0.5)
            if not awaited.done() and (self._process.poll() is not None or time.monotonic() > end):
                awaited.cancel()
                told = self._log.read_text(errors="replace")[-2000:]
                raise FunctionFailed(f"no answer (exit code {self._process.poll()}); the log {self._log} ends with:\n{told}")
        return awaited.result()

    async def _answer(self, request, _, arrived):
        method, path, _ = request.words()
        if (method, path) == ("GET", f"{API}/invocation/next"):
            return await self._next(arrived)
        return self._told(path, request.body, arrived)

    async def _next(self, arrived):
        if not self._polls.is_set():
            self.first_polled = arrived
            self._polls.set()
        invocation, event = await self._events.get()
        self._handed = time.perf_counter()
        headers = {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": invocation,
            "lambda-runtime-deadline-ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
            "lambda-runtime-invoked-function-arn": self._function_arn,
            "lambda-runtime-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
        }
        return Message("HTTP/1.1 200 OK", headers, event)

    def _told(self, path, body, arrived):
        found = re.fullmatch(rf"{API}/invocation/([^/]+)/(response|error)", path)
        if found and (answer := self._answers.get(found[1])) and not answer.done():
            processor, peak = self.processor(), self.peak()
            if found[2] == "response":
                took = arrived - self._handed
                answer.set_result(Answered(json.loads(body), arrived - self.spawned, took, processor, peak))
            else:
                answer.set_exception(FunctionFailed(body.decode(errors="replace")))
        return Message("HTTP/1.1 202 Accepted", {"content-type": "application/json"}, b'{"status":"OK"}')
