//! What is foreseen of a copy that was not tried, held against what becomes of it.

use copymend_diagnosis::{
    BackupCopy, Cause, Foreseen, Guardrails, UnknownReason, WhyUnknown, foresee,
};
use copymend_policy::AccountId;
use copymend_remediation::investigate::investigate;
use copymend_remediation::look_at_guardrails;
use copymend_sandbox::{CopyFailure, CopyJob, NewCopy, Sandbox, World};

use crate::matrix::breaks::BREAKS;
use crate::matrix::scene::{JOB, Scene};

/// A copy with what is foreseen of it and what becomes of it by AWS's rules.
pub(crate) struct Planned {
    pub(crate) foreseen: Foreseen,
    pub(crate) fate: Result<(), CopyFailure>,
    /// Whether nothing was refused while it was looked at.
    pub(crate) is_readable: bool,
}

/// A job's copy as one that was never tried.
fn untried(job: &CopyJob) -> Option<BackupCopy> {
    Some(BackupCopy {
        account: job.account,
        region: job.region.clone(),
        source_vault: job.source_vault.clone(),
        source_recovery_point: job.recovery_point.clone(),
        destination_account: job.destination_vault.account_id()?,
        destination_vault: job.destination_vault.clone(),
        role: job.role.clone(),
        resource: job.resource.clone(),
        resource_type: job.resource_type.clone(),
        lifecycle: job.lifecycle.clone(),
        tried_at: None,
    })
}

/// Looks at a job's copy as if it were planned for the time at which it ran, in a world where
/// `reader` may be asked for the organization's policies.
pub(crate) async fn planned(world: &World, job: &str, reader: Option<AccountId>) -> Planned {
    let job = world.copy_job(job).unwrap();
    let copy = untried(job).unwrap();
    let fate = world.would(&NewCopy::again(job));
    let sandbox = Sandbox::new(world.clone())
        .reading_images(true)
        .reading_tags(true)
        .reading_paths_in(reader);
    let facts = investigate(&sandbox, &copy).await;
    let guardrails = look_at_guardrails(&sandbox, &copy, &facts).await;
    let is_refused = |why: &WhyUnknown| why.reason == UnknownReason::AccessDenied;
    let is_readable =
        !facts.unknown().into_iter().any(is_refused) && !guardrails.unknown().any(is_refused);
    Planned {
        foreseen: foresee(&copy, &facts, &guardrails),
        fate,
        is_readable,
    }
}

impl Planned {
    /// Whether something certain is foreseen.
    pub(crate) const fn is_decided(&self) -> bool {
        match &self.foreseen {
            Foreseen::WillPass { .. } | Foreseen::WillFail { .. } => true,
            Foreseen::CannotBeKnown { .. } => false,
        }
    }

    /// Whether what is foreseen comes true, and what stops the copy first is among what was named.
    pub(crate) fn is_true(&self) -> bool {
        match (&self.foreseen, &self.fate) {
            (Foreseen::WillPass { .. }, fate) => fate.is_ok(),
            (Foreseen::WillFail { in_the_way, open }, Err(failure)) => {
                let mut named = in_the_way.iter().chain(open);
                named.any(|assessment| Some(assessment.cause) == failure.cause)
            }
            (Foreseen::WillFail { .. }, Ok(())) => false,
            (Foreseen::CannotBeKnown { open }, Err(failure)) => open
                .iter()
                .any(|assessment| Some(assessment.cause) == failure.cause),
            (Foreseen::CannotBeKnown { .. }, Ok(())) => true,
        }
    }

    /// The causes that are foreseen.
    pub(crate) fn in_the_way(&self) -> Vec<Cause> {
        match &self.foreseen {
            Foreseen::WillFail { in_the_way, .. } => in_the_way
                .iter()
                .map(|assessment| assessment.cause)
                .collect(),
            Foreseen::WillPass { .. } | Foreseen::CannotBeKnown { .. } => Vec::new(),
        }
    }
}

pub(crate) fn management() -> Option<AccountId> {
    "999988887777".parse().ok()
}

#[tokio::test]
async fn every_copy_of_the_default_world_ends_as_foreseen() {
    let world = World::default_world();
    let (mut decided, mut readable) = (0, 0);
    for job in world.copy_jobs() {
        let management = job
            .source_vault
            .account_id()
            .and_then(|account| world.organization_of(account))
            .map(|organization| organization.management_account);
        for reader in [management, None] {
            let planned = planned(&world, &job.id, reader).await;
            assert!(planned.is_true(), "{:?}: {:#?}", job.name, planned.foreseen);
            if reader.is_some() && planned.is_readable {
                readable += 1;
                decided += usize::from(planned.is_decided());
            }
        }
    }
    assert!(decided * 100 >= readable * 95, "{decided} of {readable}");
}

#[tokio::test]
async fn each_break_of_the_healthy_copy_is_foreseen_and_the_healthy_copy_passes() {
    let healthy = planned(&Scene::healthy().load(), JOB, management()).await;
    assert_eq!(
        healthy.foreseen.slug(),
        "will-pass",
        "{:#?}",
        healthy.foreseen
    );
    for broken in &BREAKS {
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        let planned = planned(&scene.load(), JOB, management()).await;
        // AWS Backup denies what is asked about a vault that doesn't exist.
        let expected = if broken.cause == Cause::VaultNotFound {
            assert!(!planned.is_readable);
            Vec::new()
        } else {
            vec![broken.cause]
        };
        let foreseen = &planned.foreseen;
        assert_eq!(planned.in_the_way(), expected, "{foreseen:#?}");
        assert!(planned.is_true() && planned.foreseen.slug() != "will-pass");
    }
}

/// What nobody could read never lets a copy pass.
#[tokio::test]
async fn without_the_organizations_policies_a_copy_that_they_may_stop_is_not_said_to_pass() {
    for cause in [Cause::ServiceControlPolicy, Cause::ResourceControlPolicy] {
        let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        let planned = planned(&scene.load(), JOB, None).await;
        assert_ne!(planned.foreseen.slug(), "will-pass", "{cause}");
    }
}

#[test]
fn nothing_read_of_guardrails_is_nothing_unknown() {
    assert_eq!(Guardrails::default().unknown().count(), 0);
}
