"""docs/watching.md names each part of both templates, what watches it, and each alarm's metric and threshold."""

import json
import re
import unittest

from evaluated import evaluated
from test_alarms import hub, member, metrics, of_type
from test_platform import HUB
from transformed import MEMBER, TEMPLATE, read, rules_of, transformed

ROOT = TEMPLATE.parent
PAGE = ROOT / "docs" / "watching.md"
PATTERNS = ROOT / "shared" / "doctor" / "src" / "patterns.json"
NOBODY = "nobody"


def table(heading):
    """The rows below a heading: their cells."""
    section = PAGE.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def names(cell):
    return re.findall(r"`([A-Za-z-]+)`", cell)


def findings():
    return set(re.findall(r"^\| [a-z -]+ \| `([a-z-]+)` \|", (ROOT / "docs" / "doctor.md").read_text(), re.MULTILINE))


HUBS, MEMBERS = "The stack of `template.yaml`", "A member account's stack of `member.yaml`"


class Watching(unittest.TestCase):
    maxDiff = None

    def test_every_part_of_both_templates_is_there_once_and_no_other_is(self):
        for heading, template in ((HUBS, transformed()), (MEMBERS, read(MEMBER))):
            parts = [name for row in table(heading) for name in names(row[0])]
            self.assertEqual(sorted(parts), sorted(template["Resources"]), heading)

    def test_each_alarm_and_each_finding_that_is_named_exists(self):
        for heading, resources in ((HUBS, hub()), (MEMBERS, member())):
            alarms = set(of_type(resources, "AWS::CloudWatch::Alarm"))
            for parts, of_alarms, of_findings in table(heading):
                named = names(of_alarms)
                of_hub = set(of_type(hub(), "AWS::CloudWatch::Alarm")) if "of the hub" in of_alarms else set()
                self.assertLessEqual(set(named), alarms | of_hub, parts)
                self.assertLessEqual(set(names(of_findings)), findings(), parts)
                # Whatever has neither says why.
                self.assertTrue(named or names(of_findings) or re.match(f"{NOBODY}(:|$)", of_alarms), parts)

    def test_every_finding_of_a_part_is_named_and_every_alarm_is(self):
        # What is about no part of the stack: the stack as a whole, its settings, and what is around it.
        others = re.compile("stack-|account|member-role-|no-trail|trail-|service-linked-role-missing")
        settings = set(re.findall(r"^\| settings \| `([a-z-]+)` \|", (ROOT / "docs" / "doctor.md").read_text(), re.MULTILINE))
        named = {name for heading in (HUBS, MEMBERS) for row in table(heading) for name in names(row[2])}
        self.assertEqual({name for name in findings() - settings - named if not others.match(name)}, set())
        alarms = {name for row in table(HUBS) for name in names(row[1])}
        self.assertEqual(alarms, set(of_type(hub(), "AWS::CloudWatch::Alarm")))

    def test_each_alarms_metrics_and_threshold_are_the_templates(self):
        told = {names(alarm)[0]: (names(of_metrics), threshold, periods) for alarm, of_metrics, threshold, periods in table("The alarms")}
        self.assertEqual(set(told), set(of_type(hub(), "AWS::CloudWatch::Alarm")))
        signs = {"LessThanThreshold": "<", "GreaterThanOrEqualToThreshold": "≥"}
        for resources in (hub(SilenceHours="31"), member()):
            for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
                seen = list(dict.fromkeys(metric for _, metric, _, _ in metrics(alarm)))
                period = alarm.get("Period") or next(one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one)
                periods = "`SilenceHours`" if alarm["EvaluationPeriods"] == "31" else alarm["EvaluationPeriods"]
                threshold = f"{signs[alarm['ComparisonOperator']]} {alarm['Threshold']}"
                self.assertEqual(told[name], (seen, threshold, f"{periods} × {period // 60}"), name)


class Patterns(unittest.TestCase):
    def test_the_doctors_patterns_are_the_templates(self):
        for notice, states in (("false", ["FAILED"]), ("true", ["FAILED", "COMPLETED"])):
            wanted = json.loads(PATTERNS.read_text())
            for name in ("CopyFailedRule", "HubCopyFailedRule"):
                wanted[name]["detail"]["state"] = states
            found = {}
            for given in (HUB, HUB | {"HubOrganizationId": ""}):
                for name, rule in rules_of(evaluated(transformed(), **given | {"RecoveryNotice": notice})).items():
                    if "EventPattern" in rule["Properties"]:
                        found[name] = rule["Properties"]["EventPattern"]
            # The roles whose calls the audit is of are known by their ARNs in the account alone.
            del found["AuditRule"]["detail"]["userIdentity"]
            self.assertEqual(found, wanted)

    def test_what_the_doctor_takes_for_granted_is_in_the_template(self):
        resources = hub()
        properties = {name: resource["Properties"] for name, resource in resources.items()}
        for table_name in ("Ledger", "AdvisorLedger"):
            self.assertEqual(properties[table_name]["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})
        self.assertEqual([one["IndexName"] for one in properties["Ledger"]["GlobalSecondaryIndexes"]], ["by-day", "by-resource"])
        self.assertIn("DeadLetters", properties["DelayedRetries"]["RedrivePolicy"]["deadLetterTargetArn"])
        for function, kept in (("CopyRemediator", "DeadLetters"), ("AccessAdvisor", "AdvisorFailures")):
            destination = properties[f"{function}EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]
            self.assertIn(f"-{kept}-", destination)
        for rule, parameter in (("SweepRule", "SweepSchedule"), ("TestMessageRule", "TestMessageSchedule"), ("DigestRule", "DigestSchedule"), ("PreflightRule", "PreflightSchedule")):
            given = hub(**{parameter: "rate(7 days)"})
            self.assertEqual(given[rule]["Properties"]["ScheduleExpression"], "rate(7 days)")

    def test_the_ages_of_copies_are_asked_for_beside_the_preflight_where_an_objective_is_set(self):
        def targets(**given):
            resources = hub(SweepAccounts="444455556666,555566667777", SweepRegions="eu-west-1", **given)
            return resources["PreflightRule"]["Properties"]["Targets"], resources

        (alone,), _ = targets()
        (preflight, ages), resources = targets(CopyAgeObjective="26h")
        self.assertEqual(preflight, alone)
        asked, measured = json.loads(preflight["Input"]), json.loads(ages["Input"])
        self.assertEqual(measured, asked | {"detail-type": "Copymend Copy Age"})
        self.assertEqual(measured["detail"], {"accounts": ["444455556666", "555566667777"], "regions": ["eu-west-1"]})
        # It goes the same way, with the same care.
        self.assertEqual({key: ages[key] for key in ("Arn", "RetryPolicy", "DeadLetterConfig")}, {key: alone[key] for key in ("Arn", "RetryPolicy", "DeadLetterConfig")})
        variables = resources["CopyRemediator"]["Properties"]["Environment"]["Variables"]
        self.assertEqual(variables["COPYMEND_COPY_AGE_OBJECTIVE"], "26h")
        self.assertNotIn("PreflightRule", hub(CopyAgeObjective="26h", PreflightSchedule=""))


if __name__ == "__main__":
    unittest.main()
