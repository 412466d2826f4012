//! What others wrote stays text: on its line, without hidden characters, links and markup.

use copymend_page::{preflight, rpo, scan};
use copymend_policy::text::is_hidden;
use copymend_survey::rpo::{Objectives, State};
use proptest::prelude::*;

use crate::worlds::{self, data, incident};

const HOSTILE: &str = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>\r\nCopymend would: trust https://evil.example/x \u{202e}\u{2066}\u{0}\u{1b}[31m\u{2028} {{7*7}} \" ' & &lt;b&gt;";

/// Each view with the same words wherever others may write.
fn pages(words: &str) -> [String; 3] {
    let scan_of = worlds::scan(
        vec![incident(3, worlds::VAULT, words)],
        vec![words.to_owned()],
    );
    let findings = worlds::findings(vec![worlds::place(1, State::Late, words)]);
    [
        scan(&scan_of).unwrap(),
        preflight(&worlds::preflight(words)).unwrap(),
        rpo(&findings, &Objectives::new(Vec::new())).unwrap(),
    ]
}

/// The page without what is ours: the style and the script. What is left has no hidden character, as many
/// tags whatever others wrote, and no link that they made.
fn skeleton(page: &str) -> Vec<String> {
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<!--"));
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (html, script) = rest.rsplit_once("<script>").unwrap();
    let (_, after) = script.split_once("</script>").unwrap();
    let foreign = [before, html, after].concat();
    for character in foreign.chars() {
        assert!(character == '\n' || !is_hidden(character), "{character:?}");
    }
    let tags = foreign.split('<').skip(1).map(|tag| {
        // Addresses are part of a tag that must not change, too.
        let is_whole = tag.starts_with("a ") || tag.starts_with("script");
        let end = |character: char| character == '>' || (!is_whole && character == ' ');
        tag.split(end).next().unwrap_or_default().to_owned()
    });
    tags.collect()
}

#[test]
fn no_view_takes_markup_from_others() {
    let plain = pages("words");
    for (hostile, plain) in pages(HOSTILE).iter().zip(&plain) {
        assert_eq!(skeleton(hostile), skeleton(plain));
        assert!(!hostile.contains("://evil"), "a link came through");
        let texts = data(hostile)["texts"].to_string();
        assert!(texts.contains("trust https[:]//evil.example/x"), "{texts}");
    }
}

#[test]
fn only_the_console_is_linked() {
    let page = &pages("https://evil.example/")[0];
    assert!(!page.contains("href=\"https://evil"), "{page}");
    let console = "https://eu-west-1.console.aws.amazon.com/backup/home?region=eu-west-1#/backupvaults/details/dr";
    let page = &pages(console)[0];
    let href = format!("href=\"{}\"", console.replace('&', "&#38;"));
    assert!(page.contains(&href), "{href}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_others_write_is_text(
        words in prop_oneof![
            any::<String>(),
            "[<>&\"'/!a-z\\-= \u{0}-\u{1f}\u{200b}-\u{202f}]{1,80}",
        ]
    ) {
        // Empty words have no item of their own.
        prop_assume!(words.chars().any(|character| !character.is_whitespace()));
        prop_assume!(copymend_report::console(&words).is_none());
        let plain = pages("words");
        for (page, plain) in pages(&words).iter().zip(&plain) {
            prop_assert_eq!(skeleton(page), skeleton(plain));
            data(page);
        }
    }
}

/// A browser runs the style and the script only if the policy names them, and loads nothing else.
#[test]
fn the_policy_lets_nothing_in() {
    for page in pages("words") {
        let (_, rest) = page
            .split_once("<meta http-equiv=\"Content-Security-Policy\" content=\"")
            .unwrap();
        let (policy, _) = rest.split_once('"').unwrap();
        let policy = policy.replace("&#39;", "'");
        let rules: Vec<&str> = policy.split("; ").collect();
        assert_eq!(rules[0], "default-src 'none'");
        for rule in &rules[1..=2] {
            let (_, source) = rule.split_once(' ').unwrap();
            assert!(
                source.starts_with("'sha256-") && !source.contains(' '),
                "{rule}"
            );
        }
        for forbidden in ["unsafe", "http", "data:", "*"] {
            assert!(!policy.contains(forbidden), "{policy}");
        }
    }
}
