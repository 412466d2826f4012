"""How long `copymend preflight` takes, and how much memory: 10,000 resources on 300 routes, each backed up daily, at 50 ms a call.

The sandbox runs in a process of its own, without anything behind it. COPYMEND_PROGRAM names the program; it is best built with --release.
"""

import sys

from estate import FLAWS, Route, world_of
from measure import DAY, HOUR, TIME, Limits, account, arguments, expect, judge, measure, scaled, text, write

LIMITS = Limits(seconds=60, megabytes=150)

SLUGS = tuple(FLAWS)
# One route of so many has a flaw.
FLAWED = 5


def flaw_of(route):
    return SLUGS[route.number // FLAWED % len(SLUGS)] if route.number % FLAWED == 0 else None


def make_world(resources, points, routes, accounts):
    found = [Route(number, accounts) for number in range(routes)]

    def of_route(route):
        return range(len(range(route.number, resources, routes)))

    def backups(route):
        return [
            {
                "arn": route.point(number, day),
                "resource_arn": route.resource(number),
                "resource_type": "EBS",
                "encryption_key_arn": route.key,
                "creation_date": text(TIME - DAY * day - HOUR),
                "created_by": route.created_by(),
                "iam_role_arn": route.role,
            }
            for number in of_route(route)
            for day in range(points)
        ]

    world = world_of(found, accounts, backups, flaw_of)
    world["time"] = text(TIME)
    for route in found:
        action = {"destination_vault_arn": route.destination_vault, "lifecycle": {"delete_after_days": 35}}
        rules = [{"id": "daily", "target_vault": route.name, "copy_actions": [action]}]
        selection = {"iam_role_arn": route.role, "tags": [{"key": "application", "value": route.name}]}
        plans = world["accounts"][route.owner]["regions"]["us-east-1"]["backup_plans"]
        plans[route.plan] = {"rules": rules, "selections": {"all": selection}}
    return world, found


def main():
    sizes = arguments(__doc__, resources=10_000, points=30, routes=300, accounts=20)
    resources = scaled(sizes.resources, sizes.scale)
    routes = min(sizes.routes, resources)
    world, found = make_world(resources, sizes.points, routes, sizes.accounts)
    accounts = ",".join(account(number) for number in range(sizes.accounts))
    measured = measure(lambda file: write(file, world), ["preflight", "--account", accounts, "--json"])
    told = measured.told
    expect("what could not be read", (told["not_read"], told["unreadable"]), ([], []))
    expect("routes", len(told["routes"]), routes)
    expect("resources", sum(len(route["resources"]) for route in told["routes"]), resources)
    flaws = {route.destination_vault: flaw_of(route) for route in found}
    for route in told["routes"]:
        causes = [one["cause"] for one in route["in_the_way"]]
        flaw = flaws[route["destination_vault"]]
        expect(f"what is in the way to {route['destination_vault']}", causes, [flaw] if flaw else [])
        expect(f"the verdict on {route['destination_vault']}", route["verdict"], "will-fail" if flaw else "will-pass")
    expect("exit code", measured.code, 1)
    return judge(measured, LIMITS)


if __name__ == "__main__":
    sys.exit(main())
