//! What a prompt costs when none of it is cached, where the dump shows no cached tokens.

use super::price::after_first;
use super::{Call, CallIx, Calls};
use crate::stats::{Plane, median, relative_plane_above};

/// Fewer calls than this tell no price.
const LEAST: usize = 60;
/// Share of calls that took less than the price of their work by itself: what most calls take beyond it was spent
/// sharing the server with others. On labelled dumps of a simulated fleet, whose prompts cost 0.13 to 0.16 ms a token,
/// the median of all calls tells 0.1 to 0.5, this share 0.13 to 0.17.
const ALONE: f64 = 0.15;

/// Prompt and output at straight prices.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Whole {
    /// Milliseconds by tokens new to the prompt and tokens written, of a call by itself.
    plane: Plane,
    /// What the usual call takes, as a multiple of it.
    usual: f64,
}

/// Milliseconds of a call.
#[derive(Clone, Copy, Debug)]
pub struct WholePrompt {
    /// What it usually takes, with what usually is in the cache.
    pub usual: f64,
    /// What that part of its prompt costs when it is computed.
    pub more: f64,
}

impl Whole {
    /// Learns from calls whose cached tokens are not shown, but the prompt before.
    pub(super) fn fit(calls: &Calls, group: &[CallIx]) -> Option<Self> {
        let rows = group.iter().filter_map(|&i| row(calls, calls.get(i)));
        let rows: Vec<(f64, f64, f64)> = rows.collect();
        if rows.len() < LEAST {
            return None;
        }
        let plane = relative_plane_above(&rows, ALONE).filter(|plane| plane.per_x > 0.0)?;
        let ratios = rows
            .iter()
            .map(|&(new, out, time)| time / plane.at(new, out));
        let usual = median(&mut ratios.collect::<Vec<f64>>())?;
        Some(Self { plane, usual })
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self {
            plane: self.plane,
            usual: self.usual * factor,
        }
    }

    /// Of a call that is expected to find all but `uncached` tokens cached, or to take `expected` milliseconds where no
    /// call came before it.
    pub(super) fn of(
        &self,
        calls: &Calls,
        call: &Call,
        (uncached, expected): (f64, f64),
    ) -> Option<WholePrompt> {
        let input = f64::from(call.input?);
        let usual = row(calls, call).map_or(expected, |(new, out, _)| {
            self.usual * self.plane.at(new, out)
        });
        (usual > 0.0).then(|| WholePrompt {
            usual,
            more: self.plane.per_x * (input - uncached).max(0.0),
        })
    }
}

/// Tokens new to the prompt, tokens written after the first, and milliseconds.
fn row(calls: &Calls, call: &Call) -> Option<(f64, f64, f64)> {
    let (input, before) = (call.input?, call.before(calls)?.input?);
    let hidden = call.cached.is_none() && call.total() > 0.0;
    hidden.then(|| {
        let new = (f64::from(input) - f64::from(before)).max(0.0);
        (new, after_first(call), call.total())
    })
}
