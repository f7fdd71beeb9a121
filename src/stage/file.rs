//! One input file as rows: its traces, and whatever else it says.

use serde::{Deserialize, Serialize};

use super::facts::{Cut, Facts};
use super::row::{Kind, Row, StreamError};
use crate::baseline::Map;
use crate::model::{Dataset, Input, Ledger, TraceId};
use crate::units::Sym;

/// What one file says that belongs to no trace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FileFacts {
    /// Series, events, and logs that name no trace.
    pub facts: Facts,
    /// How it was read.
    pub meta: Meta,
}

/// How files were read. Files are known by the numbers they were read under.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Meta {
    /// The inputs in it: one, or one per file of an archive.
    pub inputs: Vec<(u32, Input)>,
    /// How many of them were of a readable format.
    pub readable: u64,
    /// What was lost, mended or guessed.
    pub ledger: Ledger,
    /// Vocabularies, with how many spans of a file spoke each.
    pub dialects: Vec<(String, u32, u64)>,
    /// Attribute keys that were not understood, with how many spans had them.
    pub strange_keys: Vec<(Sym, u64)>,
}

/// Files that one archive may hold.
const PER_INPUT: u32 = 1 << 8;

/// The number of file `index` of input `input`: in the order of inputs, so that what depends on it (which of two
/// copies of a span is kept) is the same as in one process. `None` beyond 16 million inputs, or 256 files in one.
#[must_use]
pub fn number_of(input: u32, index: u32) -> Option<u32> {
    let fits = input < u32::MAX / PER_INPUT && index < PER_INPUT;
    fits.then(|| input * PER_INPUT + index)
}

/// Rows by trace.
#[derive(Default)]
struct Sorted {
    spans: Vec<u32>,
    links: Vec<u32>,
    logs: Vec<u32>,
    exemplars: Vec<u32>,
    rounds: Vec<u32>,
}

/// What was read from one input, row by row: a row for each of its traces in the order of their ids, then one for the
/// rest.
///
/// # Errors
/// As `take`.
pub(super) fn rows(
    data: &Dataset,
    meta: Meta,
    mut take: impl FnMut(Row) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    let mut traces: Map<TraceId, Sorted> = Map::default();
    for (span, at) in data.spans.iter().zip(0..) {
        traces
            .entry(data.trace_of(span))
            .or_default()
            .spans
            .push(at);
    }
    for (link, at) in data.links.iter().zip(0..) {
        traces.entry(link.from.0).or_default().links.push(at);
    }
    for (log, at) in data.logs.iter().zip(0..) {
        traces.entry(log.trace).or_default().logs.push(at);
    }
    for (exemplar, at) in data.exemplars.iter().zip(0..) {
        traces.entry(exemplar.trace).or_default().exemplars.push(at);
    }
    for (round, at) in data.rounds.iter().zip(0..) {
        let trace = data.traces.get(round.trace);
        traces.entry(trace).or_default().rounds.push(at);
    }
    let mut order: Vec<TraceId> = traces.keys().copied().collect();
    order.sort_unstable();
    let mut cut = Cut::new(data);
    let mut rest = Sorted::default();
    for id in order {
        let Some(trace) = traces.remove(&id) else {
            continue;
        };
        if id.0 == 0 {
            rest = trace;
            continue;
        }
        copy(&mut cut, data, &trace);
        take(Row::new(Kind::Trace, Some(id), &cut.take())?)?;
    }
    copy(&mut cut, data, &rest);
    data.series.iter().for_each(|series| cut.series(series));
    data.events.iter().for_each(|event| cut.event(*event));
    let mut strange: Vec<(Sym, u64)> = data
        .strange_keys
        .iter()
        .map(|(key, n)| (*key, *n))
        .collect();
    strange.sort_unstable_by(|a, b| data.text(a.0).cmp(data.text(b.0)));
    let meta = Meta {
        strange_keys: strange
            .into_iter()
            .map(|(key, n)| (cut.sym(key), n))
            .collect(),
        ..meta
    };
    let facts = cut.take();
    take(Row::new(Kind::File, None, &FileFacts { facts, meta })?)
}

fn copy(cut: &mut Cut<'_>, data: &Dataset, of: &Sorted) {
    of.spans
        .iter()
        .for_each(|&i| cut.span(&data.spans[i as usize]));
    of.links
        .iter()
        .for_each(|&i| cut.link(data.links[i as usize]));
    of.logs
        .iter()
        .for_each(|&i| cut.log(&data.logs[i as usize]));
    of.exemplars
        .iter()
        .for_each(|&i| cut.exemplar(data.exemplars[i as usize]));
    of.rounds
        .iter()
        .for_each(|&i| cut.round(data.rounds[i as usize]));
}

impl FileFacts {
    /// What was read from input `input`, row by row. The dataset's files are numbered from 0.
    ///
    /// # Errors
    /// When an archive holds too many files, and those of `take`.
    pub fn rows(
        mut data: Dataset,
        input: u32,
        readable: u64,
        take: impl FnMut(Row) -> Result<(), StreamError>,
    ) -> Result<(), StreamError> {
        let of = |index: u32| number_of(input, index).unwrap_or(u32::MAX);
        for span in &mut data.spans {
            span.place.file = of(span.place.file);
        }
        let inputs = std::mem::take(&mut data.inputs).into_iter();
        let mut dialects: Vec<(String, u32, u64)> = data
            .dialects_of
            .iter()
            .map(|((file, name), n)| ((*name).to_owned(), of(*file), *n))
            .collect();
        dialects.sort_unstable();
        let meta = Meta {
            inputs: inputs.zip(0..).map(|(file, i)| (of(i), file)).collect(),
            readable,
            ledger: std::mem::take(&mut data.ledger).renumbered(of),
            dialects,
            strange_keys: Vec::new(),
        };
        rows(&data, meta, take)
    }
}
