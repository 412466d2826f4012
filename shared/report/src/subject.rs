//! The words for what was refused or failed.

use copymend_diagnosis::{BackupVaultArn, KeyArn, RoleArn};
use copymend_remediation::report::{CopySummary, JobSummary, Outcome, Report, Subject};

use crate::text::{inline, inline_up_to, without_hosts};

/// What was refused or failed, for whom, in one sentence. A copy has none.
pub(crate) fn what_happened(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Copy(_) => None,
        Subject::ApiCall(call) => Some(format!(
            "{} was refused to {}, in account {}, Region {}.",
            inline(&call.operation),
            caller(&call.caller),
            inline(&call.account),
            inline(&call.region)
        )),
        Subject::Job(job) => Some(job_ended(job)),
    }
}

/// The caller as CloudTrail writes it; it names none for some services.
pub(crate) fn caller(arn: &str) -> String {
    let arn = inline(arn);
    if arn.is_empty() {
        "a caller without an ARN".to_owned()
    } else {
        arn
    }
}

/// A vault by its name, account and Region, with these words before each; other text as it is.
pub(crate) fn vault(text: &str, name: &str, account: &str, region: &str) -> String {
    match text.parse::<BackupVaultArn>() {
        Ok(vault) => format!(
            "{name}{}{account}{}{region}{}",
            without_hosts(vault.name()),
            vault.arn().account(),
            vault.region()
        ),
        Err(_) => inline(text),
    }
}

/// How much of a name is shown in a sentence, in characters.
const NAME: usize = 80;

/// A copy in words: `copy of EBS vol-1 to vault dr (444455556666)`.
pub(crate) fn copy(copy: &CopySummary) -> String {
    let of = match &copy.resource {
        Some(resource) => format!(" of {}", named(resource, copy.resource_type.as_deref())),
        None => String::new(),
    };
    let to = match copy.destination_vault.parse::<BackupVaultArn>() {
        Ok(vault) => {
            let (name, account) = (without_hosts(vault.name()), vault.arn().account());
            format!("vault {name} ({account})")
        }
        Err(_) if copy.destination_vault.is_empty() => return format!("copy{of}"),
        Err(_) => inline_up_to(&copy.destination_vault, NAME),
    };
    format!("copy{of} to {to}")
}

/// What a job was about, in words: `EBS vol-1`.
pub(crate) fn job(job: &JobSummary) -> String {
    let kind = job.resource_type.as_deref();
    match (&job.resource, kind) {
        (Some(resource), _) => named(resource, kind),
        (None, Some(kind)) => format!("a resource of type {}", inline_up_to(kind, NAME)),
        (None, None) => "a resource that the event does not name".to_owned(),
    }
}

/// A resource by its kind and its id; by its ARN's end where the kind isn't known.
fn named(resource: &str, kind: Option<&str>) -> String {
    let end = resource.splitn(6, ':').nth(5).unwrap_or(resource);
    match kind {
        Some(kind) => {
            let id = end.split_once(['/', ':']).map_or(end, |(_, id)| id);
            format!("{} {}", name(kind), name(id))
        }
        None => name(end),
    }
}

/// A name that others chose, in a sentence. Viewers make links of what looks like a host name, such as
/// the name of a bucket, and no reader copies it from there: the ARN stands below.
fn name(text: &str) -> String {
    without_hosts(&inline_up_to(text, NAME))
}

/// How a job ended, by the state that AWS Backup gives it.
pub(crate) fn ended(state: &str) -> &'static str {
    match state {
        "FAILED" => "failed",
        "ABORTED" => "was aborted",
        "EXPIRED" => "expired",
        _ => "did not complete",
    }
}

fn job_ended(job: &JobSummary) -> String {
    let behind = |words: &str, text: &Option<String>| match text {
        Some(text) => format!("{words}{}", inline(text)),
        None => String::new(),
    };
    format!(
        "A {}{} ended as {}{}, in account {}, Region {}.",
        job.kind.name(),
        behind(" of ", &job.resource_type),
        inline(&job.state),
        behind(" for the job role ", &job.role),
        inline(&job.account),
        inline(&job.region)
    )
}

/// Whether a cause was looked for: of a copy always.
pub(crate) fn has_cause(report: &Report) -> bool {
    report.copy_job_id().is_some() || report.outcome == Outcome::Advised
}

/// The key whose policy a Report's change is about.
pub(crate) struct Key(KeyArn);

impl Key {
    fn id(&self) -> &str {
        let id = self.0.arn().resource();
        id.strip_prefix("key/").unwrap_or(id)
    }

    // INVARIANT: id and account of a parsed ARN are printable ASCII.

    /// Its id and account.
    pub(crate) fn whole(&self) -> String {
        format!("key {} ({})", self.id(), self.0.arn().account())
    }

    /// The same with the start of the id, by which people know it.
    pub(crate) fn short(&self) -> String {
        let start: String = self.id().chars().take(8).collect();
        format!("key {start}... ({})", self.0.arn().account())
    }
}

/// The key that was changed, or would be.
pub(crate) fn key_of_change(report: &Report) -> Option<Key> {
    let mut changes = report.changes.iter().chain(&report.refused_changes);
    changes.find_map(|change| change.resource.parse().ok().map(Key))
}

/// The vault whose policy was changed, or would be, or the role that was created, with its account:
/// `vault dr (444455556666)`. Nothing where a name is more than plain ASCII.
pub(crate) fn vault_or_role_of_change(report: &Report) -> Option<String> {
    let mut changes = report.changes.iter().chain(&report.refused_changes);
    let resource = &changes.next()?.resource;
    let told = if let Ok(vault) = resource.parse::<BackupVaultArn>() {
        format!("vault {} ({})", vault.name(), vault.arn().account())
    } else {
        let role: RoleArn = resource.parse().ok()?;
        format!("role {} ({})", role.name(), role.arn().account())
    };
    told.bytes()
        .all(|byte| (b' '..=b'~').contains(&byte))
        .then_some(told)
}

/// What a Report is about: the key and its account where the change is one of a key's policy, and
/// else the subject's [`place`].
pub(crate) fn place_of(report: &Report) -> Option<String> {
    match key_of_change(report) {
        Some(key) => Some(key.whole()),
        None => place(&report.subject),
    }
}

/// The subject in a few words of plain ASCII, whose parts are checked: `CreateBackupVault
/// (111122223333)`; of a copy `dr-vault (444455556666)`, and nothing where its vault can't be told.
pub(crate) fn place(subject: &Subject) -> Option<String> {
    let (what, account) = match subject {
        Subject::Copy(copy) => {
            let vault: BackupVaultArn = copy.destination_vault.parse().ok()?;
            // INVARIANT: name and account of a parsed ARN are printable ASCII.
            return Some(format!("{} ({})", vault.name(), vault.arn().account()));
        }
        Subject::ApiCall(call) if is_word(&call.operation) => {
            (call.operation.clone(), &call.account)
        }
        Subject::ApiCall(call) => ("a call".to_owned(), &call.account),
        Subject::Job(job) => (format!("a {} job", job.kind.name()), &job.account),
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    Some(if is_account {
        format!("{what} ({account})")
    } else {
        what
    })
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A resource with its kind behind it, where both are known.
pub(crate) fn resource(resource: &str, kind: Option<&String>) -> String {
    let kind = kind
        .map(|kind| format!(" ({})", inline(kind)))
        .unwrap_or_default();
    format!("{}{kind}", inline(resource))
}
