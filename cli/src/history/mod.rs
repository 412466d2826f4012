//! `copymend history`: what the ledger has on record.

pub(crate) mod arguments;
mod change;
mod json;
mod text;

use std::io::{self, Write};

use copymend_aws::{AwsEnvironment, AwsStack, ReadOnly, SystemClock, Whose};
use copymend_remediation::ledger::Records;
use copymend_remediation::ports::{Clock as _, Reads};
use copymend_remediation::records::{ChangeRecord, RecordsAsked, RecordsFound};
use copymend_remediation::settings::Deployment;
use copymend_survey::RegionCode;
use jiff::SignedDuration;

use crate::history::arguments::{HistoryArguments, LedgerArguments};
use crate::{CommandError, Ending, io_error, output};

/// Each day is a call of its own, where no resource is named.
const MOST_DAYS: usize = 1_100;

/// What was asked for and found.
enum Looked {
    All(RecordsAsked, RecordsFound),
    One(Option<Box<ChangeRecord>>),
}

/// Reads and shows.
pub(crate) fn run(arguments: &HistoryArguments) -> Result<Ending, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let now = SystemClock.now();
    let looked = runtime.block_on(async {
        let deployment = deployment(&arguments.place).await?;
        let whose = whose(&arguments.place);
        let environment = AwsEnvironment::<ReadOnly>::load_as(whose, &deployment).await;
        let ledger = environment.ledger().ok_or_else(|| {
            CommandError::Usage(
                "no ledger is named: name its table with --ledger or in COPYMEND_LEDGER_TABLE, or the hub's stack with --stack"
                    .to_owned(),
            )
        })?;
        if let Some(change) = &arguments.change {
            let found = ledger.change_record(change).await.map_err(usage)?;
            return Ok(Looked::One(found.map(Box::new)));
        }
        // What happened in this very moment is wanted, too.
        let at_once = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
        let asked = RecordsAsked {
            since: arguments.since.moment(now),
            until: arguments.until.map_or(at_once, |until| until.moment(now)),
            resource: arguments.resource.clone(),
            account: arguments.account,
            kinds: arguments.kinds.iter().map(|kind| (*kind).into()).collect(),
            enough: usize::try_from(arguments.most).unwrap_or(usize::MAX),
        };
        if asked.since >= asked.until {
            return Err(CommandError::Usage(
                "the time of `--since` is not before that of `--until`".to_owned(),
            ));
        }
        if asked.resource.is_none() && asked.days().nth(MOST_DAYS).is_some() {
            return Err(CommandError::Usage(format!(
                "a question without --resource reads each of its days: ask for {MOST_DAYS} days at most"
            )));
        }
        let found = ledger.records(&asked).await.map_err(usage)?;
        Ok(Looked::All(asked, found))
    })?;
    let ending = match &looked {
        Looked::All(_, found) if found.unreadable.is_empty() => Ending::Done,
        Looked::One(Some(_)) => Ending::Done,
        Looked::All(_, _) | Looked::One(None) => Ending::Failed,
    };
    let written = match (&looked, arguments.json) {
        (Looked::All(asked, found), true) => {
            let value = json::all(asked, found, now);
            output::json(io::stdout().lock(), &value)
        }
        (Looked::All(asked, found), false) => {
            let text = text::text(asked, found, output::width(), now);
            write!(output::terminal(), "{}", output::printable(&text))
        }
        (Looked::One(Some(record)), true) => output::json(io::stdout().lock(), &json::one(record)),
        (Looked::One(Some(record)), false) => change::show(output::terminal(), record),
        (Looked::One(None), true) => {
            let error = serde_json::json!({ "error": no_change(arguments) });
            output::json(io::stdout().lock(), &error)
        }
        (Looked::One(None), false) => {
            anstream::eprintln!("copymend: {}", no_change(arguments));
            Ok(())
        }
    };
    written.map_err(io_error("write the history"))?;
    Ok(ending)
}

fn no_change(arguments: &HistoryArguments) -> String {
    let id = arguments.change.as_deref().unwrap_or_default();
    format!("the ledger knows no change `{}`", output::printable(id))
}

fn usage(error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(output::printable(&error.to_string()))
}

fn whose(place: &LedgerArguments) -> Whose<'_> {
    Whose {
        profile: place.profile.as_deref(),
        region: place.region.as_ref().map(RegionCode::as_str),
    }
}

/// A deployment whose ledger is the named one, that of the stack, or that of the environment. No other
/// account is read.
async fn deployment(place: &LedgerArguments) -> Result<Deployment, CommandError> {
    let ledger_table = match (&place.ledger, &place.stack) {
        (Some(table), _) => Some(table.clone()),
        (None, Some(stack)) => {
            let variables = AwsStack::load(whose(place)).await.settings(stack).await;
            let table = variables.map_err(usage)?.remove("COPYMEND_LEDGER_TABLE");
            Some(table.ok_or_else(|| usage(format!("the stack `{stack}` has no ledger")))?)
        }
        (None, None) => crate::settings()?.deployment.ledger_table,
    };
    Ok(Deployment {
        ledger_table,
        ..Deployment::default()
    })
}
