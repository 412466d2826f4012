//! Failed copy events, failure messages, causes, facts and the diagnosis they lead to. Pure.

pub mod access;
mod advice;
pub mod advisor;
mod air_gapped;
mod assess;
mod causes;
mod diagnose;
mod event;
mod fact;
mod facts;
pub mod features;
mod foresee;
mod guardrails;
mod job;
pub mod messages;
mod permission;
mod resource;
mod simulation;
mod tag_policy;

pub use advice::{
    Advice, advise, advise_planned, advise_unlisted_source, step_that_starts_again,
    steps_after_refused_put,
};
pub use assess::{Assessment, Verdict};
pub use causes::{
    Cause, Remedy, Repairable, UnknownSlug, keys_of_job_role, led_by_key_in_the_way,
    other_keys_in_the_way,
};
pub use diagnose::{Diagnosis, diagnose, obstacles};
pub use event::{CopyJobEvent, EVENT_DETAIL_TYPE, EVENT_SOURCE, EventError};
pub use fact::{Fact, UnknownReason, WhyUnknown};
pub use facts::{
    BackupVault, Facts, ImageKeys, JobRoleAccess, Key, KeyFacts, KeyManager, Organization,
    RecoveryPoint, RecoveryPointTags, Role, SimulatedFact, SourceKey, Tags, VaultKey,
};
pub use foresee::{Foreseen, Residual, foresee};
pub use guardrails::{ControlPolicies, ControlPolicyKind, GuardrailQuestions, Guardrails};
pub use job::{BackupCopy, CopyJob, CopyJobState, Failure, Lifecycle, NotVerified};
pub use permission::{PermissionAnswer, PermissionState};
pub use resource::{BackupVaultArn, KeyAliasArn, KeyArn, RoleArn};
pub use simulation::{
    ContextKey, ContextValues, PrincipalPolicies, Simulated, SimulatedAction, SimulatedDecision,
    SimulatedKey, Simulation, ToldBy,
};
pub use tag_policy::{TagPolicy, TagPolicyError, TagViolation};
