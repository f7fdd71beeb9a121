//! `kubectl get events -o json`: a `List` or `EventList` of `Event`, or events one after another.
//! Both API groups: `involvedObject` (core) and `regarding` (events.k8s.io).

use std::borrow::Cow;

use super::{Chunk, Format, Head, Layout, Parts};
use crate::ingest::fields::{Fields, check_text};
use crate::ingest::json::{Json, Kind, Step};
use crate::ingest::lenient;
use crate::ingest::outlet::Outlet;
use crate::ingest::raw::RawClusterEvent;
use crate::units::Nanos;

/// Kubernetes events.
pub(super) const FORMAT: Format = Format {
    name: "k8s-events",
    about: "Kubernetes events: kubectl get events -o json",
    gives: "restarts, evictions, failed probes as cluster events",
    loses: "what is older than an hour, unless kept longer",
    recognise,
    decode,
    ..Format::USUAL
};

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let list = shape.says("kind", "EventList") || shape.says("items.kind", "Event");
    let alone = shape.says("kind", "Event") && head.has_any(&["involvedObject", "regarding"]);
    match (list, alone) {
        (true, _) => Some(Layout::Json(role)),
        (_, true) => Some(Layout::Objects),
        _ => None,
    }
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"items" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    let Parts::Pieces(pieces) = &chunk.parts else {
        return;
    };
    for piece in pieces {
        let bytes = chunk.bytes.get(piece.start..piece.end).unwrap_or_default();
        let mut reader = Reader {
            json: Json::new(bytes),
            origin: piece.start,
            out,
        };
        if let Err(broken) = reader.event() {
            reader.report(broken, chunk.last && piece.end == chunk.bytes.len());
        }
    }
    check_text(&chunk.bytes, out);
}

struct Reader<'a, 'o, 's> {
    json: Json<'a>,
    origin: usize,
    out: &'o mut Outlet<'s>,
}

impl<'a> Fields<'a> for Reader<'a, '_, '_> {
    fn json(&mut self) -> &mut Json<'a> {
        &mut self.json
    }

    fn out(&mut self) -> Outlet<'_> {
        self.out.shifted(0)
    }

    fn origin(&self) -> usize {
        self.origin
    }
}

/// The times an event may carry, best last; and how often it happened.
#[derive(Default)]
struct Times {
    created: Option<Nanos>,
    event: Option<Nanos>,
    last: Option<Nanos>,
    series: Option<Nanos>,
    count: Option<u64>,
    series_count: Option<u64>,
}

impl<'a> Reader<'a, '_, '_> {
    fn event(&mut self) -> Step<()> {
        let at = self.here();
        let mut times = Times::default();
        let mut event = RawClusterEvent::default();
        let mut kind = Cow::Borrowed("Event");
        let found = self.object("an event", |r, key| {
            match key {
                b"kind" => kind = r.name("a kind")?,
                b"reason" => event.reason = r.name("a reason")?,
                b"involvedObject" | b"regarding" => {
                    (event.object_kind, event.object) = r.named_object()?;
                }
                b"lastTimestamp" | b"deprecatedLastTimestamp" => {
                    times.last = r.date("a last time")?;
                }
                b"eventTime" => times.event = r.date("an event time")?,
                b"count" | b"deprecatedCount" => {
                    times.count = r.number("a count", lenient::unsigned)?;
                }
                b"series" => r.series(&mut times)?,
                b"metadata" => r.metadata(&mut times)?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        if found && kind == "Event" {
            event.time = times
                .series
                .or(times.last)
                .or(times.event)
                .or(times.created);
            let count = times.series_count.or(times.count).unwrap_or(1);
            event.count = u32::try_from(count).unwrap_or(u32::MAX);
            event.place = self.out.place(at);
            self.out.cluster_event(&event);
        }
        Ok(())
    }

    fn named_object(&mut self) -> Step<(Cow<'a, str>, Cow<'a, str>)> {
        let (mut kind, mut name) = Default::default();
        self.object("an object", |r, key| {
            match key {
                b"kind" => kind = r.name("an object's kind")?,
                b"name" => name = r.name("an object's name")?,
                _ => r.json.skip()?,
            }
            Ok(())
        })?;
        Ok((kind, name))
    }

    fn series(&mut self, times: &mut Times) -> Step<()> {
        self.object("a series", |r, key| {
            match key {
                b"count" => times.series_count = r.number("a count", lenient::unsigned)?,
                b"lastObservedTime" => times.series = r.date("a last observed time")?,
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    fn metadata(&mut self, times: &mut Times) -> Step<()> {
        self.object("metadata", |r, key| {
            match key {
                b"creationTimestamp" => times.created = r.date("a creation time")?,
                _ => r.json.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }
}
