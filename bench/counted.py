"""Counts what a measurement of time would blur, and holds it to limits.toml: steps and calls, files and bytes before the first poll,
sizes. Prints each beside its limit, and beside what is wanted where that isn't reached; ends with 1 where one is over its limit.
"""

import argparse
import asyncio
import sys

import limits
import programs
import start_trace
import storm
import world
from calls import longest_chain
from laboratory import opened
from runtime_api import FUNCTION_ARN
from scenes import SCENES, Stage

# Other work on the machine makes calls that begin side by side begin one after the other: it adds steps, and takes none away.
ATTEMPTS = 6
# The function's account, where the copies are a member account's: a role is assumed before the job can be looked up.
OF_A_MEMBER = "arn:aws:lambda:us-east-1:222233334444:function:copy-remediator"


async def steps(stage, program, limit, function_arn=FUNCTION_ARN):
    """The fewest of several attempts, unless the first is within its limit."""
    found = {}
    for name, scene in SCENES.items():
        counts = []
        while len(counts) < ATTEMPTS and (not counts or min(counts) > limit.get(name, {}).get("limit", 0)):
            played = await stage.play(program, scene, function_arn=function_arn)
            counts.append(len(longest_chain(played.calls)))
        found[name] = min(counts)
    return found


async def of_start(laboratory, program):
    start = await start_trace.trace(laboratory, program)
    return {
        "files opened": len(start.opened),
        "files not found": len(start.missing),
        "bytes read": start.bytes_read(),
        "bytes of the program": program.size(),
    }


async def measure(held, events):
    remediator, advisor = programs.remediator(), programs.advisor()
    incidents = 2 * (ATTEMPTS + 2) * len(SCENES)
    of_a_member = "steps, of a member account's copies"
    async with opened(world.make(incidents, storm=events + storm.TIMED)) as laboratory:
        stage = Stage(laboratory)
        return {
            "steps": await steps(stage, remediator, held["steps"]),
            of_a_member: await steps(stage, remediator, held[of_a_member], OF_A_MEMBER),
            **storm.groups(await storm.storm(laboratory, remediator, events)),
            **{f"before {one.name}'s first poll": await of_start(laboratory, one) for one in (remediator, advisor)},
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storm", type=int, default=100, help="how many events the storm has")
    events = parser.parse_args().storm
    held = limits.read()
    return limits.show(limits.compare(asyncio.run(measure(held, events)), held))


if __name__ == "__main__":
    sys.exit(main())
