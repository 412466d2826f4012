//! The section on what was refused or failed.

use copymend_diagnosis::advisor::JobKind;
use copymend_remediation::report::{CallSummary, CopySummary, JobSummary, Report, Subject};

use super::body::Body;
use super::parts::vault;
use crate::text::inline;
use crate::{subject, words};

pub(super) fn section(body: &mut Body, report: &Report) {
    let verified = match (&report.subject, report.verified) {
        (Subject::Copy(of), is_verified) => {
            body.heading("The copy that failed");
            copy(body, of);
            if is_verified {
                "yes, AWS Backup says that this job failed"
            } else {
                "no, so nothing was changed"
            }
        }
        (Subject::ApiCall(of), _) => {
            body.heading("The call that was refused");
            call(body, of);
            "a call cannot be looked up; what follows was read from IAM and AWS KMS"
        }
        (Subject::Job(of), is_verified) => {
            body.heading(&format!(
                "The {} job that {}",
                of.kind.name(),
                subject::ended(&of.state)
            ));
            job(body, of);
            if is_verified {
                "yes, AWS Backup says that this job ended so"
            } else {
                "no, AWS Backup does not say so"
            }
        }
    };
    body.field("Verified", verified);
    if subject::has_cause(report) {
        let cause = report.diagnosis.cause;
        let certainty = words::certainty(&report.diagnosis);
        body.field("Cause", &format!("{cause}, {certainty}"));
    }
    if let Some(job) = &report.retried_job {
        body.field("Started again", &format!("as job {}", inline(job)));
    }
    if let Some(count @ 2..) = report.occurrences {
        body.field("Seen", &format!("{count} times"));
    }
}

fn place(account: &str, region: &str) -> String {
    format!("account {}, Region {}", inline(account), inline(region))
}

fn copy(body: &mut Body, copy: &CopySummary) {
    if let Some(resource) = &copy.resource {
        let resource = subject::resource(resource, copy.resource_type.as_ref());
        body.field("Resource", &resource);
    }
    if let Some(point) = &copy.recovery_point {
        body.field("Recovery point", &inline(point));
    }
    body.field("From", &vault(&copy.source_vault));
    body.field("To", &vault(&copy.destination_vault));
    let place = place(&copy.account, &copy.region);
    body.field("Job", &format!("{}, {place}", inline(&copy.copy_job_id)));
    body.field("Job role", &inline(&copy.role));
}

fn call(body: &mut Body, call: &CallSummary) {
    body.field("Operation", &inline(&call.operation));
    body.field("Caller", &subject::caller(&call.caller));
    if let Some(resource) = &call.resource {
        body.field("On", &vault(resource));
    }
    body.field("Place", &place(&call.account, &call.region));
    if !call.error_code.is_empty() {
        body.field("Error code", &inline(&call.error_code));
    }
}

fn job(body: &mut Body, job: &JobSummary) {
    if let Some(resource) = &job.resource {
        let label = match job.kind {
            JobKind::Backup => "Resource",
            JobKind::Restore => "Recovery point",
        };
        let resource = subject::resource(resource, job.resource_type.as_ref());
        body.field(label, &resource);
    }
    if let Some(of) = &job.vault {
        body.field("Vault", &vault(of));
    }
    body.field(
        "Job",
        &format!("{}, {}", inline(&job.job_id), inline(&job.state)),
    );
    if let Some(role) = &job.role {
        body.field("Job role", &inline(role));
    }
    body.field("Place", &place(&job.account, &job.region));
}
