//! Links that are ours to print.

/// The domains of the AWS console, one a partition.
const CONSOLES: &[&str] = &[
    "console.aws.amazon.com",
    "console.amazonaws.cn",
    "console.amazonaws-us-gov.com",
];
/// No page of the console needs more characters.
const LONGEST: usize = 1_000;

/// A link to the AWS console, or nothing. Whoever made the link checked its parts; here the whole
/// is checked once more, because a link is the one thing in a report that people click.
#[must_use]
pub fn console(link: &str) -> Option<&str> {
    let rest = link.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~:/?#=&%".contains(&b);
    let is_console = CONSOLES.iter().any(|console| {
        host == *console
            || host
                .strip_suffix(console)
                .and_then(|host| host.strip_suffix('.'))
                .is_some_and(is_label)
    });
    (is_console && link.len() <= LONGEST && path.bytes().all(is_plain)).then_some(link)
}

/// Whether a text is one label of a host name, as a Region code is.
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_console_are_printed() {
        for link in [
            "https://eu-west-1.console.aws.amazon.com/backup/home?region=eu-west-1#/backupvaults/details/dr",
            "https://console.aws.amazon.com/iam/home#/policies/details/arn%3Aaws%3Aiam%3A%3A1%3Apolicy%2FX",
            "https://cn-north-1.console.amazonaws.cn/kms/home?region=cn-north-1#/kms/keys/1",
            "https://console.amazonaws-us-gov.com/iam/home#/roles",
        ] {
            assert_eq!(console(link), Some(link));
        }
    }

    #[test]
    fn nothing_else_is() {
        for link in [
            "",
            "http://console.aws.amazon.com/x",
            "https://evil.example/x",
            "https://console.aws.amazon.com.evil.example/x",
            "https://evilconsole.aws.amazon.com/x",
            "https://evil.example/.console.aws.amazon.com/x",
            "https://evil.example#.console.aws.amazon.com/x",
            "https://me@console.aws.amazon.com/x",
            "https://a.b.console.aws.amazon.com/x",
            "https://.console.aws.amazon.com/x",
            "https://console.aws.amazon.com:8443/x",
            "https://console.aws.amazon.com",
            "https://console.aws.amazon.com/x y",
            "https://console.aws.amazon.com/x\n> y",
            "https://console.aws.amazon.com/\u{202e}",
            "https://console.aws.amazon.com/x@evil.example",
            "HTTPS://console.aws.amazon.com/x",
        ] {
            assert_eq!(console(link), None, "{link}");
        }
        assert_eq!(
            console(&format!(
                "https://console.aws.amazon.com/{}",
                "x".repeat(1_000)
            )),
            None
        );
    }
}
