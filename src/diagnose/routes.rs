//! Where calls usually go, and what it costs to be served elsewhere.

use super::volume::Seen;
use crate::baseline::{Call, CallIx, Calls, Healthy, Map};
use crate::stats::median;
use crate::units::Sym;

/// An address is home where at least this share of a client region's calls of a model goes.
const HOME_SHARE: f64 = 0.5;
const LEAST: usize = 3;

/// Which calls went to an address that is not their client's home for that model.
#[derive(Default)]
pub(super) struct Homes {
    /// Where the calls of a client to a model usually go.
    pub(super) homes: Map<(Sym, Sym), Sym>,
    /// Per call.
    away: Vec<bool>,
    /// Clients with such a call.
    travelled: hashbrown::HashSet<Sym>,
}

/// What addresses away from home cost.
pub(super) struct Routes<'a> {
    pub(super) homes: &'a Homes,
    /// (client, address) → extra first-token milliseconds, extra milliseconds per output token.
    pub(super) extra: Map<(Sym, Sym), (f64, f64)>,
}

/// Residuals of the calls at one address: milliseconds to the first token, and per output token after.
#[derive(Default)]
struct Shifts {
    first: Vec<f64>,
    rate: Vec<f64>,
}

impl Shifts {
    fn push(&mut self, call: &Call, seen: &Seen) {
        let (first, rest) = seen
            .residual_split(call)
            .unwrap_or((seen.residual(call), 0.0));
        self.first.push(first);
        self.rate
            .push(rest / call.output.map_or(1.0, f64::from).max(1.0));
    }

    fn typical(mut self) -> Option<(f64, f64)> {
        if self.first.len() < LEAST {
            return None;
        }
        Some((median(&mut self.first)?, median(&mut self.rate)?))
    }
}

/// The client's region; where that is not told, the service.
fn client(call: &Call) -> Sym {
    call.region.or(call.service)
}

impl Homes {
    pub(super) fn find(calls: &Calls) -> Self {
        Self::by(calls, homes(calls.all.iter()))
    }

    /// Takes homes from a healthy period where it knows the client and the address is still in use.
    pub(super) fn prefer(&mut self, calls: &Calls, healthy: &Healthy) {
        let mut all = homes(calls.all.iter());
        let used: hashbrown::HashSet<Sym> = calls.all.iter().map(|c| c.endpoint).collect();
        let known = homes(healthy.kept.iter().map(|&i| healthy.calls.get(i)));
        all.extend(known.into_iter().filter(|(_, home)| used.contains(home)));
        *self = Self::by(calls, all);
    }

    /// The address that usually serves the client of this call.
    pub(super) fn home(&self, call: &Call) -> Option<Sym> {
        self.homes.get(&(client(call), call.model)).copied()
    }

    pub(super) fn by(calls: &Calls, homes: Map<(Sym, Sym), Sym>) -> Self {
        let is_away = |call: &Call| {
            let home = homes.get(&(client(call), call.model));
            !call.endpoint.is_none() && home.is_some_and(|h| *h != call.endpoint)
        };
        let away = calls.all.iter().filter(|c| is_away(c));
        Self {
            travelled: away.map(client).collect(),
            away: calls.all.iter().map(is_away).collect(),
            homes,
        }
    }

    /// True when the call went to an address that is not its client's home.
    fn is_away(&self, index: CallIx) -> bool {
        self.away.get(index as usize).copied().unwrap_or(false)
    }
}

/// The address that most calls of a client for a model go to.
fn homes<'a>(calls: impl Iterator<Item = &'a Call>) -> Map<(Sym, Sym), Sym> {
    let mut votes: Map<(Sym, Sym), Map<Sym, usize>> = Map::default();
    for call in calls.filter(|c| !c.endpoint.is_none()) {
        *votes
            .entry((client(call), call.model))
            .or_default()
            .entry(call.endpoint)
            .or_default() += 1;
    }
    // A strict majority has no ties to break.
    let majority = |counts: &Map<Sym, usize>| {
        let total: usize = counts.values().sum();
        let home = counts
            .iter()
            .find(|(_, n)| **n as f64 > HOME_SHARE * total as f64);
        home.map(|(home, _)| *home)
    };
    votes
        .into_iter()
        .filter_map(|(key, counts)| Some((key, majority(&counts)?)))
        .collect()
}

impl<'a> Routes<'a> {
    /// What an address costs is the difference between its calls and the client's calls at home.
    pub(super) fn learn(homes: &'a Homes, calls: &Calls, seen: &[Seen]) -> Self {
        let extra = Map::default();
        let mut routes = Self { homes, extra };
        if !homes.travelled.is_empty() {
            routes.learn_extra(calls, seen);
        }
        routes
    }

    fn learn_extra(&mut self, calls: &Calls, seen: &[Seen]) {
        let mut shifts: Map<(Sym, Sym), Shifts> = Map::default();
        for ((call, seen), index) in calls.all.iter().zip(seen).zip(0..) {
            if call.endpoint.is_none() || !self.homes.travelled.contains(&client(call)) {
                continue;
            }
            let endpoint = if self.is_away(index) {
                call.endpoint
            } else {
                Sym::NONE
            };
            shifts
                .entry((client(call), endpoint))
                .or_default()
                .push(call, seen);
        }
        let typical: Map<(Sym, Sym), (f64, f64)> = shifts
            .into_iter()
            .filter_map(|(key, s)| Some((key, s.typical()?)))
            .collect();
        for ((client, endpoint), away) in typical.iter().filter(|((_, e), _)| !e.is_none()) {
            let home = typical
                .get(&(*client, Sym::NONE))
                .copied()
                .unwrap_or_default();
            self.extra
                .insert((*client, *endpoint), (away.0 - home.0, away.1 - home.1));
        }
    }

    /// True when the call went to an address that is not its client's home.
    pub(super) fn is_away(&self, index: CallIx) -> bool {
        self.homes.is_away(index)
    }

    /// Milliseconds that calls of this client at this address typically take longer, for this output.
    pub(super) fn typical_extra(&self, call: &Call) -> Option<f64> {
        let (first, rate) = self.extra.get(&(client(call), call.endpoint))?;
        Some((first + rate * call.output.map_or(0.0, f64::from)).max(0.0))
    }
}
