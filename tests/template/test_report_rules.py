"""The example rules take the messages that they are for, what they make of them is JSON, and no rule of Copymend's own takes any."""

import json
import unittest

from templates import REPOSITORY
from transformed import MEMBER, read, transformed

EXAMPLE = REPOSITORY / "examples" / "report-rules.yaml"
# Made by the tests of shared/report, of the handlers' own reports.
MESSAGES = {path.stem: json.loads(path.read_text()) for path in sorted((REPOSITORY / "examples" / "messages").glob("*.json"))}
# What Systems Manager takes (user guide, "Creating OpsItems automatically").
TITLE, DESCRIPTION = 1024, 2048


def matches(pattern, event):
    """Whether a pattern of EventBridge takes an event, as far as our rules use the language: values, and what begins or ends so."""
    for name, wanted in pattern.items():
        if isinstance(wanted, dict):
            if not isinstance(event.get(name), dict) or not matches(wanted, event[name]):
                return False
        elif not any(takes(one, name in event, event.get(name)) for one in wanted):
            return False
    return True


def takes(wanted, is_there, value):
    if not isinstance(wanted, dict):
        return is_there and wanted == value and type(wanted) is type(value)
    [(kind, argument)] = wanted.items()
    if kind == "exists":
        return is_there == argument
    if kind == "prefix":
        return is_there and str(value).startswith(argument)
    if kind == "suffix":
        return is_there and str(value).endswith(argument)
    if kind == "wildcard":
        return is_there and all(part in str(value) for part in argument.split("*"))
    if kind == "anything-but":
        return is_there and value not in argument
    raise AssertionError(f"what is {kind}?")


def rules(template):
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == "AWS::Events::Rule"}


def resolved(pattern):
    """A pattern with what a function of the template would fill in: anything that isn't a message's source."""
    if isinstance(pattern, dict) and any(key == "Ref" or key.startswith("Fn::") for key in pattern):
        [(function, arguments)] = pattern.items()
        return resolved(arguments[1]) if function == "Fn::If" else "filled in"
    if isinstance(pattern, dict):
        return {key: resolved(one) for key, one in pattern.items()}
    if isinstance(pattern, list):
        return [resolved(one) for one in pattern]
    return pattern


def at(path, event):
    value = event
    for part in path.removeprefix("$.").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def transformed_input(transformer, event):
    """What a target gets: values stand in the template as they are."""
    text = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        value = at(path, event)
        text = text.replace(f"<{name}>", "" if value is None else str(value))
    return json.loads(text)


class ReportRules(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.rules = rules(read(EXAMPLE))

    def test_each_rule_takes_the_messages_that_it_is_for(self):
        taken = {
            name: {message for message, event in MESSAGES.items() if matches(rule["EventPattern"], event)} for name, rule in self.rules.items()
        }
        high = {"advised", "refused", "failed"}
        self.assertEqual(
            taken,
            {
                "HighOpsItemRule": high,
                "MediumOpsItemRule": {"planned", "unverified", "refused-call"},
                "FindingRule": high | {"planned"},
                "PageRule": high,
            },
        )

    def test_no_rule_of_copymends_own_takes_a_message(self):
        for template in (transformed(), read(MEMBER)):
            for name, rule in rules(template).items():
                if "EventPattern" in rule:
                    for message, event in MESSAGES.items():
                        self.assertFalse(matches(resolved(rule["EventPattern"]), event), f"{name} takes {message}")

    def test_what_a_target_gets_is_json_within_its_limits(self):
        made = 0
        for name, rule in self.rules.items():
            [target] = rule["Targets"]
            transformer = target.get("InputTransformer")
            for event in MESSAGES.values():
                if transformer and matches(rule["EventPattern"], event):
                    got = transformed_input(transformer, event)
                    made += 1
                    if name.endswith("OpsItemRule"):
                        self.assertLessEqual(len(got["title"]), TITLE)
                        self.assertLessEqual(len(got["description"]), DESCRIPTION)
                        self.assertIn(got["severity"], {"1", "2", "3", "4"})
                        dedup = json.loads(got["operationalData"]["/aws/dedup"]["value"])
                        self.assertEqual(dedup, {"dedupString": f"copymend-{event['detail']['incident']}"})
                        self.assertNotRegex(got["source"].lower(), "aws|amazon|amzn")
                    else:
                        self.assertEqual(got["dedup_key"], f"copymend-{event['detail']['incident']}")
        self.assertGreaterEqual(made, 9)

    def test_nothing_that_others_wrote_stands_in_a_template(self):
        # The title has no quotes and no backslashes, which the tests of shared/report show; all else is a word of a list, an account's id
        # or the incident's name.
        for rule in self.rules.values():
            for path in rule["Targets"][0].get("InputTransformer", {}).get("InputPathsMap", {}).values():
                self.assertIn(path.removeprefix("$.detail."), {"title", "outcome", "cause", "account", "incident"})

    def test_every_target_has_a_queue_for_what_it_does_not_take(self):
        for name, rule in self.rules.items():
            for target in rule["Targets"]:
                self.assertEqual(target["DeadLetterConfig"]["Arn"], {"Fn::GetAtt": ["DeadLetters", "Arn"]}, name)


if __name__ == "__main__":
    unittest.main()
