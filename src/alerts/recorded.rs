//! The metric series that lie in the dump, under the names Prometheus would store them by.
//!
//! Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility"; Prometheus, OTLP receiver.

use std::sync::Arc;

use super::labels::{LabelId, NAME};
use super::store::Store;
use crate::model::{Dataset, Point, Series, SeriesKind};

/// Puts every series of the dump into `store`, less those of a name for which `skip` is true. Returns
/// the names taken, each once, sorted.
pub fn record(dataset: &Dataset, store: &mut Store, skip: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut known = hashbrown::HashSet::<LabelId, foldhash::fast::FixedState>::default();
    for series in &dataset.series {
        let name = name(dataset.text(series.name), series.kind);
        if skip(&name) {
            continue;
        }
        let pairs: Vec<(String, &str)> = series
            .labels
            .iter()
            .flat_map(|&(key, value)| renamed(dataset.text(key), dataset.text(value)))
            .collect();
        let pairs = pairs.iter().map(|(key, value)| (key.as_str(), *value));
        let labels = store.labels.intern(pairs.chain([(NAME, name.as_str())]));
        // Names that differ only in dots would meet; the first one stands.
        if known.insert(labels) {
            let (times, values) = samples(series);
            if !times.is_empty() {
                store.insert(labels, Arc::new(times), values);
                names.push(name);
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The name of a metric: letters, digits, `_` and `:`; totals end in `_total`.
fn name(text: &str, kind: SeriesKind) -> String {
    let mut name = plain(text, true);
    match kind {
        SeriesKind::Counter | SeriesKind::Delta
            if !["_total", "_sum", "_count", "_bucket"]
                .iter()
                .any(|end| name.ends_with(end)) =>
        {
            name += "_total";
        }
        SeriesKind::HistogramSum => name += "_sum",
        SeriesKind::HistogramCount => name += "_count",
        _ => {}
    }
    name
}

/// A label, and the one that scraping would have put beside it.
fn renamed<'t>(key: &str, value: &'t str) -> Vec<(String, &'t str)> {
    let also = match key {
        "service.name" => Some("job"),
        "service.instance.id" => Some("instance"),
        _ => None,
    };
    let own = (plain(key, false), value);
    also.map(|key| (key.to_owned(), value))
        .into_iter()
        .chain([own])
        .collect()
}

fn plain(text: &str, colons: bool) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    let mut name: String = text
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// Milliseconds and values; the last of several samples of one millisecond stands. What came as
/// differences is summed up.
fn samples(series: &Series) -> (Vec<i64>, Vec<f64>) {
    let (mut times, mut values): (Vec<i64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut total = 0.0;
    for &Point { time, value } in &series.points {
        total += value;
        let value = match series.kind {
            SeriesKind::Delta => total,
            _ => value,
        };
        let millis = (time.0 / 1_000_000) as i64;
        if times.last() == Some(&millis) {
            values.pop();
            times.pop();
        }
        times.push(millis);
        values.push(value);
    }
    (times, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_prometheus() {
        use SeriesKind as K;
        for (text, kind, expected) in [
            ("vllm:prompt_tokens", K::Counter, "vllm:prompt_tokens_total"),
            (
                "vllm:prompt_tokens_total",
                K::Counter,
                "vllm:prompt_tokens_total",
            ),
            (
                "gen_ai.client.token.usage",
                K::HistogramSum,
                "gen_ai_client_token_usage_sum",
            ),
            ("9lives", K::Gauge, "_9lives"),
        ] {
            assert_eq!(name(text, kind), expected);
        }
        assert_eq!(
            renamed("service.name", "x"),
            [("job".to_owned(), "x"), ("service_name".to_owned(), "x")]
        );
    }
}
