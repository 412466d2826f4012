//! A diff of pretty-printed JSON, shortened for a terminal.

/// The changed lines of a unified diff. What nests is joined on one line where it fits into
/// `width`; the indentation that all lines share is dropped. Context and line numbers are left out:
/// the e-mail and the JSON have them.
pub(super) fn fold(diff: &str, width: usize) -> Vec<String> {
    let mut changed: Vec<&str> = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']))
        .collect();
    // An element added to a list shows as the end of the one before, its own beginning, and no end.
    if let [first, second, ..] = changed.as_slice()
        && (
            first.trim_start_matches(['+', ' ']),
            second.trim_start_matches(['+', ' ']),
        ) == ("},", "{")
        && let Some(end) = first.strip_suffix(',')
    {
        changed.remove(0);
        changed.push(end);
    }
    let shared = changed
        .iter()
        .map(|line| indent(line))
        .min()
        .unwrap_or_default();
    let lines: Vec<String> = changed
        .iter()
        .map(|line| {
            let (sign, rest) = line.split_at_checked(1).unwrap_or((line, ""));
            format!("{sign} {}", rest.get(shared..).unwrap_or_default())
        })
        .collect();
    let mut folded = Vec::new();
    let mut rest = lines.as_slice();
    while let [first, tail @ ..] = rest {
        if let Some((joined, length)) = join(first, tail, width) {
            folded.push(joined);
            rest = tail.get(length..).unwrap_or_default();
        } else {
            folded.push(first.clone());
            rest = tail;
        }
    }
    folded
}

/// How many spaces follow the sign.
fn indent(line: &str) -> usize {
    line.bytes()
        .skip(1)
        .take_while(|byte| *byte == b' ')
        .count()
}

/// The line joined with all that nests in it, and how many lines that took. None if it doesn't fit
/// or opens nothing.
fn join(first: &str, tail: &[String], width: usize) -> Option<(String, usize)> {
    let opens_object = first.ends_with('{');
    if !opens_object && !first.ends_with('[') {
        return None;
    }
    let sign = first.chars().next()?;
    let mut joined = first.to_owned();
    for (number, line) in tail.iter().enumerate() {
        if !line.starts_with(sign) {
            return None;
        }
        let text = line.get(1..)?.trim_start();
        let closes = indent(line) == indent(first) && text.starts_with(['}', ']']);
        let tight = joined.ends_with('[') || text.starts_with(']');
        if !tight {
            joined.push(' ');
        }
        joined.push_str(text);
        if joined.chars().count() > width {
            return None;
        }
        if closes {
            return Some((joined, number + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: &str =
        r#"{"A":1,"B":[{"C":{"D":["x","y"]},"E":"a long text that needs its own line"}],"F":{}}"#;

    #[test]
    fn nested_values_are_joined_where_they_fit() {
        let lines = fold(&copymend_policy::diff(None, AFTER), 48);
        assert_eq!(
            lines,
            [
                "+ {",
                r#"+   "A": 1,"#,
                r#"+   "B": ["#,
                "+     {",
                r#"+       "C": { "D": ["x", "y"] },"#,
                r#"+       "E": "a long text that needs its own line""#,
                "+     }",
                "+   ],",
                r#"+   "F": {}"#,
                "+ }",
            ]
        );
    }

    #[test]
    fn only_what_changed_is_shown() {
        let before = r#"{"A":1,"B":[{"C":1}]}"#;
        let after = r#"{"A":1,"B":[{"C":1},{"C":2},{"C":3}]}"#;
        let diff = copymend_policy::diff(Some(before), after);
        assert_eq!(fold(&diff, 80), [r#"+ { "C": 2 },"#, r#"+ { "C": 3 }"#]);
    }
}
