//! IAM's access-denied grammar.
//!
//! Documented in the IAM User Guide ("Troubleshoot access denied error messages"): *principal* `is
//! not authorized to perform:` *action* `on resource:` *resource*, then `because no` *type* `policy
//! allows the` *action* `action` or `with an explicit deny in a` *type* `policy`, since 2025 with
//! the ARN of the denying policy. Services leave parts out, so every part is optional here. AWS
//! Backup also says `is not authorized to call` *action*, and its own `Access Denied trying to call
//! AWS Backup service` (documented) may go on in IAM's words (inferred).

use super::policy_type::{self, PolicyType};
use super::text;
use super::verb::Verb;
use super::words::{self, Word, Words, bare, is_one_of};

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
    /// The policy type behind a VPC endpoint policy: "… transitively through a service control
    /// policy".
    pub through: Option<PolicyType>,
}

/// A message tells of few denials; what follows is not read as grammar.
const MOST_DENIALS: usize = 4;

/// A denial and the verb that it was read at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sentence<'m> {
    pub(super) denial: AccessDenial<'m>,
    pub(super) verb: Verb,
    /// Whether the text goes on with a Deny as one of several things that KMS doesn't tell apart:
    /// "no resource-based policies allow access, or a resource-based policy explicitly denies
    /// access" (seen).
    pub(super) leaves_a_deny_open: bool,
}

/// The access-denied sentences of a message, in their order. `anchors` says where each `to perform`
/// or `to call` ends.
pub(super) fn parse(message: &str, anchors: impl IntoIterator<Item = usize>) -> Vec<Sentence<'_>> {
    let mut sentences = Vec::new();
    let mut tells_of_refused_call = false;
    for end in anchors {
        let Some(verb) = Verb::ending_at(message, end) else {
            continue;
        };
        let denial = match unauthorized(message, verb, end) {
            Some(denial) => denial,
            // Once alone: the rest of the message is read each time.
            None if !tells_of_refused_call && is_refused_call(message, verb, end) => {
                tells_of_refused_call = true;
                let Some(denial) = refused_call(message, end) else {
                    continue;
                };
                denial
            }
            None => continue,
        };
        sentences.push(Sentence {
            denial,
            verb,
            leaves_a_deny_open: false,
        });
        if sentences.len() == MOST_DENIALS {
            break;
        }
    }
    sentences
}

/// `is not authorized to` *verb* *action*, and what follows.
fn unauthorized(message: &str, verb: Verb, end: usize) -> Option<AccessDenial<'_>> {
    let principal = refused(message, end - verb.word().len())?;
    let (action, words) = read_action(after_verb(message, end)?);
    if verb == Verb::Call && action.is_none() {
        return None;
    }
    let mut denial = AccessDenial {
        principal,
        action,
        ..AccessDenial::default()
    };
    read_rest(message, words, &mut denial);
    (denial != AccessDenial::default()).then_some(denial)
}

/// Whether this is the `call` of `Access Denied trying to call`.
fn is_refused_call(message: &str, verb: Verb, end: usize) -> bool {
    let before = message.get(..end - verb.word().len());
    let Some(before) = before.filter(|_| verb == Verb::Call) else {
        return false;
    };
    let mut back = words::words_back(before).skip_while(|word| is_one_of(word, "to|when|while"));
    let is = |word: Option<&str>, known: &str| word.is_some_and(|word| is_one_of(word, known));
    if !is(back.next(), "trying") {
        return false;
    }
    let mut back = back.skip_while(|word| is_one_of(word, "when|while"));
    is(back.next(), "denied")
        && !back
            .take(2)
            .any(|word| is_negation(word) || is_one_of(word, "never"))
}

/// The rest of `Access Denied trying to call AWS Backup service` in IAM's words, where it names a
/// type of policy that isn't the resource's: that one is the vault's, which the words stand for
/// anyway.
fn refused_call(message: &str, end: usize) -> Option<AccessDenial<'_>> {
    let mut words = after_verb(message, end)?;
    let mut service = words.find(|word| !word.is_any("the|aws|amazon"))?;
    if service.is("backup") {
        service = words.next()?;
    } else {
        return None;
    }
    if !bare(service.text).eq_ignore_ascii_case("service") {
        return None;
    }
    let mut denial = AccessDenial::default();
    read_rest(message, words, &mut denial);
    denial
        .policy_type
        .filter(|found| *found != PolicyType::Resource)
        .map(|_| denial)
}

const FILLERS: &str =
    "is|are|was|were|does|do|did|have|has|the|sufficient|required|necessary|currently|been|enough";

/// Reads backwards from the verb: `is not authorized to`, `does not have permission to`. The outer
/// value says whether a refusal stands there, the inner one names the principal.
#[expect(
    clippy::option_option,
    reason = "no refusal and a refusal of nobody in particular differ"
)]
fn refused(message: &str, verb: usize) -> Option<Option<&str>> {
    let before = message.get(..verb)?;
    if !words::ends_with_space(before) {
        return None;
    }
    let mut back = words::words_back(before);
    if !back.next()?.eq_ignore_ascii_case("to") {
        return None;
    }
    let verbs = "authorized|authorised|permitted|allowed|permission|permissions";
    if !is_one_of(back.next()?, verbs) {
        return None;
    }
    let mut negated = false;
    let mut principal = None;
    for _ in 0..8 {
        let Some(word) = back.next() else { break };
        if is_negation(word) {
            negated = true;
        } else if !is_one_of(word, FILLERS) {
            let labelled = back.next().is_some_and(|label| label.ends_with(':'));
            principal = as_principal(word, labelled);
            break;
        }
    }
    negated.then_some(principal)
}

fn is_negation(word: &str) -> bool {
    is_one_of(word, "not|no|lacks|lack|without|cannot")
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
    let glued = word
        .split_once(':')
        .filter(|(label, name)| is_label(label) && !name.is_empty());
    let word = glued.map_or(word, |(_, name)| name);
    let word = text::find(word, "arn:", 0).map_or(Some(word), |at| word.get(at..))?;
    let word = bare(word);
    let named = word.contains(':') || word.contains('.') || word.contains('/');
    let name = (named || labelled || glued.is_some()) && !is_label(word) && !word.is_empty();
    name.then_some(word)
}

fn is_label(word: &str) -> bool {
    is_one_of(word, "user|role|you|principal|service|caller")
}

/// The words after `perform` or `perform:`; nothing for `performing`.
fn after_verb(message: &str, end: usize) -> Option<Words<'_>> {
    let rest = message.get(end..)?;
    match rest.chars().next() {
        None => Some(Words::from(message, end)),
        Some(':') => Some(Words::from(message, end + 1)),
        Some(next) if words::is_space(next) || next == '\\' => {
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

/// The action that the next words name, and the words behind it.
fn read_action(words: Words<'_>) -> (Option<&str>, Words<'_>) {
    let mut after = words;
    for _ in 0..4 {
        let Some(word) = after.next() else { break };
        if let Some(action) = as_action(word.text) {
            return (Some(action), after);
        }
        if !word.is_any("the|following|action|action:|actions:|operation|operation:|:") {
            break;
        }
    }
    (None, words)
}

fn read_rest<'m>(message: &'m str, mut words: Words<'m>, denial: &mut AccessDenial<'m>) {
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
        } else if !is_negation(before)
            && let Some(rest) = after_explicit(word, words)
        {
            denial.explicit = true;
            read_explicit(rest, denial);
            return;
        } else if word.is_any("because|no|none") {
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
    before.eq_ignore_ascii_case("to") && text::starts_with(word.text, Verb::Perform.word())
}

/// The words behind `explicit deny`, also with quotes in it, or as one word.
fn after_explicit<'m>(word: Word<'m>, mut rest: Words<'m>) -> Option<Words<'m>> {
    let word = bare(word.text);
    if ["explicit-den", "explicit_den", "explicitden"]
        .iter()
        .any(|start| text::starts_with(word, start))
    {
        return Some(rest);
    }
    let next = text::starts_with(word, "explicit").then(|| rest.next())??;
    text::starts_with(bare(next.text), "den").then_some(rest)
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
        if word.is_any("resource:|resources:|resource(s):|:") {
            labelled = true;
        } else if !word.is_any("this|the|following|any|resource|resources") {
            break;
        }
        words = after;
    }
    let mut after = words;
    let word = after.next()?;
    if word.is_any("because|with|due|and|as|since") || word.text.starts_with("(Service") {
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
    if is_one_of(name, "role|user|group|policy") {
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

/// The text in double quotes, perhaps escaped, that starts at this word, and where it ends. It may
/// hold spaces.
fn quoted<'m>(message: &'m str, word: Word<'m>) -> Option<(&'m str, usize)> {
    const LONGEST: usize = 2_048;
    let slashes = words::backslashes(word.text.bytes());
    let inside = word.start + slashes + 1;
    if !word.text.get(slashes..)?.starts_with('"') {
        return None;
    }
    let tail = message.get(inside..)?;
    let limit = tail.floor_char_boundary(LONGEST);
    let length = tail.get(..limit)?.find('"')?;
    let inner = tail.get(..length)?.trim_end_matches('\\').trim();
    (!inner.is_empty()).then_some((inner, inside + length + 1))
}

/// Reads on after `explicit deny`: `in a service control policy: arn:…`.
fn read_explicit<'m>(words: Words<'m>, denial: &mut AccessDenial<'m>) {
    let mut rest = words;
    let leads_on = rest.next().is_some_and(|word| word.is_any("in|by|from|of"));
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
            denial.policy_arn = Some(bare(arn));
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

/// Reads on after `because no identity-based`: `policy allows the backup:CopyIntoBackupVault
/// action`.
fn read_implicit<'m>(words: Words<'m>, denial: &mut AccessDenial<'m>) {
    if denial.action.is_some() {
        return;
    }
    denial.action = words
        .take(5)
        .skip_while(|word| !word.is_any("allows|allow"))
        .find_map(|word| as_action(word.text));
}
