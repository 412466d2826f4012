"""How long `copymend rpo` takes, and how much memory: 10,000 resources with 35 recovery points each, at 50 ms a call.

The sandbox runs in a process of its own, without anything behind it. COPYMEND_PROGRAM names the program; it is best built with --release.
"""

import sys

from measure import DAY, HOUR, HUBS, TIME, Limits, account, arguments, expect, judge, measure, scaled, text, write

LIMITS = Limits(seconds=60, megabytes=150)


def make_world(resources, points, accounts, vaults):
    """Backups in the sources, and all their copies in `vaults` vaults of one account."""
    hub = HUBS[0]

    def point(region, owner, name, number, **more):
        plan = f"plan-{owner}"
        return {
            "arn": f"arn:aws:ec2:{region}::snapshot/snap-{owner}-{name}-{number}",
            "resource_arn": f"arn:aws:ec2:us-east-1:{owner}:volume/vol-{name:017}",
            "resource_type": "EBS",
            "creation_date": text(TIME - DAY * number - HOUR),
            "created_by": {
                "backup_plan_arn": f"arn:aws:backup:us-east-1:{owner}:backup-plan:{plan}",
                "backup_plan_id": plan,
                "backup_rule_id": "daily",
            },
        } | more

    copies = {f"dr-{number}": [] for number in range(vaults)}
    world = {"time": text(TIME), "accounts": {}}
    for number in range(accounts):
        owner = account(number)
        vault = f"dr-{number % vaults}"
        arn = f"arn:aws:backup:eu-west-1:{hub}:backup-vault:{vault}"
        source = f"arn:aws:backup:us-east-1:{owner}:backup-vault:prod"
        names = range(number, resources, accounts)
        copies[vault] += [point("eu-west-1", owner, name, day, source_vault_arn=source) for name in names for day in range(points)]
        rules = [{"id": "daily", "target_vault": "prod", "copy_actions": [{"destination_vault_arn": arn}]}]
        backups = [point("us-east-1", owner, name, 0) for name in names]
        for backup in backups:
            backup["arn"] += "-source"
        region = {"vaults": {"prod": {"recovery_points": backups}}, "backup_plans": {f"plan-{owner}": {"rules": rules}}}
        world["accounts"][owner] = {"regions": {"us-east-1": region}}
    world["accounts"][hub] = {"regions": {"eu-west-1": {"vaults": {name: {"recovery_points": found} for name, found in copies.items()}}}}
    return world


def main():
    sizes = arguments(__doc__, resources=10_000, points=35, accounts=20, vaults=1)
    resources = scaled(sizes.resources, sizes.scale)
    accounts = ",".join(account(number) for number in range(sizes.accounts))
    command = ["rpo", "--objective", "26h", "--account", accounts, "--json"]
    measured = measure(lambda file: write(file, make_world(resources, sizes.points, sizes.accounts, sizes.vaults)), command)
    told = measured.told
    expect("what could not be read", told["not_read"], [])
    expect("places", len(told["places"]), resources)
    expect("states", {place["state"] for place in told["places"]}, {"in-time"})
    expect("exit code", measured.code, 0)
    return judge(measured, LIMITS)


if __name__ == "__main__":
    sys.exit(main())
