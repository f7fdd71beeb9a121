//! One input file as rows: its traces, part by part, and whatever else it says.

use serde::{Deserialize, Serialize};

use super::facts::{Cut, Facts};
use super::row::{Kind, Row, StreamError};
use crate::model::{Dataset, Digest, Input, Ledger, TraceId, TraceIx};
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
pub const PER_INPUT: u32 = 1 << 8;

/// The number of file `index` of input `input`: in the order of inputs, so that what depends on it (which of two
/// copies of a span is kept) is the same as in one process. `None` beyond 16 million inputs, or 256 files in one.
#[must_use]
pub fn number_of(input: u32, index: u32) -> Option<u32> {
    let fits = input < u32::MAX / PER_INPUT && index < PER_INPUT;
    fits.then(|| input * PER_INPUT + index)
}

/// Spans in a row at most.
const SPANS: usize = 1 << 13;

/// The part that a trace falls into, of `parts`.
#[must_use]
pub fn part_of(trace: TraceId, parts: u32) -> u32 {
    let digest = Digest::of(&trace.0.to_be_bytes()).0.get();
    (digest % u64::from(parts.max(1))) as u32
}

/// Records that go together.
#[derive(Clone, Default)]
pub(super) struct Picked {
    spans: Vec<u32>,
    links: Vec<u32>,
    logs: Vec<u32>,
    exemplars: Vec<u32>,
    rounds: Vec<u32>,
}

/// Divides the records of `data`: `to_part` says which of `count` groups a trace belongs to; with records of no trace
/// nothing is done.
pub(super) fn divide(
    data: &Dataset,
    count: usize,
    to_part: impl Fn(TraceId) -> usize,
) -> Vec<Picked> {
    let mut parts = vec![Picked::default(); count];
    let known = (0..data.traces.len() as u32).map(|number| data.traces.get(TraceIx(number)));
    let known: Vec<usize> = known.map(&to_part).collect();
    for (span, at) in data.records.iter().zip(0..) {
        let part = known.get(span.trace.0 as usize).copied();
        if let Some(part) = part.and_then(|part| parts.get_mut(part)) {
            part.spans.push(at);
        }
    }
    let mut put = |trace: TraceId, list: fn(&mut Picked) -> &mut Vec<u32>, at: u32| {
        if let Some(part) = parts.get_mut(to_part(trace)) {
            list(part).push(at);
        }
    };
    let links = data.links.iter().zip(0..);
    links.for_each(|(link, at)| put(link.from.0, |part| &mut part.links, at));
    let logs = data.logs.iter().zip(0..);
    logs.for_each(|(log, at)| put(log.trace, |part| &mut part.logs, at));
    let exemplars = data.exemplars.iter().zip(0..);
    exemplars.for_each(|(one, at)| put(one.trace, |part| &mut part.exemplars, at));
    for (round, at) in data.rounds.iter().zip(0..) {
        put(data.traces.get(round.trace), |part| &mut part.rounds, at);
    }
    parts
}

impl Picked {
    fn is_empty(&self) -> bool {
        let Self {
            spans,
            links,
            logs,
            exemplars,
            rounds,
        } = self;
        [spans, links, logs, exemplars, rounds]
            .iter()
            .all(|list| list.is_empty())
    }

    /// Copies of these records, so many spans a piece.
    fn pieces<'a>(
        &'a self,
        data: &'a Dataset,
        cut: &'a mut Cut<'_>,
    ) -> impl Iterator<Item = Facts> + 'a {
        let mut spans = self.spans.chunks(SPANS);
        let mut first = true;
        std::iter::from_fn(move || {
            let own = spans.next();
            if own.is_none() && (!first || self.is_empty()) {
                return None;
            }
            for &at in own.unwrap_or_default() {
                cut.span(&data.records[at as usize]);
            }
            if std::mem::take(&mut first) {
                self.rest(data, cut);
            }
            Some(cut.take())
        })
    }

    fn rest(&self, data: &Dataset, cut: &mut Cut<'_>) {
        self.links
            .iter()
            .for_each(|&i| cut.link(data.links[i as usize]));
        self.logs
            .iter()
            .for_each(|&i| cut.log(&data.logs[i as usize]));
        self.exemplars
            .iter()
            .for_each(|&i| cut.exemplar(data.exemplars[i as usize]));
        self.rounds
            .iter()
            .for_each(|&i| cut.round(data.rounds[i as usize]));
    }
}

/// What was read from one input, row by row: one for what belongs to no trace, then some for each part.
///
/// # Errors
/// As `take`.
pub(super) fn rows(
    data: &Dataset,
    meta: Meta,
    parts: u32,
    mut take: impl FnMut(Row) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    let count = parts as usize;
    let divided = divide(data, count + 1, |trace| match trace.0 {
        0 => count,
        _ => part_of(trace, parts) as usize,
    });
    let mut cut = Cut::new(data);
    let (divided, rest) = divided.split_at(count);
    for picked in rest {
        picked
            .spans
            .iter()
            .for_each(|&i| cut.span(&data.records[i as usize]));
        picked.rest(data, &mut cut);
    }
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
    take(Row::new(Kind::File, None, &FileFacts { facts, meta })?)?;
    for (picked, part) in divided.iter().zip(0u128..) {
        for facts in picked.pieces(data, &mut cut) {
            take(facts.row(Kind::Traces, part)?)?;
        }
    }
    Ok(())
}

/// The records of `data` whose traces are `picked`, taken out of it.
pub(super) fn take_out(data: &mut Dataset, picked: impl Fn(TraceId) -> bool) -> Facts {
    let mut cut = Cut::new(data);
    for part in divide(data, 1, |trace| usize::from(!picked(trace))) {
        part.spans
            .iter()
            .for_each(|&i| cut.span(&data.records[i as usize]));
        part.rest(data, &mut cut);
    }
    let facts = cut.take();
    let mut spans = std::mem::take(&mut data.records);
    spans.retain(|span| !picked(data.trace_of(span)));
    data.records = spans;
    let mut rounds = std::mem::take(&mut data.rounds);
    rounds.retain(|round| !picked(data.traces.get(round.trace)));
    data.rounds = rounds;
    data.links.retain(|link| !picked(link.from.0));
    data.logs.retain(|log| !picked(log.trace));
    data.exemplars.retain(|exemplar| !picked(exemplar.trace));
    facts
}

impl FileFacts {
    /// What was read from input `input`, row by row, its traces divided into `parts`. The dataset's files are numbered
    /// from 0.
    ///
    /// # Errors
    /// When an archive holds too many files, and those of `take`.
    pub fn rows(
        mut data: Dataset,
        input: u32,
        readable: u64,
        parts: u32,
        take: impl FnMut(Row) -> Result<(), StreamError>,
    ) -> Result<(), StreamError> {
        let of = |index: u32| number_of(input, index).unwrap_or(u32::MAX);
        for span in &mut data.records {
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
        rows(&data, meta, parts, take)
    }
}
