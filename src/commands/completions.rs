//! `agentdiag completions`: a script that teaches a shell the command line.

use std::io::Write;

use clap_complete::{Shell, generate};

use crate::error::{Error, Outcome};

/// Writes the script for `shell`, made from the definitions in `command`.
///
/// # Errors
/// When `out` cannot be written.
pub fn completions(
    shell: Shell,
    mut command: clap::Command,
    mut out: impl Write,
) -> Result<Outcome, Error> {
    let name = command.get_name().to_owned();
    // In memory first: the generator takes a closed pipe for a fault.
    let mut script = Vec::new();
    generate(shell, &mut command, name, &mut script);
    out.write_all(&script)?;
    Ok(Outcome::Done)
}
