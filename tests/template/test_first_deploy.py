"""What a first deployment, and one into a young account, must not stumble over: both are off unless they are asked for."""

import unittest

from transformed import read, transformed


class FirstDeploy(unittest.TestCase):
    def setUp(self):
        self.template = read()
        self.resources = transformed()["Resources"]

    def test_the_ledger_is_protected_from_deletion_only_if_asked(self):
        self.assertEqual(self.template["Parameters"]["LedgerDeletionProtection"]["Default"], "false")
        self.assertEqual(
            self.template["Conditions"]["ProtectsLedger"], {"Fn::Equals": [{"Ref": "LedgerDeletionProtection"}, "true"]}
        )
        ledger = self.resources["Ledger"]
        self.assertEqual(ledger["Properties"]["DeletionProtectionEnabled"], {"Fn::If": ["ProtectsLedger", True, False]})
        # A first deployment that fails takes it away again, which the protection would prevent.
        self.assertEqual(ledger["DeletionPolicy"], "RetainExceptOnCreate")

    def test_no_concurrency_is_reserved_unless_asked(self):
        self.assertEqual(self.template["Parameters"]["ReservedConcurrency"]["Default"], "")
        self.assertEqual(
            self.template["Conditions"]["HasReservedConcurrency"],
            {"Fn::Not": [{"Fn::Equals": [{"Ref": "ReservedConcurrency"}, ""]}]},
        )
        reserved = {
            name: resource["Properties"]["ReservedConcurrentExecutions"]
            for name, resource in self.resources.items()
            if "ReservedConcurrentExecutions" in resource.get("Properties", {})
        }
        given = {"Fn::If": ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
        # Of the function that writes. The advisor takes what is left.
        self.assertEqual(reserved, {"CopyRemediator": given})


if __name__ == "__main__":
    unittest.main()
