//! Tool calls by tool and time: how the choice of tools shifts.

use std::collections::BTreeMap;

use super::TimeBins;
use crate::report::Report;
use crate::trace::StepKind;
use crate::units::Nanos;

/// Stretches of time at most.
const COLUMNS: usize = 24;
/// Tools with a row of their own at most.
const ROWS: usize = 7;

/// Calls of one tool.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ToolShare {
    /// The tool; absent for all that have no row of their own.
    pub tool: Option<String>,
    /// Its calls per stretch.
    pub calls: Vec<u64>,
    /// True when its share changed by more than chance explains.
    pub drifted: bool,
}

/// Tool calls by tool and time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ToolShares {
    /// The stretches.
    pub bins: TimeBins,
    /// Tools that drifted first, then most calls.
    pub tools: Vec<ToolShare>,
    /// All calls per stretch.
    pub totals: Vec<u64>,
    /// When the choice changed, where it did.
    pub since: Option<Nanos>,
}

impl ToolShares {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let bins = TimeBins::over(report.summary().window, COLUMNS);
        let mut calls: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for row in report.rows() {
            let bin = bins.index(row.request.wall.start);
            for op in row.ops().iter().filter(|op| op.kind == StepKind::Tool) {
                let counts = calls
                    .entry(report.tool_name(op))
                    .or_insert_with(|| bins.each());
                if let Some(count) = counts.get_mut(bin) {
                    *count += 1;
                }
            }
        }
        let drift = &report.sums().drift;
        let changed = |tool: &str| {
            let mut named = drift.tools.iter();
            drift.drifted && named.any(|shift| shift.drifted && shift.tool == tool)
        };
        let mut tools: Vec<ToolShare> = calls
            .into_iter()
            .map(|(tool, calls)| ToolShare {
                tool: Some(tool.to_owned()),
                calls,
                drifted: changed(tool),
            })
            .collect();
        tools.sort_by_key(|t| std::cmp::Reverse((t.drifted, t.calls.iter().sum::<u64>())));
        let rest = tools.split_off(tools.len().min(ROWS));
        if !rest.is_empty() {
            tools.push(ToolShare {
                calls: sums(&bins, &rest),
                ..ToolShare::default()
            });
        }
        Self {
            totals: sums(&bins, &tools),
            since: drift.split.filter(|_| drift.drifted),
            tools,
            bins,
        }
    }
}

fn sums(bins: &TimeBins, tools: &[ToolShare]) -> Vec<u64> {
    let mut sum = bins.each();
    for tool in tools {
        sum.iter_mut().zip(&tool.calls).for_each(|(s, c)| *s += c);
    }
    sum
}
