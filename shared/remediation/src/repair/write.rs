//! One write of one policy, under its lease: record the intent, read again, put, read back, record
//! that it was written.

use std::time::Duration;

use copymend_policy::{AccountId, PolicyDocument};
use jiff::{SignedDuration, Timestamp};

use crate::guards::{TIME_FOR_A_WRITE, lease_holds};
use crate::investigate::SERVICE_LINKED_ROLE;
use crate::ledger::{Change, Lease, LeaseAfter, Ledger, Pause, PolicyHistory};
use crate::plan::Target;
use crate::ports::{
    Backup, BackupWrites, CallError, CallErrorKind, CallResult, Clock, Environment, Identities,
    IdentityWrites, KeyWrites, Keys,
};
use crate::write::Write;

/// How often a write is tried when someone else changes the policy at the same time.
pub(crate) const ATTEMPTS: u32 = 3;
/// How often a written policy is read back. All in all shorter than the time that is left for a
/// write.
const READ_BACKS: u32 = 8;
/// The same for a key, as long as there is time: AWS KMS answers reads late, usually by a few
/// seconds (developer guide, "AWS KMS eventual consistency", documented).
const READ_BACKS_OF_A_KEY: u32 = 25;
const READ_BACK_PAUSE: Duration = Duration::from_millis(400);
/// How long after a write a key's policy may be read late. The page above names no bound; a minute
/// is our own.
const SETTLING: SignedDuration = SignedDuration::from_mins(1);
/// How long a write waits before it is tried again.
const WRITE_PAUSE: Duration = Duration::from_millis(500);

/// What may be written, and the text that the policy has then.
pub(crate) type Approval = (Write, String);

/// A write that may happen, and what is recorded of it.
pub(crate) struct PolicyWrite<'w, E: Environment, A> {
    pub environment: &'w E,
    pub ledger: &'w E::Ledger,
    pub lease: &'w Lease,
    /// When the function is stopped.
    pub deadline: Timestamp,
    pub target: &'w Target,
    /// Approves the same edit of the policy's text as it was read last; `None` where that text
    /// doesn't admit it.
    pub approve: A,
    /// Its record, as it was planned. AWS KMS answers the lists of one policy in another order each
    /// time, so what is put, and recorded in the end, is made from the text that was read last.
    pub change: Change,
    /// The Sids that it adds, or takes away.
    pub sids: &'w [String],
    /// The source account that it is for, and how many writes of policies are for it in one day at
    /// most. None for an undo.
    pub source: Option<(AccountId, u32)>,
}

/// How a write ended that nothing refused.
#[derive(Debug)]
pub(crate) enum WriteEnd {
    /// Someone else changed the policy before it was put: nothing was written.
    ForeignBefore,
    /// The policy was put, or may have been: the record, with the policy's text before and after
    /// it.
    Put(Box<Change>, Seen),
}

/// What the policy says after a put.
#[derive(Debug)]
pub(crate) enum Seen {
    /// What was written, and whether the ledger recorded that.
    AsWritten {
        confirmed: CallResult<()>,
        /// The pause in force, asked for since. Where the change is confirmed, the lease is given back.
        pause: CallResult<Option<Pause>>,
    },
    /// Something else: someone changed it after it was put. Whether our part is in it, a fresh read
    /// tells.
    Foreign,
    /// The put failed in a way that doesn't tell whether the policy was written, and the policy
    /// doesn't show it.
    Lost(CallError),
    /// It doesn't show the put yet, or can't be read. It must not be put again from what was read:
    /// a policy that is read late may lack what somebody else wrote.
    Not(CallError),
}

impl<E: Environment, A: Fn(Option<&str>) -> Option<Approval>> PolicyWrite<'_, E, A> {
    /// Writes. An error says that nothing was written.
    pub(crate) async fn run(self) -> CallResult<WriteEnd> {
        let clock = self.environment.clock();
        self.intend().await?;
        // The ledger's answers took time: someone else may have written meanwhile, and the lease
        // may have run out.
        let (last, leased) = tokio::join!(
            read_policy(self.environment, self.target),
            still_leased(self.ledger, self.lease)
        );
        leased?;
        let last = last?;
        let approved = if is_same_policy(last.as_deref(), self.change.before.as_deref()) {
            (self.approve)(last.as_deref())
        } else {
            None
        };
        let Some((write, after)) = approved else {
            clock.sleep(WRITE_PAUSE).await;
            return Ok(WriteEnd::ForeignBefore);
        };
        let change = Change {
            before: last,
            after: Some(after),
            ..self.change.clone()
        };
        lease_holds(self.lease, clock.now(), self.deadline)?;
        let put = put(self.environment, &write).await;
        match &put {
            Err(error) if !may_have_written(error) => return Err(error.clone()),
            Ok(()) | Err(_) => {}
        }
        // A fault or a lost answer says nothing about whether the policy was written: the policy
        // itself does.
        let seen = match (self.read_back(&change).await, put) {
            (Ok(ReadBack::AsWritten), _) => {
                let lease = Some((self.lease, LeaseAfter::GivenBack));
                let (confirmed, pause) = tokio::join!(
                    self.ledger.confirm_change(&change, self.sids, lease),
                    self.ledger.pause(clock.now())
                );
                Seen::AsWritten { confirmed, pause }
            }
            (Ok(ReadBack::Foreign), Ok(())) => Seen::Foreign,
            (Ok(ReadBack::Unchanged), Ok(())) => match self.target {
                // No late reads are known of a vault's policy (inferred): somebody put the old one
                // back.
                Target::VaultPolicy(_) => Seen::Foreign,
                Target::KeyPolicy(_) | Target::ServiceLinkedRole(_) => Seen::Not(CallError::new(
                    "read back",
                    self.target.as_str(),
                    CallErrorKind::Failed,
                    "the policy was put, but does not show it yet; or somebody put the old one back",
                )),
            },
            (Ok(ReadBack::Unchanged), Err(error)) if self.may_be_late(&error) => Seen::Not(error),
            (Ok(ReadBack::Foreign | ReadBack::Unchanged), Err(error)) => {
                clock.sleep(WRITE_PAUSE).await;
                Seen::Lost(error)
            }
            (Err(error), Ok(()) | Err(_)) => Seen::Not(error),
        };
        Ok(WriteEnd::Put(Box::new(change), seen))
    }

    /// Records the change first: a process that dies after the put must not leave a statement that nobody
    /// can take back. The write is counted with it, for its source account, too: a put that fails counts,
    /// and so do those of other invocations since the guard was asked.
    async fn intend(&self) -> CallResult<()> {
        let (change, owner) = (&self.change, self.lease.owner());
        if self
            .ledger
            .intend_change(change, owner, self.source)
            .await?
        {
            return Ok(());
        }
        let used_up = self.source.map(|(source, budget)| {
            format!(
                "the {budget} writes of a day for account {source} are used up; nothing was written"
            )
        });
        Err(CallError::new(
            "count the write",
            self.target.as_str(),
            CallErrorKind::Failed,
            used_up.unwrap_or_default(),
        ))
    }

    /// Whether the policy may have been written although it doesn't show it. What was throttled was
    /// surely not done.
    fn may_be_late(&self, error: &CallError) -> bool {
        let is_of_a_vault = matches!(self.target, Target::VaultPolicy(_));
        !is_of_a_vault && error.kind != CallErrorKind::Throttled
    }

    /// Reads the policy until it is as written. Only the old policy may be a late answer; anything
    /// else is somebody's edit, and waiting doesn't help.
    async fn read_back(&self, change: &Change) -> CallResult<ReadBack> {
        let clock = self.environment.clock();
        let most = match self.target {
            Target::VaultPolicy(_) | Target::ServiceLinkedRole(_) => READ_BACKS,
            Target::KeyPolicy(_) => READ_BACKS_OF_A_KEY,
        };
        for attempt in 0..most {
            if attempt > 0 {
                clock.sleep(READ_BACK_PAUSE).await;
            }
            if attempt >= READ_BACKS && self.deadline.duration_since(clock.now()) < TIME_FOR_A_WRITE
            {
                break;
            }
            let text = read_policy(self.environment, self.target).await?;
            if is_same_policy(text.as_deref(), change.after.as_deref()) {
                return Ok(ReadBack::AsWritten);
            }
            if !is_same_policy(text.as_deref(), change.before.as_deref()) {
                return Ok(ReadBack::Foreign);
            }
        }
        Ok(ReadBack::Unchanged)
    }
}

/// What a policy says after it was put.
enum ReadBack {
    /// What was written.
    AsWritten,
    /// What it said before.
    Unchanged,
    /// Something else.
    Foreign,
}

/// Whether a put that failed so may have written the policy all the same: its answer may be what
/// got lost.
const fn may_have_written(error: &CallError) -> bool {
    match error.kind {
        CallErrorKind::Throttled
        | CallErrorKind::Timeout
        | CallErrorKind::Unavailable
        | CallErrorKind::Unreadable => true,
        CallErrorKind::AccessDenied | CallErrorKind::Rejected | CallErrorKind::Failed => false,
    }
}

/// An error where a lease isn't the one on record any more: the event should be delivered again.
pub(crate) async fn still_leased<L: Ledger>(ledger: &L, lease: &Lease) -> CallResult<()> {
    if ledger.is_leased(lease).await? {
        return Ok(());
    }
    Err(lease.lost())
}

pub(crate) async fn put<E: Environment>(environment: &E, write: &Write) -> CallResult<()> {
    match write {
        Write::VaultPolicy(change) => {
            environment
                .backup()
                .put_backup_vault_access_policy(change)
                .await
        }
        Write::KeyPolicy(change) => environment.keys().put_key_policy(change).await,
        Write::ServiceLinkedRole(role) => {
            let identities = environment.identities();
            identities.create_service_linked_role(role).await
        }
    }
}

/// What is there now: the policy's text, or the role's name; `None` where there is none.
pub(crate) async fn read_policy<E: Environment>(
    environment: &E,
    target: &Target,
) -> CallResult<Option<String>> {
    match target {
        Target::VaultPolicy(vault) => {
            environment
                .backup()
                .get_backup_vault_access_policy(vault)
                .await
        }
        Target::KeyPolicy(key) => environment.keys().get_key_policy(key).await,
        Target::ServiceLinkedRole(role) => {
            let identities = environment.identities();
            let found = identities
                .get_role(role.account(), role.partition(), SERVICE_LINKED_ROLE)
                .await?;
            let found = found.filter(|found| found.arn.as_str() == target.as_str());
            Ok(found.map(|_| SERVICE_LINKED_ROLE.to_owned()))
        }
    }
}

/// A policy as it was read, and whether it shows what Copymend wrote to it last.
pub(crate) struct Read {
    pub text: Option<String>,
    pub late: Option<Late>,
}

/// What a policy that may be read late doesn't show yet.
#[derive(Debug)]
pub(crate) struct Late {
    /// When it was written.
    pub at: Timestamp,
    /// The Sids that were added and are missing, or that were taken out and are there.
    pub sids: Vec<String>,
}

/// Reads a policy, where it wasn't read `first`; a key's again, while there is time, as long as it doesn't show what was written
/// to it within the last minute. Written anew from such a text, the policy would lose that.
pub(crate) async fn read_settled<E: Environment>(
    environment: &E,
    target: &Target,
    mut first: Option<CallResult<Option<String>>>,
    history: &PolicyHistory,
    deadline: Timestamp,
) -> CallResult<Read> {
    let clock = environment.clock();
    let mut attempt = 1;
    loop {
        let text = match first.take() {
            Some(text) => text?,
            None => read_policy(environment, target).await?,
        };
        let late = late(target, text.as_deref(), history, clock.now());
        let has_time = deadline.duration_since(clock.now()) >= TIME_FOR_A_WRITE * 2;
        if late.is_none() || attempt == READ_BACKS_OF_A_KEY || !has_time {
            return Ok(Read { text, late });
        }
        clock.sleep(READ_BACK_PAUSE).await;
        attempt += 1;
    }
}

fn late(
    target: &Target,
    text: Option<&str>,
    history: &PolicyHistory,
    now: Timestamp,
) -> Option<Late> {
    let last = history.last_write.as_ref()?;
    match target {
        Target::VaultPolicy(_) | Target::ServiceLinkedRole(_) => return None,
        Target::KeyPolicy(_) if now.duration_since(last.at) >= SETTLING => return None,
        Target::KeyPolicy(_) => {}
    }
    // One that can't be read is for the plan to refuse.
    let policy = PolicyDocument::parse(text?).ok()?;
    let is_there = |sid: &str| {
        let mut statements = policy.statements().iter();
        statements.any(|statement| statement.sid() == Some(sid))
    };
    let sids: Vec<String> = last
        .sids
        .iter()
        .filter(|sid| is_there(sid) == last.is_undo)
        .cloned()
        .collect();
    (!sids.is_empty()).then_some(Late { at: last.at, sids })
}

impl Late {
    /// That another delivery should look again.
    pub(crate) fn into_error(self, target: &Target) -> CallError {
        let (at, sids) = (self.at, self.sids.join(", "));
        CallError::new(
            "read the policy again",
            target.as_str(),
            CallErrorKind::Throttled,
            format!("it does not show what was written at {at} ({sids}); try again in a minute"),
        )
    }
}

/// Whether two reads show one policy: the service may lay a stored policy out anew, and AWS KMS
/// puts its lists into another order each time. Texts that are no policy are compared as they are.
fn is_same_policy(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return one == other;
    };
    one == other
        || matches!(
            (PolicyDocument::parse(one), PolicyDocument::parse(other)),
            (Ok(one), Ok(other)) if one.means_the_same_as(&other)
        )
}
