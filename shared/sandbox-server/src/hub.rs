//! The account in which the functions run, and what their template would make for them there and in
//! the other accounts.

use axum::http::StatusCode;
use copymend_policy::AccountId;
use copymend_sandbox::World;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::error::AwsError;
use crate::upstream::{Upstream, query, unavailable};
use crate::xml;

pub(crate) const MEMBER_ROLE: &str = "CopymendMember";
pub(crate) const EXTERNAL_ID: &str = "copymend-sandbox";
const TOPIC: &str = "copymend";
const LEDGER: &str = "copymend-ledger";
/// The queue of what is put off.
pub(crate) const DELAYED_RETRIES: &str = "copymend-delayed-retries";

/// Where the functions run: the account and Region of the newest failed copy, or of the newest copy
/// where none failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hub {
    account: AccountId,
    region: String,
    partition: String,
}

impl Hub {
    /// The hub of a world without any copy is its first account that has a Region. Nothing where
    /// there is none.
    pub(crate) fn of(world: &World) -> Option<Self> {
        let (account, region) = if let Some(job) = world.newest_copy_job() {
            (job.account, job.region.clone())
        } else {
            world
                .accounts()
                .iter()
                .find_map(|(id, account)| Some((*id, account.regions.keys().next()?.clone())))?
        };
        Some(Self {
            account,
            region,
            partition: world.account(account)?.partition.clone(),
        })
    }

    /// Makes what isn't there yet, and answers the environment of a function that uses it. Without
    /// another endpoint there is nothing but the address.
    pub(crate) async fn prepare(
        &self,
        world: &World,
        upstream: &Upstream,
    ) -> Result<Environment, AwsError> {
        let credentials = upstream.credentials(self.account).await?;
        let mut environment = Environment::default();
        environment.set("AWS_ACCESS_KEY_ID", credentials.access_key);
        environment.set("AWS_SECRET_ACCESS_KEY", credentials.secret_key);
        environment.set("AWS_SESSION_TOKEN", credentials.session_token);
        environment.set("AWS_REGION", &self.region);
        environment.set("AWS_DEFAULT_REGION", &self.region);
        environment.set("COPYMEND_MODE", "repair");
        environment.set("COPYMEND_ALLOWED_DESTINATIONS", "*");
        environment.set("COPYMEND_ALLOWED_KEYS", "*");
        environment.set("COPYMEND_ALLOWED_SOURCES", "*");
        if upstream.endpoint().is_none() {
            return Ok(environment);
        }
        for (account, found) in world.accounts() {
            if found.partition == self.partition {
                self.make_member_role(upstream, *account).await?;
            }
        }
        environment.set("COPYMEND_MEMBER_ROLE", MEMBER_ROLE);
        environment.set("COPYMEND_EXTERNAL_ID", EXTERNAL_ID);
        let topic = self.make_topic(upstream).await?;
        environment.set("COPYMEND_TOPIC_ARN", topic);
        self.make_ledger(upstream).await?;
        environment.set("COPYMEND_LEDGER_TABLE", LEDGER);
        let queue = self.make_queue(upstream, DELAYED_RETRIES).await?;
        environment.set("COPYMEND_DELAYED_RETRIES_QUEUE_URL", queue);
        Ok(environment)
    }

    /// The role that the functions assume in an account, as `member.yaml` makes it: the hub's
    /// account may assume it, with the external id.
    async fn make_member_role(
        &self,
        upstream: &Upstream,
        account: AccountId,
    ) -> Result<(), AwsError> {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:{}:iam::{}:root", self.partition, self.account)},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }]});
        let parameters = [
            ("RoleName", MEMBER_ROLE),
            ("AssumeRolePolicyDocument", &trust.to_string()),
        ];
        let body = query("CreateRole", "2010-05-08", &parameters);
        let call = upstream.call(account, "iam", &self.region, None, body);
        made("CreateRole", call.await?, "EntityAlreadyExists")?;
        Ok(())
    }

    /// A topic whose messages go to a queue of the same name, where people can read them.
    async fn make_topic(&self, upstream: &Upstream) -> Result<String, AwsError> {
        let sns = |operation: &'static str, parameters: &[(&str, &str)]| {
            let body = query(operation, "2010-03-31", parameters);
            upstream.call(self.account, "sns", &self.region, None, body)
        };
        let answer = made(
            "CreateTopic",
            sns("CreateTopic", &[("Name", TOPIC)]).await?,
            "",
        )?;
        let topic = xml::text(&answer, "TopicArn")
            .ok_or_else(|| unavailable(format!("CreateTopic answers {answer}")))?;
        self.make_queue(upstream, TOPIC).await?;
        let queue = format!(
            "arn:{}:sqs:{}:{}:{TOPIC}",
            self.partition, self.region, self.account
        );
        let parameters = [
            ("TopicArn", topic.as_str()),
            ("Protocol", "sqs"),
            ("Endpoint", &queue),
        ];
        made("Subscribe", sns("Subscribe", &parameters).await?, "")?;
        Ok(topic)
    }

    /// A queue; answers its URL.
    async fn make_queue(&self, upstream: &Upstream, name: &str) -> Result<String, AwsError> {
        let body = json!({"QueueName": name}).to_string();
        let target = Some("AmazonSQS.CreateQueue");
        let call = upstream.call(self.account, "sqs", &self.region, target, body);
        let answer = made("CreateQueue", call.await?, "")?;
        let answer: Value = serde_json::from_str(&answer).map_err(unavailable)?;
        let url = answer.get("QueueUrl").and_then(Value::as_str);
        url.map(ToOwned::to_owned)
            .ok_or_else(|| unavailable(format!("CreateQueue answers {answer}")))
    }

    async fn make_ledger(&self, upstream: &Upstream) -> Result<(), AwsError> {
        let index = |name: &str, hash: &str, range: &str| {
            json!({
                "IndexName": name,
                "KeySchema": [
                    {"AttributeName": hash, "KeyType": "HASH"},
                    {"AttributeName": range, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            })
        };
        let table = json!({
            "TableName": LEDGER,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "day", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "S"},
                {"AttributeName": "policy_of", "AttributeType": "S"},
            ],
            "GlobalSecondaryIndexes": [
                index("by-day", "day", "at"),
                index("by-resource", "policy_of", "day"),
            ],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let target = Some("DynamoDB_20120810.CreateTable");
        let call = upstream.call(
            self.account,
            "dynamodb",
            &self.region,
            target,
            table.to_string(),
        );
        made("CreateTable", call.await?, "ResourceInUseException")?;
        Ok(())
    }
}

/// The answer of a call that makes something, or whose thing is there already.
fn made(
    operation: &str,
    answer: Option<(StatusCode, String)>,
    already_there: &str,
) -> Result<String, AwsError> {
    match answer {
        None => Ok(String::new()),
        Some((StatusCode::OK, text)) => Ok(text),
        Some((_, text)) if !already_there.is_empty() && text.contains(already_there) => Ok(text),
        Some((status, text)) => Err(unavailable(format!("{operation} answers {status}: {text}"))),
    }
}
