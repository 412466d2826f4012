//! The little XML that query protocols need: written for answers, and read from the small answers
//! of IAM, STS, SNS and SQS.

/// Text, made safe for an element's content.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// An element around text.
pub(crate) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(text))
}

/// An element around elements.
pub(crate) fn around(name: &str, elements: &str) -> String {
    format!("<{name}>{elements}</{name}>")
}

/// A list, with one `member` an item.
pub(crate) fn list(name: &str, members: impl IntoIterator<Item = String>) -> String {
    let members: String = members
        .into_iter()
        .map(|member| around("member", &member))
        .collect();
    around(name, &members)
}

/// The raw content of the first element of that name.
pub(crate) fn content<'x>(xml: &'x str, name: &str) -> Option<&'x str> {
    let after = xml.split_once(&format!("<{name}>"))?.1;
    Some(after.split_once(&format!("</{name}>"))?.0)
}

/// The text of the first element of that name.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    Some(unescaped(content(xml, name)?.trim()))
}

/// The raw contents of the members of a list. Members that hold lists themselves aren't read
/// rightly.
pub(crate) fn members<'x>(xml: &'x str, name: &str) -> Vec<&'x str> {
    let mut rest = content(xml, name).unwrap_or_default();
    let mut members = Vec::new();
    while let Some((member, after)) = rest
        .split_once("<member>")
        .and_then(|(_, after)| after.split_once("</member>"))
    {
        members.push(member.trim());
        rest = after;
    }
    members
}

pub(crate) fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        // Last, so that what it makes isn't read again.
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

#[cfg(test)]
mod tests {
    use super::{content, element, members, text};

    #[test]
    fn an_element_is_found_in_an_answer() {
        let xml = "<R><Result><Account>111122223333</Account>\n</Result></R>";
        assert_eq!(text(xml, "Account").as_deref(), Some("111122223333"));
        assert_eq!(content(xml, "Arn"), None);
    }

    #[test]
    fn text_comes_back_as_it_was_written() {
        let policy = r#"{"a":"<b> & 'c' &lt;"}"#;
        assert_eq!(text(&element("P", policy), "P").as_deref(), Some(policy));
    }

    #[test]
    fn the_members_of_a_list_are_read_one_by_one() {
        let xml = "<L><PolicyNames><member>a</member> <member>b</member></PolicyNames><member>c</member></L>";
        assert_eq!(members(xml, "PolicyNames"), ["a", "b"]);
        assert!(members("<PolicyNames/>", "PolicyNames").is_empty());
    }
}
