"""The access advisor: its bootstrap under the emulator, on moto's IAM and KMS."""

import json

import pytest

import world as w
from expect import error, report

KEY_ACTIONS = ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant", "kms:Decrypt", "kms:GenerateDataKey"]
SEVEN = ["backup:CreateBackupVault", "backup-storage:MountCapsule", *KEY_ACTIONS]
CALLER = "Deployer"
VAULT = f"arn:aws:backup:{w.REGION}:{w.SOURCE}:backup-vault:new-vault"


def policy(*actions, effect="Allow"):
    statement = {"Effect": effect, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_caller(world, *, inline=(), managed=(), boundary=None):
    """A role of the source account with these policies."""
    iam = world.client("iam")
    arguments = {}
    if boundary:
        made = iam.create_policy(PolicyName="boundary", PolicyDocument=boundary)
        arguments["PermissionsBoundary"] = made["Policy"]["Arn"]
    trust = w.trust({"AWS": f"arn:aws:iam::{w.SOURCE}:root"})
    iam.create_role(RoleName=CALLER, Path="/ci/", AssumeRolePolicyDocument=trust, **arguments)
    for index, document in enumerate(inline):
        iam.put_role_policy(RoleName=CALLER, PolicyName=f"inline-{index}", PolicyDocument=document)
    for index, document in enumerate(managed):
        made = iam.create_policy(PolicyName=f"managed-{index}", PolicyDocument=document)
        iam.attach_role_policy(RoleName=CALLER, PolicyArn=made["Policy"]["Arn"])


def refused_call(world, **detail):
    """The event of a refused CreateBackupVault, as CloudTrail hands it to EventBridge."""
    identity = {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:me",
        "arn": f"arn:aws:sts::{w.SOURCE}:assumed-role/{CALLER}/me",
        "accountId": w.SOURCE,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "arn": f"arn:aws:iam::{w.SOURCE}:role/ci/{CALLER}",
                "accountId": w.SOURCE,
                "userName": CALLER,
            }
        },
    }
    return {
        "version": "0",
        "id": "5e6f7a8b-0000-4000-8000-000000000001",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.backup",
        "account": w.SOURCE,
        "time": "2026-11-01T09:00:00Z",
        "region": w.REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": "2026-11-01T09:00:00Z",
            "eventSource": "backup.amazonaws.com",
            "eventName": "CreateBackupVault",
            "awsRegion": w.REGION,
            "sourceIPAddress": "192.0.2.1",
            "userAgent": "aws-cli",
            "errorCode": "AccessDeniedException",
            "errorMessage": "Insufficient privileges to perform this action.",
            "requestParameters": {"backupVaultName": "new-vault", "encryptionKeyArn": world.key_arn},
            "responseElements": None,
            "eventID": "0000",
            "eventType": "AwsApiCall",
            "recipientAccountId": w.SOURCE,
        }
        | detail,
    }


def states(answer):
    return {permission["action"]: permission["state"] for permission in answer["permissions"]}


def missing(answer):
    return [action for action, state in states(answer).items() if state == "missing"]


@pytest.mark.parametrize("granted", [[], ["backup:CreateBackupVault"], SEVEN[:3], SEVEN[2:], ["kms:*"]])
def test_the_missing_permissions_of_create_backup_vault_are_named_one_by_one(make_world, start_advisor, granted):
    world = make_world()
    make_caller(world, inline=[policy(*granted)] if granted else [])

    answer = report(start_advisor(world).invoke(refused_call(world)))

    def is_granted(action):
        return action in granted or (action.startswith("kms:") and "kms:*" in granted)

    expected = [action for action in SEVEN if not is_granted(action)]
    assert missing(answer) == expected
    assert answer["decision"] == "advise" and answer["outcome"] == "advised"
    assert answer["diagnosis"]["cause"] == "caller-permission"
    assert answer["guards"] == [] and answer["changes"] == [] and answer["retried_job"] is None
    given = [action for statement in answer["policy"]["Statement"] for action in statement["Action"]]
    assert sorted(given) == sorted(expected)
    resources = {action: s["Resource"] for s in answer["policy"]["Statement"] for action in s["Action"]}
    for action, resource in resources.items():
        if action.startswith("kms:"):
            assert resource == world.key_arn
        else:
            assert resource == (VAULT if action == "backup:CreateBackupVault" else "*")
    [(subject, text)] = world.messages()
    assert subject and "new-vault" in text
    for action in expected:
        assert action in text
    assert world.writes() == []


def test_nothing_is_missing_where_all_seven_are_there(make_world, start_advisor):
    world = make_world()
    make_caller(world, managed=[policy(*SEVEN[:4]), policy(*SEVEN[4:])])

    answer = report(start_advisor(world).invoke(refused_call(world)))

    assert missing(answer) == [] and set(states(answer).values()) == {"allowed"}
    assert "policy" not in answer


def test_a_boundary_is_named_as_such(make_world, start_advisor):
    world = make_world()
    make_caller(world, inline=[policy(*SEVEN)], boundary=policy("backup:*", "backup-storage:*"))

    answer = report(start_advisor(world).invoke(refused_call(world)))

    assert missing(answer) == KEY_ACTIONS
    assert answer["diagnosis"]["cause"] == "permissions-boundary"
    for permission in answer["permissions"]:
        if permission["state"] == "missing":
            assert permission["blocked_by"] == ["boundary"]


def test_a_key_policy_without_delegation_is_named_as_such(make_world, start_advisor):
    admin_only = w.policy(
        f'{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{w.SOURCE}:role/KeyAdmin"}},"Action":"kms:*","Resource":"*"}}'
    )
    world = make_world(key_policy=admin_only)
    make_caller(world, inline=[policy(*SEVEN)])

    answer = report(start_advisor(world).invoke(refused_call(world)))

    assert missing(answer) == KEY_ACTIONS
    assert answer["diagnosis"]["cause"] == "key-policy"


def test_a_deny_on_the_caller_in_the_key_policy_is_named_as_such(make_world, start_advisor):
    deny = (
        f'{{"Effect":"Deny","Principal":{{"AWS":"arn:aws:iam::{w.SOURCE}:role/ci/{CALLER}"}},'
        '"Action":"kms:CreateGrant","Resource":"*"}'
    )
    world = make_world(key_policy=w.policy(w.KEY_ADMINISTRATION, deny))
    make_caller(world, inline=[policy(*SEVEN)])

    answer = report(start_advisor(world).invoke(refused_call(world)))

    assert [action for action, state in states(answer).items() if state == "denied"] == ["kms:CreateGrant"]
    assert answer["diagnosis"]["cause"] == "key-policy"


def test_the_action_that_awss_message_names_is_taken_from_it(make_world, start_advisor):
    world = make_world()
    make_caller(world)
    message = (
        f"User: arn:aws:sts::{w.SOURCE}:assumed-role/{CALLER}/me is not authorized to perform: backup:TagResource on resource: "
        f"{VAULT} with an explicit deny in a service control policy"
    )

    answer = report(start_advisor(world).invoke(refused_call(world, errorMessage=message)))

    [named] = [permission for permission in answer["permissions"] if permission["action"] == "backup:TagResource"]
    assert named["state"] == "denied" and named["blocked_by"] == ["scp"]
    assert answer["diagnosis"]["cause"] == "service-control-policy"


def test_calls_of_aws_services_and_calls_that_worked_are_let_be(make_world, start_advisor):
    world = make_world()
    make_caller(world)
    function = start_advisor(world)
    event = refused_call(world)
    by_service = refused_call(world, userIdentity={"type": "AWSService", "invokedBy": "backup.amazonaws.com"})
    on_behalf = refused_call(
        world, userIdentity=event["detail"]["userIdentity"] | {"invokedBy": "cloudformation.amazonaws.com"}
    )
    worked = refused_call(world, errorCode=None, errorMessage=None)
    throttled = refused_call(world, errorCode="ThrottlingException")
    for index, ignored in enumerate([by_service, on_behalf, worked, throttled]):
        answer = report(function.invoke(ignored | {"id": f"ignored-{index}"}))
        assert answer["outcome"] == "nothing" and answer["permissions"] == []
    assert world.messages() == []
    error(function.invoke(refused_call(world, eventSource="kms.amazonaws.com")), "OtherEvent")
    error(function.invoke(b"nonsense"), "NotAnEvent")


def test_the_same_event_twice_is_told_once(make_world, start_advisor):
    world = make_world()
    make_caller(world)
    function = start_advisor(world)
    first = report(function.invoke(refused_call(world)))
    second = report(function.invoke(refused_call(world)))
    assert (first["outcome"], second["outcome"]) == ("advised", "already-handled")
    assert len(world.messages()) == 1


def job_event(kind, role, **detail):
    id_field, state_field = {"Backup": ("backupJobId", "state"), "Restore": ("restoreJobId", "status")}[kind]
    return {
        "version": "0",
        "id": "5e6f7a8b-0000-4000-8000-000000000002",
        "detail-type": f"{kind} Job State Change",
        "source": "aws.backup",
        "account": w.SOURCE,
        "time": "2026-11-01T09:00:00Z",
        "region": w.REGION,
        "resources": [],
        "detail": {
            id_field: "9A7B0000-1111-2222-3333-444455556666",
            state_field: "FAILED",
            "statusMessage": "Access denied",
            "iamRoleArn": role,
            "resourceType": "S3",
            "resourceArn": "arn:aws:s3:::important-bucket",
        }
        | detail,
    }


def test_a_failed_s3_backup_names_the_policies_that_the_default_role_lacks(make_world, start_advisor):
    world = make_world()

    answer = report(start_advisor(world).invoke(job_event("Backup", w.JOB_ROLE)))

    assert answer["diagnosis"]["cause"] == "job-role-permission"
    assert "s3:GetBucketVersioning" in missing(answer)
    assert "AWSBackupServiceRolePolicyForS3Backup" in json.dumps(answer["advice"])
    # The harness's AWS Backup knows no backup jobs, so nobody confirms the event.
    assert answer["verified"] is False and answer["changes"] == []
    [(_, text)] = world.messages()
    assert "s3:GetBucketVersioning" in text


def test_the_default_roles_name_without_its_path_is_a_trap_that_is_named(make_world, start_advisor):
    world = make_world()
    trap = f"arn:aws:iam::{w.SOURCE}:role/AWSBackupDefaultServiceRole"

    answer = report(start_advisor(world).invoke(job_event("Restore", trap)))

    assert answer["diagnosis"]["cause"] == "job-role-missing"
    assert "role/service-role/AWSBackupDefaultServiceRole" in json.dumps(answer["advice"])


def test_a_job_role_that_aws_backup_may_not_assume_is_named(make_world, start_advisor):
    world = make_world()
    make_caller(world, inline=[policy("s3:*", "cloudwatch:*", "events:*")])

    answer = report(start_advisor(world).invoke(job_event("Backup", f"arn:aws:iam::{w.SOURCE}:role/ci/{CALLER}")))

    assert answer["diagnosis"]["cause"] == "job-role-trust"
    assert "update-assume-role-policy" in json.dumps(answer["advice"])
