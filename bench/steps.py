"""Prints the calls of one event, as the endpoint recorded them, and the longest chain among them: what to look at to make it shorter.

`make steps SCENE=vault-repair`, or `bench/steps.py --event source-key-policy` for an event of the sandbox's default world.
"""

import argparse
import asyncio
import json

import programs
import world
from calls import counted, longest_chain, most_at_once, timeline
from laboratory import LATENCY_SECONDS, opened
from programs import ROOT
from scenes import SCENES, Stage

DEFAULT_WORLD = ROOT / "shared" / "sandbox" / "worlds" / "default.json"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", nargs="?", choices=[*SCENES, "all"], default="all")
    parser.add_argument("--event", help="the name of a copy job in --world, instead of a scene")
    parser.add_argument("--world", type=lambda path: ROOT / path, default=DEFAULT_WORLD)
    parser.add_argument("--mode", choices=["observe", "approve", "repair"], default="repair", help="for --event")
    parser.add_argument("--times", type=int, default=1, help="for --event: hand it to the same process so often")
    parser.add_argument("--program", choices=["remediator", "rival"], default="remediator")
    parser.add_argument("--over", choices=["http", "tls"], default="http")
    parser.add_argument("--latency-ms", type=float, default=LATENCY_SECONDS * 1000)
    return parser.parse_args()


def show(title, calls):
    operations = ", ".join(f"{operation} {count}" for operation, count in counted(calls).items())
    connections = len({call.connection for call in calls})
    print(f"\n{title}: {len(longest_chain(calls))} steps, {len(calls)} calls, {most_at_once(calls)} at once, {connections} connections")
    print(timeline(calls))
    print(operations)


async def show_event(options, program):
    async with opened(options.world, options.latency_ms / 1000) as laboratory:
        event = laboratory.event(options.event)
        async with laboratory.run(program, options.over, COPYMEND_MODE=options.mode) as function:
            for number in range(1, options.times + 1):
                answered = await function.invoke(event)
                show(f"{options.event}, {number}", laboratory.endpoint.take())
                print(json.dumps({name: answered.body.get(name) for name in ("outcome", "note", "cause") if answered.body.get(name)}))


async def show_scenes(options, program):
    names = list(SCENES) if options.scene == "all" else [options.scene]
    async with opened(world.make(3 * len(SCENES)), options.latency_ms / 1000) as laboratory:
        stage = Stage(laboratory)
        for name in names:
            show(name, (await stage.play(program, SCENES[name], options.over)).calls)


def main():
    options = arguments()
    program = {"remediator": programs.remediator, "rival": programs.rival}[options.program]()
    asyncio.run(show_event(options, program) if options.event else show_scenes(options, program))


if __name__ == "__main__":
    main()
