//! From what the user typed to a request: the beginning of a trace id or of a span id is enough,
//! as long as it fits one request only.

use super::{Report, Row};
use crate::model::{SpanId, SpanIx, TraceId};
use crate::trace::RootState;

/// What an id stands for.
pub enum Found<'a> {
    /// One request.
    One(Row<'a>),
    /// Several, by start.
    Many(Vec<Row<'a>>),
    /// None; these have similar ids, nearest first.
    Near(Vec<Row<'a>>),
}

/// An id as typed, and what it means where it is not plain hex.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'t> {
    /// As typed.
    pub text: &'t str,
    /// The trace that a reader of exports would take it for.
    pub trace: TraceId,
    /// The span that a reader of exports would take it for.
    pub span: SpanId,
}

/// Similar ids offered at most.
const NEAR: usize = 5;
/// Spans whose request is looked for at most: a beginning that fits more is not worth the time.
const STRAYS: usize = 200;
/// Letters that may be wrong in an id for it to be offered.
const TYPOS: usize = 3;

/// The beginning of an id: its digits as a number, and how many they are.
#[derive(Clone, Copy)]
struct Prefix {
    value: u128,
    digits: u32,
}

impl Prefix {
    fn of(text: &str) -> Option<Self> {
        let digits = u32::try_from(text.len())
            .ok()
            .filter(|n| (1..=32).contains(n))?;
        let value = u128::from_str_radix(text, 16).ok()?;
        let plain = text.bytes().all(|b| b.is_ascii_hexdigit());
        plain.then_some(Self { value, digits })
    }

    /// True when an id of `width` digits begins so.
    fn fits(self, id: u128, width: u32) -> bool {
        self.digits <= width && id >> (4 * (width - self.digits)) == self.value
    }
}

impl<'a> Report<'a> {
    /// Finds the requests that an id may mean.
    #[must_use]
    pub fn find(&self, wanted: &Wanted<'_>) -> Found<'_> {
        let text = bare(wanted.text);
        let prefix = Prefix::of(&text);
        let trace = |id: TraceId| {
            id.0 != 0 && (id == wanted.trace || prefix.is_some_and(|p| p.fits(id.0, 32)))
        };
        let span = |id: SpanId| {
            !id.is_none() && (id == wanted.span || prefix.is_some_and(|p| p.fits(id.0.into(), 16)))
        };
        let mut found: Vec<u32> = Vec::new();
        let requests = self.forest().requests.iter().zip(0..);
        found.extend(
            requests
                .filter(|(r, _)| trace(r.trace))
                .map(|(_, index)| index),
        );
        let dataset = self.dataset();
        let spans = dataset.spans.iter().zip(&dataset.origins);
        let spans = spans.map(|(s, origin)| (span(origin.id), dataset.trace_of(s)));
        let spans = spans
            .zip(0..)
            .filter(|((named, of), _)| *named || trace(*of));
        // A fragment joined to another trace is found by its own id too.
        let strays = spans.filter(|((named, _), _)| *named || found.is_empty());
        let mut holders: Vec<u32> = strays
            .take(STRAYS)
            .filter_map(|(_, index)| self.holder(index))
            .collect();
        holders.sort_unstable();
        holders.dedup();
        found.extend(holders);
        found.sort_unstable();
        found.dedup();
        let mut rows: Vec<Row<'_>> = found.into_iter().filter_map(|i| self.row(i)).collect();
        match (rows.len(), rows.pop()) {
            (_, None) => Found::Near(self.near(&text)),
            (1, Some(only)) => Found::One(only),
            (_, Some(last)) => {
                rows.push(last);
                Found::Many(rows)
            }
        }
    }

    /// The request that holds a span.
    fn holder(&self, span: SpanIx) -> Option<u32> {
        let top = self.forest().tree.ancestors(span).last().unwrap_or(span);
        let trace = self.dataset().trace_of(self.span(top)?);
        let all = self.forest().requests.iter().zip(0..);
        let mut of_trace = all.filter(|(r, _)| r.trace == trace);
        let mut rootless = None;
        let own = of_trace.find(|(request, index)| {
            if request.root_state == RootState::Missing {
                rootless = Some(*index);
            }
            request.root == top
        });
        own.map(|(_, index)| index).or(rootless)
    }

    /// Requests whose trace or root id is a slip away from `text`.
    fn near(&self, text: &str) -> Vec<Row<'_>> {
        let mut near: Vec<(usize, u32)> = Vec::new();
        for index in 0..self.len() as u32 {
            let Some(row) = self.row(index) else { continue };
            let ids = [row.request.trace.to_string(), row.root_span().to_string()];
            near.extend(
                ids.iter()
                    .filter_map(|id| Some((distance(text, id)?, index)))
                    .min(),
            );
        }
        near.sort_unstable();
        let nearest = near.into_iter().take(NEAR);
        nearest.filter_map(|(_, index)| self.row(index)).collect()
    }
}

/// Without what people paste along: spaces, `0x`, hyphens, capitals.
fn bare(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("0x").unwrap_or(&text);
    text.replace('-', "")
}

/// Letters to change for `text` to begin `id`, or zero when it stands elsewhere in it.
fn distance(text: &str, id: &str) -> Option<usize> {
    if text.len() >= 6 && id.contains(text) {
        return Some(0);
    }
    let head = id.get(..text.len().min(id.len()))?;
    let allowed = TYPOS.min(text.len() / 4);
    let typos = strsim::levenshtein(text, head);
    (typos <= allowed).then_some(typos + 1)
}
