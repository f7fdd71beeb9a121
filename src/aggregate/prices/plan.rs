//! The price list of one model as a file or the command line gives it: prices that change with time,
//! with the length of the prompt and with the class of service, or the price of the machine it runs on.

use super::rates::{Overlay, Tier};
use super::service::Service;
use super::table::When;
use crate::units::Usd;

/// A model's own price list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Standard prices, and when they hold: the last one in force counts.
    pub(super) dated: Vec<(When, Vec<Tier>)>,
    /// What other classes of service change.
    pub(super) special: Vec<Special>,
    /// The price of the machine, for models that one runs oneself.
    pub(super) machine: Option<Machine>,
}

/// What a class of service changes about the standard prices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Special {
    pub(super) service: Service,
    /// From this Unix second on.
    pub(super) from: i64,
    pub(super) tiers: Vec<Overlay>,
}

/// The machine that serves a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    /// Price of one GPU for an hour.
    pub gpu_hour: Usd,
    /// How many GPUs serve the model.
    pub gpus: u32,
}

impl Plan {
    /// One price that always holds.
    pub(super) fn flat(tiers: Vec<Tier>) -> Self {
        Self {
            dated: vec![(When::Always, tiers)],
            ..Self::default()
        }
    }

    /// True when nothing in it has a price.
    pub(super) fn is_empty(&self) -> bool {
        self.machine.is_none() && self.dated.iter().all(|(_, tiers)| tiers.is_empty())
    }
}
