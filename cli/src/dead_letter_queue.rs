//! `copymend replay --dlq`: handles the events of a dead-letter queue with the functions' own
//! handlers, in the real accounts.

use std::io::{self, Write};

use copymend_aws::{AwsEnvironment, DeadLetterQueue, ReadOnly, ReadWrite, Surveying};
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::preflight::PreflightState;
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_report::{Style, table};
use jiff::SignedDuration;
use serde_json::Value;

use crate::answer::Answer;
use crate::arguments::Replay;
use crate::output;
use crate::{CommandError, Ending, io_error};

/// How long a Lambda function of ours may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// Handles at most `--most` messages of the queue. One whose event was handled is deleted; one
/// whose event was not stays in the queue, and so does one that is no event.
pub(crate) fn run(queue_url: &str, arguments: &Replay) -> Result<Ending, CommandError> {
    let variable = |name: &str| std::env::var(name).ok();
    let settings = crate::settings()?;
    let advisor_settings = advisor_settings(arguments, variable)?;
    let ledger = advisor_settings.deployment.ledger_table.as_ref();
    if ledger.is_some() && ledger == settings.deployment.ledger_table.as_ref() {
        return Err(CommandError::Usage(
            "--advisor-ledger: it is the copy remediator's table (COPYMEND_LEDGER_TABLE); the access advisor has its own"
                .to_owned(),
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    runtime.block_on(async {
        let environment = AwsEnvironment::<ReadWrite>::load(&settings.deployment).await;
        let queue = environment.dead_letter_queue(queue_url);
        let functions = Functions {
            remediator: CopyRemediator::new(environment, settings),
            advisor: AccessAdvisor::new(
                AwsEnvironment::load(&advisor_settings.deployment).await,
                advisor_settings,
            ),
        };
        all(&functions, &queue, arguments).await
    })
}

/// Both functions, as the environment and the options set them up.
struct Functions {
    remediator: CopyRemediator<AwsEnvironment<ReadWrite>>,
    advisor: AccessAdvisor<AwsEnvironment<ReadOnly>>,
}

/// The access advisor's settings. Its own function gets them by the same names as the copy
/// remediator's, so what differs between the two comes as an option. The environment's ledger is
/// never taken: the two functions don't share one.
fn advisor_settings(
    arguments: &Replay,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<AdvisorSettings, CommandError> {
    let read = |name: &str| match name {
        "COPYMEND_LEDGER_TABLE" => arguments.advisor_ledger.clone(),
        // The copy remediator's role may not read what the advisor reads.
        "COPYMEND_MEMBER_ROLE" => arguments.advisor_member_role.clone(),
        _ => variable(name),
    };
    AdvisorSettings::read(read)
        .map_err(|error| CommandError::Usage(format!("the access advisor's settings: {error}")))
}

async fn all(
    functions: &Functions,
    queue: &DeadLetterQueue,
    arguments: &Replay,
) -> Result<Ending, CommandError> {
    let Functions {
        remediator,
        advisor,
    } = functions;
    let mut ending = Ending::Done;
    let mut replayed = 0_u32;
    let mut rows = Vec::new();
    while replayed < arguments.most {
        let received = queue
            .receive()
            .await
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        let Some(message) = received else { break };
        replayed = replayed.saturating_add(1);
        let now = remediator.environment().clock().now();
        let invocation = Invocation {
            id: format!("dlq-{}-{}", std::process::id(), now.as_nanosecond()),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        };
        // Boxed, because what it holds at once is large.
        let surveying = || {
            let deployment = &remediator.settings().deployment;
            let Surveying { lists, environment } = remediator.environment().surveying(deployment);
            (lists, environment)
        };
        let answer = Answer::to(&message.event, &invocation, remediator, advisor, surveying);
        let answer = Box::pin(answer).await;
        let id = message.event.get("id").and_then(Value::as_str);
        rows.extend(answer.rows(id.unwrap_or("no event id"), |_| None));
        let written = if arguments.json {
            writeln!(io::stdout().lock(), "{}", answer.json())
        } else if arguments.table {
            Ok(())
        } else {
            write!(output::terminal(), "{}", answer.terminal())
        };
        written.map_err(io_error("write the report"))?;
        if is_handled(&answer) {
            queue
                .delete(message)
                .await
                .map_err(|error| CommandError::Usage(error.to_string()))?;
        } else {
            ending = Ending::Failed;
        }
    }
    if !arguments.json {
        if rows.len() > 1 || arguments.table {
            write!(output::terminal(), "\n{}", table(&rows, Style::Coloured))
                .map_err(io_error("write the table"))?;
        }
        let messages = if replayed == 1 { "message" } else { "messages" };
        writeln!(
            output::terminal(),
            "{replayed} dead-letter {messages} replayed."
        )
        .map_err(io_error("write the report"))?;
    }
    Ok(ending)
}

/// Whether nothing is left to do for a message's event. Only then the message is deleted.
fn is_handled(answer: &Answer) -> bool {
    match answer {
        Answer::Report(result) => result.as_ref().as_ref().is_ok_and(|report| {
            // Not confirmed: AWS Backup may know the job, and these credentials may not ask.
            // Handled by another invocation: nobody knows yet how that ends.
            let is_open = matches!(report.outcome, Outcome::Advised | Outcome::AlreadyHandled);
            let is_unconfirmed = !report.is_confirmed() && is_open;
            !is_unconfirmed && !report.awaits_another_delivery()
        }),
        Answer::Swept(result) => result.as_ref().is_ok_and(|swept| {
            swept.errors.is_empty()
                && swept.left == 0
                && !swept.reports.iter().any(Report::awaits_another_delivery)
        }),
        // Whoever asked for it has gone.
        Answer::SelfCheck(_) => true,
        Answer::TestMessage(result) => result.is_ok(),
        Answer::Preflight(result) => result
            .as_ref()
            .as_ref()
            .is_ok_and(|answer| answer.preflight != PreflightState::Running),
        Answer::CopyAge(result) => result.is_ok(),
        Answer::Digest(result) => result.is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use copymend_remediation::ports::CallErrorKind;
    use copymend_sandbox::{Sandbox, World};
    use serde_json::json;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn arguments(options: &[&str]) -> Replay {
        let start = ["copymend", "replay", "--dlq", "https://example.com/queue"];
        let words = start.iter().chain(options);
        let Command::Replay(replay) = Arguments::try_parse_from(words).unwrap().command else {
            unreachable!("the words are those of a replay")
        };
        replay
    }

    fn event(path: &str) -> Value {
        let path = format!("{}/../events/{path}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn sweep() -> Value {
        json!({
            "source": "copymend",
            "detail-type": "Copymend Sweep",
            "detail": {"accounts": ["111122223333"], "regions": ["us-east-1"], "hours": 720},
        })
    }

    /// What came of an event within this time.
    fn answer_within(sandbox: &Sandbox, event: &Value, time: SignedDuration) -> Answer {
        let remediator = CopyRemediator::new(
            sandbox.clone(),
            copymend_remediation::settings::Settings::default(),
        );
        let advisor = AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default());
        let now = Reads::clock(sandbox).now();
        let invocation = Invocation {
            id: "test".to_owned(),
            deadline: now + time,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let surveying = || (sandbox.clone(), sandbox.clone());
        runtime.block_on(Answer::to(
            event,
            &invocation,
            &remediator,
            &advisor,
            surveying,
        ))
    }

    fn answer(sandbox: &Sandbox, event: &Value) -> Answer {
        answer_within(sandbox, event, TIMEOUT)
    }

    fn sandbox() -> Sandbox {
        Sandbox::new(World::default_world())
    }

    #[test]
    fn each_message_goes_to_the_function_that_its_rule_sends_it_to() {
        let sandbox = sandbox();
        let copy = answer(&sandbox, &event("source-key-policy"));
        assert!(matches!(copy, Answer::Report(_)) && is_handled(&copy));
        for name in [
            "create-backup-vault",
            "backup-job-s3",
            "restore-job-default-role",
        ] {
            let advised = answer(&sandbox, &event(&format!("advisor/{name}")));
            assert!(
                matches!(advised, Answer::Report(_)) && is_handled(&advised),
                "{name}: {advised:?}"
            );
        }
        let swept = answer(&sandbox, &sweep());
        assert!(matches!(swept, Answer::Swept(_)), "{swept:?}");
        assert!(swept.json().starts_with(r#"{"found":"#), "{}", swept.json());
        let neither = answer(&sandbox, &json!("no event"));
        assert!(matches!(neither, Answer::Report(_)) && !is_handled(&neither));
    }

    #[test]
    fn a_report_that_awaits_another_delivery_keeps_its_message() {
        let sandbox = sandbox();
        sandbox.fail("kms:GetKeyPolicy", CallErrorKind::Throttled);
        let waiting = answer(&sandbox, &event("source-key-policy"));
        assert!(
            matches!(&waiting, Answer::Report(result) if result.is_ok()),
            "{waiting:?}"
        );
        assert!(!is_handled(&waiting));
    }

    #[test]
    fn an_event_that_could_not_be_confirmed_keeps_its_message() {
        let sandbox = sandbox();
        sandbox.fail("backup:DescribeCopyJob", CallErrorKind::AccessDenied);
        let unconfirmed = answer(&sandbox, &event("source-key-policy"));
        assert!(
            matches!(&unconfirmed, Answer::Report(result) if result.is_ok()),
            "{unconfirmed:?}"
        );
        assert!(!is_handled(&unconfirmed));
        let again = answer(&sandbox, &event("source-key-policy"));
        assert!(!is_handled(&again), "{}", again.json());
        sandbox.calls().mend("backup:DescribeCopyJob");
        for _ in 0..2 {
            assert!(is_handled(&answer(&sandbox, &event("source-key-policy"))));
        }
    }

    #[test]
    fn a_sweep_keeps_its_message_until_it_is_through() {
        let wholly = answer(&sandbox(), &sweep());
        assert!(is_handled(&wholly), "{}", wholly.terminal());

        let too_late = answer_within(&sandbox(), &sweep(), SignedDuration::from_secs(1));
        let Answer::Swept(Ok(swept)) = &too_late else {
            panic!("{too_late:?}");
        };
        assert!(swept.left > 0 && swept.errors.is_empty());
        assert!(!is_handled(&too_late));

        let unlisted = sandbox();
        unlisted.fail("backup:ListCopyJobs", CallErrorKind::AccessDenied);
        let unlisted = answer(&unlisted, &sweep());
        assert!(matches!(&unlisted, Answer::Swept(Ok(swept)) if swept.errors.len() == 1));
        assert!(!is_handled(&unlisted));

        let waiting = sandbox();
        waiting.fail("kms:GetKeyPolicy", CallErrorKind::Throttled);
        let waiting = answer(&waiting, &sweep());
        assert!(matches!(&waiting, Answer::Swept(Ok(swept)) if swept.errors.is_empty()));
        assert!(!is_handled(&waiting));

        let scopeless = json!({"source": "copymend", "detail-type": "Copymend Sweep"});
        assert!(!is_handled(&answer(&sandbox(), &scopeless)));
    }

    #[test]
    fn an_advisory_that_nobody_was_told_keeps_its_message() {
        let sandbox = sandbox();
        sandbox.fail("sns:Publish", CallErrorKind::Unavailable);
        let untold = answer(&sandbox, &event("advisor/create-backup-vault"));
        assert!(matches!(untold, Answer::Report(_)) && !is_handled(&untold));
    }

    /// The environment belongs to the copy remediator.
    #[test]
    fn the_advisor_takes_its_ledger_and_its_member_role_from_the_options() {
        let variable = |name: &str| match name {
            "COPYMEND_LEDGER_TABLE" => Some("ledger".to_owned()),
            "COPYMEND_MEMBER_ROLE" => Some("copymend/CopymendMember".to_owned()),
            "COPYMEND_EXTERNAL_ID" => Some("the-secret-id".to_owned()),
            _ => None,
        };
        let bare = advisor_settings(&arguments(&[]), variable)
            .unwrap()
            .deployment;
        assert_eq!(bare.ledger_table, None);
        assert_eq!(bare.member_role, None);
        assert_eq!(bare.external_id.as_deref(), Some("the-secret-id"));
        let full = arguments(&[
            "--advisor-ledger",
            "advisor-ledger",
            "--advisor-member-role",
            "copymend/CopymendMemberReader",
        ]);
        let full = advisor_settings(&full, variable).unwrap().deployment;
        assert_eq!(full.ledger_table.as_deref(), Some("advisor-ledger"));
        assert_eq!(
            full.member_role.as_deref(),
            Some("copymend/CopymendMemberReader")
        );
        let wrong = arguments(&["--advisor-ledger", "no table!"]);
        assert!(advisor_settings(&wrong, variable).is_err());
    }

    #[test]
    fn the_options_of_the_advisor_need_a_queue() {
        for option in ["--advisor-ledger", "--advisor-member-role"] {
            let words = ["copymend", "replay", option, "x", "event.json"];
            assert!(Arguments::try_parse_from(words).is_err(), "{option}");
            assert!(Arguments::try_parse_from(&words[..4]).is_err(), "{option}");
        }
    }
}
