"""The world of the benchmark: failed copies from one account into another, an incident of its own for every run, and a storm."""

SOURCE = "111122223333"
DESTINATION = "444455556666"
MANAGEMENT = "999988887777"
ORGANIZATION = "o-exampleorgid"
REGION = "us-east-1"
COPY_REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{SOURCE}:role/BackupRole"
COPY_KEY = "22222222-2222-4222-8222-222222222222"
PLAN = "6b1c94d0-6022-527e-9c02-04f490433a5a"
COPIES_FAILED = "2026-11-01T03:00:00Z"
# AWS remembers a denial for a minute. The sandbox moves the newest failure to a minute before its start, so one that nobody asks
# about is the newest.
NEWEST_FAILED = "2026-11-01T09:00:00Z"
KEY_USE = ["kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant"]


def make(incidents, storm=0):
    """`incidents` copies that fail for want of a vault policy, named `vault-1` and so on; as many, `key-1`, for want of a key policy;
    and `storm` copies into one vault, `storm-1`."""
    source = {"vaults": {"prod": vault(SOURCE, REGION, key_id(0))}, "keys": {key_id(0): {"policy": key_policy(DESTINATION)}}}
    copies = {"vaults": {}, "keys": {COPY_KEY: {}}}
    jobs = []

    def add_copy(name, number, source_vault, destination_vault, key, failed=COPIES_FAILED):
        point = recovery_point(number, key)
        source["vaults"][source_vault]["recovery_points"].append(point)
        jobs.append(copy_job(name, number, point["arn"], source_vault, destination_vault, failed))

    for number in range(1, incidents + 1):
        copies["vaults"][f"dr-{number}"] = vault(DESTINATION, COPY_REGION, COPY_KEY, vault_policy("222233334444"))
        add_copy(f"vault-{number}", number, "prod", f"dr-{number}", key_id(0))
        source["keys"][key_id(number)] = {"policy": key_policy()}
        source["vaults"][f"prod-{number}"] = vault(SOURCE, REGION, key_id(number))
        add_copy(f"key-{number}", 100_000 + number, f"prod-{number}", "dr-open", key_id(number))
    copies["vaults"]["dr-open"] = vault(DESTINATION, COPY_REGION, COPY_KEY, vault_policy(SOURCE))
    for name in ("dr-storm", "dr-newest"):
        copies["vaults"][name] = vault(DESTINATION, COPY_REGION, COPY_KEY, vault_policy("222233334444"))
    for number in range(1, storm + 1):
        add_copy(f"storm-{number}", 200_000 + number, "prod", "dr-storm", key_id(0))
    add_copy("newest", 900_000, "prod", "dr-newest", key_id(0), NEWEST_FAILED)
    return {
        "time": "2026-11-02T06:00:00Z",
        "organizations": [organization()],
        "accounts": {
            MANAGEMENT: {},
            "222233334444": {},
            SOURCE: {
                "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
                "regions": {REGION: source},
            },
            DESTINATION: {"regions": {COPY_REGION: copies}},
        },
        "copy_jobs": jobs,
    }


def organization():
    accounts = (MANAGEMENT, SOURCE, DESTINATION, "222233334444")
    return {
        "id": ORGANIZATION,
        "management_account": MANAGEMENT,
        "cross_account_backup_enabled": True,
        "member_accounts": {account: f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/" for account in accounts},
    }


def vault(owner, region, key, policy=None):
    made = {"encryption_key_arn": f"arn:aws:kms:{region}:{owner}:key/{key}", "recovery_points": []}
    return made | ({"policy": policy} if policy else {})


def key_id(number):
    return f"{number:08x}-1111-4111-8111-111111111111"


def recovery_point(number, key):
    return {
        "arn": f"arn:aws:ec2:{REGION}::snapshot/snap-{number:017x}",
        "resource_arn": f"arn:aws:ec2:{REGION}:{SOURCE}:volume/vol-{number:017x}",
        "resource_type": "EBS",
        "encryption_key_arn": f"arn:aws:kms:{REGION}:{SOURCE}:key/{key}",
        "size_in_bytes": 8_589_934_592,
    }


def copy_job(name, number, recovery_point, source_vault, destination_vault, failed):
    return {
        "id": f"{number:08X}-2222-4333-8444-555555555555",
        "name": name,
        "recovery_point_arn": recovery_point,
        "source_vault_arn": f"arn:aws:backup:{REGION}:{SOURCE}:backup-vault:{source_vault}",
        "destination_vault_arn": f"arn:aws:backup:{COPY_REGION}:{DESTINATION}:backup-vault:{destination_vault}",
        "iam_role_arn": ROLE,
        "creation_date": failed,
        "created_by": {
            "backup_plan_arn": f"arn:aws:backup:{REGION}:{SOURCE}:backup-plan:{PLAN}",
            "backup_plan_id": PLAN,
            "backup_plan_version": "Yjg0MGI0MjEtNmIwOC00",
            "backup_rule_id": "33ae9459-8853-518d-bdf9-05ad3906a2d0",
        },
    }


def allow(principal, action):
    return {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{principal}:root"}, "Action": action, "Resource": "*"}


def vault_policy(*sources):
    """A policy that people might have: backups are kept, and these accounts may copy into the vault."""
    keeps = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "backup:DeleteRecoveryPoint",
        "Resource": "*",
        "Condition": {"StringNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/vault-admin"]}},
    }
    return {"Version": "2012-10-17", "Statement": [keeps, *(allow(source, "backup:CopyIntoBackupVault") for source in sources)]}


def key_policy(*others):
    """The policy that KMS gives a new key, and one that lets other accounts use it."""
    return {"Version": "2012-10-17", "Statement": [allow(SOURCE, "kms:*"), *(allow(other, KEY_USE) for other in others)]}
