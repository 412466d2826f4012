//! What keeps AWS from storing a policy, and who may put it: steps before, or instead of, the put.

use copymend_policy::{
    Effect, PolicyDocument, PolicyOwner, Statement, Unstorable, WhyUnstorable, unstorable,
};
use serde_json::Value;

use super::text::{list, quoted};

/// No more statements than this are told of.
const MOST: usize = 5;
/// The write of a key's policy.
const PUT_KEY_POLICY: &str = "kms:PutKeyPolicy";

fn named(place: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("statement {place} (Sid {})", quoted(sid)),
        None => format!("statement {place}"),
    }
}

/// What must be cleaned before AWS takes the policy, whatever is added to it.
pub(crate) fn to_clean(policy: &PolicyDocument, owner: PolicyOwner) -> Vec<String> {
    let found = unstorable(policy, owner).take(MOST);
    found.map(|found| clean(&found)).collect()
}

fn clean(found: &Unstorable<'_>) -> String {
    let statement = named(found.place, found.sid);
    let before = format!("Clean {statement} in policy.json before the policy is written back:");
    match found.why {
        WhyUnstorable::DeletedPrincipal(id) => format!(
            "{before} it names {}, which AWS leaves of a role or user that was deleted, and AWS takes no policy that holds it. Take this \
             principal out, and the whole statement where it is the only one. Ask first whether a role of that name was created anew and \
             should be named by its ARN instead.",
            quoted(id)
        ),
        WhyUnstorable::AllowsByNotPrincipal => format!(
            "{before} it allows with NotPrincipal, so everybody but those it names, and AWS takes no such policy. Name in Principal those \
             who are meant, or take the statement out. Ask its author first."
        ),
        WhyUnstorable::WildcardInAction(action) => format!(
            "{before} it has the action {}, and AWS Backup takes no vault policy with a wildcard in an action. Name each action that is \
             meant. Ask its author first, and keep what a Deny denies.",
            quoted(action)
        ),
    }
}

/// The codes with which AWS refuses a policy for what it holds (API references of AWS Backup and AWS
/// KMS, documented).
const REFUSED_FOR_CONTENT: [&str; 2] = [
    "InvalidParameterValueException",
    "MalformedPolicyDocumentException",
];

/// What comes before everything else where AWS refused a put of this policy for what it holds.
/// `detail` is AWS's code and words. AWS refuses a principal that doesn't exist or whose account is
/// closed, and need not say which (seen).
#[must_use]
pub fn steps_after_refused_put(policy: Option<&PolicyDocument>, detail: &str) -> Vec<String> {
    if !REFUSED_FOR_CONTENT
        .iter()
        .any(|code| detail.starts_with(code))
    {
        return Vec::new();
    }
    let lower = detail.to_ascii_lowercase();
    let principals: Vec<(String, Vec<String>)> = (1_usize..)
        .zip(policy.into_iter().flat_map(PolicyDocument::statements))
        .map(|(place, statement)| (named(place, statement.sid()), aws_principals(statement)))
        .collect();
    let is_of_principal = lower.contains("principal") && lower.contains("valid");
    if is_of_principal {
        let told: Vec<String> = principals
            .iter()
            .filter_map(|(statement, names)| {
                let name = names.iter().find(|name| holds(detail, name))?;
                Some(format!(
                    "Clean {statement} in policy.json before the policy is written back: AWS refused to store the policy because it knows no \
                     such principal as {}. It may be deleted, or its account closed. Take it out, and the whole statement where it is the \
                     only one. Ask the statement's author first.",
                    quoted(name)
                ))
            })
            .take(MOST)
            .collect();
        if !told.is_empty() {
            return told;
        }
    }
    if is_of_principal && !detail.contains("arn:") {
        let all: Vec<String> = principals
            .iter()
            .filter_map(|(statement, names)| {
                let shown: Vec<String> = names.iter().take(MOST).map(|name| quoted(name)).collect();
                (!shown.is_empty()).then(|| format!("{statement} names {}", list(&shown)))
            })
            .take(MOST)
            .collect();
        if !all.is_empty() {
            return vec![format!(
                "AWS refused to store the policy because it doesn't know one of its principals, and does not say which: {}. See whether each \
                 exists and its account is open. Take those out that AWS no longer knows before the policy is written back, and ask the \
                 statement's author first.",
                list(&all)
            )];
        }
    }
    vec![format!(
        "AWS refused to store the policy: {}. Correct in policy.json what it speaks of before the policy is written back, or AWS refuses it \
         again.",
        quoted(detail)
    )]
}

/// Whether a text holds a name, and not only the beginning of a longer one.
fn holds(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, found)| {
        let after = text
            .get(at + found.len()..)
            .and_then(|rest| rest.chars().next());
        let before = text.get(..at).and_then(|start| start.chars().next_back());
        let is_part = |next: char| next.is_alphanumeric() || "/-_:+=@".contains(next);
        !after.is_some_and(is_part) && !before.is_some_and(|c| c.is_alphanumeric() || c == ':')
    })
}

/// The names under `AWS` in `Principal` or `NotPrincipal`, but `*`.
fn aws_principals(statement: &Statement) -> Vec<String> {
    let Ok(statement) = serde_json::from_str::<Value>(statement.as_str()) else {
        return Vec::new();
    };
    let principal = statement
        .get("Principal")
        .or_else(|| statement.get("NotPrincipal"));
    let names = strings(principal.and_then(|principal| principal.get("AWS")));
    names.into_iter().filter(|name| name != "*").collect()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let values = match value {
        None => &[][..],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    };
    values
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

/// Who may put a key's policy, as far as its statements limit that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Putters {
    /// Whom the account's own policies let.
    NotLimited,
    /// Nobody: not the account's root user either, whom a key policy must name as any other (AWS KMS
    /// developer guide, "Default key policy", documented).
    Nobody,
    /// At most these.
    AtMost(Vec<String>),
}

/// Who may put this policy of a key. A statement whose meaning isn't plain limits nobody.
pub(crate) fn putters(policy: &PolicyDocument) -> Putters {
    let of_put = policy
        .statements()
        .iter()
        .filter(|statement| statement.covers(PUT_KEY_POLICY));
    let (allows, denies): (Vec<_>, Vec<_>) =
        of_put.partition(|statement| statement.effect() == Effect::Allow);
    if allows.is_empty() {
        return Putters::Nobody;
    }
    let mut at_most = named_alone(&allows);
    for spared in denies.into_iter().filter_map(spared_by) {
        if spared.is_empty() {
            return Putters::Nobody;
        }
        // Where a list holds patterns, no name need stand in both.
        let mut both = spared.clone();
        both.retain(|name| at_most.as_ref().is_none_or(|most| most.contains(name)));
        at_most = Some(if both.is_empty() { spared } else { both });
    }
    at_most.map_or(Putters::NotLimited, Putters::AtMost)
}

/// The users and roles that the Allows name, where they name no account and nobody by exception.
fn named_alone(allows: &[&Statement]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for allow in allows {
        let names = aws_principals(allow);
        let is_user_or_role = |name: &String| name.contains(":user/") || name.contains(":role/");
        if allow.has_not_principal() || names.is_empty() || !names.iter().all(is_user_or_role) {
            return None;
        }
        all.extend(names);
    }
    all.sort();
    all.dedup();
    Some(all)
}

/// Whom a Deny spares that is plain: for everybody on every resource, without a condition or with a
/// single one on `aws:PrincipalArn`.
fn spared_by(deny: &Statement) -> Option<Vec<String>> {
    let deny = serde_json::from_str::<Value>(deny.as_str()).ok()?;
    let principal = deny.get("Principal")?;
    let everybody =
        principal == "*" || strings(principal.get("AWS")).iter().any(|name| name == "*");
    let everywhere = strings(deny.get("Resource")).iter().any(|one| one == "*");
    if !everybody || !everywhere {
        return None;
    }
    let Some(conditions) = deny.get("Condition").and_then(Value::as_object) else {
        return Some(Vec::new());
    };
    let mut operators = conditions.iter();
    let (Some((operator, keys)), None) = (operators.next(), operators.next()) else {
        return None;
    };
    let is_negated = [
        "ArnNotEquals",
        "ArnNotLike",
        "StringNotEquals",
        "StringNotLike",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(operator));
    let mut keys = keys.as_object()?.iter();
    let (Some((key, values)), None) = (keys.next(), keys.next()) else {
        return None;
    };
    let spared = strings(Some(values));
    let is_plain = is_negated && key.eq_ignore_ascii_case("aws:PrincipalArn");
    (is_plain && !spared.is_empty()).then_some(spared)
}

impl Putters {
    /// What comes first where nobody may put the policy.
    pub(crate) fn support(&self, account: &str) -> Option<String> {
        match self {
            Self::Nobody => Some(format!(
                "Nobody can change this key policy: it lets no principal call {PUT_KEY_POLICY}, and the root user of account {account} is no \
                 exception. Open a case with AWS Support from account {account} to regain access to the key. What follows can be done only \
                 after that; or make the backup under another key."
            )),
            Self::NotLimited | Self::AtMost(_) => None,
        }
    }

    /// As whom the policy is put.
    pub(crate) fn put_as(&self) -> Option<String> {
        match self {
            Self::AtMost(names) => {
                let shown: Vec<String> = names.iter().take(MOST).map(|name| quoted(name)).collect();
                Some(format!(
                    "Write the policy back as {}: the key policy lets nobody else call {PUT_KEY_POLICY}. Whoever may act as that principal \
                     takes the next step.",
                    shown.join(" or ")
                ))
            }
            Self::NotLimited | Self::Nobody => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const ADMIN: &str = "arn:aws:iam::111122223333:role/KeyAdmin";

    fn policy(statements: &Value) -> PolicyDocument {
        let text = json!({ "Version": "2012-10-17", "Statement": statements });
        PolicyDocument::parse(&text.to_string()).unwrap()
    }

    fn statement(effect: &str, element: &str, who: &str, action: &str) -> Value {
        json!({ "Sid": "One", "Effect": effect, element: { "AWS": who }, "Action": action, "Resource": "*" })
    }

    #[test]
    fn what_aws_takes_no_policy_with_is_named_with_its_statement() {
        let found = policy(&json!([
            statement(
                "Allow",
                "Principal",
                "AROAEXAMPLEEXAMPLE111",
                "backup:CopyIntoBackupVault"
            ),
            statement("Allow", "NotPrincipal", ROOT, "backup:CopyIntoBackupVault"),
            statement("Deny", "Principal", ROOT, "backup:*"),
            statement("Allow", "Principal", ROOT, "backup:CopyIntoBackupVault"),
        ]));
        let steps = to_clean(&found, PolicyOwner::Vault);
        let words = ["`AROAEXAMPLEEXAMPLE111`", "NotPrincipal", "`backup:*`"];
        assert_eq!(steps.len(), words.len());
        for ((place, step), word) in (1..).zip(&steps).zip(words) {
            let start = format!("Clean statement {place} (Sid `One`) in policy.json");
            assert!(step.starts_with(&start) && step.contains(word), "{step}");
        }
        assert_eq!(to_clean(&found, PolicyOwner::Key).len(), 2);
    }

    #[test]
    fn a_principal_that_aws_refused_is_named_with_its_statement() {
        let closed = "arn:aws:iam::444444444444:root";
        let mut bare = statement("Allow", "Principal", closed, "backup:CopyIntoBackupVault");
        bare.as_object_mut().unwrap().remove("Sid");
        let found = policy(&json!([
            statement("Allow", "Principal", ROOT, "backup:CopyIntoBackupVault"),
            bare
        ]));
        let refused = "InvalidParameterValueException: Provided principal is not valid";
        let named = steps_after_refused_put(Some(&found), &format!("{refused}: {closed}"));
        assert_eq!(named.len(), 1);
        assert!(
            named[0].starts_with("Clean statement 2 in policy.json"),
            "{named:?}"
        );
        assert!(named[0].contains(&format!("`{closed}`")), "{named:?}");
        // Without a name each may be it.
        let open = steps_after_refused_put(Some(&found), refused);
        for part in [
            format!("statement 1 (Sid `One`) names `{ROOT}`"),
            format!("statement 2 names `{closed}`"),
        ] {
            assert!(open[0].contains(&part), "{open:?}");
        }
        // One that isn't in the policy is no statement's of it.
        let other = steps_after_refused_put(Some(&found), &format!("{refused}: {closed}ed"));
        assert!(
            other[0].starts_with("AWS refused to store the policy: `Invalid"),
            "{other:?}"
        );
        let malformed = "MalformedPolicyDocumentException: `x`\nrm";
        let shown = steps_after_refused_put(None, malformed);
        assert!(shown.len() == 1 && !shown[0].contains('\n'), "{shown:?}");
        let denied = "AccessDeniedException: no principal is valid";
        assert_eq!(
            steps_after_refused_put(Some(&found), denied),
            Vec::<String>::new()
        );
    }

    #[test]
    fn who_may_put_a_key_policy_is_told_where_it_is_plain() {
        let put = "kms:PutKeyPolicy";
        let owner = || statement("Allow", "Principal", ROOT, "kms:*");
        let deny = |condition: Value| {
            let mut deny = statement("Deny", "Principal", "*", put);
            deny["Condition"] = condition;
            deny
        };
        let admin = || Putters::AtMost(vec![ADMIN.to_owned()]);
        let only = json!({ "ArnNotLike": { "aws:principalarn": ADMIN } });
        let two = json!({ "ArnNotLike": { "aws:PrincipalArn": ADMIN }, "Bool": { "aws:MultiFactorAuthPresent": "false" } });
        for (statements, expected) in [
            (json!([owner()]), Putters::NotLimited),
            (
                json!([statement("Allow", "Principal", ROOT, "kms:Get*")]),
                Putters::Nobody,
            ),
            (
                json!([statement("Allow", "NotPrincipal", ADMIN, put)]),
                Putters::NotLimited,
            ),
            (
                json!([owner(), statement("Deny", "Principal", "*", put)]),
                Putters::Nobody,
            ),
            (
                json!([owner(), statement("Deny", "Principal", ADMIN, put)]),
                Putters::NotLimited,
            ),
            (json!([owner(), deny(only.clone())]), admin()),
            (
                json!([
                    statement("Allow", "Principal", ADMIN, put),
                    statement(
                        "Allow",
                        "Principal",
                        "arn:aws:iam::111122223333:role/Other",
                        put
                    ),
                    deny(only)
                ]),
                admin(),
            ),
            (json!([owner(), deny(two)]), Putters::NotLimited),
            (
                json!([statement("Allow", "Principal", ADMIN, "kms:Put*")]),
                admin(),
            ),
            (
                json!([owner(), statement("Allow", "Principal", ADMIN, "kms:Put*")]),
                Putters::NotLimited,
            ),
        ] {
            assert_eq!(putters(&policy(&statements)), expected, "{statements}");
        }
    }

    #[test]
    fn whoever_can_put_the_policy_is_named_and_without_anybody_aws_support() {
        let nobody = Putters::Nobody.support("111122223333").unwrap();
        for part in [
            "Nobody can change this key policy",
            "AWS Support",
            "111122223333",
        ] {
            assert!(nobody.contains(part), "{nobody}");
        }
        assert_eq!(Putters::Nobody.put_as(), None);
        let admin = Putters::AtMost(vec![ADMIN.to_owned()]);
        assert!(admin.put_as().unwrap().contains(&format!("as `{ADMIN}`")));
        assert_eq!(admin.support("111122223333"), None);
        assert_eq!(Putters::NotLimited.put_as(), None);
    }
}
