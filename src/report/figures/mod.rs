//! What charts and the HTML report draw: points, bins and sums, bounded however large the dump is.
//! Made only when asked for, because most output does not draw.

mod bins;
mod distribution;
mod gpu;
mod heat;
mod load;
mod phases;
mod timeline;
mod tools;

pub use bins::TimeBins;
pub use distribution::{Distribution, DurationBin};
pub use gpu::{Gpu, GpuPanel, GpuTrack};
pub use heat::{Cell, Heat, HeatRow};
pub use load::{Crowding, Load, Step};
pub use phases::{Pair, PartTimes, Phases};
pub use timeline::{Band, Mark, Timeline};
pub use tools::{ToolShare, ToolShares};

use super::Report;

/// Everything there is to draw.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Requests by start and duration.
    pub timeline: Timeline,
    /// Requests by duration.
    pub distribution: Distribution,
    /// Where time went and where it should have gone.
    pub phases: Phases,
    /// Requests by kind of task and time.
    pub heat: Heat,
    /// Tool calls by tool and time.
    pub tools: ToolShares,
    /// Model calls by company and speed.
    pub load: Load,
    /// Devices over time.
    pub gpu: Gpu,
}

impl Report<'_> {
    /// What charts draw.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            timeline: Timeline::of(self),
            distribution: Distribution::of(self),
            phases: Phases::of(self),
            heat: Heat::of(self),
            tools: ToolShares::of(self),
            load: Load::of(self),
            gpu: Gpu::of(self),
        }
    }
}

/// At most `most` of `all`, evenly spread, the same ones in every run.
fn thin<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let (len, most) = (all.len(), most.max(1));
    if len <= most {
        return all;
    }
    let chosen = |index: usize| index * most / len != (index + 1) * most / len;
    let kept = all.into_iter().enumerate().filter(|(i, _)| chosen(*i));
    kept.map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_as_many_as_asked_for() {
        for (len, most) in [(0, 5), (5, 5), (17, 5), (1000, 7), (3, 0)] {
            let kept = thin((0..len).collect::<Vec<_>>(), most);
            assert_eq!(kept.len(), len.min(most.max(1)), "{len} {most}");
        }
    }
}
