"""`make package`: everything of a release, for those processors that this machine's Rust can compile for.

The same commit gives the same bytes, whatever the folder's name: nothing of the machine gets into the files.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import archives
import changelog
import dependencies
import notices
import permission_changes
import permissions
import sbom
from history import earlier_permissions, seconds_of_commit, uncommitted
from templates import FUNCTIONS, HUB, MEMBER, REPOSITORY, packaged

PACKAGE = REPOSITORY / "target" / "package"
BUILD = PACKAGE / "build"
# The C library that the command line asks for at least: the oldest one of a Linux that is still kept up.
GLIBC = "2.28"
# What a build may be told by the environment, and what then would differ from a build elsewhere.
_FLAGS = re.compile(r"(CARGO_ENCODED_)?RUSTFLAGS|CARGO_(BUILD_(?!JOBS)|TARGET_|PROFILE_).*|RUSTC.*|C(XX|PP)?FLAGS(_.*)?|CARGO_INCREMENTAL|SOURCE_DATE_EPOCH")


class CannotPackage(Exception):
    """The release can't be made here."""


def main():
    for name in filter(_FLAGS.fullmatch, list(os.environ)):
        del os.environ[name]
    version = version_of((REPOSITORY / "Cargo.toml").read_text(encoding="utf-8"))
    sysroot = Path(_output("rustc", "--print", "sysroot"))
    architectures = [name for name, target in dependencies.TARGETS.items() if (sysroot / "lib/rustlib" / target / "lib").is_dir()]
    if not architectures:
        raise CannotPackage("no Rust target of the functions is installed")
    folder = PACKAGE / f"copymend-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    crates = dependencies.resolved()
    files = shared_files(version, crates, sysroot)
    for architecture in architectures:
        files |= programs(version, architecture, files)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "SHA256SUMS").write_text(archives.checksums(folder), encoding="utf-8")
    report(folder, version, architectures)


def version_of(manifest):
    [version] = re.findall(r'^\[workspace\.package\]\nversion = "(.+)"$', manifest, re.MULTILINE)
    return version


def shared_files(version, crates, sysroot):
    """What is the same for every processor."""
    library = sysroot / "share/doc/rust/COPYRIGHT-library.html"
    if not library.is_file():
        raise CannotPackage(f"the toolchain has no {library}, the notices of the Rust standard library")
    listed = permissions.LIST.read_text(encoding="utf-8")
    current = permissions.of_templates()
    if listed != permissions.written(current):
        raise CannotPackage("release/permissions.json isn't of these templates: run `make permissions`")
    before_version, before = earlier_permissions(version)
    rust = re.match(r"rustc (\S+)", _output("rustc", "--version"))[1]
    texts = {
        "template.yaml": packaged(HUB.read_text(encoding="utf-8"), version),
        "member.yaml": MEMBER.read_text(encoding="utf-8"),
        "permissions.json": listed,
        "release-notes.md": changelog.notes((REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8"), version),
        "iam-changes.md": permission_changes.changes(version, before_version, before, current),
        "sbom.cdx.json": sbom.bill(version, crates, rust, seconds_of_commit()),
        "THIRD-PARTY-NOTICES": notices.notices(version, crates),
        "RUST-STANDARD-LIBRARY-NOTICES.html": library.read_text(encoding="utf-8"),
        "LICENSE": (REPOSITORY / "LICENSE").read_text(encoding="utf-8"),
    }
    return {name: text.encode() for name, text in texts.items()}


def programs(version, architecture, shared):
    """The functions' archives and the command line program of one processor."""
    files, target = {}, dependencies.TARGETS[architecture]
    # As `make build` does it: for the processors and the Linux that Lambda has.
    for program in FUNCTIONS.values():
        files[f"{program}-{architecture}.zip"] = archives.zip_of_function(compiled(program, target))
    # People's may be older.
    program = compiled("copymend", f"{target}.{GLIBC}", "--disable-optimizations")
    processor = target.split("-")[0]
    name = f"copymend-{version}-{processor}-linux"
    texts = {name: shared[name] for name in ("LICENSE", "THIRD-PARTY-NOTICES", "RUST-STANDARD-LIBRARY-NOTICES.html")}
    files[f"{name}.tar.gz"] = archives.tar_of_program(name, ("copymend", program), texts)
    return files


def compiled(program, target, *options):
    """The program's bytes."""
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(BUILD),
        "RUSTC_WRAPPER": str(REPOSITORY / "release" / "rustc"),
        "COPYMEND_WORKSPACE": str(REPOSITORY),
    }
    arguments = ("--locked", "--release", "--target", target, "--package", program, "--bin", program, *options)
    subprocess.run(["cargo", "lambda", "build", *arguments], cwd=REPOSITORY, env=environment, check=True)
    content = (BUILD / "lambda" / program / "bootstrap").read_bytes()
    for place in (REPOSITORY, Path.home(), Path(environment.get("CARGO_HOME", Path.home() / ".cargo"))):
        if len(place.parts) > 1 and f"{place}/".encode() in content:
            raise CannotPackage(f"`{program}` for {target} has a path of this machine in it: {place}")
    return content


def report(folder, version, architectures):
    print(f"\nCopymend {version} lies in {folder.relative_to(REPOSITORY)}:")
    for path in sorted(folder.iterdir()):
        print(f"  {path.stat().st_size:>10,}  {path.name}")
    for name, target in dependencies.TARGETS.items():
        if name not in architectures:
            print(f"Left out: the functions and the command line for {name}; the Rust target {target} isn't installed.")
    if changed := uncommitted():
        print(f"Not a commit's release: {changed} files differ from it.")


def _output(*command):
    return subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    try:
        main()
    except (CannotPackage, changelog.NotInChangelog, subprocess.CalledProcessError) as error:
        sys.exit(f"package: {error}")
