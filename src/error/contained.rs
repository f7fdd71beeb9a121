//! Panics of libraries over damaged input, taken for what they are: damage.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// True while a panic of this thread would be caught and reported as damage of the input.
#[must_use]
pub fn contains_panics() -> bool {
    CONTAINED.get()
}

/// Does `work`; `None` when it panics. What it worked on must not be used again then.
#[must_use]
pub fn contain<T>(work: impl FnOnce() -> T) -> Option<T> {
    CONTAINED.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(false);
    outcome.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_result() {
        assert_eq!(contain(|| 1), Some(1));
        assert_eq!(contain(|| -> i32 { panic!("damage") }), None);
        assert!(!contains_panics());
    }
}
