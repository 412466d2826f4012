//! What somebody else changed in a policy since our last recorded change of it, as AWS means it.

use copymend_policy::{PolicyDocument, Statement};

use crate::ledger::{Change, LastWrite, Ledger};

/// Our last change of a policy, where it is on record. It is only told to people: where the ledger
/// doesn't tell, they aren't.
pub(crate) async fn last_change<L: Ledger>(ledger: &L, last: Option<&LastWrite>) -> Option<Change> {
    let id = last?.change_id.as_deref()?;
    let change = ledger.change(id).await;
    change.ok().flatten().map(|(change, _)| change)
}

/// One sentence; none where nothing was changed, and where one of the texts can't be read.
pub(crate) fn changed_by_others(ours: &Change, now: Option<&str>) -> Option<String> {
    let resource = &ours.resource;
    let when = format!(
        "since our last recorded change of the policy of `{resource}` ({}, {})",
        ours.id, ours.at
    );
    let after = PolicyDocument::parse(ours.after.as_deref()?).ok()?;
    let Some(now) = now else {
        return Some(format!("{when}, somebody deleted it"));
    };
    let now = PolicyDocument::parse(now).ok()?;
    let (before, now) = (after.statements(), now.statements());
    let is_in = |statements: &[Statement], one: &Statement| {
        statements.iter().any(|other| other.means_the_same_as(one))
    };
    let (mut added, mut changed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for (index, statement) in now.iter().enumerate() {
        if is_in(before, statement) {
            continue;
        }
        let had_it =
            statement.sid().is_some() && before.iter().any(|one| one.sid() == statement.sid());
        let list = if had_it { &mut changed } else { &mut added };
        list.push(name(index, statement));
    }
    for (index, statement) in before.iter().enumerate() {
        let has_it =
            statement.sid().is_some() && now.iter().any(|one| one.sid() == statement.sid());
        if !has_it && !is_in(now, statement) {
            removed.push(name(index, statement));
        }
    }
    let parts: Vec<String> = [("added", added), ("changed", changed), ("removed", removed)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| format!("{verb} {}", names.join(", ")))
        .collect();
    (!parts.is_empty()).then(|| format!("{when}, somebody {}", parts.join("; ")))
}

fn name(index: usize, statement: &Statement) -> String {
    statement.sid().map_or_else(
        || format!("statement {}", index.saturating_add(1)),
        |sid| format!("`{sid}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Grounds;

    fn statement(sid: &str, actions: &str) -> String {
        format!(
            r#"{{"Sid":"{sid}","Effect":"Deny","Principal":"*","Action":{actions},"Resource":"*"}}"#
        )
    }

    fn policy(statements: &[String]) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",")
        )
    }

    fn change(after: &str) -> Change {
        Change {
            id: "job-1".to_owned(),
            resource: "r".to_owned(),
            grantee: "g".to_owned(),
            account: None,
            before: None,
            after: Some(after.to_owned()),
            statements: Vec::new(),
            at: "2026-11-22T12:00:00Z".parse().unwrap(),
            copy_job_id: "job".to_owned(),
            undoes: None,
            allows_again: false,
            made_by: None,
            grounds: Grounds::default(),
        }
    }

    #[test]
    fn what_was_added_changed_and_removed_is_named() {
        let a = statement(
            "A",
            r#"["backup:CopyIntoBackupVault","backup:DeleteRecoveryPoint"]"#,
        );
        let b = statement("B", r#""backup:DeleteRecoveryPoint""#);
        let ours = change(&policy(&[a.clone(), b]));
        let unnamed = r#"{"Effect":"Deny","Principal":"*","Action":"backup:UpdateRecoveryPointLifecycle","Resource":"*"}"#;
        let now = policy(&[
            statement("A", r#""backup:DeleteRecoveryPoint""#),
            statement("C", r#""backup:DeleteRecoveryPoint""#),
            unnamed.to_owned(),
        ]);
        assert_eq!(
            changed_by_others(&ours, Some(&now)).unwrap(),
            "since our last recorded change of the policy of `r` (job-1, 2026-11-22T12:00:00Z), somebody added `C`, statement 3; changed `A`; removed `B`"
        );
        let deleted = changed_by_others(&ours, None).unwrap();
        assert!(deleted.ends_with("somebody deleted it"), "{deleted}");
    }

    #[test]
    fn another_text_of_the_same_meaning_is_no_change() {
        let a = statement(
            "A",
            r#"["backup:CopyIntoBackupVault","backup:DeleteRecoveryPoint"]"#,
        );
        let turned = statement(
            "A",
            r#"["backup:DeleteRecoveryPoint","backup:copyIntoBackupVault"]"#,
        );
        let ours = change(&policy(&[a]));
        assert_eq!(changed_by_others(&ours, Some(&policy(&[turned]))), None);
    }
}
