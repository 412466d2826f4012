//! What is missing, judged from what was read.

use std::collections::{BTreeMap, HashMap};

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::Arn;
use jiff::{SignedDuration, Timestamp};

use super::exclusion::Exclusion;
use super::gathered::{Done, Gathered, Held, Kept, NotRead, Resource, ResourceId, VaultId};
use super::objective::{Age, Allowed, Objectives};

/// How long before a copy job its source may have been made, where the source isn't known any more: a
/// copy job that AWS Backup starts by itself follows its backup within the plan's completion window
/// (inferred; the default window is seven days, AWS Backup API reference, `BackupRule`).
const SOURCE_IS_OLDER_BY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How a place stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Copies arrived that should still be there, and no good one is left.
    Gone,
    /// No copy ever came, as far as is known.
    Never,
    /// There are copies, or were, and none that is good.
    NoGoodCopy,
    /// The newest good copy is older than the objective.
    Late,
    /// The vault can't be read, or not wholly.
    Unknown,
    /// No objective applies.
    NoObjective,
    /// The resource's first backup is newer than the objective is long: no copy is due yet.
    NotDue,
    /// The newest good copy is within the objective.
    InTime,
    /// It is left out on purpose.
    Excluded,
}

impl State {
    /// Every state, the worst first.
    pub const ALL: [Self; 9] = [
        Self::Gone,
        Self::Never,
        Self::NoGoodCopy,
        Self::Late,
        Self::Unknown,
        Self::NoObjective,
        Self::NotDue,
        Self::InTime,
        Self::Excluded,
    ];

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Never => "never",
            Self::NoGoodCopy => "no-good-copy",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::NoObjective => "no-objective",
            Self::NotDue => "not-due",
            Self::InTime => "in-time",
            Self::Excluded => "excluded",
        }
    }

    const fn is_missing(self) -> bool {
        match self {
            Self::Gone | Self::Never | Self::NoGoodCopy | Self::Late => true,
            Self::Unknown | Self::NoObjective | Self::NotDue | Self::InTime | Self::Excluded => {
                false
            }
        }
    }
}

/// A place where a copy of a resource should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The resource.
    pub resource: Arn,
    /// Its type.
    pub resource_type: String,
    /// The vault.
    pub vault: BackupVaultArn,
    /// Whether a rule that backed the resource up of late copies to it. Otherwise copies of it have
    /// arrived there.
    pub is_planned: bool,
    /// When the newest good copy's source was made.
    pub newest_copy: Option<Timestamp>,
    /// When the newest good backup of the resource was made, wherever it is.
    pub newest_backup: Option<Timestamp>,
    /// How old the newest good copy may be.
    pub objective: Option<Age>,
    /// How it stands.
    pub state: State,
    /// How many copies are gone that should be there.
    pub gone: u64,
    /// What else is to be said; empty where nothing is.
    pub detail: String,
}

impl Place {
    /// The age of the newest good copy in seconds, at a time.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        let age = now.duration_since(self.newest_copy?);
        Some(age.as_secs().max(0))
    }

    /// Whether an objective is missed.
    #[must_use]
    pub const fn is_missed(&self) -> bool {
        self.objective.is_some() && self.state.is_missing()
    }
}

/// A vault's copies in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSummary {
    /// The vault.
    pub vault: BackupVaultArn,
    /// How many places are in it.
    pub places: u64,
    /// How many of them miss their objective.
    pub missed: u64,
    /// The age of the oldest newest copy in seconds; nothing where no place has a good copy.
    pub worst_age: Option<i64>,
}

/// What is missing and what isn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// As of when.
    pub at: Timestamp,
    /// Every place, the worst first.
    pub places: Vec<Place>,
    /// Every vault that is a place, the one with the most misses first.
    pub vaults: Vec<VaultSummary>,
    /// Exclusions whose time is over. They left nothing out.
    pub expired: Vec<Exclusion>,
    /// What could not be read.
    pub not_read: Vec<NotRead>,
}

impl Findings {
    /// How many places miss their objective.
    #[must_use]
    pub fn missed(&self) -> usize {
        self.places.iter().filter(|place| place.is_missed()).count()
    }
}

/// Judges what was read.
#[must_use]
pub fn judge(gathered: &Gathered, objectives: &Objectives, exclusions: &[Exclusion]) -> Findings {
    let now = gathered.now();
    let (expired, holding): (Vec<&Exclusion>, Vec<&Exclusion>) = exclusions
        .iter()
        .partition(|exclusion| exclusion.has_expired(now));
    let judge = Judge {
        newest: newest_backups(gathered),
        arrived: arrived(gathered),
        gathered,
        objectives,
        exclusions: &holding,
    };
    let mut places: Vec<Place> = expected(gathered)
        .into_iter()
        .filter_map(|((resource, vault), is_planned)| judge.place(resource, vault, is_planned))
        .collect();
    places.sort_by(|one, other| {
        let rank = |place: &Place| (place.state, place.newest_copy);
        let names = |place: &Place| (place.resource.clone(), place.vault.to_string());
        rank(one)
            .cmp(&rank(other))
            .then_with(|| names(one).cmp(&names(other)))
            .then_with(|| one.resource_type.cmp(&other.resource_type))
    });
    let mut not_read = gathered.not_read.clone();
    not_read.sort();
    not_read.dedup();
    Findings {
        at: now,
        vaults: summaries(&places, now),
        places,
        expired: expired.into_iter().cloned().collect(),
        not_read,
    }
}

/// The places where a copy should be, and whether a plan says so.
pub(super) fn expected(gathered: &Gathered) -> BTreeMap<(ResourceId, VaultId), bool> {
    let mut places = BTreeMap::new();
    for (resource, rule) in &gathered.backed_up_by {
        for vault in gathered.places_of_rules.get(rule).into_iter().flatten() {
            places.insert((*resource, *vault), true);
        }
    }
    let copied = gathered.held.iter().filter(|(_, held)| held.is_copied);
    let copied = copied.map(|(place, _)| *place);
    let done = gathered.done.iter().map(|done| (done.resource, done.vault));
    for place in copied.chain(done) {
        places.entry(place).or_insert(false);
    }
    places
}

fn newest_backups(gathered: &Gathered) -> HashMap<ResourceId, Timestamp> {
    let mut newest: HashMap<ResourceId, Timestamp> = HashMap::new();
    for ((resource, _), held) in &gathered.held {
        if let Some(made) = held.newest_good {
            let entry = newest.entry(*resource).or_insert(made);
            *entry = made.max(*entry);
        }
    }
    newest
}

/// What copy jobs say of a place.
#[derive(Clone, Copy, Debug, Default)]
struct Arrived {
    completed: u64,
    gone: u64,
    newest: Option<Timestamp>,
}

fn arrived(gathered: &Gathered) -> HashMap<(ResourceId, VaultId), Arrived> {
    let mut arrived: HashMap<(ResourceId, VaultId), Arrived> = HashMap::new();
    for done in &gathered.done {
        let entry = arrived.entry((done.resource, done.vault)).or_default();
        entry.completed = entry.completed.saturating_add(1);
        entry.newest = entry.newest.max(done.completed);
        if is_gone(gathered, done) {
            entry.gone = entry.gone.saturating_add(1);
        }
    }
    arrived
}

/// Whether a copy isn't there although its time isn't over. Where its end can't be known it isn't called
/// gone.
fn is_gone(gathered: &Gathered, done: &Done) -> bool {
    let was_read = gathered.read_vaults.contains(&done.vault)
        && !gathered.unread_vaults.contains_key(&done.vault);
    if !was_read || gathered.points.contains_key(&done.copy) {
        return false;
    }
    // What arrived while the vault was read may have been missed.
    if done.completed.is_none_or(|end| end >= gathered.now()) {
        return false;
    }
    let source = gathered.points.get(&done.source);
    let of_source = source.and_then(|dates| dates.created());
    let earliest = of_source.or_else(|| done.created?.checked_sub(SOURCE_IS_OLDER_BY).ok());
    let end = match done.kept {
        Some(Kept::ForDays(days)) => earliest.and_then(|made| {
            made.checked_add(SignedDuration::from_hours(days.checked_mul(24)?))
                .ok()
        }),
        Some(Kept::AsTheSource) | None => {
            source.map(|dates| dates.deleted().unwrap_or(Timestamp::MAX))
        }
    };
    end.is_some_and(|end| end > gathered.now())
}

struct Judge<'g> {
    gathered: &'g Gathered,
    objectives: &'g Objectives,
    exclusions: &'g [&'g Exclusion],
    newest: HashMap<ResourceId, Timestamp>,
    arrived: HashMap<(ResourceId, VaultId), Arrived>,
}

impl Judge<'_> {
    fn place(&self, resource: ResourceId, vault: VaultId, is_planned: bool) -> Option<Place> {
        let gathered = self.gathered;
        let Resource { arn, kind } = gathered.resources.name(resource)?;
        let vault_arn = gathered.vaults.name(vault)?;
        let held = gathered.held.get(&(resource, vault));
        let arrived = self.arrived.get(&(resource, vault)).copied();
        let arrived = arrived.unwrap_or_default();
        let excluded = self
            .exclusions
            .iter()
            .find(|exclusion| exclusion.names(arn.as_str()));
        let state = |objective| self.state(resource, vault, held, objective, arrived);
        let tags = gathered.tags.get(&resource);
        let known = tags.and_then(|tags| tags.as_ref().ok());
        let allowed = self.objectives.of(vault_arn, kind, known);
        let (objective, state, detail) = match (excluded, allowed) {
            (Some(exclusion), allowed) => {
                let words = format!("{} (until {})", exclusion.reason(), exclusion.until());
                let objective = match allowed {
                    Allowed::Known(objective) => objective,
                    Allowed::Between { longest, .. } => longest,
                };
                (objective, State::Excluded, words)
            }
            (None, Allowed::Known(objective)) => {
                let (state, detail) = state(objective);
                (objective, state, detail)
            }
            (None, Allowed::Between { shortest, longest }) => {
                let ((strict, _), (lax, detail)) = (state(Some(shortest)), state(longest));
                // Whatever its tags are, it is the same.
                if strict == lax && longest.is_some() {
                    (longest, lax, detail)
                } else {
                    let why = tags.and_then(|tags| tags.as_ref().err());
                    let why = why.map_or("nobody asked", String::as_str);
                    let words = format!(
                        "which objective holds depends on its tags, and they aren't known: {why}"
                    );
                    (None, State::Unknown, words)
                }
            }
        };
        let detail = if gathered.absent_vaults.contains(&vault) && excluded.is_none() {
            format!("the vault doesn't exist; {detail}")
        } else {
            detail
        };
        Some(Place {
            resource: arn.clone(),
            resource_type: kind.clone(),
            vault: vault_arn.clone(),
            is_planned,
            newest_copy: held.and_then(|held| held.newest_good),
            newest_backup: self.newest.get(&resource).copied(),
            objective,
            state,
            gone: arrived.gone,
            detail,
        })
    }

    fn state(
        &self,
        resource: ResourceId,
        vault: VaultId,
        held: Option<&Held>,
        objective: Option<Age>,
        arrived: Arrived,
    ) -> (State, String) {
        let now = self.gathered.now();
        let good = held.and_then(|held| held.newest_good);
        let is_within = |made: Timestamp| {
            objective.is_none_or(|age| now.duration_since(made) <= age.duration())
        };
        // What was read shows that it is in time, whatever else there is.
        if let Some(made) = good
            && is_within(made)
        {
            let state = if objective.is_some() {
                State::InTime
            } else {
                State::NoObjective
            };
            return (state, gone_in_words(arrived.gone));
        }
        if let Some(why) = self.unknown(vault, held) {
            return (State::Unknown, why);
        }
        if good.is_some() {
            return (
                State::Late,
                self.late_in_words(resource, good, arrived.gone),
            );
        }
        if arrived.gone > 0 {
            return (State::Gone, gone_in_words(arrived.gone));
        }
        if let Some((made, why)) = held.and_then(|held| held.newest_other) {
            let words = format!("the newest, of {}, {}", day(made), why.words());
            return (State::NoGoodCopy, words);
        }
        if arrived.completed > 0 {
            let newest = arrived
                .newest
                .map_or_else(String::new, |end| format!(", the last on {}", day(end)));
            let words = format!(
                "{} arrived{newest}; whether they should still be there isn't known",
                copies(arrived.completed)
            );
            return (State::NoGoodCopy, words);
        }
        let first = self.gathered.oldest.get(&resource).copied();
        match (objective, first) {
            (Some(age), Some(first)) if is_within(first.created) => {
                if first.would_have_kept(age.duration()) {
                    let words = "its first backup is newer than the objective is long";
                    (State::NotDue, words.to_owned())
                } else {
                    let words = "no copy is there, and its backups are kept for less than the objective is long: whether its oldest one is its first, so that no copy is due yet, can't be known";
                    (State::Unknown, words.to_owned())
                }
            }
            _ => (
                State::Never,
                "no copy ever came, as far as is known".to_owned(),
            ),
        }
    }

    /// Why what a vault holds of a resource can't be known.
    fn unknown(&self, vault: VaultId, held: Option<&Held>) -> Option<String> {
        if let Some(why) = self.gathered.unread_vaults.get(&vault) {
            return Some(why.clone());
        }
        if !self.gathered.read_vaults.contains(&vault) {
            return Some("the vault was not read".to_owned());
        }
        let undated = held.map_or(0, |held| held.without_date);
        (undated > 0).then(|| format!("{undated} recovery points of it have no date"))
    }

    fn late_in_words(&self, resource: ResourceId, copy: Option<Timestamp>, gone: u64) -> String {
        let newest = self.newest.get(&resource).copied();
        let mut words = match (newest, copy) {
            (Some(newest), Some(copy)) if newest > copy => {
                format!("its newest backup is of {}: copies lag", day(newest))
            }
            _ => "it has no newer backup either".to_owned(),
        };
        if gone > 0 {
            words = format!("{words}; {}", gone_in_words(gone));
        }
        words
    }
}

fn day(time: Timestamp) -> String {
    let text = time.strftime("%Y-%m-%d %H:%M UTC");
    text.to_string()
}

fn copies(number: u64) -> String {
    if number == 1 {
        "1 copy".to_owned()
    } else {
        format!("{number} copies")
    }
}

fn gone_in_words(gone: u64) -> String {
    if gone == 0 {
        return String::new();
    }
    let are = if gone == 1 { "is" } else { "are" };
    format!("{} {are} gone before the end", copies(gone))
}

fn summaries(places: &[Place], now: Timestamp) -> Vec<VaultSummary> {
    let mut vaults: HashMap<&str, VaultSummary> = HashMap::new();
    let judged = places.iter().filter(|place| place.state != State::Excluded);
    for place in judged {
        let summary = vaults
            .entry(place.vault.as_str())
            .or_insert_with(|| VaultSummary {
                vault: place.vault.clone(),
                places: 0,
                missed: 0,
                worst_age: None,
            });
        summary.places = summary.places.saturating_add(1);
        summary.missed = summary.missed.saturating_add(u64::from(place.is_missed()));
        summary.worst_age = summary.worst_age.max(place.age(now));
    }
    let mut vaults: Vec<VaultSummary> = vaults.into_values().collect();
    vaults.sort_by(|one, other| {
        other
            .missed
            .cmp(&one.missed)
            .then_with(|| other.worst_age.cmp(&one.worst_age))
            .then_with(|| one.vault.as_str().cmp(other.vault.as_str()))
    });
    vaults
}
