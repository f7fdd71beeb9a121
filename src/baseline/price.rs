//! What a call costs in time: first token by uncached prompt tokens, then a rate per output token.

use rayon::prelude::*;

use super::fresh::{ASSUMED, Fresh};
use super::whole::{Whole, WholePrompt};
use super::{Call, CallIx, Calls, Curve, Map};
use crate::stats::{LowSide, SpreadLimits, median, relative_plane};
use crate::units::{Millis, Sym};

/// Shorter answers say little about the rate.
const LEAST_OUTPUT: u32 = 15;
/// Calls of a model below this number fall back to all models together.
const LEAST_CALLS: usize = 8;
/// Deviations from the median to the tenth percentile of a normal law.
const TENTH: f64 = 1.28;
/// Fitted prices are lowered by at most this much (natural logarithm).
const LEAST_LIFT: f64 = 1.0;
/// Fewer calls than this have a straight price: bins of a handful of calls follow their accidents.
const CURVED_FROM: usize = 100;
/// Limits of how widely calls, or requests, scatter around the prices.
const RATIO_SPREAD: SpreadLimits = SpreadLimits {
    least: 0.02,
    most: 0.6,
};
/// Requests of several calls that say how widely requests scatter.
const LEAST_TOGETHER: usize = 8;
/// Least share of a call before its first token, where that is not shown.
const LEAST_FIRST: f64 = 0.05;

/// The prices of one model.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Price {
    /// First-token milliseconds by uncached prompt tokens.
    pub first: Curve,
    /// Milliseconds per output token after the first.
    pub rate: f64,
    /// Calls it rests on.
    pub n: usize,
    /// True where calls show their first token.
    pub split: bool,
    /// What whole prompts cost, where no cached tokens are shown.
    whole: Option<Whole>,
}

impl Price {
    fn scaled(&self, factor: f64) -> Self {
        Self {
            first: self.first.scaled(factor),
            rate: self.rate * factor,
            whole: self.whole.map(|whole| whole.scaled(factor)),
            ..*self
        }
    }
}

/// Prices by model, and how widely healthy calls scatter around them.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Prices {
    #[serde(with = "super::pairs")]
    by_model: Map<Sym, Price>,
    /// All models together, where some model is too rarely seen.
    all: Option<Price>,
    /// Of calls that show no tokens, in a dump where others do: the usual call, milliseconds.
    unmeasured: Option<f64>,
    /// Natural spread: median less 10th percentile of ln(observed / expected).
    pub spread: f64,
    /// The same of whole requests: of all calls of one together. Absent with few requests of several calls.
    pub together: Option<f64>,
    /// What the fitted prices are multiplied with to meet the healthy level.
    lift: f64,
    /// How much of a first prompt is new, where no cache is shown.
    fresh: Fresh,
}

/// What a call should have taken.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Uncached prompt tokens it rests on.
    pub uncached: f64,
    /// Milliseconds to the first token.
    pub first: f64,
    /// From the first token to the last.
    pub rest: Millis,
}

impl Expected {
    /// Milliseconds in all.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.first + self.rest.get()
    }
}

impl Prices {
    /// Learns from the calls in `kept`.
    #[must_use]
    pub fn learn(calls: &Calls, kept: &[CallIx]) -> Self {
        let part = kept.len().div_ceil(rayon::current_num_threads()).max(1);
        let parts = kept.par_chunks(part).map(|kept| Timed::of(calls, kept));
        let timed = parts.reduce(Timed::default, Timed::followed_by);
        let Timed {
            measured,
            unmeasured,
            by_model,
        } = timed.measured_or_not(calls);
        // Model by model, so that each takes its memory with it when it is fitted.
        let groups: Vec<(Sym, Vec<CallIx>)> = by_model.into_iter().collect();
        let fits = groups.into_par_iter().filter_map(|(model, group)| {
            let enough = group.len() >= LEAST_CALLS;
            Some((model, enough.then(|| fit(calls, &group)).flatten()?))
        });
        let by_model: Map<Sym, Price> = fits.collect::<Vec<_>>().into_iter().collect();
        let is_thin = |call: &Call| !by_model.contains_key(&call.model);
        let all = calls.all.iter().any(is_thin);
        let mut prices = Self {
            all: all.then(|| fit(calls, &measured)).flatten(),
            by_model,
            unmeasured: usual(calls, &unmeasured),
            spread: 0.0,
            together: None,
            lift: 1.0,
            fresh: Fresh::default(),
        };
        prices.fresh = Fresh::learn(calls, &measured, &prices);
        drop((measured, unmeasured));
        let timed = kept.iter().copied().filter(|&i| took_time(calls.get(i)));
        let everything: Vec<CallIx> = timed.collect();
        if let Some(level) = level(calls, &everything, &prices) {
            prices.spread = TENTH * level.spread;
            prices.lift = level.centre.clamp(-LEAST_LIFT, 0.0).exp();
        }
        prices.together = together(calls, &everything, &prices);
        prices
    }

    /// Takes from `other` the models that are not known, and lowers the others to what it says of the calls in
    /// `kept`: of two days' prices the lower are the healthier. How widely calls scatter is told by the calmer
    /// day, too.
    pub(super) fn lower_to(&mut self, other: &Self, calls: &Calls, kept: &[CallIx]) {
        if other.by_model.is_empty() && other.all.is_none() {
            return;
        }
        let mut by_model = other.lifted();
        for (model, price) in self.lifted() {
            let lower = self.ratio(model, other, calls, kept);
            by_model.insert(model, price.scaled(lower.min(1.0)));
        }
        let all = self.all.as_ref().map(|price| price.scaled(self.lift));
        *self = Self {
            all: all.or_else(|| other.all.as_ref().map(|price| price.scaled(other.lift))),
            by_model,
            unmeasured: self.unmeasured.map(|usual| self.lift * usual),
            spread: calmer(self.spread, other.spread),
            together: self.together,
            lift: 1.0,
            fresh: std::mem::take(&mut self.fresh).or(&other.fresh),
        };
    }

    /// What `other` expects of the calls of a model, as a multiple of what this one does; 1 where `other` does
    /// not know the model.
    fn ratio(&self, model: Sym, other: &Self, calls: &Calls, kept: &[CallIx]) -> f64 {
        if !other.by_model.contains_key(&model) {
            return 1.0;
        }
        let kept = kept.iter().map(|&i| calls.get(i));
        let mut ratios: Vec<f64> = kept
            .filter(|call| call.model == model)
            .filter_map(|call| {
                let own = self.expect(calls, call)?.total();
                let theirs = other.expect(calls, call)?.total();
                (own > 0.0).then_some(theirs / own)
            })
            .collect();
        median(&mut ratios).unwrap_or(1.0)
    }

    /// The models' prices at the healthy level.
    fn lifted(&self) -> Map<Sym, Price> {
        let models = self.by_model.iter();
        models
            .map(|(model, price)| (*model, price.scaled(self.lift)))
            .collect()
    }

    /// Price of `model`, or of all models together where it is too rarely seen.
    #[must_use]
    pub fn of(&self, model: Sym) -> Option<&Price> {
        self.by_model.get(&model).or(self.all.as_ref())
    }

    /// What `call` should have taken at the normal price, for the work it had.
    #[must_use]
    pub fn expect(&self, calls: &Calls, call: &Call) -> Option<Expected> {
        if let Some(usual) = self.unmeasured.filter(|_| !is_measured(call)) {
            return Some(Expected {
                uncached: 0.0,
                first: self.lift * usual,
                rest: Millis::new(0.0),
            });
        }
        let price = self.of(call.model)?;
        let uncached = self.uncached(calls, call).unwrap_or(0.0);
        Some(Expected {
            uncached,
            first: self.lift * price.first.at(uncached),
            rest: Millis::new(self.lift * price.rate * after_first(call)),
        })
    }

    /// What `call` usually takes, and what its whole prompt costs beyond that; only where no cached tokens are shown.
    #[must_use]
    pub fn whole_prompt(&self, calls: &Calls, call: &Call) -> Option<WholePrompt> {
        let whole = self
            .of(call.model)?
            .whole
            .filter(|_| call.cached.is_none())?;
        let expected = self.expect(calls, call)?;
        whole.of(calls, call, (expected.uncached, expected.total()))
    }

    /// Prompt tokens to compute. Where the dump shows no cache: what was added since the lane's last call,
    /// and of a first prompt the share that is usually new.
    #[must_use]
    pub fn uncached(&self, calls: &Calls, call: &Call) -> Option<f64> {
        let share = || Some(f64::from(call.input?) * self.fresh_share(call));
        known_uncached(calls, call).or_else(share)
    }

    /// Share of a first prompt like this one's that is usually new, where the dump shows no cache.
    #[must_use]
    pub fn fresh_share(&self, call: &Call) -> f64 {
        self.fresh.share(call)
    }
}

/// Prompt tokens to compute, where the dump tells: it shows the cache, or the call before.
fn known_uncached(calls: &Calls, call: &Call) -> Option<f64> {
    let input = f64::from(call.input?);
    let kept = match call.cached {
        Some(cached) => cached,
        None => call.before(calls)?.input?,
    };
    Some((input - f64::from(kept)).max(0.0))
}

/// Calls that took time, in order.
#[derive(Default)]
struct Timed {
    /// Those that show how much work they were, or all where none does.
    measured: Vec<CallIx>,
    /// The others.
    unmeasured: Vec<CallIx>,
    /// The measured ones.
    by_model: Map<Sym, Vec<CallIx>>,
}

impl Timed {
    fn of(calls: &Calls, kept: &[CallIx]) -> Self {
        let mut timed = Self::default();
        timed.measured.reserve(kept.len());
        let kept = kept.iter().map(|&i| (i, calls.get(i)));
        for (index, call) in kept.filter(|(_, call)| took_time(call)) {
            match is_measured(call) {
                true => timed.measure(index, call),
                false => timed.unmeasured.push(index),
            }
        }
        timed
    }

    fn measure(&mut self, index: CallIx, call: &Call) {
        self.measured.push(index);
        self.by_model.entry(call.model).or_default().push(index);
    }

    /// With calls that come after these.
    fn followed_by(mut self, other: Self) -> Self {
        if self.measured.is_empty() && self.unmeasured.is_empty() {
            return other;
        }
        self.measured.extend(other.measured);
        self.unmeasured.extend(other.unmeasured);
        for (model, calls) in other.by_model {
            self.by_model.entry(model).or_default().extend(calls);
        }
        self
    }

    /// Where none is measured, all are taken for it.
    fn measured_or_not(mut self, calls: &Calls) -> Self {
        if self.measured.is_empty() {
            let all = std::mem::take(&mut self.unmeasured).into_iter();
            all.for_each(|index| self.measure(index, calls.get(index)));
        }
        self
    }
}

fn took_time(call: &Call) -> bool {
    !call.window.is_empty()
}

/// The smaller of two spreads; a spread of nought is one that nothing told.
fn calmer(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 {
        a.min(b)
    } else {
        a.max(b)
    }
}

/// What a call usually takes where nothing tells how much work it was, milliseconds.
fn usual(calls: &Calls, group: &[CallIx]) -> Option<f64> {
    let times: Vec<f64> = group.iter().map(|&i| calls.get(i).total()).collect();
    LowSide::fit(&times, RATIO_SPREAD).map(|fit| fit.typical())
}

/// What work a call was is shown.
fn is_measured(call: &Call) -> bool {
    call.input.is_some() || call.output.is_some()
}

pub(super) fn after_first(call: &Call) -> f64 {
    call.output
        .map_or(0.0, |tokens| (f64::from(tokens) - 1.0).max(0.0))
}

/// Prompts are priced by the calls whose uncached tokens the dump tells, as long as these are the most: what
/// is but assumed of the others would bend the price of large prompts to whatever was assumed.
fn fit(calls: &Calls, group: &[CallIx]) -> Option<Price> {
    let told = |i: &CallIx| known_uncached(calls, calls.get(*i)).is_some();
    let known: Vec<CallIx> = group.iter().copied().filter(told).collect();
    let group = if known.len() >= LEAST_CALLS && 2 * known.len() >= group.len() {
        &known
    } else {
        group
    };
    let split = |i: &CallIx| calls.get(*i).first_token.is_some();
    let split: Vec<CallIx> = group.iter().copied().filter(split).collect();
    let price =
        if split.len() >= LEAST_CALLS || (split.len() * 2 >= group.len() && !split.is_empty()) {
            fit_split(calls, &split)
        } else {
            fit_whole(calls, group)
        };
    Some(Price {
        whole: Whole::fit(calls, group),
        ..price?
    })
}

fn uncached_or_assumed(calls: &Calls, call: &Call) -> f64 {
    let assumed = || call.input.map(|input| f64::from(input) * ASSUMED);
    known_uncached(calls, call).or_else(assumed).unwrap_or(0.0)
}

/// Where the first token is shown, prompt and output are priced apart.
fn fit_split(calls: &Calls, group: &[CallIx]) -> Option<Price> {
    let of_group = || group.iter().map(|&i| calls.get(i));
    let points: Vec<(f64, f64)> = of_group()
        .filter_map(|c| Some((uncached_or_assumed(calls, c), c.first_token?.get())))
        .collect();
    let mut rates: Vec<f64> = of_group()
        .filter(|c| c.output.is_some_and(|o| o.get() > LEAST_OUTPUT))
        .filter_map(|c| Some((c.total() - c.first_token?.get()).max(0.0) / after_first(c)))
        .collect();
    Some(Price {
        first: Curve::fit(&points)?,
        rate: median(&mut rates).unwrap_or(0.0),
        n: group.len(),
        split: true,
        whole: None,
    })
}

/// Where it is not: a plane over both, robustly; with calls enough, prompts are priced again by a curve
/// over what the output leaves.
fn fit_whole(calls: &Calls, group: &[CallIx]) -> Option<Price> {
    let of_group = group.iter().map(|&i| calls.get(i));
    let rows: Vec<(f64, f64, f64)> = of_group
        .map(|c| (uncached_or_assumed(calls, c), after_first(c), c.total()))
        .collect();
    let plane = relative_plane(&rows)?;
    let mut rate = plane.per_y;
    let mut first = Curve::straight(plane.base, plane.per_x, group.len());
    if rows.len() >= CURVED_FROM {
        let points: Vec<(f64, f64)> = rows
            .iter()
            .map(|&(u, out, total)| (u, (total - rate * out).max(LEAST_FIRST * total)))
            .collect();
        first = Curve::fit(&points)?;
        let long = rows.iter().filter(|r| r.1 > f64::from(LEAST_OUTPUT));
        let mut rates: Vec<f64> = long
            .map(|&(u, out, total)| (total - first.at(u)).max(0.0) / out)
            .collect();
        rate = median(&mut rates).unwrap_or(rate);
    }
    Some(Price {
        first,
        rate,
        n: group.len(),
        split: false,
        whole: None,
    })
}

/// Where healthy calls lie around the fitted prices, read off the low side: on a bad day the bins'
/// medians are themselves raised.
fn level(calls: &Calls, group: &[CallIx], prices: &Prices) -> Option<LowSide> {
    let ratios = group
        .par_iter()
        .filter_map(|&i| log_ratio(calls, calls.get(i), prices))
        .collect();
    LowSide::fit_logs(ratios, RATIO_SPREAD)
}

/// Natural spread of requests with several calls: median less 10th percentile of ln(observed / expected)
/// over all calls of a request. What scatters from call to call averages out over a request, what slows a
/// request as a whole does not (one-way random effects: Searle, Casella & McCulloch, *Variance Components*,
/// 1992).
fn together(calls: &Calls, group: &[CallIx], prices: &Prices) -> Option<f64> {
    let request = |i: &CallIx| calls.get(*i).request;
    let sums = group.par_chunk_by(|a, b| request(a) == request(b));
    let ratios: Vec<f64> = sums
        .filter(|own| own.len() > 1)
        .filter_map(|own| {
            let own = || own.iter().map(|&i| calls.get(i));
            let expected = own().filter_map(|c| prices.expect(calls, c));
            let expected: f64 = expected.map(|e| e.total()).sum();
            let observed: f64 = own().map(Call::total).sum();
            (expected > 0.0).then_some(observed / expected)
        })
        .collect();
    let enough = ratios.len() >= LEAST_TOGETHER;
    let fit = enough
        .then(|| LowSide::fit(&ratios, RATIO_SPREAD))
        .flatten();
    fit.map(|fit| TENTH * fit.spread)
}

/// ln(observed / expected) of a call.
#[must_use]
pub fn log_ratio(calls: &Calls, call: &Call, prices: &Prices) -> Option<f64> {
    let expected = prices.expect(calls, call)?.total();
    (expected > 0.0 && call.total() > 0.0).then(|| (call.total() / expected).ln())
}
