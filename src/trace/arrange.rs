//! Puts the spans of each trace side by side.
//!
//! Traces come in the order of their first start: dumps are written in about that order, and requests are
//! looked at in about that order, so that every later walk goes through memory forwards.

use std::ops::Range;

use rayon::prelude::*;

use super::tree::divide;
use crate::model::{Dataset, Place, Record, SpanIx, TraceIx};
use crate::units::{Nanos, filled, roomy};

/// Traces from this many spans on are sorted on all threads.
const LARGE: usize = 1 << 15;

/// A trace as its spans are counted.
#[derive(Clone, Copy)]
struct Met {
    first: Nanos,
    spans: u32,
}

/// Sorts the spans by trace, start and id. Returns where each trace lies.
pub(super) fn by_trace(dataset: &mut Dataset) -> Vec<Range<SpanIx>> {
    let met = count(dataset);
    let mut order: Vec<u32> = (0..met.len() as u32).collect();
    order.retain(|&number| met[number as usize].spans > 0);
    order.par_sort_unstable_by_key(|&number| {
        let first = met[number as usize].first;
        (first, dataset.traces.get(TraceIx(number)))
    });
    let mut traces = Vec::with_capacity(order.len());
    let mut next = vec![0; met.len()];
    let mut at = 0;
    for number in order {
        let end = at + met[number as usize].spans;
        next[number as usize] = at;
        traces.push(at..end);
        at = end;
    }
    gather(dataset, next);
    sort_each(&mut dataset.records, &traces);
    traces
}

/// The traces by number; one without spans has none of its own to begin with.
fn count(dataset: &Dataset) -> Vec<Met> {
    let none = Met {
        first: Nanos(u64::MAX),
        spans: 0,
    };
    let part = dataset
        .records
        .len()
        .div_ceil(rayon::current_num_threads())
        .max(1);
    let parts = dataset.records.par_chunks(part).map(|spans| {
        let mut met = vec![none; dataset.traces.len()];
        for span in spans {
            if let Some(trace) = met.get_mut(span.trace.0 as usize) {
                trace.first = trace.first.min(span.start);
                trace.spans += 1;
            }
        }
        met
    });
    let both = |mut met: Vec<Met>, other: Vec<Met>| {
        for (trace, other) in met.iter_mut().zip(other) {
            trace.first = trace.first.min(other.first);
            trace.spans += other.spans;
        }
        met
    };
    let met = parts.reduce_with(both);
    met.unwrap_or_else(|| vec![none; dataset.traces.len()])
}

/// Moves the spans of each trace to where it begins by `next`. Into a second table, so that all threads can: moving
/// within the first takes twice as long on one of them, and at this time the memory is there.
fn gather(dataset: &mut Dataset, mut next: Vec<u32>) {
    let spans = std::mem::take(&mut dataset.records);
    let mut numbers: Vec<u32> = roomy(spans.len());
    spans
        .par_iter()
        .map(|span| span.trace.0)
        .collect_into_vec(&mut numbers);
    let mut sources = filled(0, spans.len());
    for (number, at) in numbers.iter().zip(0_u32..) {
        let free = &mut next[*number as usize];
        sources[*free as usize] = at;
        *free += 1;
    }
    dataset.records = roomy(spans.len());
    sources
        .par_iter()
        .map(|&at| spans[at as usize])
        .collect_into_vec(&mut dataset.records);
}

fn sort_each(spans: &mut [Record], traces: &[Range<SpanIx>]) {
    let slices = divide(spans, traces).into_par_iter();
    slices.with_min_len(64).for_each(|trace| {
        if trace.len() < LARGE {
            trace.sort_unstable_by_key(order);
        } else {
            trace.par_sort_unstable_by_key(order);
        }
    });
}

type Order = (Nanos, u64, u64, Nanos, u16, Place);

/// By start and id; the rest only so that copies come in an order that does not depend on who read them
/// first.
fn order(span: &Record) -> Order {
    (
        span.start,
        span.id.0,
        span.parent.0,
        span.end,
        span.weight,
        span.place,
    )
}
