//! IAM's access-denied grammar.
//!
//! Documented in the IAM User Guide ("Troubleshoot access denied error messages"): *principal* `is not authorized to
//! perform:` *action* `on resource:` *resource*, then `because no` *type* `policy allows the` *action* `action` or `with an
//! explicit deny in a` *type* `policy`, since 2025 with the ARN of the denying policy. Services leave parts out, so every
//! part is optional here.

use super::policy_type::{self, PolicyType};
use super::text::{self, Word, Words, bare};

/// An access-denied sentence. The texts are slices of the message without quotes and closing marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessDenial<'m> {
    /// Who was refused: an ARN, or a service such as `backup.amazonaws.com`.
    pub principal: Option<&'m str>,
    /// The action, such as `backup:CopyIntoBackupVault`.
    pub action: Option<&'m str>,
    /// The resource.
    pub resource: Option<&'m str>,
    /// The policy type that refused.
    pub policy_type: Option<PolicyType>,
    /// Whether a Deny statement refused, as against no Allow.
    pub explicit: bool,
    /// The ARN of the denying policy.
    pub policy_arn: Option<&'m str>,
    /// The policy type behind a VPC endpoint policy: "… transitively through a service control policy".
    pub through: Option<PolicyType>,
}

/// A message tells of few denials; what follows is not read as grammar.
const MOST_DENIALS: usize = 4;

/// The access-denied sentences of a message, in their order. `anchors` says where each `to perform` ends.
pub(super) fn parse(
    message: &str,
    anchors: impl IntoIterator<Item = usize>,
) -> Vec<AccessDenial<'_>> {
    let mut denials = Vec::new();
    for end in anchors {
        let Some(principal) = refused(message, end.saturating_sub(PERFORM.len())) else {
            continue;
        };
        let Some(words) = after_perform(message, end) else {
            continue;
        };
        let mut denial = AccessDenial {
            principal,
            ..AccessDenial::default()
        };
        read_rest(message, words, &mut denial);
        if denial != AccessDenial::default() {
            denials.push(denial);
            if denials.len() == MOST_DENIALS {
                break;
            }
        }
    }
    denials
}

const PERFORM: &str = "perform";

/// Where each `perform` of a message ends: for a message that is not plain.
pub(super) fn anchors(message: &str) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let end = text::find(message, PERFORM, from)? + PERFORM.len();
        from = end;
        Some(end)
    })
}

const FILLERS: &[&str] = &[
    "is",
    "are",
    "was",
    "were",
    "does",
    "do",
    "did",
    "have",
    "has",
    "the",
    "sufficient",
    "required",
    "necessary",
    "currently",
    "been",
    "enough",
];

/// Reads backwards from `perform`: `is not authorized to`, `does not have permission to`. The outer value says whether a
/// refusal stands there, the inner one names the principal.
#[expect(
    clippy::option_option,
    reason = "no refusal and a refusal of nobody in particular differ"
)]
fn refused(message: &str, perform: usize) -> Option<Option<&str>> {
    let before = message.get(..perform)?;
    if !before.ends_with(char::is_whitespace) {
        return None;
    }
    let mut back = text::words_back(before);
    if !back.next()?.eq_ignore_ascii_case("to") {
        return None;
    }
    let verb = back.next()?;
    let verbs = [
        "authorized",
        "authorised",
        "permitted",
        "allowed",
        "permission",
        "permissions",
    ];
    if !verbs.iter().any(|known| verb.eq_ignore_ascii_case(known)) {
        return None;
    }
    let mut negated = false;
    let mut principal = None;
    for _ in 0..8 {
        let Some(word) = back.next() else { break };
        if is_negation(word) {
            negated = true;
        } else if !FILLERS
            .iter()
            .any(|filler| word.eq_ignore_ascii_case(filler))
        {
            let labelled = back.next().is_some_and(|label| label.ends_with(':'));
            principal = as_principal(word, labelled);
            break;
        }
    }
    negated.then_some(principal)
}

fn is_negation(word: &str) -> bool {
    ["not", "no", "lacks", "lack", "without", "cannot"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
        || word
            .get(word.len().saturating_sub(2)..)
            .is_some_and(|end| end.eq_ignore_ascii_case("'t"))
        || word.ends_with("\u{2019}t")
}

fn as_principal(word: &str, labelled: bool) -> Option<&str> {
    if word.ends_with('.') {
        return None;
    }
    let word = bare(word);
    let word = text::find(word, "arn:", 0).map_or(Some(word), |at| word.get(at..))?;
    let named = word.contains(':') || word.contains('.') || word.contains('/') || labelled;
    let label = ["user", "role", "you", "principal", "service", "caller"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known));
    (named && !label && !word.is_empty()).then_some(word)
}

/// The words after `perform` or `perform:`; nothing for `performing`.
fn after_perform(message: &str, end: usize) -> Option<Words<'_>> {
    let rest = message.get(end..)?;
    match rest.chars().next() {
        None => Some(Words::from(message, end)),
        Some(':') => Some(Words::from(message, end + 1)),
        Some(next) if next.is_whitespace() => {
            let words = Words::from(message, end);
            let mut after = words;
            // `perform : action` with a stray space.
            Some(match after.next() {
                Some(colon) if colon.text == ":" => after,
                _ => words,
            })
        }
        Some('.' | ',' | '"' | '\'' | ')') => Some(Words::from(message, end + 1)),
        Some(_) => None,
    }
}

fn read_rest<'m>(message: &'m str, mut words: Words<'m>, denial: &mut AccessDenial<'m>) {
    let mut after = words;
    for _ in 0..4 {
        let Some(word) = after.next() else { break };
        if let Some(action) = as_action(word.text) {
            denial.action = Some(action);
            words = after;
            break;
        }
        if !word.is_any(&[
            "the",
            "following",
            "action",
            "action:",
            "actions:",
            "operation",
            "operation:",
            ":",
        ]) {
            break;
        }
    }
    let mut before = "";
    while let Some(word) = words.next() {
        if denial.resource.is_none()
            && word.is("on")
            && let Some((resource, rest)) = as_resource(message, words)
        {
            denial.resource = Some(resource);
            words = rest;
        } else if is_next_sentence(word, before) {
            return;
        } else if is_explicit(word, words) && !is_negation(before) {
            denial.explicit = true;
            let mut rest = words;
            rest.next();
            read_explicit(rest, denial);
            return;
        } else if word.is("because") || word.is("no") {
            let mut rest = words;
            if let Some(found) = policy_type::read(&mut rest) {
                denial.policy_type = Some(found);
                read_implicit(rest, denial);
                return;
            }
        }
        before = word.text;
    }
}

fn is_next_sentence(word: Word<'_>, before: &str) -> bool {
    before.eq_ignore_ascii_case("to") && text::starts_with(word.text, "perform")
}

fn is_explicit(word: Word<'_>, mut rest: Words<'_>) -> bool {
    text::starts_with(word.text, "explicit")
        && rest
            .next()
            .is_some_and(|next| text::starts_with(next.text, "den"))
}

/// `service:Action`, or nothing.
fn as_action(word: &str) -> Option<&str> {
    let word = bare(word);
    let (service, action) = word.split_once(':')?;
    let service_like = !service.is_empty()
        && service
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !service.eq_ignore_ascii_case("arn");
    let action_like = !action.is_empty()
        && action
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'_'));
    (service_like && action_like).then_some(word)
}

/// The resource after `on`, and the words behind it.
fn as_resource<'m>(message: &'m str, words: Words<'m>) -> Option<(&'m str, Words<'m>)> {
    let mut words = words;
    let mut labelled = false;
    for _ in 0..4 {
        let mut after = words;
        let word = after.next()?;
        if let Some(glued) = after_label(word) {
            return Some((glued, after));
        }
        if word.is_any(&["resource:", "resources:", "resource(s):", ":"]) {
            labelled = true;
        } else if !word.is_any(&["this", "the", "following", "any", "resource", "resources"]) {
            break;
        }
        words = after;
    }
    let mut after = words;
    let word = after.next()?;
    if word.is_any(&["because", "with", "due", "and", "as", "since"])
        || word.text.starts_with("(Service")
    {
        return None;
    }
    if let Some((inner, end)) = quoted(message, word) {
        return Some((inner, Words::from(message, end)));
    }
    let name = bare(word.text);
    if name.is_empty() || !(labelled || text::starts_with(name, "arn:")) {
        return None;
    }
    // IAM's older form: `on resource: role Name`.
    if ["role", "user", "group", "policy"]
        .iter()
        .any(|kind| name.eq_ignore_ascii_case(kind))
    {
        let next = after.next()?;
        let end = next.start + bare(next.text).len();
        return message.get(word.start..end).map(|span| (span, after));
    }
    Some((name, after))
}

/// `resource:arn…` without a space.
fn after_label(word: Word<'_>) -> Option<&str> {
    let (label, rest) = word.text.split_once(':')?;
    let name = bare(rest);
    (label.eq_ignore_ascii_case("resource") && !name.is_empty()).then_some(name)
}

/// The text in double quotes that starts at this word, which may hold spaces, and where it ends.
fn quoted<'m>(message: &'m str, word: Word<'m>) -> Option<(&'m str, usize)> {
    const LONGEST: usize = 2_048;
    let inside = word.start + 1;
    if !word.text.starts_with('"') {
        return None;
    }
    let tail = message.get(inside..)?;
    let limit = tail.floor_char_boundary(LONGEST);
    let length = tail.get(..limit)?.find('"')?;
    let inner = tail.get(..length)?.trim();
    (!inner.is_empty()).then_some((inner, inside + length + 1))
}

/// Reads on after `explicit deny`: `in a service control policy: arn:…`.
fn read_explicit<'m>(words: Words<'m>, denial: &mut AccessDenial<'m>) {
    let mut rest = words;
    let leads_on = rest
        .next()
        .is_some_and(|word| word.is_any(&["in", "by", "from", "of"]));
    if !leads_on {
        return;
    }
    denial.policy_type = policy_type::read(&mut rest);
    if denial.policy_type.is_some() {
        read_policy_arn(rest, denial);
    }
}

fn read_policy_arn<'m>(words: Words<'m>, denial: &mut AccessDenial<'m>) {
    let mut words = words;
    for _ in 0..5 {
        let Some(word) = words.next() else { return };
        let name = bare(word.text);
        if let Some(arn) = text::find(name, "arn:aws", 0).and_then(|at| name.get(at..)) {
            denial.policy_arn = Some(arn);
            return;
        }
        if word.is("transitively") {
            denial.through = policy_type::read(&mut words);
        }
        if word.text.ends_with('.') {
            return;
        }
    }
}

/// Reads on after `because no identity-based`: `policy allows the backup:CopyIntoBackupVault action`.
fn read_implicit<'m>(words: Words<'m>, denial: &mut AccessDenial<'m>) {
    if denial.action.is_some() {
        return;
    }
    denial.action = words
        .take(5)
        .skip_while(|word| !word.is_any(&["allows", "allow"]))
        .find_map(|word| as_action(word.text));
}
