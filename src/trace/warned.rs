//! Failures that logs tell of, by the span they name.

use hashbrown::{HashMap, HashSet};

use crate::model::{Dataset, LogRecord, SpanId, SpanIx, TraceId};

/// How many failures were logged under a span.
pub type Warned = HashMap<SpanIx, u32, foldhash::fast::FixedState>;

type Named = HashMap<(TraceId, SpanId), u32, foldhash::fast::FixedState>;

/// Severity from which a record tells of trouble: `WARN` (OpenTelemetry, logs data model, severity fields).
const WARN: u8 = 13;

/// Counts the failed answers that were logged under spans of `dataset`, whose traces are rebuilt.
#[must_use]
pub fn warned(dataset: &Dataset) -> Warned {
    let mut named = Named::default();
    for log in dataset.logs.iter().filter(|log| tells_of_failure(log)) {
        *named.entry((log.trace, log.span)).or_default() += 1;
    }
    if named.is_empty() {
        return Warned::default();
    }
    let traces: HashSet<TraceId> = named.keys().map(|key| key.0).collect();
    let spans = dataset.spans.iter().zip(&dataset.origins).zip(0..);
    let counted = spans.filter_map(|((span, origin), index)| {
        let trace = Some(dataset.trace_of(span)).filter(|trace| traces.contains(trace))?;
        Some((index, *named.get(&(trace, origin.id))?))
    });
    counted.collect()
}

fn tells_of_failure(log: &LogRecord) -> bool {
    log.severity >= WARN && !log.span.is_none() && log.http_status.is_some_and(|s| s >= 400)
}
