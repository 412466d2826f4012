"""What is put off: the message in the queue, and what comes of it when its time has come."""

import http.client
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from conftest import LOGS
from expect import report
from faulty_proxy import Faults, Proxy
from running_sandbox import running_sandbox

SETTINGS = {"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}
QUEUE = "COPYMEND_DELAYED_RETRIES_QUEUE_URL"


@pytest.fixture
def sandbox(copymend_program):
    with running_sandbox(copymend_program, LOGS / "make-sandbox-delayed.log") as sandbox:
        yield sandbox


def control(sandbox, method, path):
    """A call of the sandbox's own control routes."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, f"/_sandbox/{path}")
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text
        return json.loads(text)
    finally:
        connection.close()


def start_in(sandbox, start, **changes):
    """The function with the printed environment, and changes of it."""

    class Printed:
        @staticmethod
        def environment(**settings):
            return SETTINGS | sandbox.environment | settings | changes

    return start(Printed)


def when_due(delivery):
    """The delivery as it comes when its time has come. Nobody's clock can be moved here, so the message's time is."""
    [record] = delivery["Records"]
    body = json.loads(record["body"])
    body["notBefore"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    return {"Records": [record | {"body": json.dumps(body)}]}


def seconds_until(time_of_day, since):
    return (datetime.fromisoformat(time_of_day) - since).total_seconds()


def planned(sandbox, function, event):
    """Has the event put off; answers the report, once the one message in the queue is seen to be right."""
    start = datetime.now(UTC)
    answer = report(function.invoke(event))
    assert (answer["outcome"], answer["verified"]) == ("retry-planned", True), answer
    assert answer["retried_job"] is None
    wait = seconds_until(answer["not_before"], start)
    assert 60 <= wait <= 300 + 30, answer["not_before"]

    [message] = control(sandbox, "GET", "delayed-retries")
    sent = message["input"]
    assert sent["QueueUrl"] == sandbox.environment[QUEUE]
    assert 59 <= sent["DelaySeconds"] <= 300
    body = json.loads(sent["MessageBody"])
    assert body["event"] == event
    assert (body["notBefore"], body["delays"]) == (answer["not_before"], 1)
    return answer


def told(sandbox):
    """The subjects of the messages to people since the last call."""
    sqs = sandbox.client("sqs")
    queue = sqs.get_queue_url(QueueName="copymend")["QueueUrl"]
    subjects = []
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for message in batch:
            subjects.append(json.loads(message["Body"])["Subject"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return subjects


def started(sandbox):
    """The copies that were started, by the calls that wrote."""
    return [write for write in control(sandbox, "GET", "writes") if write["operation"] == "StartCopyJob"]


def state_of(sandbox, job):
    return sandbox.client("backup").describe_copy_job(CopyJobId=job)["CopyJob"]["State"]


@pytest.mark.parametrize(("name", "end"), [("concurrency", "COMPLETED"), ("quota", "FAILED")])
def test_a_copy_that_found_no_room_is_started_again_when_its_time_has_come(sandbox, start, name, end):
    event = control(sandbox, "GET", f"event/{name}")
    function = start_in(sandbox, start)

    answer = planned(sandbox, function, event)
    assert answer["diagnosis"]["cause"] == name
    assert started(sandbox) == []
    assert len(told(sandbox)) == 1

    # Too early it goes back, with what is left of its time.
    early = report(function.invoke(control(sandbox, "POST", "delayed-retries")))
    assert (early["outcome"], early["not_before"]) == ("retry-planned", answer["not_before"])
    [message] = control(sandbox, "GET", "delayed-retries")
    assert 0 < message["input"]["DelaySeconds"] <= seconds_until(answer["not_before"], datetime.now(UTC)) + 1
    assert started(sandbox) == []

    delivery = when_due(control(sandbox, "POST", "delayed-retries"))
    answer = report(function.invoke(delivery))
    assert (answer["outcome"], answer["verified"]) == ("retried", True), answer
    assert state_of(sandbox, answer["retried_job"]) == end
    assert control(sandbox, "GET", "delayed-retries") == []

    # A queue delivers at least once.
    again = report(function.invoke(delivery))
    assert again["outcome"] == "already-handled"
    assert len(started(sandbox)) == 1
    # What was planned has come true: nobody is told again.
    assert told(sandbox) == []


def test_what_could_not_be_read_is_read_when_its_time_has_come(sandbox, start):
    event = control(sandbox, "GET", "event/destination-vault-policy")
    faults = Faults()
    proxy = Proxy(sandbox.url, faults)
    try:
        function = start_in(sandbox, start, AWS_ENDPOINT_URL=proxy.url)
        faults.always["/access-policy"] = "throttled"
        answer = planned(sandbox, function, event)
        assert {fact["reason"] for fact in answer["diagnosis"]["unknown"]} == {"throttled"}
        assert control(sandbox, "GET", "writes") == []
        # Nothing is known yet that people could be told.
        assert told(sandbox) == []

        # Throttled once more, it waits longer.
        second = report(function.invoke(when_due(control(sandbox, "POST", "delayed-retries"))))
        assert second["outcome"] == "retry-planned"
        [message] = control(sandbox, "GET", "delayed-retries")
        assert json.loads(message["input"]["MessageBody"])["delays"] == 2
        assert 119 <= message["input"]["DelaySeconds"] <= 600

        faults.always.clear()
        answer = report(function.invoke(when_due(control(sandbox, "POST", "delayed-retries"))))
        assert answer["outcome"] == "repaired-and-retried", answer
        assert state_of(sandbox, answer["retried_job"]) == "COMPLETED"
        assert len(told(sandbox)) == 1
        assert control(sandbox, "GET", "delayed-retries") == []
    finally:
        proxy.stop()


def test_a_log_line_of_a_delivery_carries_the_copy_jobs_id(sandbox, start):
    event = control(sandbox, "GET", "event/concurrency")
    function = start_in(sandbox, start)
    planned(sandbox, function, event)
    report(function.invoke(when_due(control(sandbox, "POST", "delayed-retries"))))

    job = event["detail"]["copyJobId"]
    end = time.monotonic() + 10
    while len(lines := handled(function)) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert len(lines) == 2, function.process.output()
    for line in lines:
        [span] = [span for span in line["spans"] if span["name"] == "invocation"]
        assert span["copy_job"] == job, line


def handled(function):
    lines = [json.loads(line) for line in function.process.output().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("message") == "handled"]


def test_a_message_that_is_none_of_ours_is_refused_without_a_call(sandbox, start):
    function = start_in(sandbox, start)
    event = control(sandbox, "GET", "event/concurrency")
    for body in ("no JSON", "{}", json.dumps(event)):
        answer = function.invoke({"Records": [{"eventSource": "aws:sqs", "body": body}]})
        assert answer["errorType"] == "MalformedField", answer
    far = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"copymend": "delayed-retry", "version": 1, "event": event, "notBefore": far, "delays": 1}
    answer = function.invoke({"Records": [{"eventSource": "aws:sqs", "body": json.dumps(body)}]})
    assert answer["errorType"] == "MalformedField" and "notBefore" in answer["errorMessage"], answer
    assert control(sandbox, "GET", "writes") == [] and control(sandbox, "GET", "delayed-retries") == []
