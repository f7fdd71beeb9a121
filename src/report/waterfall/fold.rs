//! Which nodes get a line, and what stands for the others.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::nodes::{Nodes, Source, TOP};
use super::{Line, Piece, Scene, What};
use crate::units::{Nanos, Window};

/// Names listed of what is folded.
const NAMES: usize = 3;

/// Marks the nodes that get a line: tops, what the verdict rests on, and what the end waited for
/// longest. Parents count for an eighth of what they contain.
pub(super) fn choose(scene: &Scene<'_, '_>, nodes: &Nodes, lines: usize) -> Vec<bool> {
    let count = nodes.list.len();
    if count <= lines {
        return vec![true; count];
    }
    let own = |source| match source {
        Source::Span(span) => scene.on_path(span),
        Source::Wait(wait) => wait.window.len(),
    };
    let mut within: Vec<Nanos> = nodes.list.iter().map(|node| own(node.source)).collect();
    for index in (0..count).rev() {
        let (parent, time) = (nodes.list[index].parent, within[index]);
        if let Some(sum) = within.get_mut(parent as usize) {
            *sum += time;
        }
    }
    let mut order: Vec<_> = nodes
        .list
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let speaks = match node.source {
                Source::Span(span) => scene.speaks(span),
                Source::Wait(_) => true,
            };
            let weight = own(node.source) + Nanos(within[index].0 / 8);
            (Reverse((node.parent == TOP, speaks, weight)), index)
        })
        .collect();
    order.sort_unstable();
    let mut kept = vec![false; count];
    for (_, index) in order.into_iter().take(lines.max(1)) {
        kept[index] = true;
    }
    kept
}

/// Lines for the kept nodes; under each, one line for what it lost.
pub(super) fn lines<'a>(scene: &Scene<'a, '_>, nodes: &Nodes, kept: &[bool]) -> Vec<Line<'a>> {
    // The nearest kept node above each node, and the depth of each kept one.
    let mut above = vec![TOP; nodes.list.len()];
    let mut depths = vec![0; nodes.list.len()];
    let mut folds: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.list.iter().enumerate() {
        let parent = node.parent as usize;
        above[index] = match kept.get(parent) {
            None => TOP,
            Some(true) => node.parent,
            Some(false) => above[parent],
        };
        let depth = depths.get(above[index] as usize).map_or(0, |d| d + 1);
        depths[index] = depth;
        if !kept[index] {
            folds.entry(above[index]).or_default().push(index);
        }
    }
    let mut lines = Vec::new();
    // Kept nodes whose subtree is still being drawn, outermost first.
    let mut open: Vec<u32> = Vec::new();
    for (index, node) in nodes.list.iter().enumerate().filter(|(i, _)| kept[*i]) {
        while open.last().is_some_and(|&last| last != above[index]) {
            close(scene, nodes, &mut folds, &depths, &mut open, &mut lines);
        }
        lines.extend(match node.source {
            Source::Span(span) => Line::span(scene, span, depths[index]),
            Source::Wait(wait) => Some(Line::wait(&wait, depths[index])),
        });
        open.push(index as u32);
    }
    while !open.is_empty() {
        close(scene, nodes, &mut folds, &depths, &mut open, &mut lines);
    }
    if let Some(rest) = folds.remove(&TOP) {
        lines.extend(fold(scene, nodes, &rest, 0));
    }
    lines
}

fn close<'a>(
    scene: &Scene<'a, '_>,
    nodes: &Nodes,
    folds: &mut BTreeMap<u32, Vec<usize>>,
    depths: &[usize],
    open: &mut Vec<u32>,
    lines: &mut Vec<Line<'a>>,
) {
    let Some(done) = open.pop() else { return };
    if let Some(lost) = folds.remove(&done) {
        lines.extend(fold(scene, nodes, &lost, depths[done as usize] + 1));
    }
}

/// One line for `lost` nodes; waits among them are on the path of the line above anyway.
fn fold<'a>(
    scene: &Scene<'a, '_>,
    nodes: &Nodes,
    lost: &[usize],
    depth: usize,
) -> Option<Line<'a>> {
    let report = scene.row.report;
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut window: Option<Window> = None;
    let mut critical = Vec::new();
    let mut spans = 0;
    for &index in lost {
        let Source::Span(span) = nodes.list[index].source else {
            continue;
        };
        let Some(facts) = report.span(span) else {
            continue;
        };
        spans += 1;
        *names.entry(report.dataset().text(facts.name)).or_default() += 1;
        let whole = window.unwrap_or(facts.window());
        window = Some(Window {
            start: whole.start.min(facts.start),
            end: whole.end.max(facts.end),
        });
        critical.extend(scene.busy.get(&span).into_iter().flatten().map(Piece::of));
    }
    let mut names: Vec<(&str, usize)> = names.into_iter().collect();
    names.sort_by_key(|&(name, count)| (Reverse(count), name));
    names.truncate(NAMES);
    let window = window?;
    let on_path = critical.iter().map(|piece| piece.window.len()).sum();
    let pieces = std::iter::once(Piece::open(window)).chain(critical);
    Some(Line {
        depth,
        what: What::Folded { spans, names },
        window,
        pieces: pieces.collect(),
        on_path,
    })
}
