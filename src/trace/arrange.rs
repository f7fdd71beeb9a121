//! Puts the spans of each trace side by side.
//!
//! Traces come in the order of their first start: dumps are written in about that order, and requests are
//! looked at in about that order, so that every later walk goes through memory forwards.

use std::ops::Range;

use rayon::prelude::*;

use crate::model::{Dataset, Place, Span, SpanIx, TraceId, TraceIx};
use crate::units::Nanos;

/// Traces from this many spans on are sorted on all threads.
const LARGE: usize = 1 << 15;

/// A trace as its spans are counted.
struct Met {
    id: TraceId,
    first: Nanos,
    spans: u32,
}

/// Sorts the spans by trace, start and id. Returns where each trace lies.
pub(super) fn by_trace(dataset: &mut Dataset) -> Vec<Range<SpanIx>> {
    let met = count(dataset);
    let spans = dataset.spans.as_mut_slice();
    let mut order: Vec<u32> = (0..met.len() as u32).collect();
    order.retain(|&number| met[number as usize].spans > 0);
    order.par_sort_unstable_by_key(|&number| {
        let trace = &met[number as usize];
        (trace.first, trace.id)
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
    let place_of = |span: &Span| {
        let free = &mut next[span.trace.0 as usize];
        let place = *free;
        *free += 1;
        place
    };
    let mut places: Vec<u32> = spans.iter().map(place_of).collect();
    permute(spans, &mut places);
    sort_each(spans, &traces);
    traces
}

/// The traces by number; one without spans has none of its own to begin with.
fn count(dataset: &Dataset) -> Vec<Met> {
    let fresh = |number| Met {
        id: dataset.traces.get(TraceIx(number)),
        first: Nanos(u64::MAX),
        spans: 0,
    };
    let mut met: Vec<Met> = (0..dataset.traces.len() as u32).map(fresh).collect();
    for span in &dataset.spans {
        if let Some(trace) = met.get_mut(span.trace.0 as usize) {
            trace.first = trace.first.min(span.start);
            trace.spans += 1;
        }
    }
    met
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
