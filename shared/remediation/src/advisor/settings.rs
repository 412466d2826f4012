//! The settings of the access advisor, from environment variables. An invalid value stops the
//! start.

use super::own_role::OwnRole;
use crate::settings::{Deployment, InvalidSetting, Reader};

/// All settings of the access advisor. It has none that lets it write: it can't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisorSettings {
    /// Where it runs. Its ledger is its own.
    pub deployment: Deployment,
    /// `COPYMEND_OWN_ROLES`: the roles that Copymend itself calls AWS with, whose refused calls are
    /// passed over. The role of `COPYMEND_MEMBER_ROLE` is always one of them.
    pub own_roles: Vec<OwnRole>,
}

impl AdvisorSettings {
    /// Reads the settings. `read` answers the value of an environment variable; an empty value
    /// counts as not set.
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let reader = Reader::new(read);
        let deployment = Deployment::read(&reader)?;
        let mut own_roles = reader.list(
            "COPYMEND_OWN_ROLES",
            "roles separated by commas, each by its name with its path or by its ARN, in which `*` may stand for the account, such as \
             arn:aws:iam::*:role/copymend/CopymendMember",
            OwnRole::parse,
        )?;
        own_roles.extend(deployment.member_role.as_deref().and_then(OwnRole::parse));
        Ok(Self {
            deployment,
            own_roles,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_needs_to_be_set_and_an_invalid_value_stops_the_start() {
        assert_eq!(
            AdvisorSettings::read(|_| None),
            Ok(AdvisorSettings::default())
        );
        let error = AdvisorSettings::read(|name| {
            (name == "COPYMEND_TOPIC_ARN")
                .then(|| "arn:aws:sqs:eu-west-1:111122223333:q".to_owned())
        })
        .unwrap_err();
        assert_eq!(error.name, "COPYMEND_TOPIC_ARN");
    }

    #[test]
    fn own_roles_are_those_that_are_named_and_the_member_role() {
        let read = |value: &'static str| {
            AdvisorSettings::read(move |name| match name {
                "COPYMEND_OWN_ROLES" => Some(value.to_owned()),
                "COPYMEND_MEMBER_ROLE" => Some("copymend/CopymendMemberReader".to_owned()),
                _ => None,
            })
        };
        let named = "arn:aws:iam::111122223333:role/copymend-CopyRemediatorRole-1A2B, copymend/CopymendMember";
        assert_eq!(read(named).unwrap().own_roles.len(), 3);
        assert_eq!(read("").unwrap().own_roles.len(), 1);
        let error = read("copymend/*").unwrap_err();
        assert_eq!(error.name, "COPYMEND_OWN_ROLES");
    }
}
