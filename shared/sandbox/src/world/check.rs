//! Checks on a world's values that its JSON shape doesn't settle.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::RoleArn;
use copymend_policy::{AccountId, Arn, Statement};
use copymend_remediation::settings::is_partition;

use super::error::WorldError;
use super::schema::{
    Account, Copymend, Key, Lock, Organization, PermissionsBoundary, PolicyText, RecoveryPoint,
    Region, Role, TagRule, User, Vault, WorldFile,
};
use super::{AWS_OWNED_KEY, CUSTOMER_MANAGED_KEY, check_plans};
use crate::managed;
use crate::rules::OPT_IN;

const KEY_STATES: &[&str] = &[
    "Creating",
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingImport",
    "PendingReplicaDeletion",
    "Unavailable",
    "Updating",
];

/// The states of backup jobs (documented: AWS Backup API reference, `DescribeBackupJob`).
const BACKUP_JOB_STATES: &[&str] = &[
    "CREATED",
    "PENDING",
    "RUNNING",
    "ABORTING",
    "ABORTED",
    "COMPLETED",
    "FAILED",
    "EXPIRED",
    "PARTIAL",
];
/// The states of restore jobs (documented: AWS Backup API reference, `DescribeRestoreJob`).
const RESTORE_JOB_STATES: &[&str] = &["PENDING", "RUNNING", "COMPLETED", "ABORTED", "FAILED"];

type Check = Result<(), WorldError>;

pub(super) fn file(file: &WorldFile) -> Check {
    for (id, account) in &file.accounts {
        self::account(*id, account, &format!("accounts.{id}"))?;
    }
    for (index, organization) in file.organizations.iter().enumerate() {
        let path = format!("organizations[{index}]");
        self::organization(file, organization, &path)?;
        let twice = |id: &&AccountId| {
            file.organizations
                .iter()
                .filter(|other| other.has_member(**id))
                .count()
                > 1
        };
        if let Some(id) = organization.members().find(twice) {
            return Err(WorldError::at(
                &path,
                format!("account {id} is in two organizations"),
            ));
        }
    }
    copymend(file)?;
    if let Some(account) = file
        .closed_accounts
        .iter()
        .find(|id| file.accounts.contains_key(id))
    {
        let reason = format!("account {account} is one of `accounts`");
        return Err(WorldError::at("closed_accounts", reason));
    }
    jobs(file)
}

/// The function's role must exist. Member roles may be missing: then those accounts can't be
/// reached.
fn copymend(file: &WorldFile) -> Check {
    let Some(Copymend { account, role, .. }) = &file.copymend else {
        return Ok(());
    };
    let found = file.accounts.get(account).and_then(|account| {
        let (path, name) = role.rsplit_once('/').unwrap_or(("", role));
        account
            .roles
            .get(name)
            .filter(|found| found.path.trim_matches('/') == path.trim_matches('/'))
    });
    if found.is_some() {
        return Ok(());
    }
    let reason = format!("account {account} has no role `{role}`");
    Err(WorldError::at("copymend.role", reason))
}

fn jobs(file: &WorldFile) -> Check {
    let backups: Vec<_> = file
        .backup_jobs
        .iter()
        .map(|job| (job.id.as_str(), job.state.as_str()))
        .collect();
    let restores: Vec<_> = file
        .restore_jobs
        .iter()
        .map(|job| (job.id.as_str(), job.status.as_str()))
        .collect();
    service_jobs("backup_jobs", &backups, BACKUP_JOB_STATES)?;
    service_jobs("restore_jobs", &restores, RESTORE_JOB_STATES)
}

/// The ids and states of one list of jobs.
fn service_jobs(list: &str, jobs: &[(&str, &str)], states: &[&str]) -> Check {
    let mut ids = BTreeSet::new();
    for (index, (id, state)) in jobs.iter().enumerate() {
        let refused = |reason: String| Err(WorldError::at(&format!("{list}[{index}]"), reason));
        if !states.contains(state) {
            return refused(format!("`{state}` is not one of {}", states.join(", ")));
        }
        if !ids.insert(id) {
            return refused(format!("the id `{id}` appears twice"));
        }
    }
    Ok(())
}

impl Organization {
    fn members(&self) -> impl Iterator<Item = &AccountId> {
        std::iter::once(&self.management_account).chain(self.member_accounts.keys())
    }
}

fn organization(file: &WorldFile, organization: &Organization, path: &str) -> Check {
    let refused =
        |field: &str, reason: String| Err(WorldError::at(&format!("{path}.{field}"), reason));
    let id = &organization.id;
    let fits = id.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len())
            && rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    if !fits {
        return refused(
            "id",
            format!("`{id}` is not an organization id, such as `o-exampleorgid`"),
        );
    }
    let mut partitions: Vec<&str> = organization
        .members()
        .filter_map(|id| file.accounts.get(id))
        .map(|account| account.partition.as_str())
        .collect();
    partitions.sort_unstable();
    partitions.dedup();
    if partitions.len() > 1 {
        return refused(
            "member_accounts",
            "an organization lies in one partition".to_owned(),
        );
    }
    for (account, account_path) in &organization.member_accounts {
        let mut parts = account_path.split('/');
        let fits = parts.next() == Some(id)
            && parts.next().is_some_and(|root| root.starts_with("r-"))
            && account_path.ends_with('/');
        if !fits {
            let field = format!("member_accounts.{account}");
            return refused(
                &field,
                format!("`{account_path}` is not a path, such as `{id}/r-ab12/ou-ab12-11111111/`"),
            );
        }
    }
    for (index, policy) in organization.service_control_policies.iter().enumerate() {
        self::policy(
            &policy.policy,
            &format!("{path}.service_control_policies[{index}].policy"),
        )?;
    }
    for (index, attached) in organization.resource_control_policies.iter().enumerate() {
        let path = format!("{path}.resource_control_policies[{index}].policy");
        policy(&attached.policy, &path)?;
        let names_principals = attached.policy.document().is_ok_and(|policy| {
            let mut statements = policy.statements().iter();
            statements.all(Statement::has_principal)
        });
        if !names_principals {
            let reason = "every statement of a resource control policy has the `Principal` `*`";
            return Err(WorldError::at(&path, reason));
        }
    }
    for (key, rule) in &organization.tag_policies {
        tag_rule(rule, &format!("{path}.tag_policies.{key}"))?;
    }
    Ok(())
}

fn tag_rule(rule: &TagRule, path: &str) -> Check {
    let is_type = |text: &String| {
        text.split_once(':')
            .is_some_and(|(service, kind)| !service.is_empty() && !kind.is_empty())
    };
    match rule.enforced_for.iter().find(|text| !is_type(text)) {
        None => Ok(()),
        Some(text) => Err(WorldError::at(
            &format!("{path}.enforced_for"),
            format!(
                "`{text}` is not a resource type, such as `ec2:snapshot` or `ec2:ALL_SUPPORTED`"
            ),
        )),
    }
}

fn account(id: AccountId, account: &Account, path: &str) -> Check {
    let partition = &account.partition;
    if !is_partition(partition) {
        let at = format!("{path}.partition");
        return Err(WorldError::at(
            &at,
            format!("`{partition}` is not a partition, such as `aws`"),
        ));
    }
    for (name, role) in &account.roles {
        self::role(id, account, name, role, &format!("{path}.roles.{name}"))?;
    }
    for (index, user) in account.users.iter().enumerate() {
        self::user(id, account, user, &format!("{path}.users[{index}]"))?;
    }
    let opted_in = account.enabled_opt_in_regions.iter().flatten();
    if let Some(region) = opted_in
        .into_iter()
        .find(|region| !OPT_IN.contains(&region.as_str()))
    {
        return Err(WorldError::at(
            &format!("{path}.enabled_opt_in_regions"),
            format!(
                "`{region}` is not a Region that needs opt-in, such as {}",
                OPT_IN.join(", ")
            ),
        ));
    }
    for (code, region) in &account.regions {
        self::region(id, account, code, region, &format!("{path}.regions.{code}"))?;
    }
    Ok(())
}

fn role(id: AccountId, account: &Account, name: &str, role: &Role, path: &str) -> Check {
    let arn = format!(
        "arn:{}:iam::{id}:role{}{name}",
        account.partition, role.path
    );
    let parsed = arn
        .parse::<RoleArn>()
        .map_err(|error| WorldError::at(path, error.to_string()))?;
    if parsed.name() != name || parsed.path() != role.path {
        return Err(WorldError::at(
            path,
            "a role's path begins and ends with `/`, and its name has none",
        ));
    }
    if let Some(text) = &role.trust_policy {
        policy(text, &format!("{path}.trust_policy"))?;
    }
    let own = OwnPolicies {
        inline: &role.policies,
        managed: &role.managed_policies,
        boundary: role.permissions_boundary.as_ref(),
    };
    own.check(account, path)
}

fn user(id: AccountId, account: &Account, user: &User, path: &str) -> Check {
    let name = user.path_and_name();
    let arn = format!("arn:{}:iam::{id}:user/{name}", account.partition);
    if name.is_empty() || arn.parse::<Arn>().is_err() {
        let reason = format!("`{}` is not a user's name, such as `alice`", user.name);
        return Err(WorldError::at(path, reason));
    }
    let own = OwnPolicies {
        inline: &user.policies,
        managed: &user.managed_policies,
        boundary: user.permissions_boundary.as_ref(),
    };
    own.check(account, path)
}

/// The policies of a role or user.
struct OwnPolicies<'f> {
    inline: &'f BTreeMap<String, PolicyText>,
    managed: &'f [String],
    boundary: Option<&'f PermissionsBoundary>,
}

impl OwnPolicies<'_> {
    fn check(&self, account: &Account, path: &str) -> Check {
        for (name, text) in self.inline {
            policy(text, &format!("{path}.policies.{name}"))?;
        }
        if let Some(boundary) = self.boundary {
            let path = format!("{path}.permissions_boundary.policy");
            policy(&boundary.policy, &path)?;
        }
        for name in self.managed {
            if managed::policy(name, &account.partition).is_none() {
                let known: Vec<&str> = managed::names().collect();
                let reason = format!(
                    "the managed policy `{name}` is not known; write it as an inline policy (known are {})",
                    known.join(", ")
                );
                return Err(WorldError::at(&format!("{path}.managed_policies"), reason));
            }
        }
        Ok(())
    }
}

fn region(id: AccountId, account: &Account, code: &str, region: &Region, path: &str) -> Check {
    let owner = format!("{}:{{}}:{code}:{id}", account.partition);
    for (name, vault) in &region.vaults {
        let path = format!("{path}.vaults.{name}");
        let arn = format!("arn:{}:backup-vault:{name}", owner.replace("{}", "backup"));
        arn.parse::<copymend_diagnosis::BackupVaultArn>()
            .map_err(|error| WorldError::at(&path, error.to_string()))?;
        self::vault(code, vault, &path)?;
    }
    for (id, plan) in &region.backup_plans {
        check_plans::plan(id, plan, &format!("{path}.backup_plans.{id}"))?;
    }
    for (key_id, key) in &region.keys {
        let path = format!("{path}.keys.{key_id}");
        let arn = format!("arn:{}:key/{key_id}", owner.replace("{}", "kms"));
        arn.parse::<copymend_diagnosis::KeyArn>()
            .map_err(|error| WorldError::at(&path, error.to_string()))?;
        self::key(key, &path)?;
    }
    Ok(())
}

fn vault(region: &str, vault: &Vault, path: &str) -> Check {
    let types = ["BACKUP_VAULT", "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"];
    if !types.contains(&vault.vault_type.as_str()) {
        let at = format!("{path}.vault_type");
        return Err(WorldError::at(
            &at,
            format!("it must be one of {}", types.join(", ")),
        ));
    }
    let days = |lock: &Lock| [lock.min_retention_days, lock.max_retention_days];
    let mut locked = vault.lock.iter().flat_map(days).flatten();
    if let Some(days) = locked.find(|days| *days < 0) {
        let reason = format!("a retention of {days} days is none");
        return Err(WorldError::at(&format!("{path}.lock"), reason));
    }
    let key_types = [AWS_OWNED_KEY, CUSTOMER_MANAGED_KEY];
    if let Some(named) = &vault.encryption_key_type
        && !key_types.contains(&named.as_str())
    {
        let at = format!("{path}.encryption_key_type");
        return Err(WorldError::at(
            &at,
            format!("it must be one of {}", key_types.join(", ")),
        ));
    }
    if let Some(text) = &vault.policy {
        policy(text, &format!("{path}.policy"))?;
    }
    let mut arns = BTreeSet::new();
    let all: BTreeSet<&Arn> = vault
        .recovery_points
        .iter()
        .map(|point| &point.arn)
        .collect();
    for (index, point) in vault.recovery_points.iter().enumerate() {
        let path = format!("{path}.recovery_points[{index}]");
        recovery_point(region, vault, point, &path)?;
        if let Some(parent) = &point.parent_recovery_point_arn
            && !all.contains(parent)
        {
            let path = format!("{path}.parent_recovery_point_arn");
            return Err(WorldError::at(
                &path,
                "the vault has no such recovery point",
            ));
        }
        if !arns.insert(&point.arn) {
            return Err(WorldError::at(
                &path,
                format!("`{}` appears twice", point.arn),
            ));
        }
    }
    Ok(())
}

fn recovery_point(region: &str, vault: &Vault, point: &RecoveryPoint, path: &str) -> Check {
    if point.arn.region() != region {
        return Err(WorldError::at(
            &format!("{path}.arn"),
            format!("it must be in {region}"),
        ));
    }
    check_plans::lifecycle(point.lifecycle.as_ref(), path)?;
    if !point.snapshots.is_empty() && !point.is_image() {
        let reason = "only an image has snapshots of its own";
        return Err(WorldError::at(&format!("{path}.snapshots"), reason));
    }
    let has_key = !point.keys().is_empty() || vault.is_logically_air_gapped();
    let reason = match point.encrypted {
        Some(true) if !has_key && !point.is_fully_managed() => {
            "it is encrypted, so it needs an `encryption_key_arn`"
        }
        Some(false) if point.encryption_key_arn.is_some() => {
            "it is not encrypted, so it has no `encryption_key_arn`"
        }
        Some(_) | None => return Ok(()),
    };
    Err(WorldError::at(&format!("{path}.encrypted"), reason))
}

fn key(key: &Key, path: &str) -> Check {
    if !KEY_STATES.contains(&key.state.as_str()) {
        let at = format!("{path}.state");
        return Err(WorldError::at(
            &at,
            format!("it must be one of {}", KEY_STATES.join(", ")),
        ));
    }
    key.policy
        .as_ref()
        .map_or(Ok(()), |text| policy(text, &format!("{path}.policy")))
}

fn policy(text: &PolicyText, path: &str) -> Check {
    text.document()
        .map(|_| ())
        .map_err(|error| WorldError::at(path, error.to_string()))
}
