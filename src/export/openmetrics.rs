//! `OpenMetrics` text with times: what `promtool tsdb create-blocks-from openmetrics` takes in.
//!
//! Source: the OpenMetrics specification, version 1.0, "Text format".

use std::fmt::Write as _;
use std::io::{self, Write};

use super::family::{Family, Kind, Samples, scrapes};
use crate::model::{Dataset, Point, SeriesKind};
use crate::units::Nanos;

/// Samples above which the interval between scrapes is too fine for the dump.
const MOST_SAMPLES: usize = 50_000_000;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The interval between samples is too fine.
    #[error(
        "{series} series sampled {samples} times each are too many: take fewer with a longer --step"
    )]
    TooFine {
        /// Series.
        series: usize,
        /// Samples of each.
        samples: usize,
    },
}

/// Whether `families` can be written with samples every `step`.
///
/// # Errors
/// When there would be too many samples.
pub fn check(families: &[Family], step: Nanos) -> Result<(), ExportError> {
    let samples = scrapes(families, step).len();
    let series = families.iter().map(Family::rows).sum();
    if samples.saturating_mul(series) > MOST_SAMPLES {
        return Err(ExportError::TooFine { series, samples });
    }
    Ok(())
}

/// Writes `families`, read off every `step`, and the metrics that the dump itself holds.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(
    families: &[Family],
    data: &Dataset,
    step: Nanos,
    mut out: impl Write,
) -> io::Result<()> {
    let times = scrapes(families, step);
    let clock: Vec<String> = times.iter().map(|at| seconds(*at)).collect();
    for family in families {
        head(family.name, word(family.kind), family.help, &mut out)?;
        family.read_off(&times, |samples| {
            lines(family.name, &samples, &clock, &mut out)
        })?;
    }
    recorded(families, data, &mut out)?;
    out.write_all(b"# EOF\n")?;
    Ok(())
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Histogram(_) => "histogram",
        Kind::Level | Kind::Ratio => "gauge",
    }
}

/// The lines before the samples of a metric. A counter's family is named without `_total`.
fn head(name: &str, kind: &str, help: &str, out: &mut impl Write) -> io::Result<()> {
    let family = match kind {
        "counter" => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    writeln!(out, "# TYPE {family} {kind}")?;
    if let Some(unit) = ["seconds", "bytes"]
        .into_iter()
        .find(|u| family.ends_with(&format!("_{u}")))
    {
        writeln!(out, "# UNIT {family} {unit}")?;
    }
    if !help.is_empty() {
        writeln!(out, "# HELP {family} {help}")?;
    }
    Ok(())
}

fn lines(
    name: &str,
    samples: &Samples<'_>,
    clock: &[String],
    out: &mut impl Write,
) -> io::Result<()> {
    let Samples { suffix, le, .. } = samples;
    let own = samples.labels.iter();
    let own = own.map(|(name, value)| (*name, value.as_str()));
    let labels = braces(own.chain(le.iter().map(|le| ("le", le.as_str()))));
    let values = samples.values.iter().zip(clock);
    for (value, at) in values.filter(|(value, _)| !value.is_nan()) {
        writeln!(out, "{name}{suffix}{labels} {value} {at}")?;
    }
    Ok(())
}

/// Metrics that the dump holds, as they were recorded. The buckets of histograms are not kept, so they
/// come as summaries of sum and count.
fn recorded(families: &[Family], data: &Dataset, out: &mut impl Write) -> io::Result<()> {
    let mut by_name: std::collections::BTreeMap<String, Vec<&crate::model::Series>> =
        std::collections::BTreeMap::new();
    for series in &data.series {
        let name = metric_name(data.text(series.name));
        let ours = families.iter().any(|family| family.name == name);
        if !ours && series.kind != SeriesKind::Delta {
            by_name.entry(name).or_default().push(series);
        }
    }
    for (name, mut all) in by_name {
        let first = all.first().map_or(SeriesKind::Gauge, |s| s.kind);
        let histogram =
            |kind| matches!(kind, SeriesKind::HistogramSum | SeriesKind::HistogramCount);
        all.retain(|s| s.kind == first || (histogram(s.kind) && histogram(first)));
        let (kind, name) = match first {
            SeriesKind::Counter => (
                "counter",
                format!("{}_total", name.strip_suffix("_total").unwrap_or(&name)),
            ),
            kind if histogram(kind) => ("summary", name),
            _ => ("gauge", name),
        };
        head(&name, kind, "", out)?;
        all.sort_by_key(|s| label_key(data, s));
        for series in all {
            let labels = braces(
                series
                    .labels
                    .iter()
                    .map(|(k, v)| (data.text(*k), data.text(*v))),
            );
            let suffix = match series.kind {
                SeriesKind::HistogramSum => "_sum",
                SeriesKind::HistogramCount => "_count",
                _ => "",
            };
            for Point { time, value } in &series.points {
                writeln!(out, "{name}{suffix}{labels} {value} {}", seconds(*time))?;
            }
        }
    }
    Ok(())
}

/// Sum and count of the same labels stand side by side.
fn label_key(data: &Dataset, series: &crate::model::Series) -> (Vec<(String, String)>, SeriesKind) {
    let text = |sym| data.text(sym).to_owned();
    let labels = series.labels.iter().map(|(k, v)| (text(*k), text(*v)));
    (labels.collect(), series.kind)
}

/// `{a="x",b="y"}`, or nothing.
fn braces<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in labels.filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '{' } else { ',' });
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let _ = write!(text, "{}=\"{value}\"", label_name(name));
    }
    if !text.is_empty() {
        text.push('}');
    }
    text
}

/// Letters, digits, underscores and colons; what else a name holds becomes an underscore.
fn metric_name(name: &str) -> String {
    fitted(name, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | ':')
    })
}

fn label_name(name: &str) -> String {
    fitted(name, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn fitted(name: &str, fits: impl Fn(char) -> bool) -> String {
    let mut text: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() {
        text.insert(0, '_');
    }
    text
}

/// Unix seconds to the millisecond, without a float's errors.
fn seconds(at: Nanos) -> String {
    let millis = at.0 / 1_000_000;
    match millis % 1000 {
        0 => (millis / 1000).to_string(),
        rest => format!("{}.{rest:03}", millis / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(families: &[Family], data: &Dataset) -> String {
        let mut out = Vec::new();
        write(families, data, Nanos(10_000_000_000), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counters_start_at_zero_and_histograms_are_cumulative() {
        let mut requests = Family::new(
            "agent_requests_total",
            Kind::Counter,
            "Requests that ended.",
        );
        requests.add(
            &[("agent_id", "a \"b\""), ("status", "success")],
            Nanos(12_000_000_000),
            1.0,
        );
        let mut times = Family::new(
            "agent_request_duration_seconds",
            Kind::Histogram(&[0.5, 1.0]),
            "Wall time.",
        );
        times.add(&[], Nanos(12_000_000_000), 0.7);
        insta::assert_snapshot!(written(&[requests, times], &Dataset::default()));
    }

    #[test]
    fn a_ratio_says_nothing_before_there_is_anything_to_divide_by() {
        let mut rate = Family::new("rate", Kind::Ratio, "");
        rate.add(&[], Nanos(25_000_000_000), 1.0);
        rate.could(&[], Nanos(25_000_000_000), 4.0);
        let text = written(&[rate], &Dataset::default());
        assert_eq!(text, "# TYPE rate gauge\nrate 0.25 30\n# EOF\n");
    }

    #[test]
    fn too_fine_a_step_is_refused() {
        let mut family = Family::new("x_total", Kind::Counter, "");
        family.add(&[], Nanos(1), 1.0);
        family.add(&[], Nanos(u64::MAX / 4), 1.0);
        let error = check(&[family], Nanos(20_000_000_000)).unwrap_err();
        assert!(error.to_string().contains("--step"), "{error}");
    }

    #[test]
    fn names_are_made_to_fit() {
        assert_eq!(
            metric_name("gen_ai.client.token-usage"),
            "gen_ai_client_token_usage"
        );
        assert_eq!(
            metric_name("vllm:num_requests_running"),
            "vllm:num_requests_running"
        );
        assert_eq!(label_name("9.x"), "_9_x");
        assert_eq!(seconds(Nanos(1_500_000_000)), "1.500");
    }
}
