//! The JSON object: one line per request, so that it can be read by eye, `grep` and `diff` without
//! the size of full indentation.

use std::io::{self, Write};
use std::slice::Chunks;

use rayon::ThreadPool;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::report::check::{self, CheckReport};
use crate::report::compare::{self, CompareReport};
use crate::report::cost::{self, CostReport};
use crate::report::drift::{self, DriftReport};
use crate::report::v1::{Document, ReplayDocument, Request, TraceDocument};
use crate::report::{Around, Replay, Report, Row, Waterfall};

/// Requests that one task puts into text, and tasks whose text is held at a time.
const REQUESTS: usize = 256;
const TASKS: usize = 16;

/// Where the list of requests stands in a document without any: no text holds a line break in JSON.
const LIST: &[u8] = b"\n\"requests\":[";

/// Writes the report as `agentdiag.analyze.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn json(report: &Report<'_>, out: impl Write) -> io::Result<()> {
    write(report, out, |tasks| {
        tasks.map(|some| requests(report, some)).collect()
    })
}

/// As [`json`], with the requests, nearly all of it, put into text on the threads of `pool`.
///
/// # Errors
/// When `out` cannot be written.
pub fn json_on(pool: &ThreadPool, report: &Report<'_>, out: impl Write) -> io::Result<()> {
    write(report, out, |tasks| {
        let mut texts: Vec<io::Result<Vec<u8>>> = tasks.clone().map(|_| Ok(Vec::new())).collect();
        pool.in_place_scope(|scope| {
            for (text, some) in texts.iter_mut().zip(tasks) {
                scope.spawn(move |_| *text = requests(report, some));
            }
        });
        texts
    })
}

fn write(
    report: &Report<'_>,
    mut out: impl Write,
    texts: impl Fn(Chunks<'_, u32>) -> Vec<io::Result<Vec<u8>>>,
) -> io::Result<()> {
    let mut frame = Vec::new();
    let mut to = Serializer::with_formatter(&mut frame, Lines { depth: 0 });
    Document::from(report).serialize(&mut to)?;
    let list = memchr::memmem::find(&frame, LIST).map_or(frame.len(), |at| at + LIST.len());
    let (before, after) = frame.split_at(list);
    out.write_all(before)?;
    let indices: Vec<u32> = (0..report.len() as u32).collect();
    for some in indices.chunks(REQUESTS * TASKS) {
        for text in texts(some.chunks(REQUESTS)) {
            out.write_all(&text?)?;
        }
    }
    out.write_all(after)?;
    writeln!(out)
}

/// Writes what was paid as `agentdiag.cost.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn cost(report: &CostReport<'_>, out: impl Write) -> io::Result<()> {
    object(&cost::v1::Document::from(report), out)
}

/// Writes what changed as `agentdiag.drift.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn drift(report: &DriftReport<'_>, out: impl Write) -> io::Result<()> {
    object(&drift::v1::Document::from(report), out)
}

/// Writes what became of budgets as `agentdiag.check.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn check(report: &CheckReport<'_>, out: impl Write) -> io::Result<()> {
    object(&check::v1::Document::from(report), out)
}

/// Writes what changed between two sets as `agentdiag.compare.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn compare(report: &CompareReport<'_>, out: impl Write) -> io::Result<()> {
    object(&compare::v1::Document::from(report), out)
}

/// Writes any object, one line for each element of its lists.
///
/// # Errors
/// When `out` cannot be written.
pub fn object(value: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    let mut to = Serializer::with_formatter(&mut out, Lines { depth: 0 });
    value.serialize(&mut to)?;
    writeln!(out)
}

/// Writes the replay of alert rules as `agentdiag.replay.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn replay_json(replay: &Replay<'_>, mut out: impl Write) -> io::Result<()> {
    let mut to = Serializer::with_formatter(&mut out, Lines { depth: 0 });
    ReplayDocument::from(replay).serialize(&mut to)?;
    writeln!(out)
}

/// Writes one request as `agentdiag.trace.v1`.
///
/// # Errors
/// When `out` cannot be written.
pub fn trace_json<'a>(
    report: &'a Report<'a>,
    row: &Row<'a>,
    drawn: &Waterfall<'a>,
    around: &Around<'a>,
    mut out: impl Write,
) -> io::Result<()> {
    let mut to = Serializer::with_formatter(&mut out, Lines { depth: 0 });
    TraceDocument::of(report, row, drawn, around).serialize(&mut to)?;
    writeln!(out)
}

/// Elements of the list of requests, as they stand in it.
fn requests(report: &Report<'_>, indices: &[u32]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for &index in indices {
        let Some(row) = report.row(index) else {
            continue;
        };
        let mut lines = Lines { depth: 2 };
        lines.begin_array_value(&mut text, index == 0)?;
        Request::from(&row).serialize(&mut Serializer::with_formatter(&mut text, lines))?;
    }
    Ok(text)
}

/// Breaks lines between the keys of the outer object and between the elements of its lists.
struct Lines {
    depth: usize,
}

impl Lines {
    fn line<W: ?Sized + Write>(&self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= 2 {
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.depth <= 1 {
            out.write_all(b"\n")?;
        }
        self.depth -= 1;
        out.write_all(bracket)
    }
}

impl Formatter for Lines {
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        out.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.line(out, first)
    }
}
