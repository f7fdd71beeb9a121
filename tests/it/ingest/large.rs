//! Inputs larger than a chunk: nothing is lost at the seams, whatever the arrangement and however
//! many threads.

use agentdiag::ingest::{Options, Source};

use super::recorder::{Record, read_bytes, read_with};

const BEGIN: u64 = 1_778_572_800_000_000_000;

fn span(n: usize, text: &str) -> String {
    format!(
        "{{\"traceId\":\"{:032x}\",\"spanId\":\"{:016x}\",\"name\":\"s{n}\",\"startTimeUnixNano\":\"{}\",\
         \"endTimeUnixNano\":\"{}\",\"attributes\":[{{\"key\":\"t\",\"value\":{{\"stringValue\":\"{text}\"}}}}]}}",
        n / 10 + 1,
        n + 1,
        1_000 + n,
        2_000 + n
    )
}

fn block(spans: &str) -> String {
    format!(
        "{{\"resource\":{{\"attributes\":[]}},\"scopeSpans\":[{{\"scope\":{{}},\"spans\":[{spans}]}}]}}"
    )
}

fn blocks(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| block(&span(n, &"prompt \\\" } ] ".repeat(n % 40))))
        .collect()
}

fn check(record: &Record, count: usize) {
    assert!(record.issues().is_empty(), "{:?}", record.ledger);
    let mut names: Vec<_> = record.spans.iter().map(|s| s.id).collect();
    names.sort_unstable();
    assert!(names.iter().copied().eq(1..=count as u64));
}

#[test]
fn one_document_many_lines_and_no_separators() {
    let count = 9_000;
    let blocks = blocks(count);
    let document = format!("{{\"resourceSpans\":[{}]}}", blocks.join(",\n"));
    assert!(document.len() > 3 << 20);
    check(&read_bytes(document.as_bytes()), count);
    let one_line = document.replace('\n', "");
    check(&read_bytes(one_line.as_bytes()), count);
    let each: Vec<String> = blocks
        .iter()
        .map(|b| format!("{{\"resourceSpans\":[{b}]}}"))
        .collect();
    check(&read_bytes(each.join("\n").as_bytes()), count);
    check(&read_bytes(each.concat().as_bytes()), count);
    check(
        &read_bytes(format!("[\n{}]", each.join(",\n")).as_bytes()),
        count,
    );
}

#[test]
fn a_line_of_ten_megabytes() {
    let prompt = "word ".repeat(2_000_000);
    let lines = format!(
        "{{\"resourceSpans\":[{}]}}\n{{\"resourceSpans\":[{}]}}\n{{\"resourceSpans\":[{}]}}\n",
        block(&span(0, "")),
        block(&span(1, &prompt)),
        block(&span(2, ""))
    );
    check(&read_bytes(lines.as_bytes()), 3);
}

#[test]
fn a_record_beyond_the_limit_is_named_and_passed_over() {
    let options = Options {
        threads: Some(2),
        max_record: 2 << 20,
        ..Options::default()
    };
    let big = block(&span(1, &"word ".repeat(1 << 20)));
    let each: Vec<String> = [block(&span(0, "")), big, block(&span(2, ""))]
        .iter()
        .map(|b| format!("{{\"resourceSpans\":[{b}]}}"))
        .collect();
    for separator in ["\n", "\n \n"] {
        let bytes = each.join(separator).into_bytes();
        let record = read_with(vec![Source::from_bytes("t", bytes)], &options);
        assert_eq!(record.spans.len(), 2);
        assert_eq!(record.issues().get("oversized_record"), Some(&1));
    }
}

#[test]
fn threads_make_no_difference() {
    let mut lines = blocks(9_000)
        .iter()
        .map(|b| format!("{{\"resourceSpans\":[{b}]}}"))
        .collect::<Vec<_>>();
    for n in [10, 4_000, 8_500] {
        lines[n].truncate(100);
        lines[n + 1] = lines[n + 1].replace("\"name\":\"", "\"name\":7,\"x\":\"");
    }
    let bytes = lines.join("\n").into_bytes();
    let read = |threads| {
        let options = Options {
            threads: Some(threads),
            ..Options::default()
        };
        let sources = vec![
            Source::from_bytes("a", bytes.clone()),
            Source::from_bytes("b", bytes[..1 << 20].to_vec()),
        ];
        read_with(sources, &options)
    };
    let one = read(1);
    assert_eq!(one.issues().get("malformed_record"), Some(&4));
    assert_eq!(one.issues().get("wrong_type"), Some(&4));
    for threads in [2, 5] {
        assert_eq!(one, read(threads));
    }
}

/// Reads in one thread and in several, which must agree.
fn read_alike(text: &str) -> Record {
    let read = |threads| {
        let options = Options {
            threads: Some(threads),
            ..Options::default()
        };
        let source = Source::from_bytes("t", text.as_bytes().to_vec());
        read_with(vec![source], &options)
    };
    let one = read(1);
    assert_eq!(one, read(4));
    one
}

#[test]
fn rows_with_line_breaks_across_chunks() {
    let count = 9_000;
    let head = "trace_id,span_id,name,start_time,end_time,note\n";
    let row = |n: usize| {
        let note = format!(
            "\"{}, \"\"quoted\"\"\"",
            "line\nand \\ more\r\n".repeat(n % 30)
        );
        let (start, end) = (BEGIN + n as u64, BEGIN + n as u64 + 1);
        format!(
            "{:032x},{:016x},\"s{n}\",{start},{end},{note}\n",
            n / 10 + 1,
            n + 1
        )
    };
    let rows: Vec<String> = (0..count).map(row).collect();
    let text = format!("{head}{}", rows.concat());
    assert!(text.len() > 2 << 20);
    let record = read_alike(&text);
    check(&record, count);
    let note = &record.spans.iter().find(|s| s.id == 30).unwrap().attributes;
    assert!(
        note.contains("and \\\\ more") && note.contains("quoted"),
        "{note}"
    );
    // A second table in the same file, in another chunk, with columns in another order.
    let turned = "span_id,trace_id,start_time,name\n";
    let other: String = (0..count)
        .map(|n| format!("{:016x},{:032x},{BEGIN},s{n}\n", count + n + 1, n + 1))
        .collect();
    let both = format!("{text}{turned}{other}");
    assert_eq!(read_alike(&both).spans.len(), 2 * count);
    // A quote that is never closed costs its row alone.
    let mut broken = rows.clone();
    broken[4_000] = broken[4_000].replacen("\"\"\"\n", "\n", 1);
    let record = read_alike(&format!("{head}{}", broken.concat()));
    assert!(record.spans.len() >= count - 2, "{}", record.spans.len());
    assert!(record.issues().contains_key("malformed_record"));
}

#[test]
fn a_metric_larger_than_a_chunk_keeps_its_type() {
    let count = 9_000;
    let mut text = "# HELP t in seconds\n# TYPE t histogram\n# UNIT t seconds\n".to_owned();
    // The sums stand far from their counts.
    for part in ["bucket{le=\"1\",", "sum{", "count{"] {
        for n in 0..count as u64 {
            text.push_str(&format!(
                "t_{part}series=\"{}\"}} {n} {}\n",
                n % 7,
                1_778_572_800_000 + n
            ));
        }
    }
    text.push_str("# TYPE up gauge\nup 1 1778572800000\n# EOF\n");
    assert!(text.len() > 1 << 20);
    let record = read_alike(&text);
    assert!(record.issues().is_empty(), "{:?}", record.ledger);
    let input = &record.inputs[0];
    let samples = 3 * count as u64 + 1;
    assert_eq!((input.samples, input.points), (samples, count as u64 + 1));
}

#[test]
fn bare_and_framed_messages_across_chunks() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;
    let count = 9_000;
    let (mut bare, mut framed) = (Vec::new(), Vec::new());
    for block in blocks(count) {
        let text = format!("{{\"resourceSpans\":[{block}]}}");
        let request: ExportTraceServiceRequest = serde_json::from_str(&text).unwrap();
        let bytes = request.encode_to_vec();
        framed.extend((bytes.len() as u32).to_be_bytes());
        framed.extend(&bytes);
        bare.extend(&bytes);
    }
    assert!(bare.len() > 2 << 20);
    check(&read_bytes(&bare), count);
    check(&read_bytes(&framed), count);
}
