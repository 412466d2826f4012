"""The sandbox that the blocks of the pages run against: moto and `copymend sandbox serve`, as `sandbox/run` starts them, and before them a
stand-in for what neither answers and the pages need: a stack `copymend`, whose function has the sandbox's settings, and the role
`copymend/CopymendReader` in each account.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

READY_SECONDS = 60
STACK = "copymend"
FUNCTION = "copymend-CopyRemediator-1A2B3C"
# As moto's sandbox has it, under the name that the pages use.
ROLE, READER = "CopymendMember", "copymend/CopymendReader"


@contextmanager
def running(clone, tools, program, folder):
    """Starts it, with what it logs in `folder`, and answers the environment of programs on this machine."""
    with _started("moto", [tools / "tests/bin/python", "sandbox/aws_services.py", "--world", _world(clone)], clone, folder) as moto:
        address = moto(r"^listening on (\S+)$")[1]
        options = ["--world", _world(clone), "--listen", "127.0.0.1:0", "--aws", f"http://{address}", "--env-vars", folder / "containers.json"]
        with _started("serve", [program, "sandbox", "serve", *options], clone, folder) as serve:
            printed = serve(r"(?s)# For programs on this machine:\n(.*?)\n\n")[1]
            environment = dict(re.findall(r"^export (\w+)='(.*)'$", printed, re.MULTILINE))
            with _stand_in(environment) as front:
                yield environment | {"AWS_ENDPOINT_URL": front}


@contextmanager
def emulating(clone, tools, folder):
    """Starts the emulator of CloudFormation that the tests of deployments use, and answers its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_ACCOUNT_ID": "111122223333", "SFTP_ENABLED": "0"}
    with _started("emulator", [tools / "deploy/bin/python", "tests/deploy/emulator.py"], clone, folder, settings) as emulator:
        emulator(r"^knows ")
        _wait_until_open(port)
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAM_CLI_POLL_DELAY": "0.2",
            "TERM": "dumb",
            "COLUMNS": "200",
        }


def _wait_until_open(port):
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the emulator did not open its port")


def _world(clone):
    return clone / "shared/sandbox/worlds/default.json"


@contextmanager
def _started(name, command, clone, folder, settings=None):
    if not Path(command[0]).is_file():
        raise RuntimeError(f"{command[0]} is missing: run tests/black_box/install tests sam deploy")
    log = folder / f"{name}.log"
    # No variable of whoever runs this may be a setting of the sandbox.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "COPYMEND_"))} | (settings or {})
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=clone, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )

    def wait_for(pattern):
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and process.poll() is None:
            found = re.search(pattern, log.read_text(errors="replace"), re.MULTILINE)
            if found:
                return found
            time.sleep(0.05)
        raise RuntimeError(f"{name} of the sandbox did not become ready:\n{log.read_text(errors='replace')[-2000:]}")

    try:
        yield wait_for
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _stand_in(environment):
    behind = urllib.parse.urlsplit(environment["AWS_ENDPOINT_URL"])
    settings = {name: value for name, value in environment.items() if name.startswith("COPYMEND_")}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service = re.search(r"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/", self.headers.get("Authorization", ""))
            if service and service[1] == "cloudformation":
                self.send(*_stack(dict(urllib.parse.parse_qsl(body.decode()))))
            elif service and service[1] == "lambda":
                self.send(*_function(self.command, self.path, settings))
            else:
                self.forward(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer

        def forward(self, body):
            # The sandbox has the role under another name, and asks for an external id.
            reader = urllib.parse.quote(READER, safe="").encode()
            if reader in body and b"Action=AssumeRole" in body:
                body = body.replace(reader, ROLE.encode()) + b"&ExternalId=" + environment["COPYMEND_EXTERNAL_ID"].encode()
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("content-length", "connection")}
            connection = http.client.HTTPConnection(behind.hostname, behind.port, timeout=60)
            connection.request(self.command, self.path, body=body or None, headers=headers | {"Content-Length": str(len(body))})
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in ("content-length", "transfer-encoding", "connection")}
            self.send(answer.status, answer.read(), kept)
            connection.close()

        def send(self, status, body, headers):
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _stack(asked):
    """What AWS CloudFormation answers of the one stack."""
    action, name = asked.get("Action"), asked.get("StackName")
    if name != STACK or action not in ("ListStackResources", "DescribeStacks"):
        message = f"Stack with id {name} does not exist" if name != STACK else f"the stand-in has no {action}"
        text = f"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
        return 400, text.encode(), {"Content-Type": "text/xml"}
    if action == "ListStackResources":
        resources = (("CopyRemediator", FUNCTION, "AWS::Lambda::Function"), ("Ledger", "copymend-ledger", "AWS::DynamoDB::Table"))
        members = "".join(
            f"<member><LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{physical}</PhysicalResourceId>"
            f"<ResourceType>{kind}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
            for logical, physical, kind in resources
        )
        result = f"<StackResourceSummaries>{members}</StackResourceSummaries>"
    else:
        result = (
            f"<Stacks><member><StackId>arn:aws:cloudformation:us-east-1:111122223333:stack/{STACK}/1</StackId><StackName>{STACK}</StackName>"
            "<StackStatus>CREATE_COMPLETE</StackStatus><Parameters/><Outputs/></member></Stacks>"
        )
    return 200, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>".encode(), {"Content-Type": "text/xml"}


def _function(method, path, settings):
    """What AWS Lambda answers of the stack's function."""
    if method == "GET" and path.split("?")[0].endswith(f"/functions/{FUNCTION}/configuration"):
        shown = {"FunctionName": FUNCTION, "State": "Active", "Environment": {"Variables": settings}}
        return 200, json.dumps(shown).encode(), {"Content-Type": "application/json"}
    message = json.dumps({"Type": "User", "message": f"Function not found: {path}"})
    return 404, message.encode(), {"Content-Type": "application/json", "x-amzn-ErrorType": "ResourceNotFoundException"}


if __name__ == "__main__":
    # Serves it for a person: tests/docs/sandbox.py FOLDER
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = Path(__file__).resolve().parent.parent.parent
    program = Path(os.environ.get("COPYMEND_PROGRAM", root / "target/debug/copymend"))
    with running(root, root / ".test-tools", program, Path(sys.argv[1])) as found:
        print("\n".join(f"export {name}='{value}'" for name, value in found.items()), flush=True)
        signal.pause()
