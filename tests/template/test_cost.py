"""What docs/cost.md says of alarms is what the templates make."""

import re
import unittest

from test_alarms import hub as whole_hub, member, metrics, of_type
from transformed import TEMPLATE

PAGE = TEMPLATE.parent / "docs" / "cost.md"
# CloudWatch's price for one metric of an alarm, in dollars a month.
PRICE = 0.10
WITHOUT_ADVISOR = {"WithAccessAdvisor": "false"}


def hub(**given):
    """The hub without what is off by default and adds to alarms: a line of the page tells of it."""
    return whole_hub(**({"WithChat": "false"} | given))


def counted(resources):
    """The alarms, and the metrics that CloudWatch bills for them: an alarm on an expression counts as often as it has metrics."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    return len(alarms), sum(len(list(metrics(alarm))) for alarm in alarms)


def told(resources):
    alarms, looked_at = counted(resources)
    return f"{alarms} on {looked_at} metrics, {looked_at * PRICE:.2f}"


def rows():
    """The cells of each row of the page, by its first one."""
    lines = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


class Cost(unittest.TestCase):
    def test_an_expression_counts_as_often_as_it_has_metrics(self):
        alarm = hub()["LedgerAlarm"]["Properties"]
        self.assertEqual(counted({"LedgerAlarm": hub()["LedgerAlarm"]}), (1, sum("MetricStat" in one for one in alarm["Metrics"])))
        self.assertGreater(len(alarm["Metrics"]), 2)

    def test_the_table_of_alarms_is_what_the_templates_make(self):
        wanted = {
            "a hub": [told(hub()), told(hub(**WITHOUT_ADVISOR))],
            "a stack that is no hub": [told(hub(HubOrganizationId="")), told(hub(HubOrganizationId="", **WITHOUT_ADVISOR))],
            "each Region of a member account": [told(member()), told(member(HubAdvisorRoleArn=""))],
        }
        self.assertEqual({name: rows()[name] for name in wanted}, wanted)

    def test_the_topic_of_chats_adds_one_metric(self):
        added = counted(hub(WithChat="true"))[1] - counted(hub())[1]
        self.assertEqual(added, 1)
        self.assertIn(f"`WithChat` adds one metric to an alarm, {added * PRICE:.2f} a month.", PAGE.read_text())

    def test_the_months_rows_follow_and_so_do_the_sums(self):
        found = rows()
        for name, resources in (("alarms, hub", hub()), ("alarms, each Region of a member account", member())):
            alarms, looked_at = counted(resources)
            self.assertEqual(found[name], [f"{alarms} alarms on {looked_at} metrics × 0.10", f"{looked_at * PRICE:.2f}"])
        text = PAGE.read_text()
        month = text.split("## Each month", 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
        sums = [float(number) for number in re.findall(r"\| (\d+[.]\d\d) \|$", month, re.MULTILINE)]
        alone = sum(sums) - counted(member())[1] * PRICE
        self.assertIn(f"| **hub alone** | | **{alone:.2f}** |", month)
        failures = float(re.search(r"\*\*10,000 failures\*\* \| \| \*\*(\d+[.]\d\d)", text)[1])
        of_member = counted(member())[1] * PRICE
        whole = alone + 80 * of_member + failures
        self.assertIn(f"costs {alone:.2f} + 80 × {of_member:.2f} + {failures:.2f}, about {whole:.0f} dollars", text)


if __name__ == "__main__":
    unittest.main()
