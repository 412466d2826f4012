//! The statements Copymend may add.

use copymend_policy::{
    GrantError, KeyGrant, KeyProfile, Request, VaultGrant, VaultScope, ViaService, append,
    service_linked_role_arn,
};

use crate::support::{COPY, ROLE, SESSION, VAULT, allowed};

const UNIT: &str = "o-abcde12345/r-ab12/ou-ab12-11111111/*";

fn vault(scope: VaultScope) -> VaultGrant {
    VaultGrant {
        partition: "aws".to_owned(),
        source_account: "111122223333".parse().unwrap(),
        role_arn: ROLE.parse().unwrap(),
        scope,
        organization_id: Some("o-abcde12345".to_owned()),
        organization_paths: vec![UNIT.to_owned()],
    }
}

fn key(profile: KeyProfile, via_services: &[ViaService]) -> KeyGrant {
    KeyGrant {
        partition: "aws-us-gov".to_owned(),
        destination_account: "444455556666".parse().unwrap(),
        profile,
        via_services: via_services.to_vec(),
        organization_id: Some("o-abcde12345".to_owned()),
    }
}

#[test]
fn vault_statements_are_as_documented() {
    let all = [
        VaultScope::Role,
        VaultScope::Account,
        VaultScope::Organization,
        VaultScope::OrganizationalUnit,
    ];
    let text: Vec<String> = all
        .iter()
        .map(|scope| vault(*scope).statements().unwrap()[0].as_str().to_owned())
        .collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn key_statements_are_as_documented() {
    let both = [
        key(
            KeyProfile::LeastPrivilege,
            &[ViaService::Rds, ViaService::Ec2, ViaService::Rds],
        ),
        key(KeyProfile::Documented, &[]),
    ];
    let text: Vec<String> = both
        .iter()
        .flat_map(|grant| grant.statements().unwrap())
        .map(|statement| statement.as_str().to_owned())
        .collect();
    insta::assert_snapshot!(text.join("\n"));
    let one = key(KeyProfile::LeastPrivilege, &[ViaService::Fsx])
        .statements()
        .unwrap();
    assert_eq!(one[1].sid(), "CopymendUse444455556666Fsx");
    assert!(one[2].actions().eq(["kms:CreateGrant"]));
}

#[test]
fn the_role_scope_admits_that_role_of_that_organization_only() {
    let policy = append(None, &vault(VaultScope::Role).statements().unwrap()).unwrap();
    let request = |who: &str, organization: &str| {
        Request::new(who, COPY, VAULT).with_context("aws:PrincipalOrgID", [organization])
    };
    assert!(allowed(&policy, &request(ROLE, "o-abcde12345")));
    assert!(allowed(
        &policy,
        &request(SESSION, "o-abcde12345").with_context("aws:PrincipalArn", [ROLE])
    ));
    assert!(!allowed(&policy, &request(ROLE, "o-other12345")));
    assert!(!allowed(&policy, &Request::new(ROLE, COPY, VAULT)));
    assert!(!allowed(
        &policy,
        &request("arn:aws:iam::111122223333:role/Other", "o-abcde12345")
    ));
    assert!(!allowed(
        &policy,
        &request(
            "arn:aws:iam::999999999999:role/service-role/CopyRole",
            "o-abcde12345"
        )
    ));
}

#[test]
fn the_unit_scope_needs_the_path() {
    let policy = append(
        None,
        &vault(VaultScope::OrganizationalUnit).statements().unwrap(),
    )
    .unwrap();
    let request = |path: &str| {
        Request::new(ROLE, COPY, VAULT)
            .with_context("aws:PrincipalOrgID", ["o-abcde12345"])
            .with_context("aws:PrincipalOrgPaths", [path])
    };
    assert!(allowed(
        &policy,
        &request("o-abcde12345/r-ab12/ou-ab12-11111111/ou-ab12-22222222/")
    ));
    assert!(!allowed(
        &policy,
        &request("o-abcde12345/r-ab12/ou-ab12-33333333/")
    ));
}

#[test]
fn two_roles_of_an_account_do_not_collide() {
    let mut other = vault(VaultScope::Role);
    other.role_arn = "arn:aws:iam::111122223333:role/Other".parse().unwrap();
    assert_ne!(
        other.statements().unwrap()[0].sid(),
        vault(VaultScope::Role).statements().unwrap()[0].sid()
    );
}

#[test]
fn nothing_open_can_be_built() {
    let with = |change: &dyn Fn(&mut VaultGrant)| {
        let mut grant = vault(VaultScope::OrganizationalUnit);
        change(&mut grant);
        grant.statements().unwrap_err()
    };
    assert_eq!(
        with(&|g| g.organization_id = None),
        GrantError::NoOrganization
    );
    assert_eq!(
        with(&|g| g.organization_id = Some(String::new())),
        GrantError::NoOrganization
    );
    for id in [
        "*",
        "o-*",
        "o-short",
        "o-ABCDEFGHIJ",
        "o-abcde12345 ",
        "o-abcde1234${aws:x}",
        "x-abcde12345",
    ] {
        assert!(
            matches!(
                with(&|g| g.organization_id = Some(id.to_owned())),
                GrantError::Organization(_)
            ),
            "{id}"
        );
    }
    for scope in [
        VaultScope::Role,
        VaultScope::Account,
        VaultScope::Organization,
    ] {
        let mut grant = vault(scope);
        grant.organization_id = None;
        assert_eq!(grant.statements(), Err(GrantError::NoOrganization));
    }
    assert_eq!(
        with(&|g| g.organization_paths.clear()),
        GrantError::NoOrganizationPath
    );
    for path in [
        "*",
        "o-abcde12345/*",
        "o-abcde12345/r-ab12/*",
        "o-other12345/r-ab12/ou-ab12-11111111/*",
        "o-abcde12345/r-ab12/ou-ab12-11111111",
        "o-abcde12345/*/ou-ab12-11111111/*",
        "o-abcde12345/r-ab12/ou-*/",
        "o-abcde12345/r-ab12/ou-ab12-11111111/**",
        "",
        "o-abcde12345/r-ab12/ou-ab12-11111111/${x}/",
    ] {
        assert!(
            matches!(
                with(&|g| g.organization_paths = vec![path.to_owned()]),
                GrantError::OrganizationPath(_)
            ),
            "{path}"
        );
    }
    for arn in [
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:role/a?b",
        "arn:aws:iam::111122223333:role/${aws:x}",
    ] {
        assert!(
            matches!(
                with(&|g| g.role_arn = arn.parse().unwrap()),
                GrantError::WildcardRole(_)
            ),
            "{arn}"
        );
    }
    for arn in [
        "arn:aws:iam::111122223333:user/a",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:sts::111122223333:assumed-role/a/b",
        "arn:aws:iam:eu-west-1:111122223333:role/a",
    ] {
        assert!(
            matches!(
                with(&|g| g.role_arn = arn.parse().unwrap()),
                GrantError::NotARole(_)
            ),
            "{arn}"
        );
    }
    for arn in [
        "arn:aws:iam::999999999999:role/a",
        "arn:aws-cn:iam::111122223333:role/a",
    ] {
        assert!(
            matches!(
                with(&|g| g.role_arn = arn.parse().unwrap()),
                GrantError::ForeignRole(_)
            ),
            "{arn}"
        );
    }
    assert!(matches!(
        with(&|g| g.partition = "aws*".to_owned()),
        GrantError::Partition(_)
    ));
    assert_eq!(
        key(KeyProfile::LeastPrivilege, &[]).statements(),
        Err(GrantError::NoService)
    );
}

#[test]
fn names_are_read_and_written() {
    for name in ["role", "account", "organization", "organizational-unit"] {
        assert_eq!(name.parse::<VaultScope>().unwrap().to_string(), name);
    }
    for name in ["least-privilege", "documented"] {
        assert_eq!(name.parse::<KeyProfile>().unwrap().to_string(), name);
    }
    for name in ["ec2", "rds", "fsx"] {
        assert_eq!(name.parse::<ViaService>().unwrap().to_string(), name);
    }
    assert_eq!(
        "Role".parse::<VaultScope>().unwrap_err().to_string(),
        "`Role` is not a vault scope; accepted: role, account, organization, organizational-unit"
    );
    assert_eq!(
        service_linked_role_arn("aws", "444455556666".parse().unwrap()),
        "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
    );
}
