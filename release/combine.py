"""Puts packages of one version, made for one processor each, together: `combine.py FOLDER FOLDER… RESULT`."""

import shutil
import sys
from pathlib import Path

import archives


class Different(Exception):
    """Two packages have a file of one name with different bytes, so they aren't of one commit and toolchain."""


def combine(folders, result):
    result.mkdir(parents=True)
    for folder in folders:
        if (folder / "SHA256SUMS").read_text(encoding="utf-8") != archives.checksums(folder):
            raise Different(f"{folder} isn't what its SHA256SUMS says")
        for path in sorted(folder.iterdir()):
            target = result / path.name
            if path.name == "SHA256SUMS":
                continue
            if target.exists() and target.read_bytes() != path.read_bytes():
                raise Different(f"{path.name} differs between {folder} and another package")
            shutil.copyfile(path, target)
    (result / "SHA256SUMS").write_text(archives.checksums(result), encoding="utf-8")


if __name__ == "__main__":
    try:
        *folders, result = map(Path, sys.argv[1:])
        combine(folders, result)
    except Different as error:
        sys.exit(f"combine: {error}")
