//! More work than usual in a single call: a grown prompt, a cache that did not hit, a long answer.

use std::ops::Range;

use rayon::prelude::*;

use super::witnesses::Witnesses;
use super::{Cause, Options};
use crate::baseline::{Baselines, Call, CallIx, Calls, Expected, Volume};
use crate::units::roomy;

/// A first prompt is a surge from this multiple of the high end of usual first prompts on.
const FIRST_OVER: f64 = 1.6;
/// A prompt's growth is a surge from this multiple of the high end of usual growth on. Growth has a
/// heavy natural tail (documents differ), first prompts do not.
const GROWTH_OVER: f64 = 3.0;
/// A surge needs no others beside it from this multiple of that limit on. Of six in labelled dumps of a simulated fleet
/// around which no other was seen, the two that were more than a long document lay beyond 4.5 times it, the others within
/// 2.1.
const FAR: f64 = 3.0;
/// Least extra prompt and least lost cache worth mentioning, as shares of the median prompt.
const LEAST_SURGE: f64 = 0.2;
const LEAST_LOST: f64 = 0.03;
/// An answer is long from this many spreads above its kind on, between 6.7 and 14 times the typical
/// length (in natural logarithms): in quiet and in busy dumps natural answers seldom reach ten times.
const LONG_OVER: f64 = 4.4;
const LEAST_LONG_OVER: f64 = 1.9;
const MOST_LONG_OVER: f64 = 2.66;
/// Where answers do not scatter that far, one is long from the length on that a natural one reaches once in so many
/// dumps, …
const NATURAL_ONCE_IN: f64 = 10.0;
/// … from three times the typical length on (natural logarithm), …
const LEAST_OVER: f64 = 1.1;
/// … and from this multiple of the median answer on.
const LEAST_LONG: f64 = 0.6;
/// Share of that distance which is enough beside a clearly long answer of the same request.
const AGAIN: f64 = 0.6;
/// Share of that distance which is enough where many requests around had a long answer: the more common a fault is
/// around, the less must speak for it (empirical Bayes: Efron, *Large-Scale Inference*, 2010, ch. 5). In labelled
/// dumps of a simulated fleet this finds two more faulted answers, and no natural one.
const AMONG_MANY: f64 = 1.0 / 1.2;

/// Multiple of that distance which is needed where no other request around had a long answer. Of 4 answers that stood so
/// alone at less than ten times the typical length in labelled dumps of a simulated fleet, three were natural.
const ALONE: f64 = 1.25;

/// Every call held against what is normal. Where one call of a request is clearly beyond the usual, the
/// request's other calls count from a lower bar on: what struck once in a request strikes again
/// (hysteresis: Canny, "A Computational Approach to Edge Detection", 1986).
pub(super) fn see(
    calls: &Calls,
    base: &Baselines,
    options: &Options,
    witnesses: &Witnesses,
) -> Vec<Seen> {
    let mut seen: Vec<Seen> = roomy(calls.all.len());
    (0..calls.all.len() as CallIx)
        .into_par_iter()
        .map(|i| {
            Seen::of(
                calls,
                base,
                options,
                i,
                bar(witnesses, calls.get(i).request),
            )
        })
        .collect_into_vec(&mut seen);
    let long = seen.par_iter().zip(&calls.all);
    let long = long.filter(|(seen, _)| seen.long().is_some());
    let mut long: Vec<u32> = long.map(|(_, call)| call.request).collect();
    long.dedup();
    for request in long {
        see_request(&mut seen, calls, base, options, (request, AGAIN));
    }
    seen
}

/// Brings what was `seen` by the first of two passes to what it would be by the second: it changes where the bar of
/// long answers did.
pub(super) fn see_again(
    seen: &mut [Seen],
    calls: &Calls,
    base: &Baselines,
    options: &Options,
    [before, now]: [&Witnesses; 2],
) {
    let last = calls.all.last().map_or(0, |call| call.request + 1);
    for request in (0..last).filter(|r| bar(before, *r) != bar(now, *r)) {
        let own = (request, bar(now, request));
        let range = see_request(seen, calls, base, options, own);
        if seen[range].iter().any(|seen| seen.long().is_some()) {
            see_request(seen, calls, base, options, (request, AGAIN));
        }
    }
}

/// Looks at the calls of one request with another bar, and says where they lie.
fn see_request(
    seen: &mut [Seen],
    calls: &Calls,
    base: &Baselines,
    options: &Options,
    (request, bar): (u32, f64),
) -> Range<usize> {
    let first = calls.all.partition_point(|call| call.request < request);
    let own = calls.all[first..].iter();
    let own = own.take_while(|call| call.request == request).count();
    let range = first..first + own;
    for (seen, index) in seen[range.clone()].iter_mut().zip(first as CallIx..) {
        *seen = Seen::of(calls, base, options, index, bar);
    }
    range
}

/// The share of the full distance from which an answer is long, by what else is long around.
fn bar(witnesses: &Witnesses, request: u32) -> f64 {
    if witnesses.many(request, Cause::LongGeneration) {
        AMONG_MANY
    } else if witnesses.none(request, Cause::LongGeneration) {
        ALONE
    } else {
        1.0
    }
}

/// Tokens beyond the usual and what they cost at the normal price.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extra {
    /// Tokens seen.
    pub(super) observed: f64,
    /// Tokens usual here.
    pub(super) usual: f64,
    /// Milliseconds at the normal price.
    pub(super) millis: f64,
}

impl Extra {
    /// Of a grown prompt: milliseconds at the normal price that calls before `call` must have computed it for.
    pub(super) fn computed_before(&self, base: &Baselines, call: &Call) -> Option<f64> {
        let grown = self.observed - self.usual;
        let whole = base.prices.of(call.model)?.first.price(grown, grown);
        Some(whole - self.millis)
    }
}

/// More work than usual.
#[derive(Clone, Copy, Debug, Default)]
struct Extras {
    /// Prompt beyond the usual.
    surge: Option<Extra>,
    /// Cached tokens lost.
    cold: Option<Extra>,
    /// Answer beyond the usual.
    long: Option<Extra>,
}

/// One call held against what is normal.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// At the normal price, for the work it had.
    pub(super) expected: Option<Expected>,
    /// ln(observed / expected), zero where nothing is expected.
    pub(super) log_ratio: f64,
    /// Apart, because few calls have any.
    extras: Option<Box<Extras>>,
}

impl Seen {
    /// `bar` is the share of the full distance from which an answer is long.
    fn of(calls: &Calls, base: &Baselines, options: &Options, index: CallIx, bar: f64) -> Self {
        let call = calls.get(index);
        let mut expected = base.prices.expect(calls, call);
        // Whose the call is, and so what is usual for it, nobody can tell from the server's side.
        let extras = if call.server_side_only {
            Extras::default()
        } else {
            Extras {
                surge: surge(calls, base, call, &mut expected),
                cold: cold(calls, base, index, call),
                long: long(base, options, bar, call),
            }
        };
        let any = extras.surge.is_some() || extras.cold.is_some() || extras.long.is_some();
        let total = expected.map_or(0.0, |e| e.total());
        Self {
            expected,
            log_ratio: if total > 0.0 && call.total() > 0.0 {
                (call.total() / total).ln()
            } else {
                0.0
            },
            extras: any.then(|| Box::new(extras)),
        }
    }

    /// Prompt beyond the usual.
    pub(super) fn surge(&self) -> Option<Extra> {
        self.extras.as_ref()?.surge
    }

    /// Cached tokens lost.
    pub(super) fn cold(&self) -> Option<Extra> {
        self.extras.as_ref()?.cold
    }

    /// Answer beyond the usual.
    pub(super) fn long(&self) -> Option<Extra> {
        self.extras.as_ref()?.long
    }

    /// Milliseconds over the expectation.
    pub(super) fn residual(&self, call: &Call) -> f64 {
        self.expected.map_or(0.0, |e| call.total() - e.total())
    }

    /// The residual divided at the first token, where that is shown.
    pub(super) fn residual_split(&self, call: &Call) -> Option<(f64, f64)> {
        let (expected, first) = (self.expected?, call.first_token?.get());
        let rest = call.total() - first - expected.rest.get();
        Some((first - expected.first, rest))
    }

    /// True when it had more work than usual.
    pub(super) fn has_volume(&self) -> bool {
        self.extras.is_some()
    }
}

/// Prompt tokens that a call added, what is usual, and from where on it is a surge. Growth is judged, not size: a round
/// against what rounds of its kind usually add.
fn growth(calls: &Calls, base: &Baselines, call: &Call) -> Option<(f64, f64, f64)> {
    if let Some(growth) = call.growth(calls) {
        let usual = base.volumes.growth(call.kind, call.agent)?;
        return Some((growth, usual.typical, GROWTH_OVER * usual.high));
    }
    let input = call.input.filter(|_| call.previous.is_none())?;
    let usual = base.volumes.first_prompt(call.kind, call.agent)?;
    Some((f64::from(input), usual.typical, FIRST_OVER * usual.high))
}

/// True where a prompt grew so far beyond the limit of surges that no document explains it.
pub(super) fn is_far_beyond(calls: &Calls, base: &Baselines, call: &Call) -> bool {
    growth(calls, base, call).is_some_and(|(added, _, limit)| added > FAR * limit)
}

fn surge(
    calls: &Calls,
    base: &Baselines,
    call: &Call,
    expected: &mut Option<Expected>,
) -> Option<Extra> {
    let (added, usual, limit) = growth(calls, base, call)?;
    let extra = added - usual;
    if added <= limit || extra < LEAST_SURGE * base.volumes.median_prompt {
        return None;
    }
    let price = base.prices.of(call.model)?;
    let mut uncached = base.prices.uncached(calls, call)?;
    if call.cached.is_none() && call.previous.is_none() {
        // Without cache figures the new part of a first prompt is guessed; the extra part surely is new.
        uncached += (1.0 - base.prices.fresh_share(call)) * extra;
        if let Some(e) = expected.as_mut() {
            (e.uncached, e.first) = (uncached, price.first.at(uncached));
        }
    }
    let extra = extra.min(uncached);
    Some(Extra {
        observed: added,
        usual,
        millis: price.first.price(uncached, extra),
    })
}

fn cold(calls: &Calls, base: &Baselines, index: CallIx, call: &Call) -> Option<Extra> {
    let cached = f64::from(call.cached?);
    let input = f64::from(call.input?);
    let usual = match call.previous {
        Some(_) => base.cache.expected_later(calls, call)?,
        None => base
            .cache
            .expected(index, call)
            .or_else(|| lost_later_too(calls, base, index, call))?,
    }
    .min(input);
    let lost = usual - cached;
    if lost < (LEAST_LOST * base.volumes.median_prompt).max(0.1 * usual) {
        return None;
    }
    let uncached = (input - cached).max(0.0);
    Some(Extra {
        observed: cached,
        usual,
        millis: base
            .prices
            .of(call.model)?
            .first
            .price(uncached, lost.min(uncached)),
    })
}

/// A first call's miss counts, even where first calls often miss, when the same lane lost its cache
/// again in its next call: that is not idleness.
fn lost_later_too(calls: &Calls, base: &Baselines, index: CallIx, call: &Call) -> Option<f64> {
    let next = calls
        .all
        .get(index as usize + 1)
        .filter(|n| n.previous == Some(index.into()))?;
    let usual = base.cache.expected_later(calls, next)?;
    (f64::from(next.cached?) < 0.5 * usual)
        .then(|| base.cache.when_hit(call))
        .flatten()
}

fn long(base: &Baselines, options: &Options, bar: f64, call: &Call) -> Option<Extra> {
    let output = f64::from(call.output?);
    let usual = base.volumes.output(call.kind, call.agent, call.finish)?;
    let extra = output - usual.typical;
    if extra < LEAST_LONG * base.volumes.median_output
        || usual.fit.height(output) * usual.fit.spread < long_from(base, usual, bar)
    {
        return None;
    }
    let millis = extra * base.prices.of(call.model)?.rate;
    (millis > 0.3 * options.floor()).then_some(Extra {
        observed: output,
        usual: usual.typical,
        millis,
    })
}

/// How far above the typical answer a long one lies at least, natural logarithms.
fn long_from(base: &Baselines, usual: &Volume, bar: f64) -> f64 {
    let spreads = (LONG_OVER * usual.fit.spread).clamp(LEAST_LONG_OVER, MOST_LONG_OVER);
    let natural = base.volumes.output_reach(usual, NATURAL_ONCE_IN);
    let natural = natural.map_or(f64::INFINITY, |reach| {
        (bar.min(1.0) * reach).max(LEAST_OVER)
    });
    natural.min(bar * spreads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Nanos, Window};

    #[test]
    fn the_more_long_answers_are_around_the_less_must_speak_for_one() {
        let wall = Window {
            start: Nanos(0),
            end: Nanos(1_000_000_000),
        };
        let around = |long: usize| {
            let mut requests = vec![(wall, None); 60];
            requests[..long].fill((wall, Some(Cause::LongGeneration)));
            bar(&Witnesses::of(&requests), 59)
        };
        assert!(around(0) > around(1) && around(1) > around(8));
        let untold = bar(&Witnesses::default(), 0);
        assert!((around(1) - untold).abs() < 1e-9);
    }
}
