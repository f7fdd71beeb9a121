//! What an incident is about. Dumps made for it, of requests with one model call each.

use agentdiag::diagnose::{Cause, Incident};
use serde_json::json;

use crate::damage::Draw;
use crate::otlp::{Span, dump};
use crate::pipeline::{Run, run};

const BEGIN: u64 = 1_778_572_800_000_000_000;
const MS: u64 = 1_000_000;
/// From the start of one request to the start of the next, milliseconds.
const APART: u64 = 5_000;

/// A request: whose, from where, how many tokens it generates, at how many milliseconds each.
struct Work {
    service: &'static str,
    region: &'static str,
    output: u32,
    rate: f64,
}

fn requests(count: u64, work: impl Fn(u64) -> Work) -> Run {
    let mut draw = Draw(5);
    let mut spans = Vec::new();
    for n in 1..=count {
        let work = work(n);
        let start = BEGIN + n * APART * MS;
        let natural = 1.0 + 0.05 * draw.next();
        let millis = natural * (200.0 + work.rate * f64::from(work.output));
        let end = start + (millis * MS as f64) as u64;
        let span = |id: u64, parent: u64, name: &str, operation: &str| Span {
            trace: n.into(),
            id: (n << 8) + id,
            parent: if parent == 0 { 0 } else { (n << 8) + parent },
            name: name.into(),
            kind: 1,
            start,
            end,
            service: work.service.into(),
            region: work.region.into(),
            attributes: vec![("gen_ai.operation.name", json!(operation))],
            ..Span::default()
        };
        spans.push(span(1, 0, "task", "invoke_agent"));
        let mut call = span(2, 1, "chat", "chat");
        call.attributes.extend([
            ("gen_ai.request.model", json!("m")),
            ("gen_ai.usage.input_tokens", json!(2_000)),
            ("gen_ai.usage.output_tokens", json!(work.output)),
        ]);
        spans.push(call);
    }
    run(dump(&spans), 2)
}

/// Cause, kind and name of the scope, and number of requests of each incident, in order of time.
fn told(run: &Run) -> Vec<(Cause, &'static str, &str, usize)> {
    let mut incidents: Vec<&Incident> = run.verdicts.incidents.iter().collect();
    incidents.sort_by_key(|incident| incident.window.start);
    let told = incidents.into_iter().map(|incident| {
        let name = run.data.text(incident.scope);
        (
            incident.cause,
            incident.scope_kind,
            name,
            incident.requests.len(),
        )
    });
    told.collect()
}

#[test]
fn what_strikes_agents_of_several_services_at_a_time_is_one_incident() {
    let struck = |long: fn(u64) -> bool| {
        requests(120, move |n| Work {
            service: if n % 2 == 0 { "even" } else { "odd" },
            region: "",
            output: if long(n) {
                1_500
            } else {
                40 + 10 * (n % 7) as u32
            },
            rate: 20.0,
        })
    };
    // Every ninth of some: now one service, now the other, and seldom enough to be apart for either.
    let both = struck(|n| (30..80).contains(&n) && n % 9 == 0);
    assert_eq!(told(&both), [(Cause::LongGeneration, "all", "", 5)]);
    let one = struck(|n| (30..80).contains(&n) && n % 18 == 0);
    assert_eq!(told(&one), [(Cause::LongGeneration, "service", "even", 3)]);
}

#[test]
fn where_no_address_is_shown_regions_are_told_apart() {
    let run = requests(160, |n| {
        let region = if n % 2 == 0 { "eu" } else { "us" };
        let slowed = match region {
            "eu" => (40..60).contains(&n),
            _ => (70..90).contains(&n),
        };
        Work {
            service: "agent",
            region,
            output: 60,
            rate: if slowed { 100.0 } else { 20.0 },
        }
    });
    let noise = Cause::NoisyNeighbour;
    let expected = [(noise, "region", "eu", 10), (noise, "region", "us", 10)];
    assert_eq!(told(&run), expected);
}
