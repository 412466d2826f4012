"""Measures the copy remediator beside its floor, an empty function in Rust, and its rival, the same written plainly in Python: times,
processor and memory, medians of many runs in one order. Prints a table, and writes every value as JSON.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

import programs
import world
from laboratory import LATENCY_SECONDS, opened
from programs import ROOT
from scenes import SCENES, Stage, check

OVER = ("http", "tls")
WARM = SCENES["observe"]
# Runs that aren't measured: they fill the caches of files, and compile what the rival imports.
FIRST_RUNS = 2
MILLISECONDS, MEGABYTES = ("ms", 1e3), ("MB", 1e-6)


class Results:
    """Values by row and program."""

    def __init__(self):
        self._rows = {}

    def add(self, row, unit, program, value):
        name, factor = unit
        self._rows.setdefault((row, name), {}).setdefault(program.name, []).append(value * factor)

    def median(self, row, program):
        [found] = [values[program] for (name, _), values in self._rows.items() if name == row]
        return statistics.median(found)

    def as_json(self):
        return [
            {
                "what": row,
                "unit": unit,
                **{
                    program: {"median": statistics.median(found), "least": min(found), "most": max(found), "values": found}
                    for program, found in values.items()
                },
            }
            for (row, unit), values in self._rows.items()
        ]

    def table(self):
        lines = ["| what | floor | function | rival | function / floor | rival / function |", "|---|---|---|---|---|---|"]
        for (row, unit), values in self._rows.items():
            floor, function, rival = (
                statistics.median(values[name]) if name in values else None for name in ("floor", "copy-remediator", "rival")
            )
            cells = [shown(floor, f" {unit}"), shown(function, f" {unit}"), shown(rival, f" {unit}"), ratio(function, floor), ratio(rival, function)]
            lines.append(f"| {row} | {' | '.join(cells)} |")
        return "\n".join(lines)


def shown(value, unit=""):
    if value is None:
        return ""
    return f"{value:.{0 if value >= 100 else 1}f}{unit}"


def ratio(value, of):
    return "" if value is None or of is None else shown(value / of)


async def measure_starts(laboratory, results, compared, runs):
    for number in range(FIRST_RUNS + runs):
        for program in compared:
            async with laboratory.run(program, "http") as function:
                first_poll = await function.first_poll()
                processor, peak = function.processor(), function.peak()
            if number >= FIRST_RUNS:
                results.add("spawn to first poll", MILLISECONDS, program, first_poll)
                results.add("processor until then", MILLISECONDS, program, processor)
                results.add("memory then", MEGABYTES, program, peak)


async def measure_scenes(laboratory, stage, results, floor, compared, runs, over):
    """Every scene by new processes. The floor answers its first event without doing anything."""
    for scene in SCENES.values():
        row = f"{scene.name}, {over.upper()}"
        for _ in range(runs):
            if scene is WARM:
                async with laboratory.run(floor, over) as function:
                    add_answer(results, row, floor, await function.invoke({}))
            for program in compared:
                add_answer(results, row, program, (await stage.play(program, scene, over)).answered)


def add_answer(results, row, program, answered):
    results.add(f"{row}: spawn to answer", MILLISECONDS, program, answered.after_spawn)
    results.add(f"{row}: processor", MILLISECONDS, program, answered.processor)
    results.add(f"{row}: memory at the peak", MEGABYTES, program, answered.peak)


async def measure_warm(laboratory, stage, results, floor, compared, runs):
    """Further events of a process that has answered one, each an incident of its own."""
    async with laboratory.run(floor) as function:
        await further(results, floor, function, [{}] * (runs + 1), lambda _: None)
    for program in compared:
        # What is written of changed settings belongs to no event.
        await stage.play(program, WARM, "tls")
        async with stage.run(program, WARM.mode, "tls") as function:
            events = [stage.next_event(WARM.incident) for _ in range(runs + 1)]
            await further(results, program, function, events, lambda answered: check(WARM, answered))


async def further(results, program, function, events, check_answer):
    last = await function.invoke(events[0])
    for event in events[1:]:
        answered = await function.invoke(event)
        check_answer(answered)
        results.add(f"{WARM.name}, a further event: time", MILLISECONDS, program, answered.took)
        results.add(f"{WARM.name}, a further event: processor", MILLISECONDS, program, answered.processor - last.processor)
        last = answered


def wanted(results):
    """What the issue asks of the medians, with what was measured."""
    function, floor, rival = "copy-remediator", "floor", "rival"
    first_poll = results.median("spawn to first poll", function) / results.median("spawn to first poll", floor)
    rows = [("spawn to first poll, times the floor's", first_poll, "at most", 2)]
    for scene in SCENES:
        row = f"{scene}, TLS: processor"
        rows.append((f"{row}, the rival's in the function's", results.median(row, rival) / results.median(row, function), "at least", 12))
    peaks = [results.median(f"{scene}, TLS: memory at the peak", function) for scene in ("vault-repair", "key-repair")]
    rows.append(("memory at the peak of a repair, MB", max(peaks), "at most", 14))
    return rows


def machine():
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_before": os.getloadavg()[0],
    }


async def measure(runs, latency, folder):
    floor, compared = programs.copied(programs.floor(), folder), (programs.copied(programs.remediator(), folder), programs.rival())
    results, before = Results(), machine()
    incidents = len(OVER) * len(compared) * len(SCENES) * (runs + 2) + len(compared) * (runs + 3)
    async with opened(world.make(incidents), latency) as laboratory:
        await measure_starts(laboratory, results, (floor, *compared), 3 * runs)
        stage = Stage(laboratory)
        for over in OVER:
            await measure_scenes(laboratory, stage, results, floor, compared, runs, over)
        await measure_warm(laboratory, stage, results, floor, compared, runs)
    for program in (floor, *compared):
        results.add("what is deployed", MEGABYTES, program, program.size())
    return results, before


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11, help="of every scene; starts are measured three times as often")
    parser.add_argument("--latency-ms", type=float, default=LATENCY_SECONDS * 1000, help="how long every call takes")
    parser.add_argument("--json", type=Path, default=ROOT / "target" / "bench" / "functions.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copymend-bench-") as folder:
        results, before = asyncio.run(measure(options.runs, options.latency_ms / 1000, Path(folder)))
    print(f"medians of {options.runs} runs, {options.latency_ms:.0f} ms a call, load before {before['load_before']:.1f}\n")
    print(results.table())
    print()
    missed = 0
    for what, value, bound, limit in wanted(results):
        reached = value <= limit if bound == "at most" else value >= limit
        missed += not reached
        print(f"{what}: {shown(value)}, wanted {bound} {limit}{'' if reached else ': missed'}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    told = {"runs": options.runs, "latency_ms": options.latency_ms, "machine": before, "results": results.as_json()}
    options.json.write_text(json.dumps(told, indent=1) + "\n")
    print(f"every value: {options.json}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
