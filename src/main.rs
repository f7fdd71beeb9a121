//! Parses, dispatches, and turns the outcome into an exit code. A closed pipe is success.

use std::io::{self, BufWriter, Write};
use std::panic::{self, Location};
use std::process::ExitCode;

use agentdiag::cli::{Cli, Command};
use agentdiag::commands;
use agentdiag::error::{Error, Outcome, contains_panics, exit};
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    panic::set_hook(Box::new(|fault| {
        if !contains_panics() {
            say_where(fault.location());
        }
    }));
    let cli = Cli::parse();
    match run(&cli) {
        Ok(outcome) => outcome.code().into(),
        Err(error) if error.is_broken_pipe() => exit::DONE.into(),
        Err(error) => {
            // Nobody is left to tell when standard error is closed as well.
            let _ = writeln!(io::stderr(), "agentdiag: {error}");
            error.code().into()
        }
    }
}

/// Where the program is at fault. What it stumbled over may be content of the input: that is not even handed over.
fn say_where(place: Option<&Location<'_>>) {
    let place = place.map_or_else(|| "an unknown place".into(), ToString::to_string);
    let _ = writeln!(
        io::stderr(),
        "agentdiag: internal fault at {place}, please report it"
    );
}

fn run(cli: &Cli) -> Result<Outcome, Error> {
    let style = cli.display.style();
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let outcome = match &cli.command {
        Command::Analyze(args) => commands::analyze(&args.options(&cli.display), &mut out)?,
        Command::Cost(args) => commands::cost(&args.options(&cli.display), &mut out)?,
        Command::Drift(args) => commands::drift(&args.options(&cli.display), &mut out)?,
        Command::Prices(args) => commands::prices(&args.options(&cli.display), &mut out)?,
        Command::Report(args) => commands::report(&args.options(&cli.display), &mut out)?,
        Command::Trace(args) => commands::trace(&args.options(&cli.display), &mut out)?,
        Command::Export(args) => commands::export(&args.options(&cli.display), &mut out)?,
        Command::Baseline(args) => commands::baseline(&args.options(&cli.display), &mut out)?,
        Command::Compare(args) => commands::compare(&args.options(&cli.display), &mut out)?,
        Command::Check(args) => commands::check(&args.options(&cli.display), &mut out)?,
        Command::Replay(args) => commands::replay(&args.options(&cli.display), &mut out)?,
        Command::Rules(args) => commands::rules(&args.options(&cli.display), &mut out)?,
        Command::Gpu(args) => commands::gpu(&args.options(&cli.display), &mut out, io::stderr())?,
        Command::Stage(args) => commands::stage(&args.options(&cli.display), &mut out)?,
        Command::Explain(args) => commands::explain(args.cause.as_deref(), style, &mut out)?,
        Command::Formats => commands::formats(style, &mut out)?,
        Command::Completions(args) => commands::completions(args.shell, Cli::command(), &mut out)?,
    };
    out.flush()?;
    Ok(outcome)
}
