"""The project's Markdown pages: their headings, links and fenced blocks."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INDEX = "docs/README.md"
FENCE = re.compile(r"^( *)(`{3,}|~{3,})\s*([\w+-]*)\s*$")
COMMENT = re.compile(r"^\s*<!-- (.*?) -->\s*$")


class PageError(Exception):
    """Something in a page is not as it must be. The message begins with the page and the line."""


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: str
    line: int  # of the fence that opens it, from 1
    language: str  # empty where the fence has none
    text: str  # without the indentation of the fence
    comment: str  # the HTML comment right above, without its marks; empty where there is none

    @property
    def place(self):
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page: its lines outside of fenced blocks, each with its number, and its blocks."""

    name: str
    prose: tuple
    blocks: tuple

    @classmethod
    def read(cls, name, root=ROOT):
        return cls.parse(name, (root / name).read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, name, text):
        prose, blocks, lines = [], [], text.splitlines()
        number = 0
        while number < len(lines):
            opened = FENCE.match(lines[number])
            if not opened:
                prose.append((number + 1, lines[number]))
                number += 1
                continue
            start, indent, marks = number, len(opened[1]), opened[2]
            number += 1
            content = []
            while number < len(lines) and not re.match(rf"^ *{re.escape(marks[0])}{{{len(marks)},}}\s*$", lines[number]):
                content.append(lines[number][indent:] if not lines[number][:indent].strip() else lines[number])
                number += 1
            if number == len(lines):
                raise PageError(f"{name}:{start + 1}: the block has no end")
            number += 1
            # Right above, or with one empty line in between.
            above = lines[start - 1] if start else ""
            if not above.strip() and start > 1:
                above = lines[start - 2]
            comment = COMMENT.match(above)
            blocks.append(Block(name, start + 1, opened[3], "".join(f"{line}\n" for line in content), comment[1] if comment else ""))
        return cls(name, tuple(prose), tuple(blocks))

    def comments(self):
        """The HTML comments that stand on a line of their own, outside of blocks."""
        return [found[1] for _, line in self.prose if (found := COMMENT.match(line))]

    def anchors(self):
        """What the headings are called in links, as GitHub makes it: a heading that is there twice gets a number."""
        found, counts = set(), {}
        for _, line in self.prose:
            heading = re.match(r"^#{1,6}\s+(.*?)\s*#*\s*$", line)
            if heading:
                anchor = anchor_of(heading[1])
                seen = counts.get(anchor, 0)
                counts[anchor] = seen + 1
                found.add(f"{anchor}-{seen}" if seen else anchor)
            found.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
        return found

    def links(self):
        """The targets of links and images, and of `<https://…>`, each with its line."""
        for number, line in self.prose:
            line = without_code(line)
            for target in re.findall(r"\]\(\s*<?([^)>\s]*)>?(?:\s+\"[^\"]*\")?\s*\)", line):
                yield number, target
            for target in re.findall(r"<(https?:[^>]*)>", line):
                yield number, target
            definition = re.match(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$", line)
            if definition:
                yield number, definition[1]

    def code(self):
        """Code within lines, each with its line."""
        for number, line in self.prose:
            for _, span in re.findall(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", line):
                yield number, span.strip()


def without_code(line):
    return re.sub(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", "", line)


def anchor_of(heading):
    """In lower case, blanks become hyphens, and of all other signs only letters, digits, `-` and `_` stay."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return "".join("-" if sign == " " else sign for sign in heading if sign in " -_" or sign.isalnum())


def names(root=ROOT):
    """All pages that git has, or would take, sorted; what was deleted isn't among them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    return sorted({name for name in listed.split("\0") if name and (root / name).is_file()})


def in_reading_order(root=ROOT):
    """README, the pages of the index in its order, and what the index leaves to others."""
    found = names(root)
    listed = []
    if INDEX in found:
        for _, target in Page.read(INDEX, root).links():
            path = (root / "docs" / target.split("#")[0]).resolve()
            if "://" not in target and path.suffix == ".md" and path.is_relative_to(root):
                listed.append(str(path.relative_to(root)))
    return list(dict.fromkeys(name for name in ["README.md", INDEX, *listed, *found] if name in found))
