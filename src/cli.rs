//! What the user may type. Nothing here does anything: each subcommand turns into the options of a
//! function in [`commands`](crate::commands).

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::render::{ColorChoice, Style, Surroundings};

/// Says which requests of an LLM agent were slow, why, and what they cost: offline, from exported traces.
#[derive(Debug, Parser)]
#[command(
    name = "agentdiag",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = EXIT_CODES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How to show it.
    #[command(flatten)]
    pub display: Display,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explain a cause: what it is, what looks like it, what to do
    Explain(Explain),
}

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Display {
    /// Use colour: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        hide_possible_values = true
    )]
    pub color: Color,

    /// Show no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Columns of the text output, instead of those of the terminal
    #[arg(long, value_name = "COLUMNS", global = true, hide = true)]
    pub width: Option<usize>,
}

impl Display {
    /// Colour, width and character set, decided once.
    #[must_use]
    pub fn style(&self) -> Style {
        Style::decide(self.color.into(), self.width, &Surroundings::of_stdout())
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Without CAUSE, all causes are listed.")]
pub struct Explain {
    /// Label of a cause, such as cold_cache
    pub cause: Option<String>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; finding slow requests is success
  1  a budget is broken, or an alert fired that should fail the run
  2  usage error, or no readable input; under --strict also part of the input lost
  3  not enough data to judge (only under --strict)";
