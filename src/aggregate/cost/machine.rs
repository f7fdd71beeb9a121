//! Models that one runs oneself: what a call costs where the machine has a price and the token has none.
//!
//! The machine is paid by the hour, busy or not. Every instant in which it is busy is paid by the calls
//! that run then, in equal parts; so the calls of a model pay for its busy time exactly, however many
//! run at once. The time in which none ran is named beside them and belongs to nobody.

use std::collections::BTreeMap;

use super::pricer::Calls;
use crate::aggregate::prices::Machine;
use crate::units::{Nanos, Usd, Window};

/// What the machine of a model did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MachineUse {
    /// The model as its price names it.
    pub model: String,
    /// Its machine.
    pub machine: Machine,
    /// Time in which at least one call ran.
    pub busy: Nanos,
    /// From the first to the last request of the dump.
    pub window: Nanos,
    /// What the busy time cost.
    pub cost: Usd,
    /// What the rest of the window cost: paid for nothing that the dump shows.
    pub idle_cost: Usd,
}

/// Parts of a nanosecond that shares are counted in.
const SCALE: u128 = 1 << 20;
const HOUR: u128 = 3_600_000_000_000;

/// Prices the calls of such models.
pub(super) fn settle(calls: &mut Calls<'_>) -> Vec<MachineUse> {
    let mut models: BTreeMap<String, (Machine, Vec<usize>)> = BTreeMap::new();
    for row in 0..calls.rows.len() {
        let Some(tariff) = calls.tariff(row) else {
            continue;
        };
        if let Some(machine) = tariff.machine() {
            let entry = models.entry(tariff.model.to_owned());
            entry.or_insert((machine, Vec::new())).1.push(row);
        }
    }
    let window = calls.window;
    let one = |(model, (machine, rows)): (String, (Machine, Vec<usize>))| {
        let windows = rows.iter().filter_map(|row| Some(calls.op(*row)?.window));
        let windows: Vec<Window> = windows.collect();
        let (shares, busy) = shares(&windows);
        for (row, share) in rows.iter().zip(&shares) {
            if let Some(row) = calls.rows.get_mut(*row) {
                row.cost = Some(machine_cost(machine, *share).0);
            }
        }
        let busy_cost = machine_cost(machine, u128::from(busy.0) * SCALE);
        let idle = window.len().since(busy);
        MachineUse {
            model,
            machine,
            busy,
            window: window.len(),
            cost: busy_cost,
            idle_cost: machine_cost(machine, u128::from(idle.0) * SCALE),
        }
    };
    models.into_iter().map(one).collect()
}

fn machine_cost(machine: Machine, scaled: u128) -> Usd {
    let per_hour = machine.gpu_hour.0.max(0) as u128 * u128::from(machine.gpus);
    let whole = HOUR * SCALE;
    let nano = scaled.saturating_mul(per_hour).saturating_add(whole / 2) / whole;
    Usd(i64::try_from(nano).unwrap_or(i64::MAX))
}

/// The time each window has to itself, shared in equal parts with those that run beside it, in parts
/// of a nanosecond; and the time in which any runs.
fn shares(windows: &[Window]) -> (Vec<u128>, Nanos) {
    let mut edges: Vec<(Nanos, bool, usize)> = Vec::with_capacity(2 * windows.len());
    for (index, window) in windows.iter().enumerate().filter(|(_, w)| !w.is_empty()) {
        edges.push((window.start, true, index));
        edges.push((window.end, false, index));
    }
    edges.sort_unstable();
    let mut begun = vec![0_u128; windows.len()];
    let mut shares = vec![0_u128; windows.len()];
    let (mut running, mut each, mut busy, mut last) = (0_u128, 0_u128, Nanos::ZERO, Nanos::ZERO);
    for (at, starts, index) in edges {
        let passed = at.since(last);
        if let Some(share) = (u128::from(passed.0) * SCALE).checked_div(running) {
            busy += passed;
            each += share;
        }
        last = at;
        if starts {
            running += 1;
            begun[index] = each;
        } else {
            running -= 1;
            shares[index] = each - begun[index];
        }
    }
    (shares, busy)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(start: u64, end: u64) -> Window {
        Window {
            start: Nanos(start),
            end: Nanos(end),
        }
    }

    #[test]
    fn calls_side_by_side_share_the_machine() {
        let (shares, busy) = shares(&[window(0, 100), window(50, 100), window(200, 300)]);
        assert_eq!(shares, [75, 25, 100].map(|n| n * SCALE));
        assert_eq!(busy, Nanos(200));
        let machine = Machine {
            gpu_hour: Usd(2_000_000_000),
            gpus: 3,
        };
        assert_eq!(machine_cost(machine, HOUR * SCALE / 2), Usd(3_000_000_000));
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_busy_time(starts in prop::collection::vec((0_u64..10_000, 0_u64..3000), 0..40)) {
            let windows: Vec<Window> = starts.iter().map(|(s, len)| window(*s, s + len)).collect();
            let (shares, busy) = shares(&windows);
            let sum: u128 = shares.iter().sum();
            let whole = u128::from(busy.0) * SCALE;
            prop_assert!(sum <= whole && whole - sum <= 80 * 40, "{sum} of {whole}");
        }
    }
}
