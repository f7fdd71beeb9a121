//! Whole rendered reports, from analyses built by hand.

use agentdiag::render::{self, Style, terminal};
use serde_json::Value;

use crate::sample::{self, Sample};

fn text(sample: &Sample, style: Style) -> String {
    let mut out = Vec::new();
    let options = terminal::Options { style, top: 5 };
    terminal::text(&sample.report(), options, &mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

fn json(sample: &Sample) -> Value {
    let mut out = Vec::new();
    render::json(&sample.report(), &mut out).expect("written to memory");
    serde_json::from_slice(&out).expect("well-formed JSON")
}

fn all() -> [Sample; 5] {
    [
        sample::mixed(),
        sample::healthy(),
        sample::no_model_calls(),
        sample::damaged(),
        Sample::default(),
    ]
}

#[test]
fn mixed() {
    insta::assert_snapshot!(text(&sample::mixed(), Style::PLAIN));
}

#[test]
fn mixed_at_120_columns() {
    let style = Style {
        width: 120,
        unicode: true,
        ..Style::PLAIN
    };
    insta::assert_snapshot!(text(&sample::mixed(), style));
}

#[test]
fn damaged_at_120_columns() {
    let style = Style {
        width: 120,
        ..Style::PLAIN
    };
    insta::assert_snapshot!(text(&sample::damaged(), style));
}

#[test]
fn healthy() {
    insta::assert_snapshot!(text(&sample::healthy(), Style::PLAIN));
}

#[test]
fn no_model_calls() {
    insta::assert_snapshot!(text(&sample::no_model_calls(), Style::PLAIN));
}

#[test]
fn damaged() {
    insta::assert_snapshot!(text(&sample::damaged(), Style::PLAIN));
}

#[test]
fn empty() {
    insta::assert_snapshot!(text(&Sample::default(), Style::PLAIN));
}

#[test]
fn nothing_is_wider_than_the_terminal_and_nothing_needs_colour() {
    use unicode_width::UnicodeWidthStr;
    for sample in all() {
        for width in [60, 72, 80, 100, 120] {
            for unicode in [false, true] {
                let color = false;
                let page = text(
                    &sample,
                    Style {
                        color,
                        unicode,
                        width,
                    },
                );
                assert!(unicode || page.is_ascii());
                assert!(!page.contains('\x1b'));
                for line in page.lines() {
                    assert!(line.width() <= width, "{width}: {line}");
                    assert_eq!(line, line.trim_end());
                }
            }
        }
    }
}

/// `text` without the sequences that a terminal takes for colour.
pub(crate) fn without_colour(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').expect("the end of a sequence").1);
    }
    plain
}

#[test]
fn colour_changes_no_text() {
    for sample in all() {
        let plain = text(&sample, Style::PLAIN);
        let color = text(
            &sample,
            Style {
                color: true,
                ..Style::PLAIN
            },
        );
        let stripped = without_colour(&color);
        let trim = |text: &str| {
            text.lines()
                .map(str::trim_end)
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert_eq!(trim(&stripped), trim(&plain));
        assert_ne!(color, plain);
    }
}

#[test]
fn the_first_screen_answers() {
    let page = text(&sample::mixed(), Style::PLAIN);
    let screen: Vec<&str> = page.lines().take(24).collect();
    let screen = screen.join("\n");
    for said in [
        "9 of 129",
        "lost",
        "noisy_neighbour",
        "$",
        "confidence",
        "Missing",
        "Next",
        "INCIDENTS",
    ] {
        assert!(
            screen.contains(said),
            "{said} is not on the first screen:\n{screen}"
        );
    }
}

#[test]
fn json_shape() {
    let report = json(&sample::mixed());
    insta::assert_snapshot!(shape(&report, "$").join("\n"));
}

/// Every path in a document with the type of what stands there; lists by their first element.
pub(crate) fn shape(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let inner = map
                .iter()
                .flat_map(|(key, v)| shape(v, &format!("{path}.{key}")));
            inner.collect()
        }
        Value::Array(list) => match list.last() {
            Some(last) => shape(last, &format!("{path}[]")),
            None => vec![format!("{path}[]")],
        },
        Value::String(_) => vec![format!("{path}: string")],
        Value::Number(_) => vec![format!("{path}: number")],
        Value::Bool(_) => vec![format!("{path}: bool")],
        Value::Null => vec![format!("{path}: null")],
    }
}

fn sum(object: &Value) -> f64 {
    let entries = object.as_object().expect("an object").values();
    entries.map(|v| v.as_f64().expect("a number")).sum()
}

/// Parts and contributions of one request sum to what they are parts of.
pub(crate) fn balances(request: &Value) {
    let number = |key: &str| request[key].as_f64().expect("a number");
    assert!((sum(&request["parts_ms"]) - number("duration_ms")).abs() < 1e-6);
    assert!((sum(&request["contributions_ms"]) - number("excess_ms")).abs() < 1e-6);
    assert_eq!(request["cause"].is_null(), request["slow"] == false);
    assert_eq!(
        request["parts_ms"].as_object().map(serde_json::Map::len),
        Some(10)
    );
    assert!((0.0..=1.0).contains(&number("confidence")));
}

#[test]
fn json_sums_balance() {
    for sample in all() {
        let report = json(&sample);
        let requests = report["requests"].as_array().expect("a list");
        requests.iter().for_each(balances);
    }
}

#[test]
fn absent_is_null_and_never_zero() {
    let report = json(&sample::no_model_calls());
    let request = &report["requests"][0];
    for key in [
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "cost_usd",
        "expected_ms",
        "cost_priced_share",
    ] {
        assert!(request[key].is_null(), "{key}");
    }
    assert!(report["summary"]["cost_usd"].is_null());
    assert!(report["summary"]["input_tokens"].is_null());
}

#[test]
fn a_request_in_json() {
    let report = json(&sample::mixed());
    let request = &report["requests"][120];
    insta::assert_snapshot!(serde_json::to_string_pretty(request).expect("serialisable"));
}

#[test]
fn ndjson_is_the_requests_of_the_object() {
    let sample = sample::mixed();
    let mut out = Vec::new();
    render::ndjson(&sample.report(), &mut out).expect("written to memory");
    let lines = String::from_utf8(out).expect("UTF-8");
    let lines: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert_eq!(Value::Array(lines), json(&sample)["requests"]);
}

#[test]
fn json_has_one_line_per_request() {
    let sample = sample::mixed();
    let mut out = Vec::new();
    render::json(&sample.report(), &mut out).expect("written to memory");
    let page = String::from_utf8(out).expect("UTF-8");
    let lines = page.lines().filter(|l| l.starts_with("{\"trace_id\""));
    assert_eq!(lines.count(), sample.forest.requests.len());
}
