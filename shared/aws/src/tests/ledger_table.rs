//! A table of Amazon DynamoDB with the ledger's two indexes, which answers reads as DynamoDB does and
//! counts them. The rules are those of the API reference, `Query` and `BatchGetItem` (documented):
//! pages of 1 MB, no consistent read of a global secondary index, at most 100 items and 16 MB in a
//! batch. A scan has no answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

use crate::item::Item;

/// What a page of a query reads at most, in bytes.
const PAGE: usize = 1_024 * 1_024;
/// What a batch answers at most, in bytes.
const BATCH: usize = 16 * 1_024 * 1_024;

/// How often the table was asked, and how much it read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) queries: usize,
    pub(super) batches: usize,
    /// Entries of an index that were read.
    pub(super) keys: usize,
    pub(super) items: usize,
}

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<String, Value>,
    /// By the index, its partition and its order; then by the key.
    indexes: BTreeSet<(&'static str, String, String, String)>,
    asked: Asked,
    /// So many of the next batches answer no item, as where the table is throttled.
    throttled: usize,
}

/// The table. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Arc<Mutex<State>>);

/// The indexes, each with its partition key and its sort key.
const INDEXES: [(&str, &str, &str); 2] =
    [("by-day", "day", "at"), ("by-resource", "policy_of", "day")];

fn text<'i>(item: &'i Value, name: &str) -> Option<&'i str> {
    item.get(name)?.get("S")?.as_str()
}

/// The names and the values (Developer Guide, "DynamoDB item sizes and formats", documented).
fn size(item: &Value) -> usize {
    item.to_string().len()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK's enum may grow, and no change has more kinds of values"
)]
fn wire_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::L(list) => {
            json!({ "L": list.iter().map(wire_value).collect::<Vec<_>>() })
        }
        AttributeValue::M(map) => {
            let members = map.iter();
            let members = members.map(|(name, value)| (name.clone(), wire_value(value)));
            json!({ "M": members.collect::<Map<_, _>>() })
        }
        other => panic!("the ledger has no {other:?}"),
    }
}

impl Table {
    /// Puts an item in the form that goes over the wire.
    pub(super) fn put(&self, item: Value) {
        let mut state = self.0.lock().unwrap();
        let pk = text(&item, "pk").unwrap().to_owned();
        for (index, partition, order) in INDEXES {
            // An item without both attributes isn't in the index.
            if let (Some(partition), Some(order)) = (text(&item, partition), text(&item, order)) {
                let key = (index, partition.to_owned(), order.to_owned(), pk.clone());
                state.indexes.insert(key);
            }
        }
        state.items.insert(pk, item);
    }

    /// Puts an item as the ledger writes it.
    pub(super) fn put_item(&self, item: &Item) {
        let members = item.iter();
        let members = members.map(|(name, value)| (name.clone(), wire_value(value)));
        self.put(Value::Object(members.collect()));
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().items.len()
    }

    /// What was asked since this was asked last.
    pub(super) fn asked(&self) -> Asked {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    /// Lets the next batches answer no item.
    pub(super) fn throttle(&self, batches: usize) {
        self.0.lock().unwrap().throttled = batches;
    }

    pub(super) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }
}

impl State {
    fn query(&mut self, request: &Value) -> Result<Value, String> {
        if request["ConsistentRead"] == true {
            return Err("Consistent reads are not supported on global secondary indexes".into());
        }
        assert_eq!(request["ScanIndexForward"], false);
        let values = &request["ExpressionAttributeValues"];
        let value = |name: &str| text(values, name).unwrap().to_owned();
        let name = request["IndexName"].as_str().unwrap();
        let index = INDEXES.iter().find(|(index, _, _)| *index == name);
        let (index, partition_key, order_key) =
            *index.ok_or_else(|| format!("The table does not have the specified index: {name}"))?;
        let condition = request["KeyConditionExpression"].as_str().unwrap();
        let (partition, first, last) = match condition {
            "#day = :day" => (value(":day"), String::new(), "\u{10ffff}".to_owned()),
            "policy_of = :resource AND #day BETWEEN :first AND :last" => {
                (value(":resource"), value(":first"), value(":last"))
            }
            other => panic!("this table knows no {other}"),
        };
        assert_eq!(request["ExpressionAttributeNames"], json!({"#day": "day"}));
        let start = (index, partition.clone(), first, String::new());
        let end = (index, partition.clone(), last, "\u{10ffff}".to_owned());
        let before = request.get("ExclusiveStartKey").map(|key| {
            let part = |name: &str| text(key, name).unwrap().to_owned();
            (index, part(partition_key), part(order_key), part("pk"))
        });
        let entries = self.indexes.range(start..=end).rev();
        let mut items = Vec::new();
        let mut bytes = 0;
        let mut is_more = false;
        for entry in entries {
            if before.as_ref().is_some_and(|before| entry >= before) {
                continue;
            }
            if bytes >= PAGE {
                is_more = true;
                break;
            }
            let (_, partition, order, pk) = entry;
            let item = json!({
                partition_key: { "S": partition }, order_key: { "S": order }, "pk": { "S": pk }
            });
            bytes += size(&item);
            items.push(item);
        }
        self.asked.keys += items.len();
        let mut answer = json!({ "Count": items.len(), "ScannedCount": items.len() });
        if is_more {
            answer["LastEvaluatedKey"] = items.last().unwrap().clone();
        }
        answer["Items"] = json!(items);
        Ok(answer)
    }

    fn batch(&mut self, request: &Value) -> Result<Value, String> {
        let wanted = &request["RequestItems"]["ledger"];
        let keys = wanted["Keys"].as_array().unwrap();
        if keys.is_empty() || keys.len() > 100 {
            return Err("Too many items requested for the BatchGetItem call".to_owned());
        }
        let mut items = Vec::new();
        let mut left = Vec::new();
        let mut bytes = 0;
        for key in keys {
            let Some(item) = self.items.get(text(key, "pk").unwrap()) else {
                continue;
            };
            if self.throttled > 0 || bytes + size(item) > BATCH {
                left.push(key.clone());
            } else {
                bytes += size(item);
                items.push(item.clone());
            }
        }
        self.throttled = self.throttled.saturating_sub(1);
        self.asked.items += items.len();
        let mut answer = json!({ "Responses": { "ledger": items }, "UnprocessedKeys": {} });
        if !left.is_empty() {
            answer["UnprocessedKeys"] = json!({ "ledger": { "Keys": left } });
        }
        Ok(answer)
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap();
        let body: Value =
            serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
        let mut state = self.0.lock().unwrap();
        let answer = match target.rsplit('.').next().unwrap() {
            "Query" => {
                state.asked.queries += 1;
                state.query(&body)
            }
            "BatchGetItem" => {
                state.asked.batches += 1;
                state.batch(&body)
            }
            other => panic!("nothing else is asked: {other}"),
        };
        drop(state);
        let (status, answer) = match answer {
            Ok(answer) => (200, answer),
            Err(message) => {
                let code = "com.amazon.coral.validate#ValidationException";
                (400, json!({ "__type": code, "message": message }))
            }
        };
        let status = StatusCode::try_from(status).unwrap();
        let response = HttpResponse::new(status, SdkBody::from(answer.to_string()));
        HttpConnectorFuture::ready(Ok(response))
    }
}
