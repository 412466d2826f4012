"""Builds the copy remediator in several ways and measures each: what `[profile.release]` of Cargo.toml was chosen by. Each way is built from
scratch, in minutes, into a folder of its own under target/builds, and once for each commit. `--program NAME=FILE` measures what was built
otherwise.
"""

import argparse
import asyncio
import dataclasses
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import programs
import world
from laboratory import opened
from programs import ROOT
from run import MEGABYTES, Results, add_answer, machine, measure_starts, shown
from scenes import SCENES, Stage

# What cargo is told beside Cargo.toml.
PROFILE = "CARGO_PROFILE_RELEASE_"
WAYS = {
    "as it is": {},
    "opt-level z": {f"{PROFILE}OPT_LEVEL": "z"},
    "opt-level 3": {f"{PROFILE}OPT_LEVEL": "3"},
    "thin LTO, 16 units": {f"{PROFILE}LTO": "thin", f"{PROFILE}CODEGEN_UNITS": "16"},
    "panic abort": {f"{PROFILE}PANIC": "abort"},
    "linked by GNU ld": {"RUSTFLAGS": "-Clinker-features=-lld"},
}
# Without latency: processor and memory don't depend on it.
LATENCY_SECONDS = 0
MEASURED = ("handled-before", "observe", "vault-repair")


def revision():
    """The commit, and whether something was changed since: that is built as it stands when it is built first."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def build(name, variables):
    target = ROOT / "target" / "builds" / revision() / name.replace(" ", "-").replace(",", "")
    built = target / "bootstrap"
    if not built.is_file():
        command = ["cargo", "build", "--quiet", "--locked", "--release", "--package", "copy-remediator", "--target-dir", str(target)]
        subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=True)
        built.write_bytes((target / "release" / "copy-remediator").read_bytes())
        built.chmod(0o755)
        shutil.rmtree(target / "release")
    return built


def program(name, file, folder):
    return programs.copied(dataclasses.replace(programs.remediator(), name=name, command=(file,), files=(file,)), folder)


async def measure(compared, runs):
    results = Results()
    incidents = len(compared) * (len(MEASURED) + 1) * (runs + 2)
    async with opened(world.make(incidents), LATENCY_SECONDS) as laboratory:
        await measure_starts(laboratory, results, compared, 3 * runs)
        stage = Stage(laboratory)
        for name in MEASURED:
            for _ in range(runs):
                for each in compared:
                    add_answer(results, name, each, (await stage.play(each, SCENES[name], "tls")).answered)
    for each in compared:
        results.add("size", MEGABYTES, each, each.size())
    return results


def table(results, compared):
    rows = (
        ("size", "size", " MB"),
        ("first poll", "spawn to first poll", " ms"),
        ("processor until then", "processor until then", " ms"),
        *((f"{name}: processor", f"{name}: processor", " ms") for name in MEASURED),
        ("vault-repair: memory at the peak", "vault-repair: memory at the peak", " MB"),
    )
    lines = [f"| | {' | '.join(title for title, _, _ in rows)} |", "|---" * (len(rows) + 1) + "|"]
    for each in compared:
        cells = (shown(results.median(row, each.name), unit) for _, row, unit in rows)
        lines.append(f"| {each.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="of every scene; starts are measured three times as often")
    parser.add_argument("--only", action="append", choices=WAYS, help="instead of all ways")
    parser.add_argument("--program", action="append", default=[], metavar="NAME=FILE", help="one more, as it was built")
    options = parser.parse_args()
    files = {name: build(name, WAYS[name]) for name in options.only or WAYS}
    for name, _, file in (other.partition("=") for other in options.program):
        files[name] = Path(file).resolve()
    load = machine()["load_before"]
    with tempfile.TemporaryDirectory(prefix="copymend-builds-") as folder:
        compared = [program(name, file, Path(folder)) for name, file in files.items()]
        results = asyncio.run(measure(compared, options.runs))
    print(f"{revision()}: medians of {options.runs} runs, load before {load:.1f}\n\n{table(results, compared)}")


if __name__ == "__main__":
    main()
