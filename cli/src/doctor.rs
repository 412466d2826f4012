//! `copymend doctor`: what is wrong with a deployed stack.

use std::io::{self, Write};

use copymend_aws::{AwsStack, Whose};
use copymend_doctor::{State, is_broken, json, judge, table};

use crate::arguments::DoctorArguments;
use crate::output;
use crate::{CommandError, Ending, io_error};

/// Reads the stack, judges it, and shows what was found. A stack that can't be read at all is wrong
/// usage: its name, the Region or the credentials are.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<Ending, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(io_error("start"))?;
    let facts = runtime.block_on(async {
        let whose = Whose {
            profile: arguments.profile.as_deref(),
            region: arguments.region.as_deref(),
        };
        let stack = AwsStack::load(whose).await;
        Box::pin(stack.read(&arguments.stack, arguments.send)).await
    });
    let facts =
        facts.map_err(|error| CommandError::Usage(output::printable(&error.to_string())))?;
    let findings = judge(&facts);
    let written = if arguments.json {
        json(&facts.deployed, &findings)
            .map_err(io::Error::from)
            .and_then(|line| writeln!(io::stdout().lock(), "{line}"))
    } else {
        write!(output::terminal(), "{}", table(&findings))
    };
    written.map_err(io_error("write the findings"))?;
    let is_unknown = || {
        let mut states = findings.iter().map(|finding| finding.state);
        states.any(|state| state == State::NotCheckable)
    };
    Ok(
        if is_broken(&findings) || (arguments.strict && is_unknown()) {
            Ending::Failed
        } else {
            Ending::Done
        },
    )
}
