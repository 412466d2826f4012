"""Accounts as a company has them: each application of an account has a vault and a key of its own, and a vault for its copies in one of
four accounts and two Regions. A route is what the copies of an application share."""

from measure import COPY_REGIONS, HUBS, SOURCE_REGION, account, key_arn, key_id, key_policy, organization, role_arn, vault_arn, vault_policy

# The copies' own key in each of their accounts and Regions.
COPY_KEY = 1

ROLES = ("BackupRole", "LongTermBackupRole")

# What stands in the way of a route's copies, and whether the vault or the key is the incident's resource.
FLAWS = {
    "destination-vault-policy": "vault",
    "source-key-policy": "key",
    "destination-vault-key": "vault",
    "retention-out-of-range": "vault",
    "vault-not-found": "vault",
}


class Route:
    """An application of an account."""

    def __init__(self, number, accounts):
        self.number = number
        self.owner = account(number % accounts)
        self.name = f"app-{number}"
        self.hub = HUBS[number % len(HUBS)]
        self.region = COPY_REGIONS[number // len(HUBS) % len(COPY_REGIONS)]
        self.role = role_arn(self.owner, ROLES[number // accounts % len(ROLES)])
        self.source_vault = vault_arn(self.owner, SOURCE_REGION, self.name)
        self.destination_vault = vault_arn(self.hub, self.region, self.name)
        self.key = key_arn(self.owner, SOURCE_REGION, 100 + number)
        self.plan = f"plan-{number}"

    def resource(self, number):
        return f"arn:aws:ec2:{SOURCE_REGION}:{self.owner}:volume/vol-{self.number:05}{number:012}"

    def point(self, number, day):
        return f"arn:aws:ec2:{SOURCE_REGION}::snapshot/snap-{self.number:05}{number:08}{day:04}"

    def created_by(self):
        return {
            "backup_plan_arn": f"arn:aws:backup:{SOURCE_REGION}:{self.owner}:backup-plan:{self.plan}",
            "backup_plan_id": self.plan,
            "backup_rule_id": "daily",
        }


def world_of(routes, accounts, points, flaw_of):
    """The accounts of the routes. `points` makes the recovery points of a route, `flaw_of` says what is wrong with it."""
    owners = [account(number) for number in range(accounts)]
    roles = {name: {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]} for name in ROLES}
    world = {"organizations": [organization(owners)], "accounts": {"999988887777": {}}}
    for owner in owners:
        world["accounts"][owner] = {"roles": roles, "regions": {SOURCE_REGION: {"vaults": {}, "keys": {}, "backup_plans": {}}}}
    for hub in HUBS:
        keys = {key_id(COPY_KEY): {"policy": key_policy(hub)}}
        world["accounts"][hub] = {"regions": {region: {"vaults": {}, "keys": dict(keys)} for region in COPY_REGIONS}}
    for route in routes:
        flaw = flaw_of(route)
        source = world["accounts"][route.owner]["regions"][SOURCE_REGION]
        source["vaults"][route.name] = {"encryption_key_arn": route.key, "recovery_points": points(route)}
        admitted = [] if flaw == "source-key-policy" else [route.hub]
        source["keys"][key_id(100 + route.number)] = {"policy": key_policy(route.owner, *admitted)}
        vault = {"encryption_key_arn": key_arn(route.hub, route.region, COPY_KEY), "policy": vault_policy(route.owner)}
        if flaw == "destination-vault-policy":
            vault["policy"] = vault_policy("111122223333")
        elif flaw == "destination-vault-key":
            del vault["encryption_key_arn"]
        elif flaw == "retention-out-of-range":
            vault["lock"] = {"min_retention_days": 365}
        if flaw != "vault-not-found":
            world["accounts"][route.hub]["regions"][route.region]["vaults"][route.name] = vault
    return world
