//! AWS KMS answers the lists of a policy's statements in an order of its own, and in another one
//! each time.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The policy's text with the lists of its statements in another order, one for each turn.
/// Everything else keeps its bytes, the order of the statements too. A text that is no JSON comes
/// back as it is.
pub(crate) fn in_another_order(policy: &str, turn: usize) -> String {
    let mut text = String::with_capacity(policy.len());
    let mut written = 0;
    for list in lists(policy) {
        for (place, taken) in list.iter().zip(order(list.len(), turn)) {
            let Some(value) = list.get(taken) else {
                continue;
            };
            text.push_str(policy.get(written..place.start).unwrap_or_default());
            text.push_str(policy.get(value.clone()).unwrap_or_default());
            written = place.end;
        }
    }
    text.push_str(policy.get(written..).unwrap_or_default());
    text
}

/// Which entry comes at each place: turned by one more place each time, and every other round from
/// behind.
fn order(length: usize, turn: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    if length > 0 {
        order.rotate_left(turn % length);
        // Of two entries there are only these two orders.
        if length > 2 && (turn / length) % 2 == 1 {
            order.reverse();
        }
    }
    order
}

type Place = std::ops::Range<usize>;

/// The entries of every list inside a statement, in the order of the text.
fn lists(policy: &str) -> Vec<Vec<Place>> {
    let mut lists = Vec::new();
    let Some(document) = read::<Object<'_>>(policy) else {
        return lists;
    };
    if let Some(statements) = document.0.get("Statement") {
        let statements = match read::<Vec<&RawValue>>(statements.get()) {
            Some(statements) => statements,
            None => vec![*statements],
        };
        for statement in statements {
            collect(policy, statement.get(), &mut lists);
        }
    }
    lists.sort_by_key(|list: &Vec<Place>| list.first().map(|place| place.start));
    lists
}

fn collect(policy: &str, value: &str, lists: &mut Vec<Vec<Place>>) {
    if let Some(object) = read::<Object<'_>>(value) {
        for member in object.0.values() {
            collect(policy, member.get(), lists);
        }
    } else if let Some(list) = read::<Vec<&RawValue>>(value) {
        let entries = list.iter().filter_map(|entry| place(policy, entry.get()));
        lists.push(entries.collect());
    }
}

/// Where a part of the text stands in it.
fn place(whole: &str, part: &str) -> Option<Place> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    Some(start..start.checked_add(part.len())?)
}

#[derive(Deserialize)]
struct Object<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use copymend_policy::PolicyDocument;

    use super::in_another_order;

    const POLICY: &str = r#"{ "Version": "2012-10-17", "Statement": [
      {"Sid": "A", "Effect": "Allow", "Principal": {"AWS": [ "111122223333",
           "444455556666" , "777788889999"]}, "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": ["*"]},
      {"Sid": "B", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
       "Condition": {"StringEquals": {"aws:PrincipalAccount": ["1", "2"]}}}]}"#;

    #[test]
    fn consecutive_reads_differ_and_mean_the_same() {
        let policy: PolicyDocument = POLICY.parse().expect("a policy");
        let mut seen = BTreeSet::new();
        let mut before = POLICY.to_owned();
        for turn in 1..13 {
            let text = in_another_order(POLICY, turn);
            let read: PolicyDocument = text.parse().expect("a policy");
            assert!(read.means_the_same_as(&policy), "{text}");
            assert_eq!(text.len(), POLICY.len());
            assert_ne!(text, before);
            before.clone_from(&text);
            seen.insert(text);
        }
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn what_has_no_lists_keeps_its_bytes() {
        let text = r#"{"Statement": {"Effect":"Allow","Principal":{"AWS":"1"},"Action":"kms:*","Resource":["*"]}}"#;
        assert_eq!(in_another_order(text, 5), text);
        assert_eq!(in_another_order("no policy", 5), "no policy");
    }
}
