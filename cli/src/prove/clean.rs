//! `copymend prove --clean`.

use super::arguments::{Pace, ProveArguments};
use super::console::{agreed, say};
use super::end::End;
use super::pair::{Pair, place_of};
use super::remove::{Known, remove, runs};
use super::state::StateFile;
use crate::Ending;

pub(crate) async fn clean(arguments: &ProveArguments, pair: &Pair) -> Result<Ending, End> {
    let pace = arguments.pace();
    match StateFile::open(&arguments.state)? {
        Some(file) => clean_file(file, pair, pace).await,
        None => clean_found(arguments, pair, pace).await,
    }
}

async fn clean_file(file: StateFile, pair: &Pair, pace: Pace) -> Result<Ending, End> {
    let (source, destination) = (place_of(&pair.source), place_of(&pair.destination));
    let state = file.state();
    if state.source != source || state.destination != destination {
        return Err(End::Failed(format!(
            "run {} was made in {} {} and {} {}; these profiles lead to {} {} and {} {}",
            file.run(),
            state.source.account,
            state.source.region,
            state.destination.account,
            state.destination.region,
            source.account,
            source.region,
            destination.account,
            destination.region,
        )));
    }
    say(&format!("Removing what run {} left:", file.run()))?;
    let known = Known::of(file.run(), state);
    let left = remove(pair, &known, pace).await?;
    if !left.is_empty() {
        say("Something is left. The state file stays: run this again once it can be removed.")?;
        return Ok(Ending::Failed);
    }
    file.delete()?;
    say("Nothing is left.")?;
    Ok(Ending::Done)
}

/// Without a state file: by names and tags, in the two accounts and Regions.
async fn clean_found(arguments: &ProveArguments, pair: &Pair, pace: Pace) -> Result<Ending, End> {
    let (runs, unseen) = runs(pair).await?;
    if runs.is_empty() && !unseen.is_empty() {
        say("No run was found where it could be looked.")?;
        return Ok(Ending::Failed);
    }
    if runs.is_empty() {
        say("Nothing of a run was found in these accounts and Regions.")?;
        return Ok(Ending::Done);
    }
    let names: Vec<String> = runs.iter().map(ToString::to_string).collect();
    say(&format!(
        "There is no state file. By name and tag there is something of these runs: {}",
        names.join(", ")
    ))?;
    if !arguments.yes && !agreed("Remove all of it? [y/N]", &["y", "yes"])? {
        say("Nothing was removed.")?;
        return Ok(Ending::Failed);
    }
    let mut ending = if unseen.is_empty() {
        Ending::Done
    } else {
        Ending::Failed
    };
    for run in &runs {
        say(&format!("Removing what run {run} left:"))?;
        let left = remove(pair, &Known::nothing(run), pace).await?;
        if !left.is_empty() {
            ending = Ending::Failed;
        }
    }
    say(match ending {
        Ending::Done => "Nothing is left.",
        Ending::Failed | Ending::Stopped => "Something is left, or could not be looked for.",
    })?;
    Ok(ending)
}
