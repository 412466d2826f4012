//! Representative Reports and answers of the access advisor, as the handlers make them.

pub(crate) mod advisories;
mod facts;

use copymend_diagnosis::{
    Assessment, Cause, CopyJobEvent, Fact, Facts, UnknownReason, Verdict, advise,
};
use copymend_policy::{
    KeyGrant, KeyProfile, NewStatement, PolicyDocument, VaultGrant, VaultScope, ViaService, append,
};
use copymend_remediation::report::{
    CopySummary, DecisionKind, DiagnosisReport, Guard, GuardResult, Outcome, PolicyChange, Report,
    Subject,
};
use copymend_remediation::settings::Mode;
use serde_json::json;

use facts::facts;
pub(crate) use facts::why;

pub(crate) const VAULT: &str = "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr-vault";
pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole";

const SNAPSHOT: &str = "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718";

const VAULT_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoDeletes","Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"}]}"#;
const KEY_POLICY: &str = r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;

pub(crate) const VAULT_MESSAGE: &str = "Access Denied trying to call AWS Backup service";
const KEY_MESSAGE: &str = "Given key ID is not accessible";

pub(crate) fn event(message: &str) -> CopyJobEvent {
    CopyJobEvent::from_json(&json!({
        "version": "0",
        "id": "7d1c4f0e-0001-4000-8000-000000000001",
        "source": "aws.backup",
        "detail-type": "Copy Job State Change",
        "account": "111122223333",
        "region": "eu-west-1",
        "time": "2026-03-01T02:00:00Z",
        "resources": [SNAPSHOT],
        "detail": {
            "copyJobId": "8F1B2C3D-1111-2222-3333-444455556666",
            "state": "FAILED",
            "statusMessage": message,
            "iamRoleArn": ROLE,
            "resourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0a1b2c3d4e5f60718",
            "resourceType": "EBS",
            "sourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:prod-vault",
            "destinationBackupVaultArn": VAULT,
        },
    }))
    .unwrap()
}

fn candidate(cause: Cause, verdict: Verdict, why: &str, evidence: &[&str]) -> Assessment {
    Assessment {
        cause,
        verdict,
        why: why.to_owned(),
        evidence: evidence.iter().map(ToString::to_string).collect(),
    }
}

fn guard(name: &str, passed: bool, detail: &str) -> GuardResult {
    let mut guards = Guard::ALL.into_iter();
    GuardResult {
        guard: guards.find(|guard| guard.name() == name).unwrap(),
        passed,
        detail: detail.to_owned(),
    }
}

fn guards(mode: Mode) -> Vec<GuardResult> {
    vec![
        guard(
            "verified-failure",
            true,
            "AWS Backup says that job 8F1B2C3D-1111-2222-3333-444455556666 failed",
        ),
        guard(
            "mode",
            mode == Mode::Repair,
            &format!("COPYMEND_MODE is {mode}"),
        ),
        guard(
            "started-by-backup-plan",
            true,
            "a backup plan started the copy",
        ),
        guard(
            "destination-allowed",
            true,
            "COPYMEND_ALLOWED_DESTINATIONS admits the vault",
        ),
        guard(
            "not-opted-out",
            true,
            "the vault is not tagged copymend=never",
        ),
        guard(
            "same-organization",
            true,
            "both accounts are in o-exampleorgid",
        ),
        guard("no-explicit-deny", true, "no Deny matches the copy"),
        guard(
            "evaluation-flips",
            true,
            "denied before, allowed after: backup:CopyIntoBackupVault",
        ),
        guard("only-adds", true, "1 statement kept byte for byte, 1 added"),
    ]
}

fn change(
    resource: &str,
    before: Option<&str>,
    added: &[NewStatement],
    applied: bool,
) -> PolicyChange {
    let document = before.map(|text| PolicyDocument::parse(text).unwrap());
    let after = append(document.as_ref(), added).unwrap();
    PolicyChange {
        resource: resource.to_owned(),
        before: before.map(ToOwned::to_owned),
        after: after.as_str().to_owned(),
        added: added
            .iter()
            .map(|statement| statement.sid().to_owned())
            .collect(),
        certificate: None,
        applied,
        id: applied.then(|| "8F1B2C3D-1111-2222-3333-444455556666-1772330400000".to_owned()),
        grantee: None,
    }
}

fn vault_change(before: Option<&str>, applied: bool) -> PolicyChange {
    let grant = VaultGrant {
        partition: "aws".to_owned(),
        source_account: "111122223333".parse().unwrap(),
        role_arn: ROLE.parse().unwrap(),
        scope: VaultScope::Role,
        organization_id: Some("o-exampleorgid".to_owned()),
        organization_paths: Vec::new(),
    };
    change(VAULT, before, &grant.statements().unwrap(), applied)
}

fn key_change(applied: bool) -> PolicyChange {
    let grant = KeyGrant {
        partition: "aws".to_owned(),
        destination_account: "444455556666".parse().unwrap(),
        profile: KeyProfile::LeastPrivilege,
        via_services: vec![ViaService::Ec2],
    };
    change(KEY, Some(KEY_POLICY), &grant.statements().unwrap(), applied)
}

/// A Report that nothing was done for yet.
fn blank(message: &str, mode: Mode, candidates: Vec<Assessment>) -> Report {
    let event = event(message);
    let cause = candidates[0].cause;
    let subject = Subject::Copy(CopySummary::from(&event));
    Report {
        verified: true,
        mode: Some(mode),
        diagnosis: DiagnosisReport {
            cause,
            candidates,
            unknown: Vec::new(),
        },
        decision: DecisionKind::Advise,
        outcome: Outcome::Advised,
        advice: Some(advise(cause, &event, Some(&facts()))),
        ..Report::blank(event.id.clone().unwrap(), subject, message)
    }
}

/// The copy of a Report.
pub(crate) fn copy_of(report: &mut Report) -> &mut CopySummary {
    match &mut report.subject {
        Subject::Copy(copy) => copy,
        Subject::ApiCall(_) | Subject::Job(_) => unreachable!(),
    }
}

fn vault_candidates() -> Vec<Assessment> {
    vec![
        candidate(
            Cause::DestinationVaultPolicy,
            Verdict::Confirmed,
            "AWS Backup words a missing Allow in the vault policy like this",
            &["no statement of the vault policy allows backup:CopyIntoBackupVault to the job role"],
        ),
        candidate(
            Cause::JobRolePermission,
            Verdict::NotCheckable,
            "the same words are used when the job role lacks the action",
            &["rests on the message alone"],
        ),
        candidate(
            Cause::DestinationVaultDeny,
            Verdict::RuledOut,
            "a Deny is worded in the same way",
            &["no Deny of the vault policy matches"],
        ),
    ]
}

fn key_candidates() -> Vec<Assessment> {
    let evidence = format!(
        "the key policy of `{KEY}` does not allow kms:DescribeKey, kms:ReEncryptFrom, kms:GenerateDataKeyWithoutPlaintext, \
         kms:CreateGrant to AWSServiceRoleForBackup of account 444455556666"
    );
    vec![candidate(
        Cause::SourceKeyPolicy,
        Verdict::Confirmed,
        "AWS says so when the destination account may not use the key",
        &[&evidence],
    )]
}

pub(crate) fn repaired() -> Report {
    let mut report = blank(VAULT_MESSAGE, Mode::Repair, vault_candidates());
    report.decision = DecisionKind::Repair;
    report.outcome = Outcome::RepairedAndRetried;
    report.guards = guards(Mode::Repair);
    report.guards.push(guard("lease", true, "held"));
    report.changes.push(vault_change(Some(VAULT_POLICY), true));
    report.retried_job = Some("AA11BB22-0000-4000-8000-CCDDEEFF0011".to_owned());
    report.notes.push(
        "the copy was started again as job AA11BB22-0000-4000-8000-CCDDEEFF0011, attempt 1 of 3"
            .to_owned(),
    );
    report.advice = None;
    report.occurrences = Some(1);
    report
}

pub(crate) fn planned() -> Report {
    let mut report = blank(KEY_MESSAGE, Mode::Observe, key_candidates());
    report.decision = DecisionKind::Repair;
    report.outcome = Outcome::Planned;
    report.guards = guards(Mode::Observe);
    report.changes.push(key_change(false));
    report
}

pub(crate) fn refused() -> Report {
    let mut report = blank(VAULT_MESSAGE, Mode::Repair, vault_candidates());
    report.decision = DecisionKind::Refuse;
    report.outcome = Outcome::Refused;
    report.guards = guards(Mode::Repair);
    report.guards[3] = guard(
        "destination-allowed",
        false,
        "COPYMEND_ALLOWED_DESTINATIONS does not admit the vault",
    );
    report.guards[5] = guard(
        "same-organization",
        false,
        "organizations:DescribeOrganization on `444455556666`: access denied (AccessDeniedException: You don't have permissions)",
    );
    report.refused_changes.push(vault_change(None, false));
    let facts = Facts {
        vault_policy: Fact::Known(None),
        ..facts()
    };
    report.advice = Some(advise(
        Cause::DestinationVaultPolicy,
        &event(VAULT_MESSAGE),
        Some(&facts),
    ));
    report.diagnosis.unknown.push(why(
        "organizations:DescribeOrganization",
        "444455556666",
        UnknownReason::AccessDenied,
        "AccessDeniedException: You don't have permissions",
    ));
    report.occurrences = Some(10);
    report
}

pub(crate) fn advised() -> Report {
    let message = "Encrypted snapshots with Amazon EBS default key cannot be shared";
    blank(
        message,
        Mode::Repair,
        vec![candidate(
            Cause::AwsManagedKey,
            Verdict::Confirmed,
            "AWS says so of a backup under an AWS managed key",
            &[
                "`arn:aws:kms:eu-west-1:111122223333:key/aaaabbbb-12ab-34cd-56ef-1234567890ab` is an AWS managed key",
            ],
        )],
    )
}

/// An event that AWS Backup knows no job of.
pub(crate) fn unverified(message: &str) -> Report {
    let mut report = blank(
        message,
        Mode::Repair,
        vec![candidate(
            Cause::DestinationVaultPolicy,
            Verdict::NotCheckable,
            "the message is AWS's for this cause",
            &[],
        )],
    );
    report.verified = false;
    report.advice = Some(advise(Cause::DestinationVaultPolicy, &event(message), None));
    report.guards.push(guard(
        "verified-failure",
        false,
        "AWS Backup knows no such job",
    ));
    report
        .notes
        .push("the event could not be verified; it is explained from its message alone".to_owned());
    report
}

pub(crate) fn failed() -> Report {
    let mut report = blank(KEY_MESSAGE, Mode::Repair, key_candidates());
    report.decision = DecisionKind::Repair;
    report.outcome = Outcome::Failed;
    report.guards = guards(Mode::Repair);
    report.notes.push(format!(
        "kms:PutKeyPolicy on `{KEY}`: access denied (AccessDeniedException: User: \
         arn:aws:sts::111122223333:assumed-role/CopymendMember/copymend is not authorized to perform: kms:PutKeyPolicy)"
    ));
    report
}

/// Every sample by its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("repaired", repaired()),
        ("planned", planned()),
        ("refused", refused()),
        ("advised", advised()),
        ("unverified", unverified(VAULT_MESSAGE)),
        ("failed", failed()),
    ]
}
