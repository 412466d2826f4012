//! Copymend's own calls, which the access advisor passes over.

use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings, OwnRole};
use copymend_remediation::report::Outcome;
use serde_json::json;

use crate::advisor::event;
use crate::support::*;

/// What Copymend may not read stands in its own reports. A session's name can be chosen by anybody,
/// so it silences nothing.
#[tokio::test]
async fn copymends_own_refused_calls_wake_nobody() {
    let sandbox = sandbox();
    let member = "arn:aws:iam::111122223333:role/copymend/CopymendMember";
    let by = |issuer: &str| {
        let mut event = event("create-backup-vault");
        let name = issuer.rsplit('/').next().unwrap();
        event["id"] = json!(issuer);
        event["detail"]["userIdentity"] = json!({
            "type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/copymend"),
            "accountId": "111122223333", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": issuer}}
        });
        event
    };
    let own = ["copymend/CopymendMember"].map(|role| OwnRole::parse(role).unwrap());
    let advisor = AccessAdvisor::new(
        sandbox.clone(),
        AdvisorSettings {
            own_roles: own.to_vec(),
            ..AdvisorSettings::default()
        },
    );
    let invocation = invocation("own", &sandbox);
    let advisory = advisor.handle(&by(member), &invocation).await.unwrap();
    assert_eq!(advisory.outcome, Outcome::Nothing);
    assert_eq!(sandbox.calls().count("iam:SimulatePrincipalPolicy"), 0);
    assert_eq!(sandbox.calls().count("sns:Publish"), 0);
    let other = by("arn:aws:iam::111122223333:role/CopymendMember");
    let advisory = advisor.handle(&other, &invocation).await.unwrap();
    assert_eq!(advisory.outcome, Outcome::Advised);
    assert_eq!(sandbox.calls().count("sns:Publish"), 1);
}
