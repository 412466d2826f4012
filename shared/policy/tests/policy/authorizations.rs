//! Whole requests: which policies must agree.

use copymend_policy::{Authorization, Layer, PolicyDocument, Request, Verdict};

use crate::support::statements;

const ROLE: &str = "arn:aws:iam::111122223333:role/Job";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Job/s";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const SERVICE_LINKED: &str =
    "arn:aws:iam::111122223333:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";
const COPY: &str = "backup:CopyIntoBackupVault";
const DECRYPT: &str = "kms:Decrypt";

fn all(effect: &str) -> PolicyDocument {
    statements(&format!(
        r#"{{"Effect":"{effect}","Action":"*","Resource":"*"}}"#
    ))
}

fn nothing() -> PolicyDocument {
    statements(r#"{"Effect":"Allow","Action":"x:y","Resource":"*"}"#)
}

fn to(principal: &str, effect: &str) -> PolicyDocument {
    statements(&format!(
        r#"{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},"Action":"*","Resource":"*"}}"#
    ))
}

fn ask(who: &str, action: &str, account: &str, change: impl FnOnce(&mut Authorization)) -> String {
    let service = action.split(':').next().unwrap();
    let mut authorization = Authorization {
        request: Request::new(
            who,
            action,
            format!("arn:aws:{service}:eu-west-1:{account}:x/y"),
        ),
        resource_account: account.parse().unwrap(),
        identity: Vec::new(),
        boundary: None,
        session: None,
        scps: Vec::new(),
        rcps: Vec::new(),
        resource_policy: None,
    };
    change(&mut authorization);
    let answer = authorization.decide();
    let layers: Vec<&str> = answer.blocked_by.iter().map(|layer| layer.slug()).collect();
    format!("{} {}", answer.decision.slug(), layers.join(","))
        .trim()
        .to_owned()
}

#[test]
fn within_an_account_either_side_may_allow() {
    let own = |who, change: &dyn Fn(&mut Authorization)| ask(who, COPY, OWN, |a| change(a));
    assert_eq!(own(ROLE, &|a| a.identity = vec![all("Allow")]), "allowed");
    assert_eq!(own(ROLE, &|_| {}), "implicitly-denied identity");
    assert_eq!(
        own(ROLE, &|a| a.resource_policy = Some(to(ROLE, "Allow"))),
        "allowed"
    );
    assert_eq!(
        own(SESSION, &|a| a.resource_policy = Some(to(ROLE, "Allow"))),
        "allowed"
    );
    // The account alone only lets its administrators decide.
    assert_eq!(
        own(ROLE, &|a| a.resource_policy = Some(to(OWN, "Allow"))),
        "implicitly-denied identity"
    );
    assert_eq!(own("arn:aws:iam::111122223333:root", &|_| {}), "allowed");
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let cross = |change: &dyn Fn(&mut Authorization)| ask(ROLE, COPY, OTHER, |a| change(a));
    assert_eq!(
        cross(&|a| a.identity = vec![all("Allow")]),
        "implicitly-denied resource"
    );
    assert_eq!(
        cross(&|a| a.resource_policy = Some(to(ROLE, "Allow"))),
        "implicitly-denied identity"
    );
    assert_eq!(cross(&|_| {}), "implicitly-denied identity,resource");
    assert_eq!(
        cross(&|a| {
            a.identity = vec![all("Allow")];
            a.resource_policy = Some(to(OWN, "Allow"));
        }),
        "allowed"
    );
    assert_eq!(
        cross(&|a| {
            a.identity = vec![all("Allow")];
            a.boundary = Some(vec![nothing()]);
            a.resource_policy = Some(to("*", "Allow"));
        }),
        "implicitly-denied boundary"
    );
    assert_eq!(
        ask(ROLE, "backup:DeleteRecoveryPoint", OTHER, |a| {
            a.identity = vec![all("Allow")];
            a.resource_policy = Some(to(OWN, "Allow"));
        }),
        "implicitly-denied resource"
    );
}

#[test]
fn a_key_policy_must_allow_or_delegate() {
    let key = |change: &dyn Fn(&mut Authorization)| ask(ROLE, DECRYPT, OWN, |a| change(a));
    assert_eq!(
        key(&|a| a.identity = vec![all("Allow")]),
        "implicitly-denied resource"
    );
    assert_eq!(
        key(&|a| a.resource_policy = Some(to(OWN, "Allow"))),
        "implicitly-denied identity"
    );
    assert_eq!(
        key(&|a| a.resource_policy = Some(to(ROLE, "Allow"))),
        "allowed"
    );
    assert_eq!(
        key(&|a| {
            a.identity = vec![all("Allow")];
            a.resource_policy = Some(to(OWN, "Allow"));
        }),
        "allowed"
    );
    assert_eq!(
        key(&|a| {
            a.identity = vec![all("Allow")];
            a.resource_policy = Some(to(OTHER, "Allow"));
        }),
        "implicitly-denied resource"
    );
}

#[test]
fn boundaries_and_session_policies_limit_what_a_role_is_granted() {
    for action in [COPY, DECRYPT] {
        let bounded = |who, named: &str| {
            ask(who, action, OWN, |a| {
                a.boundary = Some(vec![nothing()]);
                a.resource_policy = Some(to(named, "Allow"));
            })
        };
        assert_eq!(bounded(ROLE, ROLE), "implicitly-denied boundary");
        assert_eq!(bounded(SESSION, ROLE), "implicitly-denied boundary");
        assert_eq!(bounded(SESSION, SESSION), "allowed");
        assert_eq!(bounded(USER, USER), "allowed");
        assert_eq!(bounded(ROLE, "*"), "allowed");
        let in_session = |named: &str| {
            ask(SESSION, action, OWN, |a| {
                a.session = Some(nothing());
                a.resource_policy = Some(to(named, "Allow"));
            })
        };
        assert_eq!(in_session(ROLE), "implicitly-denied session");
        assert_eq!(in_session(SESSION), "allowed");
    }
}

#[test]
fn an_explicit_deny_anywhere_wins() {
    let base = |change: &dyn Fn(&mut Authorization)| {
        ask(SESSION, DECRYPT, OWN, |a| {
            a.identity = vec![all("Allow")];
            a.resource_policy = Some(to(SESSION, "Allow"));
            change(a);
        })
    };
    assert_eq!(base(&|_| {}), "allowed");
    assert_eq!(
        base(&|a| a.identity.push(all("Deny"))),
        "explicitly-denied identity"
    );
    assert_eq!(
        base(&|a| a.boundary = Some(vec![all("Deny")])),
        "explicitly-denied boundary"
    );
    assert_eq!(
        base(&|a| a.session = Some(all("Deny"))),
        "explicitly-denied session"
    );
    assert_eq!(
        base(&|a| a.scps = vec![vec![all("Allow"), all("Deny")]]),
        "explicitly-denied scp"
    );
    assert_eq!(
        base(&|a| a.rcps = vec![vec![to("*", "Deny")]]),
        "explicitly-denied rcp"
    );
    assert_eq!(
        base(&|a| a.resource_policy = Some(to("*", "Deny"))),
        "explicitly-denied resource"
    );
    assert_eq!(
        base(&|a| {
            a.identity.push(all("Deny"));
            a.scps = vec![vec![all("Deny")]];
        }),
        "explicitly-denied identity,scp"
    );
}

#[test]
fn organization_policies() {
    let base = |who, action, change: &dyn Fn(&mut Authorization)| {
        ask(who, action, OWN, |a| {
            a.identity = vec![all("Allow")];
            a.resource_policy = Some(to(who, "Allow"));
            change(a);
        })
    };
    let blocking = |a: &mut Authorization| a.scps = vec![vec![all("Allow")], vec![nothing()]];
    let empty_level = |a: &mut Authorization| a.scps = vec![vec![all("Allow")], vec![]];
    let denying = |a: &mut Authorization| a.rcps = vec![vec![to("*", "Deny")]];
    assert_eq!(base(ROLE, DECRYPT, &blocking), "implicitly-denied scp");
    assert_eq!(base(ROLE, DECRYPT, &empty_level), "implicitly-denied scp");
    assert_eq!(base(SERVICE_LINKED, DECRYPT, &blocking), "allowed");
    assert_eq!(base(ROLE, DECRYPT, &denying), "explicitly-denied rcp");
    assert_eq!(base(SERVICE_LINKED, DECRYPT, &denying), "allowed");
    assert_eq!(base(ROLE, COPY, &denying), "allowed");
    assert_eq!(base(ROLE, "kms:RetireGrant", &denying), "allowed");
    assert_eq!(base(ROLE, DECRYPT, &|a| a.rcps = vec![vec![]]), "allowed");
}

#[test]
fn a_session_of_a_service_linked_role_is_exempt_too() {
    let session = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForBackup/s";
    let asked = |arn: Option<&str>| {
        ask(session, DECRYPT, OWN, |a| {
            a.resource_policy = Some(to(session, "Allow"));
            a.scps = vec![vec![all("Deny")]];
            if let Some(arn) = arn {
                a.request = a.request.clone().with_context("aws:PrincipalArn", [arn]);
            }
        })
    };
    assert_eq!(asked(None), "allowed");
    assert_eq!(asked(Some(SERVICE_LINKED)), "allowed");
    assert_eq!(
        asked(Some(
            "arn:aws:iam::111122223333:role/AWSServiceRoleForBackup"
        )),
        "explicitly-denied scp"
    );
}

#[test]
fn services_and_anonymous_callers_have_no_policies_of_their_own() {
    let service = statements(
        r#"{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"*","Resource":"*"}"#,
    );
    let with = |who, policy: &PolicyDocument, scps: Vec<Vec<PolicyDocument>>| {
        ask(who, DECRYPT, OWN, |a| {
            a.resource_policy = Some(policy.clone());
            a.scps = scps;
        })
    };
    assert_eq!(
        with("backup.amazonaws.com", &service, vec![vec![nothing()]]),
        "allowed"
    );
    assert_eq!(
        with("ec2.amazonaws.com", &service, vec![]),
        "implicitly-denied resource"
    );
    assert_eq!(with("anonymous", &to("*", "Allow"), vec![]), "allowed");
    assert_eq!(
        with("anonymous", &to(OWN, "Allow"), vec![]),
        "implicitly-denied resource"
    );
}

#[test]
fn not_principal_with_deny_hits_every_principal_with_a_boundary() {
    let policy = statements(&format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{ROLE}"}},"Action":"*","Resource":"*"}},
           {{"Effect":"Deny","NotPrincipal":{{"AWS":["{OWN}","{ROLE}","{SESSION}"]}},"Action":"*","Resource":"*"}}"#
    ));
    let with = |boundary: Option<Vec<PolicyDocument>>| {
        ask(SESSION, DECRYPT, OWN, |a| {
            a.resource_policy = Some(policy.clone());
            a.boundary = boundary;
        })
    };
    assert_eq!(with(None), "allowed");
    assert_eq!(with(Some(vec![all("Allow")])), "explicitly-denied resource");
}

#[test]
fn an_unknown_key_counts_only_where_it_decides() {
    let if_team = statements(
        r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}}"#,
    );
    let asked = |identity: Vec<PolicyDocument>, resource: PolicyDocument| {
        let mut authorization = None;
        ask(ROLE, COPY, OTHER, |a| {
            a.identity = identity;
            a.resource_policy = Some(resource);
            a.request = a.request.clone().with_unknown("aws:PrincipalTag/team");
            authorization = Some(a.clone());
        });
        authorization.unwrap().decide()
    };
    let answer = asked(vec![if_team.clone()], to(OWN, "Allow"));
    assert_eq!(
        answer.decision,
        Verdict::Unknown {
            keys: vec!["aws:PrincipalTag/team".to_owned()]
        }
    );
    assert_eq!(answer.blocked_by, [Layer::Identity]);
    assert_eq!(
        asked(vec![if_team.clone(), all("Allow")], to(OWN, "Allow")).decision,
        Verdict::Allowed
    );
    assert_eq!(
        asked(vec![if_team.clone()], to(OTHER, "Allow")).decision,
        Verdict::ImplicitlyDenied
    );
    assert_eq!(
        asked(vec![if_team], to("*", "Deny")).decision,
        Verdict::ExplicitlyDenied
    );
}
