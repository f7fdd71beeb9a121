//! One request over time, as it is drawn: a line per span, wait or fold, each with what it was busy
//! with and whether the end was waiting for it.

mod fold;
mod line;
mod nodes;

use hashbrown::{HashMap, HashSet};

pub use line::{CallFigures, Line, Piece, SpanLine, What};

use super::Row;
use crate::model::SpanIx;
use crate::trace::{Part, StepKind, StepOp, Stretch, critical_path, tops};
use crate::units::{Nanos, Window};
use nodes::Nodes;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;
type Set<K> = HashSet<K, foldhash::fast::FixedState>;

/// A request over time.
#[derive(Clone, Debug)]
pub struct Waterfall<'a> {
    /// What the drawing spans: the wall time of the request, and what sticks out of it.
    pub window: Window,
    /// Lines from top to bottom, parents before children.
    pub lines: Vec<Line<'a>>,
    /// The critical path by time; its pieces fill the wall time and sum to the parts.
    pub path: Vec<Piece>,
    /// Spans of the request.
    pub spans: usize,
    /// Spans that lines of folded ones stand for.
    pub folded: usize,
    /// Spans inside model calls, such as transport and serving side, that are not drawn: what they
    /// measured is drawn in the call.
    pub inner: usize,
}

impl<'a> Waterfall<'a> {
    /// As many lines as there are spans.
    pub const ALL: usize = usize::MAX;

    /// Draws a request in about `lines` lines: what matters least for its duration is folded.
    /// [`Waterfall::ALL`] draws every span.
    #[must_use]
    pub fn of(row: &Row<'a>, lines: usize) -> Self {
        let scene = Scene::of(row);
        // Waits have lines of their own only where lines are chosen; the path holds them all.
        let waits = if lines == Self::ALL { 0 } else { lines / 3 + 1 };
        let mut nodes = Nodes::of(&scene, waits);
        let spans = nodes.spans();
        if lines != Self::ALL {
            nodes.drop_inner(&scene);
        }
        let kept = fold::choose(&scene, &nodes, lines);
        let drawn = fold::lines(&scene, &nodes, &kept);
        let folded = drawn.iter().map(Line::folded).sum();
        Self {
            window: extent(row.request.wall, &drawn),
            path: scene.path.iter().map(Piece::of).collect(),
            inner: spans - nodes.spans(),
            spans,
            folded,
            lines: drawn,
        }
    }
}

fn extent(wall: Window, lines: &[Line<'_>]) -> Window {
    lines.iter().fold(wall, |all, line| Window {
        start: all.start.min(line.window.start),
        end: all.end.max(line.window.end),
    })
}

/// What is known of the request before its lines are chosen.
struct Scene<'a, 'r> {
    row: &'r Row<'a>,
    tops: Vec<SpanIx>,
    path: Vec<Stretch>,
    /// Where each span was on the path.
    busy: Map<SpanIx, Vec<Stretch>>,
    ops: Map<SpanIx, &'a StepOp>,
    /// Spans that the evidence names.
    cited: Set<SpanIx>,
}

impl<'a, 'r> Scene<'a, 'r> {
    fn of(row: &'r Row<'a>) -> Self {
        let (dataset, forest) = (row.report.dataset(), row.report.forest());
        let path = critical_path(dataset, forest, row.request);
        let mut busy: Map<SpanIx, Vec<Stretch>> = Map::default();
        for stretch in &path {
            if let Some(span) = stretch.span {
                busy.entry(span).or_default().push(*stretch);
            }
        }
        let range = row.request.ops.start as usize..row.request.ops.end as usize;
        let ops = forest.ops.get(range).unwrap_or_default();
        Self {
            row,
            tops: tops(dataset, forest, row.request),
            busy,
            ops: ops.iter().map(|op| (op.span, op)).collect(),
            cited: row.evidence().filter_map(|(_, fact)| fact.span).collect(),
            path,
        }
    }

    /// Time that the end of the request waited for this span itself.
    fn on_path(&self, span: SpanIx) -> Nanos {
        let stretches = self.busy.get(&span).into_iter().flatten();
        stretches.map(|s| s.window.len()).sum()
    }

    /// True for spans that a verdict may rest on.
    fn speaks(&self, span: SpanIx) -> bool {
        let failed = |op: &&StepOp| op.kind == StepKind::Failed;
        self.cited.contains(&span) || self.ops.get(&span).is_some_and(failed)
    }

    /// Stretches of the path in which nothing ran, the longest of them, by time.
    fn waits(&self, most: usize) -> Vec<Stretch> {
        let least = Nanos(self.row.request.duration().0 / 200);
        let waits =
            self.path.iter().copied().filter(|s| {
                matches!(s.part, Part::Gap | Part::RetryWait) && s.window.len() > least
            });
        let mut waits: Vec<Stretch> = waits.collect();
        waits.sort_by_key(|s| (std::cmp::Reverse(s.window.len()), s.window.start));
        waits.truncate(most);
        waits.sort_by_key(|s| s.window.start);
        waits
    }
}
