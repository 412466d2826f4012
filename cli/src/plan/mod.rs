//! `copymend plan`: what the function would do about one failed copy.

pub(crate) mod apply;
pub(crate) mod arguments;

use std::collections::BTreeMap;
use std::io::{self, Write};

use copymend_aws::{AwsEnvironment, AwsStack, ReadOnly, SystemClock, Whose};
use copymend_policy::Arn;
use copymend_remediation::ownership::{LastWriter, WritingTool};
use copymend_remediation::ports::{CallError, Clock as _, Location};
use copymend_remediation::settings::{Mode, Settings, refuse_unknown};
use copymend_remediation::{CopyRemediator, Invocation, PlanOfJobError, PlannedJob};
use copymend_report::{Style, json, paste, terminal};
use copymend_survey::RegionCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::plan::arguments::{JobArguments, PlanArguments};
use crate::{CommandError, Ending, io_error, output};

/// The role that `member.yaml` makes for people and pipelines.
const READER: &str = "copymend/CopymendReader";
/// Time to wait for facts that are read again, and for a policy that others are changing.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

pub(crate) fn run(arguments: &PlanArguments) -> Result<Ending, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let looked = runtime.block_on(async {
        let mut settings = settings(&arguments.place).await?;
        settings
            .deployment
            .member_role
            .get_or_insert_with(|| READER.to_owned());
        let environment =
            AwsEnvironment::<ReadOnly>::load_as(whose(&arguments.place), &settings.deployment)
                .await;
        let location = location(&arguments.place, &environment).await?;
        let remediator = CopyRemediator::new(environment, settings.clone());
        let planned = remediator
            .plan_of_job(&location, &arguments.job, &invocation("plan"))
            .await;
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => return nothing_to_do(error).map(Err),
        };
        let writer = last_writer(remediator.environment(), &planned).await;
        Ok(Ok((planned, location, settings, writer)))
    })?;
    let (planned, location, settings, writer) = match looked {
        Ok(found) => found,
        Err(why) if arguments.json => {
            let error = json!({ "error": why });
            output::json(io::stdout().lock(), &error).map_err(io_error("write the plan"))?;
            return Ok(Ending::Failed);
        }
        Err(why) => {
            anstream::eprintln!("copymend: {why}");
            return Ok(Ending::Failed);
        }
    };
    let written = if arguments.json {
        let mut value = plan_json(&planned, &location, &arguments.job, &settings);
        if let (Some(writer), Some(members)) = (&writer, value.as_object_mut()) {
            members.insert("last_writer".to_owned(), writer.json());
        }
        output::json(io::stdout().lock(), &value)
    } else if let Some(tool) = arguments.printed_for {
        // What a guard refuses isn't printed to be pasted.
        let plan = planned.plan.map(|plan| plan.id());
        let changes = planned.report.changes.iter().filter_map(|change| {
            let plan = plan.as_deref()?;
            Some(paste(tool.into(), change, plan, &planned.start))
        });
        let text: Option<Vec<String>> = changes.collect();
        if let Some(texts) = text.filter(|texts| !texts.is_empty()) {
            io::stdout().lock().write_all(texts.join("\n").as_bytes())
        } else {
            anstream::eprintln!(
                "copymend: there is no change to print; without --for the report says why"
            );
            Ok(())
        }
    } else {
        show(output::terminal(), &planned).and_then(|()| match &writer {
            Some(writer) => writeln!(output::terminal(), "{}", output::printable(&writer.text())),
            None => Ok(()),
        })
    };
    written.map_err(io_error("write the plan"))?;
    Ok(if planned.plan.is_some() {
        Ending::Done
    } else {
        Ending::Failed
    })
}

/// Why there is nothing to plan; an error where that can't be said.
fn nothing_to_do(error: PlanOfJobError) -> Result<String, CommandError> {
    match error {
        PlanOfJobError::NotFailed { .. }
        | PlanOfJobError::StartedAgain { .. }
        | PlanOfJobError::HandledNow(_) => Ok(output::printable(&error.to_string())),
        PlanOfJobError::NoSuchJob { .. }
        | PlanOfJobError::NoLedger
        | PlanOfJobError::Call(_)
        | PlanOfJobError::Handler(_) => Err(usage(error)),
    }
}

/// What CloudTrail tells of the last write of the policy that would be changed.
enum Writer {
    Found(LastWriter),
    NotInNinetyDays,
    NotKnown(CallError),
}

async fn last_writer(
    environment: &AwsEnvironment<ReadOnly>,
    planned: &PlannedJob,
) -> Option<Writer> {
    let report = &planned.report;
    let mut changes = report.changes.iter().chain(&report.refused_changes);
    let change = changes.next()?;
    Some(match environment.last_writer(&change.resource).await {
        Ok(Some(writer)) => Writer::Found(writer),
        Ok(None) => Writer::NotInNinetyDays,
        Err(error) => Writer::NotKnown(error),
    })
}

impl Writer {
    fn json(&self) -> Value {
        match self {
            Self::Found(writer) => json!(writer),
            Self::NotInNinetyDays => {
                json!({ "tool": "unknown", "why": "no write in the 90 days that CloudTrail keeps" })
            }
            Self::NotKnown(error) => json!({ "tool": "unknown", "why": error.to_string() }),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Found(writer) => {
                let by = writer.by.as_deref().unwrap_or("somebody whom CloudTrail does not name");
                let tool = match writer.tool {
                    WritingTool::Copymend => "with Copymend",
                    WritingTool::Cloudformation => "with CloudFormation",
                    WritingTool::Terraform => "with Terraform",
                    WritingTool::Pulumi => "with Pulumi",
                    WritingTool::Console => "in the console",
                    WritingTool::AwsCli => "with the AWS CLI",
                    WritingTool::Other => "with another program",
                };
                let then = if writer.tool.is_code() {
                    "\nCode owns this policy, by what its writer calls itself: make the change there (--for), or its next run takes it out."
                } else {
                    ""
                };
                format!("The policy was last written by {by} {tool}, {}.{then}", writer.at)
            }
            Self::NotInNinetyDays => {
                "Who owns the policy is not known: nobody wrote it in the 90 days that CloudTrail keeps.".to_owned()
            }
            Self::NotKnown(error) => format!("Who last wrote the policy is not known: {error}"),
        }
    }
}

/// The settings of the deployed function, or of the environment. They are those of observe mode: nothing
/// is written without a person's yes.
async fn settings(place: &JobArguments) -> Result<Settings, CommandError> {
    let mut settings = match &place.stack {
        None => crate::settings()?,
        Some(stack) => {
            let read = AwsStack::load(whose(place)).await.settings(stack).await;
            let variables = read.map_err(usage)?;
            let mut settings = of_variables(&variables)?;
            // The function's role in other accounts trusts the function alone.
            settings.deployment.member_role = std::env::var("COPYMEND_MEMBER_ROLE").ok();
            settings.deployment.external_id = std::env::var("COPYMEND_EXTERNAL_ID").ok();
            settings
        }
    };
    settings.mode = Mode::Observe;
    Ok(settings)
}

fn of_variables(variables: &BTreeMap<String, String>) -> Result<Settings, CommandError> {
    refuse_unknown(variables.keys().cloned()).map_err(usage)?;
    Settings::read(|name| variables.get(name).cloned()).map_err(usage)
}

/// The credentials, in the Region of the hub: its ledger is there.
fn whose(place: &JobArguments) -> Whose<'_> {
    Whose {
        profile: place.profile.as_deref(),
        region: place.stack_region.as_ref().map(RegionCode::as_str),
    }
}

async fn location<Access>(
    place: &JobArguments,
    environment: &AwsEnvironment<Access>,
) -> Result<Location, CommandError> {
    let named = place.region.as_ref().map(RegionCode::as_str);
    let region = named.or_else(|| environment.region()).ok_or_else(|| {
        CommandError::Usage(
            "no Region: name one with --region, or set `region` in the profile or AWS_REGION"
                .to_owned(),
        )
    })?;
    let account = if let Some(account) = place.account {
        account
    } else {
        let caller = environment.caller().await.map_err(usage)?;
        let arn: Option<Arn> = caller.and_then(|arn| arn.parse().ok());
        arn.as_ref().and_then(Arn::account_id).ok_or_else(|| {
            CommandError::Usage(
                "AWS does not say whose credentials these are: name the account with --account"
                    .to_owned(),
            )
        })?
    };
    Ok(Location::new(account, region))
}

fn invocation(command: &str) -> Invocation {
    let now = SystemClock.now();
    Invocation {
        // Different from every other's: it owns the lease.
        id: format!("{command}-{}-{}", std::process::id(), now.as_nanosecond()),
        deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
    }
}

fn usage(error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(output::printable(&error.to_string()))
}

fn plan_json(planned: &PlannedJob, location: &Location, job: &str, settings: &Settings) -> Value {
    // INVARIANT: a report is JSON.
    let report: Value = serde_json::from_str(&json(&planned.report)).unwrap_or_default();
    json!({
        "plan": 1,
        "id": planned.plan.map(|plan| plan.id()),
        "hash": planned.plan,
        "job": job,
        "account": location.account,
        "region": location.region,
        "planned_at": SystemClock.now(),
        "program_version": env!("CARGO_PKG_VERSION"),
        "settings_hash": settings.hash(),
        "report": report,
    })
}

/// The report with its diff, and how it is carried out.
fn show(mut output: impl Write, planned: &PlannedJob) -> io::Result<()> {
    write!(output, "{}", terminal(&planned.report, Style::Coloured))?;
    for change in &planned.report.changes {
        let diff = copymend_policy::diff(change.before.as_deref(), &change.after);
        output::coloured_diff(&mut output, &diff)?;
    }
    match planned.plan {
        Some(plan) => writeln!(
            output,
            "\nPlan {}. Nothing was written. `copymend apply` carries it out, once you say yes.",
            plan.id()
        ),
        None => writeln!(
            output,
            "\nThere is nothing to carry out. Nothing was written."
        ),
    }
}
