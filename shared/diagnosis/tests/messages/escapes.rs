//! Texts as strings of JSON, or as JSON in JSON.

use copymend_diagnosis::messages::explain;

use crate::data::{assert_best, assert_sound, causes, messages, seen};

#[test]
fn every_text_that_people_got_has_its_cause_and_its_parts() {
    for text in seen() {
        for message in [text.escaped, &text.unescaped()] {
            assert_best(message, text.cause);
            let explanation = explain(message);
            text.principal.assert_is(explanation.principal(), message);
            text.action.assert_is(explanation.action(), message);
            text.resource.assert_is(explanation.resource(), message);
        }
    }
}

#[test]
fn a_text_in_json_in_json_has_the_same_causes() {
    for text in seen() {
        let expected = causes(&text.unescaped());
        let mut nested = text.unescaped();
        for _ in 0..3 {
            nested = serde_json::to_string(&nested).unwrap();
            assert_eq!(causes(&nested), expected, "{nested}");
        }
    }
}

/// Read over the escape, this would be the vault's policy, which Copymend repairs.
#[test]
fn an_escape_does_not_hide_the_policy_type() {
    let text = r"User: arn:aws:sts::111122223333:assumed-role/R/s is not authorized to perform: backup:CopyIntoBackupVault on resource: arn:aws:backup:eu-west-1:444455556666:backup-vault:dr because\nno identity-based policy allows the backup:CopyIntoBackupVault action";
    let explanation = explain(text);
    assert_sound(&explanation);
    assert_eq!(causes(text)[0], "job-role-permission");
    assert!(!explanation.is_repairable());
}

/// The same where something else that a browser or JSON shows as a space stands between the words.
#[test]
fn no_other_space_hides_the_policy_type() {
    let text = "User: arn:aws:sts::111122223333:assumed-role/R/s is not authorized to perform: backup:CopyIntoBackupVault on resource: arn:aws:backup:eu-west-1:444455556666:backup-vault:dr because no identity-based policy allows the backup:CopyIntoBackupVault action";
    let spaces = [
        r"\u0020",
        r"\\u0020",
        r"\u00a0",
        "\u{200b}",
        " \u{200b}",
        "<br>",
        "<br/>",
        r"\u003cbr\u003e",
        "&nbsp;",
    ];
    for space in spaces {
        let between = text.replace("because no ", &format!("because{space}no{space}"));
        let everywhere = text.replace(' ', space);
        for text in [between, everywhere] {
            let explanation = explain(&text);
            assert_sound(&explanation);
            assert!(!explanation.is_repairable(), "{text}: {:?}", causes(&text));
        }
    }
    for space in &spaces[..5] {
        let text = text.replace(' ', space);
        assert_eq!(causes(&text), ["job-role-permission"], "{text}");
        assert_eq!(
            explain(&text).action(),
            Some("backup:CopyIntoBackupVault"),
            "{text}"
        );
    }
}

#[test]
fn an_escape_does_not_hide_an_explicit_deny() {
    for space in [
        r"\n", r"\t", r"\r\n", r"\\n", r"\\\\n", "\\n\n", r"\u0020", "\u{200b}",
    ] {
        for (_, message) in messages() {
            for deny in ["with an explicit deny", "a policy explicitly denies it"] {
                let text = format!("{message} {deny}").replace(' ', space);
                assert!(
                    !explain(&text).is_repairable(),
                    "{text}: {:?}",
                    causes(&text)
                );
            }
        }
    }
}

#[test]
fn other_backslashes_separate_nothing() {
    let text =
        r"User: arn:aws:iam::1:user/a\b is not authorized to perform: kms:Decrypt\ on resource: x\";
    let explanation = explain(text);
    assert_sound(&explanation);
    assert_eq!(explanation.principal(), Some(r"arn:aws:iam::1:user/a\b"));
    assert_eq!(explanation.action(), Some("kms:Decrypt"));
}
