//! The series an instrumented agent would have exported, from its spans, scraped at regular instants. What a dump
//! shows from its first request on is complete, so every counter starts at zero.

use std::sync::Arc;

use super::labels::NAME;
use super::store::Store;
use crate::export::{Family, Samples, scrapes};
use crate::units::Nanos;

/// Samples of all derived series above which the interval between scrapes is too fine for the dump.
const MOST_SAMPLES: usize = 100_000_000;

/// Puts the series of `families` into `store`, read off every `scrape`.
///
/// # Errors
/// When there would be more samples than memory holds: says how to scrape less often.
pub fn derive(families: &[Family], store: &mut Store, scrape: Nanos) -> Result<(), String> {
    let times = scrapes(families, scrape);
    let series: usize = families.iter().map(Family::rows).sum();
    if times.len().saturating_mul(series) > MOST_SAMPLES {
        return Err(format!(
            "{series} series scraped {} times are too many: take fewer with --scrape",
            times.len()
        ));
    }
    let millis = |at: &Nanos| i64::try_from(at.0 / 1_000_000).unwrap_or(i64::MAX);
    let grid: Arc<Vec<i64>> = Arc::new(times.iter().map(millis).collect());
    for family in families {
        family.read_off(&times, |samples| {
            insert(store, family.name, samples, &grid);
            Ok::<(), String>(())
        })?;
    }
    Ok(())
}

fn insert(store: &mut Store, name: &str, samples: Samples<'_>, grid: &Arc<Vec<i64>>) {
    let Samples {
        suffix,
        labels,
        le,
        mut values,
    } = samples;
    let name = format!("{name}{suffix}");
    let own = labels.iter().map(|(name, value)| (*name, value.as_str()));
    let more = [
        (NAME, name.as_str()),
        ("le", le.as_deref().unwrap_or_default()),
    ];
    let labels = store.labels.intern(own.chain(more));
    match values.iter().take_while(|value| value.is_nan()).count() {
        0 => store.insert(labels, Arc::clone(grid), values),
        silent if silent < values.len() => {
            let times = Arc::new(grid[silent..].to_vec());
            store.insert(labels, times, values.split_off(silent));
        }
        _ => {}
    }
}
