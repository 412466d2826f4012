//! Removing what a run made, the last thing first. What is gone already is no error; what can't be
//! removed is named, and the rest is removed all the same.

use std::collections::BTreeSet;

use copymend_aws::proving::{ProvingAccount, RunId, VaultContent, Volume};
use copymend_diagnosis::{CopyJobState, KeyArn};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallError, CallResult};

use super::arguments::Pace;
use super::console::detail;
use super::end::{End, patiently, until};
use super::pair::{Pair, Side, place};
use super::state::{Made, State};

/// How often is looked for something whose id isn't known: lists may be late.
const LOOKS: u32 = 3;
/// States in which a backup job goes on (AWS Backup API reference, `DescribeBackupJob`, documented).
const BACKUP_GOES_ON: [&str; 4] = ["CREATED", "PENDING", "RUNNING", "ABORTING"];

/// What is known of the things of a run.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    run: RunId,
    keys: Vec<(Side, KeyArn)>,
    /// Where a key may be whose id isn't known.
    keys_elsewhere: Vec<Side>,
    /// Where keys are looked for at all.
    keys_at: Vec<Side>,
    volumes: Vec<String>,
    is_volume_unknown: bool,
    /// Where volumes are looked for.
    volumes_at: Vec<Side>,
}

impl Known {
    /// What the state file knows.
    pub(crate) fn of(run: &RunId, state: &State) -> Self {
        let (mut keys, mut keys_elsewhere, mut keys_at) = (Vec::new(), Vec::new(), Vec::new());
        for (side, what) in [
            (Side::Destination, Made::DestinationKey),
            (Side::Source, Made::SourceKey),
        ] {
            let (ids, is_unknown) = state.ids(what);
            if !ids.is_empty() || is_unknown {
                keys_at.push(side);
            }
            if is_unknown {
                keys_elsewhere.push(side);
            }
            let ids = ids.into_iter().filter_map(|id| id.parse().ok());
            keys.extend(ids.map(|key| (side, key)));
        }
        let (volumes, is_volume_unknown) = state.ids(Made::Volume);
        Self {
            run: run.clone(),
            keys,
            keys_elsewhere,
            keys_at,
            volumes: volumes.into_iter().map(ToOwned::to_owned).collect(),
            is_volume_unknown,
            volumes_at: vec![Side::Source],
        }
    }

    /// Nothing but the run's id: everything is looked for, on both sides, as whoever wants it removed
    /// may name the profiles the other way round.
    pub(crate) fn nothing(run: &RunId) -> Self {
        Self {
            run: run.clone(),
            keys: Vec::new(),
            keys_elsewhere: Vec::new(),
            keys_at: Side::BOTH.to_vec(),
            volumes: Vec::new(),
            is_volume_unknown: false,
            volumes_at: Side::BOTH.to_vec(),
        }
    }
}

/// What could not be removed.
#[derive(Debug, Default)]
pub(crate) struct Left(Vec<String>);

impl Left {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, what: &str, why: &str) -> Result<(), End> {
        let line = format!("{what}: {why}");
        detail(&format!("✗ {line}"))?;
        self.0.push(line);
        Ok(())
    }

    /// Says what could not be looked for.
    fn unseen(
        &mut self,
        what: &str,
        account: &ProvingAccount,
        error: &CallError,
    ) -> Result<(), End> {
        let what = format!("the {what} of runs in {}", place(account));
        self.add(&what, &error.to_string())
    }

    /// Says how a deletion went.
    fn deleted(&mut self, what: &str, result: CallResult<bool>) -> Result<(), End> {
        match result {
            Ok(true) => detail(&format!("✓ {what}"))?,
            Ok(false) => {}
            Err(error) => self.add(what, &error.to_string())?,
        }
        Ok(())
    }
}

/// Removes all that belongs to the run.
pub(crate) async fn remove(pair: &Pair, known: &Known, pace: Pace) -> Result<Left, End> {
    let mut left = Left::default();
    let run = &known.run;
    if let Err(end) = copies_to_end(pair, run, pace).await {
        left.add("the run's jobs", &told(end)?)?;
    }
    for side in Side::BOTH {
        vault(pair.at(side), run, pace, &mut left).await?;
    }
    for side in &known.volumes_at {
        volumes(pair.at(*side), known, pace, &mut left).await?;
    }
    for side in [Side::Source, Side::Destination] {
        if known.keys_at.contains(&side) {
            keys(pair, side, known, pace, &mut left).await?;
        }
    }
    Ok(left)
}

/// A copy that runs would bring a recovery point into the vault later.
async fn copies_to_end(pair: &Pair, run: &RunId, pace: Pace) -> Result<(), End> {
    let vault = pair.destination.vault(run)?;
    let source = &pair.source;
    until(pace, "a copy did not end", async || {
        let copies = source.copies_into(&vault).await?;
        let goes_on = |(_, state): &(String, CopyJobState)| match state {
            CopyJobState::Created | CopyJobState::Running => true,
            CopyJobState::Completed | CopyJobState::Failed | CopyJobState::Partial => false,
        };
        Ok((!copies.iter().any(goes_on)).then_some(()))
    })
    .await?;
    until(pace, "the backup did not end", async || {
        let backups = source.backups_of(run).await?;
        let goes_on = |(_, state): &(String, String)| BACKUP_GOES_ON.contains(&state.as_str());
        Ok((!backups.iter().any(goes_on)).then_some(()))
    })
    .await
}

async fn vault(
    account: &ProvingAccount,
    run: &RunId,
    pace: Pace,
    left: &mut Left,
) -> Result<(), End> {
    let name = format!("vault {} in {}", run.name(), place(account));
    let content = match patiently(pace, async || account.vault_content(run).await).await {
        Ok(None) => return Ok(()),
        Ok(Some(content)) => content,
        Err(error) => return left.add(&name, &error.to_string()),
    };
    let mut will_be_empty = true;
    for point in content {
        let what = format!("backup {} in {}", point.recovery_point, place(account));
        let deleted = patiently(pace, async || {
            account
                .delete_recovery_point(run, &point.recovery_point)
                .await
        })
        .await;
        will_be_empty &= deleted.is_ok();
        left.deleted(&what, deleted)?;
    }
    // A backup that can't be deleted keeps the vault, which says so itself.
    if will_be_empty {
        match emptied(account, run, pace).await {
            Ok(expired) if expired.is_empty() => {}
            Ok(expired) => {
                for point in expired {
                    let what = format!("backup {point} in {}", place(account));
                    left.add(&what, EXPIRED)?;
                }
            }
            Err(end) => return left.add(&name, &told(end)?),
        }
    }
    let deleted = patiently(pace, async || account.delete_vault(run).await).await;
    left.deleted(&name, deleted)
}

/// Why a backup is `EXPIRED` after its deletion (AWS Backup API reference, `DeleteRecoveryPoint`, and
/// developer guide, "Deleting backups", documented).
const EXPIRED: &str = "AWS Backup took its deletion and did not delete it: it is EXPIRED. Whoever removes it needs ec2:DeleteSnapshot and \
    iam:CreateServiceLinkedRole too";

/// Waits until the vault is empty. Answers what stays in it: backups that AWS Backup will not delete,
/// since a permission is missing. One that was `EXPIRED` before is so for a moment longer.
async fn emptied(account: &ProvingAccount, run: &RunId, pace: Pace) -> Result<Vec<Arn>, End> {
    let mut looks = 0;
    until(pace, "its backups were not deleted", async || {
        let content = account.vault_content(run).await?.unwrap_or_default();
        let is_over = content.iter().all(VaultContent::is_expired);
        looks = if is_over { looks + 1 } else { 0 };
        let is_over = content.is_empty() || looks >= LOOKS;
        let points = content.into_iter().map(|point| point.recovery_point);
        Ok(is_over.then(|| points.collect()))
    })
    .await
}

async fn volumes(
    account: &ProvingAccount,
    known: &Known,
    pace: Pace,
    left: &mut Left,
) -> Result<(), End> {
    let look = async || of_run(account, known).await;
    let found = match look_for(look, known.is_volume_unknown, pace).await {
        Ok(found) => found,
        Err(error) => return left.add("the run's volume", &error.to_string()),
    };
    for volume in found {
        let what = format!("volume {} in {}", volume.id, place(account));
        let deleted = patiently(pace, async || account.delete_volume(&volume).await).await;
        left.deleted(&what, deleted)?;
    }
    Ok(())
}

/// The run's volumes that aren't deleted yet: by the tag, and by the ids that are known.
async fn of_run(account: &ProvingAccount, known: &Known) -> CallResult<Vec<Volume>> {
    let mut found = account.volumes_of_runs().await?;
    for id in &known.volumes {
        if !found.iter().any(|volume| volume.id == *id) {
            found.extend(account.volume(id).await?);
        }
    }
    found.retain(|volume| volume.run == known.run && !is_on_its_way_out(volume));
    Ok(found)
}

async fn keys(
    pair: &Pair,
    side: Side,
    known: &Known,
    pace: Pace,
    left: &mut Left,
) -> Result<(), End> {
    let account = pair.at(side);
    let of_side = known.keys.iter().filter(|(of, _)| *of == side);
    let mut keys: BTreeSet<String> = of_side.map(|(_, key)| key.to_string()).collect();
    let is_unknown = known.keys_elsewhere.contains(&side);
    let look = async || {
        let found = account.keys_of_runs().await?.into_iter();
        let found = found.filter(|(run, _)| *run == known.run);
        Ok(found.map(|(_, key)| key).collect())
    };
    match look_for(look, is_unknown, pace).await {
        Ok(found) => keys.extend(found.iter().map(ToString::to_string)),
        // The key that is known is all that there is, unless a call was repeated unseen.
        Err(_) if !is_unknown && !keys.is_empty() => {}
        Err(error) => left.add("the run's key", &error.to_string())?,
    }
    for key in keys.iter().filter_map(|key| key.parse::<KeyArn>().ok()) {
        let what = format!("key {key}");
        let scheduled = patiently(pace, async || {
            account.schedule_key_deletion(&known.run, &key).await
        })
        .await;
        let is_scheduled = matches!(scheduled, Ok(true));
        left.deleted(&what, scheduled)?;
        if is_scheduled {
            detail(
                "  its deletion is scheduled in 7 days, AWS's shortest time; until then it costs nothing",
            )?;
        }
    }
    Ok(())
}

/// Looks again where there should be something, and nothing is seen.
async fn look_for<T>(
    mut look: impl AsyncFnMut() -> Result<Vec<T>, CallError>,
    should_be_there: bool,
    pace: Pace,
) -> CallResult<Vec<T>> {
    let mut found = patiently(pace, &mut look).await?;
    for _ in 1..LOOKS {
        if !found.is_empty() || !should_be_there {
            break;
        }
        tokio::time::sleep(pace.every).await;
        found = patiently(pace, &mut look).await?;
    }
    Ok(found)
}

/// The reason, for people; what this machine can't do ends everything.
fn told(end: End) -> Result<String, End> {
    match end {
        End::Failed(reason) => Ok(reason),
        other @ (End::Io(_) | End::Stopped) => Err(other),
    }
}

/// The runs of which something is in the two accounts. What can't be looked for is named, and the
/// rest is looked for all the same.
pub(crate) async fn runs(pair: &Pair) -> Result<(BTreeSet<RunId>, Left), End> {
    let (mut runs, mut left) = (BTreeSet::new(), Left::default());
    for side in Side::BOTH {
        let account = pair.at(side);
        match account.runs_with_vaults().await {
            Ok(found) => runs.extend(found),
            Err(error) => left.unseen("vaults", account, &error)?,
        }
        match account.volumes_of_runs().await {
            Ok(found) => {
                let found = found
                    .into_iter()
                    .filter(|volume| !is_on_its_way_out(volume));
                runs.extend(found.map(|volume| volume.run));
            }
            Err(error) => left.unseen("volumes", account, &error)?,
        }
        match account.keys_of_runs().await {
            Ok(found) => runs.extend(found.into_iter().map(|(run, _)| run)),
            Err(error) => left.unseen("keys", account, &error)?,
        }
    }
    Ok((runs, left))
}

fn is_on_its_way_out(volume: &Volume) -> bool {
    ["deleting", "deleted"].contains(&volume.state.as_str())
}
