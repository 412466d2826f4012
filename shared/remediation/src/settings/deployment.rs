//! Where a function runs: what both functions are told by the same names.

use copymend_diagnosis::RoleArn;
use copymend_policy::AccountId;

use super::is_partition;
use super::reader::{InvalidSetting, Reader};

/// What every function of Copymend is told of where it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// `COPYMEND_MEMBER_ROLE`: the role to assume in other accounts; a name with its path, or an
    /// ARN.
    pub member_role: Option<String>,
    /// `COPYMEND_FUNCTION_ROLE`: the function's own role, which calls in the function's own account.
    /// Without it the member role is taken to call there, too. `sts:GetCallerIdentity` doesn't tell
    /// it: the ARN of a session lacks the role's path (IAM user guide, "IAM identifiers",
    /// documented).
    pub function_role: Option<RoleArn>,
    /// `COPYMEND_EXTERNAL_ID`: the external id to assume it with.
    pub external_id: Option<String>,
    /// `COPYMEND_TOPIC_ARN`: where reports go.
    pub topic_arn: Option<String>,
    /// `COPYMEND_CHAT_TOPIC_ARN`: where the same goes for Amazon Q Developer in chat applications.
    pub chat_topic_arn: Option<String>,
    /// `COPYMEND_REPORT_BUS`: the event bus of Amazon EventBridge that the same goes to as events; its
    /// name or its ARN.
    pub report_bus: Option<String>,
    /// `COPYMEND_LEDGER_TABLE`: the DynamoDB table. Without one nothing is written, and every event
    /// is told.
    pub ledger_table: Option<String>,
    /// `COPYMEND_DELAYED_RETRIES_QUEUE_URL`: the queue of what is put off. Without one everything is
    /// done at once.
    pub delayed_retries_queue_url: Option<String>,
    /// `COPYMEND_READ_IMAGES`: whether the snapshots of images may be read. Amazon EC2 knows no
    /// narrower permission for it than all images and snapshots of the account.
    pub read_images: bool,
    /// `COPYMEND_READ_TAGS`: whether the tags of recovery points that AWS Backup doesn't list are
    /// read. AWS knows no narrower permission for it than the tags of everything in the account.
    pub read_tags: bool,
    /// `COPYMEND_ORGANIZATION_READER`: the account in which the places of accounts in their
    /// organization are read: the management account, or that of a delegated administrator.
    pub organization_reader: Option<AccountId>,
    /// `AWS_LAMBDA_FUNCTION_NAME`: the function's own name, which people answer plans to.
    pub function_name: Option<String>,
    /// `AWS_REGION`: the function's own Region.
    pub region: Option<String>,
    /// `AWS_SAM_LOCAL`: a person runs the function with the SAM CLI. Nobody delivers an event again
    /// then, so what AWS doesn't answer now is explained without it.
    pub is_local_run: bool,
}

impl Deployment {
    /// The ARN of the role that Copymend calls with in an account, where a setting names it: the
    /// function's own in its own account, the one that is assumed in any other.
    pub(crate) fn role_in(&self, partition: &str, account: AccountId) -> Option<String> {
        let own = self.function_role.as_ref().map(RoleArn::arn);
        let own =
            own.filter(|own| own.partition() == partition && own.account_id() == Some(account));
        if let Some(own) = own {
            return Some(own.to_string());
        }
        let role = self.member_role.as_deref()?;
        Some(match role.split_once("::*:role/") {
            Some((_, name)) => format!("arn:{partition}:iam::{account}:role/{name}"),
            None => format!(
                "arn:{partition}:iam::{account}:role/{}",
                role.trim_start_matches('/')
            ),
        })
    }

    pub(crate) fn read(
        reader: &Reader<impl Fn(&str) -> Option<String>>,
    ) -> Result<Self, InvalidSetting> {
        Ok(Self {
            member_role: reader.one(
                "COPYMEND_MEMBER_ROLE",
                "a role's name with its path, or its ARN with `*` as account, such as arn:aws:iam::*:role/CopymendMember",
                member_role,
            )?,
            function_role: reader.one(
                "COPYMEND_FUNCTION_ROLE",
                "the ARN of the function's own role",
                |text| text.parse().ok(),
            )?,
            external_id: reader.one(
                "COPYMEND_EXTERNAL_ID",
                "2 to 1224 letters, digits or the characters +=,.@:/-_",
                external_id,
            )?,
            topic_arn: reader.one("COPYMEND_TOPIC_ARN", TOPIC, topic)?,
            chat_topic_arn: reader.one("COPYMEND_CHAT_TOPIC_ARN", TOPIC, topic)?,
            report_bus: reader.one(
                "COPYMEND_REPORT_BUS",
                "the name or the ARN of an event bus of Amazon EventBridge",
                bus,
            )?,
            ledger_table: reader.one(
                "COPYMEND_LEDGER_TABLE",
                "the name or the ARN of a DynamoDB table",
                |text| {
                    let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b);
                    text.bytes().all(safe).then(|| text.to_owned())
                },
            )?,
            delayed_retries_queue_url: reader.one(
                "COPYMEND_DELAYED_RETRIES_QUEUE_URL",
                "the URL of an SQS queue",
                |text| {
                    let is_url = text.starts_with("https://") || text.starts_with("http://");
                    (is_url && text.bytes().all(|b| b.is_ascii_graphic())).then(|| text.to_owned())
                },
            )?,
            read_images: reader.boolean("COPYMEND_READ_IMAGES")?,
            read_tags: reader.boolean("COPYMEND_READ_TAGS")?,
            organization_reader: reader.one(
                "COPYMEND_ORGANIZATION_READER",
                "the id of the organization's management account or of a delegated administrator's",
                |text| text.parse().ok(),
            )?,
            function_name: reader.one("AWS_LAMBDA_FUNCTION_NAME", "a function's name", |text| {
                Some(text.to_owned())
            })?,
            region: reader.one("AWS_REGION", "a Region", |text| Some(text.to_owned()))?,
            // The SAM CLI sets this to `true` for `sam local invoke`, and AWS Lambda never does.
            is_local_run: reader.boolean("AWS_SAM_LOCAL")?,
        })
    }
}

fn member_role(text: &str) -> Option<String> {
    let name = match text.strip_prefix("arn:") {
        None => text,
        Some(rest) => {
            let mut parts = rest.splitn(5, ':');
            let (partition, service, region, account) =
                (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let account_fits = account == "*" || account.parse::<AccountId>().is_ok();
            if !is_partition(partition) || service != "iam" || !region.is_empty() || !account_fits {
                return None;
            }
            parts.next()?.strip_prefix("role/")?
        }
    };
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@-_/".contains(&b);
    let fits = !name.trim_matches('/').is_empty() && !name.ends_with('/') && name.bytes().all(safe);
    fits.then(|| text.to_owned())
}

const TOPIC: &str = "the ARN of an SNS topic";

fn topic(text: &str) -> Option<String> {
    let arn: copymend_policy::Arn = text.parse().ok()?;
    (arn.service() == "sns").then(|| text.to_owned())
}

/// A bus has a name of 256 characters (Amazon EventBridge API reference, `PutEventsRequestEntry`,
/// documented).
fn bus(text: &str) -> Option<String> {
    let name = match text.parse::<copymend_policy::Arn>() {
        Ok(arn) if arn.service() == "events" => {
            arn.resource().strip_prefix("event-bus/")?.to_owned()
        }
        Ok(_) => return None,
        Err(_) => text.to_owned(),
    };
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    ((1..=256).contains(&name.len()) && name.bytes().all(safe)).then(|| text.to_owned())
}

fn external_id(text: &str) -> Option<String> {
    let safe = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@:/-_".contains(&b);
    ((2..=1224).contains(&text.len()) && text.bytes().all(safe)).then(|| text.to_owned())
}
