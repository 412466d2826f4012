//! `copymend apply`: exactly the plan that a person was shown and said yes to.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::Path;

use copymend_aws::{AwsEnvironment, ReadWrite, SystemClock};
use copymend_policy::AccountId;
use copymend_remediation::agreement::{Agreement, PlanHash};
use copymend_remediation::ports::{Clock as _, Location};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::{CopyRemediator, PlannedJob};
use copymend_report::{Style, json, terminal};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::arguments::ApplyArguments;
use crate::plan::{invocation, location, nothing_to_do, settings, show, usage, whose};
use crate::{CommandError, Ending, io_error, output};

/// A plan's file is larger than this only if it is none: a policy has 32 KB, and stands in it a few
/// times.
const LARGEST_PLAN: u64 = 4_000_000;

/// What of a plan's file counts.
#[derive(Deserialize)]
struct PlanFile {
    plan: u32,
    hash: Option<String>,
    job: String,
    account: AccountId,
    region: String,
}

/// The job, and the plan that is meant, where one is named.
struct Meant {
    job: String,
    place: Option<Location>,
    plan: Option<String>,
}

enum Answer {
    Applied(PlanHash, Box<Report>),
    /// What would be done now is another plan, or none.
    Changed(String),
    /// The person said no.
    NotAgreed,
}

pub(crate) fn run(arguments: &ApplyArguments) -> Result<Ending, CommandError> {
    let meant = meant(arguments)?;
    if arguments.yes && meant.plan.is_none() {
        return Err(CommandError::Usage(
            "`--yes` needs to know what it says yes to: name the plan by `--plan`, or give its file"
                .to_owned(),
        ));
    }
    if !arguments.yes && !io::stdin().is_terminal() {
        return Err(CommandError::Usage(
            "there is no terminal to ask on; name the plan and add `--yes`".to_owned(),
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let answer = runtime.block_on(apply(arguments, &meant))?;
    let (value, text, ending) = match &answer {
        Answer::Applied(plan, report) => (
            json!({
                "apply": 1,
                "id": plan.id(),
                "hash": plan,
                // INVARIANT: a report is JSON.
                "report": serde_json::from_str::<Value>(&json(report)).unwrap_or_default(),
            }),
            terminal(report, Style::Coloured),
            ending(report.outcome),
        ),
        Answer::Changed(why) => (json!({ "error": why }), format!("{why}\n"), Ending::Failed),
        Answer::NotAgreed => (
            json!({ "error": "nobody said yes" }),
            "Nothing was written.\n".to_owned(),
            Ending::Failed,
        ),
    };
    let written = if arguments.json {
        output::json(io::stdout().lock(), &value)
    } else {
        write!(output::terminal(), "{text}")
    };
    written.map_err(io_error("write the answer"))?;
    Ok(ending)
}

const fn ending(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::RepairedAndRetried | Outcome::Repaired | Outcome::Retried => Ending::Done,
        Outcome::RetryPlanned
        | Outcome::Planned
        | Outcome::Advised
        | Outcome::Refused
        | Outcome::Failed
        | Outcome::Recovered
        | Outcome::Nothing
        | Outcome::AlreadyHandled => Ending::Failed,
    }
}

fn meant(arguments: &ApplyArguments) -> Result<Meant, CommandError> {
    let is_file = arguments.job == "-" || Path::new(&arguments.job).is_file();
    if !is_file {
        return Ok(Meant {
            job: arguments.job.clone(),
            place: None,
            plan: arguments.plan.clone(),
        });
    }
    let mut text = String::new();
    let read = if arguments.job == "-" {
        io::stdin()
            .lock()
            .take(LARGEST_PLAN)
            .read_to_string(&mut text)
    } else {
        fs::File::open(&arguments.job)
            .and_then(|file| file.take(LARGEST_PLAN).read_to_string(&mut text))
    };
    read.map_err(io_error(format!(
        "read the plan `{}`",
        output::printable(&arguments.job)
    )))?;
    let file: PlanFile = serde_json::from_str(&text).map_err(|error| {
        usage(format!(
            "this is no plan of `copymend plan --json`: {error}"
        ))
    })?;
    if file.plan != 1 {
        return Err(usage(format!(
            "a plan of format {} needs another version of copymend",
            file.plan
        )));
    }
    let hash = file
        .hash
        .ok_or_else(|| usage("the plan has nothing to carry out: its report says why"))?;
    let hash: PlanHash = hash.parse().map_err(usage)?;
    if let Some(named) = &arguments.plan
        && !hash.is_named_by(named)
    {
        return Err(usage(format!(
            "the file holds plan {}, not {named}",
            hash.id()
        )));
    }
    Ok(Meant {
        job: file.job,
        place: Some(Location::new(file.account, &file.region)),
        plan: Some(hash.to_string()),
    })
}

async fn apply(arguments: &ApplyArguments, meant: &Meant) -> Result<Answer, CommandError> {
    let settings = settings(&arguments.place).await?;
    if settings.deployment.ledger_table.is_none() {
        return Err(usage(
            "no ledger: name the hub with --stack, or its table in COPYMEND_LEDGER_TABLE; without one nothing is written",
        ));
    }
    let environment =
        AwsEnvironment::<ReadWrite>::load_as(whose(&arguments.place), &settings.deployment).await;
    let location = match &meant.place {
        Some(place) => {
            let account = arguments.place.account;
            let region = arguments.place.region.as_ref();
            if account.is_some_and(|named| named != place.account)
                || region.is_some_and(|named| named.as_str() != place.region)
            {
                return Err(usage(format!(
                    "the plan is of account {}, Region {}; leave --account and --region out",
                    place.account, place.region
                )));
            }
            place.clone()
        }
        None => location(&arguments.place, &environment).await?,
    };
    let who = environment.caller().await.map_err(usage)?;
    let remediator = CopyRemediator::new(environment, settings);
    let planned: PlannedJob = match remediator
        .plan_of_job(&location, &meant.job, &invocation("plan"))
        .await
    {
        Ok(planned) => planned,
        Err(error) => return nothing_to_do(error).map(Answer::Changed),
    };
    let text = |report: &Report| terminal(report, Style::Coloured);
    let Some(plan) = planned.plan else {
        anstream::eprint!("{}", text(&planned.report));
        return Ok(Answer::Changed(
            "There is nothing to carry out. Nothing was written.".to_owned(),
        ));
    };
    if let Some(named) = &meant.plan
        && !plan.is_named_by(named)
    {
        return Ok(Answer::Changed(format!(
            "Nothing was written: what would be done now is plan {}, not the one that you named. Something changed since it was shown; `copymend plan` shows it.",
            plan.id()
        )));
    }
    if !arguments.yes {
        anstream::eprintln!(
            "Copy job {} of account {}, Region {}; {}.",
            output::printable(&meant.job),
            location.account,
            output::printable(&location.region),
            output::printable(&where_it_is_recorded(arguments, &remediator)),
        );
        show(anstream::stderr(), &planned).map_err(io_error("show the plan"))?;
        if !agreed().map_err(io_error("ask"))? {
            return Ok(Answer::NotAgreed);
        }
    }
    let agreement = Agreement::to(plan, who, SystemClock.now());
    let applied = remediator
        .apply(&location, &meant.job, &agreement, &invocation("apply"))
        .await;
    Ok(match applied {
        Ok(report) => Answer::Applied(plan, Box::new(report)),
        // Something may have been written before the call that failed.
        Err(error) => Answer::Changed(format!(
            "{}. Whether anything was written before, `copymend plan` shows: it plans what is left.",
            output::printable(&error.to_string())
        )),
    })
}

/// Whose settings, ledger and pause count.
fn where_it_is_recorded(
    arguments: &ApplyArguments,
    remediator: &CopyRemediator<AwsEnvironment<ReadWrite>>,
) -> String {
    let table = remediator.settings().deployment.ledger_table.as_deref();
    let region = remediator.environment().region();
    let of = match &arguments.place.stack {
        Some(stack) => format!("the settings of stack {stack}"),
        None => "the settings of the environment".to_owned(),
    };
    format!(
        "{of}, and the ledger {} in Region {}, count",
        table.unwrap_or_default(),
        region.unwrap_or_default()
    )
}

fn agreed() -> io::Result<bool> {
    let mut output = anstream::stderr();
    write!(output, "Carry it out? [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
