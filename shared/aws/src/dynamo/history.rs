//! What the ledger knows of one policy: its history, and the refusals that undos left.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::approval::{Answered, ApprovalRequest};
use copymend_remediation::ledger::{Change, Granted, LastWrite, PolicyHistory, Refusal};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use super::DynamoLedger;
use super::items::Items;
use crate::error::Call;
use crate::item::{Item, day, instant, moment, schema, string, text, time, writes_key};

const IN_FORCE: &str = "in-force";
pub(super) const LIFTED: &str = "lifted";
const NO_LATER_WRITE: &str = "attribute_not_exists(last_write) OR last_write <= :at";

pub(super) fn policy_key(resource: &str) -> String {
    format!("policy#{resource}")
}

fn refusal_key(resource: &str, grantee: &str) -> String {
    format!("refusal#{resource}#{grantee}")
}

/// As an element of the set `granted`. Neither a Sid nor an account id has a space.
pub(super) fn granted_text(granted: &Granted) -> String {
    format!("{} {} {}", granted.sid, granted.account, granted.grantee)
}

fn read_granted(text: &str) -> Option<Granted> {
    let mut parts = text.splitn(3, ' ');
    Some(Granted {
        sid: parts.next()?.to_owned(),
        account: parts.next()?.to_owned(),
        grantee: parts.next()?.to_owned(),
    })
}

/// As an element of the set `refusals`. A change's id has no space.
pub(super) fn refusal_text(refusal: &Refusal) -> String {
    format!("{} {}", refusal.change_id, refusal.grantee)
}

fn read_refusal(text: &str) -> Option<Refusal> {
    let (change_id, grantee) = text.split_once(' ')?;
    Some(Refusal {
        change_id: change_id.to_owned(),
        grantee: grantee.to_owned(),
    })
}

/// A string set of an item; empty where it is absent, `None` where it isn't one.
fn set<'i>(item: Option<&'i Item>, name: &str) -> Option<&'i [String]> {
    match item.and_then(|item| item.get(name)) {
        None => Some(&[]),
        Some(AttributeValue::Ss(texts)) => Some(texts),
        Some(_) => None,
    }
}

/// The last write of a policy's item.
fn last_write(item: &Item) -> Option<LastWrite> {
    let sids = item.get("last_sids").and_then(|sids| sids.as_ss().ok());
    let is_undo = item.get("is_last_undo").and_then(|is| is.as_bool().ok());
    Some(LastWrite {
        at: moment(item, "last_write")?,
        sids: sids.cloned().unwrap_or_default(),
        is_undo: is_undo.copied().unwrap_or_default(),
        change_id: text(item, "last_change_id").map(ToOwned::to_owned),
    })
}

/// A policy's history, of items that were read at once.
pub(super) fn read_history(
    items: &Items,
    resource: &str,
    now: Timestamp,
) -> CallResult<PolicyHistory> {
    let history_key = policy_key(resource);
    let writes_key = writes_key(resource, now);
    let policy = items.get(&history_key)?;
    let unreadable = |key: &str, detail| Items::unreadable(key, detail);
    let sids = set(policy, "sids")
        .ok_or_else(|| unreadable(&history_key, "`sids` is not a string set"))?;
    let granted = set(policy, "granted")
        .and_then(|texts| texts.iter().map(|text| read_granted(text)).collect())
        .ok_or_else(|| unreadable(&history_key, "`granted` is not a set of statements"))?;
    let refusals = set(policy, "refusals")
        .and_then(|texts| texts.iter().map(|text| read_refusal(text)).collect())
        .ok_or_else(|| unreadable(&history_key, "`refusals` is not a set of refusals"))?;
    Ok(PolicyHistory {
        sids: sids.to_vec(),
        granted,
        refusals,
        writes_today: items.count(&writes_key)?,
        last_write: policy.and_then(last_write),
    })
}

impl DynamoLedger {
    pub(super) async fn history(
        &self,
        resource: &str,
        now: Timestamp,
    ) -> CallResult<PolicyHistory> {
        let history_key = policy_key(resource);
        let writes_key = writes_key(resource, now);
        let items = self.items_of([&history_key, &writes_key]).await?;
        read_history(&items, resource, now)
    }

    /// A change's part of its policy's item, which doesn't expire: what is refused stays refused.
    /// Without a lease a later change stays the last one: the write holds only where there is none.
    pub(super) fn history_of_change(
        &self,
        change: &Change,
        sids: &[String],
        is_under_a_lease: bool,
    ) -> Result<Update, BuildError> {
        let is_undo = change.undoes.is_some();
        let texts = |texts: Vec<String>| AttributeValue::Ss(texts);
        let granted: Vec<String> = change.granted(sids).iter().map(granted_text).collect();
        let mut update = self
            .update(policy_key(&change.resource))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":at", time(change.at))
            .expression_attribute_values(":change", string(&change.id))
            .expression_attribute_values(":undo", AttributeValue::Bool(is_undo));
        let mut set = "SET last_write = :at, is_last_undo = :undo, last_change_id = :change, \
             #schema = :schema"
            .to_owned();
        let mut remove = "REMOVE expires_at".to_owned();
        let mut changed = Vec::new();
        if sids.is_empty() {
            remove.push_str(", last_sids");
        } else {
            set.push_str(", last_sids = :sids");
            changed.push("sids :sids");
            update = update.expression_attribute_values(":sids", texts(sids.to_vec()));
        }
        if !granted.is_empty() {
            changed.push("granted :granted");
            update = update.expression_attribute_values(":granted", texts(granted));
        }
        let mut expression = format!("{set} {remove}");
        if !changed.is_empty() {
            let verb = if is_undo { "DELETE" } else { "ADD" };
            expression = format!("{expression} {verb} {}", changed.join(", "));
        }
        if let Some(refusal) = change.refusal() {
            expression.push_str(" ADD refusals :refusals");
            let refusals = texts(vec![refusal_text(&refusal)]);
            update = update.expression_attribute_values(":refusals", refusals);
        }
        if !is_under_a_lease {
            update = update.condition_expression(NO_LATER_WRITE);
        }
        update.update_expression(expression).build()
    }

    /// A change's part of its policy's item where a later one is on record: what it added stands,
    /// and takes nothing from the later one.
    pub(super) fn history_of_late_change(
        &self,
        change: &Change,
        sids: &[String],
    ) -> Result<Update, BuildError> {
        let granted: Vec<String> = change.granted(sids).iter().map(granted_text).collect();
        let mut update = self
            .update(policy_key(&change.resource))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema());
        let mut added = Vec::new();
        for (name, value, texts) in [
            ("sids", ":sids", sids.to_vec()),
            ("granted", ":granted", granted),
        ] {
            if !texts.is_empty() {
                added.push(format!("{name} {value}"));
                update = update.expression_attribute_values(value, AttributeValue::Ss(texts));
            }
        }
        let mut expression = "SET #schema = :schema".to_owned();
        if !added.is_empty() {
            expression = format!("{expression} ADD {}", added.join(", "));
        }
        update.update_expression(expression).build()
    }

    /// The refusal that an undo leaves, on record. It doesn't expire. Without a condition of its own:
    /// it goes with the undo, which is the last write of its policy or isn't recorded.
    pub(super) fn refusal_of_change(&self, change: &Change) -> Result<Option<Update>, BuildError> {
        let Some(refusal) = change.refusal() else {
            return Ok(None);
        };
        let mut set = "SET refusal_state = :in_force, policy_of = :policy, grantee = :grantee, change_id = :change, \
                       undone_by = :undo, #schema = :schema, #day = :day, #at = :at"
            .to_owned();
        let mut update = self
            .update(refusal_key(&change.resource, &refusal.grantee))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":day", day(change.at))
            .expression_attribute_values(":at", instant(change.at))
            .expression_attribute_values(":in_force", string(IN_FORCE))
            .expression_attribute_values(":policy", string(&change.resource))
            .expression_attribute_values(":grantee", string(&refusal.grantee))
            .expression_attribute_values(":change", string(&refusal.change_id))
            .expression_attribute_values(":undo", string(&change.id));
        for (name, value, text) in [
            ("account", ":account", &change.account),
            ("made_by", ":by", &change.made_by),
        ] {
            if let Some(text) = text {
                set = format!("{set}, {name} = {value}");
                update = update.expression_attribute_values(value, string(text));
            }
        }
        update.update_expression(set).build().map(Some)
    }

    /// A policy's item with one more refusal. It doesn't expire.
    pub(super) fn policy_with_refusal(&self, pk: String, refusal: &Refusal) -> UpdateBuilder {
        self.update(pk)
            .update_expression("SET #schema = :schema REMOVE expires_at ADD refusals :refusals")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(
                ":refusals",
                AttributeValue::Ss(vec![refusal_text(refusal)]),
            )
    }

    /// The refusal that a no to a plan leaves, on record. It doesn't expire.
    pub(super) fn refusal_of_plan(
        &self,
        resource: &str,
        refusal: &Refusal,
        request: &ApprovalRequest,
        answered: &Answered,
    ) -> UpdateBuilder {
        self.update(refusal_key(resource, &refusal.grantee))
            .update_expression(
                "SET refusal_state = :in_force, policy_of = :policy, grantee = :grantee, change_id = :change, made_by = :by, \
                 account = :account, #schema = :schema, #day = :day, #at = :at REMOVE undone_by, lifted_at, lifted_by",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":day", day(answered.at))
            .expression_attribute_values(":at", instant(answered.at))
            .expression_attribute_values(":in_force", string(IN_FORCE))
            .expression_attribute_values(":policy", string(resource))
            .expression_attribute_values(":grantee", string(&refusal.grantee))
            .expression_attribute_values(":change", string(&refusal.change_id))
            .expression_attribute_values(":by", string(&answered.by))
            .expression_attribute_values(
                ":account",
                string(request.grantee_account().unwrap_or_default()),
            )
    }

    pub(super) async fn lift(
        &self,
        resource: &str,
        refusal: &Refusal,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> CallResult<()> {
        let pk = refusal_key(resource, &refusal.grantee);
        let call = Call::new("dynamodb:TransactWriteItems", &pk);
        let text = refusal_text(refusal);
        let policy = self
            .update(policy_key(resource))
            .condition_expression("contains(refusals, :refusal)")
            .update_expression("DELETE refusals :refusals")
            .expression_attribute_values(":refusal", string(&text))
            .expression_attribute_values(":refusals", AttributeValue::Ss(vec![text]));
        let record: UpdateBuilder = self
            .update(pk)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":at", instant(now))
            .expression_attribute_values(":policy", string(resource))
            .expression_attribute_values(":grantee", string(&refusal.grantee))
            .expression_attribute_values(":change", string(&refusal.change_id))
            .expression_attribute_values(":day", day(now))
            .expression_attribute_values(":lifted", string(LIFTED))
            .expression_attribute_values(":now", time(now));
        // Whole also where the record of the undo is missing.
        let set = "SET refusal_state = :lifted, lifted_at = :now, policy_of = :policy, grantee = :grantee, \
                   change_id = :change, #schema = :schema, #day = :day, #at = if_not_exists(#at, :at)";
        let record = match lifted_by {
            None => record.update_expression(format!("{set} REMOVE lifted_by")),
            Some(by) => record
                .update_expression(format!("{set}, lifted_by = :by"))
                .expression_attribute_values(":by", string(by)),
        };
        let items = policy
            .build()
            .and_then(|policy| Ok([policy, record.build()?]))
            .map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?
            .map(|update| TransactWriteItem::builder().update(update).build());
        // Lifted before, where the condition fails.
        self.send_transaction(&call, items.to_vec()).await?;
        Ok(())
    }
}
