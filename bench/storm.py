"""A storm: many copies of one incident, their events handed to one warm function one after the other, and the calls that each made, held to
limits.toml."""

import argparse
import asyncio
import collections
import dataclasses
import sys

import limits
import programs
import world
from calls import counted, longest_chain, timeline
from laboratory import LATENCY_SECONDS, opened
from scenes import REPAIRED, WrongOutcome

# Of events that are put off none would be handled; the first repairs, and the others find that it did.
OUTCOMES = REPAIRED | {"retried"}
# So many events more are handed with latency, and their steps are counted.
TIMED = 5
STEPS = "steps of a storm"
POLICY_READS = {"backup:GetBackupVaultAccessPolicy", "kms:GetKeyPolicy"}
POLICY_PUTS = {"backup:PutBackupVaultAccessPolicy", "kms:PutKeyPolicy"}
OF_EVERY_EVENT = {"backup:DescribeCopyJob", "backup:StartCopyJob", *POLICY_READS, *POLICY_PUTS, "sns:Publish"}


@dataclasses.dataclass(frozen=True)
class Storm:
    """The counts of the first event, of the others how often each set of counts came about, and the fewest steps of the last ones; the
    calls of the one that made the most of them."""

    first: dict
    patterns: collections.Counter
    steps: int
    largest: list


async def storm(laboratory, program, events, over="http"):
    """The last events are handed with the latency that the steps are counted by, all others without."""
    first, patterns, chains, largest = None, collections.Counter(), [], []
    endpoint = laboratory.endpoint
    endpoint.take()
    latency, endpoint.latency = endpoint.latency, 0
    async with laboratory.run(program, over, COPYMEND_MODE="repair") as function:
        for number in range(1, events + TIMED + 1):
            if number > events:
                endpoint.latency = LATENCY_SECONDS
            answered = await function.invoke(laboratory.event(f"storm-{number}"))
            if answered.body.get("outcome") not in OUTCOMES:
                raise WrongOutcome(f"storm-{number}: {answered.body}")
            calls = endpoint.take()
            if first is None:
                first = counted(calls)
                continue
            patterns[tuple(counted(calls).items())] += 1
            largest = max(largest, calls, key=len)
            if number > events:
                chains.append(len(longest_chain(calls)))
    endpoint.latency = latency
    return Storm(first, patterns, min(chains), largest)


def most(patterns, what):
    """The most calls that one event after the first made, of those whose `service:operation` `what` admits."""
    return max(sum(count for name, count in pattern if what(name)) for pattern in patterns)


def most_of(patterns):
    return {
        "DescribeCopyJob": most(patterns, lambda name: name == "backup:DescribeCopyJob"),
        "StartCopyJob": most(patterns, lambda name: name == "backup:StartCopyJob"),
        "reads of policies": most(patterns, POLICY_READS.__contains__),
        "puts of policies": most(patterns, POLICY_PUTS.__contains__),
        "calls of the ledger": most(patterns, lambda name: name.startswith("dynamodb:")),
        "other calls": most(patterns, lambda name: name not in OF_EVERY_EVENT and not name.startswith("dynamodb:")),
    }


def groups(stormed):
    """The most that any event after the first called, of those that nobody has to hear of, and of the tenth, the hundredth and so on; and the
    steps."""
    told = {pattern for pattern in stormed.patterns if "sns:Publish" in dict(pattern)}
    return {
        STEPS: {"an event": stormed.steps},
        "an event of a storm": most_of(stormed.patterns.keys() - told),
        "an event of a storm, told": most_of(told),
    }


def told(counts):
    return f"{sum(counts.values())} calls: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def show(stormed):
    print(f"the first event: {told(stormed.first)}")
    for pattern, events in stormed.patterns.most_common():
        print(f"{events} events: {told(dict(pattern))}")


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--program", choices=["remediator", "rival"], default="remediator")
    options = parser.parse_args()
    program = {"remediator": programs.remediator, "rival": programs.rival}[options.program]()
    async with opened(world.make(0, storm=options.events + TIMED)) as laboratory:
        stormed = await storm(laboratory, program, options.events)
    show(stormed)
    if options.program == "rival":
        return 0
    measured = groups(stormed)
    code = limits.show(limits.compare(measured, {group: limits.read().get(group, {}) for group in measured}))
    if code:
        print(f"the calls of the event that made the most:\n{timeline(stormed.largest)}")
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
