"""A release deployed from its bucket, by change sets as `aws cloudformation deploy` makes them."""

import itertools
import json
import sys
import unittest

from botocore.exceptions import ClientError, WaiterError
from cloud import REPOSITORY, Cloud, Stack

sys.path.append(str(REPOSITORY / "release"))

from archives import zip_of_function  # noqa: E402
from templates import FUNCTIONS, HUB, packaged, parse  # noqa: E402

BUCKET = "copymend-releases"
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
WAIT = {"Delay": 0.2, "MaxAttempts": 300}


class Release(unittest.TestCase):
    def setUp(self):
        self.cloud = Cloud()
        self.addCleanup(self.cloud.stop)
        self.stack = Stack(self.cloud, "us-east-1")
        self.s3, self.formation = self.stack.client("s3"), self.stack.client("cloudformation")
        self.numbers = itertools.count(1)
        self.s3.create_bucket(Bucket=BUCKET)
        for version in ("0.1.0", "0.2.0"):
            # As JSON, since the emulator doesn't know the short form of every function of rules.
            template = parse(packaged(HUB.read_text(encoding="utf-8"), version))
            self.put(version, "template.yaml", json.dumps(template).encode())
            for function in FUNCTIONS.values():
                self.put(version, f"{function}-x86_64.zip", zip_of_function(f"#!/bin/sh\necho {function} {version}\n".encode()))

    def put(self, version, name, content):
        self.s3.put_object(Bucket=BUCKET, Key=f"{version}/{name}", Body=content)

    def deploy(self, version, kind="UPDATE", **parameters):
        """Parameters that nobody names keep their values, as `aws cloudformation deploy` does it."""
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        if kind == "UPDATE":
            [stack] = self.formation.describe_stacks(StackName=self.stack.name)["Stacks"]
            kept = {parameter["ParameterKey"] for parameter in stack["Parameters"]} - set(parameters)
            given += [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(kept)]
        name = f"release-{next(self.numbers)}"
        self.formation.create_change_set(
            StackName=self.stack.name,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateURL=f"{self.cloud.endpoint}/{BUCKET}/{version}/template.yaml",
            Parameters=given,
            Capabilities=CAPABILITIES,
        )
        self.formation.get_waiter("change_set_create_complete").wait(StackName=self.stack.name, ChangeSetName=name, WaiterConfig=WAIT)
        self.formation.execute_change_set(StackName=self.stack.name, ChangeSetName=name)
        waiter = "stack_create_complete" if kind == "CREATE" else "stack_update_complete"
        self.formation.get_waiter(waiter).wait(StackName=self.stack.name, WaiterConfig=WAIT)

    def code(self, function):
        name, _ = self.stack.resources()[function]
        return self.stack.client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"]

    def test_deployed_upgraded_and_rolled_back(self):
        self.deploy("0.1.0", "CREATE", CodeBucket=BUCKET, CodeVersion="0.1.0")
        self.assertEqual(self.stack.status(), "CREATE_COMPLETE")
        self.assertEqual(self.stack.variables()["COPYMEND_MODE"], "observe")
        first, ledger = {name: self.code(name) for name in FUNCTIONS}, self.stack.outputs()["LedgerTable"]

        with self.assertRaises((ClientError, WaiterError)) as refused:
            self.deploy("0.2.0", MaxAgeHours="48")
        self.assertIn("CodeVersion", str(refused.exception))
        self.assertEqual({name: self.code(name) for name in FUNCTIONS}, first)

        self.deploy("0.2.0", CodeVersion="0.2.0", MaxAgeHours="48")
        self.assertEqual(self.stack.status(), "UPDATE_COMPLETE")
        for name in FUNCTIONS:
            self.assertNotEqual(self.code(name), first[name])
        self.assertEqual(self.stack.variables()["COPYMEND_MAX_AGE_HOURS"], "48")

        self.deploy("0.1.0", CodeVersion="0.1.0")
        self.assertEqual({name: self.code(name) for name in FUNCTIONS}, first)
        self.assertEqual(self.stack.variables()["COPYMEND_MAX_AGE_HOURS"], "48")
        self.assertEqual(self.stack.outputs()["LedgerTable"], ledger)


if __name__ == "__main__":
    unittest.main()
