//! Rules as a file gives them, checked and ready to run.

use super::query::Query;
use super::template::Template;

/// Rules that are evaluated together, one after another.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How often it is evaluated, milliseconds; the default of the replay where the file gives none.
    pub interval: Option<i64>,
    /// How far behind the clock it looks, milliseconds.
    pub offset: i64,
    /// Alerts of one rule above which the rule fails; 0 for no limit.
    pub limit: usize,
    /// Its rules in order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Name of the alert, or of the series it records.
    pub name: String,
    /// What it does.
    pub kind: RuleKind,
    /// Its expression as written.
    pub expr: String,
    /// Where it stands in its file, first line 1.
    pub line: usize,
    pub(super) query: Query,
    /// Labels put on the result, by name.
    pub(super) labels: Vec<(String, Template)>,
}

/// What a rule does.
#[derive(Debug)]
pub enum RuleKind {
    /// Records a series.
    Record,
    /// Fires an alert.
    Alert {
        /// How long the condition must hold, milliseconds.
        hold: i64,
        /// How long the alert stays once the condition no longer holds, milliseconds.
        keep: i64,
        /// Texts for people, by name.
        annotations: Vec<(String, Template)>,
    },
}
