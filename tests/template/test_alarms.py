"""Copymend watches itself: every part that can break has an alarm, every alarm can reach people and says what to do."""

import copy
import json
import re
import unittest

from evaluated import ACCOUNT, evaluated
from test_platform import HUB, MEMBER_GIVEN, of_type
from transformed import MEMBER, TEMPLATE, read, rules_of, transformed

RUNBOOK = TEMPLATE.parent / "docs" / "runbook.md"
# Where the functions' own metrics have their names.
METRICS = TEMPLATE.parent / "shared" / "lambda" / "src" / "metrics.rs"
DESCRIPTION = 1024
MOST_METRICS = 10
DAY = 24 * 60 * 60


def hub(**given):
    return evaluated(transformed(), **(HUB | given))


def member(**given):
    return evaluated(read(MEMBER), **(MEMBER_GIVEN | given))


def metrics(alarm):
    """What an alarm looks at: namespace, metric and dimensions of each metric that it sums up, or of its one."""
    if "Metrics" not in alarm:
        found = [(alarm, alarm["Statistic"])]
    else:
        found = [(one["MetricStat"]["Metric"], one["MetricStat"]["Stat"]) for one in alarm["Metrics"] if "MetricStat" in one]
    for metric, statistic in found:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        yield metric["Namespace"], metric["MetricName"], tuple(sorted(dimensions.items())), statistic


def watched(resources):
    """Each metric that an alarm looks at, with the alarm."""
    found = {}
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        for namespace, metric, dimensions, _ in metrics(alarm):
            found[namespace, metric, dimensions] = name
    return found


def unwatched(resources, template):
    """The parts that could break without an alarm."""
    known, missing = watched(resources), set()
    one = Names(template, resources)

    def wants(part, namespace, names, dimensions):
        for metric in names:
            if (namespace, metric, tuple(sorted(dimensions.items()))) not in known:
                missing.add(f"{part}: {metric}")

    for name in of_type(resources, "AWS::Lambda::Function"):
        lambdas = ("Errors", "Throttles", "AsyncEventsDropped", "DestinationDeliveryFailures")
        wants(name, "AWS/Lambda", lambdas, {"FunctionName": one.named(name)})
    for name in of_type(resources, "AWS::SQS::Queue"):
        metric = "ApproximateAgeOfOldestMessage" if name == "DelayedRetries" else "ApproximateNumberOfMessagesVisible"
        wants(name, "AWS/SQS", [metric], {"QueueName": one.named(name)})
    for name, rule in rules_of(resources).items():
        bus = {"EventBusName": one.named("Bus")} if "EventBusName" in rule["Properties"] else {}
        wants(name, "AWS/Events", ("FailedInvocations", "InvocationsFailedToBeSentToDlq"), {"RuleName": one.named(name)} | bus)
    for name in of_type(resources, "AWS::SNS::Topic"):
        wants(name, "AWS/SNS", ["NumberOfNotificationsFailed"], {"TopicName": one.named(name)})
    for name in of_type(resources, "AWS::DynamoDB::Table"):
        wants(name, "AWS/DynamoDB", ("ReadThrottleEvents", "WriteThrottleEvents"), {"TableName": one.named(name)})
        for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
            wants(name, "AWS/DynamoDB", ["SystemErrors"], {"TableName": one.named(name), "Operation": operation})
    return missing


class Names:
    def __init__(self, template, resources):
        self.template, self.resources = template, resources

    def named(self, name):
        own = self.resources[name]["Properties"].get("Name")
        return own or f"{'s' * 34}-{name}-1A2B3C4D5E6F7"


class Alarms(unittest.TestCase):
    maxDiff = None

    def test_every_part_is_watched(self):
        self.assertEqual(unwatched(hub(), transformed()), set())
        self.assertEqual(unwatched(member(), read(MEMBER)), set())

    def test_every_part_is_watched_where_the_stack_is_small(self):
        # The access advisor, the hub, the sweep, the test message, the digest and the preflight are left out, and their alarms with them.
        small = evaluated(transformed(), WithAccessAdvisor="false", SweepSchedule="", TestMessageSchedule="", DigestSchedule="", PreflightSchedule="")
        self.assertEqual(unwatched(small, transformed()), set())
        self.assertNotIn("AccessAdvisor", str(sorted(of_type(small, "AWS::CloudWatch::Alarm"))))

    def test_a_part_without_an_alarm_would_be_found(self):
        for name in of_type(hub(), "AWS::CloudWatch::Alarm"):
            if name in ("NothingArrivedAlarm", "NoSweepAlarm", "SweepFailuresAlarm", "NoPreflightAlarm"):
                continue
            template = copy.deepcopy(transformed())
            del template["Resources"][name]
            self.assertNotEqual(unwatched(evaluated(template, **HUB), template), set(), name)

    def test_an_alarm_looks_at_no_more_metrics_than_cloudwatch_takes_and_at_none_twice(self):
        for resources in (hub(), member()):
            seen = []
            for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
                self.assertLessEqual(len(alarm.get("Metrics", [])), MOST_METRICS, name)
                if "Metrics" in alarm:
                    [total] = [one for one in alarm["Metrics"] if one["ReturnData"]]
                    # CloudWatch counts what is missing as nothing, so that one rule's failure is enough.
                    self.assertEqual(total["Expression"], "SUM(FILL(METRICS(), 0))", name)
                seen += [one[:3] for one in metrics(alarm)]
            self.assertEqual(len(seen), len(set(seen)))

    def test_thresholds(self):
        wanted = {
            # Metric: threshold, period, periods, statistic.
            "Errors": (3, 900, 1, "Sum"),
            "Throttles": (1, 300, 3, "Sum"),
            "AsyncEventsDropped": (1, 300, 1, "Sum"),
            "DestinationDeliveryFailures": (1, 300, 1, "Sum"),
            "ApproximateNumberOfMessagesVisible": (1, 300, 1, "Maximum"),
            "ApproximateAgeOfOldestMessage": (3600, 300, 3, "Maximum"),
            "FailedInvocations": (1, 300, 1, "Sum"),
            "InvocationsFailedToBeSentToDlq": (1, 300, 1, "Sum"),
            "NumberOfNotificationsFailed": (1, 300, 1, "Sum"),
            "ReadThrottleEvents": (10, 300, 1, "Sum"),
            "WriteThrottleEvents": (10, 300, 1, "Sum"),
            "SystemErrors": (10, 300, 1, "Sum"),
            "Invocations": (1, 3600, "25", "Sum"),
            "SweepsCompleted": (1, 3600, "25", "Sum"),
            "SweepFailures": (1, 3600, 1, "Sum"),
            "PreflightsCompleted": (1, 3600, "25", "Sum"),
        }
        for resources in (hub(), member()):
            for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
                period = alarm.get("Period") or next(one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one)
                for _, metric, _, statistic in metrics(alarm):
                    self.assertEqual((alarm["Threshold"], period, alarm["EvaluationPeriods"], statistic), wanted[metric], name)

    def test_silence_is_an_alarm_and_so_is_a_metric_that_is_missing_then(self):
        resources = hub(SweepSchedule="rate(1 day)")
        for name, metric in (
            ("NothingArrivedAlarm", ("AWS/Lambda", "Invocations")),
            ("NoSweepAlarm", ("Copymend", "SweepsCompleted")),
            ("NoPreflightAlarm", ("Copymend", "PreflightsCompleted")),
        ):
            alarm = resources[name]["Properties"]
            self.assertEqual((alarm["Namespace"], alarm["MetricName"]), metric)
            self.assertEqual((alarm["ComparisonOperator"], alarm["TreatMissingData"]), ("LessThanThreshold", "breaching"))
            # Longer than a day, so that sweeps that are a day apart never leave a gap.
            self.assertGreater(alarm["Period"] * int(alarm["EvaluationPeriods"]), DAY)
        # The function's own name, so that two stacks in one account don't look at each other's sweeps.
        function = Names(transformed(), resources).named("CopyRemediator")
        for name in ("NoSweepAlarm", "NoPreflightAlarm"):
            self.assertEqual(resources[name]["Properties"]["Dimensions"], [{"Name": "Function", "Value": function}])
        for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
            if name not in ("NothingArrivedAlarm", "NoSweepAlarm", "NoPreflightAlarm"):
                self.assertEqual((alarm["ComparisonOperator"], alarm["TreatMissingData"]), ("GreaterThanOrEqualToThreshold", "notBreaching"), name)

    def test_the_hours_of_silence_are_what_cloudwatch_takes(self):
        hours = read()["Parameters"]["SilenceHours"]
        self.assertLessEqual(hours["MaxValue"] * 3600, 7 * DAY)
        self.assertGreater(hours["Default"], 24)

    def test_there_is_a_sweep_a_day_unless_it_is_switched_off_and_then_no_alarm_for_it(self):
        default = evaluated(transformed())
        self.assertEqual(default["SweepRule"]["Properties"]["ScheduleExpression"], "rate(1 day)")
        off = evaluated(transformed(), SweepSchedule="")
        self.assertEqual({"SweepRule", "SweepPermission", "NothingArrivedAlarm", "NoSweepAlarm", "SweepFailuresAlarm"} & set(off), set())

    def test_there_is_a_preflight_a_day_where_the_sweep_looks_unless_it_is_switched_off(self):
        default = evaluated(transformed())
        self.assertEqual(default["PreflightRule"]["Properties"]["ScheduleExpression"], "rate(1 day)")
        for given in ({}, {"SweepAccounts": "444455556666,555566667777", "SweepRegions": "eu-west-1"}):
            resources = hub(**given)
            [sweep] = resources["SweepRule"]["Properties"]["Targets"]
            [preflight] = resources["PreflightRule"]["Properties"]["Targets"]
            self.assertEqual(preflight | {"Input": sweep["Input"]}, sweep)
            swept, judged = json.loads(sweep["Input"]), json.loads(preflight["Input"])
            self.assertEqual(judged, swept | {"detail-type": "Copymend Preflight"})
        off = evaluated(transformed(), PreflightSchedule="")
        self.assertEqual({"PreflightRule", "PreflightPermission", "NoPreflightAlarm", "CopyRemediatorLists"} & set(off), set())
        none = evaluated(transformed(), SweepSchedule="", TestMessageSchedule="", DigestSchedule="", PreflightSchedule="")
        self.assertNotIn("SchedulesAlarm", none)

    def test_every_alarm_says_what_it_means_and_where_to_read_what_to_do(self):
        sections = {re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).strip().replace(" ", "-") for line in headings()}
        named = set()
        for resources in (hub(), member()):
            for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
                description = alarm["AlarmDescription"]
                self.assertLessEqual(len(description), DESCRIPTION, name)
                anchor = re.fullmatch(r"[A-Z].*[.] What to do: docs/runbook[.]md#([a-z-]+)[.]", description)
                self.assertIsNotNone(anchor, name)
                named.add(anchor[1])
        # What many findings send to, and no alarm of its own.
        self.assertEqual(named, sections - {"put-back-what-was-changed-by-hand"})

    def test_the_runbook_names_each_alarm(self):
        text = RUNBOOK.read_text()
        for resources in (hub(), member()):
            for name in of_type(resources, "AWS::CloudWatch::Alarm"):
                self.assertIn(f"`{name}`", text)
        named = set(re.findall(r"`(\w+Alarm)`", text))
        self.assertLessEqual(named, set(of_type(hub(), "AWS::CloudWatch::Alarm")) | set(of_type(member(), "AWS::CloudWatch::Alarm")))

    def test_every_alarm_goes_to_the_alarms_topic_and_nowhere_else(self):
        for resources in (hub(), member()):
            for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
                self.assertEqual(alarm["AlarmActions"], [topic_of("AlarmTopic")], name)
                self.assertNotIn("ActionsEnabled", alarm, name)

    def test_cloudwatch_can_publish_to_the_topic_and_only_for_this_account(self):
        for template, given in ((transformed(), HUB), (read(MEMBER), MEMBER_GIVEN)):
            plain = evaluated(template, **given)["AlarmTopic"]["Properties"]
            # AWS's own key for SNS admits no CloudWatch (SNS developer guide, "Managing Amazon SNS encryption keys and costs").
            self.assertNotIn("KmsMasterKeyId", plain)
            policy = evaluated(template, **given)["AlarmTopicPolicy"]["Properties"]
            [statement] = policy["PolicyDocument"]["Statement"]
            self.assertEqual(statement["Principal"], {"Service": "cloudwatch.amazonaws.com"})
            self.assertEqual((statement["Action"], statement["Resource"]), ("sns:Publish", topic_of("AlarmTopic")))
            self.assertEqual(
                statement["Condition"],
                {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": f"arn:aws-us-gov:cloudwatch:ap-northeast-1:{ACCOUNT}:alarm:*"},
                },
            )

    def test_the_address_gets_alarms_too(self):
        for resources in (hub(), member()):
            subscription = resources["AlarmEmailSubscription"]["Properties"]
            self.assertEqual((subscription["TopicArn"], subscription["Endpoint"]), (topic_of("AlarmTopic"), "people@example.com"))
        self.assertNotIn("AlarmEmailSubscription", member(NotificationEmail=""))

    def test_a_member_account_can_do_without_alarms(self):
        without = member(WithAlarms="false", NotificationEmail="people@example.com")
        self.assertEqual({name for name in without if "Alarm" in name}, set())


class TestMessage(unittest.TestCase):
    def test_it_is_sent_weekly_and_can_be_switched_off(self):
        self.assertEqual(hub()["TestMessageRule"]["Properties"]["ScheduleExpression"], "cron(0 8 ? * MON *)")
        off = hub(TestMessageSchedule="")
        self.assertEqual({"TestMessageRule", "TestMessagePermission"} & set(off), set())

    def test_it_is_a_constant_that_names_nothing(self):
        [target] = hub()["TestMessageRule"]["Properties"]["Targets"]
        self.assertEqual(json.loads(target["Input"]), {"source": "copymend", "detail-type": "Copymend Test Message"})


class Digest(unittest.TestCase):
    def test_it_is_sent_weekly_and_can_be_switched_off(self):
        self.assertEqual(hub()["DigestRule"]["Properties"]["ScheduleExpression"], "cron(0 7 ? * MON *)")
        off = hub(DigestSchedule="")
        self.assertEqual({"DigestRule", "DigestPermission"} & set(off), set())
        alone = evaluated(transformed(), SweepSchedule="", TestMessageSchedule="", PreflightSchedule="")
        self.assertIn("SchedulesAlarm", alone)

    def test_it_is_a_constant_that_names_nothing(self):
        [target] = hub()["DigestRule"]["Properties"]["Targets"]
        self.assertEqual(json.loads(target["Input"]), {"source": "copymend", "detail-type": "Copymend Digest"})


class Dashboard(unittest.TestCase):
    def test_every_metric_that_a_function_can_print_is_shown_and_no_other_is_looked_at(self):
        names = METRICS.read_text().split("pub const fn name(", 1)[1].split("\n    }\n", 1)[0]
        printed = set(re.findall(r'Self::\w+ => "(\w+)"', names))
        self.assertIn("SweepsCompleted", printed)
        shown = hub()["Dashboard"]["Properties"]["DashboardBody"]
        self.assertEqual({name for name in printed if name not in shown}, set())
        alarms = of_type(hub(), "AWS::CloudWatch::Alarm").values()
        own = {metric for alarm in alarms for namespace, metric, _, _ in metrics(alarm) if namespace == "Copymend"}
        self.assertLessEqual(own, printed)

    def test_it_shows_what_the_functions_tell_and_what_aws_counts(self):
        for given in ({}, {"WithAccessAdvisor": "false"}):
            body = json.loads(hub(**given)["Dashboard"]["Properties"]["DashboardBody"])
            shown = json.dumps(body)
            for metric in ("Failures", "Repairs", "Refusals", "Retries", "SecondsToGoodCopy", "EventsHandled", "SweepsCompleted", "SweepFailures", "PreflightsCompleted", "RoutesThatWillFail"):
                self.assertIn(metric, shown)
            for dimensions in ("{Copymend,Function,Cause}", "{Copymend,Function,Guard}"):
                self.assertIn(dimensions, shown)
            self.assertNotIn("${", shown)
            places = [(w["x"], w["y"]) for w in body["widgets"]]
            self.assertEqual(len(places), len(set(places)))
            for widget in body["widgets"]:
                self.assertLessEqual(widget["x"] + widget["width"], 24)


def topic_of(name):
    return f"arn:aws-us-gov:sns:ap-northeast-1:{ACCOUNT}:{'s' * 34}-{name}-1A2B3C4D5E6F7"


def headings():
    return [line for line in RUNBOOK.read_text().splitlines() if line.startswith("## ")]


if __name__ == "__main__":
    unittest.main()
