//! Colour, width and character set: decided once, before anything is shown.

use std::env;
use std::io::{IsTerminal, stdout};

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ColorChoice {
    /// On a terminal that does not refuse it.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Not at all.
    Never,
}

/// What is known about where the output goes.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Standard output is a terminal.
    pub terminal: bool,
    /// Its width in columns.
    pub columns: Option<usize>,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM` is `dumb`.
    pub dumb: bool,
    /// The locale says UTF-8.
    pub utf8: bool,
}

impl Surroundings {
    /// Looks at standard output and the environment.
    #[must_use]
    pub fn of_stdout() -> Self {
        let var = |name| {
            env::var(name)
                .ok()
                .filter(|value: &String| !value.is_empty())
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(var);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Self {
            terminal: stdout().is_terminal(),
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            no_color: var("NO_COLOR").is_some(),
            dumb: var("TERM").is_some_and(|term| term == "dumb"),
            utf8: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }
}

/// How to show text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Escape sequences may be used.
    pub color: bool,
    /// Characters beyond ASCII may be used for lines and bars.
    pub unicode: bool,
    /// Columns; nothing is wider.
    pub width: usize,
}

/// A way to set text off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// Headings.
    Bold,
    /// Something is wrong.
    Bad,
    /// Something needs care.
    Warn,
    /// All is well.
    Good,
    /// Secondary.
    Dim,
}

impl Style {
    /// Narrower than this, tables lose more than they show.
    const NARROWEST: usize = 60;
    /// Wider than this, lines are hard to follow.
    const WIDEST: usize = 120;

    /// Plain text of 80 columns.
    pub const PLAIN: Self = Self {
        color: false,
        unicode: false,
        width: 80,
    };

    /// Decides. Into a file or a pipe the result depends on nothing but the arguments.
    #[must_use]
    pub fn decide(color: ColorChoice, width: Option<usize>, around: &Surroundings) -> Self {
        let columns = around.columns.filter(|_| around.terminal).unwrap_or(80);
        Self {
            color: match color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                ColorChoice::Auto => around.terminal && !around.no_color && !around.dumb,
            },
            unicode: around.terminal && around.utf8 && !around.dumb,
            width: width
                .unwrap_or(columns)
                .clamp(Self::NARROWEST, Self::WIDEST),
        }
    }

    /// `text`, set off where colour may be used.
    #[must_use]
    pub fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Bold => "1",
            Paint::Bad => "1;31",
            Paint::Warn => "33",
            Paint::Good => "1;32",
            Paint::Dim => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// The mark of a cut text.
    #[must_use]
    pub fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// What bars are drawn with.
    #[must_use]
    pub fn bar(self) -> &'static str {
        if self.unicode { "█" } else { "#" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings {
        Surroundings {
            terminal: true,
            columns: Some(100),
            utf8: true,
            ..Surroundings::default()
        }
    }

    #[test]
    fn a_pipe_gets_plain_text_of_80_columns() {
        let pipe = Surroundings {
            terminal: false,
            ..terminal()
        };
        assert_eq!(Style::decide(ColorChoice::Auto, None, &pipe), Style::PLAIN);
        assert!(Style::decide(ColorChoice::Always, None, &pipe).color);
    }

    #[test]
    fn a_terminal_gets_colour_unless_somebody_objects() {
        let auto = |around: &Surroundings| Style::decide(ColorChoice::Auto, None, around);
        assert!(auto(&terminal()).color && auto(&terminal()).unicode);
        let refuses = Surroundings {
            no_color: true,
            ..terminal()
        };
        let dumb = Surroundings {
            dumb: true,
            ..terminal()
        };
        assert!(!auto(&refuses).color && !auto(&dumb).color && !auto(&dumb).unicode);
        assert!(!Style::decide(ColorChoice::Never, None, &terminal()).color);
        assert_eq!(auto(&terminal()).width, 100);
    }
}
