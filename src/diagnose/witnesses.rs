//! Requests around that an earlier pass found slow for the same cause. What befalls a service befalls whoever uses it,
//! so a disturbance shows in several requests; what shows in one alone is more often what requests do by themselves.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Cause;
use super::incident::APART;
use super::stays::Stays;
use crate::units::Window;

/// Least share of the requests around that must have been slow for the cause: among very many some always are. Of
/// 1,180 requests of labelled healthy dumps, one in four hundred is found slow for its commonest cause.
const LEAST_SHARE: f64 = 0.01;
/// This share of them, and two at least, are many: an incident is under way.
const MANY: f64 = 0.1;
const LEAST_MANY: f64 = 2.0;

/// What requests close enough to be of one incident were slow for, by request. Empty as long as no pass has told.
#[derive(Default)]
pub(super) struct Witnesses(pub(super) Vec<Around>);

/// The causes that requests around one were slow for, one bit each.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Around {
    some: u16,
    many: u16,
}

impl Witnesses {
    /// By when each request ran, and what it was found slow for.
    pub(super) fn of(requests: &[(Window, Option<Cause>)]) -> Self {
        let mut all = Stays::default();
        let mut stays: [Stays; Cause::ALL.len()] = Default::default();
        for (wall, cause) in requests {
            all.push(*wall);
            if let Some(cause) = cause {
                stays[cause.index()].push(*wall);
            }
        }
        rayon::join(|| stays.iter_mut().for_each(Stays::sort), || all.sort());
        let around = |(wall, own): &(Window, Option<Cause>)| {
            let window = Window {
                start: wall.start - APART,
                end: wall.end + APART,
            };
            let around = (all.touching(window) - 1) as f64;
            let (some, many) = (
                (LEAST_SHARE * around).max(1.0),
                (MANY * around).max(LEAST_MANY),
            );
            let mut found = Around::default();
            for (cause, stays) in Cause::ALL.into_iter().zip(&stays) {
                if !stays.is_empty() {
                    let itself = usize::from(*own == Some(cause));
                    let slow = (stays.touching(window) - itself) as f64;
                    found.some |= if slow >= some { bit(cause) } else { 0 };
                    found.many |= if slow >= many { bit(cause) } else { 0 };
                }
            }
            found
        };
        Self(requests.par_iter().map(around).collect())
    }

    /// True where `request` is known to be the only one around that was slow for `cause`, if it was.
    pub(super) fn none(&self, request: u32, cause: Cause) -> bool {
        let around = self.0.get(request as usize);
        around.is_some_and(|around| around.some & bit(cause) == 0)
    }

    /// True where it is known that not many of the requests around `request` were slow for `cause`.
    pub(super) fn few(&self, request: u32, cause: Cause) -> bool {
        let around = self.0.get(request as usize);
        around.is_some_and(|around| around.many & bit(cause) == 0)
    }

    /// True where many of the requests around `request` were slow for `cause`.
    pub(super) fn many(&self, request: u32, cause: Cause) -> bool {
        let around = self.0.get(request as usize);
        around.is_some_and(|around| around.many & bit(cause) != 0)
    }
}

fn bit(cause: Cause) -> u16 {
    1 << cause.index()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    const SLOW: Option<Cause> = Some(Cause::ToolBottleneck);

    fn wall(start: u64, end: u64) -> Window {
        let [start, end] = [start, end].map(|seconds| Nanos(seconds * 1_000_000_000));
        Window { start, end }
    }

    #[test]
    fn another_close_by_is_a_witness() {
        let requests = [wall(1_000, 1_010), wall(1_100, 1_105), wall(5_000, 5_001)];
        let witnesses = Witnesses::of(&requests.map(|wall| (wall, SLOW)));
        assert!(!witnesses.none(0, Cause::ToolBottleneck));
        assert!(!witnesses.none(1, Cause::ToolBottleneck));
        assert!(witnesses.none(2, Cause::ToolBottleneck), "far off");
        assert!(witnesses.none(0, Cause::ColdCache), "another cause");
    }

    #[test]
    fn one_among_very_many_is_none() {
        let mut requests = vec![(wall(1_000, 1_010), None); 300];
        requests[0].1 = SLOW;
        requests[1].1 = SLOW;
        assert!(Witnesses::of(&requests).none(0, Cause::ToolBottleneck));
        requests[2..4].fill((wall(1_000, 1_010), SLOW));
        assert!(!Witnesses::of(&requests).none(0, Cause::ToolBottleneck));
    }

    #[test]
    fn two_among_few_are_many() {
        let mut requests = vec![(wall(1_000, 1_010), None); 20];
        requests[0].1 = SLOW;
        requests[1].1 = SLOW;
        let of = |requests: &[_]| Witnesses::of(requests).many(19, Cause::ToolBottleneck);
        assert!(of(&requests));
        requests.extend([(wall(1_000, 1_010), None); 10]);
        assert!(!of(&requests), "two in thirty");
        requests.truncate(20);
        requests[1].1 = None;
        assert!(!of(&requests), "one");
    }

    #[test]
    fn nobody_is_a_witness_to_itself() {
        let requests = [(wall(1_000, 1_010), SLOW), (wall(1_100, 1_105), None)];
        let witnesses = Witnesses::of(&requests);
        assert!(witnesses.none(0, Cause::ToolBottleneck));
        assert!(!witnesses.none(1, Cause::ToolBottleneck));
    }

    #[test]
    fn before_any_pass_nothing_is_known() {
        assert!(!Witnesses::default().none(0, Cause::ToolBottleneck));
    }
}
