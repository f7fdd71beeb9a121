//! Where readers deliver. One sink per worker thread; formats know nothing else about the outside.

use super::raw::{RawAttr, RawClusterEvent, RawExemplar, RawLog, RawMetric, RawSpan};
use crate::model::Ledger;

/// Takes records as they are read. Implemented by the dialect layer and by test recorders.
pub trait Sink: Send {
    /// False when no stage needs the attribute: the reader then skips its value unparsed.
    /// Must not depend on earlier records.
    fn wants(&self, key: &[u8]) -> bool {
        let _ = key;
        true
    }

    /// As [`Sink::wants`]: `None` when no stage needs the attribute, else a number that the sink knows the
    /// key by, or zero. It is handed back in [`RawSpan::hints`], so that the key need not be looked up again.
    fn recognise(&self, key: &[u8]) -> Option<u16> {
        self.wants(key).then_some(0)
    }

    /// True when the buckets of histograms and the quantiles of summaries are of use. They are
    /// delivered as metrics of their own, named as Prometheus names them.
    fn wants_buckets(&self) -> bool {
        false
    }

    /// Introduces a resource; the answer is handed back with its records.
    fn resource(&mut self, attributes: &[RawAttr<'_>]) -> u32;

    /// Introduces an instrumentation scope; the answer is handed back with its spans.
    fn scope(&mut self, name: &str, version: &str) -> u32;

    /// One span.
    fn span(&mut self, span: &RawSpan<'_>, resource: u32, scope: u32);

    /// One metric.
    fn metric(&mut self, metric: &RawMetric<'_>, resource: u32);

    /// One exemplar of the metric `name`.
    fn exemplar(&mut self, name: &str, exemplar: &RawExemplar);

    /// One log record.
    fn log(&mut self, log: &RawLog<'_>, resource: u32);

    /// One cluster event.
    fn cluster_event(&mut self, event: &RawClusterEvent<'_>);

    /// Where losses are recorded.
    fn ledger(&mut self) -> &mut Ledger;
}
