//! The roles that IAM Identity Center makes for a permission set in each account that it is
//! assigned in.
//!
//! Nobody but IAM Identity Center can change such a role (AWS re:Post,
//! `knowledge-center/identity-center-aws-reserved-sso`, documented): what it lacks has to be added
//! to the permission set.

use copymend_policy::{AccountId, Arn};

use crate::advice::step;
use crate::resource::is_region;

/// A permission set, as the role that was made for it tells.
///
/// The role's ARN is `role/aws-reserved/sso.amazonaws.com/REGION/AWSReservedSSO_NAME_SUFFIX`; there
/// is no Region in it where IAM Identity Center is in us-east-1 (IAM Identity Center user guide,
/// "Referencing permission sets in resource policies, Amazon EKS, and AWS KMS", documented). The
/// suffix is 16 hexadecimal digits (seen in that page's examples).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PermissionSet<'a> {
    /// The permission set's name.
    pub name: &'a str,
    /// The Region of IAM Identity Center, where it is told.
    pub region: Option<&'a str>,
}

impl<'a> PermissionSet<'a> {
    /// The permission set that a role was made for. The path is reserved, so nobody else can make
    /// such a role.
    #[must_use]
    pub fn of_role(role: &'a Arn) -> Option<Self> {
        let below = role
            .resource()
            .strip_prefix("role/aws-reserved/sso.amazonaws.com/")?;
        let (region, role_name) = match below.split_once('/') {
            Some((region, role_name)) if is_region(region) => (Some(region), role_name),
            Some(_) => return None,
            // What is missing stands for us-east-1, which only this partition has.
            None if role.partition() == "aws" => (Some("us-east-1"), below),
            None => (None, below),
        };
        Some(Self {
            name: permission_set_name(role_name)?,
            region,
        })
    }

    /// The permission set of a session whose role is not told, by the role's name in the session's
    /// ARN.
    #[must_use]
    pub fn of_session(session: &'a str) -> Option<Self> {
        let (_, role_and_session) = session.split_once(":assumed-role/")?;
        let (role_name, _) = role_and_session.split_once('/')?;
        Some(Self {
            name: permission_set_name(role_name)?,
            region: None,
        })
    }

    /// The steps that add the statements of `policy.json`.
    ///
    /// A permission set has one inline policy, which `PutInlinePolicyToPermissionSet` sets as a
    /// whole (inferred: `GetInlinePolicyForPermissionSet` answers one policy, and no operation adds
    /// to it). It reaches the roles by `ProvisionPermissionSet` (IAM Identity Center API reference,
    /// `PutInlinePolicyToPermissionSet`, documented).
    pub(super) fn steps(self, account: AccountId) -> Vec<String> {
        let Self { name, region } = self;
        let region = region.map_or_else(String::new, |region| format!(" --region {region}"));
        let of_the_set =
            format!("--instance-arn INSTANCE_ARN --permission-set-arn PERMISSION_SET_ARN{region}");
        vec![
            step!("IAM lets nobody change a role of IAM Identity Center, so the statements go into permission set `{name}`. Find \
                 the ARN of the instance, and the permission set's by its name";
                "aws sso-admin list-instances{region}\n\
                 aws sso-admin list-permission-sets --instance-arn INSTANCE_ARN{region}\n\
                 aws sso-admin describe-permission-set {of_the_set}"),
            step!("A permission set has one inline policy, and the next step replaces the whole of it. If this shows one, add its \
                 statements to policy.json";
                "aws sso-admin get-inline-policy-for-permission-set {of_the_set} --query InlinePolicy --output text"),
            step!("Put the policy, with the old statements and the new";
                "aws sso-admin put-inline-policy-to-permission-set {of_the_set} --inline-policy file://policy.json"),
            step!("Provision the permission set to account {account}. Other accounts that it is assigned in get the policy once it \
                 is provisioned there too";
                "aws sso-admin provision-permission-set {of_the_set} --target-type AWS_ACCOUNT --target-id {account}"),
        ]
    }
}

/// It goes into commands, so nothing is taken that is not a permission set's name (IAM Identity
/// Center API reference, `CreatePermissionSet`, documented).
fn permission_set_name(role_name: &str) -> Option<&str> {
    let (name, suffix) = role_name
        .strip_prefix("AWSReservedSSO_")?
        .rsplit_once('_')?;
    let is_suffix = suffix.len() == 16 && suffix.bytes().all(|b| b.is_ascii_hexdigit());
    let is_name = (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    (is_suffix && is_name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_role(arn: &str) -> Option<(String, Option<String>)> {
        let role: Arn = arn.parse().unwrap();
        let found = PermissionSet::of_role(&role)?;
        Some((found.name.to_owned(), found.region.map(str::to_owned)))
    }

    #[test]
    fn the_role_tells_the_permission_set_and_the_region() {
        let path = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com";
        for (role, name, region) in [
            (
                format!("{path}/eu-west-2/AWSReservedSSO_DatabaseAdministrator_1234567890abcdef"),
                "DatabaseAdministrator",
                Some("eu-west-2"),
            ),
            (
                format!("{path}/AWSReservedSSO_Admin_of_backups_0123456789abcdef"),
                "Admin_of_backups",
                Some("us-east-1"),
            ),
            (
                format!(
                    "{}/AWSReservedSSO_Admin_0123456789abcdef",
                    path.replace("arn:aws:", "arn:aws-us-gov:")
                ),
                "Admin",
                None,
            ),
        ] {
            assert_eq!(
                of_role(&role),
                Some((name.to_owned(), region.map(str::to_owned))),
                "{role}"
            );
        }
    }

    #[test]
    fn other_roles_are_not_taken_for_one() {
        let account = "arn:aws:iam::111122223333";
        let path = format!("{account}:role/aws-reserved/sso.amazonaws.com");
        for role in [
            format!("{account}:role/AWSReservedSSO_Admin_0123456789abcdef"),
            format!("{account}:role/ci/AWSReservedSSO_Admin_0123456789abcdef"),
            format!(
                "{account}:user/aws-reserved/sso.amazonaws.com/AWSReservedSSO_A_0123456789abcdef"
            ),
            format!("{path}/AWSReservedSSO_Admin_0123456789abcde"),
            format!("{path}/AWSReservedSSO_Admin_0123456789abcdeg"),
            format!("{path}/AWSReservedSSO_0123456789abcdef"),
            format!("{path}/AWSReservedSSO_$(reboot)_0123456789abcdef"),
            format!("{path}/a b/AWSReservedSSO_Admin_0123456789abcdef"),
            format!("{path}/eu-west-2/x/AWSReservedSSO_Admin_0123456789abcdef"),
        ] {
            assert_eq!(of_role(&role), None, "{role}");
        }
    }

    #[test]
    fn without_the_role_the_name_in_the_session_tells() {
        let session =
            |text: &str| PermissionSet::of_session(text).map(|found| found.name.to_owned());
        let start = "arn:aws:sts::111122223333:assumed-role";
        assert_eq!(
            session(&format!(
                "{start}/AWSReservedSSO_Admin_0123456789abcdef/maria@example.com"
            )),
            Some("Admin".to_owned())
        );
        assert_eq!(session(&format!("{start}/Deployer/me")), None);
        assert_eq!(session("AIDAEXAMPLE"), None);
    }
}
