//! How the constants of the confidence are found, and how well they hold on dumps they were not fitted
//! to. Needs labelled dumps of your own, several scenarios of them:
//!
//! ```text
//! AGENTDIAG_LABELLED=FOLDER cargo test --release --test it calibration -- --ignored --nocapture
//! ```
//!
//! `FOLDER` holds labelled dumps as `fixtures/labelled` does. Dumps whose names begin with the same
//! letters are one scenario; each scenario is judged by constants fitted without it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use agentdiag::diagnose::{Cause, Diagnosis};
use agentdiag::ingest::Source;
use agentdiag::units::Nanos;

use crate::pipeline::{Run, run};
use crate::yardsticks::{labelled_in, labels};

/// One, how far beyond the threshold, the lead over the runner-up, contention or not, alone or not.
const FEATURES: usize = 5;

/// A verdict: what is known of it, and whether it was right.
struct Case {
    scenario: String,
    features: [f64; FEATURES],
    said: f64,
    right: bool,
}

#[test]
#[ignore = "needs labelled dumps of one's own; prints the constants of src/diagnose/confidence.rs"]
fn constants_of_the_confidence() {
    let Some(folder) = std::env::var_os("AGENTDIAG_LABELLED") else {
        panic!("set AGENTDIAG_LABELLED to a folder of labelled dumps");
    };
    let cases = cases(&labelled_in(Path::new(&folder)));
    let mut left_out = Vec::new();
    let scenarios: BTreeMap<&str, ()> = cases.iter().map(|c| (c.scenario.as_str(), ())).collect();
    for scenario in scenarios.keys() {
        let (own, others): (Vec<&Case>, Vec<&Case>) =
            cases.iter().partition(|c| c.scenario == *scenario);
        let weights = fit(&others);
        left_out.extend(own.iter().map(|c| (chance(&weights, &c.features), c.right)));
    }
    println!("{} verdicts of {} scenarios", cases.len(), scenarios.len());
    println!("weights {:?}", fit(&cases.iter().collect::<Vec<_>>()));
    let said: Vec<(f64, bool)> = cases.iter().map(|c| (c.said, c.right)).collect();
    println!("as shipped: calibration error {:.4}", table(&said));
    println!(
        "leave one scenario out: calibration error {:.4}",
        table(&left_out)
    );
}

#[test]
fn a_known_chance_is_recovered() {
    // Right in three of four with the feature, in one of four without.
    let cases: Vec<Case> = (0..400)
        .map(|i| {
            let with = i % 2 == 0;
            let mut features = [0.0; FEATURES];
            (features[0], features[2]) = (1.0, f64::from(u8::from(with)));
            let right = (i / 2) % 4 < if with { 3 } else { 1 };
            Case {
                scenario: String::new(),
                features,
                said: 0.5,
                right,
            }
        })
        .collect();
    let weights = fit(&cases.iter().collect::<Vec<_>>());
    let mut with = [0.0; FEATURES];
    (with[0], with[2]) = (1.0, 1.0);
    assert!((chance(&weights, &with) - 0.75).abs() < 0.02);
    with[2] = 0.0;
    assert!((chance(&weights, &with) - 0.25).abs() < 0.02);
    let even: Vec<(f64, bool)> = cases.iter().map(|c| (c.said, c.right)).collect();
    assert!(table(&even) < 1e-9, "half of them are right");
}

fn cases(folders: &[PathBuf]) -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in folders {
        let labels = labels(folder);
        let run = run(Source::find(std::slice::from_ref(folder)), 2);
        for d in run.verdicts.diagnoses.iter().filter(|d| d.slow) {
            let trace = run.forest.requests[d.request as usize].trace.to_string();
            if let (Some(label), Some(features)) = (labels.get(&trace), features(&run, d)) {
                cases.push(Case {
                    scenario: scenario(folder),
                    features,
                    said: d.confidence,
                    right: *label == d.primary,
                });
            }
        }
    }
    cases
}

fn scenario(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.chars()
        .take_while(|c| c.is_ascii_alphabetic())
        .collect()
}

/// The same as in `src/diagnose/confidence.rs`, from what a diagnosis shows.
fn features(run: &Run, d: &Diagnosis) -> Option<[f64; FEATURES]> {
    let cause = d.primary.filter(|c| *c != Cause::Unexplained)?;
    let threshold = (0.3 * d.expected?.as_millis()).max(500.0);
    let beyond = (d.excess.as_millis() / threshold).ln().clamp(-1.0, 2.0);
    let first = d.claims.first()?.explains.as_millis();
    let second = d.claims.get(1).map_or(0.0, |c| c.explains.as_millis());
    let contention = matches!(
        cause,
        Cause::NoisyNeighbour | Cause::RoutingChange | Cause::ColdCache
    );
    Some([
        1.0,
        beyond,
        1.0 - second / first.max(1e-9),
        f64::from(u8::from(contention)),
        f64::from(u8::from(stands_alone(run, d, cause))),
    ])
}

/// No other request within two minutes was slow for the same cause, or fewer than one in a hundred.
pub(crate) fn stands_alone(run: &Run, d: &Diagnosis, cause: Cause) -> bool {
    let wall = |d: &Diagnosis| run.forest.requests[d.request as usize].wall;
    let (own, apart) = (wall(d), Nanos(120_000_000_000));
    let others = run.verdicts.diagnoses.iter().filter(|other| {
        let touches = wall(other).start <= own.end + apart && wall(other).end >= own.start - apart;
        touches && other.request != d.request
    });
    let witnesses = others.clone().filter(|other| other.primary == Some(cause));
    let is_recorded = matches!(cause, Cause::RetryCascade | Cause::ProviderError);
    !is_recorded && (witnesses.count() as f64) < (0.01 * others.count() as f64).max(1.0)
}

fn chance(weights: &[f64; FEATURES], features: &[f64; FEATURES]) -> f64 {
    let sum: f64 = weights.iter().zip(features).map(|(w, f)| w * f).sum();
    1.0 / (1.0 + (-sum).exp())
}

/// Logistic regression by Newton's method, with a little ridge.
fn fit(cases: &[&Case]) -> [f64; FEATURES] {
    let mut weights = [0.0; FEATURES];
    for _ in 0..30 {
        let mut normal = [[0.0; FEATURES + 1]; FEATURES];
        for (i, line) in normal.iter_mut().enumerate() {
            line[i] = 1.0;
            line[FEATURES] = -weights[i];
        }
        for case in cases {
            let p = chance(&weights, &case.features);
            for (line, a) in normal.iter_mut().zip(case.features) {
                for (cell, b) in line.iter_mut().zip(case.features) {
                    *cell += p * (1.0 - p) * a * b;
                }
                line[FEATURES] += (f64::from(u8::from(case.right)) - p) * a;
            }
        }
        for pivot in 0..FEATURES {
            let line = normal[pivot];
            for (i, other) in normal.iter_mut().enumerate() {
                if i != pivot {
                    let factor = other[pivot] / line[pivot];
                    for (cell, value) in other.iter_mut().zip(line) {
                        *cell -= factor * value;
                    }
                }
            }
        }
        for (i, weight) in weights.iter_mut().enumerate() {
            *weight += normal[i][FEATURES] / normal[i][i];
        }
    }
    weights
}

/// Prints how often verdicts of each tenth of confidence were right; returns the expected calibration
/// error (Naeini, Cooper & Hauskrecht 2015).
fn table(said: &[(f64, bool)]) -> f64 {
    let mut error = 0.0;
    for tenth in 0..10 {
        let bin: Vec<_> = said
            .iter()
            .filter(|(p, _)| (p * 10.0).min(9.0) as usize == tenth)
            .collect();
        if bin.is_empty() {
            continue;
        }
        let n = bin.len() as f64;
        let mean = bin.iter().map(|(p, _)| p).sum::<f64>() / n;
        let right = bin.iter().filter(|(_, right)| *right).count() as f64 / n;
        println!(
            "  {:4} verdicts said {mean:.2}, right {right:.2}",
            bin.len()
        );
        error += n * (mean - right).abs();
    }
    error / said.len().max(1) as f64
}
