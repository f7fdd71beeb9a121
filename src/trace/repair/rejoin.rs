//! Several records of one span id, by design: the two halves of a remote call in Zipkin, late tags,
//! the start and the end of a run in LangSmith. They may lie anywhere in the dump, so they are put
//! together here, where a trace is whole. Nothing is guessed: ids and services say what belongs
//! together.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::model::{Dataset, IssueKind, Op, Record, Span, SpanFlags, SpanId, SpanIx, SpanKind};
use crate::trace::usage;
use crate::units::Sym;

/// Completes partial records and parts shared ids. True when anything changed: spans must then be
/// sorted again.
pub(in crate::trace) fn rejoin(dataset: &mut Dataset, traces: &[Range<SpanIx>]) -> bool {
    let marked =
        |span: &Record| span.flags.has(SpanFlags::PARTIAL) || span.flags.has(SpanFlags::SHARED_ID);
    if !dataset.records.par_iter().any(marked) {
        return false;
    }
    let mut drop = Vec::new();
    for trace in traces {
        let spans = &dataset.records[trace.start as usize..trace.end as usize];
        if !spans.iter().any(marked) {
            continue;
        }
        complete(dataset, trace.clone(), &mut drop);
        part_halves(dataset, trace.clone());
    }
    if !drop.is_empty() {
        let mut gone = vec![false; dataset.records.len()];
        for i in drop {
            gone[i as usize] = true;
        }
        let mut index = 0;
        dataset.records.retain(|_| {
            index += 1;
            !gone[index - 1]
        });
    }
    true
}

/// Folds partial records into the record of the same id and service. What then still has no time
/// at all cannot be placed and is left out.
fn complete(dataset: &mut Dataset, trace: Range<SpanIx>, drop: &mut Vec<SpanIx>) {
    let key = |i: SpanIx| {
        let span = &dataset.records[i as usize];
        (span.id, dataset.text(dataset.resource_of(span).service))
    };
    let rank = |i: SpanIx| {
        let flags = dataset.records[i as usize].flags;
        (flags.has(SpanFlags::NO_START), flags.has(SpanFlags::NO_END))
    };
    let mut records: Vec<SpanIx> = trace.collect();
    records.sort_by_key(|&i| (key(i), rank(i), i));
    let groups: Vec<Vec<SpanIx>> = records
        .chunk_by(|&a, &b| key(a) == key(b))
        .map(<[SpanIx]>::to_vec)
        .collect();
    for group in groups {
        let (&first, rest) = match group.split_first() {
            Some(parts) => parts,
            None => continue,
        };
        let partial = |i: SpanIx, d: &Dataset| d.records[i as usize].flags.has(SpanFlags::PARTIAL);
        for &other in rest {
            if partial(first, dataset) || partial(other, dataset) {
                fold(dataset, first, other);
                drop.push(other);
            }
        }
        let span = dataset.records[first as usize];
        if span.flags.has(SpanFlags::NO_START) && span.flags.has(SpanFlags::NO_END) {
            let detail = || "neither start nor end; the span was left out".to_owned();
            dataset.ledger.note(IssueKind::NoStart, span.place, detail);
            drop.push(first);
        }
    }
}

/// Gives `into` what only `from` knows.
fn fold(dataset: &mut Dataset, into: SpanIx, from: SpanIx) {
    let late = dataset.records[from as usize];
    dataset
        .ledger
        .note(IssueKind::DuplicateSpan, late.place, || {
            format!("a second record of span {}, merged into the first", late.id)
        });
    let Record { span, parent, .. } = &mut dataset.records[into as usize];
    for (bit, mine, theirs) in [
        (SpanFlags::NO_START, &mut span.start, late.start),
        (SpanFlags::NO_END, &mut span.end, late.end),
    ] {
        if span.flags.has(bit) && !late.flags.has(bit) {
            *mine = theirs;
            span.flags.0 &= !bit;
        }
    }
    span.end = match span.is_open() {
        true => span.end,
        false => span.end.max(span.start),
    };
    if span.name == Sym::NONE {
        span.name = late.name;
    }
    if parent.is_none() {
        *parent = late.parent;
    }
    span.status = span.status.max(late.status);
    span.error = span.error.or(late.error);
    span.weight = span.weight.saturating_add(late.weight);
    if span.op == Op::Other && late.op != Op::Other {
        (span.op, span.call) = (late.op, late.call);
    } else if span.op.is_model() && late.op.is_model() {
        let owner = *span;
        usage::merge_records(dataset, (owner, late.span), from);
    }
}

/// Gives the server's half of each shared id an id of its own below the client's, and moves what
/// the server did there. A message that several consumers took has several such halves.
fn part_halves(dataset: &mut Dataset, trace: Range<SpanIx>) {
    let range = trace.start as usize..trace.end as usize;
    let spans = &dataset.records[range.clone()];
    let clients: hashbrown::HashSet<SpanId, foldhash::fast::FixedState> = spans
        .iter()
        .filter(|s| !is_server_half(s))
        .map(|s| s.id)
        .collect();
    let service = |span: &Span| dataset.resource_of(span).service;
    let mut halves: HashMap<SpanId, Vec<(Sym, SpanId)>, foldhash::fast::FixedState> =
        HashMap::default();
    let mut places: Vec<(SpanId, SpanId)> = Vec::with_capacity(spans.len());
    for span in spans {
        // Alone it is the only one of its id: the client was not traced.
        places.push(match is_server_half(span) && clients.contains(&span.id) {
            true => {
                let known = halves.entry(span.id).or_default();
                let id = half(span.id, known.len() as u64);
                known.push((service(span), id));
                (id, span.id)
            }
            false => (span.id, span.parent),
        });
    }
    for (span, place) in spans.iter().zip(&mut places) {
        let own = |&&(name, _): &&(Sym, SpanId)| name == service(span);
        // What moved already stays below its client.
        if place.0 == span.id
            && let Some(&(_, server)) = halves
                .get(&span.parent)
                .and_then(|known| known.iter().find(own))
        {
            place.1 = server;
        }
    }
    for (span, place) in dataset.records[range].iter_mut().zip(places) {
        (span.id, span.parent) = place;
    }
}

fn is_server_half(span: &Span) -> bool {
    let server = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
    server && span.flags.has(SpanFlags::SHARED_ID)
}

/// The id of a server's half: any fixed one that no tracer will have drawn.
fn half(id: SpanId, index: u64) -> SpanId {
    SpanId(id.0.rotate_left(32) ^ 0x5e7e_72ba_1f00_51de ^ index)
}
