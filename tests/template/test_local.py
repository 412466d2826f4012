"""What `sam local invoke` hands to the functions. Asked of the SAM CLI itself, so run with its own Python."""

import json
import os
import re
import unittest
from pathlib import Path
from unittest import mock

from samcli.lib.config.samconfig import SamConfig
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.lambdafn.env_vars import EnvironmentVariables

from transformed import TEMPLATE, read, transformed

ROOT = TEMPLATE.parent
FUNCTIONS = ("CopyRemediator", "AccessAdvisor")


def settings():
    """The settings of `sam local invoke` in samconfig.toml."""
    return SamConfig(str(ROOT)).get_all(["local", "invoke"], "parameters")


def variables(function, shell=None, file=None, **parameters):
    """The variables of a function when it is invoked in the project's folder, with its file of variables or another one."""
    overrides = file or json.loads((ROOT / settings()["env_vars"]).read_text())
    # As from a place where AWS is not set up.
    with mock.patch.dict(os.environ, {}, clear=True):
        stacks, _ = SamLocalStackProvider.get_stacks(str(TEMPLATE), parameter_overrides=parameters)
        declared = SamFunctionProvider(stacks).get(function).environment["Variables"]
    return EnvironmentVariables(
        function_name=function,
        variables=declared,
        shell_env_values=shell or {},
        override_values=overrides.get("Parameters", {}) | overrides.get(function, {}),
    ).resolve()


class LocalRuns(unittest.TestCase):
    def test_the_file_of_variables_and_the_event_are_named_from_the_projects_folder(self):
        for name in ("env_vars", "event"):
            self.assertFalse(Path(settings()[name]).is_absolute())
            self.assertTrue((ROOT / settings()[name]).is_file())

    def test_no_image_is_looked_for_when_there_is_one(self):
        self.assertIs(settings()["skip_pull_image"], True)

    def test_no_variable_names_a_resource_that_only_a_deployment_has(self):
        resources = set(read()["Resources"])
        for function in FUNCTIONS:
            given = {name: value for name, value in variables(function).items() if name.startswith("COPYMEND_")}
            self.assertEqual({name for name, value in given.items() if resources & set(re.split(r"\W", value))}, set())
            self.assertEqual((given["COPYMEND_TOPIC_ARN"], given["COPYMEND_LEDGER_TABLE"]), ("", ""))

    def test_lists_are_empty_or_separated_by_commas(self):
        self.assertEqual(variables("CopyRemediator")["COPYMEND_ALLOWED_DESTINATIONS"], "")
        two = variables("CopyRemediator", AllowedDestinations="arn:aws:backup:*:1:a,arn:aws:backup:*:2:b")
        self.assertEqual(two["COPYMEND_ALLOWED_DESTINATIONS"], "arn:aws:backup:*:1:a,arn:aws:backup:*:2:b")

    def test_an_endpoint_comes_from_the_shell_or_from_a_file_of_variables(self):
        url = "http://192.0.2.1:4566"
        for function in FUNCTIONS:
            # The SAM CLI doesn't evaluate an Fn::If that has AWS::NoValue: the variable is empty, whatever the parameter is.
            self.assertEqual(variables(function)["AWS_ENDPOINT_URL"], "")
            self.assertEqual(variables(function, shell={"AWS_ENDPOINT_URL": url})["AWS_ENDPOINT_URL"], url)
            self.assertEqual(variables(function, file={"Parameters": {"AWS_ENDPOINT_URL": url}})["AWS_ENDPOINT_URL"], url)

    def test_a_deployed_function_has_no_endpoint_unless_told(self):
        self.assertEqual(read()["Parameters"]["EndpointUrl"]["Default"], "")
        self.assertEqual(read()["Conditions"]["HasEndpointUrl"], {"Fn::Not": [{"Fn::Equals": [{"Ref": "EndpointUrl"}, ""]}]})
        for function in FUNCTIONS:
            value = transformed()["Resources"][function]["Properties"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"]
            self.assertEqual(value, {"Fn::If": ["HasEndpointUrl", {"Ref": "EndpointUrl"}, {"Ref": "AWS::NoValue"}]})


if __name__ == "__main__":
    unittest.main()
