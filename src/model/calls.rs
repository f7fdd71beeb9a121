//! Facts of model calls, packed: a dump holds millions of calls, and most say the same few things.
//!
//! Who was called is one of a few combinations, kept once; figures that few calls have lie apart.

use hashbrown::HashMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dataset::extend;
use super::{Digest, Known, LlmCall, Via, weight};
use crate::units::{Nanos, Pack, Sym, Unpack, Usd, Words, growing, halves, whole};

/// All model calls. [`LlmCall`] goes in and comes out, unchanged.
#[derive(Clone, Debug, Default)]
pub struct LlmCalls {
    calls: Vec<PackedCall>,
    routes: Vec<Route>,
    known: HashMap<Route, u32, foldhash::fast::FixedState>,
    rare: Vec<RareFigures>,
}

/// Who was called and how it ended: few combinations occur.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Route {
    provider: Sym,
    requested: Sym,
    answered: Sym,
    endpoint: Sym,
    fingerprint: Sym,
    tier: Sym,
    finish: Sym,
}

/// What most calls lack.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct RareFigures {
    cache_write: Option<Known<u32>>,
    cache_write_1h: Option<Known<u32>>,
    reasoning: Option<Known<u32>>,
    queue: Option<Known<Nanos>>,
    prefill: Option<Known<Nanos>>,
    decode: Option<Known<Nanos>>,
    model_time: Option<Known<Nanos>>,
    reported_cost: Option<Known<Usd>>,
    engine: u32,
    resends: Option<u16>,
}

const NOTHING_RARE: RareFigures = RareFigures {
    cache_write: None,
    cache_write_1h: None,
    reasoning: None,
    queue: None,
    prefill: None,
    decode: None,
    model_time: None,
    reported_cost: None,
    engine: u32::MAX,
    resends: None,
};

/// Index of a call without an entry in `rare`.
const COMMON: u32 = u32::MAX;

/// The rest of a call, no wider than its figures: 44 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
pub struct PackedCall {
    first_token: u64,
    /// Zero when absent.
    response_id: u64,
    route: u32,
    conversation: Sym,
    rare: u32,
    input: u32,
    output: u32,
    cached: u32,
    http_status: u16,
    bits: u16,
}

/// Places in [`PackedCall::bits`]: three bits say whether a figure is there and how it became known.
const INPUT: u16 = 0;
const OUTPUT: u16 = 3;
const CACHED: u16 = 6;
const FIRST_TOKEN: u16 = 9;
const STATUS_KNOWN: u16 = 1 << 12;
const STREAMED_KNOWN: u16 = 1 << 13;
const STREAMED: u16 = 1 << 14;
const BASIS_ASSUMED: u16 = 1 << 15;

impl LlmCalls {
    /// An empty table with room for millions.
    #[must_use]
    pub fn growing() -> Self {
        Self {
            calls: growing(),
            ..Self::default()
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// True before the first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        weight(&self.calls) + weight(&self.rare)
    }

    /// Takes out all but who was called, until they are put back: nobody must ask for a call meanwhile.
    pub fn take_rows(&mut self) -> (Vec<PackedCall>, Vec<RareFigures>) {
        let calls = std::mem::take(&mut self.calls);
        (calls, std::mem::take(&mut self.rare))
    }

    /// Puts back what was taken out.
    pub fn put_rows(&mut self, (calls, rare): (Vec<PackedCall>, Vec<RareFigures>)) {
        (self.calls, self.rare) = (calls, rare);
    }

    /// Adds a call; the answer is its index.
    pub fn push(&mut self, call: LlmCall) -> usize {
        let packed = self.pack(&call, COMMON);
        self.calls.push(packed);
        self.calls.len() - 1
    }

    /// The call at `index`. Always inlined, so that only those facts are unpacked which are looked at.
    #[must_use]
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<LlmCall> {
        self.calls.get(index).map(|packed| self.unpack(packed))
    }

    /// Models, addresses and ends of calls, by name: what occurs, each some times.
    pub fn route_names(&self) -> impl Iterator<Item = Sym> {
        let routes = self.routes.iter();
        routes.flat_map(|r| [r.requested, r.answered, r.endpoint, r.finish])
    }

    /// The conversation of the call at `index`.
    #[must_use]
    pub fn conversation(&self, index: usize) -> Option<Sym> {
        self.calls.get(index).map(|call| call.conversation)
    }

    /// The model of the call at `index`: the one that answered, else the one asked for.
    #[must_use]
    pub fn model(&self, index: usize) -> Option<Sym> {
        let route = self.calls.get(index)?.route;
        let route = self.routes.get(route as usize)?;
        Some(route.answered.or(route.requested))
    }

    /// Attempts that failed inside the span of the call at `index`, where known.
    #[must_use]
    pub fn resends(&self, index: usize) -> Option<u16> {
        let rare = self.calls.get(index)?.rare;
        self.rare.get(rare as usize)?.resends
    }

    /// True where any call tells of attempts that failed inside its span.
    #[must_use]
    pub fn any_resends(&self) -> bool {
        self.rare.iter().any(|rare| rare.resends.is_some())
    }

    /// Changes the call at `index`, if there is one.
    pub fn change(&mut self, index: usize, change: impl FnOnce(&mut LlmCall)) {
        if let Some(packed) = self.calls.get(index).copied() {
            let mut call = self.unpack(&packed);
            change(&mut call);
            self.calls[index] = self.pack(&call, packed.rare);
        }
    }

    /// The serving side's span of each call that has one.
    pub fn engines(&self) -> impl Iterator<Item = u32> {
        let engines = self.rare.iter().map(|rare| rare.engine);
        engines.filter(|engine| *engine != u32::MAX)
    }

    /// The same, to be changed.
    pub fn engines_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let engines = self.rare.iter_mut().map(|rare| &mut rare.engine);
        engines.filter(|engine| **engine != u32::MAX)
    }

    /// The conversation of each call.
    pub fn conversations_mut(&mut self) -> impl Iterator<Item = &mut Sym> {
        self.calls.iter_mut().map(|call| &mut call.conversation)
    }

    /// Takes in another table; `sym` maps its symbols.
    pub fn absorb(&mut self, other: Self, sym: impl Fn(Sym) -> Sym) {
        let mapped = |r: Route| Route {
            provider: sym(r.provider),
            requested: sym(r.requested),
            answered: sym(r.answered),
            endpoint: sym(r.endpoint),
            fingerprint: sym(r.fingerprint),
            tier: sym(r.tier),
            finish: sym(r.finish),
        };
        let routes: Vec<u32> = other
            .routes
            .into_iter()
            .map(|r| self.route(mapped(r)))
            .collect();
        let base = self.rare.len() as u32;
        extend(&mut self.rare, other.rare);
        let mut calls = other.calls;
        for call in &mut calls {
            call.route = routes.get(call.route as usize).copied().unwrap_or(0);
            call.conversation = sym(call.conversation);
            if call.rare != COMMON {
                call.rare = call.rare.saturating_add(base);
            }
        }
        extend(&mut self.calls, calls);
    }

    fn route(&mut self, route: Route) -> u32 {
        *self.known.entry(route).or_insert_with(|| {
            self.routes.push(route);
            self.routes.len() as u32 - 1
        })
    }

    /// `at` is where the call's rare figures lie already, or [`COMMON`].
    fn pack(&mut self, call: &LlmCall, at: u32) -> PackedCall {
        let bits = bits_of(call.input, INPUT)
            | bits_of(call.output, OUTPUT)
            | bits_of(call.cached, CACHED)
            | bits_of(call.first_token, FIRST_TOKEN)
            | flag(call.http_status.is_some(), STATUS_KNOWN)
            | flag(call.streamed.is_some(), STREAMED_KNOWN)
            | flag(call.streamed == Some(true), STREAMED)
            | flag(call.cache_basis_assumed, BASIS_ASSUMED);
        let count = |figure: Option<Known<u32>>| figure.map_or(0, |known| known.value);
        PackedCall {
            first_token: call.first_token.map_or(0, |known| known.value.0),
            response_id: call.response_id.map_or(0, |digest| digest.0.get()),
            route: self.route(Route {
                provider: call.provider,
                requested: call.requested,
                answered: call.answered,
                endpoint: call.endpoint,
                fingerprint: call.fingerprint,
                tier: call.tier,
                finish: call.finish,
            }),
            conversation: call.conversation,
            rare: self.rare(call, at),
            input: count(call.input),
            output: count(call.output),
            cached: count(call.cached),
            http_status: call.http_status.unwrap_or(0),
            bits,
        }
    }

    fn rare(&mut self, call: &LlmCall, at: u32) -> u32 {
        let rare = RareFigures {
            cache_write: call.cache_write,
            cache_write_1h: call.cache_write_1h,
            reasoning: call.reasoning,
            queue: call.queue,
            prefill: call.prefill,
            decode: call.decode,
            model_time: call.model_time,
            reported_cost: call.reported_cost,
            engine: call.engine,
            resends: call.resends,
        };
        if let Some(slot) = self.rare.get_mut(at as usize) {
            *slot = rare;
            return at;
        }
        if rare == NOTHING_RARE {
            return COMMON;
        }
        self.rare.push(rare);
        self.rare.len() as u32 - 1
    }

    #[inline(always)]
    fn unpack(&self, packed: &PackedCall) -> LlmCall {
        let Some(route) = self.routes.get(packed.route as usize) else {
            return LlmCall::default();
        };
        let rare = self.rare.get(packed.rare as usize).unwrap_or(&NOTHING_RARE);
        let has = |bit: u16| packed.bits & bit != 0;
        LlmCall {
            provider: route.provider,
            requested: route.requested,
            answered: route.answered,
            endpoint: route.endpoint,
            fingerprint: route.fingerprint,
            tier: route.tier,
            finish: route.finish,
            conversation: packed.conversation,
            input: known(packed.input, packed.bits, INPUT),
            output: known(packed.output, packed.bits, OUTPUT),
            cached: known(packed.cached, packed.bits, CACHED),
            cache_write: rare.cache_write,
            cache_write_1h: rare.cache_write_1h,
            reasoning: rare.reasoning,
            first_token: known(Nanos(packed.first_token), packed.bits, FIRST_TOKEN),
            queue: rare.queue,
            prefill: rare.prefill,
            decode: rare.decode,
            model_time: rare.model_time,
            reported_cost: rare.reported_cost,
            response_id: std::num::NonZeroU64::new(packed.response_id).map(Digest),
            engine: rare.engine,
            http_status: has(STATUS_KNOWN).then_some(packed.http_status),
            resends: rare.resends,
            streamed: has(STREAMED_KNOWN).then_some(has(STREAMED)),
            cache_basis_assumed: has(BASIS_ASSUMED),
        }
    }
}

/// Who was called, what few say, and the rest of each call in few bytes.
impl Serialize for LlmCalls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pack = Pack::roomy(28 * self.calls.len());
        for call in &self.calls {
            pack.number(u64::from(call.bits));
            pack.number(call.first_token);
            pack.whole(call.response_id);
            pack.number(u64::from(call.route));
            pack.number(u64::from(call.conversation.0));
            pack.number(u64::from(call.rare.wrapping_add(1)));
            [
                call.input,
                call.output,
                call.cached,
                call.http_status.into(),
            ]
            .into_iter()
            .for_each(|count| pack.number(u64::from(count)));
        }
        (&self.routes, &self.rare, pack).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LlmCalls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (routes, rare, bytes): (Vec<Route>, Vec<RareFigures>, &'de [u8]) =
            Deserialize::deserialize(deserializer)?;
        let known = routes.iter().copied().zip(0..).collect();
        let mut calls = Vec::with_capacity(bytes.len() / 18);
        let mut unpack = Unpack(bytes);
        while !unpack.0.is_empty() {
            let call = PackedCall::read(&mut unpack);
            calls.push(call.ok_or_else(|| D::Error::custom("a model call is cut off"))?);
        }
        Ok(Self {
            calls,
            routes,
            known,
            rare,
        })
    }
}

impl PackedCall {
    fn read(unpack: &mut Unpack<'_>) -> Option<Self> {
        Some(Self {
            bits: unpack.number()? as u16,
            first_token: unpack.number()?,
            response_id: unpack.whole()?,
            route: unpack.short()?,
            conversation: Sym(unpack.short()?),
            rare: unpack.short()?.wrapping_sub(1),
            input: unpack.short()?,
            output: unpack.short()?,
            cached: unpack.short()?,
            http_status: unpack.number()? as u16,
        })
    }
}

impl Words<11> for PackedCall {
    #[inline]
    fn words(self) -> [u32; 11] {
        let ([a, b], [c, d]) = (halves(self.first_token), halves(self.response_id));
        let bits = u32::from(self.http_status) << 16 | u32::from(self.bits);
        [
            a,
            b,
            c,
            d,
            self.route,
            self.conversation.0,
            self.rare,
            self.input,
            self.output,
            self.cached,
            bits,
        ]
    }

    #[inline]
    fn from_words(words: [u32; 11]) -> Self {
        let [
            a,
            b,
            c,
            d,
            route,
            conversation,
            rare,
            input,
            output,
            cached,
            bits,
        ] = words;
        Self {
            first_token: whole([a, b]),
            response_id: whole([c, d]),
            route,
            conversation: Sym(conversation),
            rare,
            input,
            output,
            cached,
            http_status: (bits >> 16) as u16,
            bits: bits as u16,
        }
    }
}

fn flag(set: bool, bit: u16) -> u16 {
    if set { bit } else { 0 }
}

fn bits_of<T>(figure: Option<Known<T>>, place: u16) -> u16 {
    figure.map_or(0, |known| (known.via as u16 + 1) << place)
}

#[inline]
fn known<T>(value: T, bits: u16, place: u16) -> Option<Known<T>> {
    let via = match (bits >> place) & 7 {
        0 => return None,
        1 => Via::Attribute,
        2 => Via::Event,
        3 => Via::Child,
        _ => Via::Derived,
    };
    Some(Known { value, via })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> LlmCall {
        let tokens = |value| {
            Some(Known {
                value,
                via: Via::Child,
            })
        };
        let time = |value| {
            Some(Known {
                value: Nanos(value),
                via: Via::Derived,
            })
        };
        LlmCall {
            provider: Sym(1),
            requested: Sym(2),
            answered: Sym(3),
            endpoint: Sym(4),
            fingerprint: Sym(5),
            tier: Sym(8),
            finish: Sym(6),
            conversation: Sym(7),
            input: tokens(u32::MAX),
            output: tokens(0),
            cached: tokens(9),
            cache_write: tokens(10),
            cache_write_1h: tokens(4),
            reasoning: tokens(11),
            first_token: time(u64::MAX),
            queue: time(0),
            prefill: time(14),
            decode: time(15),
            model_time: time(16),
            reported_cost: Some(Known {
                value: Usd(17),
                via: Via::Event,
            }),
            response_id: Some(Digest::of(b"id")),
            engine: 18,
            http_status: Some(0),
            resends: Some(0),
            streamed: Some(false),
            cache_basis_assumed: true,
        }
    }

    #[test]
    fn every_figure_comes_out_as_it_went_in() {
        let mut calls = LlmCalls::default();
        for call in [full(), LlmCall::default()] {
            let at = calls.push(call);
            assert_eq!(calls.get(at), Some(call));
            let some = (calls.model(at), calls.resends(at));
            assert_eq!(some, (Some(call.model()), call.resends));
        }
        calls.change(1, |call| *call = full());
        calls.change(0, |call| *call = LlmCall::default());
        assert_eq!(calls.get(1), Some(full()));
        assert_eq!(calls.get(0), Some(LlmCall::default()));
        assert_eq!(calls.get(2), None);
    }

    #[test]
    fn absorbed_calls_keep_their_figures_under_new_symbols() {
        let (mut all, mut other) = (LlmCalls::default(), LlmCalls::default());
        all.push(full());
        other.push(LlmCall::default());
        other.push(full());
        all.absorb(other, |sym| Sym(sym.0 * 10));
        let moved = all.get(2).unwrap();
        assert_eq!(moved.provider, Sym(10));
        assert_eq!(moved.conversation, Sym(70));
        assert_eq!(moved.queue, full().queue);
        assert_eq!(all.get(1), Some(LlmCall::default()));
        assert_eq!(all.get(0), Some(full()));
    }
}
