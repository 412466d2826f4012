"""The templates of a release."""

import re
import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path += [str(REPOSITORY / "release"), str(REPOSITORY / "tests" / "template")]

from templates import HUB, CannotPackage, packaged, parse  # noqa: E402
from transformed import after_transform, transformed  # noqa: E402

SOURCE = HUB.read_text(encoding="utf-8")


class Packaged(unittest.TestCase):
    maxDiff = None

    def test_the_stack_is_the_one_of_the_source_but_for_where_the_code_comes_from(self):
        release, source = after_transform(parse(packaged(SOURCE, "1.2.3"))), transformed()
        for parameter in ("CodeBucket", "CodeVersion"):
            del release["Parameters"][parameter]
        for function, binary in (("CopyRemediator", "copy-remediator"), ("AccessAdvisor", "access-advisor")):
            self.assertEqual(
                release["Resources"][function]["Properties"].pop("Code"),
                {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Fn::Sub": f"${{CodeVersion}}/{binary}-${{Architecture}}.zip"}},
            )
            del source["Resources"][function]["Properties"]["Code"]
        # Of the build alone, and of the console's form.
        for template in (release, source):
            for one in (template, *template["Resources"].values()):
                one.pop("Metadata", None)
        self.assertEqual(release, source)

    def test_an_update_that_forgets_the_new_version_is_refused_by_the_parameter(self):
        parameters = parse(packaged(SOURCE, "1.2.3"))["Parameters"]
        self.assertEqual(parameters["CodeVersion"]["AllowedValues"], ["1.2.3"])
        self.assertNotIn("Default", parameters["CodeBucket"])

    def test_both_parameters_are_asked_for_first(self):
        first = parse(packaged(SOURCE, "1.2.3"))["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"][0]
        self.assertEqual(first["Parameters"], ["CodeBucket", "CodeVersion"])

    def test_comments_stay(self):
        comments = [line for line in SOURCE.splitlines() if line.strip().startswith("#")]
        self.assertTrue(comments)
        self.assertEqual([line for line in packaged(SOURCE, "1.2.3").splitlines() if line.strip().startswith("#")], comments)

    def test_only_metadata_of_the_build_goes(self):
        build = "      BuildMethod: rust-cargolambda\n"
        more = parse(packaged(SOURCE.replace(build, f"      other: 1\n{build}"), "1.2.3"))["Resources"]
        bare = re.sub(rf"^(    Metadata:\n)(?:      .*\n)*?(?={build})", r"\1", SOURCE, flags=re.MULTILINE)
        none = parse(packaged(bare, "1.2.3"))["Resources"]
        for function in ("CopyRemediator", "AccessAdvisor"):
            self.assertEqual(more[function]["Metadata"]["other"], 1)
            self.assertFalse({"BuildMethod", "BuildProperties"} & set(more[function]["Metadata"]))
            self.assertNotIn("Metadata", none[function])

    def test_a_template_that_is_written_otherwise_is_refused(self):
        for was, becomes in (
            ("      CodeUri: functions/access-advisor\n", "      CodeUri: functions/other\n"),
            ("      BuildMethod: rust-cargolambda\n", "      BuildMethod: makefile\n"),
            ("\nParameters:\n", "\nParameters: # all of them\n"),
        ):
            changed = SOURCE.replace(was, becomes)
            self.assertNotEqual(changed, SOURCE)
            with self.subTest(becomes), self.assertRaises(CannotPackage):
                packaged(changed, "1.2.3")

    def test_a_third_function_is_not_left_unpackaged(self):
        third = "\nResources:\n  Third:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: functions/third}\n"
        with self.assertRaisesRegex(CannotPackage, "Third"):
            packaged(SOURCE.replace("\nResources:\n", third), "1.2.3")


if __name__ == "__main__":
    unittest.main()
