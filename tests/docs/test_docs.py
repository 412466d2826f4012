"""What checks the pages can fail: each kind of mistake is found. It needs botocore: .test-tools/tests/bin/python."""

import importlib.util
import subprocess
import sys
import tempfile
import textwrap
import unittest
from importlib.machinery import SourceFileLoader
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from marks import File, NotRun, Output, Run, differs, meaning, of_page  # noqa: E402
from pages import Page, PageError, anchor_of, in_reading_order  # noqa: E402


def program(name):
    """A program without an ending, as a module."""
    loader = SourceFileLoader(f"docs_{name}", str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


aws, links, names, run = program("aws"), program("links"), program("names"), program("run")


def blocks(text):
    return of_page(Page.parse("page.md", textwrap.dedent(text)))


class Links(unittest.TestCase):
    def wrong(self, pages):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
            for name, text in pages.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return links.wrong(root)[0]

    def test_good_pages_have_nothing_wrong(self):
        pages = {
            "README.md": "[all](docs/README.md) [part](docs/one.md#the-keys-policy) <https://example.com/a_(b)?c=d#e>\n",
            "docs/README.md": "# All\n[one](one.md) [here](#all) [folder](adr)\n",
            "docs/one.md": "# One\n## The key's policy\n## Twice\n## Twice\n[second](#twice-1)\n`[no link](nowhere.md)`\n```text\n[none](gone.md)\n# None\n```\n",
            "docs/adr/1.md": "# 1\n",
        }
        self.assertEqual(self.wrong(pages), [])

    def test_each_kind_of_dead_link_is_found(self):
        pages = {
            "docs/README.md": "[a](gone.md) [b](one.md#gone) [c](http://example.com) [d](#none) [e]() [f](https://) [g](../../etc/passwd)\n[one](one.md)\n",
            "docs/one.md": "# One\n```text\n# gone\n```\n",
        }
        self.assertEqual(
            [line.split("`")[1] for line in self.wrong(pages)], ["gone.md", "one.md#gone", "http://example.com", "#none", "", "https://", "../../etc/passwd"]
        )

    def test_a_page_that_nobody_reaches_is_found(self):
        pages = {
            "README.md": "[two](docs/two.md)\n",
            "docs/README.md": "[one](one.md)\n",
            "docs/one.md": "[three](three.md)\n",
            "docs/two.md": "[four](four.md)\n",
            "docs/three.md": "",
            "docs/four.md": "",
        }
        self.assertEqual([line.split(":")[0] for line in self.wrong(pages)], ["docs/four.md", "docs/two.md"])

    def test_anchors_are_made_as_on_github(self):
        for heading, anchor in {
            "The key's policy": "the-keys-policy",
            "Copies that will fail: `copymend preflight`": "copies-that-will-fail-copymend-preflight",
            "sam local invoke": "sam-local-invoke",
            "In the hub account (`template.yaml`)": "in-the-hub-account-templateyaml",
            "Stop, now — all": "stop-now--all",
        }.items():
            self.assertEqual(anchor_of(heading), anchor)


class Names(unittest.TestCase):
    def test_what_is_not_there_is_found(self):
        for text in (
            "make no-such-target",
            "make demo nothing",
            "copymend no-such-command",
            "copymend policy grant vault --no-such-option",
            "copymend scan --no-such-option | jq .",
            "FOO=1 copymend scan --no-such-option",
            "COPYMEND_NO_SUCH_SETTING",
            "shared/no/such/file.rs",
            "NoSuchParameter=true",
        ):
            with self.subTest(text):
                self.assertEqual(len(list(names.wrong_in(text))), 1)

    def test_what_is_there_is_not(self):
        for text in (
            "make demo EVENT=NAME",
            "copymend policy grant vault --role ARN",
            "copymend scan --facts | jq --raw-output .",
            "copymend COMMAND --help",
            "COPYMEND_MODE=observe",
            "shared/sandbox/src/rules",
            "shared/diagnosis/src/causes/NAME.rs",
            "Mode=repair",
            "CodeVersion=0.1.0",
        ):
            with self.subTest(text):
                self.assertEqual(list(names.wrong_in(text)), [])


class AwsCommands(unittest.TestCase):
    def test_what_aws_does_not_know_is_found(self):
        for text, problem in {
            "aws bakcup list-copy-jobs": "there is no service `bakcup`",
            "aws backup list-copyjobs": "`aws backup` has no operation `list-copyjobs`",
            "aws backup list-copy-jobs --by-status FAILED": "`aws backup list-copy-jobs` has no option `--by-status`",
            "aws backup describe-copy-job": "`aws backup describe-copy-job` requires `--copy-job-id`",
            'X="$(aws sns subscribe --topic-arn A --protocol email --endpoint B)"': "`aws sns subscribe` has no option `--endpoint`",
            "aws cloudformation wait stack-made --stack-name A": "`aws cloudformation wait` has no `['stack-made']`",
        }.items():
            with self.subTest(text):
                self.assertEqual([aws.wrong(words) for words in aws.commands(text)], [problem])

    def test_what_it_knows_is_not(self):
        for text in (
            "aws backup list-copy-jobs --by-state FAILED --region eu-west-1 --query 'CopyJobs[].State' | jq .",
            "aws lambda invoke --function-name A \\\n  --payload '{}' answer.json",
            "aws dynamodb update-table --table-name A --no-deletion-protection-enabled",
            "aws s3 cp --recursive a s3://b",
            "aws cloudformation wait change-set-create-complete --stack-name A --change-set-name B",
        ):
            with self.subTest(text):
                self.assertEqual([aws.wrong(words) for words in aws.commands(text)], [None])


class Marks(unittest.TestCase):
    def test_each_mark_has_its_meaning(self):
        text = """
            <!-- run -->
            ```sh
            one
            ```

            <!-- output -->

            ```text
            two
            ```

            1. A list.

               <!-- run: long, sandbox, exits 3, needs jq -->
               ```sh
               three
                 four
               ```

            <!-- not run: nobody can -->
            ```sh
            five
            ```

            <!-- file: a-b.json -->
            ```json
            {}
            ```

            ```text
            only shown
            ```
            """
        marked = blocks(text)
        meanings = [Run(False, False, False, 0, None), Output(), Run(True, True, False, 3, "jq"), NotRun("nobody can"), File("a-b.json"), None]
        self.assertEqual([mark for _, mark in marked], meanings)
        self.assertEqual(marked[2][0].text, "three\n  four\n")

    def test_a_block_that_does_not_say_what_it_is_is_refused(self):
        for text in (
            "```\nmake demo\n```",
            "```sh\nmake demo\n```",
            "<!-- runs -->\n```sh\nmake demo\n```",
            "<!-- run -->\nA sentence in between.\n```sh\nmake demo\n```",
            "<!-- not run: -->\n```sh\nmake demo\n```",
            "<!-- run: lnog -->\n```sh\nmake demo\n```",
            "<!-- run -->\n```console\n$ make demo\n```",
            "<!-- run -->\n```text\nmake demo\n```",
            "<!-- output -->\n```text\nof nothing\n```",
            "A sentence.\n\n    make demo\n",
            "```sh\nmake demo\n",
        ):
            with self.subTest(text), self.assertRaises(PageError):
                blocks(text)

    def test_a_whole_page_may_be_left_out(self):
        [(_, mark)] = blocks("<!-- no block of this page is run: made by a program -->\n# A\n```\nmake demo\n```\n")
        self.assertEqual(mark, NotRun("made by a program"))

    def test_outputs_are_compared(self):
        printed = "one\ntwo \nthree\nfour\n"
        for shown in ("one\ntwo\nthree\nfour\n", "...\nthree\n...\n", "one\n...\nf…r\n", "…\n…wo\n...\n"):
            self.assertIsNone(differs(shown, printed), shown)
        for shown in ("two\n...\n", "one\ntwo\n", "one\nthree\n...\n", "...\nfive\n", "…x\n...\n", "one\n...\nthree\n", "three\n...\nthree\n"):
            self.assertIsNotNone(differs(shown, printed), shown)


class Running(unittest.TestCase):
    def outcome(self, text):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            environment = run.base_environment(folder, Path("/bin/true"))
            page = ("page.md", blocks(text))
            try:
                return run.run_pages([page], False, folder, folder, environment)
            except run.BlockFailed as error:
                return str(error)

    def test_the_first_that_fails_ends_it(self):
        text = "<!-- run -->\n```sh\necho one\nfalse\necho two\n```\n<!-- run -->\n```sh\nexit 5\n```\n"
        failed = self.outcome(text)
        self.assertRegex(failed, r"^page\.md:2: it ended with 1 and not with 0")
        self.assertNotIn("two\n\n\nThe block", failed)

    def test_an_exit_code_that_is_expected_has_to_come(self):
        block = "<!-- run: exits 1 -->\n```sh\n{}\n```\n"
        self.assertEqual(self.outcome(block.format("true\nfalse\ntrue")), (1, []))
        self.assertIn("ended with 0", self.outcome(block.format("true")))
        self.assertIn("ended with 4", self.outcome(block.format("false\n(exit 4)\nfalse")))

    def test_another_output_fails(self):
        text = "<!-- run -->\n```sh\necho one\n```\n<!-- output -->\n```text\n{}\n```\n"
        self.assertEqual(self.outcome(text.format("one")), (1, []))
        self.assertIn("`two` is not what", self.outcome(text.format("two")))

    def test_variables_and_the_folder_go_on_and_credentials_do_not_come_in(self):
        text = """
            <!-- run -->
            ```sh
            name=value
            mkdir below
            cd below
            [ -z "${AWS_ACCESS_KEY_ID-}" ]
            [ "$HOME" != ~root ]
            ```
            <!-- file: made.txt -->
            ```text
            made
            ```
            <!-- run -->
            ```sh
            [ "$name" = value ]
            [ "$(cat ../made.txt)" = made ]
            ```
            """
        self.assertEqual(self.outcome(text), (2, []))

    def test_the_tools_of_a_block_are_found_whatever_a_block_before_exported(self):
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "state"
            state.mkdir()
            (state / "variables").write_text('declare -x PATH="/usr/bin:/bin"\n')
            (state / "folder").write_text(folder)
            tool = Path(folder) / "tools" / "a-tool"
            tool.parent.mkdir()
            tool.write_text("#!/bin/sh\necho found\n")
            tool.chmod(0o755)
            script = run.SCRIPT.format(code=0, ending=run.SUCCEEDS, text="a-tool")
            environment = {"PATH": "/usr/bin:/bin", "STATE": str(state), "TOOLS": str(tool.parent)}
            for tools, code in [({}, 0), ({"TOOLS": ""}, 127)]:
                done = subprocess.run(["bash", "-c", script], env=environment | tools, capture_output=True, text=True)
                self.assertEqual(done.returncode, code, done.stderr)
                (state / "variables").write_text('declare -x PATH="/usr/bin:/bin"\n')

    def test_long_blocks_are_left_out_and_a_missing_program_is_named(self):
        text = "<!-- run: long -->\n```sh\nfalse\n```\n<!-- run: needs no-such-program -->\n```sh\nfalse\n```\n<!-- output -->\n```text\none\n```\n"
        self.assertEqual(self.outcome(text), (0, ["page.md:6: there is no `no-such-program` here"]))


class OurPages(unittest.TestCase):
    def test_every_block_says_what_it_is(self):
        order = in_reading_order()
        marked = [mark for name in order for _, mark in of_page(Page.read(name))]
        self.assertEqual(order[:3], ["README.md", "docs/README.md", "docs/try-it.md"])
        for kind in (Run, NotRun, Output, File):
            self.assertTrue(any(isinstance(mark, kind) for mark in marked), kind)


if __name__ == "__main__":
    unittest.main()
