"""A healthy deployment with the real copy remediator, `copymend doctor` on it, and what it is broken with."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "deploy"))

from cloud import ACCOUNT, Cloud, Stack  # noqa: E402
from transformed import read  # noqa: E402

PROGRAM = REPOSITORY / os.environ.get("COPYMEND_PROGRAM", "target/debug/copymend")
BOOTSTRAPS = {
    "copy-remediator": REPOSITORY / os.environ.get("COPYMEND_BOOTSTRAP", ".aws-sam/build/CopyRemediator/bootstrap"),
    "access-advisor": REPOSITORY / os.environ.get("COPYMEND_ADVISOR_BOOTSTRAP", ".aws-sam/build/AccessAdvisor/bootstrap"),
}
REGION = "eu-west-1"
OTHER = "444455556666"
LISTS = {
    "AllowedSources": ACCOUNT,
    "AllowedDestinations": f"arn:aws:backup:*:{ACCOUNT}:backup-vault:*",
    "AllowedKeys": f"arn:aws:kms:*:{ACCOUNT}:key/*",
}


class Deployment:
    """A hub in repair mode, in which nothing is wrong."""

    def __init__(self):
        self.cloud = Cloud()
        try:
            self.stack = Stack(self.cloud, REGION, bootstraps=BOOTSTRAPS)
            organizations = self.client("organizations")
            self.organization = organizations.describe_organization()["Organization"]["Id"]
            self.parameters = LISTS | {
                "Mode": "repair",
                "HubOrganizationId": self.organization,
                "MemberRole": "copymend/CopymendMember",
                "AdvisorMemberRole": "copymend/CopymendMemberReader",
                "ExternalId": "an-external-id",
                "LedgerDeletionProtection": "true",
                "ReservedConcurrency": "10",
                "SweepAccounts": ACCOUNT,
            }
            self.deploy()
            self._surround()
        except BaseException:
            self.cloud.stop()
            raise

    def client(self, service):
        return self.cloud.client(service, REGION)

    def deploy(self, **parameters):
        """Deploys with these parameters. What isn't named is as in the healthy deployment, not as it was before."""
        defaults = {name: parameter["Default"] for name, parameter in read()["Parameters"].items()}
        code, output = self.stack.deploy(**defaults | self.parameters | parameters)
        assert code == 0, output[-3000:]
        self.ids = {name: id for name, (id, _) in self.stack.resources().items()}
        self.outputs = self.stack.outputs()
        # Those of silence are raised by a deployment, until the first sweep.
        for name in self.ids:
            if name.endswith("Alarm"):
                self.client("cloudwatch").set_alarm_state(AlarmName=self.ids[name], StateValue="OK", StateReason="swept")

    def _surround(self):
        """What people do beside the deployment: subscribe, create a trail, use AWS Backup."""
        sqs, sns = self.client("sqs"), self.client("sns")
        self.readers = sqs.create_queue(QueueName="readers")["QueueUrl"]
        for topic in ("Topic", "AuditTopic", "AlarmTopic"):
            self.subscribe(topic)
        trails = self.client("cloudtrail")
        self.client("s3").create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
        trails.create_trail(Name="all", S3BucketName="trail", IsMultiRegionTrail=True)
        trails.start_logging(Name="all")
        self.select("All")
        self.client("iam").create_service_linked_role(AWSServiceName="backup.amazonaws.com")

    def subscribe(self, topic):
        arn = self.client("sqs").get_queue_attributes(QueueUrl=self.readers, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.client("sns").subscribe(TopicArn=self.ids[topic], Protocol="sqs", Endpoint=arn)

    def select(self, kind):
        selector = {"ReadWriteType": kind, "IncludeManagementEvents": True, "DataResources": []}
        self.client("cloudtrail").put_event_selectors(TrailName="all", EventSelectors=[selector])

    def run(self, *arguments, **environment):
        """The program's exit code, output and errors."""
        run = subprocess.run(
            [PROGRAM, *arguments],
            env=self.cloud.env | {"AWS_REGION": REGION} | environment,
            cwd=self.cloud.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
        return run.returncode, run.stdout, run.stderr

    def doctor(self, *arguments):
        """The exit code, and the findings that are not fine: their ids with their states."""
        code, output, errors = self.run("doctor", "--region", REGION, "--json", *arguments)
        assert code in (0, 1) and output, f"{code} {output} {errors}"
        answer = json.loads(output)
        return code, answer, {one["id"]: one["state"] for one in answer["findings"] if one["state"] != "fine"}

    def rule(self, name):
        """The rule's name and what there is to make it again."""
        rule = self.ids[name].rsplit("/", 1)[-1]
        return rule, self.client("events").list_targets_by_rule(Rule=rule)["Targets"]

    def stop(self):
        self.cloud.stop()


@contextlib.contextmanager
def settings(deployment, function="CopyRemediator", **changed):
    """Other settings of a function, set by hand."""
    client, name = deployment.client("lambda"), deployment.ids[function]
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def update(variables):
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    update(before | changed)
    yield
    update(before)


@contextlib.contextmanager
def rule_disabled(deployment):
    rule, _ = deployment.rule("CopyFailedRule")
    deployment.client("events").disable_rule(Name=rule)
    yield
    deployment.client("events").enable_rule(Name=rule)


@contextlib.contextmanager
def rule_missing(deployment):
    events, (rule, targets) = deployment.client("events"), deployment.rule("CopyFailedRule")
    pattern = events.describe_rule(Name=rule)["EventPattern"]
    events.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])
    events.delete_rule(Name=rule)
    yield
    events.put_rule(Name=rule, EventPattern=pattern)
    events.put_targets(Rule=rule, Targets=targets)


@contextlib.contextmanager
def rule_misses_reads(deployment):
    events, (rule, _) = deployment.client("events"), deployment.rule("CallRefusedRule")
    pattern = events.describe_rule(Name=rule)["EventPattern"]
    events.put_rule(Name=rule, EventPattern=pattern, State="ENABLED")
    yield
    events.put_rule(Name=rule, EventPattern=pattern, State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


@contextlib.contextmanager
def rule_matches_others(deployment):
    events, (rule, _) = deployment.client("events"), deployment.rule("SweepRule")
    schedule = events.describe_rule(Name=rule)["ScheduleExpression"]
    events.put_rule(Name=rule, ScheduleExpression="rate(30 days)")
    yield
    events.put_rule(Name=rule, ScheduleExpression=schedule)


@contextlib.contextmanager
def failures_lost(deployment):
    client, name = deployment.client("lambda"), deployment.ids["CopyRemediator"]
    of = {"FunctionName": name, "Qualifier": "$LATEST"}
    destination = client.get_function_event_invoke_config(**of)["DestinationConfig"]
    other = deployment.client("sqs").get_queue_attributes(QueueUrl=deployment.readers, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client.put_function_event_invoke_config(**of, DestinationConfig={"OnFailure": {"Destination": other}})
    yield
    client.put_function_event_invoke_config(**of, DestinationConfig=destination)


@contextlib.contextmanager
def log_group_missing(deployment):
    logs, name = deployment.client("logs"), deployment.ids["CopyRemediatorLogs"]
    logs.delete_log_group(logGroupName=name)
    yield
    # The emulator's function has made it anew by then, which AWS's may not.
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name)


@contextlib.contextmanager
def delayed_retries_lost(deployment):
    sqs, queue = deployment.client("sqs"), deployment.ids["DelayedRetries"]
    redrive = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    other = sqs.get_queue_attributes(QueueUrl=deployment.readers, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    changed = json.loads(redrive) | {"deadLetterTargetArn": other}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(changed)})
    yield
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": redrive})


ALARM = "CopyRemediatorErrorsAlarm"


def alarm(deployment, name=ALARM):
    """What puts the alarm as it is."""
    cloudwatch = deployment.client("cloudwatch")
    [found] = cloudwatch.describe_alarms(AlarmNames=[deployment.ids[name]])["MetricAlarms"]
    kept = ("AlarmName", "AlarmActions", "ActionsEnabled", "Namespace", "MetricName", "Dimensions", "Statistic", "Period",
            "EvaluationPeriods", "Threshold", "ComparisonOperator", "TreatMissingData")
    return {key: found[key] for key in kept if key in found}


@contextlib.contextmanager
def alarm_missing(deployment):
    cloudwatch, before = deployment.client("cloudwatch"), alarm(deployment)
    cloudwatch.delete_alarms(AlarmNames=[before["AlarmName"]])
    yield
    cloudwatch.put_metric_alarm(**before)
    cloudwatch.set_alarm_state(AlarmName=before["AlarmName"], StateValue="OK", StateReason="mended")


@contextlib.contextmanager
def alarm_off(deployment):
    cloudwatch, name = deployment.client("cloudwatch"), deployment.ids[ALARM]
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    yield
    cloudwatch.enable_alarm_actions(AlarmNames=[name])


@contextlib.contextmanager
def alarm_sends_elsewhere(deployment):
    cloudwatch, before = deployment.client("cloudwatch"), alarm(deployment)
    cloudwatch.put_metric_alarm(**before | {"AlarmActions": [deployment.ids["Topic"]]})
    yield
    cloudwatch.put_metric_alarm(**before)


@contextlib.contextmanager
def alarm_raised(deployment):
    cloudwatch, name = deployment.client("cloudwatch"), deployment.ids[ALARM]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    yield
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="mended")


@contextlib.contextmanager
def alarms_refused(deployment):
    sns, topic = deployment.client("sns"), deployment.ids["AlarmTopic"]
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=nobody)
    yield
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


@contextlib.contextmanager
def ledger_keeps_all(deployment):
    dynamodb, table = deployment.client("dynamodb"), deployment.ids["Ledger"]
    for enabled in (False, True):
        specification = {"Enabled": enabled, "AttributeName": "expires_at"}
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
        if not enabled:
            yield


@contextlib.contextmanager
def other_targets(deployment, change):
    events, (rule, targets) = deployment.client("events"), deployment.rule("CopyFailedRule")
    events.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])
    changed = change(targets)
    if changed:
        events.put_targets(Rule=rule, Targets=changed)
    yield
    events.put_targets(Rule=rule, Targets=targets)


@contextlib.contextmanager
def rule_may_not_invoke(deployment):
    client, name = deployment.client("lambda"), deployment.ids["CopyRemediator"]
    rule = deployment.client("events").describe_rule(Name=deployment.rule("CopyFailedRule")[0])["Arn"]
    statements = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    [statement] = [one for one in statements if rule in str(one["Condition"])]
    client.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    yield
    client.add_permission(
        FunctionName=name,
        StatementId=statement["Sid"],
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )


@contextlib.contextmanager
def bus_closed(deployment):
    events, bus = deployment.client("events"), deployment.ids["Bus"]
    [statement] = json.loads(events.describe_event_bus(Name=bus)["Policy"])["Statement"]
    events.remove_permission(EventBusName=bus, StatementId=statement["Sid"])
    yield
    events.put_permission(EventBusName=bus, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


@contextlib.contextmanager
def bus_open(deployment):
    events, bus = deployment.client("events"), deployment.ids["Bus"]
    policy = events.describe_event_bus(Name=bus)["Policy"]
    opened = json.loads(policy)
    del opened["Statement"][0]["Condition"]
    events.put_permission(EventBusName=bus, Policy=json.dumps(opened))
    yield
    events.put_permission(EventBusName=bus, Policy=policy)


@contextlib.contextmanager
def permission_missing(deployment):
    iam, role = deployment.client("iam"), deployment.ids["CopyRemediatorRole"]
    of = {"RoleName": role, "PolicyName": "reports-and-ledger"}
    document = iam.get_role_policy(**of)["PolicyDocument"]
    iam.delete_role_policy(**of)
    yield
    iam.put_role_policy(**of, PolicyDocument=json.dumps(document))


@contextlib.contextmanager
def dead_letters_waiting(deployment):
    sqs = deployment.client("sqs")
    sqs.send_message(QueueUrl=deployment.ids["DeadLetters"], MessageBody="{}")
    yield
    sqs.purge_queue(QueueUrl=deployment.ids["DeadLetters"])


@contextlib.contextmanager
def queue_refuses_rule(deployment):
    sqs, queue = deployment.client("sqs"), deployment.ids["DeadLetters"]
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    yield
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


@contextlib.contextmanager
def delayed_retries_off(deployment):
    client, mapping = deployment.client("lambda"), deployment.ids["DelayedRetriesSource"]
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    yield
    client.update_event_source_mapping(UUID=mapping, Enabled=True)


@contextlib.contextmanager
def unsubscribed(deployment, topic):
    sns, arn = deployment.client("sns"), deployment.ids[topic]
    [found] = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
    yield
    sns.subscribe(TopicArn=arn, Protocol=found["Protocol"], Endpoint=found["Endpoint"])


@contextlib.contextmanager
def subscription_pending(deployment):
    sns = deployment.client("sns")
    endpoint = "https://127.0.0.1:9/"
    sns.subscribe(TopicArn=deployment.ids["Topic"], Protocol="https", Endpoint=endpoint)
    yield
    [found] = [one for one in sns.list_subscriptions()["Subscriptions"] if one["Endpoint"] == endpoint]
    sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])


@contextlib.contextmanager
def ledger_not_recoverable(deployment):
    dynamodb, table = deployment.client("dynamodb"), deployment.ids["Ledger"]
    for enabled in (False, True):
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )
        if not enabled:
            yield


@contextlib.contextmanager
def ledger_unprotected(deployment):
    dynamodb, table = deployment.client("dynamodb"), deployment.ids["Ledger"]
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    yield
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)


@contextlib.contextmanager
def no_trail(deployment):
    deployment.client("cloudtrail").stop_logging(Name="all")
    yield
    deployment.client("cloudtrail").start_logging(Name="all")


@contextlib.contextmanager
def trail_of_writes_only(deployment):
    deployment.select("WriteOnly")
    yield
    deployment.select("All")


@contextlib.contextmanager
def service_linked_role_missing(deployment):
    iam = deployment.client("iam")
    iam.delete_service_linked_role(RoleName="AWSServiceRoleForBackup")
    yield
    iam.create_service_linked_role(AWSServiceName="backup.amazonaws.com")


@contextlib.contextmanager
def reserved(deployment, number):
    client, name = deployment.client("lambda"), deployment.ids["CopyRemediator"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=number)
    yield
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=10)


@contextlib.contextmanager
def paused(deployment):
    ledger = {"COPYMEND_LEDGER_TABLE": deployment.ids["Ledger"]}
    assert deployment.run("pause", "an audit", **ledger)[0] == 0
    yield
    assert deployment.run("resume", **ledger)[0] == 0
