//! Copymend's own calls are judged as those of any role.

use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{Backup, CallErrorKind, Identities, Keys, Location, StartCopy};
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use crate::small::{KEY, POINT, ROLE, VAULT, key_policy, load, with, world};

const PUT: &str = "backup:PutBackupVaultAccessPolicy";
const PUT_KEY: &str = "kms:PutKeyPolicy";
const VAULT_POLICY: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr/policy";
const KEY_AT: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";
const MEMBER: &str = "/accounts/444455556666/roles/CopymendMember";
const HUB: &str = "/accounts/999988887777/roles/Copymend";

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn refusal(world: &Value, operation: &str, resource: &str) -> Option<String> {
    let resource: Arn = resource.parse().unwrap();
    Sandbox::new(load(world)).refusal(operation, &resource)
}

/// The small world, with roles of Copymend that may do what they need.
fn with_roles() -> Value {
    let member = json!({"path": "/copymend/", "policies": {"all": policy(&json!([
        {"Effect": "Allow", "Action": ["backup:*", "kms:*", "iam:*", "organizations:*"], "Resource": "*"}]))},
        "trust_policy": policy(&json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
            "Action": "sts:AssumeRole", "Condition": {
                "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/Copymend"},
                "StringEquals": {"sts:ExternalId": "anything"}}}]))});
    let hub = json!({"policies": {"assume": policy(&json!([
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/copymend/CopymendMember"}]))}});
    let mut world = world();
    world["copymend"] = json!({"account": "999988887777", "role": "Copymend", "member_role": "copymend/CopymendMember"});
    world["accounts"]["999988887777"]["roles"] = json!({"Copymend": hub});
    world["accounts"]["444455556666"]["roles"] = json!({"CopymendMember": member.clone()});
    world["accounts"]["111122223333"]["roles"]["CopymendMember"] = member;
    world
}

fn user(role: &str, account: &str) -> String {
    format!(
        "User: arn:aws:sts::{account}:assumed-role/{role}/copymend is not authorized to perform: "
    )
}

#[test]
fn without_roles_it_is_an_administrator() {
    for (operation, resource) in [
        (PUT, VAULT),
        ("backup:DescribeBackupVault", VAULT),
        (PUT_KEY, KEY),
        ("kms:GetKeyPolicy", KEY),
        ("iam:GetRole", ROLE),
    ] {
        assert_eq!(refusal(&world(), operation, resource), None, "{operation}");
        assert_eq!(
            refusal(&with_roles(), operation, resource),
            None,
            "{operation}"
        );
    }
}

/// As AWS Config's rule backup-recovery-point-manual-deletion-disabled demands.
#[test]
fn a_vault_policy_that_denies_the_put_refuses_it() {
    let deny = |spared: &str| {
        policy(
            &json!([{"Sid": "Immutable", "Effect": "Deny", "Principal": "*",
            "Action": ["backup:DeleteRecoveryPoint", PUT], "Resource": "*",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": spared}}}]),
        )
    };
    let vault_admin = deny("arn:aws:iam::444455556666:role/VaultAdmin");
    for (base, role) in [
        (world(), "CopymendMember"),
        (with_roles(), "CopymendMember"),
    ] {
        let denied = with(base, VAULT_POLICY, vault_admin.clone());
        assert_eq!(
            refusal(&denied, PUT, VAULT),
            Some(format!(
                "AccessDeniedException: {}{PUT} on resource: {VAULT} with an explicit deny in a resource-based policy",
                user(role, "444455556666")
            ))
        );
        // Reading isn't denied.
        assert_eq!(
            refusal(&denied, "backup:GetBackupVaultAccessPolicy", VAULT),
            None
        );
    }
    let spared = deny("arn:aws:iam::444455556666:role/copymend/CopymendMember");
    assert_eq!(
        refusal(&with(with_roles(), VAULT_POLICY, spared), PUT, VAULT),
        None
    );
}

#[test]
fn a_key_policy_that_does_not_delegate_to_its_account_lets_no_identity_policy_change_it() {
    let at = format!("{KEY_AT}/policy");
    let mut closed = key_policy();
    closed["Statement"][0] =
        json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"});
    for base in [world(), with_roles()] {
        let closed = with(base, &at, closed.clone());
        for operation in [PUT_KEY, "kms:GetKeyPolicy", "kms:DescribeKey"] {
            let words = refusal(&closed, operation, KEY).unwrap();
            assert!(words.ends_with(&format!(
                "{operation} on resource: {KEY} because no resource-based policy allows the {operation} action"
            )), "{words}");
        }
    }
    let role = "arn:aws:iam::111122223333:role/copymend/CopymendMember";
    let mut named = closed;
    named["Statement"].as_array_mut().unwrap().push(
        json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": PUT_KEY, "Resource": "*"}),
    );
    assert_eq!(refusal(&with(with_roles(), &at, named), PUT_KEY, KEY), None);
}

#[test]
fn a_role_without_permission_a_boundary_and_control_policies_refuse_a_write() {
    let allow =
        |action: Value| policy(&json!([{"Effect": "Allow", "Action": action, "Resource": "*"}]));
    let boundary = json!({"arn": "arn:aws:iam::444455556666:policy/B", "policy": allow(json!("backup:Describe*"))});
    let deny = |service: &str, principal: Option<&str>| {
        let mut statement =
            json!({"Effect": "Deny", "Action": format!("{service}:Put*"), "Resource": "*"});
        if let Some(principal) = principal {
            statement["Principal"] = json!(principal);
        }
        json!([{"name": "x", "targets": ["r-ab12"], "policy": policy(&json!([statement]))}])
    };
    for (pointer, value, ending) in [
        (
            format!("{MEMBER}/policies"),
            json!({"reads": allow(json!(["backup:Describe*"]))}),
            format!("because no identity-based policy allows the {PUT} action"),
        ),
        (
            format!("{MEMBER}/permissions_boundary"),
            boundary,
            format!("because no permissions boundary allows the {PUT} action"),
        ),
        (
            "/organizations/0/service_control_policies".to_owned(),
            deny("backup", None),
            "with an explicit deny in a service control policy".to_owned(),
        ),
    ] {
        let words = refusal(&with(with_roles(), &pointer, value), PUT, VAULT).unwrap();
        assert!(words.ends_with(&ending), "{words}");
    }
    let controls = "/organizations/0/resource_control_policies";
    for base in [world(), with_roles()] {
        let bound = with(base.clone(), controls, deny("kms", Some("*")));
        let words = refusal(&bound, PUT_KEY, KEY).unwrap();
        assert!(words.ends_with("with an explicit deny in a resource control policy"));
        // They cover AWS KMS and not AWS Backup.
        let bound = with(base, controls, deny("backup", Some("*")));
        assert_eq!(refusal(&bound, PUT, VAULT), None);
    }
}

#[test]
fn the_service_linked_role_is_made_only_by_who_may() {
    const MAKE: &str = "iam:CreateServiceLinkedRole";
    let account = "arn:aws:iam::444455556666:root";
    let of_service = |service: &str| {
        json!({"x": policy(&json!([{"Effect": "Allow", "Action": MAKE, "Resource": "*",
            "Condition": {"StringEquals": {"iam:AWSServiceName": service}}}]))})
    };
    let at = format!("{MEMBER}/policies");
    let allowed = with(with_roles(), &at, of_service("backup.amazonaws.com"));
    assert_eq!(refusal(&allowed, MAKE, account), None);
    let other = with(with_roles(), &at, of_service("ecs.amazonaws.com"));
    let words = refusal(&other, MAKE, account).unwrap();
    let role = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    assert_eq!(
        words,
        format!(
            "AccessDenied: {}{MAKE} on resource: {role} because no identity-based policy allows the {MAKE} action",
            user("CopymendMember", "444455556666")
        )
    );
    let controls = json!([{"name": "x", "targets": ["r-ab12"], "policy": policy(&json!([
        {"Effect": "Deny", "Action": "iam:Create*", "Resource": "*"}]))}]);
    for base in [world(), with_roles()] {
        let bound = with(
            base,
            "/organizations/0/service_control_policies",
            controls.clone(),
        );
        let words = refusal(&bound, MAKE, account).unwrap();
        assert!(
            words.ends_with("with an explicit deny in a service control policy"),
            "{words}"
        );
    }
}

#[test]
fn a_member_role_must_exist_and_trust_the_function_and_the_function_must_be_allowed_to_assume_it() {
    let assume = format!(
        "AccessDenied: {}sts:AssumeRole on resource: arn:aws:iam::444455556666:role/copymend/CopymendMember",
        user("Copymend", "999988887777")
    );
    let another = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
        "Action": "sts:AssumeRole", "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/Another"}}});
    for (pointer, value) in [
        ("/accounts/444455556666/roles".to_owned(), json!({})),
        (format!("{MEMBER}/path"), json!("/")),
        (format!("{MEMBER}/trust_policy"), policy(&json!([another]))),
        (format!("{HUB}/policies"), json!({})),
    ] {
        let world = with(with_roles(), &pointer, value);
        assert_eq!(
            refusal(&world, PUT, VAULT),
            Some(assume.clone()),
            "{pointer}"
        );
    }
    // In its own account the function calls as itself.
    let vault = VAULT.replace("444455556666", "999988887777");
    let words = refusal(&with_roles(), PUT, &vault).unwrap();
    assert!(words.contains(&user("Copymend", "999988887777")), "{words}");
    assert!(words.ends_with(&format!(
        "because no identity-based policy allows the {PUT} action"
    )));
}

#[test]
fn a_world_names_a_role_of_the_function_that_it_has() {
    let mut world = with_roles();
    world["copymend"]["role"] = json!("Nobody");
    let error = World::from_json(&world.to_string())
        .unwrap_err()
        .to_string();
    assert!(error.contains("`copymend.role`"), "{error}");
    world["copymend"]["roles"] = json!("x");
    assert!(World::from_json(&world.to_string()).is_err());
}

fn start() -> StartCopy {
    StartCopy {
        location: Location {
            account: "111122223333".parse().unwrap(),
            region: "us-east-1".to_owned(),
        },
        recovery_point: POINT.parse().unwrap(),
        source_vault_name: "prod".to_owned(),
        destination_vault: VAULT.parse().unwrap(),
        role: ROLE.parse().unwrap(),
        lifecycle: None,
        idempotency_token: "token".to_owned(),
    }
}

#[tokio::test]
async fn a_copy_is_started_only_by_whom_the_source_vault_lets_and_who_may_pass_the_role() {
    let role = "/accounts/111122223333/roles/CopymendMember/policies";
    let allow = |action: Value, condition: Value| json!({"x": policy(&json!([{"Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition}]))});
    let to = |service: &str| json!({"StringEqualsIfExists": {"iam:PassedToService": service}});
    let both = json!(["backup:StartCopyJob", "iam:PassRole"]);
    for (policies, refused) in [
        (allow(both.clone(), to("backup.amazonaws.com")), None),
        (
            allow(json!(["iam:PassRole"]), json!({})),
            Some("backup:StartCopyJob"),
        ),
        (
            allow(json!(["backup:StartCopyJob"]), json!({})),
            Some("iam:PassRole"),
        ),
        (allow(both, to("ec2.amazonaws.com")), Some("iam:PassRole")),
    ] {
        let sandbox = Sandbox::new(load(&with(with_roles(), role, policies)));
        let started = sandbox.start_copy(&start()).await;
        match refused {
            None => assert!(started.is_ok(), "{started:?}"),
            Some(action) => {
                let error = started.unwrap_err();
                assert_eq!(error.kind, CallErrorKind::AccessDenied);
                assert!(
                    error
                        .detail
                        .contains(&format!("perform: {action} on resource")),
                    "{error}"
                );
            }
        }
    }
    let deny = policy(
        &json!([{"Effect": "Deny", "Principal": "*", "Action": "backup:StartCopyJob", "Resource": "*"}]),
    );
    let source = "/accounts/111122223333/regions/us-east-1/vaults/prod/policy";
    let sandbox = Sandbox::new(load(&with(world(), source, deny)));
    let error = sandbox.start_copy(&start()).await.unwrap_err();
    assert!(
        error
            .detail
            .ends_with("with an explicit deny in a resource-based policy"),
        "{error}"
    );
    assert!(sandbox.writes().is_empty());
}

/// A refused read is no absence.
#[tokio::test]
async fn reads_are_refused_too() {
    let vault = VAULT.parse().unwrap();
    let deny = |action: &str| {
        policy(&json!([{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}]))
    };
    let closed = with(
        world(),
        VAULT_POLICY,
        deny("backup:GetBackupVaultAccessPolicy"),
    );
    let sandbox = Sandbox::new(load(&closed));
    let error = sandbox
        .get_backup_vault_access_policy(&vault)
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::AccessDenied);
    assert!(sandbox.describe_backup_vault(&vault).await.is_ok());

    // The policy of the vault that a recovery point is in has a say in it.
    let source = "/accounts/111122223333/regions/us-east-1/vaults/prod/policy";
    let sandbox = Sandbox::new(load(&with(
        world(),
        source,
        deny("backup:DescribeRecoveryPoint"),
    )));
    let (location, arn) = (start().location, POINT.parse().unwrap());
    let point = sandbox.describe_recovery_point(&location, "prod", &arn);
    assert_eq!(point.await.unwrap_err().kind, CallErrorKind::AccessDenied);

    let controls = "/organizations/0/service_control_policies";
    let iam = json!([{"name": "x", "targets": ["444455556666"], "policy": policy(&json!([
        {"Effect": "Deny", "Action": ["iam:*", "kms:*"], "Resource": "*"}]))}]);
    let sandbox = Sandbox::new(load(&with(world(), controls, iam)));
    let account: AccountId = "444455556666".parse().unwrap();
    let role = sandbox
        .get_role(account, "aws", "AWSServiceRoleForBackup")
        .await;
    assert_eq!(role.unwrap_err().kind, CallErrorKind::AccessDenied);
    // A key that doesn't exist is none, and what is another account's is not bound by this policy.
    let gone = KEY.replace("key/1", "key/9").parse().unwrap();
    assert_eq!(sandbox.describe_key(&gone).await.unwrap(), None);
    assert!(sandbox.get_key_policy(&KEY.parse().unwrap()).await.is_ok());
}

/// AWS managed keys can be looked at, whatever their policy says of their use, and no resource
/// control policy binds them.
#[tokio::test]
async fn an_aws_managed_key_can_be_described() {
    let managed = with(world(), KEY_AT, json!({"manager": "AWS"}));
    let controls = "/organizations/0/resource_control_policies";
    let deny = json!([{"name": "x", "targets": ["r-ab12"], "policy": policy(&json!([
        {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]))}]);
    let sandbox = Sandbox::new(load(&with(managed, controls, deny)));
    let key = KEY.parse().unwrap();
    assert!(sandbox.describe_key(&key).await.unwrap().is_some());
    assert!(sandbox.get_key_policy(&key).await.unwrap().is_some());
    let words = sandbox.refusal(PUT_KEY, &KEY.parse().unwrap()).unwrap();
    assert!(
        words.contains("because no resource-based policy allows"),
        "{words}"
    );
}
