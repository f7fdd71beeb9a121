//! A check as annotations of GitHub Actions: workflow commands on standard output.

use std::io::{self, Write};

use crate::report::check::{CheckReport, Line, Verdict};

/// GitHub shows ten annotations of a kind for each step and drops the others.
const MOST: usize = 10;

/// Writes the annotations: errors, warnings, and notices for what cannot be told.
///
/// # Errors
/// When `out` cannot be written.
pub fn github(check: &CheckReport<'_>, mut out: impl Write) -> io::Result<()> {
    let kinds = [
        ("error", Verdict::Broken),
        ("warning", Verdict::Warned),
        ("notice", Verdict::CannotTell),
    ];
    for (kind, verdict) in kinds {
        let lines = check.lines().filter(|line| line.finding.verdict == verdict);
        let lines: Vec<Line<'_>> = lines.collect();
        // The last place is for saying that there are more.
        let shown = if lines.len() > MOST {
            MOST - 1
        } else {
            lines.len()
        };
        for line in &lines[..shown] {
            let place = line.budget.place;
            writeln!(
                out,
                "::{kind} file={},line={},col={},title={}::{}",
                property(check.file()),
                place.line,
                place.column,
                property(&line.budget.name),
                data(&line.message())
            )?;
        }
        if shown < lines.len() {
            let more = lines.len() - shown;
            writeln!(
                out,
                "::{kind} file={},title=agentdiag check::{more} more budgets of this kind; the log has them all",
                property(check.file())
            )?;
        }
    }
    Ok(())
}

/// Escapes the text of a workflow command (`escapeData` of GitHub's toolkit).
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a workflow command (`escapeProperty` of GitHub's toolkit).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(data("5%\r\n::error::x"), "5%25%0D%0A::error::x");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}
