//! Puts the spans of each trace side by side.
//!
//! Traces come in the order of their first start: dumps are written in about that order, and requests are
//! looked at in about that order, so that every later walk goes through memory forwards.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::model::{Place, Span, SpanIx, TraceId};
use crate::units::Nanos;

/// Traces from this many spans on are sorted on all threads.
const LARGE: usize = 1 << 15;

/// A trace as its spans are counted.
struct Met {
    id: TraceId,
    first: Nanos,
    spans: u32,
}

/// Sorts `spans` by trace, start and id. Returns where each trace lies.
pub(super) fn by_trace(spans: &mut [Span]) -> Vec<Range<SpanIx>> {
    let (met, mut places) = count(spans);
    let mut order: Vec<u32> = (0..met.len() as u32).collect();
    order.par_sort_unstable_by_key(|&number| {
        let trace = &met[number as usize];
        (trace.first, trace.id)
    });
    let mut traces = Vec::with_capacity(met.len());
    let mut next = vec![0; met.len()];
    let mut at = 0;
    for number in order {
        let end = at + met[number as usize].spans;
        next[number as usize] = at;
        traces.push(at..end);
        at = end;
    }
    for place in &mut places {
        let free = &mut next[*place as usize];
        *place = *free;
        *free += 1;
    }
    permute(spans, &mut places);
    sort_each(spans, &traces);
    traces
}

/// The traces in the order they are met, and for each span the number of its trace.
fn count(spans: &[Span]) -> (Vec<Met>, Vec<u32>) {
    let mut numbers: HashMap<TraceId, u32, foldhash::fast::FixedState> = HashMap::default();
    let mut met: Vec<Met> = Vec::new();
    let number_of = |span: &Span| {
        let number = *numbers.entry(span.trace).or_insert_with(|| {
            met.push(Met {
                id: span.trace,
                first: span.start,
                spans: 0,
            });
            met.len() as u32 - 1
        });
        let trace = &mut met[number as usize];
        trace.first = trace.first.min(span.start);
        trace.spans += 1;
        number
    };
    let numbers = spans.iter().map(number_of).collect();
    (met, numbers)
}

/// Moves each span to its place, in place: every swap settles one span.
fn permute(spans: &mut [Span], places: &mut [u32]) {
    for at in 0..spans.len() {
        while places[at] as usize != at {
            let to = places[at] as usize;
            spans.swap(at, to);
            places.swap(at, to);
        }
    }
}

fn sort_each(spans: &mut [Span], traces: &[Range<SpanIx>]) {
    let mut slices = Vec::with_capacity(traces.len());
    let mut rest = spans;
    for trace in traces {
        let (head, tail) = rest.split_at_mut(trace.len());
        slices.push(head);
        rest = tail;
    }
    slices.into_par_iter().with_min_len(64).for_each(|trace| {
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
fn order(span: &Span) -> Order {
    (
        span.start,
        span.id.0,
        span.parent.0,
        span.end,
        span.weight,
        span.place,
    )
}
