//! Stretches of time, and how many of them touch another.

use crate::units::{Nanos, Window};

/// Starts and ends, each ascending.
#[derive(Default)]
pub(super) struct Stays {
    starts: Vec<Nanos>,
    ends: Vec<Nanos>,
}

impl Stays {
    pub(super) fn push(&mut self, window: Window) {
        self.starts.push(window.start);
        self.ends.push(window.end);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    pub(super) fn sort(&mut self) {
        self.starts.sort_unstable();
        self.ends.sort_unstable();
    }

    /// How many touch `window`.
    pub(super) fn touching(&self, window: Window) -> usize {
        let begun = self.starts.partition_point(|s| *s <= window.end);
        let over = self.ends.partition_point(|e| *e < window.start);
        begun.saturating_sub(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_only_touch_a_window_count() {
        let mut stays = Stays::default();
        for (start, end) in [(0, 10), (5, 20), (30, 40), (12, 14)] {
            stays.push(Window {
                start: Nanos(start),
                end: Nanos(end),
            });
        }
        stays.sort();
        let touching = |start, end| {
            stays.touching(Window {
                start: Nanos(start),
                end: Nanos(end),
            })
        };
        assert_eq!(touching(10, 12), 3);
        assert_eq!(touching(21, 29), 0);
        assert_eq!(touching(0, 100), 4);
    }
}
