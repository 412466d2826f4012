"""One message on three channels: the topic, the topic of chats, and an event on a bus."""

import json

import world as w
from expect import report


def test_a_report_goes_to_the_topic_the_chat_and_the_bus(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    chat, queues = world.make_chat()
    function = start(world, COPYMEND_CHAT_TOPIC_ARN=chat, COPYMEND_REPORT_BUS="reports")

    answer = report(function.invoke(world.failed_copy()))

    [notice] = world.notices()
    assert notice["version"] == "1" and notice["kind"] == "report"
    assert (notice["outcome"], notice["cause"]) == ("repaired-and-retried", "destination-vault-policy")
    assert (notice["severity"], notice["needs_action"]) == ("low", False)
    assert notice["account"] == w.SOURCE and set(notice["accounts"]) == {w.SOURCE, w.DESTINATION}
    # A message is made before the answer, and knows no more than it.
    assert notice["report"]["changes"] == answer["changes"]

    [envelope] = world.bodies(queues["chat"])
    told = json.loads(envelope["Message"])
    assert (told["version"], told["source"]) == ("1.0", "custom")
    assert told["content"]["textType"] == "client-markdown"
    assert told["content"]["description"].startswith("The copy of EBS")
    assert told["metadata"]["threadId"] == notice["incident"]
    attributes = {name: one["Value"] for name, one in envelope["MessageAttributes"].items()}
    assert attributes == {
        "account": w.SOURCE,
        "cause": "destination-vault-policy",
        "message_id": notice["id"],
        "needs-action": "no",
        "outcome": "repaired-and-retried",
        "severity": "low",
    }

    [event] = world.bodies(queues["events"])
    assert (event["source"], event["detail-type"]) == ("copymend.report", "Copymend Report")
    assert event["detail"] == notice
    assert event["resources"] == notice["resources"]


def test_without_a_topic_the_event_alone_tells(make_world, start):
    world = make_world(vault_policy=w.VAULT_DENIED)
    _, queues = world.make_chat()
    function = start(world, COPYMEND_TOPIC_ARN=None, COPYMEND_REPORT_BUS="reports")

    report(function.invoke(world.failed_copy()))

    assert world.notices() == []
    [event] = world.bodies(queues["events"])
    assert event["detail"]["needs_action"] is True and event["detail"]["severity"] == "high"


def test_a_chat_that_is_gone_keeps_nobody_else_from_hearing(make_world, start):
    world = make_world(vault_policy=w.VAULT_DENIED)
    _, queues = world.make_chat()
    gone = f"arn:aws:sns:{w.REGION}:{w.SOURCE}:no-such-chat"
    event = world.failed_copy()
    function = start(world, COPYMEND_CHAT_TOPIC_ARN=gone, COPYMEND_REPORT_BUS="reports")

    answer = report(function.invoke(event))

    assert [note for note in answer["notes"] if "not told on the channel chat" in note], answer["notes"]
    assert len(world.notices()) == 1
    assert len(world.bodies(queues["events"])) == 1

    # It is given up: nobody hears of it twice.
    assert report(function.invoke(event))["outcome"] == "already-handled"
    assert world.notices() == []
    assert world.bodies(queues["events"]) == []
