//! Every file under `fixtures/` that has an `.expect` beside it gives what that says. To write the
//! expectations anew, set `AGENTDIAG_BLESS` and read the difference.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use agentdiag::ingest::Source;

use super::recorder::{Record, read};

pub(super) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn show(record: &Record) -> String {
    let mut text = String::new();
    for input in &record.inputs {
        let name = Path::new(&input.path)
            .file_name()
            .unwrap()
            .to_string_lossy();
        writeln!(
            text,
            "{name}: {}; bytes {} unpacked {} spans {} points {} logs {} events {}",
            input.format,
            input.bytes,
            input.unpacked,
            input.spans,
            input.points,
            input.logs,
            input.events
        )
        .unwrap();
    }
    for (kind, file, tally) in record.ledger.iter() {
        let offset = tally.offset.map_or(String::new(), |at| format!(" at {at}"));
        writeln!(
            text,
            "{} x{} in {file}{offset}: {}",
            kind.id(),
            tally.count,
            tally.detail
        )
        .unwrap();
    }
    for s in &record.spans {
        writeln!(
            text,
            "span {:032x}/{:016x} in {:016x} {:?} {} {:?}..{:?} {} {:?} [{}] events {:?} links {:?} <{}> {}",
            s.trace,
            s.id,
            s.parent,
            s.name,
            s.kind,
            s.start,
            s.end,
            s.status,
            s.message,
            s.attributes,
            s.events,
            s.links,
            s.resource,
            s.scope
        )
        .unwrap();
    }
    for (what, list) in [
        ("metric", &record.metrics),
        ("exemplar", &record.exemplars),
        ("log", &record.logs),
        ("event", &record.events),
    ] {
        for record in list {
            writeln!(text, "{what} {record}").unwrap();
        }
    }
    text
}

fn check(fixture: &Path) {
    let expectation = PathBuf::from(format!("{}.expect", fixture.display()));
    let found = show(&read(Source::find(&[fixture])));
    if std::env::var_os("AGENTDIAG_BLESS").is_some() {
        fs::write(&expectation, &found).unwrap();
    }
    let expected = fs::read_to_string(&expectation).unwrap_or_default();
    assert_eq!(found, expected, "{}", fixture.display());
}

pub(super) fn check_all(name: &str) {
    let entries = fs::read_dir(folder(name)).unwrap().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.path()).collect();
    paths.sort();
    for path in paths
        .iter()
        .filter(|p| p.extension().is_none_or(|e| e != "expect"))
    {
        check(path);
    }
}

#[test]
fn hostile_files_lose_only_what_is_broken() {
    check_all("hostile");
}

#[test]
fn metrics_and_cluster_events() {
    check_all("formats/metrics");
    check_all("formats/k8s");
    for file in ["mixed-signals.jsonl", "mixed-in-one.json"] {
        check(&folder("formats/otlp").join(file));
    }
}

#[test]
fn events_alone_and_in_a_list_are_the_same() {
    let read = |name: &str| read(Source::find(&[folder("formats/k8s").join(name)])).events;
    assert_eq!(read("list.json"), read("watched.json"));
}
