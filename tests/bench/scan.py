"""How long `copymend scan --facts` takes, and how much memory: 100,000 failed copies in 20 accounts on 200 routes, at 50 ms a call.

The sandbox runs in a process of its own, without anything behind it. COPYMEND_PROGRAM names the program; it is best built with --release.
"""

import sys
from collections import Counter

from estate import FLAWS, Route, world_of
from measure import DAY, HOUR, TIME, Limits, account, arguments, expect, judge, measure, scaled, text, write

LIMITS = Limits(seconds=30, megabytes=100)

# Every resource is copied each day; AWS keeps jobs for 30.
DAYS = 28

SLUGS = tuple(FLAWS)


def flaw_of(route):
    return SLUGS[route.number % len(SLUGS)]


def copies_of(route, jobs, routes):
    """Which resource and day each failed job of a route is of."""
    of_route = jobs // routes + (1 if route.number < jobs % routes else 0)
    return [(number // DAYS, number % DAYS) for number in range(of_route)]


def make_world(jobs, routes, accounts):
    found = [Route(number, accounts) for number in range(routes)]

    def date(day):
        return text(TIME - DAY * day - HOUR)

    def points(route):
        return [
            {
                "arn": route.point(number, day),
                "resource_arn": route.resource(number),
                "resource_type": "EBS",
                "encryption_key_arn": route.key,
                "creation_date": date(day),
                "created_by": route.created_by(),
                "iam_role_arn": route.role,
            }
            for number, day in copies_of(route, jobs, routes)
        ]

    world = world_of(found, accounts, points, flaw_of)
    world["copy_jobs"] = [
        {
            "id": f"{route.number:08x}-{number:04x}-4000-8000-{day:012x}",
            "recovery_point_arn": route.point(number, day),
            "source_vault_arn": route.source_vault,
            "destination_vault_arn": route.destination_vault,
            "iam_role_arn": route.role,
            "creation_date": date(day),
            "created_by": route.created_by(),
            "lifecycle": {"delete_after_days": 35},
        }
        for route in found
        for number, day in copies_of(route, jobs, routes)
    ]
    return world, found


def main():
    sizes = arguments(__doc__, jobs=100_000, routes=200, accounts=20)
    jobs, routes = scaled(sizes.jobs, sizes.scale), min(sizes.routes, scaled(sizes.jobs, sizes.scale))
    world, found = make_world(jobs, routes, sizes.accounts)
    accounts = ",".join(account(number) for number in range(sizes.accounts))
    measured = measure(lambda file: write(file, world), ["scan", "--facts", "--account", accounts, "--json"])
    told = measured.told
    expect("what could not be read", told["not_read"], [])
    expect("notes", told["notes"], [])
    expect("jobs", told["jobs"], jobs)
    # The copies of a route fail for one cause, at a vault or key of its own.
    counts = Counter()
    for incident in told["incidents"]:
        counts[incident["cause"], incident["resource"]] += incident["count"]
        expect(f"{incident['cause']} of {incident['resource']} is confirmed", incident["confirmed"], True)
    wanted = Counter()
    for route in found:
        resource = route.key if FLAWS[flaw_of(route)] == "key" else route.destination_vault
        wanted[flaw_of(route), resource] = len(copies_of(route, jobs, routes))
    expect("incidents", dict(counts), dict(wanted))
    expect("exit code", measured.code, 0)
    return judge(measured, LIMITS)


if __name__ == "__main__":
    sys.exit(main())
