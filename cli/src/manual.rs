//! What a shell completes, and the manual pages: both made from the command line itself.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::generate;

use crate::arguments::{Arguments, CompletionsArguments, ManArguments};
use crate::{CommandError, Ending, io_error};

/// Prints a shell's completions.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<Ending, CommandError> {
    // Put together first: a pipe that is closed is no panic then.
    let mut script = Vec::new();
    let mut command = Arguments::command();
    generate(arguments.shell, &mut command, "copymend", &mut script);
    io::stdout()
        .lock()
        .write_all(&script)
        .map_err(io_error("write the completions"))?;
    Ok(Ending::Done)
}

/// Writes one page a command into a folder.
pub(crate) fn pages(arguments: &ManArguments) -> Result<Ending, CommandError> {
    let folder = &arguments.directory;
    std::fs::create_dir_all(folder)
        .map_err(io_error(format!("make the folder {}", folder.display())))?;
    clap_mangen::generate_to(Arguments::command(), folder).map_err(io_error(format!(
        "write the pages into {}",
        folder.display()
    )))?;
    Ok(Ending::Done)
}
