use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use jiff::Timestamp;

use super::ledger_contract::ledger_contract;
use crate::{DynamoLedger, config};

/// Runs where an endpoint is given: `COPYMEND_TEST_DYNAMODB_ENDPOINT=http://127.0.0.1:5000`.
#[tokio::test]
async fn a_real_table_keeps_the_contract() {
    let Ok(endpoint) = std::env::var("COPYMEND_TEST_DYNAMODB_ENDPOINT") else {
        return;
    };
    let config = config::loader(config::http_client())
        .region(aws_config::Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "test", "test", None, None, "test",
        ))
        .endpoint_url(endpoint)
        .load()
        .await;
    let table = format!("ledger-{}", Timestamp::now().as_millisecond());
    create_table(&config, &table).await;
    let ledger = DynamoLedger::new(&config, &table);
    ledger_contract(&ledger).await;
}

async fn create_table(config: &aws_config::SdkConfig, table: &str) {
    let attribute = |name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let index = |name, hash, range| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash))
            .key_schema(key(range, KeyType::Range))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::KeysOnly)
                    .build(),
            )
            .build()
            .unwrap()
    };
    aws_sdk_dynamodb::Client::new(config)
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("day"))
        .attribute_definitions(attribute("at"))
        .attribute_definitions(attribute("policy_of"))
        .key_schema(key("pk", KeyType::Hash))
        .global_secondary_indexes(index("by-day", "day", "at"))
        .global_secondary_indexes(index("by-resource", "policy_of", "day"))
        .send()
        .await
        .unwrap();
}
