//! What people do about a place whose copies are missing.

use super::judge::{Place, State};

/// What to do about a place, in order. A step is a sentence; a command follows on a line of its own. Empty
/// where nothing is to be done.
#[must_use]
pub fn steps(place: &Place) -> Vec<String> {
    let vault = &place.vault;
    let vault_place = format!("account {}, {}", vault.arn().account(), vault.region());
    match place.state {
        State::Gone => {
            let mut steps = vec![format!(
                "Find out who deleted the copies: look in CloudTrail of {vault_place} for DeleteRecoveryPoint and \
                 UpdateRecoveryPointLifecycle, and at the vault's lock, which would have kept them."
            )];
            steps.extend(see_what_is_there(place));
            steps.push(with(
                "Start a copy of the newest backup, or see what stands in the way of the next one:",
                &of_source("copymend preflight", place),
            ));
            steps
        }
        State::Never | State::Late => vec![
            with(
                "See which copies failed, and why:",
                &of_source("copymend scan --facts", place),
            ),
            with(
                "If none did, see whether a plan will make any, and what stands in their way:",
                &of_source("copymend preflight", place),
            ),
        ],
        State::NoGoodCopy => {
            let mut steps: Vec<String> = see_what_is_there(place).into_iter().collect();
            steps.push(with(
                "See which copies failed, and why:",
                &of_source("copymend scan --facts", place),
            ));
            steps
        }
        State::Unknown => {
            let mut steps = vec![format!(
                "Let the role that reads in {vault_place} list the vault (backup:ListRecoveryPointsByBackupVault), and name \
                 that account and Region. What AWS said stands with what could not be read."
            )];
            steps.extend(see_what_is_there(place));
            steps
        }
        State::NoObjective => vec![
            "Give the vault, the resource's type or everything an objective with --objective."
                .to_owned(),
        ],
        State::NotDue | State::InTime | State::Excluded => Vec::new(),
    }
}

/// The copies of the resource in the vault; nothing where a name could mean something to a shell.
fn see_what_is_there(place: &Place) -> Option<String> {
    let vault = &place.vault;
    let words = [vault.region(), vault.name(), place.resource.as_str()];
    words.into_iter().all(is_plain).then(|| {
        let [region, vault, resource] = words;
        with(
            "See what is in the vault, with credentials of its account:",
            &format!(
                "aws backup list-recovery-points-by-backup-vault --region {region} --backup-vault-name {vault} \
                 --by-resource-arn {resource}"
            ),
        )
    })
}

/// A command about the resource's account and Region. An ARN that names none, as a bucket's, leaves them
/// to the credentials.
fn of_source(command: &str, place: &Place) -> String {
    let mut command = command.to_owned();
    let of = [
        ("--account", place.resource.account()),
        ("--region", place.resource.region()),
    ];
    for (option, value) in of {
        if is_plain(value) {
            command.extend([" ", option, " ", value]);
        }
    }
    command
}

fn with(step: &str, command: &str) -> String {
    format!("{step}\n{command}")
}

/// Whether a text can stand in a shell command as it is.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=,@".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(state: State, resource: &str) -> Place {
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
        Place {
            resource: resource.parse().unwrap(),
            resource_type: "EBS".to_owned(),
            vault: vault.parse().unwrap(),
            is_planned: true,
            newest_copy: None,
            newest_backup: None,
            objective: None,
            state,
            gone: 0,
            detail: String::new(),
        }
    }

    const VOLUME: &str = "arn:aws:ec2:us-east-1:111122223333:volume/vol-1";

    #[test]
    fn what_is_missed_or_unknown_has_steps_and_what_is_well_has_none() {
        for state in State::ALL {
            let steps = steps(&place(state, VOLUME));
            let is_well = matches!(state, State::NotDue | State::InTime | State::Excluded);
            assert_eq!(steps.is_empty(), is_well, "{state:?}");
        }
    }

    #[test]
    fn commands_name_the_account_and_region_that_they_are_about() {
        let late = steps(&place(State::Late, VOLUME)).concat();
        assert!(
            late.contains("\ncopymend preflight --account 111122223333 --region us-east-1"),
            "{late}"
        );
        let gone = steps(&place(State::Gone, VOLUME)).concat();
        assert!(
            gone.contains(
                "--region eu-west-1 --backup-vault-name dr --by-resource-arn arn:aws:ec2:"
            ),
            "{gone}"
        );
        let bucket = steps(&place(State::Late, "arn:aws:s3:::bucket")).concat();
        assert!(bucket.ends_with("\ncopymend preflight"), "{bucket}");
    }

    #[test]
    fn a_name_that_a_shell_would_read_makes_no_command() {
        let hostile = "arn:aws:ec2:us-east-1:111122223333:volume/$(id)";
        let gone = steps(&place(State::Gone, hostile)).concat();
        assert!(!gone.contains("$(id)"), "{gone}");
    }
}
