"""CHANGELOG.md, and the text of a release that is made of it."""

import sys
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(REPOSITORY / "release"))

from changelog import NotInChangelog, notes  # noqa: E402
from package import version_of  # noqa: E402

TWO = "# Changelog\n\n## Unreleased\n\n## 1.1.0 - 2027-01-02\n\n- New: [one](docs/one.md), [AWS](https://aws.amazon.com).\n\n## 1.0.0 - 2026-12-01\n\n- First.\n"


class Changelog(unittest.TestCase):
    def test_it_tells_of_this_version(self):
        version = version_of((REPOSITORY / "Cargo.toml").read_text(encoding="utf-8"))
        text = notes((REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), version)
        self.assertIn(f"# Copymend {version}\n", text)

    def test_a_release_tells_of_its_own_version_alone(self):
        self.assertIn("- First.", notes(TWO, "1.0.0"))
        self.assertNotIn("New", notes(TWO, "1.0.0"))
        self.assertNotIn("First", notes(TWO, "1.1.0"))

    def test_its_links_lead_to_the_sources_of_the_version(self):
        text = notes(TWO, "1.1.0")
        self.assertIn("[one](../../blob/v1.1.0/docs/one.md)", text)
        self.assertIn("[AWS](https://aws.amazon.com)", text)

    def test_a_version_without_a_section_a_date_or_a_word_is_no_release(self):
        for changelog, version in ((TWO, "1.2.0"), (TWO, "Unreleased"), ("## 1.0.0 - 2026-12-01\n\n## 0.9.0 - 2026-11-01\n", "1.0.0")):
            with self.subTest(version), self.assertRaises(NotInChangelog):
                notes(changelog, version)


if __name__ == "__main__":
    unittest.main()
