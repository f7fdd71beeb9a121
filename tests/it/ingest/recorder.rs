//! A sink that keeps everything in owned form, so that two readings can be compared.

use std::collections::BTreeMap;

use agentdiag::ingest::{
    Options, RawAttr, RawClusterEvent, RawExemplar, RawLog, RawMetric, RawPointValue, RawSpan,
    RawValue, Sink, Source, read_all,
};
use agentdiag::model::{Input, IssueKind, Ledger, SpanKind, Status};

#[derive(Default)]
pub(crate) struct Recorder {
    resources: Vec<String>,
    scopes: Vec<String>,
    ledger: Ledger,
    pub(crate) spans: Vec<Span>,
    pub(crate) metrics: Vec<String>,
    pub(crate) exemplars: Vec<String>,
    pub(crate) logs: Vec<String>,
    pub(crate) events: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) struct Span {
    pub(crate) resource: String,
    pub(crate) scope: String,
    pub(crate) trace: u128,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) start: Option<u64>,
    pub(crate) end: Option<u64>,
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) flags: u32,
    pub(crate) dropped: u32,
    pub(crate) attributes: String,
    pub(crate) events: Vec<(String, Option<u64>, String)>,
    pub(crate) links: Vec<(u128, u64)>,
    pub(crate) failed: bool,
}

pub(crate) fn value(value: &RawValue<'_>) -> String {
    match value {
        RawValue::Null => "null".into(),
        RawValue::Str(text) => format!("{:?}", text.get()),
        RawValue::Int(n) => format!("{n}"),
        RawValue::Double(n) => format!("{n:?}f"),
        RawValue::Bool(b) => format!("{b}"),
        // Base64 in JSON, raw in protobuf: not comparable as they stand.
        RawValue::Bytes(_) => "bytes".into(),
        RawValue::List(list) => format!("{:?}", list.iter().map(self::value).collect::<Vec<_>>()),
        RawValue::Map(map) => format!("{{{}}}", attributes(map)),
    }
}

pub(crate) fn attributes(list: &[RawAttr<'_>]) -> String {
    let parts: Vec<String> = list
        .iter()
        .map(|a| format!("{}={}", a.key, value(&a.value)))
        .collect();
    parts.join(" ")
}

impl Sink for Recorder {
    fn resource(&mut self, list: &[RawAttr<'_>]) -> u32 {
        self.resources.push(attributes(list));
        self.resources.len() as u32 - 1
    }

    fn scope(&mut self, name: &str, version: &str) -> u32 {
        self.scopes.push(format!("{name}/{version}"));
        self.scopes.len() as u32 - 1
    }

    fn span(&mut self, span: &RawSpan<'_>, resource: u32, scope: u32) {
        self.spans.push(Span {
            resource: self.resources[resource as usize].clone(),
            scope: self.scopes[scope as usize].clone(),
            trace: span.trace.0,
            id: span.id.0,
            parent: span.parent.0,
            name: span.name.clone().into_owned(),
            kind: match span.kind {
                SpanKind::Unspecified => String::new(),
                kind => format!("{kind:?}"),
            },
            start: span.start.map(|t| t.0),
            end: span.end.map(|t| t.0),
            status: format!("{:?}", span.status),
            message: span.status_message.get().into_owned(),
            flags: span.flags,
            dropped: span.dropped,
            attributes: attributes(&span.attributes),
            events: span
                .events
                .iter()
                .map(|e| {
                    (
                        e.name.clone().into_owned(),
                        e.time.map(|t| t.0),
                        attributes(&e.attributes),
                    )
                })
                .collect(),
            links: span.links.iter().map(|l| (l.trace.0, l.span.0)).collect(),
            failed: span.status == Status::Error,
        });
    }

    fn metric(&mut self, metric: &RawMetric<'_>, resource: u32) {
        let points: Vec<String> = metric
            .points
            .iter()
            .map(|p| {
                let value = match p.value {
                    RawPointValue::Number(n) => format!("{n:?}"),
                    RawPointValue::Distribution { sum, count } => format!("{sum:?}/{count}"),
                    RawPointValue::Sum(sum) => format!("{sum:?}/"),
                };
                format!(
                    "{:?} [{}] {value}",
                    p.time.map(|t| t.0),
                    attributes(&p.attributes)
                )
            })
            .collect();
        let resource = &self.resources[resource as usize];
        self.metrics.push(format!(
            "{} {:?} <{resource}> {}",
            metric.name,
            metric.kind,
            points.join("; ")
        ));
    }

    fn exemplar(&mut self, name: &str, exemplar: &RawExemplar) {
        self.exemplars.push(format!(
            "{name} {:?} {} {}/{}",
            exemplar.time.map(|t| t.0),
            exemplar.value,
            exemplar.trace,
            exemplar.span
        ));
    }

    fn log(&mut self, log: &RawLog<'_>, resource: u32) {
        self.logs.push(format!(
            "{:?} {} {} sev={} event={} body={} [{}] <{}>",
            log.time.map(|t| t.0),
            log.trace,
            log.span,
            log.severity,
            log.event,
            value(&log.body),
            attributes(&log.attributes),
            self.resources[resource as usize]
        ));
    }

    fn cluster_event(&mut self, event: &RawClusterEvent<'_>) {
        self.events.push(format!(
            "{:?} {} {}/{} x{}",
            event.time.map(|t| t.0),
            event.reason,
            event.object_kind,
            event.object,
            event.count
        ));
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

/// All that was read, in an order of its own.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) spans: Vec<Span>,
    pub(crate) metrics: Vec<String>,
    pub(crate) exemplars: Vec<String>,
    pub(crate) logs: Vec<String>,
    pub(crate) events: Vec<String>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) ledger: Ledger,
    pub(crate) readable: usize,
}

impl Record {
    /// How often each kind of issue happened.
    pub(crate) fn issues(&self) -> BTreeMap<&'static str, u64> {
        let mut kinds = BTreeMap::new();
        for (kind, _, tally) in self.ledger.iter() {
            *kinds.entry(kind.id()).or_default() += tally.count;
        }
        kinds
    }

    pub(crate) fn offset_of(&self, kind: IssueKind) -> Option<u64> {
        self.ledger
            .iter()
            .find(|(k, ..)| *k == kind)
            .and_then(|(.., t)| t.offset)
    }
}

pub(crate) fn read_with(sources: Vec<Source>, options: &Options) -> Record {
    let reading = read_all(sources, options, Recorder::default, &());
    let mut record = Record {
        inputs: reading.inputs,
        ledger: reading.ledger,
        readable: reading.readable,
        ..Record::default()
    };
    for sink in reading.sinks {
        record.spans.extend(sink.spans);
        record.metrics.extend(sink.metrics);
        record.exemplars.extend(sink.exemplars);
        record.logs.extend(sink.logs);
        record.events.extend(sink.events);
        record.ledger.absorb(sink.ledger);
    }
    record.spans.sort_by(|a, b| a.partial_cmp(b).unwrap());
    record.metrics.sort();
    record.exemplars.sort();
    record.logs.sort();
    record.events.sort();
    record
}

pub(crate) fn read(sources: Vec<Source>) -> Record {
    let options = Options {
        threads: Some(2),
        ..Options::default()
    };
    read_with(sources, &options)
}

pub(crate) fn read_bytes(bytes: &[u8]) -> Record {
    read(vec![Source::from_bytes("test", bytes.to_vec())])
}
