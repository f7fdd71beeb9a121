//! The same two spans in every arrangement and spelling that OTLP occurs in.

use std::fs;
use std::io::Write as _;

use agentdiag::ingest::Source;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::fixtures::folder;
use super::recorder::{Record, Span, read, read_bytes};

/// The spans of `fixtures/formats/otlp/document.json`.
fn model() -> Vec<Span> {
    read(Source::find(&[folder("formats/otlp/document.json")])).spans
}

#[test]
fn the_model_document_says_what_it_should() {
    let spans = model();
    let (llm, root) = (&spans[1], &spans[0]);
    assert_eq!(
        (root.name.as_str(), root.kind.as_str(), root.parent),
        ("POST /chat", "Server", 0)
    );
    assert_eq!(
        (llm.parent, llm.failed, llm.message.as_str()),
        (root.id, true, "rate limited")
    );
    assert_eq!(llm.start, Some(1_760_000_000_250_000_003));
    assert_eq!(
        llm.attributes,
        "gen_ai.operation.name=\"chat\" gen_ai.usage.input_tokens=1200 \
         gen_ai.request.temperature=0.7f gen_ai.request.stream=true \
         gen_ai.response.finish_reasons=[\"\\\"stop\\\"\"] quote=\"say \\\"hi\\\"\\né 😀\" \
         nested={a=-1 b=\"\"} nothing=null"
    );
    let event = (
        "gen_ai.first_token".into(),
        Some(1_760_000_001_000_000_005),
        "index=0".into(),
    );
    assert_eq!(llm.events, [event]);
    assert_eq!(
        llm.links,
        [(
            0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f,
            0x1112_1314_1516_1718
        )]
    );
    assert_eq!((llm.flags, llm.dropped), (1, 2));
    assert_eq!((llm.scope.as_str(), root.flags), ("fixture.agent/1.2", 257));
}

#[test]
fn every_spelling_gives_the_same_spans() {
    let model = model();
    for entry in fs::read_dir(folder("formats/otlp")).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "expect") {
            continue;
        }
        let record = read(Source::find(std::slice::from_ref(&path)));
        assert_eq!(record.spans, model, "{}", path.display());
        let odd = if path.ends_with("base64-ids.json") {
            7
        } else {
            0
        };
        assert_eq!(record.ledger.total(agentdiag::model::IssueKind::OddId), odd);
        assert_eq!(
            record.issues().values().sum::<u64>(),
            odd,
            "{}: {:?}",
            path.display(),
            record.ledger
        );
    }
}

/// The requests of `lines.jsonl` in protobuf, by way of another reader.
fn requests() -> Vec<Vec<u8>> {
    let lines = fs::read_to_string(folder("formats/otlp/lines.jsonl")).unwrap();
    // That reader does not know an attribute without a value inside.
    let lines = lines.replace("\"value\":{}", "\"value\":null");
    lines
        .lines()
        .map(|line| serde_json::from_str::<ExportTraceServiceRequest>(line).unwrap())
        .map(|request| request.encode_to_vec())
        .collect()
}

fn framed(requests: &[Vec<u8>], header: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for request in requests {
        bytes.extend(header(request.len()));
        bytes.extend(request);
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn expect(bytes: &[u8], format: &str) -> Record {
    let record = read_bytes(bytes);
    assert_eq!(record.inputs[0].format, format, "{:?}", record.ledger);
    assert_eq!(record.spans, model(), "{format}");
    assert!(record.issues().is_empty(), "{format}: {:?}", record.ledger);
    record
}

#[test]
fn protobuf_in_every_framing() {
    let plain = requests();
    let length32 = |n: usize| (n as u32).to_be_bytes().to_vec();
    expect(&plain.concat(), "otlp-proto request bodies");
    expect(
        &framed(&plain, length32),
        "otlp-proto messages with 4-byte lengths",
    );
    expect(
        &framed(&plain, |n| (n as u64).to_be_bytes().to_vec()),
        "otlp-proto messages with 8-byte lengths",
    );
    expect(
        &framed(&plain, |n| [vec![0], length32(n)].concat()),
        "otlp-proto gRPC messages",
    );
    expect(
        &framed(&plain, |n| vec![n as u8 & 0x7f | 0x80, (n >> 7) as u8]),
        "otlp-proto messages with varint lengths",
    );
}

#[test]
fn compression_around_and_inside() {
    let plain = requests();
    let length32 = |n: usize| (n as u32).to_be_bytes().to_vec();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
    let packed: Vec<Vec<u8>> = plain.iter().map(|r| zstd(r)).collect();
    expect(
        &framed(&packed, length32),
        "otlp-proto messages with 4-byte lengths",
    );
    let packed: Vec<Vec<u8>> = plain.iter().map(|r| gzip(r)).collect();
    expect(
        &framed(&packed, |n| [vec![1], length32(n)].concat()),
        "otlp-proto gRPC messages",
    );
    let lines = fs::read_to_string(folder("formats/otlp/lines.jsonl")).unwrap();
    let packed: Vec<Vec<u8>> = lines.lines().map(|l| zstd(l.as_bytes())).collect();
    expect(
        &framed(&packed, length32),
        "otlp-proto messages with 4-byte lengths",
    );
    expect(&packed.concat(), "otlp-json lines (zstd)");
    expect(
        &gzip(&zstd(lines.as_bytes())),
        "otlp-json lines (gzip, zstd)",
    );
}

#[test]
fn a_damaged_tail_loses_only_itself() {
    let plain = requests();
    for cut in [1, 5, 40, 200] {
        let mut bytes = plain.concat();
        bytes.truncate(bytes.len() - cut);
        let record = read_bytes(&bytes);
        assert_eq!(record.spans, model()[..1], "{cut}");
        assert_eq!(
            record.issues().get("truncated_record"),
            Some(&1),
            "{cut}: {:?}",
            record.ledger
        );
    }
    let mut bytes = plain.concat();
    bytes.extend([0xff; 30]);
    let record = read_bytes(&bytes);
    assert_eq!(record.spans, model());
    assert_eq!(
        record.offset_of(agentdiag::model::IssueKind::MalformedRecord),
        Some(bytes.len() as u64 - 30)
    );
}

/// A field of protobuf with bytes inside.
fn field(number: u8, inside: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, inside.len() as u8], inside].concat()
}

/// A request of spans, each given by its fields after both ids.
fn request(spans: &[&[u8]]) -> Vec<u8> {
    let ids = [field(1, &[7; 16]), field(2, &[9; 8])].concat();
    let spans = spans
        .iter()
        .map(|rest| field(2, &[&ids, *rest].concat()))
        .collect::<Vec<_>>();
    field(1, &field(2, &spans.concat()))
}

#[test]
fn what_is_wrong_inside_protobuf_costs_only_itself() {
    let pair = |key: &[u8], value: &[u8]| field(9, &[field(1, key), field(2, value)].concat());
    let text = |text: &[u8]| field(1, text);
    let cases: [(&str, Vec<u8>, &str, Option<&str>); 8] = [
        (
            "in any order",
            field(9, &[field(2, &text(b"v")), field(1, b"k")].concat()),
            r#"k="v""#,
            None,
        ),
        (
            "without a key",
            field(9, &field(2, &text(b"v"))),
            r#"="v""#,
            None,
        ),
        ("without a value", field(9, &field(1, b"k")), "k=null", None),
        (
            "the last value counts",
            pair(b"k", &[text(b"v"), vec![0x18, 5]].concat()),
            "k=5",
            None,
        ),
        (
            "not UTF-8",
            pair(b"k", &text(b"a\xffb")),
            "k=\"a\u{fffd}b\"",
            Some("invalid_utf8"),
        ),
        (
            "another wire type",
            pair(b"k", &[0x25, 1, 2, 3, 4]),
            "k=null",
            Some("wrong_type"),
        ),
        (
            "a value cut off",
            pair(b"k", &[0x0a, 9, b'v']),
            "k=null",
            Some("malformed_record"),
        ),
        (
            "a name that is a number",
            vec![0x28, 5],
            "",
            Some("wrong_type"),
        ),
    ];
    for (what, bytes, attributes, issue) in cases {
        let record = read_bytes(&request(&[&bytes, b""]));
        let seen: Vec<_> = record.spans.iter().map(|s| s.attributes.as_str()).collect();
        assert_eq!(seen, ["", attributes], "{what}");
        let issues: Vec<_> = record.issues().into_keys().collect();
        assert_eq!(issues, Vec::from_iter(issue), "{what}: {:?}", record.ledger);
    }
    // A span whose fields break off is not placed by half of what it said; its neighbours are.
    let record = read_bytes(&request(&[b"", &[0x2a, 90, b'n'], b""]));
    assert_eq!(record.spans.len(), 2);
    assert_eq!(record.issues().get("malformed_record"), Some(&1));
}
