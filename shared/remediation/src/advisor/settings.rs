//! The settings of the access advisor, from environment variables. An invalid value stops the start.

use crate::settings::{InvalidSetting, Reader};

/// All settings of the access advisor. It has none that lets it write: it can't.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisorSettings {
    /// `COPYMEND_MEMBER_ROLE`: the role to assume in other accounts.
    pub member_role: Option<String>,
    /// `COPYMEND_EXTERNAL_ID`: the external id for that role.
    pub external_id: Option<String>,
    /// `COPYMEND_TOPIC_ARN`: the topic for advisories.
    pub topic_arn: Option<String>,
    /// `COPYMEND_LEDGER_TABLE`: the advisor's own ledger. Without one every event is told.
    pub ledger_table: Option<String>,
    /// `AWS_SAM_LOCAL`: a person runs the function with the SAM CLI, and nobody delivers an event again.
    pub is_local_run: bool,
}

impl AdvisorSettings {
    /// Reads the settings. `read` answers the value of an environment variable; an empty value counts as not set.
    pub fn read(read: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let reader = Reader::new(read);
        Ok(Self {
            member_role: reader.member_role()?,
            external_id: reader.external_id()?,
            topic_arn: reader.topic_arn()?,
            ledger_table: reader.ledger_table()?,
            is_local_run: reader.is_local_run()?,
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
}
