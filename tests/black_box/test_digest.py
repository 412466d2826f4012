"""The digest, through the real function, topic and ledger: what happened is told in one message, once a day."""

import time

import world as w
from expect import report

DIGEST = {"source": "copymend", "detail-type": "Copymend Digest"}
# The index is read a moment late: what happened in the last ten seconds is for the next digest.
SETTLED = 11


def test_what_happened_is_told_in_one_message_a_day(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    function = start(world, COPYMEND_MESSAGES="needs-action")
    repaired = report(function.invoke(world.failed_copy()))
    [change] = repaired["changes"]
    [(subject, _)] = world.messages()
    assert "repaired" in subject, "a grant is told at once"
    time.sleep(SETTLED)

    answer = function.invoke(DIGEST)

    assert (answer["digest"], answer["repaired"], answer["needs_a_person"]) == ("sent", 1, 0), answer
    [(subject, text)] = world.messages()
    assert subject.startswith("[Copymend] digest of ") and subject.endswith(": nobody has to act")
    assert change["id"] in text and "CHANGED BY COPYMEND" in text, text

    assert function.invoke(DIGEST)["digest"] == "sent-before"
    assert world.messages() == []
