//! Malformed variants of every fixture of a format: cut off, with bytes changed, with values of wrong
//! types. Reading ends, gives no more than the whole file did, and says what was lost.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use agentdiag::dialect::Normalizer;
use agentdiag::ingest::{FORMATS, Options, Source, read_all};
use agentdiag::model::Severity;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use serde_json::Value;

use super::fixtures::folder;
use super::recorder::{Record, read_with};

/// Places at which each file is cut off.
const CUTS: usize = 50;
/// Places at which one byte of each file is changed.
const FLIPS: usize = 200;

/// Every file of every format, with what is in it. Binary messages are those of one of the files.
pub(super) fn fixtures() -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder("formats")).unwrap() {
        let files = fs::read_dir(entry.unwrap().path()).unwrap();
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found.retain(|path| {
        path.extension()
            .is_none_or(|end| end != "expect" && end != "zip")
    });
    found.sort();
    assert!(found.len() > 50, "{} fixtures", found.len());
    let files = found.into_iter().map(|path| {
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    });
    files.chain(messages()).collect()
}

/// A document as binary messages, bare and each with its length.
fn messages() -> [(PathBuf, Vec<u8>); 2] {
    let text = fs::read(folder("formats/otlp/document.json")).unwrap();
    let request: ExportTraceServiceRequest = serde_json::from_slice(&text).unwrap();
    let bare = request.encode_to_vec();
    let mut sized = (bare.len() as u32).to_be_bytes().to_vec();
    sized.extend(&bare);
    [("bare.bin", bare), ("sized.bin", sized)].map(|(name, bytes)| (name.into(), bytes))
}

#[test]
fn every_format_is_damaged() {
    let first =
        |input: &agentdiag::model::Input| input.format.split(' ').next().unwrap().to_owned();
    let found: BTreeSet<String> = fixtures()
        .into_iter()
        .map(|(_, bytes)| first(&read(bytes).inputs[0]))
        .collect();
    let all: BTreeSet<String> = FORMATS.iter().map(|f| f.name.to_owned()).collect();
    let missing: Vec<&String> = all.difference(&found).collect();
    assert!(missing.is_empty(), "no fixture of {missing:?}");
}

fn options() -> Options {
    Options {
        threads: Some(1),
        max_record: 1 << 20,
        max_unpacked: 1 << 26,
        ..Options::default()
    }
}

fn read(bytes: Vec<u8>) -> Record {
    read_with(vec![Source::from_bytes("damaged", bytes)], &options())
}

fn records(record: &Record) -> u64 {
    let input = &record.inputs[0];
    input.spans + input.logs + input.events + input.points
}

fn says_so(record: &Record) -> bool {
    record.ledger.worst() >= Some(Severity::DataLoss)
}

/// Numbers that are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy();
        Self(name.bytes().fold(7, |sum: u64, b| {
            sum.wrapping_mul(31).wrapping_add(u64::from(b))
        }))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

pub(super) fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e == "json" || e == "jsonl")
}

#[test]
fn what_comes_before_a_cut_is_kept_and_the_cut_is_named() {
    let mut wrong = Vec::new();
    for (path, bytes) in fixtures() {
        let whole = read(bytes.clone());
        let mut dice = Dice::of(&path);
        for _ in 0..CUTS {
            let at = dice.below(bytes.len());
            let record = read(bytes[..at].to_vec());
            let (kept, all) = (records(&record), records(&whole));
            // After a whole line nothing shows that more was to come.
            let after_line = at == 0 || bytes[at - 1] == b'\n' || bytes[at] == b'\n';
            let quiet = kept == all || after_line || !is_json(&path);
            if kept > all + 1 || !(quiet || says_so(&record)) {
                let issues = record.issues();
                wrong.push(format!(
                    "{} cut at {at}: {kept} of {all}, {issues:?}",
                    path.display()
                ));
            }
            // Whole lines before the cut stand for themselves.
            let lines = bytes[..at].iter().rposition(|b| *b == b'\n');
            if whole.inputs[0].format.ends_with(" lines")
                && let Some(end) = lines
            {
                let before = records(&read(bytes[..=end].to_vec()));
                assert!(kept >= before, "{} cut at {at}", path.display());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_wrong_byte_ends_nothing() {
    for (path, bytes) in fixtures() {
        let all = records(&read(bytes.clone()));
        let mut dice = Dice::of(&path);
        for _ in 0..FLIPS {
            let (at, byte) = (dice.below(bytes.len()), dice.below(256) as u8);
            let mut bytes = bytes.clone();
            bytes[at] ^= byte;
            let record = read(bytes);
            let found = records(&record);
            // A broken type line of a histogram leaves its lines to stand for themselves.
            let most = all + 2 + record.inputs[0].samples;
            assert!(found <= most, "{} with {byte} at {at}", path.display());
        }
    }
}

/// What stands where another type should. Each value of each file gives its place to each of these.
fn wrong() -> Vec<Value> {
    let deep = (0..70).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    vec![
        Value::Null,
        true.into(),
        (-1).into(),
        1e300.into(),
        u64::MAX.into(),
        "".into(),
        "wrong".into(),
        Value::Array(Vec::new()),
        serde_json::json!([1, "x", null]),
        Value::Object(serde_json::Map::new()),
        serde_json::json!({"key": {"key": []}}),
        deep,
    ]
}

/// How many values there are in `value`, itself included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.values().map(size).sum(),
        _ => 0usize,
    }
}

/// Puts `new` in the place of value number `index`, counted from the outside.
fn replace(value: &mut Value, index: &mut usize, new: &Value) -> bool {
    if *index == 0 {
        *value = new.clone();
        return true;
    }
    *index -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, index, new)),
        Value::Object(map) => map.values_mut().any(|item| replace(item, index, new)),
        _ => false,
    }
}

/// Every vocabulary over `bytes`: how many records there are. Nothing is kept.
pub(super) fn count(bytes: Vec<u8>) -> u64 {
    let sources = vec![Source::from_bytes("damaged", bytes)];
    let reading = read_all(sources, &options(), Normalizer::new, &());
    for sink in reading.sinks {
        sink.finish().check_valid().expect("a valid dataset");
    }
    let input = &reading.inputs[0];
    input.spans + input.logs + input.events + input.points
}

#[test]
fn values_of_wrong_types_cost_only_themselves() {
    let wrong = wrong();
    // The spellings of OTLP hold the same values; one of them and all signals will do.
    let told = ["document.json", "mixed-in-one.json"];
    let chosen = |(path, _): &(PathBuf, Vec<u8>)| {
        let spelling = path.parent().is_some_and(|folder| folder.ends_with("otlp"));
        is_json(path) && (!spelling || told.iter().any(|name| path.ends_with(name)))
    };
    for (path, bytes) in fixtures().into_iter().filter(chosen) {
        let text = String::from_utf8(bytes).unwrap();
        let stream = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
        let documents: Vec<Value> = stream.into_iter().map_while(Result::ok).collect();
        let all = count(text.into_bytes());
        let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
        for (number, document) in documents.iter().enumerate() {
            for (index, new) in (0..size(document)).flat_map(|i| wrong.iter().map(move |w| (i, w)))
            {
                let mut changed = document.clone();
                replace(&mut changed, &mut index.clone(), new);
                let mut lines = lines.clone();
                lines[number] = changed.to_string();
                let found = count(lines.join("\n").into_bytes());
                // A list of three in the place of a record may look like records.
                assert!(found <= all + 3, "{} at {index}: {new}", path.display());
            }
        }
    }
}
