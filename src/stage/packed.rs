//! Spans and calls of tools in few bytes. There are millions of them: a codec of their own takes a third of the time that
//! a general one does.

use serde::{Deserialize, Serialize};

use crate::baseline::Map;
use crate::model::{
    CallIx, ErrorKind, Op, Place, Record, Span, SpanFlags, SpanId, SpanKind, Status, TraceIx,
};
use crate::units::{Nanos, Pack, Sym, Unpack};

/// What few combinations of occur.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Sort {
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

/// A [`Sort`] in one number.
fn key(span: &Span) -> u64 {
    let error = span.error.map_or(0, |error| error as u64 + 1);
    let small = span.op as u64 | (span.kind as u64) << 8 | (span.status as u64) << 16;
    small | u64::from(span.flags.0) << 24 | error << 48
}

/// The combinations that occur, numbered.
#[derive(Default)]
pub(super) struct Sorts {
    pub(super) list: Vec<Sort>,
    known: Map<u64, u64>,
}

impl Sorts {
    pub(super) fn number(&mut self, span: &Span) -> u64 {
        *self.known.entry(key(span)).or_insert_with(|| {
            self.list.push(Sort::of(span));
            self.list.len() as u64 - 1
        })
    }
}

/// What the next span is told by: most figures are near those of the span before.
#[derive(Default)]
pub(super) struct Before {
    trace: u64,
    start: u64,
    file: u64,
    block: u64,
    /// By arena.
    calls: [u64; 4],
}

/// The bit of a span's first number that says whether facts of a call follow.
pub(super) const HAS_CALL: u64 = 1;
/// One that says whether the id of a parent does.
const HAS_PARENT: u64 = 2;
/// Bits that say neither.
const SORT: u32 = 2;

pub(super) fn bit(bit: u64, set: bool) -> u64 {
    if set { bit } else { 0 }
}

/// The arena in which facts of its call lie.
fn arena(span: &Span) -> Option<usize> {
    span.op.arena().filter(|_| span.call.get().is_some())
}

pub(super) fn has_call(span: &Span) -> u64 {
    bit(HAS_CALL, arena(span).is_some())
}

/// A list of spans.
pub(super) mod spans {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Before, HAS_PARENT, Pack, Record, SORT, Sort, Sorts, SpanId, Unpack};
    use super::{bit, has_call, read_span, write_span};

    pub(in crate::stage) fn serialize<S: Serializer>(
        spans: &[Record],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut sorts = Sorts::default();
        let mut pack = Pack::roomy(48 * spans.len());
        let mut before = Before::default();
        for span in spans {
            let has_parent = !span.parent.is_none();
            let first = sorts.number(span) << SORT | bit(HAS_PARENT, has_parent);
            pack.number(first | has_call(span));
            if has_parent {
                pack.whole(span.parent.0);
            }
            write_span(&mut pack, &mut before, span);
        }
        (sorts.list, pack).serialize(serializer)
    }

    pub(in crate::stage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Record>, D::Error> {
        let (sorts, bytes): (Vec<Sort>, &'de [u8]) = Deserialize::deserialize(deserializer)?;
        let mut unpack = Unpack(bytes);
        let mut before = Before::default();
        let mut spans = Vec::with_capacity(bytes.len() / 32);
        let mut next = |unpack: &mut Unpack<'_>| {
            let first = unpack.number()?;
            let sort = sorts.get((first >> SORT) as usize)?;
            let parent = match first & HAS_PARENT {
                0 => SpanId::NONE,
                _ => SpanId(unpack.whole()?),
            };
            read_span(unpack, &mut before, (sort, first), parent)
        };
        while !unpack.0.is_empty() {
            let span = next(&mut unpack);
            spans.push(span.ok_or_else(|| D::Error::custom("a span is cut off"))?);
        }
        Ok(spans)
    }
}

/// Writes a span but for what its first number and its parent say.
pub(super) fn write_span(pack: &mut Pack, before: &mut Before, span: &Record) {
    pack.whole(span.id.0);
    pack.step(&mut before.trace, u64::from(span.trace.0));
    pack.step(&mut before.start, span.start.0);
    pack.number(span.end.0.wrapping_sub(span.start.0));
    pack.step(&mut before.file, u64::from(span.place.file));
    pack.step(&mut before.block, u64::from(span.place.block));
    pack.number(u64::from(span.name.0));
    pack.number(u64::from(span.emitter));
    if let Some(arena) = arena(span) {
        pack.step(&mut before.calls[arena], u64::from(span.call.0));
    }
    pack.number(u64::from(span.weight));
}

/// Reads the span whose first number was `first`.
pub(super) fn read_span(
    unpack: &mut Unpack<'_>,
    before: &mut Before,
    (sort, first): (&Sort, u64),
    parent: SpanId,
) -> Option<Record> {
    let id = SpanId(unpack.whole()?);
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
    let span = Span {
        trace,
        start,
        end,
        name,
        emitter,
        call,
        op: sort.op,
        kind: sort.kind,
        status: sort.status,
        flags: sort.flags,
        error: sort.error,
        weight: unpack.number()? as u16,
    };
    Some(Record {
        span,
        id,
        parent,
        place,
    })
}

/// A list of calls of tools.
pub(super) mod tools {
    use std::num::NonZeroU64;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Nanos, Pack, Sym, Unpack, bit};
    use crate::model::{Digest, Known, ToolCall, ToolCalls};

    const ARGUMENTS: u64 = 1;
    const CALL_ID: u64 = 2;
    const SAID_FAILED: u64 = 4;
    const REPORTED: u64 = 8;
    /// Bits that say none of it.
    const TOOL: u32 = 4;

    pub(in crate::stage) fn serialize<S: Serializer>(
        tools: &ToolCalls,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut pack = Pack::roomy(20 * tools.len());
        for tool in tools.iter() {
            let first = u64::from(tool.tool.0) << TOOL
                | bit(ARGUMENTS, tool.arguments.is_some())
                | bit(CALL_ID, tool.call_id.is_some())
                | bit(SAID_FAILED, tool.said_failed)
                | bit(REPORTED, tool.reported.is_some());
            pack.number(first);
            for digest in [tool.arguments, tool.call_id].into_iter().flatten() {
                pack.whole(digest.0.get());
            }
        }
        let reported: Vec<Known<Nanos>> = tools.iter().filter_map(|tool| tool.reported).collect();
        (reported, pack).serialize(serializer)
    }

    pub(in crate::stage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<ToolCalls, D::Error> {
        let (reported, bytes): (Vec<Known<Nanos>>, &'de [u8]) =
            Deserialize::deserialize(deserializer)?;
        let mut reported = reported.into_iter();
        let mut unpack = Unpack(bytes);
        let mut tools = ToolCalls::default();
        while !unpack.0.is_empty() {
            let tool = read(&mut unpack, &mut reported);
            tools.push(tool.ok_or_else(|| D::Error::custom("a call of a tool is cut off"))?);
        }
        Ok(tools)
    }

    fn read(
        unpack: &mut Unpack<'_>,
        reported: &mut impl Iterator<Item = Known<Nanos>>,
    ) -> Option<ToolCall> {
        let first = unpack.number()?;
        let mut digest = |bit: u64| match first & bit {
            0 => Some(None),
            _ => NonZeroU64::new(unpack.whole()?).map(|digest| Some(Digest(digest))),
        };
        Some(ToolCall {
            tool: Sym((first >> TOOL) as u32),
            arguments: digest(ARGUMENTS)?,
            call_id: digest(CALL_ID)?,
            reported: match first & REPORTED {
                0 => None,
                _ => Some(reported.next()?),
            },
            said_failed: first & SAID_FAILED != 0,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Digest, Known, LlmCall, LlmCalls, ToolCall, ToolCalls};
    use crate::stage::{Body, Kind, Row};

    /// A row cut off at every place.
    pub(in crate::stage) fn pieces(row: &Row) -> impl Iterator<Item = Row> {
        let bytes = row.body.bytes();
        (0..bytes.len()).map(|cut| Row {
            body: Body::Own(bytes[..cut].to_vec()),
            ..row.clone()
        })
    }

    #[derive(Serialize, Deserialize)]
    struct Lists {
        #[serde(with = "spans")]
        spans: Vec<Record>,
        #[serde(with = "tools")]
        tools: ToolCalls,
    }

    pub(in crate::stage) fn span(number: u32) -> Record {
        let odd = number % 2 == 1;
        let span = Span {
            trace: TraceIx(number / 3),
            start: Nanos(1_700_000_000_000_000_000 - u64::from(number)),
            // Of an open span, and of one whose clock went backwards.
            end: Nanos(if odd { 0 } else { 1_700_000_000_000_000_000 }),
            name: Sym(number),
            emitter: 5,
            call: if odd { CallIx(number) } else { CallIx::NONE },
            op: if odd { Op::Llm } else { Op::Other },
            kind: SpanKind::Client,
            status: Status::Error,
            flags: SpanFlags(3),
            error: odd.then_some(ErrorKind::Timeout),
            weight: u16::MAX,
        };
        Record {
            span,
            id: SpanId(u64::MAX - u64::from(number)),
            parent: if odd { SpanId(7) } else { SpanId::NONE },
            place: Place {
                file: number,
                block: u32::MAX - number,
            },
        }
    }

    fn tool(number: u32) -> ToolCall {
        let odd = number % 2 == 1;
        ToolCall {
            tool: Sym(number),
            arguments: odd.then(|| Digest::of(b"arguments")),
            call_id: (number > 3).then(|| Digest::of(b"call")),
            reported: (number == 5).then(|| Known::attribute(Nanos(number.into()))),
            said_failed: odd,
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
    fn spans_and_tools_come_back_and_half_a_list_does_not() {
        let lists = Lists {
            spans: (0..9).map(span).collect(),
            tools: (0..9).map(tool).collect(),
        };
        let row = Row::new(Kind::Traces, None, &lists).unwrap();
        let back: Lists = row.read().unwrap();
        assert_eq!(format!("{:?}", back.spans), format!("{:?}", lists.spans));
        assert_eq!(format!("{:?}", back.tools), format!("{:?}", lists.tools));
        assert!(pieces(&row).all(|row| row.read::<Lists>().is_err()));
    }
}
