"""A proxy between the function and its AWS endpoint that lets one call go wrong.

The call with the chosen number, and its repetitions by the SDK, meet the fault:

    throttled, unavailable, denied    answered so, and never passed on
    accepted                          answered with success and nothing else, and never passed on
    cut-before, cut-after             the connection is closed without an answer, before or after the call is passed on
    killed-before, killed-after       the function's process is killed, before or after the call is passed on
"""

import http.client
import http.server
import threading
from urllib.parse import urlsplit

FAULTS = ["throttled", "unavailable", "denied", "cut-before", "cut-after", "killed-before", "killed-after"]
ANSWERS = {
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "unavailable": (503, "ServiceUnavailableException", "try again later"),
    "denied": (403, "AccessDeniedException", "not authorized"),
}
# The SDK sends a request up to three times; a fault that only met the first would be no fault for the function.
REPEATED = {*ANSWERS, "cut-before"}
SDK_REPETITIONS = 2


class Faults:
    """What goes wrong, and what was called."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = []
        self.number = None
        self.fault = None
        self.kill = lambda: None
        # Faults that every call meets whose name has this part.
        self.always = {}
        self._broken = None
        self._repetitions = 0

    def break_call(self, number, fault):
        with self.lock:
            self.calls, self.number, self.fault = [], number, fault
            self._broken, self._repetitions = None, 0

    def mend(self):
        self.break_call(None, None)

    @staticmethod
    def change(_name, answer):
        """What becomes of an answer that was passed on."""
        return answer

    def of(self, name, body):
        """The fault that this request meets, if any."""
        identity = (name, body)
        with self.lock:
            for part, fault in self.always.items():
                if part in name:
                    return fault
            if identity == self._broken and self.fault in REPEATED and self._repetitions < SDK_REPETITIONS:
                self._repetitions += 1
                return self.fault
            self.calls.append(name)
            if self.number is not None and len(self.calls) - 1 == self.number:
                self._broken = identity
                return self.fault
        return None


def operation(method, path, headers, body):
    """A name for people: the operation where the request tells it."""
    target = headers.get("X-Amz-Target")
    if target:
        return target.split(".")[-1]
    for part in body.decode(errors="replace").split("&"):
        if part.startswith("Action="):
            return part.removeprefix("Action=")
    return f"{method} {path.split('?')[0]}"


class Proxy:
    """Passes requests on to the endpoint."""

    def __init__(self, upstream, faults):
        self.host = urlsplit(upstream).netloc
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                name = operation(self.command, self.path, self.headers, body)
                fault = faults.of(name, body)
                if fault in ANSWERS:
                    self._refuse(*ANSWERS[fault])
                elif fault == "accepted":
                    self._answer(200, [], b"")
                elif fault == "cut-before":
                    self._cut()
                elif fault == "killed-before":
                    faults.kill()
                    self._cut()
                else:
                    answer = proxy.pass_on(self.command, self.path, self.headers, body)
                    if fault == "killed-after":
                        faults.kill()
                    if fault in ("cut-after", "killed-after"):
                        self._cut()
                    else:
                        status, sent, text = answer
                        self._answer(status, sent, faults.change(name, text))

            do_GET = do_POST = do_PUT = do_DELETE = _any

            def _refuse(self, status, code, message):
                # Both protocols at once: JSON services read the header, query services the XML.
                error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
                is_ec2 = "/ec2/" in (self.headers.get("Authorization") or "")
                xml = f"<Response><Errors>{error}</Errors></Response>" if is_ec2 else f"<ErrorResponse>{error}</ErrorResponse>"
                json = f'{{"__type":"{code}","message":"{message}"}}'
                is_query = "form" in (self.headers.get("Content-Type") or "")
                text = (xml if is_query else json).encode()
                self._answer(status, [("x-amzn-errortype", code)], text)

            def _answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _cut(self):
                self.close_connection = True
                self.connection.close()

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (OSError, ValueError):
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, method, path, headers, body):
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            kept = {k: v for k, v in headers.items() if k.lower() not in ("connection", "host", "content-length")}
            connection.request(method, path, body, kept | {"Content-Length": str(len(body))})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
