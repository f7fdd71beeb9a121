//! Where calls usually go, and what it costs to be served elsewhere.

use super::volume::Seen;
use crate::baseline::{Call, Calls, Map};
use crate::stats::median;
use crate::units::Sym;

/// An address is home where at least this share of a client region's calls of a model goes.
const HOME_SHARE: f64 = 0.5;
const LEAST: usize = 3;

/// Home addresses by client, and the price of others.
#[derive(Default)]
pub(super) struct Routes {
    home: Map<(Sym, Sym), Sym>,
    /// (client, address) → extra first-token milliseconds, extra milliseconds per output token.
    extra: Map<(Sym, Sym), (f64, f64)>,
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
            .push(rest / f64::from(call.output.unwrap_or(1).max(1)));
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

impl Routes {
    pub(super) fn learn(calls: &Calls, seen: &[Seen]) -> Self {
        let mut votes: Map<(Sym, Sym), Map<Sym, usize>> = Map::default();
        for call in calls.all.iter().filter(|c| !c.endpoint.is_none()) {
            *votes
                .entry((client(call), call.model))
                .or_default()
                .entry(call.endpoint)
                .or_default() += 1;
        }
        let mut routes = Self::default();
        for (key, counts) in votes {
            let total: usize = counts.values().sum();
            // A strict majority has no ties to break.
            if let Some((home, _)) = counts
                .iter()
                .find(|(_, n)| **n as f64 > HOME_SHARE * total as f64)
            {
                routes.home.insert(key, *home);
            }
        }
        routes.learn_extra(calls, seen);
        routes
    }

    /// What an address costs is the difference between its calls and the client's calls at home.
    fn learn_extra(&mut self, calls: &Calls, seen: &[Seen]) {
        let mut shifts: Map<(Sym, Sym), Shifts> = Map::default();
        for (call, seen) in calls
            .all
            .iter()
            .zip(seen)
            .filter(|(c, _)| !c.endpoint.is_none())
        {
            let endpoint = if self.is_away(call) {
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
    pub(super) fn is_away(&self, call: &Call) -> bool {
        !call.endpoint.is_none()
            && self
                .home
                .get(&(client(call), call.model))
                .is_some_and(|h| *h != call.endpoint)
    }

    /// Milliseconds that calls of this client at this address typically take longer, for this output.
    pub(super) fn typical_extra(&self, call: &Call) -> Option<f64> {
        let (first, rate) = self.extra.get(&(client(call), call.endpoint))?;
        Some((first + rate * f64::from(call.output.unwrap_or(0))).max(0.0))
    }
}
