//! What holds for every text.

use copymend_diagnosis::messages::explain;
use proptest::prelude::*;

use crate::data::{assert_sound, messages};

/// Words of failure texts in any order, so that the readers are reached.
fn soup() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "User:",
        "arn:aws:iam::111122223333:role/R",
        "arn:aws:kms:us-east-1:1:key/1",
        "arn:aws:kms:::key/",
        "is",
        "not",
        "authorized",
        "to",
        "perform:",
        "perform",
        "kms:Decrypt",
        "on",
        "resource:",
        "\"",
        "because",
        "no",
        "explicit",
        "deny",
        "in",
        "a",
        "the",
        "service control policy",
        "identity-based",
        "policy",
        "transitively",
        "through",
        "does not exist",
        "cannot find",
        "not found:",
        "backup vault",
        "recovery point",
        "key",
        "role",
        "KMS key",
        "access denied",
        "can\u{2019}t",
        "\u{a0}",
        ".",
        ":",
        "\u{1f600}",
        "n't",
        "arn:aws",
        ":kms:",
        "allows",
        "AWSServiceRoleForBackup",
        "to call",
        "User:x",
        "explicitly denies",
        "nonexistent",
        "\\n",
        "\\",
        "\\\"",
        "<",
        "[arn:aws:s3:::b]",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_text_is_explained(text in any::<String>()) {
        assert_sound(&explain(&text));
    }

    #[test]
    fn any_lines_are_explained(text in "\\PC{0,300}") {
        assert_sound(&explain(&text));
    }

    #[test]
    fn any_mix_of_words_is_explained(text in soup()) {
        assert_sound(&explain(&text));
    }

    #[test]
    fn noise_around_a_text_does_not_change_its_cause(
        pick in any::<prop::sample::Index>(),
        // Letters that make no word of the catalogue: "vss" or "kms" would not be noise.
        before in "[jqxzäß0-9\\[\\]{}#=_|-]{0,12}( [jqxzé0-9#=_|-]{1,7}){0,5}",
        after in "[JQXZ0-9\\[\\]{}#=_|-]{0,12}( [JQXZ0-9#=_|-]{1,7}){0,5}",
    ) {
        let messages = messages();
        let (cause, message) = messages[pick.index(messages.len())];
        let text = format!("{before}. {message} ({after})");
        prop_assert_eq!(explain(&text).best(), cause, "{}", text);
    }

    #[test]
    fn letter_case_and_white_space_do_not_change_the_candidates(
        pick in any::<prop::sample::Index>(),
        upper in prop::collection::vec(any::<bool>(), 400),
        space in prop::sample::select(vec![" ", "  ", "\n", "\t", "\r\n", "\u{a0}", " \u{2003}"]),
    ) {
        let messages = messages();
        let (_, message) = messages[pick.index(messages.len())];
        let varied: String = message
            .chars()
            .zip(upper.iter().cycle())
            .map(|(letter, upper)| if *upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() })
            .collect::<String>()
            .replace(' ', space);
        let plain = explain(message);
        let other = explain(&varied);
        prop_assert_eq!(&plain.candidates, &other.candidates, "{}", varied);
        let same = |a: Option<&str>, b: Option<&str>| match (a, b) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        prop_assert!(same(plain.principal(), other.principal()), "{}", varied);
        prop_assert!(same(plain.action(), other.action()), "{}", varied);
        prop_assert!(same(plain.resource(), other.resource()), "{}", varied);
    }
    #[test]
    fn escaped_white_space_changes_neither_the_candidates_nor_the_parts(
        pick in any::<prop::sample::Index>(),
        spaces in prop::collection::vec(
            prop::sample::select(vec![" ", r"\n", r"\t", r"\r\n", r"\\n", r" \n", r"\n  ", "\\n\n"]),
            1..20,
        ),
    ) {
        let messages = messages();
        let (_, message) = messages[pick.index(messages.len())];
        let mut spaces = spaces.iter().cycle();
        let varied: String = message
            .split(' ')
            .flat_map(|word| [word, spaces.next().unwrap()])
            .collect();
        let plain = explain(message);
        let other = explain(&varied);
        assert_sound(&other);
        prop_assert_eq!(&plain.candidates, &other.candidates, "{}", varied);
        prop_assert_eq!(plain.principal(), other.principal(), "{}", varied);
        prop_assert_eq!(plain.action(), other.action(), "{}", varied);
        prop_assert_eq!(plain.resource(), other.resource(), "{}", varied);
        prop_assert_eq!(plain.key_arn, other.key_arn, "{}", varied);
    }

    #[test]
    fn what_is_explicitly_denied_is_never_repairable(
        text in soup(),
        deny in prop::sample::select(vec![
            "A policy explicitly denies it.",
            r"The policies\nexplicitly\tdeny it.",
            "It was explicitly denied.",
            "This is an explicit denial.",
        ]),
    ) {
        for text in [format!("{text}. {deny}"), format!("{deny} {text}")] {
            prop_assert!(!explain(&text).is_repairable(), "{}", text);
        }
    }
}
