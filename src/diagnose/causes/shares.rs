//! What several causes go by where contention meets a prompt: how far slowed company counts, and what must be whose
//! doing.

/// Slowed company counts fully from this much beyond its limit on.
pub(super) const FULL_COMPANY: f64 = 1.3;
/// How far company slowed by `shared` counts, from none at its `limit` to one.
pub(super) fn company_weight(shared: f64, limit: f64) -> f64 {
    ((shared / limit - 1.0) / (FULL_COMPANY - 1.0)).clamp(0.0, 1.0)
}

/// What delayed giants must amount to this share of the time that they are to explain.
pub(super) const GIANT_SHARE: f64 = 0.8;
/// Least share of a grown prompt's pure price in its price and the contention, for the contention to be its own.
pub(super) const SURGE_SHARE: f64 = 0.12;
/// The same for lost cache, over the whole request: little lost in a long queue is a victim's lot.
pub(super) const COLD_SHARE: f64 = 0.2;
