"""docs/settings.md lists the parameters of both templates with their variables and defaults, no more and no fewer."""

import json
import re
import unittest

from transformed import MEMBER, TEMPLATE, read

PAGE = TEMPLATE.parent / "docs" / "settings.md"
# Defaults that the page says in words.
WORDS = {
    "empty": "",
    "none": "",
    "AWS's own keys": "",
    "in no VPC": "",
    "AWS's default role": "service-role/AWSBackupDefaultServiceRole",
    "daily": "rate(1 day)",
    "daily, this Region and account": "rate(1 day)",
    "Mondays at 8": "cron(0 8 ? * MON *)",
    "Mondays at 7": "cron(0 7 ? * MON *)",
}
# They have the default of the first parameter of their row in words: this Region and account alone.
BESIDE = {"SweepRegions": "", "SweepAccounts": ""}


def rows(text):
    """The cells of the tables that list parameters with their default."""
    is_list = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip()[1:-1].split("|")] if line.startswith("|") else [""]
        if cells[0] == "parameter":
            is_list = cells[-1] == "default"
        elif not line.startswith("|"):
            is_list = False
        elif is_list and not set(line) <= set("|-"):
            yield cells


def codes(cell):
    return re.findall(r"`([^`]+)`", cell)


def hub_and_member():
    hub, member = PAGE.read_text().split("## In a member account\n")
    return list(rows(hub)), list(rows(member))


def told_default(cell):
    return codes(cell)[0] if codes(cell) else WORDS.get(cell, cell)


def parameters(path):
    return read(path)["Parameters"]


def variables(function):
    """The variables of a function as the template has them, as text."""
    template = read(TEMPLATE)
    found = dict(template.get("Globals", {}).get("Function", {}).get("Environment", {}).get("Variables", {}))
    found |= template["Resources"][function]["Properties"]["Environment"]["Variables"]
    return {name: json.dumps(value) for name, value in found.items()}


class Settings(unittest.TestCase):
    def test_the_page_lists_every_parameter_of_the_hub_and_no_other(self):
        hub, _ = hub_and_member()
        self.assertEqual(sorted(name for row in hub for name in codes(row[0])), sorted(parameters(TEMPLATE)))

    def test_the_page_lists_every_parameter_of_a_member_and_no_other(self):
        _, member = hub_and_member()
        self.assertEqual(sorted(name for row in member for name in codes(row[0])), sorted(parameters(MEMBER)))

    def test_the_defaults_are_those_of_the_templates(self):
        for told, path in zip(hub_and_member(), (TEMPLATE, MEMBER)):
            for row in told:
                for name in codes(row[0]):
                    with self.subTest(path.name, parameter=name):
                        default = str(parameters(path)[name].get("Default", "required"))
                        self.assertEqual(BESIDE.get(name, told_default(row[-1])), default)

    def test_a_parameter_sets_the_variable_beside_it(self):
        hub, _ = hub_and_member()
        functions = {"CopyRemediator": variables("CopyRemediator"), "AccessAdvisor": variables("AccessAdvisor")}
        count = 0
        for row in hub:
            function = "AccessAdvisor" if "(of the advisor)" in row[1] else "CopyRemediator"
            for name, variable in zip(codes(row[0]), codes(row[1])):
                with self.subTest(parameter=name):
                    self.assertIn(f'"{name}"', functions[function][variable])
                    count += 1
        self.assertGreater(count, 25)

    def test_the_page_names_every_variable_of_the_functions(self):
        hub, _ = hub_and_member()
        told = {variable for row in hub for variable in codes(row[1])}
        made = set(variables("CopyRemediator")) | set(variables("AccessAdvisor"))
        self.assertEqual(made - told, set())

    def test_a_row_that_lies_is_seen(self):
        [row] = rows("| parameter | environment | meaning | default |\n|---|---|---|---|\n| `Mode` | `COPYMEND_MODE` | a or b | `repair` |\n")
        self.assertEqual((codes(row[0]), codes(row[1]), told_default(row[-1])), (["Mode"], ["COPYMEND_MODE"], "repair"))
        self.assertNotEqual(told_default(row[-1]), parameters(TEMPLATE)["Mode"]["Default"])


if __name__ == "__main__":
    unittest.main()
