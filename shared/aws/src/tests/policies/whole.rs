//! What a principal's policies are.

use copymend_diagnosis::PrincipalPolicies;
use copymend_remediation::ports::{Identities, Reads};
use copymend_remediation::settings::Deployment;

use super::super::wire::{Wire, assumed, xml_error};
use super::super::{OTHER, environment, parsed};
use super::{
    ROLE, USER, answer, attached, bare_role, boundary, document, managed, members, names, policy,
    read, role, sids, user,
};

#[tokio::test]
async fn a_roles_policies_are_its_inline_and_its_attached_ones_and_its_boundary() {
    let wire = Wire::default();
    wire.once(
        "GetRole",
        role(ROLE, &boundary("arn:aws:iam::111122223333:policy/Boundary")),
    )
    .once(
        "ListRolePolicies",
        answer("ListRolePolicies", &names(&["one"], Some("next"))),
    )
    .once(
        "ListRolePolicies",
        answer("ListRolePolicies", &names(&["two"], None)),
    )
    .once(
        "ListAttachedRolePolicies",
        answer(
            "ListAttachedRolePolicies",
            &attached(&["arn:aws:iam::aws:policy/Z"], Some("next")),
        ),
    )
    .once(
        "ListAttachedRolePolicies",
        answer(
            "ListAttachedRolePolicies",
            &attached(&["arn:aws:iam::111122223333:policy/path/A"], None),
        ),
    )
    .holding(
        "GetRolePolicy",
        "PolicyName=one",
        answer("GetRolePolicy", &document("Inline1")),
    )
    .holding(
        "GetRolePolicy",
        "PolicyName=two",
        answer("GetRolePolicy", &document("Inline2")),
    );
    managed(&wire, "arn:aws:iam::aws:policy/Z", "v7", "ManagedZ");
    managed(
        &wire,
        "arn:aws:iam::111122223333:policy/path/A",
        "v1",
        "ManagedA",
    );
    managed(
        &wire,
        "arn:aws:iam::111122223333:policy/Boundary",
        "v2",
        "Boundary",
    );
    let found = read(&wire, ROLE).await.unwrap().unwrap();
    assert_eq!(
        sids(&found.identity),
        ["Inline1", "Inline2", "ManagedA", "ManagedZ"]
    );
    assert_eq!(found.identity[0].as_str(), policy("Inline1"));
    assert_eq!(found.boundary.unwrap().as_str(), policy("Boundary"));
    for operation in [
        "GetRole",
        "ListRolePolicies",
        "ListAttachedRolePolicies",
        "GetRolePolicy",
    ] {
        for sent in wire.sent(operation) {
            assert!(sent.body.contains("RoleName=R"), "{}", sent.body);
            assert!(
                sent.uri.starts_with("https://iam.amazonaws.com"),
                "{}",
                sent.uri
            );
        }
    }
    for operation in ["ListRolePolicies", "ListAttachedRolePolicies"] {
        assert!(wire.sent(operation)[1].body.contains("Marker=next"));
    }
}

#[tokio::test]
async fn a_users_policies_are_its_own_and_its_groups_each_managed_one_once() {
    let wire = Wire::default();
    let shared = "arn:aws:iam::aws:policy/Shared";
    let only_group = "arn:aws:iam::111122223333:policy/Group";
    let group = |name: &str| {
        format!("<GroupName>{name}</GroupName><Arn>arn:aws:iam::111122223333:group/{name}</Arn>")
    };
    wire.once("GetUser", user(USER, ""))
        .once(
            "ListGroupsForUser",
            answer(
                "ListGroupsForUser",
                &members("Groups", &[&group("admins")], Some("next")),
            ),
        )
        .once(
            "ListGroupsForUser",
            answer(
                "ListGroupsForUser",
                &members("Groups", &[&group("backup")], None),
            ),
        )
        .once(
            "ListUserPolicies",
            answer("ListUserPolicies", &names(&["own"], None)),
        )
        .once(
            "ListAttachedUserPolicies",
            answer("ListAttachedUserPolicies", &attached(&[shared], None)),
        )
        .holding(
            "ListGroupPolicies",
            "GroupName=admins",
            answer("ListGroupPolicies", &names(&[], None)),
        )
        .holding(
            "ListGroupPolicies",
            "GroupName=backup",
            answer("ListGroupPolicies", &names(&["own"], None)),
        )
        .holding(
            "ListAttachedGroupPolicies",
            "GroupName=admins",
            answer(
                "ListAttachedGroupPolicies",
                &attached(&[shared, only_group], None),
            ),
        )
        .holding(
            "ListAttachedGroupPolicies",
            "GroupName=backup",
            answer("ListAttachedGroupPolicies", &attached(&[shared], None)),
        )
        .holding(
            "GetUserPolicy",
            "UserName=alice&PolicyName=own",
            answer("GetUserPolicy", &document("OfUser")),
        )
        .holding(
            "GetGroupPolicy",
            "GroupName=backup&PolicyName=own",
            answer("GetGroupPolicy", &document("OfGroup")),
        );
    managed(&wire, shared, "v3", "Shared");
    managed(&wire, only_group, "v1", "OnlyGroup");
    let found = read(&wire, USER).await.unwrap().unwrap();
    assert_eq!(
        sids(&found.identity),
        ["OfUser", "OfGroup", "OnlyGroup", "Shared"]
    );
    assert_eq!(found.boundary, None);
    assert_eq!(wire.sent("GetPolicy").len(), 2);
    assert!(
        wire.sent("ListGroupsForUser")[1]
            .body
            .contains("Marker=next")
    );
    for operation in ["GetUser", "ListUserPolicies", "ListAttachedUserPolicies"] {
        let body = &wire.sent(operation)[0].body;
        assert!(body.contains("UserName=alice"), "{body}");
    }
}

#[tokio::test]
async fn a_users_boundary_is_read() {
    let wire = Wire::default();
    let arn = "arn:aws:iam::111122223333:policy/B";
    wire.always("GetUser", user(USER, &boundary(arn)))
        .always(
            "ListGroupsForUser",
            answer("ListGroupsForUser", &members("Groups", &[], None)),
        )
        .always(
            "ListUserPolicies",
            answer("ListUserPolicies", &names(&[], None)),
        )
        .always(
            "ListAttachedUserPolicies",
            answer("ListAttachedUserPolicies", &attached(&[], None)),
        );
    managed(&wire, arn, "v1", "Boundary");
    let found = read(&wire, USER).await.unwrap().unwrap();
    assert_eq!(found.identity, []);
    assert_eq!(found.boundary.unwrap().as_str(), policy("Boundary"));
}

#[tokio::test]
async fn a_principal_that_does_not_exist_is_none() {
    let wire = Wire::default();
    for operation in [
        "GetRole",
        "ListRolePolicies",
        "ListAttachedRolePolicies",
        "GetUser",
        "ListUserPolicies",
        "ListAttachedUserPolicies",
        "ListGroupsForUser",
    ] {
        wire.always(operation, xml_error(404, "NoSuchEntity", "not found"));
    }
    assert_eq!(read(&wire, ROLE).await, Ok(None));
    assert_eq!(read(&wire, USER).await, Ok(None));
}

#[tokio::test]
async fn a_role_of_the_same_name_with_another_path_is_another_one() {
    let wire = Wire::default();
    bare_role(&wire);
    let found = read(&wire, ROLE).await.unwrap().unwrap();
    assert_eq!(found, PrincipalPolicies::default());
    let trap = "arn:aws:iam::111122223333:role/R";
    assert_eq!(read(&wire, trap).await, Ok(None));
}

#[tokio::test]
async fn many_policies_are_all_read_in_their_order() {
    let wire = Wire::default();
    bare_role(&wire);
    let all: Vec<String> = (10..45).map(|number| format!("p{number}")).collect();
    let listed: Vec<&str> = all.iter().map(String::as_str).collect();
    wire.once(
        "ListRolePolicies",
        answer("ListRolePolicies", &names(&listed, None)),
    );
    for name in &all {
        wire.holding(
            "GetRolePolicy",
            &format!("PolicyName={name}"),
            answer("GetRolePolicy", &document(name)),
        );
    }
    let found = read(&wire, ROLE).await.unwrap().unwrap();
    assert_eq!(sids(&found.identity), listed);
}

#[tokio::test]
async fn a_principal_is_read_in_its_own_account() {
    let wire = Wire::default();
    let settings = Deployment {
        member_role: Some("Member".to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    bare_role(&wire);
    let arn = "arn:aws:iam::444455556666:role/R";
    wire.always("AssumeRole", assumed("MEMBERKEY", OTHER))
        .always("GetRole", role(arn, ""));
    let principal = parsed(arn);
    let found = aws.identities().principal_policies(&principal).await;
    assert!(found.unwrap().is_some());
    for operation in ["GetRole", "ListRolePolicies", "ListAttachedRolePolicies"] {
        let sent = wire.sent(operation).remove(0);
        assert!(
            sent.authorization.contains("Credential=MEMBERKEY/"),
            "{sent:?}"
        );
    }
    assert_eq!(wire.sent("AssumeRole").len(), 1);
}
