"""What a bootstrap does before it first asks for an event, by its system calls: nothing of it is timed, and everything can be counted.

Needs strace. `bench/start_trace.py [--program NAME]` prints the files, what was read of them, and how often each system call was made.
"""

import argparse
import asyncio
import collections
import dataclasses
import re
import shutil

import programs
import world
from laboratory import opened

# A call that another thread's interrupts stands in two lines.
LINE = re.compile(r"^(?P<pid>\d+)\s+(?:<\.\.\. )?(?P<name>\w+)(?P<rest>.*)$")
ANSWER = re.compile(r" = (-?\d+)(?:<(.*)>)?(?: .*)?$")
OPENS = {"open", "openat", "openat2"}
READS = {"read", "pread64", "readv", "preadv", "preadv2"}
# Strace writes what it saw when it ends; until then the bootstrap only waits.
SETTLING_SECONDS = 0.1

# Of files, those most of which was read.
SHOWN = 20


@dataclasses.dataclass
class Start:
    """Of one start. `read` has the bytes of each file; `missing` the files that were looked for and aren't there."""

    opened: list = dataclasses.field(default_factory=list)
    missing: list = dataclasses.field(default_factory=list)
    read: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    calls: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def bytes_read(self):
        """Less what the kernel makes up as it is read, whose length isn't the program's."""
        return sum(count for path, count in self.read.items() if not path.startswith("/proc/"))


def parse(text):
    """Reads what `strace -f -y` wrote."""
    start = Start()
    begun = {}
    for line in text.splitlines():
        if not (found := LINE.match(line)):
            continue
        name, rest = found["name"], found["rest"]
        if rest.endswith("<unfinished ...>"):
            begun[found["pid"]] = rest
            start.calls[name] += 1
            continue
        if rest.startswith(" resumed>"):
            rest = begun.pop(found["pid"], "").removesuffix("<unfinished ...>") + rest.removeprefix(" resumed>")
        elif rest.startswith("("):
            start.calls[name] += 1
        count(start, name, rest)
    return start


def count(start, name, rest):
    if not (answer := ANSWER.search(rest)):
        return
    result, path = int(answer[1]), answer[2]
    if name in OPENS:
        asked = re.search(r'"([^"]*)"', rest)
        if result >= 0:
            start.opened.append(path or (asked and asked[1]))
        else:
            start.missing.append(asked and asked[1])
    elif name in READS and result > 0:
        of = re.match(r"\(\d+<(/[^>]*)>", rest)
        if of:
            start.read[of[1]] += result


async def trace(laboratory, program):
    if not shutil.which("strace"):
        raise SystemExit("strace is needed to count what a start reads: install the package `strace`")
    file = laboratory.folder / f"{program.name}.strace"
    tracer = ("strace", "-f", "-y", "-s", "0", "-o", file)
    async with laboratory.run(program, "http", traced_by=tracer) as function:
        await function.first_poll()
        await asyncio.sleep(SETTLING_SECONDS)
    return parse(file.read_text(errors="replace"))


def show(name, start):
    files = f"{len(start.opened)} files opened, {len(start.missing)} not found, {start.bytes_read():,} bytes read"
    print(f"\n{name}: {files}, {start.calls.total()} system calls before the first poll")
    opened = sorted(collections.Counter(start.opened).items(), key=lambda item: -start.read[item[0]])
    for path, times in opened[:SHOWN]:
        print(f"  opened {times}x, {start.read[path]:>9,} bytes read  {path}")
    for path in start.missing[:SHOWN]:
        print(f"  not found  {path}")
    if (more := len(opened[SHOWN:]) + len(start.missing[SHOWN:])) > 0:
        print(f"  and {more} more")
    print("  " + ", ".join(f"{call} {times}" for call, times in start.calls.most_common()))


async def main():
    known = {"floor": programs.floor, "remediator": programs.remediator, "advisor": programs.advisor, "rival": programs.rival}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", action="append", choices=known, help="may be given several times; the floor and the remediator")
    chosen = parser.parse_args().program or ["floor", "remediator"]
    async with opened(world.make(1)) as laboratory:
        for name in chosen:
            show(name, await trace(laboratory, known[name]()))


if __name__ == "__main__":
    asyncio.run(main())
