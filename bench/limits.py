"""What is counted, beside what limits.toml holds it to."""

import dataclasses
import tomllib
from pathlib import Path

LIMITS = Path(__file__).resolve().parent / "limits.toml"


@dataclasses.dataclass(frozen=True)
class Row:
    group: str
    name: str
    value: int
    limit: int
    wanted: int

    def told(self):
        if self.value > self.limit:
            return "over its limit"
        # Sizes change a little with every change.
        slack = self.limit // 10 if self.limit >= 1000 else 0
        return "the limit can be lowered" if self.value < self.limit - slack else ""

    def as_text(self):
        wanted = "" if self.value <= self.wanted else f"{self.wanted:,}"
        return f"{self.group:<42} {self.name:<34} {self.value:>12,} {self.limit:>12,} {wanted:>12}  {self.told()}".rstrip()


def read():
    return tomllib.loads(LIMITS.read_text())


def compare(measured, limits):
    """Rows of what was measured. Both have the same groups and names: a limit of nothing holds nothing."""
    for group in measured.keys() | limits.keys():
        if measured.get(group, {}).keys() != limits.get(group, {}).keys():
            raise SystemExit(f"{LIMITS.name} has {sorted(limits.get(group, {}))} of `{group}`, and measured is {sorted(measured.get(group, {}))}")
    return [
        Row(group, name, value, limits[group][name]["limit"], limits[group][name].get("wanted", limits[group][name]["limit"]))
        for group, values in measured.items()
        for name, value in values.items()
    ]


def show(rows):
    """Prints them; answers the exit code."""
    print(f"{'':<42} {'':<34} {'measured':>12} {'limit':>12} {'wanted':>12}")
    for row in rows:
        print(row.as_text())
    return 1 if any(row.value > row.limit for row in rows) else 0
