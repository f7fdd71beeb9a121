//! Prometheus text and OpenMetrics: one snapshot, or many one after another. A sample's time is the
//! one on its line, else the one of the `# SCRAPE timestamp_ms=…` comment before the snapshot.
//!
//! Source: Prometheus exposition formats 0.0.4; OpenMetrics 1.0.

mod family;
mod sample;

use self::family::{Family, Type};
use self::sample::sample;
use super::{Chunk, Format, Head, Layout, Parts, lines, whole_lines};
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
                return Some(Layout::Text(divide));
            }
            Comment::None if line.trim_ascii().is_empty() => {}
            Comment::None if sample(line).is_some() => samples += 1,
            Comment::None => return None,
            Comment::Other => {}
        }
    }
    (samples > 0).then_some(Layout::Text(divide))
}

/// Samples depend on the type of their metric and the time of their snapshot, and not on each other.
fn divide(bytes: &[u8], whole: bool, context: &mut Vec<u8>) -> usize {
    let end = whole_lines(bytes, whole);
    let bytes = bytes.get(..end).unwrap_or_default();
    let mut kind: Option<&[u8]> = None;
    for at in memchr::memrchr_iter(b'#', bytes) {
        let (before, after) = bytes.split_at(at);
        let indent = before.iter().rev().find(|b| !matches!(b, b' ' | b'\t'));
        if !matches!(indent, None | Some(b'\n' | b'\r')) {
            continue;
        }
        let line = after.split(|b| *b == b'\n').next().unwrap_or_default();
        match comment(line.trim_ascii()) {
            Comment::Type(..) => kind = kind.or(Some(line)),
            // What came before it says nothing about what comes after.
            Comment::Scrape(_) => {
                *context = line.to_vec();
                break;
            }
            _ => {}
        }
    }
    if let Some(kind) = kind {
        let scrape = lines(context).next().map_or(0, |(line, _)| line.end);
        let is_scrape = matches!(comment(context.trim_ascii()), Comment::Scrape(_));
        context.truncate(if is_scrape { scrape } else { 0 });
        context.push(b'\n');
        context.extend(kind);
    }
    end
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
    let Parts::Text(context) = &chunk.parts else {
        return;
    };
    let resource = out.resource(&[]);
    let mut page = Page {
        scrape: None,
        family: Family::new(&[], Type::Unknown, 0, out.wants_buckets()),
        resource,
    };
    for (line, _) in lines(context) {
        page.line(context.get(line).unwrap_or_default().trim_ascii(), 0, out);
    }
    for (line, _) in lines(&chunk.bytes) {
        let at = line.start;
        let line = chunk.bytes.get(line).unwrap_or_default().trim_ascii();
        page.line(line, at, out);
    }
    page.family.deliver(out, resource);
    check_text(&chunk.bytes, out);
}

/// A page of metrics being read.
struct Page<'a> {
    scrape: Option<Nanos>,
    family: Family<'a>,
    resource: u32,
}

impl<'a> Page<'a> {
    fn line(&mut self, line: &'a [u8], at: usize, out: &mut Outlet<'_>) {
        match comment(line) {
            Comment::Type(name, kind) => self.next(name, kind, at, out),
            Comment::Scrape(time) => {
                self.scrape = time;
                self.next(&[], Type::Unknown, at, out);
            }
            Comment::Help | Comment::Other => {}
            Comment::None if line.is_empty() => {}
            Comment::None if self.family.ignores(line) => {
                out.sample();
                // Its exemplar is of use where the bucket is not.
                if memchr::memmem::find(line, b" # {").is_some()
                    && let Some(exemplar) = sample(line).and_then(|s| s.exemplar)
                {
                    self.family.exemplar(&exemplar, out, at);
                }
            }
            Comment::None => self.sample(line, at, out),
        }
    }

    /// The samples of one metric stand together after its type.
    fn next(&mut self, name: &'a [u8], kind: Type, at: usize, out: &mut Outlet<'_>) {
        let next = Family::new(name, kind, at, out.wants_buckets());
        std::mem::replace(&mut self.family, next).deliver(out, self.resource);
    }

    fn sample(&mut self, line: &'a [u8], at: usize, out: &mut Outlet<'_>) {
        let Some(mut sample) = sample(line) else {
            let detail = "expected name{labels} value".into();
            out.issue(IssueKind::MalformedRecord, at, detail);
            return;
        };
        out.sample();
        if let Some(exemplar) = &sample.exemplar {
            self.family.exemplar(exemplar, out, at);
        }
        sample.time = sample.time.or(self.scrape);
        if !self.family.add(sample) {
            out.point_without_value(false, at);
        }
    }
}

/// A sample's value; Prometheus also writes `+Inf` and `Inf`.
fn number(text: &[u8]) -> Option<f64> {
    match text {
        b"Inf" | b"inf" => Some(f64::INFINITY),
        b"nan" => Some(f64::NAN),
        _ => lenient::double(text).ok().flatten(),
    }
}
