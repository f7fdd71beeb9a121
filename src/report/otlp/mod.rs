//! The dump as OTLP/JSON lines with the verdicts written back, so that any backend can show them:
//! spans after repairs of their times, with the conventions' attributes, the facts that the verdicts
//! rest on (`agentdiag.fact.*`) and the verdicts (`agentdiag.*`); then metrics and logs.

mod attributes;
mod facts;
mod records;
mod verdict;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Report;
use crate::model::{
    Emitter, Link, Origin, Resource, Span, SpanFlags, SpanId, SpanIx, SpanKind, Status, TraceId,
};
use attributes::Attributes;
use verdict::Verdicts;

/// Spans of one line.
const SPANS: usize = 1_000;

impl<'a> Report<'a> {
    /// Every line of the export, each a whole OTLP/JSON request.
    pub fn otlp_lines(&self) -> impl Iterator<Item = Value> {
        let verdicts = Verdicts::of(self);
        let links = Links::of(&self.dataset().links);
        let spans = self.dataset().spans.len() as SpanIx;
        let starts = (0..spans).step_by(SPANS);
        let spans = starts.map(move |start| {
            let range = start..(start + SPANS as SpanIx).min(spans);
            spans_line(self, &verdicts, &links, range)
        });
        spans
            .chain(records::metrics(self))
            .chain(records::logs(self))
    }
}

/// Links by the span that holds them.
struct Links(BTreeMap<(TraceId, SpanId), Vec<(TraceId, SpanId)>>);

impl Links {
    fn of(links: &[Link]) -> Self {
        let mut by_span: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for link in links {
            by_span.entry(link.from).or_default().push(link.to);
        }
        by_span.values_mut().for_each(|to| to.sort_unstable());
        Self(by_span)
    }
}

/// One request: spans by resource and scope, in the order in which these first occur.
fn spans_line(
    report: &Report<'_>,
    verdicts: &Verdicts,
    links: &Links,
    range: std::ops::Range<SpanIx>,
) -> Value {
    let mut groups: Vec<(Emitter, Vec<Value>)> = Vec::new();
    for index in range {
        let origin = report.dataset().origins.get(index as usize);
        let Some((span, origin)) = report.span(index).zip(origin) else {
            continue;
        };
        let key = report.dataset().emitter_of(span);
        let at = match groups.iter().position(|(known, _)| *known == key) {
            Some(at) => at,
            None => {
                groups.push((key, Vec::new()));
                groups.len() - 1
            }
        };
        groups[at]
            .1
            .push(one_span(report, verdicts, links, index, (span, origin)));
    }
    let dataset = report.dataset();
    let groups = groups.into_iter().map(|(Emitter { resource, scope }, spans)| {
        let resource = dataset.resources.get(resource as usize).copied();
        let scope = dataset
            .scopes
            .get(scope as usize)
            .copied()
            .unwrap_or_default();
        let name = dataset.text(scope.name);
        // A dump that was exported before keeps its scopes as they are.
        let name = match name.strip_prefix("agentdiag/") {
            Some(_) => name.to_owned(),
            None => format!("agentdiag/{name}"),
        };
        json!({
            "resource": {"attributes": resource_attributes(report, resource.unwrap_or_default())},
            "scopeSpans": [{
                "scope": {"name": name, "version": dataset.text(scope.version)},
                "spans": spans,
            }],
        })
    });
    json!({"resourceSpans": groups.collect::<Vec<_>>()})
}

fn resource_attributes(report: &Report<'_>, resource: Resource) -> Value {
    let dataset = report.dataset();
    let mut attributes = Attributes::default();
    for (key, value) in [
        ("service.name", resource.service),
        ("service.version", resource.version),
        ("service.instance.id", resource.instance),
        ("k8s.pod.name", resource.pod),
        ("host.name", resource.host),
        ("cloud.region", resource.region),
        ("deployment.environment.name", resource.environment),
    ] {
        attributes.text(key, dataset.text(value));
    }
    attributes.into_value()
}

fn one_span(
    report: &Report<'_>,
    verdicts: &Verdicts,
    links: &Links,
    index: SpanIx,
    (span, origin): (&Span, &Origin),
) -> Value {
    let mut attributes = Attributes::default();
    facts::write(report, span, &mut attributes);
    verdicts.write(report, index, &mut attributes);
    let mut value = json!({
        "traceId": report.dataset().trace_of(span).to_string(),
        "spanId": origin.id.to_string(),
        "name": report.dataset().text(span.name),
        "kind": kind(span.kind),
        "attributes": attributes.into_value(),
    });
    if !origin.parent.is_none() {
        value["parentSpanId"] = origin.parent.to_string().into();
    }
    if !span.flags.has(SpanFlags::NO_START) {
        value["startTimeUnixNano"] = span.start.0.to_string().into();
    }
    if !span.flags.has(SpanFlags::NO_END) {
        value["endTimeUnixNano"] = span.end.0.to_string().into();
    }
    if span.flags.has(SpanFlags::REMOTE_PARENT) {
        value["flags"] = 0x300.into();
    }
    if span.flags.has(SpanFlags::DROPPED) {
        value["droppedAttributesCount"] = 1.into();
    }
    match span.status {
        Status::Unset => {}
        Status::Ok => value["status"] = json!({"code": 1}),
        Status::Error => value["status"] = json!({"code": 2}),
    }
    if let Some(to) = links.0.get(&(report.dataset().trace_of(span), origin.id)) {
        let to = to
            .iter()
            .map(|(trace, span)| json!({"traceId": trace.to_string(), "spanId": span.to_string()}));
        value["links"] = to.collect::<Vec<_>>().into();
    }
    value
}

/// Numbers of the OTLP enumeration.
fn kind(kind: SpanKind) -> u8 {
    match kind {
        SpanKind::Unspecified => 0,
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}
