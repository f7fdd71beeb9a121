//! Prometheus text and OpenMetrics: one snapshot, or many one after another. A sample's time is the
//! one on its line, else the one of the `# SCRAPE timestamp_ms=…` comment before the snapshot.
//!
//! Source: Prometheus exposition formats 0.0.4; OpenMetrics 1.0.

mod family;
mod sample;

use self::family::{Family, Type};
use self::sample::sample;
use super::{Chunk, Format, Head, Layout, Mark, Parts, lines};
use crate::ingest::fields::check_text;
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::model::IssueKind;
use crate::units::Nanos;

/// Prometheus text.
pub(super) const FORMAT: Format = Format {
    name: "prom-text",
    about: "Prometheus text or OpenMetrics: saved /metrics pages with times",
    gives: "samples, exemplars; times from the lines or --at",
    loses: "all but the instants saved",
    recognise,
    decode,
    ..Format::USUAL
};

/// Lines looked at to recognise the format.
const LINES: usize = 20;

fn recognise(head: &Head<'_>) -> Option<Layout> {
    if head.shape.is_some() {
        return None;
    }
    let mut samples = 0;
    let first = lines(head.bytes).take(LINES).filter(|(_, ended)| *ended);
    for line in first.filter_map(|(line, _)| head.bytes.get(line)) {
        match comment(line) {
            Comment::Type(..) | Comment::Help | Comment::Scrape(_) => {
                return Some(Layout::Sections(mark));
            }
            Comment::None if line.trim_ascii().is_empty() => {}
            Comment::None if sample(line).is_some() => samples += 1,
            Comment::None => return None,
            Comment::Other => {}
        }
    }
    (samples > 0).then_some(Layout::Sections(mark))
}

/// The samples of one metric stand together after its type.
fn mark(line: &[u8]) -> Mark {
    match comment(line) {
        Comment::Type(..) => Mark::Start,
        Comment::Scrape(_) => Mark::Context,
        _ => Mark::Inside,
    }
}

#[derive(Clone, Copy)]
enum Comment<'a> {
    None,
    Type(&'a [u8], Type),
    Help,
    Scrape(Option<Nanos>),
    Other,
}

fn comment(line: &[u8]) -> Comment<'_> {
    let Some(text) = line.strip_prefix(b"#") else {
        return Comment::None;
    };
    let mut words = text
        .split(|b| matches!(b, b' ' | b'\t' | b'\r'))
        .filter(|w| !w.is_empty());
    match words.next() {
        Some(b"TYPE") => match (words.next(), words.next()) {
            (Some(name), Some(word)) => Comment::Type(name, Type::of(word)),
            _ => Comment::Other,
        },
        Some(b"HELP") => Comment::Help,
        Some(b"SCRAPE") => Comment::Scrape(
            words
                .find_map(|word| word.strip_prefix(b"timestamp_ms="))
                .and_then(sample::time),
        ),
        _ => Comment::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let Parts::Sections(context) = &chunk.parts else {
        return;
    };
    let mut scrape = match comment(context) {
        Comment::Scrape(time) => time,
        _ => None,
    };
    let resource = out.resource(&[]);
    let details = out.wants_buckets();
    let mut family = Family::new(&[], Type::Unknown, 0, details);
    for (line, _) in lines(&chunk.bytes) {
        let at = line.start;
        let line = chunk.bytes.get(line).unwrap_or_default().trim_ascii();
        match comment(line) {
            Comment::Type(name, kind) => {
                std::mem::replace(&mut family, Family::new(name, kind, at, details))
                    .deliver(out, resource);
            }
            Comment::Scrape(time) => {
                scrape = time;
                std::mem::replace(&mut family, Family::new(&[], Type::Unknown, at, details))
                    .deliver(out, resource);
            }
            Comment::Help | Comment::Other => {}
            Comment::None if line.is_empty() => {}
            Comment::None if family.ignores(line) => {
                out.sample();
                // Its exemplar is of use where the bucket is not.
                if memchr::memmem::find(line, b" # {").is_some()
                    && let Some(exemplar) = sample(line).and_then(|s| s.exemplar)
                {
                    family.exemplar(&exemplar, out, at);
                }
            }
            Comment::None => match sample(line) {
                Some(mut sample) => {
                    out.sample();
                    if let Some(exemplar) = &sample.exemplar {
                        family.exemplar(exemplar, out, at);
                    }
                    sample.time = sample.time.or(scrape);
                    family.add(sample);
                }
                None => {
                    let detail = "expected name{labels} value".into();
                    out.issue(IssueKind::MalformedRecord, at, detail);
                }
            },
        }
    }
    family.deliver(out, resource);
    check_text(&chunk.bytes, out);
}

/// A sample's value; Prometheus also writes `+Inf` and `Inf`.
fn number(text: &[u8]) -> Option<f64> {
    match text {
        b"Inf" | b"inf" => Some(f64::INFINITY),
        b"nan" => Some(f64::NAN),
        _ => lenient::double(text).ok().flatten(),
    }
}
