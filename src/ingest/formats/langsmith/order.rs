//! `dotted_order`: the path from the root to a run, each step its start and its id.

use crate::ingest::lenient;
use crate::model::{SpanId, TraceId};
use crate::units::Nanos;

/// What the path says: the trace, the parent, and when the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// The id of the root.
    pub(super) trace: TraceId,
    /// The id of the step before the last.
    pub(super) parent: SpanId,
    /// The start of the last step.
    pub(super) start: Option<Nanos>,
}

/// Reads a path; what does not look like one says nothing.
pub(super) fn read(text: &str) -> Order {
    let steps = || text.split('.').filter_map(|step| step.split_once('Z'));
    let mut order = Order::default();
    if let Some((_, id)) = steps().next() {
        order.trace = lenient::trace_id(id.as_bytes()).get();
    }
    let mut backwards = text.rsplit('.').filter_map(|step| step.split_once('Z'));
    order.start = backwards.next().and_then(|(time, _)| instant(time));
    if let Some((_, id)) = backwards.next() {
        order.parent = lenient::span_id(id.as_bytes()).get();
    }
    order
}

/// `20241011T205820695375`: a date and time, then microseconds without a point.
fn instant(text: &str) -> Option<Nanos> {
    let (whole, fraction) = text.split_at_checked(15)?;
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(fraction) {
        return None;
    }
    lenient::date(&format!("{whole}.{fraction}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_trace_parent_and_start() {
        let root = "20241011T205820695375Zfe8ffecb-72ce-4cd2-bdb7-01f34654c391";
        let child = "20241011T205821000001Z11111111-2222-3333-4444-555555555555";
        let order = read(&format!("{root}.{child}"));
        assert_eq!(order.trace.0, 0xfe8f_fecb_72ce_4cd2_bdb7_01f3_4654_c391);
        assert_eq!(
            order.parent.0,
            0xfe8f_fecb_72ce_4cd2 ^ 0xbdb7_01f3_4654_c391
        );
        assert_eq!(order.start, Some(Nanos(1_728_680_301_000_001_000)));
        assert_eq!(read(root).parent, SpanId::NONE);
        for odd in ["", "x", "Z", "2024Zé", "20241011T2058206953é5Zx", "...."] {
            assert_eq!(read(odd).start, None, "{odd}");
        }
    }
}
