//! One request: its verdict first, then the waterfall, the account, what speaks for and against, and
//! what else was recorded.

use std::io::{self, Write};

use super::table::{Column, Table};
use super::{INDENT, Options, Page, around, text, waterfall};
use crate::render::sentence;
use crate::render::style::Paint;
use crate::report::{Around, Fate, Report, Row, Waterfall, What};
use crate::units::human::{compact, count, counted, duration, instant, money, percent, short};
use crate::units::{Nanos, Ratio};

/// Writes one request as text.
///
/// # Errors
/// When `out` cannot be written.
pub fn trace(
    report: &Report<'_>,
    row: &Row<'_>,
    drawn: &Waterfall<'_>,
    around: &Around<'_>,
    options: Options,
    out: impl Write,
) -> io::Result<()> {
    let mut page = Page::new(options.style, out);
    head(report, row, drawn, &mut page)?;
    waterfall::write(drawn, row.request.wall, &mut page)?;
    account(row, &mut page)?;
    evidence(row, options.top, &mut page)?;
    rivals(row, &mut page)?;
    calls(drawn, row, &mut page)?;
    around::write(around, row.request.wall, &mut page)?;
    repairs(row, &mut page)?;
    next(row, &mut page)?;
    page.finish()
}

fn head<W: Write>(
    report: &Report<'_>,
    row: &Row<'_>,
    drawn: &Waterfall<'_>,
    page: &mut Page<W>,
) -> io::Result<()> {
    let request = row.request;
    let version = format!(
        "agentdiag {}: trace {}",
        report.tool_version(),
        request.trace
    );
    page.line(&page.style.paint(Paint::Dim, &version))?;
    let when = format!(
        "{} UTC, {}",
        instant(request.wall.start),
        counted(drawn.spans as u64, "span")
    );
    page.line(&page.style.paint(Paint::Dim, &when))?;
    page.line("")?;
    let paint = match (row.slow(), row.not_judged()) {
        (true, _) => Paint::Bad,
        (false, None) => Paint::Good,
        (false, Some(_)) => Paint::Warn,
    };
    for line in text::wrap(&text::clean(&verdict(row)), page.style.width) {
        page.line(&page.style.paint(paint, &line))?;
    }
    page.line("")?;
    let facts = [
        ("  Request", Some(named(row))),
        ("  Work", Some(work(row))),
        ("  Cost", row.cost.cost.map(|usd| cost(row, money(usd)))),
        ("  Sure", row.slow().then(|| sure(row))),
        ("  Missing", missing(row)),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            page.hanging(label, 11, &fact)?;
        }
    }
    Ok(())
}

/// The answer in a sentence.
fn verdict(row: &Row<'_>) -> String {
    let took = duration(row.request.duration());
    if let Some(reason) = row.not_judged() {
        return format!("Not judged: it took {took}, and {reason}.");
    }
    let expected = row.expected().map_or(String::new(), |expected| {
        format!(", expected {}", duration(expected))
    });
    let Some(cause) = row.cause() else {
        let more = match row.excess() {
            Nanos::ZERO => String::new(),
            excess => format!(
                ": the {} more are below the limit, or no more than requests here vary by",
                duration(excess)
            ),
        };
        return format!("Not slow: it took {took}{expected}{more}.");
    };
    let (label, title) = (cause.label(), cause.meta().title);
    let share = row
        .contributions()
        .get(cause.index())
        .copied()
        .unwrap_or_default();
    format!(
        "Slow: it took {took}{expected}, and lost {}. Verdict: {label} ({title}), {} of it.",
        duration(row.excess()),
        duration(share)
    )
}

fn named(row: &Row<'_>) -> String {
    let mut said = row.name().to_owned();
    for (noun, name) in row.labels() {
        if !name.is_empty() && name != row.name() {
            said = format!("{said}, {noun} {name}");
        }
    }
    said
}

fn work(row: &Row<'_>) -> String {
    let request = row.request;
    let mut said = vec![counted(u64::from(row.model_calls()), "model call")];
    if row.failed_calls() > 0 {
        said.push(format!(
            "{} of them failed",
            count(u64::from(row.failed_calls()))
        ));
    }
    said.push(counted(u64::from(request.tool_calls), "tool call"));
    if request.retries > 0 {
        said.push(match request.retries {
            1 => "1 retry".to_owned(),
            many => format!("{many} retries"),
        });
    }
    if let Some(input) = request.input_tokens {
        let cached = request.cached_tokens;
        let cached = cached.map_or(String::new(), |c| format!(" ({} cached)", compact(c)));
        said.push(format!("{} prompt tokens{cached}", compact(input)));
    }
    said.extend(
        request
            .output_tokens
            .map(|o| format!("{} generated", compact(o))),
    );
    said.join(", ")
}

fn cost(row: &Row<'_>, sum: String) -> String {
    match row.cost.priced.share() {
        Some(share) if share < 1.0 => {
            format!("{sum}; only {} of tokens have a price", percent(share))
        }
        _ => sum,
    }
}

fn sure(row: &Row<'_>) -> String {
    let sure = row.confidence();
    match sure < 0.5 {
        true => format!("{sure:.2} of 1: less than a coin toss, so read the rivals below"),
        false => format!("{sure:.2} of 1"),
    }
}

fn missing(row: &Row<'_>) -> Option<String> {
    (!row.missing().is_empty()).then(|| row.missing().join("; "))
}

/// Expected, what each cause added, observed: a sum that can be checked.
fn account<W: Write>(row: &Row<'_>, page: &mut Page<W>) -> io::Result<()> {
    let Some(expected) = row.expected() else {
        return Ok(());
    };
    page.heading(
        "ACCOUNT",
        "what it should have taken, and what each cause added",
    )?;
    let columns = [
        Column::Word(""),
        Column::Number("time"),
        Column::Number("of the loss"),
        Column::Name(""),
    ];
    let mut table = Table::new(page.style, &columns);
    let line = |name: &str, time: String, share: String, title: &str| {
        [name.to_owned(), time, share, title.to_owned()]
    };
    table.row(line("expected", short(expected), String::new(), ""));
    for entry in row.entries() {
        let share = Ratio {
            part: entry.time.0,
            whole: row.excess().0,
        };
        let share = share.share().map_or(String::new(), percent);
        let time = format!("+{}", short(entry.time));
        table.row(line(entry.cause, time, share, entry.title));
    }
    let all = if row.excess() == Nanos::ZERO {
        ""
    } else {
        "100%"
    };
    let observed = short(row.request.duration());
    let lost = format!("lost {}", short(row.excess()));
    table.row(line("observed", observed, all.to_owned(), &lost));
    page.table(table)
}

fn evidence<W: Write>(row: &Row<'_>, top: usize, page: &mut Page<W>) -> io::Result<()> {
    let facts: Vec<_> = row.evidence().collect();
    if facts.is_empty() {
        return Ok(());
    }
    page.heading(
        "EVIDENCE",
        &super::sections::some_of(facts.len(), top, "strongest first"),
    )?;
    for (cause, fact) in facts.into_iter().take(top) {
        page.hanging(
            &format!("  {}", cause.label()),
            21,
            &sentence::fact(row, fact),
        )?;
    }
    Ok(())
}

fn rivals<W: Write>(row: &Row<'_>, page: &mut Page<W>) -> io::Result<()> {
    let rivals = row.rivals();
    if !row.slow() || rivals.is_empty() {
        return Ok(());
    }
    page.heading(
        "RIVALS",
        "other causes, and why none of them is the verdict",
    )?;
    for rival in rivals {
        let why = match rival.fate {
            Fate::Explains(time, fact) => {
                format!("explains only {}: {}", short(time), sentence::what(fact))
            }
            Fate::Refuted(fact) => format!("ruled out: {}", sentence::what(fact)),
            Fate::Untested(missing) => format!("cannot tell without {}", missing.join(", ")),
        };
        page.hanging(&format!("  {}", rival.cause), 21, &why)?;
    }
    Ok(())
}

/// Figures of the model calls that have a line.
fn calls<W: Write>(drawn: &Waterfall<'_>, row: &Row<'_>, page: &mut Page<W>) -> io::Result<()> {
    let calls: Vec<_> = drawn
        .lines
        .iter()
        .filter_map(|line| match line.what {
            What::Span(span) => Some((line, span, span.call?)),
            _ => None,
        })
        .collect();
    if calls.is_empty() {
        return Ok(());
    }
    let model = calls.first().map_or("", |(_, _, call)| call.model);
    let one = !model.is_empty() && calls.iter().all(|(_, _, call)| call.model == model);
    let mut remark = "tokens; a blank was not recorded".to_owned();
    if one {
        remark = format!("of {model}, {remark}");
    }
    page.heading("MODEL CALLS", &remark)?;
    let mut columns = vec![
        Column::Number("at"),
        Column::Number("took"),
        Column::Number("prompt"),
        Column::Number("cached"),
        Column::Number("first token"),
        Column::Number("output"),
        Column::Name("ended"),
    ];
    if !one {
        columns.push(Column::Name("model"));
    }
    let mut table = Table::new(page.style, &columns);
    let tokens = |number: Option<u32>| number.map_or(String::new(), |n| compact(n.into()));
    for (line, span, call) in calls {
        let model = if call.model.is_empty() {
            span.name
        } else {
            call.model
        };
        let cells = [
            sentence::offset(line.window.start, row.request.wall.start),
            short(line.window.len()),
            tokens(call.input),
            tokens(call.cached),
            call.first_token.map_or(String::new(), short),
            tokens(call.output),
            match sentence::ended(&span) {
                said if said.is_empty() => call.finish.to_owned(),
                said => said,
            },
        ];
        table.row(cells.into_iter().chain((!one).then(|| model.to_owned())));
    }
    page.table(table)
}

fn repairs<W: Write>(row: &Row<'_>, page: &mut Page<W>) -> io::Result<()> {
    let repairs: Vec<_> = row.repairs().collect();
    if repairs.is_empty() {
        return Ok(());
    }
    page.heading("REPAIRS", "what had to be mended to see this request")?;
    let mut repairs = repairs.into_iter();
    repairs.try_for_each(|(name, what)| page.hanging(&format!("  {name}"), 16, what))
}

fn next<W: Write>(row: &Row<'_>, page: &mut Page<W>) -> io::Result<()> {
    let Some(cause) = row.cause() else {
        return Ok(());
    };
    let more = format!("`agentdiag explain {}` says more", cause.label());
    page.heading("WHAT TO DO NEXT", &more)?;
    let mut checks = row.next_checks().iter();
    checks.try_for_each(|check| page.hanging("  -", 2 * INDENT, check))
}
