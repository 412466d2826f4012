"""What Git knows of this version and of the one before."""

import json
import re
import subprocess

from templates import REPOSITORY

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


class ShallowClone(Exception):
    """The clone may lack the earlier versions."""


def earlier_permissions(version):
    """The version before, of those that the commit descends from, and its list of permissions; nothing for the first version."""
    if _git("rev-parse", "--is-shallow-repository").strip() == "true":
        raise ShallowClone("the clone is shallow and may lack the version before: run `git fetch --unshallow --tags`")
    tag = before(version, _git("tag", "--merged", "HEAD").split())
    if tag is None:
        return None, None
    return tag.removeprefix("v"), json.loads(_git("show", f"{tag}:release/permissions.json"))


def before(version, tags):
    """The tag of the last released version that is lower. Pre-releases don't count: nobody upgrades from one."""
    own = _VERSION.match(f"v{version}")
    lower = [
        tag for tag in tags if (found := _VERSION.fullmatch(tag)) and _numbers(found) < _numbers(own)
    ]
    return max(lower, key=lambda tag: _numbers(_VERSION.match(tag)), default=None)


def seconds_of_commit():
    return int(_git("log", "-1", "--format=%ct", "HEAD"))


def uncommitted():
    """How many files differ from the commit."""
    return len(_git("status", "--porcelain").splitlines())


def _numbers(found):
    return tuple(int(number) for number in found.groups())


def _git(*arguments):
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout
