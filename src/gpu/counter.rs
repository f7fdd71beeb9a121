//! Counters of the driver that begin anew when they are full.

/// A counter that is full at this many. NVML's header says of the bytes over PCIe that the "value can be wrapped";
/// on an H200 (driver 580.159) it went from 4,287,097,864 to 8,914,992.
const FULL: u64 = 1 << 32;

/// One counter, counted on where the driver began anew. More than [`FULL`] between two rounds cannot be seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter {
    last: u64,
    turns: u64,
}

impl Counter {
    /// What it stands at, when the driver says `now`. One that was ever beyond [`FULL`] is wider and does not wrap:
    /// where it falls, the driver was loaded anew.
    pub(super) fn take(&mut self, now: u64) -> u64 {
        if now < self.last {
            self.turns = match self.last < FULL {
                true => self.turns + 1,
                false => 0,
            };
        }
        self.last = now;
        self.turns.saturating_mul(FULL).saturating_add(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<const N: usize>(said: [u64; N]) -> [u64; N] {
        let mut counter = Counter::default();
        said.map(|now| counter.take(now))
    }

    #[test]
    fn a_full_counter_counts_on() {
        assert_eq!(taken([5, 9, 9]), [5, 9, 9]);
        assert_eq!(
            taken([FULL - 5, 7, 9, 8]),
            [FULL - 5, FULL + 7, FULL + 9, 2 * FULL + 8]
        );
    }

    #[test]
    fn a_wider_counter_that_falls_was_reset() {
        assert_eq!(
            taken([FULL + 5, FULL + 9, 3, 4]),
            [FULL + 5, FULL + 9, 3, 4]
        );
    }
}
