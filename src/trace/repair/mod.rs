//! Repairs of broken traces, one file each, applied in this order. Each leaves a mark in the ledger
//! and on the requests it touched.
//!
//! 0. `rejoin`: records that share an id by design, put together or told apart.
//! 1. `dedupe`: the same span exported twice.
//! 2. `cycle`: parents that form a circle. (Before anything walks the tree.)
//! 3. `stitch`, `fragment`: fragments whose context was lost, joined on hard evidence only: a link, a
//!    parent id that was passed on, a conversation and the one call site that ran all the while.
//! 4. `orphan`: spans that lost their parent hang under the span of their trace that contains them, as
//!    the dump's own whole links say (`habits`), else under their trace's one root.
//! 5. `unfinished`: spans without an end are closed by what they contain.
//! 6. `skew`: services whose clock is off are moved, within bounds. (Needs ends.)

mod cycle;
mod dedupe;
mod fragment;
mod habits;
mod orphan;
mod rejoin;
mod skew;
mod stitch;
mod unfinished;

pub(super) use cycle::{note as note_cycles, open_cycles};
pub(super) use dedupe::dedupe;
pub(super) use fragment::{RANDOM, conversation, is_call_site, join as join_fragments};
pub use habits::{HabitCounts, Habits};
pub(super) use orphan::{adopt_orphans, needs_habits};
pub(super) use rejoin::rejoin;
pub(super) use skew::correct_skew;
pub(super) use stitch::{SLACK, stitch};
pub(super) use unfinished::close_unfinished;

/// Positions in [`RepairSet::NAMES`](super::RepairSet::NAMES).
pub(super) mod mark {
    pub(in crate::trace) const UNFINISHED: u8 = 1;
    pub(in crate::trace) const CYCLE: u8 = 2;
    pub(in crate::trace) const STITCH: u8 = 3;
    pub(in crate::trace) const ORPHAN: u8 = 4;
    pub(in crate::trace) const MISSING_ROOT: u8 = 5;
    pub(in crate::trace) const SKEW: u8 = 6;
    pub(in crate::trace) const CLAMP: u8 = 7;
    pub(in crate::trace) const DEDUPE: u8 = 0;
}
