//! `copymend policy`.

pub(crate) mod arguments;
mod authorize;
mod diff;
mod evaluate;
mod grant;
mod prove;
mod question;

use std::io::Write;
use std::path::Path;

use copymend_policy::PolicyDocument;
use serde::Serialize;

use crate::input::{answer_lines, json_text};
use crate::output::json;
use crate::{CommandError, Ending, io_error};

use self::arguments::{GrantCommand, PolicyCommand};

pub(crate) fn run(command: &PolicyCommand) -> Result<Ending, CommandError> {
    match command {
        PolicyCommand::Evaluate(arguments) => evaluate::run(arguments),
        PolicyCommand::Authorize(arguments) => authorize::run(arguments),
        PolicyCommand::Grant(GrantCommand::Vault(arguments)) => grant::vault(arguments),
        PolicyCommand::Grant(GrantCommand::Key(arguments)) => grant::key(arguments),
        PolicyCommand::Prove(arguments) => prove::run(arguments),
        PolicyCommand::Diff(arguments) => diff::run(arguments),
    }
}

/// What a line gets that can't be answered.
#[derive(Serialize)]
struct Refusal {
    error: String,
}

/// Every line gets an answer, in order. A line that can't be answered gets an `error`, and the exit
/// code says so.
fn lines<A: Serialize>(
    answer: impl Fn(&[u8]) -> Result<A, String>,
) -> Result<Ending, CommandError> {
    let mut ending = Ending::Done;
    answer_lines(|line, output: &mut dyn Write| match answer(line) {
        Ok(answer) => json(output, &answer),
        Err(error) => {
            ending = Ending::Failed;
            json(output, &Refusal { error })
        }
    })
    .map_err(io_error("answer lines"))?;
    Ok(ending)
}

/// Reads a policy from a file; `-` is standard input. White space after the document and a byte
/// order mark before it come from the tools that wrote the file, and are left out.
fn policy(path: &Path) -> Result<PolicyDocument, CommandError> {
    let bytes = json_text(path)?;
    let refused = |reason: String| {
        CommandError::Usage(format!("`{}` is no policy: {reason}", path.display()))
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| refused(error.to_string()))?;
    PolicyDocument::parse(text.trim_ascii_end()).map_err(|error| refused(error.to_string()))
}

/// Reads the policies before and after; no `before` means that there was none.
fn before_and_after(
    before: Option<&Path>,
    after: &Path,
) -> Result<(Option<PolicyDocument>, PolicyDocument), CommandError> {
    let stdin = Path::new("-");
    if before == Some(stdin) && after == stdin {
        return Err(CommandError::Usage(
            "only one of the policies can come from standard input".to_owned(),
        ));
    }
    Ok((before.map(policy).transpose()?, policy(after)?))
}
