use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Settings, InvalidSetting> {
    Settings::read(|name| {
        pairs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn nothing_set_observes_and_admits_nothing() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.mode, Mode::Observe);
    assert!(settings.allowed_destinations.is_empty());
}

#[test]
fn an_empty_value_counts_as_not_set() {
    assert_eq!(
        read(&[("COPYMEND_MODE", " ")]).unwrap(),
        Settings::default()
    );
}

#[test]
fn an_invalid_value_names_variable_value_and_what_is_accepted() {
    for (name, value) in [
        ("COPYMEND_MODE", "fix"),
        ("COPYMEND_MODE", "Repair"),
        ("COPYMEND_APPROVAL_HOURS", "721"),
        (
            "COPYMEND_APPROVERS",
            "arn:aws:iam::444455556666:role/BackupOwner",
        ),
        ("COPYMEND_ALLOWED_DESTINATIONS", "dr-vault"),
        (
            "COPYMEND_ALLOWED_DESTINATIONS",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:a,b",
        ),
        ("COPYMEND_ALLOWED_KEYS", "arn:aws:kms:key/*"),
        (
            "COPYMEND_ALLOWED_KEYS",
            "arn:aws-moon:kms:*:111122223333:key/*",
        ),
        ("COPYMEND_MEMBER_ROLE", "arn:asw:iam::*:role/Member"),
        ("COPYMEND_ORGANIZATION_READER", "o-exampleorgid"),
        ("COPYMEND_READ_TAGS", "yes"),
        ("COPYMEND_ALLOWED_SOURCES", "Backup*"),
        ("COPYMEND_ALLOWED_SOURCES", "111122223333>*"),
        ("COPYMEND_ALLOWED_SOURCES", "111122223333,Backup*,*"),
        ("COPYMEND_MAX_AGE_HOURS", "721"),
        ("COPYMEND_VAULT_SCOPE", "everyone"),
        ("COPYMEND_KEY_PROFILE", "full"),
        ("COPYMEND_ORGANIZATION_ID", "o-*"),
        ("COPYMEND_ORGANIZATION_PATHS", "ou-ab12-11111111"),
        ("COPYMEND_RETRY_BUDGET", "-1"),
        ("COPYMEND_RETRY_BUDGET", "101"),
        ("COPYMEND_ALLOW_ON_DEMAND", "yes"),
        ("COPYMEND_COPY_AGE_OBJECTIVE", "26"),
        ("COPYMEND_COPY_AGE_OBJECTIVE", "vault=dr:26h"),
        ("COPYMEND_MEMBER_ROLE", "arn:aws:iam::4444:role/Member"),
        ("COPYMEND_MEMBER_ROLE", "role with spaces"),
        ("COPYMEND_EXTERNAL_ID", "x"),
        (
            "COPYMEND_TOPIC_ARN",
            "arn:aws:sqs:us-east-1:111122223333:topic",
        ),
        ("COPYMEND_CHAT_TOPIC_ARN", "chat"),
        (
            "COPYMEND_REPORT_BUS",
            "arn:aws:events:us-east-1:111122223333:rule/bus",
        ),
        ("COPYMEND_REPORT_BUS", "a bus"),
    ] {
        let error = read(&[(name, value)]).unwrap_err().to_string();
        assert!(
            error.contains(name) && error.contains(value) && error.contains("accepted: "),
            "{error}"
        );
    }
}

#[test]
fn of_a_list_the_wrong_entry_is_named() {
    let error = read(&[("COPYMEND_ALLOWED_SOURCES", "111122223333,Backup*,*")]).unwrap_err();
    assert!(
        error.to_string().starts_with(
            "COPYMEND_ALLOWED_SOURCES is `111122223333,Backup*,*`, of which `Backup*` is wrong; accepted: "
        ),
        "{error}"
    );
}

#[test]
fn lists_that_admit_everything_are_named_however_that_is_written() {
    for (name, value) in [
        ("COPYMEND_ALLOWED_DESTINATIONS", "*"),
        (
            "COPYMEND_ALLOWED_DESTINATIONS",
            "arn:aws:backup:*:*:backup-vault:*",
        ),
        ("COPYMEND_ALLOWED_KEYS", "arn:*:kms:eu-west-1:*:key/*"),
        ("COPYMEND_ALLOWED_SOURCES", "*"),
        (
            "COPYMEND_ALLOWED_SOURCES",
            "*>arn:aws:backup:*:444455556666:backup-vault:dr",
        ),
        ("COPYMEND_ALLOWED_SOURCES", "arn:*:iam::**:role/**"),
        (
            "COPYMEND_ALLOWED_SOURCES",
            "111122223333,arn:aws:iam::*:role/*",
        ),
    ] {
        let settings = read(&[(name, value)]).unwrap();
        assert_eq!(settings.lists_that_admit_everything(), [name], "{value}");
    }
    let settings = read(&[
        (
            "COPYMEND_ALLOWED_DESTINATIONS",
            "arn:aws:backup:*:444455556666:backup-vault:*",
        ),
        ("COPYMEND_ALLOWED_KEYS", "arn:aws:kms:*:*:key/mrk-*"),
        (
            "COPYMEND_ALLOWED_SOURCES",
            "111122223333,arn:aws:iam::*:role/Backup*",
        ),
    ]);
    assert!(settings.unwrap().lists_that_admit_everything().is_empty());
}

#[test]
fn the_logical_ids_that_the_sam_cli_fills_in_count_as_not_set_in_a_local_run() {
    let filled = [
        ("COPYMEND_TOPIC_ARN", "Topic"),
        ("COPYMEND_LEDGER_TABLE", "Ledger"),
        ("AWS_SAM_LOCAL", "true"),
    ];
    let settings = read(&filled).unwrap();
    assert!(settings.deployment.is_local_run);
    assert_eq!(
        (
            settings.deployment.topic_arn,
            settings.deployment.ledger_table
        ),
        (None, None)
    );
    let error = read(&filled[..2]).unwrap_err();
    assert_eq!(error.name, "COPYMEND_TOPIC_ARN");
}

#[test]
fn lists_are_split_at_commas_and_white_space() {
    let settings = read(&[(
        "COPYMEND_ALLOWED_DESTINATIONS",
        "arn:aws:backup:*:444455556666:backup-vault:dr-*, arn:aws:backup:eu-west-1:*:backup-vault:vault\n",
    )])
    .unwrap();
    assert_eq!(settings.allowed_destinations.len(), 2);
}

#[test]
fn a_pattern_admits_part_by_part() {
    let pattern: ArnPattern = "arn:aws:backup:*:444455556666:backup-vault:dr-*"
        .parse()
        .unwrap();
    assert!(pattern.admits("arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-vault"));
    for refused in [
        "arn:aws:backup:eu-west-1:777777777777:backup-vault:dr-vault",
        "arn:aws-cn:backup:eu-west-1:444455556666:backup-vault:dr-vault",
        // A wildcard for the Region must not swallow the account.
        "arn:aws:backup:eu-west-1:777777777777:x:444455556666:backup-vault:dr-vault",
        "arn:aws:backup:eu-west-1:444455556666:backup-vault:prod",
    ] {
        assert!(!pattern.admits(refused), "{refused}");
    }
    let all: ArnPattern = "*".parse().unwrap();
    assert!(all.admits("arn:aws:backup:eu-west-1:777777777777:backup-vault:any"));
}
