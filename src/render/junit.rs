//! A check as JUnit XML, as CI systems read it: a broken budget is a failure, one that cannot be told is skipped, or
//! an error where the user is strict about it.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::check::{CheckReport, Line, Verdict, level};

/// Writes the check as JUnit XML.
///
/// # Errors
/// When `out` cannot be written.
pub fn junit(check: &CheckReport<'_>, mut out: impl Write) -> io::Result<()> {
    let mut suite = TestSuite::new(check.file());
    suite.add_property(Property::new(
        "agentdiag.version",
        env!("CARGO_PKG_VERSION"),
    ));
    suite.add_property(Property::new("agentdiag.verdict", check.verdict()));
    if let Some(baseline) = &check.baseline {
        suite.add_property(Property::new("agentdiag.baseline", baseline.as_str()));
    }
    for line in check.lines() {
        suite.add_test_case(case(&line, check));
    }
    let mut report = Report::new("agentdiag check");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    out.write_all(without_total(&text).as_bytes())
}

fn case(line: &Line<'_>, check: &CheckReport<'_>) -> TestCase {
    let verdict = line.finding.verdict;
    let message = line.message();
    let mut status = match verdict {
        Verdict::Broken => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::CannotTell if check.is_strict() => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        Verdict::CannotTell | Verdict::Off => TestCaseStatus::skipped(),
        Verdict::Warned | Verdict::WithinNoise | Verdict::Kept => TestCaseStatus::success(),
    };
    status.set_message(message.as_str());
    match verdict {
        Verdict::Broken => status.set_type("budget.broken"),
        Verdict::CannotTell => status.set_type("budget.cannot_tell"),
        _ => status.set_type("budget.off"),
    };
    let place = line.budget.place;
    status.set_description(format!(
        "{message}\n{}:{}:{}: {}",
        check.file(),
        place.line,
        place.column,
        line.budget.text
    ));
    let mut case = TestCase::new(line.budget.name.as_str(), status);
    case.set_classname(format!("agentdiag.budget.{}", level(line.budget.level)));
    // There is no such thing as a warning in JUnit; its text is kept as output.
    if matches!(
        verdict,
        Verdict::Warned | Verdict::WithinNoise | Verdict::Kept
    ) {
        let word = if verdict == Verdict::Warned {
            "warning: "
        } else {
            ""
        };
        case.set_system_out(format!("{word}{message}"));
    }
    case
}

/// The root element has no `skipped` in the schema that Jenkins checks against; that of the suite says it.
fn without_total(text: &str) -> String {
    let Some(start) = text.find("<testsuites") else {
        return text.to_owned();
    };
    let end = text[start..]
        .find('>')
        .map_or(text.len(), |end| start + end);
    let root = &text[start..end];
    let Some(from) = root.find(" skipped=\"") else {
        return text.to_owned();
    };
    let value = from + " skipped=\"".len();
    let to = root[value..]
        .find('"')
        .map_or(root.len(), |quote| value + quote + 1);
    [&text[..start], &root[..from], &root[to..], &text[end..]].concat()
}
