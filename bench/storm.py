"""A storm: many copies of one incident, their events handed to one warm function one after the other, and the calls that each made."""

import argparse
import asyncio
import collections

import programs
import world
from calls import counted
from laboratory import opened
from scenes import REPAIRED, WrongOutcome

# Of events that are put off none would be handled; the first repairs, and the others find that it did.
OUTCOMES = REPAIRED | {"retried"}


async def storm(laboratory, program, events, over="http"):
    """The counts of the first event, and of the others how often each set of counts came about."""
    first, patterns = None, collections.Counter()
    laboratory.endpoint.take()
    async with laboratory.run(program, over, COPYMEND_MODE="repair") as function:
        for number in range(1, events + 1):
            answered = await function.invoke(laboratory.event(f"storm-{number}"))
            if answered.body.get("outcome") not in OUTCOMES:
                raise WrongOutcome(f"storm-{number}: {answered.body}")
            counts = counted(laboratory.endpoint.take())
            if first is None:
                first = counts
            else:
                patterns[tuple(counts.items())] += 1
    return first, patterns


def most(patterns, what):
    """The most calls that one event after the first made, of those whose `service:operation` `what` admits."""
    return max(sum(count for name, count in pattern if what(name)) for pattern in patterns)


def told(counts):
    return f"{sum(counts.values())} calls: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def show(first, patterns):
    print(f"the first event: {told(first)}")
    for pattern, events in patterns.most_common():
        print(f"{events} events: {told(dict(pattern))}")


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--program", choices=["remediator", "rival"], default="remediator")
    options = parser.parse_args()
    program = {"remediator": programs.remediator, "rival": programs.rival}[options.program]()
    async with opened(world.make(0, storm=options.events), latency=0) as laboratory:
        show(*await storm(laboratory, program, options.events))


if __name__ == "__main__":
    asyncio.run(main())
