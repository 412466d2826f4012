"""The closed loop: a copy fails, its event goes in, the policy is mended, the copy succeeds, people are told."""

import json

import world as w
from expect import added_statements, failed_guards, report, says_the_same


def test_vault_policy_is_mended_and_the_copy_succeeds(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()

    answer = report(start(world).invoke(event))

    assert answer["diagnosis"]["cause"] == "destination-vault-policy"
    assert failed_guards(answer) == []
    assert answer["decision"] == "repair"
    assert answer["outcome"] == "repaired-and-retried"
    [change] = answer["changes"]
    assert change["resource"] == w.DESTINATION_VAULT
    assert change["before"] == w.VAULT_CLOSED
    assert change["after"] == world.vault_policy()
    [added] = added_statements(
        w.VAULT_CLOSED, world.vault_policy(), [w.VAULT_KEEPS_RECOVERY_POINTS, w.VAULT_FOR_STRANGER]
    )
    assert added["Sid"].startswith("Copymend")
    assert added["Effect"] == "Allow"
    assert added["Principal"] == {"AWS": f"arn:aws:iam::{w.SOURCE}:root"}
    assert added["Action"] == "backup:CopyIntoBackupVault"
    assert w.JOB_ROLE in str(added["Condition"]) and world.organization_id in str(added["Condition"])
    assert world.key_policy() == w.KEY_OPEN
    assert world.writes() == ["PutBackupVaultAccessPolicy", "StartCopyJob"]

    job = world.wait_for_copy(answer["retried_job"])
    assert job["State"] == "COMPLETED"
    assert job["IamRoleArn"] == w.JOB_ROLE
    assert job["DestinationBackupVaultArn"] == w.DESTINATION_VAULT

    [(subject, text)] = world.messages()
    assert subject and len(subject) <= 100
    for told in ("destination-vault-policy", added["Sid"], w.DESTINATION_VAULT, answer["retried_job"]):
        assert told in text


def test_a_vault_without_policy_gets_one_with_our_statement_alone(make_world, start):
    world = make_world(vault_policy=None)

    answer = report(start(world).invoke(world.failed_copy()))

    assert answer["outcome"] == "repaired-and-retried"
    assert answer["changes"][0]["before"] is None
    [added] = added_statements(w.policy(), world.vault_policy(), [])
    assert added["Sid"].startswith("Copymend")
    assert world.wait_for_copy(answer["retried_job"])["State"] == "COMPLETED"


def test_key_policy_is_mended_and_the_copy_succeeds(make_world, start):
    world = make_world(key_policy=w.KEY_CLOSED)
    event = world.failed_copy()

    answer = report(start(world).invoke(event))

    assert answer["diagnosis"]["cause"] == "source-key-policy"
    assert failed_guards(answer) == []
    assert answer["outcome"] == "repaired-and-retried"
    [change] = answer["changes"]
    assert change["resource"] == world.key_arn
    # As AWS KMS told it, whose layout it keeps.
    assert says_the_same(change["before"], w.KEY_CLOSED)
    assert change["after"] == world.key_policy()
    last_statement = change["before"].rindex("}", 0, change["before"].rindex("]"))
    added = added_statements(change["before"], world.key_policy(), [change["before"][: last_statement + 1]])
    service_linked_role = f"arn:aws:iam::{w.DESTINATION}:role{w.SERVICE_LINKED_ROLE_PATH}{w.SERVICE_LINKED_ROLE_NAME}"
    assert added
    for statement in added:
        assert statement["Sid"].startswith("Copymend")
        assert statement["Effect"] == "Allow"
        assert statement["Principal"] == {"AWS": service_linked_role}
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("Decrypt" in action or action == "kms:*" for action in actions)
        if "kms:CreateGrant" in actions:
            assert statement["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert world.vault_policy() == w.VAULT_OPEN
    assert world.writes() == ["StartCopyJob"]
    assert world.wait_for_copy(answer["retried_job"])["State"] == "COMPLETED"

    [(_, text)] = world.messages()
    for told in ("source-key-policy", world.key_arn, answer["retried_job"]):
        assert told in text
    for statement in added:
        assert statement["Sid"] in text


def test_the_same_event_twice_is_one_write_one_retry_one_message(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    function = start(world)

    first, second = report(function.invoke(event)), report(function.invoke(event))

    assert first["outcome"] == "repaired-and-retried"
    assert second["outcome"] == "already-handled"
    assert second["changes"] == [] and second["retried_job"] is None
    assert world.writes() == ["PutBackupVaultAccessPolicy", "StartCopyJob"]
    assert len(world.copies()) == 2
    assert len(world.messages()) == 1


def test_the_same_event_to_a_new_process_is_still_one_write(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()

    report(start(world).invoke(event))
    second = report(start(world).invoke(event))

    assert second["outcome"] == "already-handled"
    assert world.writes() == ["PutBackupVaultAccessPolicy", "StartCopyJob"]
    assert len(world.messages()) == 1


def test_a_second_failed_job_finds_the_statement_and_writes_nothing_more(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    first, second = world.failed_copy(), world.failed_copy()
    function = start(world)

    report(function.invoke(first))
    mended = world.vault_policy()
    report(function.invoke(second))

    assert world.vault_policy() == mended
    assert world.writes().count("PutBackupVaultAccessPolicy") == 1


def test_every_line_of_the_log_names_the_request_and_the_copy_job(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    function = start(world)
    job = world.failed_copy()
    before = len(function.process.output())

    report(function.invoke(job))

    written = function.process.output()[before:].splitlines()
    # Metrics are about nothing that has an id.
    lines = [json.loads(line) for line in written if line.startswith("{") and '"_aws"' not in line]
    assert any(line.get("message") == "handled" for line in lines), written
    [request] = {span["request_id"] for line in lines for span in line["spans"] if "request_id" in span}
    for line in lines:
        text = json.dumps(line)
        assert request in text and job["detail"]["copyJobId"] in text, line
