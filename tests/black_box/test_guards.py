"""Cases in which nothing may be written."""

import pytest

import world as w
from expect import failed_guards, report


def untouched(world):
    assert world.writes() == []
    assert world.vault_policy() == world.vault_policy_at_start
    assert world.key_policy() == world.key_policy_at_start


def test_observe_mode_plans_the_change_and_writes_nothing(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world, COPYMEND_MODE="observe").invoke(world.failed_copy()))

    assert answer["diagnosis"]["cause"] == "destination-vault-policy"
    assert answer["outcome"] == "planned"
    [change] = answer["changes"]
    assert change["before"] == w.VAULT_CLOSED and "Copymend" in change["after"]
    assert answer["retried_job"] is None
    untouched(world)
    [(_, text)] = world.messages()
    assert "destination-vault-policy" in text


def test_observe_is_the_default(make_world, start):
    world = make_world(key_policy=w.KEY_CLOSED)

    answer = report(start(world, COPYMEND_MODE=None).invoke(world.failed_copy()))

    assert answer["diagnosis"]["cause"] == "source-key-policy"
    assert answer["outcome"] == "planned"
    untouched(world)


@pytest.mark.parametrize(
    ("policies", "cause"),
    [
        ({"vault_policy": w.VAULT_DENIED}, "destination-vault-deny"),
        ({"key_policy": w.KEY_DENIED}, "source-key-deny"),
    ],
)
def test_an_explicit_deny_is_told_and_never_touched(make_world, start, policies, cause):
    world = make_world(**policies)

    answer = report(start(world).invoke(world.failed_copy()))

    assert answer["diagnosis"]["cause"] == cause
    assert answer["changes"] == [] and answer["retried_job"] is None
    untouched(world)
    assert len(world.messages()) == 1


@pytest.mark.parametrize(
    ("settings", "guard"),
    [
        ({"COPYMEND_ALLOWED_DESTINATIONS": None}, "destination-allowed"),
        ({"COPYMEND_ALLOWED_DESTINATIONS": f"arn:aws:backup:*:{w.STRANGER}:backup-vault:*"}, "destination-allowed"),
        ({"COPYMEND_ORGANIZATION_ID": "o-anotherorgid"}, "same-organization"),
    ],
)
def test_a_vault_outside_the_settings_is_refused(make_world, start, settings, guard):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world, **settings).invoke(world.failed_copy()))

    assert answer["outcome"] == "refused"
    assert guard in failed_guards(answer)
    assert answer["changes"] == []
    untouched(world)


def test_a_key_outside_the_allowlist_is_refused(make_world, start):
    world = make_world(key_policy=w.KEY_CLOSED)

    answer = report(start(world, COPYMEND_ALLOWED_KEYS=None).invoke(world.failed_copy()))

    assert answer["outcome"] == "refused"
    assert "key-allowed" in failed_guards(answer)
    untouched(world)


def test_a_key_whose_owner_opted_out_is_refused(make_world, start):
    world = make_world(key_policy=w.KEY_CLOSED, key_tags=[("copymend", "never")])

    answer = report(start(world).invoke(world.failed_copy()))

    assert answer["outcome"] == "refused"
    assert "not-opted-out" in failed_guards(answer)
    untouched(world)


def test_a_copy_on_demand_is_refused(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world).invoke(world.failed_copy(by_plan=False)))

    assert answer["outcome"] == "refused"
    assert failed_guards(answer) == ["started-by-backup-plan"]
    untouched(world)


def test_a_copy_on_demand_is_mended_where_the_setting_admits_it(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world, COPYMEND_ALLOW_ON_DEMAND="true").invoke(world.failed_copy(by_plan=False)))

    assert answer["outcome"] == "repaired-and-retried"


@pytest.mark.parametrize(
    "settings",
    [{"COPYMEND_EXTERNAL_ID": "another-external-id"}, {"COPYMEND_MEMBER_ROLE": "NoSuchRole"}, {"COPYMEND_MEMBER_ROLE": None}],
    ids=["wrong external id", "no such role", "no member role"],
)
def test_an_account_that_cannot_be_read_is_never_written(make_world, start, settings):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world, **settings).invoke(world.failed_copy()))

    assert answer["verified"]
    assert answer["changes"] == [] and answer["retried_job"] is None
    untouched(world)


def test_without_a_ledger_nothing_is_written(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world, COPYMEND_LEDGER_TABLE=None).invoke(world.failed_copy()))

    assert answer["outcome"] == "refused"
    untouched(world)


def forged(event, **detail):
    return event | {"detail": event["detail"] | detail}


OTHER_JOB = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "detail",
    [
        {"iamRoleArn": f"arn:aws:iam::{w.SOURCE}:role/intruder"},
        {"destinationBackupVaultArn": f"arn:aws:backup:{w.DESTINATION_REGION}:{w.DESTINATION}:backup-vault:other"},
        {"sourceBackupVaultArn": f"arn:aws:backup:{w.REGION}:{w.SOURCE}:backup-vault:other"},
        {"sourceBackupVaultArn": f"arn:aws:backup:{w.REGION}:{w.STRANGER}:backup-vault:prod"},
        {"copyJobId": OTHER_JOB},
    ],
    ids=["role", "destination", "source vault", "another account's vault", "no such job"],
)
def test_a_forged_event_is_never_acted_upon(make_world, start, detail):
    world = make_world(vault_policy=w.VAULT_CLOSED)

    answer = report(start(world).invoke(forged(world.failed_copy(), **detail)))

    assert not answer["verified"]
    assert "verified-failure" in failed_guards(answer)
    assert answer["changes"] == [] and answer["retried_job"] is None
    untouched(world)


def test_a_forged_event_does_not_take_the_real_ones_place(make_world, start):
    world = make_world(vault_policy=w.VAULT_CLOSED)
    event = world.failed_copy()
    function = start(world)

    report(function.invoke(forged(event, iamRoleArn=f"arn:aws:iam::{w.SOURCE}:role/intruder")))
    answer = report(function.invoke(event))

    assert answer["outcome"] == "repaired-and-retried"


def test_a_job_that_did_not_fail_is_never_acted_upon(make_world, start):
    world = make_world()
    event = world.copy()
    assert event["detail"]["state"] == "COMPLETED"
    message = "Access Denied trying to call AWS Backup service"

    answer = report(start(world).invoke(forged(event, state="FAILED", statusMessage=message)))

    assert not answer["verified"]
    assert answer["changes"] == [] and answer["retried_job"] is None
    untouched(world)
