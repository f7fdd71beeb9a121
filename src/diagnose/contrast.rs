//! Whether a dump has what its requests can be held against, and what is to be said where it has not.

use super::Remarks;
use super::ground::Ground;
use crate::trace::{Forest, Request, RootState};
use crate::units::Nanos;

/// What the reader must know about where normal came from.
pub(super) fn remarks(ground: &Ground<'_>, notes: Vec<String>) -> Remarks {
    match ground.healthy {
        Some(_) => Remarks {
            normal: ground.told.clone(),
            ..Remarks::default()
        },
        None => Remarks {
            normal: notes,
            by_itself: true,
            contrast: no_contrast(ground.forest),
        },
    }
}

/// With fewer finished requests than this nothing can be compared.
pub(super) const LEAST_REQUESTS: usize = 4;
/// A dump shorter than this many usual requests shows no before and no after.
const LEAST_TASKS_LONG: f64 = 5.0;

/// From so many requests on, one kind of task is worth a word.
const LEAST_COMPARED: usize = 12;

/// Kinds of tasks among the requests that can be compared.
fn kinds(forest: &Forest) -> usize {
    let whole = forest.requests.iter();
    let whole = whole.filter(|r| r.root_state == RootState::Complete && !r.ops.is_empty());
    let kinds: hashbrown::HashSet<_> = whole.map(|r| r.kind).collect();
    kinds.len()
}

/// Requests that can be compared with each other.
pub(super) fn comparable(forest: &Forest) -> usize {
    let whole = |r: &&Request| r.root_state == RootState::Complete && !r.ops.is_empty();
    forest.requests.iter().filter(whole).count()
}

/// Why nothing, or little, in this dump can be told from normal.
fn no_contrast(forest: &Forest) -> Option<String> {
    let n = comparable(forest);
    if n == 0 {
        return None;
    }
    if n < LEAST_REQUESTS {
        return Some(format!(
            "Only {n} finished request(s): too few to learn what is normal from, so only failures and repeats can be told. More traces, or a baseline of a healthy period, would decide."
        ));
    }
    let whole = forest
        .requests
        .iter()
        .filter(|r| r.root_state == RootState::Complete);
    if n >= LEAST_COMPARED && kinds(forest) == 1 {
        return Some("All requests are of one kind of task and were held against each other: whether that kind is slow as such cannot be told. A baseline of a healthy period would decide.".to_owned());
    }
    let (mut start, mut end, mut lengths) = (Nanos(u64::MAX), Nanos::ZERO, Vec::new());
    for r in whole {
        start = start.min(r.wall.start);
        end = end.max(r.wall.end);
        lengths.push(r.duration().as_millis());
    }
    let usual = crate::stats::median(&mut lengths)?;
    (end.since(start).as_millis() < LEAST_TASKS_LONG * usual).then(|| "This dump is hardly longer than its requests: it shows no before and no after, so a slowness that lasted throughout cannot be told from normal. Traces of a longer period, or a baseline of a healthy one, would decide.".to_owned())
}
