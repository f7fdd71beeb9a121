//! Langfuse's own JSON: a trace downloaded in its UI, pages of its API, and exports of observations
//! one to a line.
//!
//! Source: langfuse/langfuse, fern/apis/server/definition/{observations,commons}.yml,
//! packages/shared/src/features/batchExport/types.ts, and downloads of its own test data.

mod observation;
mod wrapped;

use super::record::{self, Reader};
use super::{Chunk, Format, Head, Layout};
use crate::ingest::fields::Fields;
use crate::ingest::json::{Kind, Step};
use crate::ingest::outlet::Outlet;

use self::observation::Owner;

/// Langfuse.
pub(super) const FORMAT: Format = Format {
    name: "langfuse",
    about: "Langfuse: trace downloads, API pages, exported observations",
    gives: "spans, usage, cost, first-token times",
    loses: "microseconds; resource and scope unless sent by OpenTelemetry",
    recognise,
    decode,
    ..Format::USUAL
};

const OBSERVATION: [&str; 2] = ["parentObservationId", "parent_observation_id"];

fn recognise(head: &Head<'_>) -> Option<Layout> {
    let shape = head.shape.as_ref()?;
    let below = |place: &str| {
        OBSERVATION
            .iter()
            .any(|key| shape.has(&format!("{place}{key}")))
    };
    if below("data.") || below("data.observations.") {
        return Some(Layout::Json(role));
    }
    let whole = shape.has_all(&["trace", "observations"]);
    (whole || below("trace.observations.") || below("observations.") || below(""))
        .then(|| record::layout(head))
}

fn role(key: &[u8]) -> Kind {
    match key {
        b"data" => Kind::Elements(0),
        _ => Kind::Other,
    }
}

fn decode(chunk: &Chunk, out: &mut Outlet<'_>) {
    record::each(chunk, out, |reader, _| reader.langfuse_item());
}

impl Reader<'_, '_, '_> {
    /// A download, a trace with its observations, or one observation.
    pub(super) fn langfuse_item(&mut self) -> Step<()> {
        let place = self.json.at();
        let (mut trace, mut beside) = (None, None);
        let outcome = self.object("an observation", |r, key| {
            match key {
                b"trace" => {
                    // Remembered first: what comes before a break inside is good.
                    trace = Some(r.json.at());
                    r.json.skip()?;
                }
                b"observations" => {
                    beside = Some(r.json.at());
                    r.json.skip()?;
                }
                _ => r.json.skip()?,
            }
            Ok(())
        });
        if trace.is_none() && beside.is_none() {
            outcome?;
            return self.back(place, |r| r.langfuse_observation(&Owner::default()));
        }
        let owner = self.back(trace.unwrap_or(place), Self::langfuse_owner);
        let (owner, inside) = owner.unwrap_or_default();
        // The same observations may stand inside the trace and beside it.
        let read = match beside.or(inside) {
            Some(list) => self.back(list, |r| {
                r.list("a list of observations", |r| r.langfuse_observation(&owner))
            }),
            None => Ok(()),
        };
        outcome.and(read)
    }
}
