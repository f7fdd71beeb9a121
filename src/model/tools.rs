//! Facts of tool calls, packed: what few calls have lies apart.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::dataset::extend;
use super::{Digest, Known, ToolCall, weight};
use crate::units::{Nanos, Sym, Words, growing, halves, whole};

/// All tool calls of a dump.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ToolCalls {
    calls: Vec<PackedTool>,
    rare: Vec<RareTool>,
}

/// What few tool calls say.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RareTool {
    reported: Known<Nanos>,
}

/// A tool call in 24 bytes; zero where there is no digest.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PackedTool {
    arguments: u64,
    call_id: u64,
    tool: Sym,
    /// [`SAID_FAILED`], and where what few calls say lies: [`COMMON`] where nothing does.
    bits: u32,
}

const SAID_FAILED: u32 = 1 << 31;
const COMMON: u32 = SAID_FAILED - 1;

impl ToolCalls {
    /// None, with room for millions.
    #[must_use]
    pub fn growing() -> Self {
        Self {
            calls: growing(),
            rare: Vec::new(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        weight(&self.calls) + weight(&self.rare)
    }

    /// Takes out all, until they are put back: nobody must ask for a call meanwhile.
    pub fn take_rows(&mut self) -> (Vec<PackedTool>, Vec<RareTool>) {
        let calls = std::mem::take(&mut self.calls);
        (calls, std::mem::take(&mut self.rare))
    }

    /// Puts back what was taken out.
    pub fn put_rows(&mut self, (calls, rare): (Vec<PackedTool>, Vec<RareTool>)) {
        (self.calls, self.rare) = (calls, rare);
    }

    /// Adds one; the answer is its index.
    pub fn push(&mut self, call: ToolCall) -> usize {
        let packed = self.pack(&call, COMMON);
        self.calls.push(packed);
        self.calls.len() - 1
    }

    /// The one at `index`.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<ToolCall> {
        self.calls.get(index).map(|packed| self.unpack(packed))
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = ToolCall> + '_ {
        self.calls.iter().map(|packed| self.unpack(packed))
    }

    /// Changes the one at `index`, if it is there.
    pub fn change(&mut self, index: usize, change: impl FnOnce(&mut ToolCall)) {
        if let Some(packed) = self.calls.get(index).copied() {
            let mut call = self.unpack(&packed);
            change(&mut call);
            self.calls[index] = self.pack(&call, packed.bits & COMMON);
        }
    }

    /// Takes in those of another worker, whose symbols `sym` translates.
    pub fn absorb(&mut self, other: Self, sym: impl Fn(Sym) -> Sym) {
        let base = self.rare.len() as u32;
        extend(&mut self.rare, other.rare);
        let mut calls = other.calls;
        for call in &mut calls {
            call.tool = sym(call.tool);
            if call.bits & COMMON != COMMON {
                call.bits = call.bits.saturating_add(base);
            }
        }
        extend(&mut self.calls, calls);
    }

    /// `at` is where what few calls say lay before, if it did.
    fn pack(&mut self, call: &ToolCall, at: u32) -> PackedTool {
        let failed = if call.said_failed { SAID_FAILED } else { 0 };
        PackedTool {
            arguments: number(call.arguments),
            call_id: number(call.call_id),
            tool: call.tool,
            bits: failed | self.rare(call, at),
        }
    }

    fn rare(&mut self, call: &ToolCall, at: u32) -> u32 {
        let Some(reported) = call.reported else {
            return COMMON;
        };
        if let Some(slot) = self.rare.get_mut(at as usize) {
            slot.reported = reported;
            return at;
        }
        self.rare.push(RareTool { reported });
        self.rare.len() as u32 - 1
    }

    #[inline]
    fn unpack(&self, packed: &PackedTool) -> ToolCall {
        let rare = self.rare.get((packed.bits & COMMON) as usize);
        ToolCall {
            tool: packed.tool,
            arguments: NonZeroU64::new(packed.arguments).map(Digest),
            call_id: NonZeroU64::new(packed.call_id).map(Digest),
            reported: rare.map(|rare| rare.reported),
            said_failed: packed.bits & SAID_FAILED != 0,
        }
    }
}

impl Words<6> for PackedTool {
    #[inline]
    fn words(self) -> [u32; 6] {
        let ([a, b], [c, d]) = (halves(self.arguments), halves(self.call_id));
        [a, b, c, d, self.tool.0, self.bits]
    }

    #[inline]
    fn from_words([a, b, c, d, tool, bits]: [u32; 6]) -> Self {
        Self {
            arguments: whole([a, b]),
            call_id: whole([c, d]),
            tool: Sym(tool),
            bits,
        }
    }
}

fn number(digest: Option<Digest>) -> u64 {
    digest.map_or(0, |digest| digest.0.get())
}

impl FromIterator<ToolCall> for ToolCalls {
    fn from_iter<I: IntoIterator<Item = ToolCall>>(calls: I) -> Self {
        let mut all = Self::default();
        for call in calls {
            all.push(call);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u32) -> ToolCall {
        let bit = |bit: u32| number & bit != 0;
        ToolCall {
            tool: Sym(number),
            arguments: bit(1).then(|| Digest::of(&[1])),
            call_id: bit(2).then(|| Digest::of(&number.to_le_bytes())),
            reported: bit(4).then(|| Known::attribute(Nanos(u64::from(number)))),
            said_failed: bit(8),
        }
    }

    fn text(calls: impl Iterator<Item = ToolCall>) -> String {
        format!("{:?}", calls.collect::<Vec<_>>())
    }

    #[test]
    fn calls_come_out_as_they_went_in() {
        assert_eq!(size_of::<PackedTool>(), 24);
        let all: ToolCalls = (0..16).map(call).collect();
        assert_eq!(text(all.iter()), text((0..16).map(call)));
    }

    #[test]
    fn a_changed_call_and_its_neighbours_are_what_they_should_be() {
        for (at, into) in [(0, 15), (15, 0), (6, 9), (3, 7)] {
            let mut all: ToolCalls = (0..16).map(call).collect();
            all.change(at as usize, |it| *it = call(into));
            let expected = (0..16).map(|n| call(if n == at { into } else { n }));
            assert_eq!(text(all.iter()), text(expected));
        }
    }

    #[test]
    fn what_two_workers_read_is_one_list() {
        let mut all: ToolCalls = (0..16).map(call).collect();
        let other: ToolCalls = (0..16).map(call).collect();
        all.absorb(other, |sym| Sym(sym.0 + 100));
        let second = (0..16).map(|number| ToolCall {
            tool: Sym(number + 100),
            ..call(number)
        });
        assert_eq!(text(all.iter()), text((0..16).map(call).chain(second)));
    }
}
