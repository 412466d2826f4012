"""HTTP/1.1 messages on asyncio's streams: as much of it as AWS's clients and runtime clients use."""

import asyncio
import dataclasses
import time

# What concerns one connection alone, and what is said anew for the next.
OF_CONNECTIONS = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclasses.dataclass(frozen=True)
class Message:
    """A request or an answer. `first` is its first line; the names of headers are in lower case."""

    first: str
    headers: dict
    body: bytes

    def words(self):
        """Method, path and version; or version, status and reason."""
        return self.first.split(" ", 2)

    def keeps_alive(self):
        return self.headers.get("connection", "").lower() != "close"


async def read_head(reader):
    """The first line and the headers, or None where the connection ended before another message."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return first, headers


async def read_body(reader, headers):
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length") or 0))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    # Trailers, and the empty line after them.
    while (await reader.readline()).strip():
        pass
    return body


def written(message):
    headers = {name: value for name, value in message.headers.items() if name not in OF_CONNECTIONS}
    headers["content-length"] = str(len(message.body))
    lines = [message.first, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + message.body


class Server:
    """Answers requests on loopback. `answer(request, connection, arrived)` is asked for each: the number of its connection, counted
    from 1, and when its head had arrived, by `time.perf_counter`."""

    def __init__(self, answer):
        self._answer = answer
        self._servers, self._connections = [], {}
        self._opened = 0

    async def listen(self, tls=None):
        """Answers the port. A client that opens many connections at once isn't to wait for its turn."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls, backlog=512)
        self._servers.append(server)
        return server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        self._opened += 1
        number = self._opened
        self._connections[number] = asyncio.current_task()
        try:
            while head := await read_head(reader):
                arrived = time.perf_counter()
                request = Message(*head, await read_body(reader, head[1]))
                writer.write(written(await self._answer(request, number, arrived)))
                await writer.drain()
                if not request.keeps_alive():
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The client is gone, or the server is stopped.
            pass
        finally:
            writer.close()
            del self._connections[number]

    async def stop(self):
        for server in self._servers:
            server.close()
        serving = list(self._connections.values())
        for one in serving:
            one.cancel()
        await asyncio.gather(*serving)


class Pool:
    """Connections to one address, kept for the next call."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self._idle = []

    async def call(self, message):
        """Sends a request and answers its answer."""
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(written(message))
            head = await read_head(reader)
            if head is None:
                raise ConnectionError(f"{self.host}:{self.port} ended the connection of `{message.first}`")
            answer = Message(*head, await read_body(reader, head[1]))
        except BaseException:
            writer.close()
            raise
        if answer.keeps_alive():
            self._idle.append((reader, writer))
        else:
            writer.close()
        return answer

    def close(self):
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()
