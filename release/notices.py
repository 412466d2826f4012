"""The licences of what is in the programs, with the texts that the crates' sources bring."""

import hashlib
import re

from templates import REPOSITORY

LICENSES = REPOSITORY / "release" / "licenses"
_FILE = re.compile(r"(?:licen[cs]e|unlicense|copying|copyright|notice)(?:[-._].*)?", re.IGNORECASE)
_NO_TEXT = {".rs", ".py", ".c", ".h", ".go", ".toml", ".json"}
# The licence is in the sources' repository and not in what is published: the text as the commit has it that the crate names.
_FROM_THE_REPOSITORY = {
    "base64-simd@0.8.0": "nugine-simd-MIT.txt",
    "vsimd@0.8.0": "nugine-simd-MIT.txt",
}


class NoLicenseText(Exception):
    """A crate is in a program, and no text of its licence was found."""


def notices(version, crates):
    """The text of `THIRD-PARTY-NOTICES`: each crate with its licence, and each text once, with those that it is of."""
    crates = [crate for crate in crates.values() if crate.in_a_program and not crate.is_ours]
    texts, holders = {}, {}
    for crate in crates:
        for name, text in texts_of(crate):
            digest = hashlib.sha256(text.encode()).hexdigest()
            texts[digest] = text
            holders.setdefault(digest, []).append(f"{crate.name} {crate.version} ({name})")
    lines = [
        f"What Copymend {version} contains that others wrote",
        "",
        f"The programs contain code of {len(crates)} crates. Their licences come first, then every text, with the crates that it is of.",
        "They also contain the Rust standard library, whose notices are in RUST-STANDARD-LIBRARY-NOTICES.html.",
        "",
        *(f"{crate.name} {crate.version}: {crate.license}" for crate in crates),
    ]
    for digest in sorted(texts, key=lambda digest: holders[digest]):
        lines += ["", "=" * 100, *holders[digest], "=" * 100, "", texts[digest]]
    return "\n".join(lines) + "\n"


def texts_of(crate):
    """The names and texts of a crate's licences and notices, those of code that it brings along too."""
    found = []
    for path in sorted(crate.folder.rglob("*")):
        if _FILE.fullmatch(path.name) and path.suffix.lower() not in _NO_TEXT and path.is_file():
            found.append((path.relative_to(crate.folder).as_posix(), _text(path)))
    if crate.id in _FROM_THE_REPOSITORY:
        found.append((_FROM_THE_REPOSITORY[crate.id], _text(LICENSES / _FROM_THE_REPOSITORY[crate.id])))
    if not found and "Apache-2.0" in re.split(r" OR ", crate.license):
        # The text of this licence names nobody; Copymend's own is the same.
        found.append(("Apache-2.0", _text(REPOSITORY / "LICENSE")))
    if not found:
        raise NoLicenseText(
            f"`{crate.id}` ({crate.license}) has no file with its licence: add the text of its repository to release/licenses"
        )
    return found


def _text(path):
    """Line ends and the space around don't make another text of it."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")
