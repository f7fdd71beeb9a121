//! Spans and operations in few bytes. There are millions of them: a codec of their own takes a third of the time that a
//! general one does.

use serde::{Deserialize, Serialize};

use crate::baseline::Map;
use crate::model::{
    CallIx, ErrorKind, Op, Place, Span, SpanFlags, SpanId, SpanKind, Status, TraceIx,
};
use crate::trace::{StepKind, StepOp};
use crate::units::{Nanos, Pack, Sym, Unpack, Window};

/// What few combinations of occur.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Sort {
    op: Op,
    kind: SpanKind,
    status: Status,
    flags: SpanFlags,
    error: Option<ErrorKind>,
}

impl Sort {
    fn of(span: &Span) -> Self {
        Self {
            op: span.op,
            kind: span.kind,
            status: span.status,
            flags: span.flags,
            error: span.error,
        }
    }
}

/// What the next span is told by: most figures are near those of the span before.
#[derive(Default)]
struct Before {
    trace: u64,
    start: u64,
    file: u64,
    block: u64,
    /// By arena.
    calls: [u64; 4],
}

const HAS_PARENT: u64 = 1;
const HAS_CALL: u64 = 2;
/// Bits of a span's first number that say neither.
const SORT: u32 = 2;

/// A list of spans.
pub(super) mod spans {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Before, Map, Pack, Sort, Span, Unpack, read_span, write_span};

    pub(in crate::stage) fn serialize<S: Serializer>(
        spans: &[Span],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let (mut sorts, mut known) = (Vec::new(), Map::default());
        let mut pack = Pack::roomy(48 * spans.len());
        let mut before = Before::default();
        for span in spans {
            let sort = *known.entry(Sort::of(span)).or_insert_with(|| {
                sorts.push(Sort::of(span));
                sorts.len() as u64 - 1
            });
            write_span(&mut pack, &mut before, span, sort);
        }
        (sorts, pack).serialize(serializer)
    }

    pub(in crate::stage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Span>, D::Error> {
        let (sorts, bytes): (Vec<Sort>, &'de [u8]) = Deserialize::deserialize(deserializer)?;
        let mut unpack = Unpack(bytes);
        let mut before = Before::default();
        let mut spans = Vec::with_capacity(bytes.len() / 32);
        while !unpack.0.is_empty() {
            let span = read_span(&mut unpack, &mut before, &sorts);
            spans.push(span.ok_or_else(|| D::Error::custom("a span is cut off"))?);
        }
        Ok(spans)
    }
}

fn write_span(pack: &mut Pack, before: &mut Before, span: &Span, sort: u64) {
    let arena = span.op.arena().filter(|_| span.call.get().is_some());
    let has = |bit: u64, there: bool| if there { bit } else { 0 };
    let first = sort << SORT | has(HAS_PARENT, !span.parent.is_none());
    pack.number(first | has(HAS_CALL, arena.is_some()));
    pack.whole(span.id.0);
    if !span.parent.is_none() {
        pack.whole(span.parent.0);
    }
    pack.step(&mut before.trace, u64::from(span.trace.0));
    pack.step(&mut before.start, span.start.0);
    pack.number(span.end.0.wrapping_sub(span.start.0));
    pack.step(&mut before.file, u64::from(span.place.file));
    pack.step(&mut before.block, u64::from(span.place.block));
    pack.number(u64::from(span.name.0));
    pack.number(u64::from(span.emitter));
    if let Some(arena) = arena {
        pack.step(&mut before.calls[arena], u64::from(span.call.0));
    }
    pack.number(u64::from(span.weight));
}

fn read_span(unpack: &mut Unpack<'_>, before: &mut Before, sorts: &[Sort]) -> Option<Span> {
    let first = unpack.number()?;
    let sort = sorts.get((first >> SORT) as usize)?;
    let id = SpanId(unpack.whole()?);
    let parent = match first & HAS_PARENT {
        0 => SpanId::NONE,
        _ => SpanId(unpack.whole()?),
    };
    let trace = TraceIx(unpack.step(&mut before.trace)? as u32);
    let start = Nanos(unpack.step(&mut before.start)?);
    let end = Nanos(start.0.wrapping_add(unpack.number()?));
    let place = Place {
        file: unpack.step(&mut before.file)? as u32,
        block: unpack.step(&mut before.block)? as u32,
    };
    let (name, emitter) = (Sym(unpack.short()?), unpack.short()?);
    let call = match sort.op.arena().filter(|_| first & HAS_CALL != 0) {
        Some(arena) => CallIx(unpack.step(&mut before.calls[arena])? as u32),
        None => CallIx::NONE,
    };
    Some(Span {
        trace,
        id,
        parent,
        start,
        end,
        place,
        name,
        emitter,
        call,
        op: sort.op,
        kind: sort.kind,
        status: sort.status,
        flags: sort.flags,
        error: sort.error,
        weight: unpack.number()? as u16,
    })
}

/// A list of operations.
pub(super) mod ops {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Pack, StepOp, Unpack, read_op, write_op};

    pub(in crate::stage) fn serialize<S: Serializer>(
        ops: &[StepOp],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut pack = Pack::roomy(16 * ops.len());
        let mut before = [0; 4];
        for op in ops {
            write_op(&mut pack, &mut before, op);
        }
        let kinds: Vec<_> = ops.iter().map(|op| op.kind).collect();
        (kinds, pack).serialize(serializer)
    }

    pub(in crate::stage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<StepOp>, D::Error> {
        let (kinds, bytes): (Vec<_>, &'de [u8]) = Deserialize::deserialize(deserializer)?;
        let (mut unpack, mut before) = (Unpack(bytes), [0; 4]);
        let next = |kind| {
            let op = read_op(&mut unpack, &mut before, kind);
            op.ok_or_else(|| D::Error::custom("an operation is cut off"))
        };
        kinds.into_iter().map(next).collect()
    }
}

fn write_op(pack: &mut Pack, before: &mut [u64; 4], op: &StepOp) {
    let [span, lane, opens, start] = before;
    pack.step(span, u64::from(op.span));
    pack.step(lane, u64::from(op.lane));
    pack.step(opens, u64::from(op.opens));
    pack.step(start, op.window.start.0);
    pack.number(op.window.end.0.wrapping_sub(op.window.start.0));
}

fn read_op(unpack: &mut Unpack<'_>, before: &mut [u64; 4], kind: StepKind) -> Option<StepOp> {
    let [span, lane, opens, start] = before;
    let span = unpack.step(span)? as u32;
    let (lane, opens) = (unpack.step(lane)? as u32, unpack.step(opens)? as u32);
    let start = Nanos(unpack.step(start)?);
    let end = Nanos(start.0.wrapping_add(unpack.number()?));
    Some(StepOp {
        span,
        lane,
        opens,
        kind,
        window: Window { start, end },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Known, LlmCall, LlmCalls};
    use crate::stage::{Body, Kind, Row};

    /// A row cut off at every place.
    fn pieces(row: &Row) -> impl Iterator<Item = Row> {
        let bytes = row.body.bytes();
        (0..bytes.len()).map(|cut| Row {
            body: Body::Own(bytes[..cut].to_vec()),
            ..row.clone()
        })
    }

    #[derive(Serialize, Deserialize)]
    struct Lists {
        #[serde(with = "spans")]
        spans: Vec<Span>,
        #[serde(with = "ops")]
        ops: Vec<StepOp>,
    }

    fn span(number: u32) -> Span {
        let odd = number % 2 == 1;
        Span {
            trace: TraceIx(number / 3),
            id: SpanId(u64::MAX - u64::from(number)),
            parent: if odd { SpanId(7) } else { SpanId::NONE },
            start: Nanos(1_700_000_000_000_000_000 - u64::from(number)),
            // Of an open span, and of one whose clock went backwards.
            end: Nanos(if odd { 0 } else { 1_700_000_000_000_000_000 }),
            place: Place {
                file: number,
                block: u32::MAX - number,
            },
            name: Sym(number),
            emitter: 5,
            call: if odd { CallIx(number) } else { CallIx::NONE },
            op: if odd { Op::Llm } else { Op::Other },
            kind: SpanKind::Client,
            status: Status::Error,
            flags: SpanFlags(3),
            error: odd.then_some(ErrorKind::Timeout),
            weight: u16::MAX,
        }
    }

    fn op(number: u32) -> StepOp {
        StepOp {
            span: number,
            lane: 1,
            opens: crate::trace::NO_LANE,
            kind: StepKind::Tool,
            window: span(number).window(),
        }
    }

    #[test]
    fn model_calls_come_back_and_half_a_list_does_not() {
        let call = LlmCall {
            provider: Sym(1),
            conversation: Sym(7),
            input: Some(Known::attribute(u32::MAX)),
            first_token: Some(Known::attribute(Nanos(u64::MAX))),
            reasoning: Some(Known::attribute(11)),
            response_id: Some(Digest::of(b"id")),
            engine: 18,
            http_status: Some(529),
            streamed: Some(false),
            ..LlmCall::default()
        };
        let mut calls = LlmCalls::default();
        calls.push(call);
        calls.push(LlmCall::default());
        let row = Row::new(Kind::Traces, None, &calls).unwrap();
        let back: LlmCalls = row.read().unwrap();
        let both = [Some(call), Some(LlmCall::default()), None];
        assert_eq!([0, 1, 2].map(|at| back.get(at)), both);
        assert!(pieces(&row).all(|row| row.read::<LlmCalls>().is_err()));
    }

    #[test]
    fn spans_and_operations_come_back_and_half_a_list_does_not() {
        let lists = Lists {
            spans: (0..9).map(span).collect(),
            ops: (0..9).map(op).collect(),
        };
        let row = Row::new(Kind::Traces, None, &lists).unwrap();
        let back: Lists = row.read().unwrap();
        assert_eq!(format!("{:?}", back.spans), format!("{:?}", lists.spans));
        assert_eq!(format!("{:?}", back.ops), format!("{:?}", lists.ops));
        assert!(pieces(&row).all(|row| row.read::<Lists>().is_err()));
    }
}
