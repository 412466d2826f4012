"""The crates that the programs are made of, as Cargo resolves them for each program and processor."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from templates import REPOSITORY

# Both processors, whichever are built here: the list is the same on every machine.
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
PROGRAMS = ("copy-remediator", "access-advisor", "copymend")
# A procedural macro's code runs while the program is compiled, as a build script's does, and isn't in it.
IN_THE_PROGRAM = "normal,no-proc-macro"
WHILE_BUILDING = "normal,build"


@dataclass
class Crate:
    name: str
    version: str
    license: str
    folder: Path
    repository: str | None
    checksum: str | None
    # Whether its code is in a program, or only runs while one is built.
    in_a_program: bool = False
    programs: set[str] = field(default_factory=set)
    depends_on: set[str] = field(default_factory=set)

    @property
    def id(self):
        return f"{self.name}@{self.version}"

    @property
    def is_ours(self):
        return self.checksum is None


def resolved():
    """Every crate of the programs by its id, from Cargo's own answers."""
    crates = described(_cargo("metadata", "--format-version", "1"), (REPOSITORY / "Cargo.lock").read_text(encoding="utf-8"))
    used = set()
    for program in PROGRAMS:
        for target in TARGETS.values():
            for edges in (IN_THE_PROGRAM, WHILE_BUILDING):
                tree = _cargo(
                    "tree", "--package", program, "--target", target, "--edges", edges, "--prefix", "depth", "--format", "{p}"
                )
                for id, children in read_tree(tree).items():
                    used.add(id)
                    crates[id].depends_on |= children
                    if edges == IN_THE_PROGRAM:
                        crates[id].in_a_program = True
                        crates[id].programs.add(program)
    return {id: crates[id] for id in sorted(used)}


def described(metadata, lock):
    """All crates that Cargo knows of, from `cargo metadata` and `Cargo.lock`."""
    entry = r'^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(\w+)"$'
    checksums = {(name, version): checksum for name, version, checksum in re.findall(entry, lock, re.MULTILINE)}
    crates = {}
    for package in json.loads(metadata)["packages"]:
        crate = Crate(
            name=package["name"],
            version=package["version"],
            license=normal_license(package["license"]),
            folder=Path(package["manifest_path"]).parent,
            repository=package["repository"],
            checksum=checksums.get((package["name"], package["version"])),
        )
        if crate.is_ours != (package["source"] is None):
            raise ValueError(f"`{crate.id}` has no checksum in Cargo.lock")
        crates[crate.id] = crate
    return crates


def normal_license(license):
    """The expression as SPDX writes it. Older crates separate alternatives by a slash."""
    return re.sub(r" */ *", " OR ", license)


def read_tree(text):
    """What each crate of a `cargo tree --prefix depth` depends on, by ids."""
    found, path = {}, []
    for line in text.splitlines():
        if not (parts := re.match(r"(\d+)(\S+) v(\S+)", line)):
            raise ValueError(f"`cargo tree` printed `{line}`")
        depth, id = int(parts[1]), f"{parts[2]}@{parts[3]}"
        del path[depth:]
        found.setdefault(id, set())
        if path:
            found[path[-1]].add(id)
        path.append(id)
    return found


def _cargo(*arguments):
    return subprocess.run(
        ["cargo", *arguments, "--locked"], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ).stdout
