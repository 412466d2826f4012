"""An AWS endpoint that passes every call on, lets it take a settable time, and records it. Calls side by side wait side by side."""

import asyncio
import dataclasses
import ssl
import time
from urllib.parse import urlsplit

from calls import Call, named
from http_messages import Pool, Server


class Endpoint:
    """At two addresses, one of them with TLS. A call that the upstream takes longer for than the latency takes that longer time."""

    def __init__(self, upstream, latency, certificate, key):
        self.latency = latency
        self._host = urlsplit(upstream).netloc
        self._pool = Pool(*self._host.split(":"))
        self._server = Server(self._answer)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate, key)
        self._calls = []

    async def start(self):
        plain, secure = await self._server.listen(), await self._server.listen(self._tls)
        self.urls = {"http": f"http://127.0.0.1:{plain}", "tls": f"https://127.0.0.1:{secure}"}

    def take(self):
        """What was called since the last time."""
        calls, self._calls = self._calls, []
        return calls

    async def _answer(self, request, connection, begin):
        passed_on = dataclasses.replace(request, headers=request.headers | {"host": self._host})
        rest = self.latency - (time.perf_counter() - begin)
        answer, _ = await asyncio.gather(self._pool.call(passed_on), asyncio.sleep(rest))
        method, path, _ = request.words()
        service, operation, detail = named(method, path, request.headers, request.body)
        status = int(answer.words()[1])
        self._calls.append(Call(service, operation, begin, time.perf_counter(), detail, connection, status))
        return answer

    async def stop(self):
        await self._server.stop()
        self._pool.close()
