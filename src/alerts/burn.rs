//! Rules about the error budget: how fast failures use up what an objective allows.
//!
//! Source: Google, "The Site Reliability Workbook", chapter 5, multiwindow multi-burn-rate alerts.

/// A pair of windows that must both burn faster than `factor` times what the objective allows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BurnWindow {
    /// The window that shows the loss is large.
    pub long: &'static str,
    /// The window that shows it still goes on.
    pub short: &'static str,
    /// Multiple of the rate that uses up a 30-day budget in 30 days.
    pub factor: f64,
}

/// The pairs that the workbook recommends for an objective over 30 days.
pub const BURN_WINDOWS: [BurnWindow; 3] = [
    BurnWindow {
        long: "1h",
        short: "5m",
        factor: 14.4,
    },
    BurnWindow {
        long: "6h",
        short: "30m",
        factor: 6.0,
    },
    BurnWindow {
        long: "3d",
        short: "6h",
        factor: 1.0,
    },
];

/// Name of the alert and of its group.
pub const BURN_ALERT: &str = "AgentErrorBudgetBurn";

/// A rule file with one rule for each pair of windows: per agent, the share of failed requests as a
/// multiple of what `objective` (0..1, such as 0.99) allows.
#[must_use]
pub fn burn_rules(objective: f64) -> String {
    let budget = 1.0 - objective;
    let rate = |window: &str| {
        format!(
            "sum by (agent_id) (rate(agent_requests_total{{status=\"failure\"}}[{window}])) \
             / sum by (agent_id) (rate(agent_requests_total[{window}])) / {budget:.6}"
        )
    };
    let rules = BURN_WINDOWS.iter().map(|w| {
        let (long, short, factor) = (rate(w.long), rate(w.short), w.factor);
        format!(
            "      - alert: {BURN_ALERT}\n        \
                   expr: ({long} > {factor}) and ({short} > {factor})\n        \
                   labels:\n          long: {}\n          short: {}\n          factor: \"{factor}\"\n",
            w.long, w.short
        )
    });
    format!(
        "groups:\n  - name: {BURN_ALERT}\n    rules:\n{}",
        rules.collect::<String>()
    )
}
