"""What CHANGELOG.md says of one version: the text of its release."""

import re

_HEADING = re.compile(r"^## (?P<version>\S+)(?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


class NotInChangelog(Exception):
    """CHANGELOG.md says nothing of the version, or not when it was released."""


def notes(changelog, version):
    """The page `release-notes.md`: what is new in the version, and where to look before it is deployed."""
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None]):
        if heading["version"] != version:
            continue
        if not heading["date"]:
            raise NotInChangelog(f"CHANGELOG.md doesn't say when {version} was released: write `## {version} - YEAR-MONTH-DAY`")
        said = changelog[heading.end() : following.start() if following else None].strip()
        if not said:
            raise NotInChangelog(f"CHANGELOG.md says nothing of {version}")
        # The pages that it links to lie in the sources of the version.
        said = re.sub(r"\]\(((?!https?:)[^)]+)\)", rf"](../../blob/v{version}/\1)", said)
        return (
            f"# Copymend {version}\n\n{said}\n\n"
            "Read `iam-changes.md` before you deploy: it lists what the roles may do more or less than in the version before.\n"
        )
    raise NotInChangelog(f"CHANGELOG.md has no section `## {version} - YEAR-MONTH-DAY`")
