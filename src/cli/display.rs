//! Options of every subcommand: how to show the result.

use clap::{Args, ValueEnum};

use crate::render::{ColorChoice, Style, Surroundings};

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Display {
    /// Use colour: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        display_order = 900,
        hide_possible_values = true
    )]
    pub color: Color,

    /// Show no progress
    #[arg(short, long, global = true, display_order = 901)]
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
