"""The transcript in docs/local-runs.md, and what of a report it shows."""

import json
import re

from places import ROOT

FILE = ROOT / "docs" / "local-runs.md"
# What differs from run to run.
MASKS = (
    (re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z"), "TIME"),
)


def masked(text):
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def shown(report):
    """What the filter of the transcript's commands keeps."""
    kept = {
        "verified": report["verified"],
        "cause": report["diagnosis"]["cause"],
        "outcome": report["outcome"],
        "changes": [{"resource": change["resource"], "added": change["added"]} for change in report["changes"]],
        "retried_job": report.get("retried_job"),
    }
    return json.loads(masked(json.dumps(kept)))


def printed(command):
    """What the transcript shows after the command that begins so."""
    lines = FILE.read_text().splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith(f"$ {command} ")]
    assert len(places) == 1, f"docs/local-runs.md shows `{command}` {len(places)} times"
    after = lines[places[0] + 1 :]
    return json.loads(masked("\n".join(after[: after.index("}") + 1])))
