//! The signals an operator watches, as text: one line per layer.

use std::io::{self, Write};

use super::Page;
use crate::report::Report;
use crate::units::human::{compact, duration, money, percent, plain};
use crate::units::{Nanos, Usd};

/// The values, layer by layer, and what is absent.
pub(super) fn write<W: Write>(report: &Report<'_>, page: &mut Page<W>) -> io::Result<()> {
    let readings = &report.sums().readings;
    if readings.iter().all(|reading| reading.value.is_none()) {
        return Ok(());
    }
    page.heading(
        "SIGNALS",
        "over the whole dump; * recorded as a metric, others from spans",
    )?;
    for layer in readings.chunk_by(|a, b| a.layer == b.layer) {
        let values = layer.iter().filter_map(|reading| {
            let value = shown(reading.value?, reading.unit);
            let mark = if reading.state.label() == "present" {
                "*"
            } else {
                ""
            };
            Some(format!("{}{mark} {value}", reading.name))
        });
        let mut parts: Vec<String> = values.collect();
        let absent = layer.iter().filter(|reading| reading.value.is_none());
        let absent: Vec<&str> = absent.map(|reading| reading.name).collect();
        if !absent.is_empty() {
            parts.push(format!("absent: {}", absent.join(" ")));
        }
        let label = layer.first().map_or("", |reading| reading.layer.label());
        page.hanging(&format!("  {label}"), 18, &parts.join(", "))?;
    }
    Ok(())
}

fn shown(value: f64, unit: &str) -> String {
    match unit {
        "1" => percent(value),
        "s" => Nanos::from_secs(value).map_or_else(|| plain(value), duration),
        "USD" => Usd::from_dollars(value).map_or_else(|| plain(value), money),
        "tokens" | "bytes" => format!("{} {unit}", compact(value.max(0.0).round() as u64)),
        "/s" => format!("{}/s", plain(value)),
        "" => plain(value),
        unit => format!("{} {unit}", plain(value)),
    }
}
