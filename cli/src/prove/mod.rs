//! `copymend prove`: one repair in two accounts of the person who runs it, from a failed copy to an
//! empty account, with a record of what AWS answered.

pub(crate) mod arguments;
mod clean;
mod console;
mod cost;
mod end;
mod environment;
mod facts;
mod mask;
mod mending;
mod pair;
mod preflight;
mod record;
mod remove;
mod repair;
mod seen;
mod state;
mod steps;

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;

use copymend_aws::proving::RunId;
use copymend_diagnosis::RoleArn;
use jiff::Timestamp;

use self::arguments::ProveArguments;
use self::console::{agreed, detail, say};
use self::end::End;
use self::facts::{Verdict, seen_of};
use self::pair::{Pair, place_of};
use self::record::{About, Notes, record};
use self::remove::{Known, remove};
use self::seen::Seen;
use self::state::{State, StateFile};
use self::steps::Steps;
use crate::{CommandError, Ending, io_error, output};

pub(crate) fn run(arguments: &ProveArguments) -> Result<Ending, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    runtime.block_on(Box::pin(async {
        let usage = |error: String| CommandError::Usage(error);
        let pair = Pair::of(arguments)
            .await
            .map_err(|error| usage(output::printable(&error.to_string())))?;
        let (source, destination) = (&pair.source, &pair.destination);
        if source.account() == destination.account() {
            return Err(usage(format!(
                "both profiles lead to account {}: a copy inside one account asks no vault's policy",
                source.account()
            )));
        }
        if source.partition() != destination.partition() {
            return Err(usage(
                "the profiles lead to two partitions of AWS, between which nothing is copied".to_owned(),
            ));
        }
        let role = preflight::job_role(arguments, &pair).map_err(usage)?;
        let ended = if arguments.clean {
            clean::clean(arguments, &pair).await
        } else {
            prove(arguments, &pair, role).await
        };
        match ended {
            Ok(ending) => Ok(ending),
            Err(End::Stopped) => Ok(Ending::Failed),
            Err(End::Failed(why)) => {
                anstream::eprintln!("copymend: {}", output::printable(&why));
                Ok(Ending::Failed)
            }
            Err(End::Io(error)) => Err(io_error("go on")(error)),
        }
    }))
}

async fn prove(arguments: &ProveArguments, pair: &Pair, role: RoleArn) -> Result<Ending, End> {
    if StateFile::open(&arguments.state).map_or(true, |file| file.is_some()) {
        return Err(End::Failed(format!(
            "`{}` is there: an earlier run left something; remove it with {}",
            arguments.state.display(),
            clean_command(arguments)
        )));
    }
    let aws = pair.source.environment_with(&pair.destination);
    let found = preflight::look(pair, &role, arguments.with_key, &aws).await?;
    let is_cross_region = pair.source.region() != pair.destination.region();
    say(&cost::cost(arguments.with_key, is_cross_region))?;
    say(
        "Everything is named copymend-prove-ID or tagged so, and is removed at the end. Only a key stays for 7 days, pending deletion.",
    )?;
    if !arguments.yes && !agreed("Make it all, in these accounts? [y/N]", &["y", "yes"])? {
        say("Nothing was made.")?;
        return Ok(Ending::Failed);
    }
    let run = RunId::of_random(RandomState::new().hash_one(std::process::id()));
    let state = State::new(&run, place_of(&pair.source), place_of(&pair.destination));
    let mut steps = Steps {
        arguments,
        pace: arguments.pace(),
        pair,
        aws,
        role,
        state: StateFile::create(&arguments.state, &run, state)?,
        run,
        notes: Notes::new(Timestamp::now()),
        seen: Seen {
            destination_region: pair.destination.region().to_owned(),
            ..Seen::default()
        },
        number: 0,
    };
    if arguments.deployed {
        steps.say_what_must_be_deployed()?;
    }
    let went = Box::pin(go(&mut steps)).await;
    let result = match &went {
        Ok(()) => record::Ended::Proved,
        Err(End::Stopped) => record::Ended::Stopped,
        Err(End::Failed(_) | End::Io(_)) => record::Ended::NotProved,
    };
    // Before anything is removed: a kill during that loses the record otherwise.
    tell_unwritten(&write_record(&mut steps, result, found.is_source_a_member));
    let why = match went {
        Ok(()) => None,
        Err(End::Stopped) => return stopped(arguments),
        Err(End::Failed(why)) => Some(why),
        // A full disk, for example: what was made is removed all the same.
        Err(End::Io(error)) => Some(error.to_string()),
    };
    if let Some(why) = why {
        anstream::eprintln!("copymend: not proved: {}", output::printable(&why));
    }
    let removed = Box::pin(finish(&mut steps)).await;
    let file = write_record(&mut steps, result, found.is_source_a_member);
    tell_unwritten(&file);
    let is_clean = match removed {
        Ok(is_clean) => is_clean,
        Err(End::Stopped) => return stopped(arguments),
        Err(other) => {
            let command = clean_command(arguments);
            anstream::eprintln!("copymend: something may be left; remove it with {command}");
            return Err(other);
        }
    };
    if is_clean {
        steps.state.delete()?;
        say("Nothing is left, but for keys that are pending deletion.")?;
    } else {
        say(&format!(
            "Something is left. Remove it with {}",
            clean_command(arguments)
        ))?;
    }
    tell_facts(&steps.seen)?;
    if let Ok(file) = &file {
        say(&format!(
            "AWS's answers are in {}, with ids masked. Look at it before you send it in.",
            file.display()
        ))?;
    }
    Ok(
        if is_clean && file.is_ok() && result == record::Ended::Proved {
            Ending::Done
        } else {
            Ending::Failed
        },
    )
}

/// Everything but the removal.
async fn go(steps: &mut Steps<'_>) -> Result<(), End> {
    let ground = steps.prepare().await?;
    let failed = steps.copy(&ground).await?;
    if steps.arguments.deployed {
        Box::pin(steps.repair_there(&ground, &failed)).await?;
        steps.look_at_copy().await?;
    } else {
        let (function, changes) = Box::pin(steps.repair_here(&ground, failed)).await?;
        steps.look_at_copy().await?;
        if let Some(key) = &ground.source_key {
            steps.look_at_key(key).await?;
        }
        Box::pin(steps.take_back(&ground, &function, &changes)).await?;
    }
    Ok(())
}

async fn finish(steps: &mut Steps<'_>) -> Result<bool, End> {
    steps.announce(
        "Everything is removed",
        "backup:ListCopyJobs, ListBackupJobs, ListRecoveryPointsByBackupVault, DeleteRecoveryPoint, DeleteBackupVault; \
         ec2:DescribeVolumes, DeleteVolume; kms:ListKeys, ListResourceTags, DescribeKey, ScheduleKeyDeletion",
    )?;
    let known = Known::of(&steps.run, steps.state.state());
    let left = remove(steps.pair, &known, steps.pace).await?;
    Ok(left.is_empty())
}

fn stopped(arguments: &ProveArguments) -> Result<Ending, End> {
    say(&format!(
        "Stopped. What was made is still there; remove it with {}",
        clean_command(arguments)
    ))?;
    Ok(Ending::Failed)
}

fn clean_command(arguments: &ProveArguments) -> String {
    let mut words = vec![
        "copymend prove --clean --source".to_owned(),
        arguments.source.clone(),
        "--destination".to_owned(),
        arguments.destination.clone(),
    ];
    for (option, value) in [
        ("--source-region", &arguments.source_region),
        ("--destination-region", &arguments.destination_region),
    ] {
        if let Some(value) = value {
            words.extend([option.to_owned(), value.clone()]);
        }
    }
    if arguments.state.as_os_str() != "copymend-prove.state.json" {
        let file = arguments.state.display().to_string();
        words.extend(["--state".to_owned(), file]);
    }
    format!("`{}`", words.join(" "))
}

fn write_record(
    steps: &mut Steps<'_>,
    result: record::Ended,
    is_source_a_member: bool,
) -> io::Result<PathBuf> {
    let [(_, of_source), _] = steps.pair.exchanges();
    steps.seen.read(&of_source, is_source_a_member);
    let about = About {
        run: steps.run.as_str(),
        pair: steps.pair,
        role: &steps.role,
        with_key: steps.arguments.with_key,
        deployed: steps.arguments.deployed,
        result,
    };
    let record = record(&about, &steps.notes, &steps.seen);
    let file = steps
        .arguments
        .record
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.json", steps.run.name())));
    let mut text = serde_json::to_string_pretty(&record)?;
    text.push('\n');
    fs::write(&file, text)?;
    Ok(file)
}

fn tell_unwritten(record: &io::Result<PathBuf>) {
    if let Err(error) = record {
        anstream::eprintln!("copymend: the record was not written: {error}");
    }
}

/// What the run saw of each fact that it touched.
fn tell_facts(seen: &Seen) -> io::Result<()> {
    say("What this run says to what isn't documented:")?;
    for fact in seen_of(seen) {
        let mark = match fact.verdict {
            Verdict::Agrees => "✓ agrees",
            Verdict::Differs => "✗ differs",
            Verdict::NotSeen => "· not seen",
        };
        detail(&format!("{mark:<10} {}: {}", fact.fact, fact.seen))?;
    }
    Ok(())
}
