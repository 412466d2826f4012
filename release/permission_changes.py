"""What became of the permissions since the version before, for people who have to agree to an upgrade."""

from permissions import listed_text

_SAME = ("kind", "effect", "action", "principal", "not principal", "arn")


def changes(version, before_version, before, after):
    """The page `iam-changes.md`. Without a version before, it says so and lists every permission."""
    lines = [f"# Permissions of Copymend {version}", ""]
    if before is None:
        lines += ["There is no earlier version to compare with, so every permission is listed as new.", ""]
        before = {}
    else:
        lines += [f"What changed since {before_version}. `permissions.json` lists all of them.", ""]
    lines += [
        "`when` names conditions of the template; a row without it holds in every deployment. `${…}` is a parameter or a resource of the stack.",
        "",
    ]
    body = []
    for template in sorted({*before, *after}):
        body += _template(template, before.get(template, {}), after.get(template, {}))
    return "\n".join([*lines, *(body or ["No permission changed.", ""])]).rstrip("\n") + "\n"


def _template(name, before, after):
    lines = []
    had, has = before.get("permissions", {}), after.get("permissions", {})
    for holder in sorted({*had, *has}):
        more, less, other = compare(had.get(holder, []), has.get(holder, []))
        if not (more or less or other):
            continue
        state = "" if holder in had and holder in has else " (new)" if holder in has else " (gone)"
        lines += [f"### {holder}{state}", ""]
        lines += [f"- more: {_row(row)}" for row in more]
        lines += [f"- less: {_row(row)}" for row in less]
        for old, new in other:
            lines += [f"- changed: {_row(old[0])}" if len(old) == 1 else "- changed:"]
            lines += [f"  - was: {_row(row)}" for row in old if len(old) > 1]
            lines += [f"  - now: {_row(row)}" for row in new]
        lines.append("")
    for part, what in (("conditions", "Conditions"), ("defaults", "Defaults of parameters that permissions rest on")):
        had, has = before.get(part, {}), after.get(part, {})
        changed = [key for key in sorted({*had, *has}) if had.get(key, _ABSENT) != has.get(key, _ABSENT)]
        if changed:
            lines += [f"### {what}", ""]
            lines += [f"- {key}: {_value(had, key)} → {_value(has, key)}" if key in had else f"- {key}: {_value(has, key)}" for key in changed]
            lines.append("")
    return [f"## {name}", "", *lines] if lines else []


_ABSENT = object()


def compare(before, after):
    """The rows that permit more than before, those that permit less, and those of which only reading both tells which.

    More is an Allow that came or a Deny that went. Where rows of the same effect and action both came and went, their resources or
    conditions changed.
    """
    gone, come = _left_over(before, after), _left_over(after, before)
    groups = {}
    for side, rows in enumerate((gone, come)):
        for row in rows:
            groups.setdefault(_same(row), ([], []))[side].append(row)
    more, less, other = [], [], []
    for old, new in groups.values():
        if old and new:
            other.append((old, new))
            continue
        # A boundary limits, as a Deny does. All else that has no effect of its own allows.
        limits = any(row.get("effect") == "Deny" or row["kind"] == "permissions boundary" for row in (*old, *new))
        (more if bool(new) != limits else less).extend(new or old)
    return more, less, other


def _left_over(rows, others):
    others = list(others)
    left = []
    for row in rows:
        if row in others:
            others.remove(row)
        else:
            left.append(row)
    return left


def _same(row):
    return tuple(listed_text(row[key]) if key in row else None for key in _SAME)


def _row(row):
    words = [f"{row['effect']} " if row.get("effect") == "Deny" else "", f"`{row.get('action') or row['arn']}`"]
    if row["kind"] != "permission":
        words.append(f" ({row['kind']})")
    for key, text in (("resource", "on"), ("not resource", "on all but"), ("principal", "for"), ("not principal", "for all but")):
        if key in row:
            words.append(f" {text} {_code(row[key])}")
    if "condition" in row:
        words.append(f" if {_code(row['condition'])}")
    if "when" in row:
        words.append(f", when {' and '.join(row['when'])}")
    return "".join(words)


def _code(value):
    if isinstance(value, list):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{value if isinstance(value, str) else listed_text(value)}`"


def _value(values, key):
    if key not in values:
        return "gone"
    return "none" if values[key] is None else f"`{values[key]}`" if values[key] != "" else "empty"
