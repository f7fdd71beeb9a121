//! All that could have a line, parents before children, siblings by start.

use super::{Map, Scene};
use crate::model::SpanIx;
use crate::trace::{NO_LANE, StepKind, Stretch};
use crate::units::{Nanos, Window};

/// No parent.
pub(super) const TOP: u32 = u32::MAX;

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Span(SpanIx),
    Wait(Stretch),
}

/// A span or a wait, and the node above it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) source: Source,
    pub(super) parent: u32,
}

/// Nodes in the order in which they would be drawn.
pub(super) struct Nodes {
    pub(super) list: Vec<Node>,
}

impl Nodes {
    pub(super) fn of(scene: &Scene<'_, '_>, most_waits: usize) -> Self {
        let mut waits: Map<SpanIx, Vec<Stretch>> = Map::default();
        let mut list = Vec::new();
        for wait in scene.waits(most_waits) {
            match host(scene, wait.window) {
                Some(span) => waits.entry(span).or_default().push(wait),
                None => list.push(Node {
                    source: Source::Wait(wait),
                    parent: TOP,
                }),
            }
        }
        let loose = list.len();
        let tree = &scene.row.report.forest().tree;
        let tops = scene.tops.iter().rev();
        let mut stack: Vec<Node> = tops
            .map(|&top| Node {
                source: Source::Span(top),
                parent: TOP,
            })
            .collect();
        let mut below: Vec<(Nanos, Node)> = Vec::new();
        while let Some(node) = stack.pop() {
            let parent = list.len() as u32;
            list.push(node);
            let Source::Span(span) = node.source else {
                continue;
            };
            below.extend(tree.children(span).map(|child| {
                let start = scene
                    .row
                    .report
                    .span(child)
                    .map_or(Nanos::ZERO, |s| s.start);
                (
                    start,
                    Node {
                        source: Source::Span(child),
                        parent,
                    },
                )
            }));
            let waits = waits.remove(&span).into_iter().flatten();
            below.extend(waits.map(|wait| {
                (
                    wait.window.start,
                    Node {
                        source: Source::Wait(wait),
                        parent,
                    },
                )
            }));
            below.sort_by_key(|(start, _)| *start);
            stack.extend(below.drain(..).rev().map(|(_, node)| node));
        }
        // Waits that lie in no span stand where their time is, among the tops.
        let hosted = list.split_off(loose);
        let list = if loose == 0 {
            hosted
        } else {
            among(scene, list, hosted)
        };
        Self { list }
    }

    /// Spans among the nodes.
    pub(super) fn spans(&self) -> usize {
        let spans = self
            .list
            .iter()
            .filter(|n| matches!(n.source, Source::Span(_)));
        spans.count()
    }

    /// Leaves out what lies below model calls, unless the evidence names it.
    pub(super) fn drop_inner(&mut self, scene: &Scene<'_, '_>) {
        let is_call = |source| {
            let Source::Span(span) = source else {
                return false;
            };
            let op = scene.ops.get(&span).filter(|op| op.opens == NO_LANE);
            op.is_some_and(|op| matches!(op.kind, StepKind::Model | StepKind::Failed))
        };
        let is_own = |source| match source {
            Source::Span(span) => scene.ops.contains_key(&span) || scene.cited.contains(&span),
            Source::Wait(_) => true,
        };
        // Where each node went, and whether a call lies above it. Parents come first.
        let mut moved = vec![TOP; self.list.len()];
        let mut below_call = vec![false; self.list.len()];
        let mut kept: Vec<Node> = Vec::with_capacity(self.list.len());
        for (index, node) in self.list.iter().enumerate() {
            let parent = node.parent as usize;
            let above = self.list.get(parent);
            below_call[index] = above.is_some_and(|up| below_call[parent] || is_call(up.source));
            let new_parent = moved.get(parent).copied().unwrap_or(TOP);
            if below_call[index] && !is_own(node.source) {
                moved[index] = new_parent;
                continue;
            }
            moved[index] = kept.len() as u32;
            kept.push(Node {
                parent: new_parent,
                ..*node
            });
        }
        self.list = kept;
    }
}

/// Puts `loose` waits between the trees of `hosted`, by start.
fn among(scene: &Scene<'_, '_>, loose: Vec<Node>, hosted: Vec<Node>) -> Vec<Node> {
    let mut all = Vec::with_capacity(loose.len() + hosted.len());
    let mut loose = loose.into_iter().peekable();
    let mut shift = 0;
    for node in hosted {
        if node.parent == TOP {
            let start = start(scene, &node);
            while let Some(wait) = loose.next_if(|wait| self::start(scene, wait) < start) {
                all.push(wait);
                shift += 1;
            }
        }
        let parent = if node.parent == TOP {
            TOP
        } else {
            node.parent + shift
        };
        all.push(Node { parent, ..node });
    }
    all.extend(loose);
    all
}

fn start(scene: &Scene<'_, '_>, node: &Node) -> Nanos {
    match node.source {
        Source::Span(span) => scene.row.report.span(span).map_or(Nanos::ZERO, |s| s.start),
        Source::Wait(wait) => wait.window.start,
    }
}

/// The innermost span that was open all through `wait` and is not itself an operation.
fn host(scene: &Scene<'_, '_>, wait: Window) -> Option<SpanIx> {
    let report = scene.row.report;
    let holds = |&span: &SpanIx| {
        let works = scene.ops.get(&span).is_some_and(|op| op.opens == NO_LANE);
        let open = report.span(span).map(|s| s.window());
        !works && open.is_some_and(|w| w.start <= wait.start && wait.end <= w.end)
    };
    let mut host = scene.tops.iter().copied().find(holds)?;
    while let Some(inner) = report.forest().tree.children(host).find(holds) {
        host = inner;
    }
    Some(host)
}
