//! What a phrase such as "does not exist" speaks of.
//!
//! AWS files every text with "does not exist" under one category. The nearest noun or ARN before
//! the phrase ("backup vault X does not exist"), or after it ("cannot find recovery point"), says
//! which thing is gone.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::catalogue::{Evidence, Place};
use super::rule::{Finding, finding};
use super::text;
use super::words::{Word, Words, bare, is_one_of};

/// Phrases that follow what is missing.
pub(super) const AFTER: &str = "does not exist|do not exist|did not exist|not found|not be found|no longer exist\
     |no longer available|was deleted|has been deleted|non existent|non-existent|nonexistent\
     |is invalid|is not valid";

/// Phrases that precede what is missing.
pub(super) const BEFORE: &str = "cannot find|could not find|unable to find|unable to locate|could not locate|cannot locate\
     |no such";

/// How far the thing may stand from the phrase, in bytes.
const REACH: usize = 400;

/// The causes of what the message calls missing, in the order of the phrases.
///
/// Where a rule has explained the key already, `key_explained`, a key is passed over: RDS says "KMS
/// key does not exist, is not enabled or you do not have permissions to access it".
pub(super) fn causes<'e>(
    plain: &'e str,
    evidence: &'e Evidence,
    key_explained: bool,
) -> impl Iterator<Item = Finding> + 'e {
    // "the resource does not exist in this Region, no resource-based policies allow access, or …"
    // is one of three things.
    let places = evidence
        .missing()
        .filter(|place| !evidence.leaves_a_deny_open() && !is_in_a_name(plain, *place));
    places.filter_map(move |place| {
        let thing = if place.before_thing {
            forwards(plain, place.end)
        } else {
            backwards(plain, place.start).or_else(|| after_colon(plain, place.end))
        };
        // What is invalid is there; of the service-linked role only its absence can be repaired.
        let invalid = plain
            .get(place.start..)
            .is_some_and(|rest| rest.starts_with("is "));
        thing
            .filter(|thing| !(key_explained && *thing == Thing::Key))
            .filter(|thing| !(invalid && *thing == Thing::ServiceLinkedRole))
            .and_then(Thing::finding)
    })
}

/// Whether the phrase is a part of a name, such as `alias/nonexistent-key`.
fn is_in_a_name(plain: &str, place: Place) -> bool {
    let in_name = |found: char| found.is_alphanumeric() || matches!(found, '-' | '_' | '/' | ':');
    let phrase = plain.get(place.start..place.end).unwrap_or_default();
    let before = plain.get(..place.start).unwrap_or_default();
    let after = plain.get(place.end..).unwrap_or_default();
    phrase.starts_with("non")
        && (before.ends_with(in_name) || after.starts_with(|found| in_name(found) && found != ':'))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Thing {
    Vault,
    Key,
    Role,
    ServiceLinkedRole,
    Image,
    Source,
    OptionGroup,
    /// A noun that no cause is about: a plan, a tag, a subnet.
    Foreign,
}

impl Thing {
    const fn finding(self) -> Option<Finding> {
        Some(match self {
            Self::Vault => finding!(VaultNotFound; "The message calls a backup vault missing."),
            Self::Key => finding!(KeyNotFound, SourceKeyState; "The message calls a key missing."),
            Self::Role => finding!(JobRoleMissing, JobRoleTrust;
                "The message calls a role missing."),
            Self::ServiceLinkedRole => finding!(ServiceLinkedRole;
                "The message calls AWS Backup's service-linked role missing."),
            Self::Image => finding!(AllowedAmis, SourceNotFound;
                "The image cannot be seen; above all the Allowed AMIs setting hides images."),
            Self::Source => finding!(SourceNotFound;
                "The message calls the recovery point or its resource missing."),
            Self::OptionGroup => finding!(OptionGroup;
                "The message calls an option group missing."),
            Self::Foreign => return None,
        })
    }
}

fn backwards(plain: &str, end: usize) -> Option<Thing> {
    let start = plain.floor_char_boundary(end.saturating_sub(REACH));
    let mut words = plain
        .get(start..end)?
        .rsplit(' ')
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        if word.ends_with(['.', ';', '!', '?']) {
            return None;
        }
        let before = words.peek().copied().unwrap_or_default();
        if let Some(thing) = thing(word, before) {
            return Some(thing);
        }
    }
    None
}

fn forwards(plain: &str, start: usize) -> Option<Thing> {
    let end = plain.ceil_char_boundary(start.saturating_add(REACH).min(plain.len()));
    let mut before = "";
    for Word { text, .. } in Words::from(plain.get(..end)?, start) {
        if let Some(thing) = thing(text, before) {
            return Some(thing);
        }
        if text.ends_with(['.', ';', '!', '?']) {
            return None;
        }
        before = text;
    }
    None
}

/// `Not found: backup vault x`.
fn after_colon(plain: &str, end: usize) -> Option<Thing> {
    plain
        .get(end..)
        .is_some_and(|rest| rest.starts_with(':'))
        .then(|| forwards(plain, end + 1))
        .flatten()
}

fn thing(word: &str, before: &str) -> Option<Thing> {
    let word = bare(word);
    let before = bare(before);
    let is = |known: &str| is_one_of(word, known);
    let after = |known: &str| is_one_of(before, known);
    if text::starts_with(word, "awsserviceroleforbackup")
        || text::holds(word, "backup.amazonaws.com/awsserviceroleforbackup")
        || text::holds(word, "assumed-role/awsserviceroleforbackup")
    {
        // A role for something else, a caller, or what belongs to the role: "the policy of …".
        let other = text::holds(word, "reports")
            || text::holds(word, "restoretesting")
            || text::holds(word, "assumed-role/")
            || after("to|of|by|with|for|from|as|in|user|principal|session|caller");
        return Some(if other {
            Thing::Foreign
        } else {
            Thing::ServiceLinkedRole
        });
    }
    if let Some((service, resource)) = text::arn_parts(word) {
        return Some(arn(service, resource));
    }
    if is("vault|vaults|backup-vault") {
        return Some(Thing::Vault);
    }
    if is("key|keys") {
        let foreign =
            after("tag|access|object|api|ssh|primary|partition|license|public|private|condition");
        return Some(if foreign { Thing::Foreign } else { Thing::Key });
    }
    if is("cmk|kms|keyid") || text::starts_with(word, "alias/") {
        return Some(Thing::Key);
    }
    // A rule of the catalogue knows whose service-linked role it is.
    if is("role") && after("service-linked|linked") {
        return Some(Thing::Foreign);
    }
    if is("role|roles") || text::holds(word, "awsbackupdefaultservicerole") {
        return Some(Thing::Role);
    }
    if is("ami|amis|image|images") || text::starts_with(word, "ami-") {
        return Some(Thing::Image);
    }
    if is("group|groups") {
        return Some(if after("option") {
            Thing::OptionGroup
        } else {
            Thing::Foreign
        });
    }
    // "AWS Backup" is a service, "the backup" a recovery point.
    if is("backup") && after("aws|amazon") {
        return None;
    }
    if SOURCES.contains(word) || SOURCE_IDS.iter().any(|id| text::starts_with(word, id)) {
        return Some(Thing::Source);
    }
    FOREIGN.contains(word).then_some(Thing::Foreign)
}

/// Nouns for recovery points and for what they are made of. `cryopod` is AWS's own word in one
/// documented pattern.
static SOURCES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "recovery|point|points|recoverypoint|snapshot|snapshots|dbsnapshot|dbclustersnapshot|volume\
     |volumes|table|database|instance|dbinstance|cluster|machine|filesystem|system|bucket|resource\
     |resources|cryopod|disk|stack|backup|share|namespace"
        .split('|')
        .collect()
});

const SOURCE_IDS: &[&str] = &["snap-", "vol-", "fs-", "fsvol-", "copyjob-", "db-"];

/// Nouns that stop the search: what they name is no cause of a failed copy.
static FOREIGN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "policy|policies|permission|permissions|user|users|account|accounts|organization|tag|tags|plan\
     |rule|selection|job|jobs|subnet|vpc|endpoint|region|file|page|object|name|format|value\
     |lifecycle|expression|schedule|token|parameter|argument|request|signature|credentials\
     |certificate|grant|principal|topic|framework|report|function|action|operation|feature|method\
     |error|errors|problem|problems|url|path|host|entry|item|record|number|date|time|cron\
     |configuration|option|setting|settings|field"
        .split('|')
        .collect()
});

fn arn(service: &str, resource: &str) -> Thing {
    let service_is = |known: &str| service.eq_ignore_ascii_case(known);
    if service_is("kms") {
        Thing::Key
    } else if service_is("iam") || service_is("sts") {
        if text::starts_with(resource, "role/") || text::starts_with(resource, "assumed-role/") {
            Thing::Role
        } else {
            Thing::Foreign
        }
    } else if service_is("backup") {
        if text::starts_with(resource, "backup-vault:") {
            Thing::Vault
        } else if text::starts_with(resource, "recovery-point:") {
            Thing::Source
        } else {
            Thing::Foreign
        }
    } else if service_is("ec2") && text::starts_with(resource, "image/") {
        Thing::Image
    } else if service_is("rds") && text::starts_with(resource, "og:") {
        Thing::OptionGroup
    } else if service_is("organizations") || service_is("sns") || service_is("lambda") {
        Thing::Foreign
    } else {
        Thing::Source
    }
}
