//! Tool choice of parts of the requests: by agent, model, version and task.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Choices;
use super::observe::{Picked, Picks};
use super::study::Look;
use crate::model::Dataset;
use crate::trace::{Forest, Request};

/// Tool choice of a part of the requests.
#[derive(Clone, PartialEq, Debug)]
pub struct Slice {
    /// What the part shares: `agent`, `model`, `version` or `task`.
    pub by: &'static str,
    /// Its name.
    pub name: String,
    /// Tool calls before and after.
    pub calls: (u64, u64),
    /// Chance of so large a change, all comparisons of the study considered; `None` when there is too
    /// little to test.
    pub p_value: Option<f64>,
    /// Jensen–Shannon divergence of the shares, in bits.
    pub divergence: Option<f64>,
    /// The tool that changed most clearly, where one did.
    pub tool: Option<String>,
}

/// Parts of one dimension that are looked at, the largest.
const MOST_PARTS: usize = 40;
impl<'a> Look<'a> {
    /// Tool choice by agent, model, version and task, where a dump has several of them.
    pub(super) fn slices(&self) -> Vec<Slice> {
        let mut parts: BTreeMap<(&'static str, &'a str), (Choices<'a>, usize)> = BTreeMap::new();
        for (index, &(data, forest)) in self.dumps.iter().enumerate() {
            for request in &forest.requests {
                of_request(data, forest, request, &mut parts);
            }
            if index == 0 {
                parts
                    .values_mut()
                    .for_each(|(choices, first)| *first = choices.all.len());
            }
        }
        let mut slices = Vec::new();
        for by in ["agent", "model", "version", "task"] {
            let mut of: Vec<_> = parts
                .iter()
                .filter(|((b, name), _)| *b == by && !name.is_empty())
                .collect();
            if of.len() < 2 {
                continue;
            }
            of.sort_by_key(|((_, name), (choices, _))| {
                (std::cmp::Reverse(choices.all.len()), *name)
            });
            for ((_, name), (choices, first)) in of.into_iter().take(MOST_PARTS) {
                let drift = choices.judge(self.side(*first), false);
                slices.push(Slice {
                    by,
                    name: (*name).to_owned(),
                    calls: (drift.calls_before, drift.calls_after),
                    p_value: drift.p_value,
                    divergence: drift.divergence,
                    tool: drift.tools.into_iter().find(|t| t.drifted).map(|t| t.tool),
                });
            }
        }
        slices
    }
}

/// How often each tool was chosen.
type Chosen<'a> = BTreeMap<&'a str, u64>;

fn of_request<'a>(
    data: &'a Dataset,
    forest: &'a Forest,
    request: &Request,
    parts: &mut BTreeMap<(&'static str, &'a str), (Choices<'a>, usize)>,
) {
    let root = data.spans.get(request.root as usize);
    let version = root.map_or("", |root| data.text(data.resource_of(root).version));
    let kind = data.text(request.kind);
    let mut by: BTreeMap<(&'static str, &'a str), BTreeMap<&'a str, Chosen<'a>>> = BTreeMap::new();
    for pick in Picks::default().of(data, forest, request) {
        let [agent, model, tool] = [pick.agent, pick.model, pick.tool].map(|sym| data.text(sym));
        for part in [
            ("agent", agent),
            ("model", model),
            ("version", version),
            ("task", kind),
        ] {
            let tools = by.entry(part).or_default().entry(agent).or_default();
            *tools.entry(tool).or_default() += 1;
        }
    }
    for (part, agents) in by {
        let picked = agents.into_iter().map(|(agent, tools)| Picked {
            kind,
            agent,
            chosen: tools
                .into_iter()
                .map(|(tool, n)| (Cow::Borrowed(tool), n))
                .collect(),
        });
        parts
            .entry(part)
            .or_default()
            .0
            .take(picked, request.wall.start);
    }
}
