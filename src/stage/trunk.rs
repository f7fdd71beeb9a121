//! The spans of whole traces with the parents that were found for them, and the operations on them, in few bytes: most
//! parents are among the spans before, and most operations took as long as their span.

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::packed::{Before, Sort, Sorts, bit, has_call, read_span, write_span};
use crate::model::{Origin, Record, Span, SpanId, SpanIx};
use crate::trace::{NO_LANE, NO_SPAN, StepKind, StepOp};
use crate::units::{Nanos, Pack, Unpack, Window};

/// A trunk as it is written.
#[derive(Clone, Copy)]
pub(super) struct Lent<'a> {
    pub(super) spans: &'a [Span],
    pub(super) origins: &'a [Origin],
    pub(super) parents: &'a [SpanIx],
    pub(super) ops: &'a [StepOp],
}

/// A trunk as it lies in a row.
#[derive(Deserialize)]
pub(super) struct Packed<'a> {
    sorts: Vec<Sort>,
    spans: &'a [u8],
    kinds: Vec<StepKind>,
    ops: &'a [u8],
}

/// Spans, the parent of each, and operations.
pub(super) type Trunk = (Vec<Record>, Vec<SpanIx>, Vec<StepOp>);

/// The bit of a span's first number that says that its parent is the span so many places before it, and bears the id
/// that it names.
const PARENT_BEFORE: u64 = 2;
/// Bits that do not say its [`Sort`].
const SORT: u32 = 2;

/// The bit of an operation's first number that says that it took as long as its span.
const AS_SPAN: u64 = 1;
/// One that says that it opens a lane.
const OPENS: u64 = 2;
/// Bits that do not say its lane.
const LANE: u32 = 2;

impl Serialize for Lent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sorts = Sorts::default();
        let mut spans = Pack::roomy(40 * self.spans.len());
        let mut before = Before::default();
        let records = self.spans.iter().zip(self.origins);
        let records = records.map(|(span, origin)| Record::of(*span, *origin));
        for ((span, parent), at) in records.zip(self.parents).zip(0..) {
            let above = self.origins.get(*parent as usize).filter(|_| *parent < at);
            let is_before = above.is_some_and(|above| above.id == span.parent);
            let first = sorts.number(&span) << SORT | bit(PARENT_BEFORE, is_before);
            spans.number(first | has_call(&span));
            if is_before {
                spans.number(u64::from(at - parent));
            } else {
                spans.number(u64::from(parent.wrapping_add(1)));
                spans.whole(span.parent.0);
            }
            write_span(&mut spans, &mut before, &span);
        }
        let mut ops = Pack::roomy(8 * self.ops.len());
        let mut before = OpBefore::default();
        for op in self.ops {
            let span = self.spans.get(op.span as usize).map(Span::window);
            before.write(&mut ops, op, span == Some(op.window));
        }
        let kinds: Vec<StepKind> = self.ops.iter().map(|op| op.kind).collect();
        (sorts.list, spans, kinds, ops).serialize(serializer)
    }
}

impl Packed<'_> {
    /// What it holds; `None` where it is cut off.
    pub(super) fn read(self) -> Option<Trunk> {
        let mut spans: Vec<Record> = Vec::with_capacity(self.spans.len() / 28);
        let mut parents = Vec::with_capacity(self.spans.len() / 28);
        let mut unpack = Unpack(self.spans);
        let mut before = Before::default();
        while !unpack.0.is_empty() {
            let first = unpack.number()?;
            let sort = self.sorts.get((first >> SORT) as usize)?;
            let place = unpack.number()?;
            let (above, parent) = match first & PARENT_BEFORE {
                0 => ((place as SpanIx).wrapping_sub(1), SpanId(unpack.whole()?)),
                _ => {
                    let above = spans.len().checked_sub(usize::try_from(place).ok()?)?;
                    (above as SpanIx, spans.get(above)?.id)
                }
            };
            parents.push(above);
            spans.push(read_span(&mut unpack, &mut before, (sort, first), parent)?);
        }
        let mut unpack = Unpack(self.ops);
        let mut before = OpBefore::default();
        let read = |kind: StepKind| before.read(&mut unpack, kind, &spans);
        let ops = self.kinds.into_iter().map(read).collect::<Option<_>>()?;
        let is_known = |parent: &SpanIx| *parent == NO_SPAN || (*parent as usize) < spans.len();
        parents
            .iter()
            .all(is_known)
            .then_some((spans, parents, ops))
    }
}

/// What the next operation is told by.
#[derive(Default)]
struct OpBefore {
    span: u64,
    lane: u64,
    opens: u64,
    start: u64,
}

impl OpBefore {
    fn write(&mut self, pack: &mut Pack, op: &StepOp, as_span: bool) {
        // A lane is that of the operation before, or one of the next.
        let lane = u64::from(op.lane).wrapping_sub(self.lane) as i64;
        self.lane = u64::from(op.lane);
        let lane = ((lane << 1) ^ (lane >> 63)) as u64;
        let opens = op.opens != NO_LANE;
        pack.number(lane << LANE | bit(AS_SPAN, as_span) | bit(OPENS, opens));
        pack.step(&mut self.span, u64::from(op.span));
        if opens {
            pack.step(&mut self.opens, u64::from(op.opens));
        }
        if !as_span {
            pack.step(&mut self.start, op.window.start.0);
            pack.number(op.window.end.0.wrapping_sub(op.window.start.0));
        }
    }

    fn read(
        &mut self,
        unpack: &mut Unpack<'_>,
        kind: StepKind,
        spans: &[Record],
    ) -> Option<StepOp> {
        let first = unpack.number()?;
        let lane = first >> LANE;
        let lane = (lane >> 1) as i64 ^ -((lane & 1) as i64);
        self.lane = self.lane.wrapping_add(lane as u64);
        let span = unpack.step(&mut self.span)? as u32;
        let opens = match first & OPENS {
            0 => NO_LANE,
            _ => unpack.step(&mut self.opens)? as u32,
        };
        let window = match first & AS_SPAN {
            0 => {
                let start = Nanos(unpack.step(&mut self.start)?);
                let end = Nanos(start.0.wrapping_add(unpack.number()?));
                Window { start, end }
            }
            _ => spans.get(span as usize)?.window(),
        };
        Some(StepOp {
            span,
            lane: self.lane as u32,
            opens,
            kind,
            window,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::packed::tests::{pieces, span};
    use crate::stage::{Kind, Row};

    fn op(number: u32, window: Window) -> StepOp {
        StepOp {
            span: number,
            lane: number / 4,
            opens: if number == 2 { 3 } else { NO_LANE },
            kind: StepKind::Tool,
            window,
        }
    }

    #[test]
    fn a_trunk_comes_back_and_half_of_one_does_not() {
        let mut records: Vec<Record> = (0..9).map(span).collect();
        records[4].parent = records[1].id;
        let spans: Vec<Span> = records.iter().map(|record| record.span).collect();
        let origins: Vec<Origin> = records.iter().map(Record::origin).collect();
        // Of spans without one, of one before and of one behind.
        let parents = [NO_SPAN, NO_SPAN, 1, 7, 1, 0, 5, NO_SPAN, 7];
        let ops: Vec<StepOp> = (0..9)
            .map(|number| match number {
                7 => op(number, Window::default()),
                _ => op(number, spans[number as usize].window()),
            })
            .collect();
        let lent = Lent {
            spans: &spans,
            origins: &origins,
            parents: &parents,
            ops: &ops,
        };
        let row = Row::new(Kind::Part, None, &lent).unwrap();
        let read = |row: &Row| row.lend::<Packed<'_>>().ok()?.read();
        let back = read(&row).unwrap();
        let all = (records, parents.to_vec(), ops.clone());
        assert_eq!(format!("{back:?}"), format!("{all:?}"));
        assert!(pieces(&row).all(|row| read(&row).is_none()));
    }
}
