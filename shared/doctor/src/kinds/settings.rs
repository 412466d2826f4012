//! Settings that contradict each other.

use super::Kind;
use crate::finding::{Part, State};

pub(crate) const APPROVE_WITHOUT_APPROVERS: Kind = Kind {
    id: "approve-without-approvers",
    part: Part::Settings,
    state: State::Broken,
    meaning: "the mode is approve and Approvers is empty, so that nobody may approve anything",
    advice: "Set Approvers to who may approve plans, such as arn:aws:sts::444455556666:assumed-role/BackupOwner/*, or the mode observe.",
};

pub(crate) const REPAIR_WITHOUT_SOURCES: Kind = Kind {
    id: "repair-without-sources",
    part: Part::Settings,
    state: State::Broken,
    meaning: "the mode is repair or approve, and AllowedSources is empty, so that nothing is repaired or started again",
    advice: "Set AllowedSources, or the mode observe.",
};

pub(crate) const REPAIR_WITHOUT_LISTS: Kind = Kind {
    id: "repair-without-lists",
    part: Part::Settings,
    state: State::Warning,
    meaning: "the mode is repair or approve, and both other lists are empty, so that copies are started again at most, and no policy is changed",
    advice: "Set AllowedDestinations or AllowedKeys, if policies are to be changed.",
};

pub(crate) const REPAIR_OF_NOTHING_OLD: Kind = Kind {
    id: "repair-of-nothing-old",
    part: Part::Settings,
    state: State::Broken,
    meaning: "the mode is repair or approve, and MaxAgeHours is 0, so that every failure is too old",
    advice: "Set MaxAgeHours.",
};

pub(crate) const NO_WRITES: Kind = Kind {
    id: "no-writes",
    part: Part::Settings,
    state: State::Broken,
    meaning: "the mode is repair or approve, a list is set, and a budget of writes is 0",
    advice: "Set WriteBudget and SourceWriteBudget.",
};

pub(crate) const NO_RETRIES: Kind = Kind {
    id: "no-retries",
    part: Part::Settings,
    state: State::Warning,
    meaning: "the mode is repair or approve, and a budget of retries is 0, so that no copy is started again",
    advice: "Set RetryBudget and SourceRetryBudget.",
};

pub(crate) const SCOPE_WITHOUT_PATHS: Kind = Kind {
    id: "scope-without-paths",
    part: Part::Settings,
    state: State::Broken,
    meaning: "VaultScope is organizational-unit and OrganizationPaths is empty",
    advice: "Set OrganizationPaths, or another scope.",
};

pub(crate) const SCOPE_WITHOUT_READER: Kind = Kind {
    id: "scope-without-reader",
    part: Part::Settings,
    state: State::Broken,
    meaning: "VaultScope is organizational-unit and OrganizationReader is empty, so that no vault's policy is changed",
    advice: "Set OrganizationReader, or another scope.",
};

pub(crate) const PATHS_UNUSED: Kind = Kind {
    id: "paths-unused",
    part: Part::Settings,
    state: State::Warning,
    meaning: "OrganizationPaths is set, and VaultScope is not organizational-unit",
    advice: "Empty OrganizationPaths, or set the scope.",
};

pub(crate) const LIST_ADMITS_EVERYTHING: Kind = Kind {
    id: "list-admits-everything",
    part: Part::Settings,
    state: State::Warning,
    meaning: "a list admits everything",
    advice: "Name accounts, vaults and keys instead.",
};

pub(crate) const ACCOUNTS_WITHOUT_MEMBER_ROLE: Kind = Kind {
    id: "accounts-without-member-role",
    part: Part::Settings,
    state: State::Broken,
    meaning: "a setting names another account, and MemberRole is empty",
    advice: "Set MemberRole, and deploy member.yaml in that account.",
};

pub(crate) const MEMBER_ROLE_WITHOUT_EXTERNAL_ID: Kind = Kind {
    id: "member-role-without-external-id",
    part: Part::Settings,
    state: State::Broken,
    meaning: "a member role is set and ExternalId is empty, which every member role asks for",
    advice: "Set ExternalId as in member.yaml.",
};

pub(crate) const ADVISOR_ROLE_WITHOUT_ADVISOR: Kind = Kind {
    id: "advisor-role-without-advisor",
    part: Part::Settings,
    state: State::Warning,
    meaning: "AdvisorMemberRole is set, and the access advisor is not deployed",
    advice: "Set WithAccessAdvisor to true, or empty AdvisorMemberRole.",
};

pub(crate) const ADVISOR_WITHOUT_MEMBER_ROLE: Kind = Kind {
    id: "advisor-without-member-role",
    part: Part::Settings,
    state: State::Warning,
    meaning: "MemberRole is set and AdvisorMemberRole is empty, so that the access advisor reads this account alone",
    advice: "Set AdvisorMemberRole.",
};

pub(crate) const FULLY_MANAGED_KEYS_UNLISTED: Kind = Kind {
    id: "fully-managed-keys-unlisted",
    part: Part::Settings,
    state: State::Warning,
    meaning: "AllowFullyManagedKeys is true, and no key can be changed",
    advice: "Set AllowedKeys and the mode repair or approve, or AllowFullyManagedKeys to false.",
};

pub(crate) const SERVICE_LINKED_ROLE_NOT_MADE: Kind = Kind {
    id: "service-linked-role-not-made",
    part: Part::Settings,
    state: State::Warning,
    meaning: "CreateServiceLinkedRole is true in the mode observe, in which nothing is created",
    advice: "Set the mode repair or approve, or CreateServiceLinkedRole to false.",
};

pub(crate) const SWEEP_WITHOUT_SCHEDULE: Kind = Kind {
    id: "sweep-without-schedule",
    part: Part::Settings,
    state: State::Warning,
    meaning: "SweepRegions or SweepAccounts is set and SweepSchedule is empty, so that nothing is swept",
    advice: "Set SweepSchedule.",
};

pub(crate) const CALLS_GO_ELSEWHERE: Kind = Kind {
    id: "calls-go-elsewhere",
    part: Part::Settings,
    state: State::Warning,
    meaning: "EndpointUrl is set, so that every AWS call goes there",
    advice: "Empty EndpointUrl, unless this is a test.",
};
