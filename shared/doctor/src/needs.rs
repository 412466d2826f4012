//! Which permissions the functions' roles need. `needs.json` is the list, by the conditions of the
//! template; a test of the template holds each role to it, both ways.

use copymend_policy::Arn;
use copymend_remediation::ports::{ContextKey, ContextValues};
use serde::Deserialize;

use crate::deployed::Deployed;

const LIST: &str = include_str!("needs.json");
/// In the place of a wildcard.
const EXAMPLE: &str = "example";
const NO_KEY: &str = "00000000-0000-0000-0000-000000000000";
const BACKUP: &str = "backup.amazonaws.com";

/// A permission on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: &'static str,
    /// The resource: an example, where many are meant.
    pub resource: String,
    /// What is known of the request.
    pub context: Vec<ContextKey>,
}

#[derive(Debug, Deserialize)]
struct Row {
    role: &'static str,
    when: Option<When>,
    on: On,
    actions: Vec<&'static str>,
}

/// A condition of the template.
#[derive(Clone, Copy, Debug, Deserialize)]
enum When {
    AdvisorHasReportBus,
    HasAdvisorMemberRole,
    HasEncryptionKey,
    HasMemberRole,
    HasReportBus,
    InVpc,
    Preflights,
    ReadsImages,
    ReadsOrganizationPaths,
    ReadsTags,
    Repairs,
    RepairsKeys,
    RepairsServiceLinkedRoles,
    RepairsVaults,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum On {
    Anything,
    AwsOrganizationPolicy,
    AwsPolicy,
    BackupPlan,
    DeadLetters,
    DelayedRetries,
    EncryptionKey,
    Failures,
    Group,
    JobRoles,
    Key,
    Ledger,
    ListedKeys,
    ListedVaults,
    LogStream,
    MemberRole,
    NetworkInterfaces,
    OrganizationAccount,
    OrganizationPolicy,
    OrganizationalUnit,
    Policy,
    ReportBus,
    Role,
    ServiceLinkedRole,
    Topic,
    User,
    Vault,
}

impl When {
    fn holds(self, deployed: &Deployed) -> bool {
        match self {
            Self::HasAdvisorMemberRole => deployed.has("AdvisorMemberRole"),
            Self::HasEncryptionKey => deployed.has("EncryptionKey"),
            Self::HasMemberRole => deployed.has("MemberRole"),
            Self::AdvisorHasReportBus | Self::HasReportBus => deployed.has("ReportBus"),
            Self::InVpc => deployed.has("VpcSubnetIds") && deployed.has("VpcSecurityGroupIds"),
            Self::Preflights => deployed.has("PreflightSchedule"),
            Self::ReadsImages => deployed.is_on("ReadImages"),
            Self::ReadsOrganizationPaths => {
                deployed.parameter("OrganizationReader") == deployed.account.as_str()
            }
            Self::ReadsTags => deployed.is_on("ReadTags"),
            Self::Repairs => deployed.repairs(),
            Self::RepairsKeys => deployed.repairs() && deployed.has("AllowedKeys"),
            Self::RepairsServiceLinkedRoles => {
                deployed.repairs() && deployed.is_on("CreateServiceLinkedRole")
            }
            Self::RepairsVaults => deployed.repairs() && deployed.has("AllowedDestinations"),
        }
    }
}

/// Whose permissions are asked about.
#[derive(Clone, Copy)]
struct Whose<'d> {
    deployed: &'d Deployed,
    is_advisor: bool,
}

/// What a role needs in this deployment.
pub fn needs_of(role: &str, deployed: &Deployed) -> Result<Vec<Need>, serde_json::Error> {
    let rows: Vec<Row> = serde_json::from_str(LIST)?;
    let whose = Whose {
        deployed,
        is_advisor: role == "AccessAdvisorRole",
    };
    let mut needs = Vec::new();
    for row in rows.iter().filter(|row| row.role == role) {
        if row.when.is_some_and(|when| !when.holds(deployed)) {
            continue;
        }
        let context = whose.context(row.on);
        for resource in whose.resources(row.on) {
            needs.extend(row.actions.iter().map(|action| Need {
                action,
                resource: resource.clone(),
                context: context.clone(),
            }));
        }
    }
    Ok(needs)
}

impl<'d> Whose<'d> {
    fn resources(self, on: On) -> Vec<String> {
        let deployed = self.deployed;
        let of_role = |remediators, advisors| {
            let name = if self.is_advisor {
                advisors
            } else {
                remediators
            };
            deployed.id(name)
        };
        let role = |path: &str| deployed.global_arn("iam", &format!("role/{path}"));
        let one = match on {
            On::Anything | On::NetworkInterfaces => Some("*".to_owned()),
            On::AwsOrganizationPolicy => Some(format!(
                "arn:{}:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
                deployed.partition
            )),
            On::AwsPolicy => Some(format!(
                "arn:{}:iam::aws:policy/ReadOnlyAccess",
                deployed.partition
            )),
            On::BackupPlan => Some(deployed.arn("backup", "backup-plan:example")),
            On::DeadLetters => deployed.queue_arn("DeadLetters"),
            On::DelayedRetries => deployed.queue_arn("DelayedRetries"),
            On::EncryptionKey => Some(deployed.parameter("EncryptionKey").to_owned()),
            On::Failures => deployed.id("AdvisorFailures").map(ToOwned::to_owned),
            On::Group => Some(deployed.global_arn("iam", "group/example")),
            On::JobRoles => {
                let roles = deployed.list("JobRole").into_iter();
                return roles.map(|name| role(&an_example_of(name))).collect();
            }
            On::Key => Some(deployed.arn("kms", &format!("key/{NO_KEY}"))),
            On::Ledger => of_role("Ledger", "AdvisorLedger")
                .map(|table| deployed.arn("dynamodb", &format!("table/{table}"))),
            On::ListedKeys => return self.listed("AllowedKeys"),
            On::ListedVaults => return self.listed("AllowedDestinations"),
            On::LogStream => of_role("CopyRemediatorLogs", "AccessAdvisorLogs").map(|group| {
                deployed.arn("logs", &format!("log-group:{group}:log-stream:example"))
            }),
            On::MemberRole => {
                let name = if self.is_advisor {
                    "AdvisorMemberRole"
                } else {
                    "MemberRole"
                };
                Some(role(deployed.parameter(name)))
            }
            On::OrganizationAccount => Some(deployed.global_arn(
                "organizations",
                &format!("account/{}/{}", self.organization(), deployed.account),
            )),
            On::OrganizationPolicy => {
                let policy = format!(
                    "policy/{}/resource_control_policy/p-example1",
                    self.organization()
                );
                Some(deployed.global_arn("organizations", &policy))
            }
            On::OrganizationalUnit => {
                let unit = format!("ou/{}/ou-ab12-11111111", self.organization());
                Some(deployed.global_arn("organizations", &unit))
            }
            On::Policy => Some(deployed.global_arn("iam", "policy/example")),
            On::Role => Some(role(EXAMPLE)),
            On::ServiceLinkedRole => Some(role(
                "aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
            )),
            On::ReportBus => Some(deployed.report_bus()),
            On::Topic => {
                let topics = ["Topic", "ChatTopic"].into_iter();
                let topics = topics.filter_map(|topic| deployed.id(topic));
                return topics.map(ToOwned::to_owned).collect();
            }
            On::User => Some(deployed.global_arn("iam", "user/example")),
            On::Vault => Some(deployed.arn("backup", "backup-vault:example")),
        };
        one.into_iter().collect()
    }

    /// The organization whose places may be asked; an example where the template admits any.
    fn organization(self) -> &'d str {
        match self.deployed.organization() {
            "" => "o-exampleorgid",
            own => own,
        }
    }

    /// One example of each pattern of a list that admits something of this account. What other
    /// accounts own is put by their member roles.
    fn listed(self, list: &str) -> Vec<String> {
        let deployed = self.deployed;
        let examples = deployed.list(list).into_iter().filter_map(|pattern| {
            let mut parts: Vec<String> = pattern.splitn(6, ':').map(an_example_of).collect();
            let own = [
                (1, deployed.partition.as_str()),
                (3, &deployed.region),
                (4, deployed.account.as_str()),
            ];
            for (place, own) in own {
                let written = pattern.splitn(6, ':').nth(place)?;
                let part = parts.get_mut(place)?;
                if copymend_policy::wildcard_matches(written, own) {
                    own.clone_into(part);
                }
            }
            let is_own = parts.get(4).map(String::as_str) == Some(deployed.account.as_str());
            let example = parts.join(":");
            (is_own && example.parse::<Arn>().is_ok()).then_some(example)
        });
        examples.collect()
    }

    /// Every write, and the way into other accounts, asks for the function's ARN.
    fn context(self, on: On) -> Vec<ContextKey> {
        let one = |name: &str, value: &str| ContextKey {
            name: name.to_owned(),
            values: ContextValues::One(value.to_owned()),
        };
        let function = if self.is_advisor {
            "AccessAdvisor"
        } else {
            "CopyRemediator"
        };
        // AWS Lambda makes the network interfaces itself, and the function may not.
        let is_by_lambda = matches!(on, On::NetworkInterfaces);
        let arn = self
            .deployed
            .function_arn(function)
            .filter(|_| !is_by_lambda);
        let mut context: Vec<ContextKey> = arn
            .iter()
            .map(|arn| one("lambda:SourceFunctionArn", arn))
            .collect();
        match on {
            On::MemberRole => {
                context.push(one("aws:ResourceOrgID", self.deployed.organization()));
            }
            On::EncryptionKey => context.push(one(
                "kms:ViaService",
                &format!(
                    "dynamodb.{}.{}",
                    self.deployed.region,
                    self.deployed.domain()
                ),
            )),
            On::JobRoles => context.push(one("iam:PassedToService", BACKUP)),
            On::ServiceLinkedRole => context.push(one("iam:AWSServiceName", BACKUP)),
            On::Anything
            | On::AwsOrganizationPolicy
            | On::AwsPolicy
            | On::BackupPlan
            | On::DeadLetters
            | On::DelayedRetries
            | On::Failures
            | On::Group
            | On::Key
            | On::Ledger
            | On::ListedKeys
            | On::ListedVaults
            | On::LogStream
            | On::NetworkInterfaces
            | On::OrganizationAccount
            | On::OrganizationPolicy
            | On::OrganizationalUnit
            | On::Policy
            | On::ReportBus
            | On::Role
            | On::Topic
            | On::User
            | On::Vault => {}
        }
        context
    }
}

/// Something that a pattern stands for.
fn an_example_of(pattern: &str) -> String {
    pattern.replace('*', EXAMPLE).replace('?', "x")
}
