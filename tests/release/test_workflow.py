"""The workflow that publishes a release, and the example that deploys one."""

import re
import sys
import unittest
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(REPOSITORY / "release"))

from templates import HUB, packaged, parse  # noqa: E402

WORKFLOW = REPOSITORY / ".github" / "workflows" / "release.yml"
TERRAFORM = REPOSITORY / "examples" / "terraform" / "main.tf"


class Workflow(unittest.TestCase):
    def setUp(self):
        self.text = WORKFLOW.read_text(encoding="utf-8")
        self.workflow = yaml.safe_load(self.text)

    def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(self):
        used = re.findall(r"uses: (.*)", self.text)
        self.assertTrue(used)
        for action in used:
            self.assertRegex(action, r"^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

    def test_only_the_last_job_may_write(self):
        self.assertEqual(self.workflow["permissions"], {})
        may_write = [name for name, job in self.workflow["jobs"].items() if "write" in job["permissions"].values()]
        self.assertEqual(may_write, ["publish"])

    def test_nothing_is_published_that_did_not_pass(self):
        self.assertEqual(self.workflow["jobs"]["publish"]["needs"], ["test", "package"])

    def test_no_expression_is_put_into_a_command(self):
        for job in self.workflow["jobs"].values():
            for step in job["steps"]:
                self.assertNotIn("${{", step.get("run", ""))


class Terraform(unittest.TestCase):
    def test_it_sets_the_parameters_of_the_release_and_what_the_template_needs(self):
        text = TERRAFORM.read_text(encoding="utf-8")
        [parameters] = re.findall(r"parameters = merge\(var\.parameters, \{\n(.*?)\}\)", text, re.DOTALL)
        named = set(re.findall(r"(\w+) +=", parameters))
        template = parse(packaged(HUB.read_text(encoding="utf-8"), "1.2.3"))
        needed = {name for name, parameter in template["Parameters"].items() if "Default" not in parameter}
        self.assertEqual(needed, {"CodeBucket"})
        self.assertEqual(named, {"CodeBucket", "CodeVersion", "Architecture"})
        for function in ("copy-remediator", "access-advisor"):
            self.assertIn(f'"{function}-${{var.architecture}}.zip"', text)


if __name__ == "__main__":
    unittest.main()
