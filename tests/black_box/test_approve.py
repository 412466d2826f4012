"""Approve mode from the event to the answer: the function asks, a person answers by its alias, and AWS STS says who that is."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

import world as w

NAME = "copy-remediator"
PERSON = f"arn:aws:sts::{w.DESTINATION}:assumed-role/harness/mary"
SETTINGS = {
    "COPYMEND_MODE": "approve",
    "COPYMEND_APPROVERS": f"arn:aws:sts::{w.DESTINATION}:assumed-role/harness/*,arn:aws:sts::{w.SOURCE}:assumed-role/harness/*",
}


class Lambda:
    """AWS Lambda's Invoke in front of the emulators of one function: one for each alias."""

    def __init__(self, by_alias):
        self.requests = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                url = urlsplit(handler.path)
                body = handler.rfile.read(int(handler.headers["content-length"]))
                self.requests.append((url.path, url.query, json.loads(body)))
                is_signed = "/lambda/aws4_request" in handler.headers.get("authorization", "")
                function = by_alias.get(url.query) if url.path == f"/2015-03-31/functions/{NAME}/invocations" and is_signed else None
                status, answer = function.invoke_raw(body) if function else (404, b'{"Type": "User", "Message": "Function not found"}')
                handler.send_response(status)
                if not function:
                    handler.send_header("x-amzn-errortype", "ResourceNotFoundException")
                handler.send_header("content-length", str(len(answer)))
                handler.end_headers()
                handler.wfile.write(answer)

            def log_message(handler, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def asking(make_world, start):
    """A function in approve mode that has asked about a copy: the world, the plan, the function itself and by its alias, and Lambda."""
    servers = []

    def make():
        world = make_world(vault_policy=w.VAULT_CLOSED)
        event = world.failed_copy()
        function = start(world, **SETTINGS)
        by_alias = start(world, **SETTINGS, AWS_LAMBDA_FUNCTION_NAME=f"{NAME}:approvals")
        report = function.invoke(event)
        assert report["outcome"] == "planned" and "approval" in report and world.vault_policy() == w.VAULT_CLOSED, json.dumps(report.get("notes"))
        server = Lambda({"Qualifier=approvals": by_alias})
        servers.append(server)
        return world, report["approval"]["plan"], function, by_alias, server

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def copymend(copymend_program):
    def run(world, server, *arguments, account=w.DESTINATION, session="mary", **more):
        key, secret, token = credentials(world, account, session)
        environment = {
            "PATH": "/usr/bin:/bin",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_REGION": w.REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_ENDPOINT_URL": world.endpoint_url,
            "AWS_ENDPOINT_URL_LAMBDA": server.url,
        } | more
        line = [copymend_program, *arguments, "--function", NAME]
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)

    return run


def credentials(world, account, session):
    """A session in an account, as AWS STS gives it: it knows the secret."""
    sts = world._client("sts", w.REGION, ("AKIAHARNESS", "secret", None))
    made = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/harness", RoleSessionName=session)["Credentials"]
    return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]


def answer_of(ran):
    return json.loads(ran.stdout)


def test_what_was_asked_is_carried_out_once_a_person_says_yes(asking, copymend):
    world, plan, _, _, server = asking()
    [(_, asked)] = world.messages()
    assert f"copymend approve {plan} --function {NAME} --region {w.REGION}" in asked, asked

    ran = copymend(world, server, "approve", plan, "--yes", "--json")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    answer = answer_of(ran)
    assert answer["result"] == "carried-out" and answer["answered"]["by"] == PERSON, answer
    assert answer["report"]["outcome"] == "repaired-and-retried" and answer["report"]["approval"]["answered"]["by"] == PERSON
    assert world.vault_policy() != w.VAULT_CLOSED
    [(_, closed)] = world.messages()
    assert f"{PERSON} approved plan {plan}" in closed, closed
    again = copymend(world, server, "approve", plan.lower(), "--yes", "--json")
    assert again.returncode == 1 and answer_of(again)["result"] == "not-accepted" and PERSON in answer_of(again)["why"], again.stdout


def test_a_no_is_kept_and_lifted_again(asking, copymend, copymend_program):
    world, plan, function, _, server = asking()

    ran = copymend(world, server, "refuse", plan, "--yes")

    assert ran.returncode == 0 and "refused" in ran.stdout and PERSON in ran.stdout, ran.stdout + ran.stderr
    assert world.vault_policy() == w.VAULT_CLOSED
    [_, (_, closed)] = world.messages()
    assert f"{PERSON} refused plan {plan}" in closed, closed
    report = function.invoke(world.failed_copy())
    failed = [guard["name"] for guard in report["guards"] if not guard["passed"]]
    assert report["outcome"] == "refused" and "not-taken-back" in failed, report
    lifted = subprocess.run(
        [copymend_program, "undo", "--allow-again", "--json", f"plan-{plan}"],
        env=world.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert lifted.returncode == 0 and json.loads(lifted.stdout)["lifted"] == [f"plan-{plan}"], lifted.stdout + lifted.stderr
    report = function.invoke(world.failed_copy())
    assert report["outcome"] == "planned", report


def test_only_whom_sts_names_and_the_settings_admit_may_answer(asking, copymend):
    world, plan, function, by_alias, server = asking()
    ran = copymend(world, server, "approve", plan, "--yes", "--json", account=w.SOURCE)
    assert ran.returncode == 1 and w.SOURCE in answer_of(ran)["why"], ran.stdout + ran.stderr
    ran = copymend(world, server, "approve", plan, "--yes", "--json", AWS_SECRET_ACCESS_KEY="guessed")
    assert ran.returncode == 1 and "SignatureDoesNotMatch" in answer_of(ran)["why"], ran.stdout + ran.stderr
    [*_, (_, _, sent)] = server.requests
    # A person's own answer, which the function itself doesn't take.
    assert function.invoke(sent)["errorType"] == "NotByTheAlias"
    assert world.vault_policy() == w.VAULT_CLOSED


def test_the_alias_takes_nothing_but_answers(asking):
    world, _, _, by_alias, _ = asking()
    world.messages()
    for event in (
        world.failed_copy(),
        {"source": "copymend", "detail-type": "Copymend Self Check", "detail": {}},
        {"source": "copymend", "detail-type": "Copymend Test Message"},
        {"source": "copymend", "detail-type": "Copymend Approval", "detail": {}},
        {"Records": []},
        None,
    ):
        assert by_alias.invoke(event)["errorType"] == "NotAnAnswer", event
    assert world.vault_policy() == w.VAULT_CLOSED
    assert world.messages() == []


def test_a_plan_that_is_none_and_a_function_that_is_not_there_are_said(asking, copymend):
    world, _, _, _, server = asking()
    ran = copymend(world, server, "approve", "7K3F-9Q2M-X4TD", "--yes", "--json")
    assert ran.returncode == 1 and "no such plan" in answer_of(ran)["why"], ran.stdout + ran.stderr
    ran = copymend(world, server, "approve", "7K3F-9Q2M-X4TD", "--yes", AWS_ENDPOINT_URL_LAMBDA=world.endpoint_url)
    assert ran.returncode == 2, ran.stdout + ran.stderr
