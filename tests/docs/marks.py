"""What the comment above a block says of it (docs/testing.md, "The blocks of the pages")."""

import re
from dataclasses import dataclass

from pages import Page, PageError

SHELL = ("sh", "bash", "console")
WHOLE_PAGE = re.compile(r"no block of this page is run: (\S.*)")


@dataclass(frozen=True)
class Run:
    """A block that is run."""

    is_long: bool
    in_sandbox: bool
    in_emulator: bool  # of CloudFormation, on a terminal
    code: int  # with which its commands end
    needs: str | None  # a program without which it is skipped


@dataclass(frozen=True)
class NotRun:
    why: str


@dataclass(frozen=True)
class Output:
    """A block that shows what the one before prints."""


@dataclass(frozen=True)
class File:
    """A block that is a file of the clone."""

    name: str


def meaning(block):
    """What is done with a block: one of the above, or None where it is only shown."""
    word, _, rest = block.comment.partition(":")
    rest = rest.strip()
    if block.language == "":
        raise PageError(f"{block.place}: the block has no language; it is `sh` if people type it, and `text` if nobody does")
    if word == "run":
        mark = _run(block, [part.strip() for part in rest.split(",")] if rest else [])
    elif word == "not run" and rest:
        mark = NotRun(rest)
    elif block.comment == "output":
        mark = Output()
    elif word == "file" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", rest):
        mark = File(rest)
    else:
        mark = None
    if block.language in SHELL and not isinstance(mark, (Run, NotRun)):
        raise PageError(f"{block.place}: above a block of shell stands `<!-- run -->`, or `<!-- not run: WHY -->` with the reason")
    if block.language not in SHELL and isinstance(mark, (Run, NotRun)):
        raise PageError(f"{block.place}: only a block of shell is run")
    if block.language == "console" and isinstance(mark, Run):
        raise PageError(f"{block.place}: a block that is run is `sh`, and what it prints is a block of its own")
    return mark


def _run(block, words):
    is_long = in_sandbox = in_emulator = False
    code, needs = 0, None
    for word in words:
        ends, program = re.fullmatch(r"exits (\d+)", word), re.fullmatch(r"needs ([\w-]+)", word)
        if word == "long":
            is_long = True
        elif word == "sandbox":
            in_sandbox = True
        elif word == "emulator":
            in_emulator = True
        elif ends:
            code = int(ends[1])
        elif program:
            needs = program[1]
        else:
            raise PageError(f"{block.place}: `{word}` is unknown; there are long, sandbox, emulator, exits CODE and needs PROGRAM")
    return Run(is_long, in_sandbox, in_emulator, code, needs)


def of_page(page):
    """The blocks of a page, each with what is done with it."""
    for comment in page.comments():
        whole = WHOLE_PAGE.fullmatch(comment)
        if whole:
            return [(block, NotRun(whole[1])) for block in page.blocks]
    _refuse_indented(page)
    marked = [(block, meaning(block)) for block in page.blocks]
    for (_, before), (block, mark) in zip([(None, None), *marked], marked):
        if isinstance(mark, Output) and not isinstance(before, (Run, NotRun)):
            raise PageError(f"{block.place}: an output stands right after the block of shell that prints it")
    return marked


def _refuse_indented(page: Page):
    """A block that is only indented has no language and no comment."""
    is_after_blank, in_list = True, False
    for number, line in page.prose:
        if not line.strip():
            is_after_blank = True
            continue
        if re.match(r"^ {0,3}([-*+]|\d+[.)])\s", line):
            in_list = True
        elif not line.startswith(" "):
            in_list = False
        elif is_after_blank and not in_list and line.startswith("    "):
            raise PageError(f"{page.name}:{number}: a block is fenced, and has a language")
        is_after_blank = False


def differs(shown, printed):
    """The first line of a shown output that the printed one lacks at its place, or None. A line `...` stands for any number of lines, and
    `…` within a line for any text."""
    lines = [line.rstrip() for line in printed.splitlines()]
    place, may_skip = 0, False
    for line in shown.splitlines():
        line = line.rstrip()
        if line == "...":
            may_skip = True
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        while place < len(lines) and not pattern.fullmatch(lines[place]) and may_skip:
            place += 1
        if place == len(lines) or not pattern.fullmatch(lines[place]):
            return line
        place, may_skip = place + 1, False
    rest = [line for line in lines[place:] if line]
    return None if may_skip or not rest else f"(nothing more is shown, but `{rest[0]}` is printed)"
