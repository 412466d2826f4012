"""Counts what a measurement of time would blur, and holds it to limits.toml: steps and calls, files and bytes before the first poll,
sizes. Prints each beside its limit, and beside what is wanted where that isn't reached; ends with 1 where one is over its limit.
"""

import argparse
import asyncio
import dataclasses
import sys
import tomllib
from pathlib import Path

import programs
import start_trace
import storm
import world
from calls import longest_chain
from laboratory import LATENCY_SECONDS, opened
from scenes import SCENES, Stage

LIMITS = Path(__file__).resolve().parent / "limits.toml"
# Other work on the machine makes calls that begin side by side begin one after the other: it adds steps, and takes none away.
ATTEMPTS = 6
POLICY_READS = {"backup:GetBackupVaultAccessPolicy", "kms:GetKeyPolicy"}
POLICY_PUTS = {"backup:PutBackupVaultAccessPolicy", "kms:PutKeyPolicy"}
OF_EVERY_EVENT = {"backup:DescribeCopyJob", "backup:StartCopyJob", *POLICY_READS, *POLICY_PUTS, "sns:Publish"}


@dataclasses.dataclass(frozen=True)
class Row:
    group: str
    name: str
    value: int
    limit: int
    wanted: int

    def told(self):
        if self.value > self.limit:
            return "over its limit"
        # Sizes change a little with every change.
        slack = self.limit // 10 if self.limit >= 1000 else 0
        return "the limit can be lowered" if self.value < self.limit - slack else ""

    def as_text(self):
        wanted = "" if self.value <= self.wanted else f"{self.wanted:,}"
        return f"{self.group:<28} {self.name:<34} {self.value:>12,} {self.limit:>12,} {wanted:>12}  {self.told()}".rstrip()


def compare(measured, limits):
    """Rows of what was measured. Both have the same groups and names: a limit of nothing holds nothing."""
    for group in measured.keys() | limits.keys():
        if measured.get(group, {}).keys() != limits.get(group, {}).keys():
            raise SystemExit(f"{LIMITS.name} has {sorted(limits.get(group, {}))} of `{group}`, and measured is {sorted(measured.get(group, {}))}")
    return [
        Row(group, name, value, limits[group][name]["limit"], limits[group][name].get("wanted", limits[group][name]["limit"]))
        for group, values in measured.items()
        for name, value in values.items()
    ]


async def steps(stage, program, limits):
    """The fewest of several attempts, unless the first is within its limit."""
    found = {}
    for name, scene in SCENES.items():
        limit = limits["steps"].get(name, {}).get("limit", 0)
        counts = []
        while len(counts) < ATTEMPTS and (not counts or min(counts) > limit):
            counts.append(len(longest_chain((await stage.play(program, scene)).calls)))
        found[name] = min(counts)
    return found


async def of_storm(laboratory, program, events):
    """The most that any event after the first called: of those that nobody has to hear of, and of the tenth, the hundredth and so on."""
    laboratory.endpoint.latency = 0
    _, patterns = await storm.storm(laboratory, program, events)
    laboratory.endpoint.latency = LATENCY_SECONDS
    told = {pattern for pattern in patterns if "sns:Publish" in dict(pattern)}
    return {
        "an event of a storm": most_of(patterns.keys() - told),
        "an event of a storm, told": most_of(told),
    }


def most_of(patterns):
    return {
        "DescribeCopyJob": storm.most(patterns, lambda name: name == "backup:DescribeCopyJob"),
        "StartCopyJob": storm.most(patterns, lambda name: name == "backup:StartCopyJob"),
        "reads of policies": storm.most(patterns, POLICY_READS.__contains__),
        "puts of policies": storm.most(patterns, POLICY_PUTS.__contains__),
        "calls of the ledger": storm.most(patterns, lambda name: name.startswith("dynamodb:")),
        "other calls": storm.most(patterns, lambda name: name not in OF_EVERY_EVENT and not name.startswith("dynamodb:")),
    }


async def of_start(laboratory, program):
    start = await start_trace.trace(laboratory, program)
    return {
        "files opened": len(start.opened),
        "files not found": len(start.missing),
        "bytes read": start.bytes_read(),
        "bytes of the program": program.size(),
    }


async def measure(limits, events):
    remediator, advisor = programs.remediator(), programs.advisor()
    incidents = (ATTEMPTS + 2) * len(SCENES)
    async with opened(world.make(incidents, storm=events)) as laboratory:
        return {
            "steps": await steps(Stage(laboratory), remediator, limits),
            **await of_storm(laboratory, remediator, events),
            **{f"before {one.name}'s first poll": await of_start(laboratory, one) for one in (remediator, advisor)},
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storm", type=int, default=100, help="how many events the storm has")
    events = parser.parse_args().storm
    limits = tomllib.loads(LIMITS.read_text())
    rows = compare(asyncio.run(measure(limits, events)), limits)
    print(f"{'':<28} {'':<34} {'measured':>12} {'limit':>12} {'wanted':>12}")
    for row in rows:
        print(row.as_text())
    return 1 if any(row.value > row.limit for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
