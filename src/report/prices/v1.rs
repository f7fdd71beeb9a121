//! The frozen JSON shape `agentdiag.prices-diff.v1`.

use serde::Serialize;

use super::Compared;

/// Name and version of the shape.
pub const SCHEMA: &str = "agentdiag.prices-diff.v1";

/// The whole object.
#[derive(Serialize)]
pub struct Document<'a> {
    schema: &'static str,
    unit: &'static str,
    left: &'a str,
    right: &'a str,
    same: u64,
    changed: Vec<Change<'a>>,
    only_left: &'a [String],
    only_right: &'a [String],
}

#[derive(Serialize)]
struct Change<'a> {
    model: &'a str,
    price: &'a str,
    left_usd: Option<f64>,
    right_usd: Option<f64>,
    right_table: &'static str,
}

impl<'a> From<&'a Compared> for Document<'a> {
    fn from(compared: &'a Compared) -> Self {
        let changes = &compared.changes;
        let change = |change: &'a crate::aggregate::Change| Change {
            model: &change.model,
            price: &change.price,
            left_usd: change.left,
            right_usd: change.right,
            right_table: change.source.label(),
        };
        Self {
            schema: SCHEMA,
            unit: "USD per 1M tokens",
            left: &compared.left,
            right: &compared.right,
            same: changes.same,
            changed: changes.changed.iter().map(change).collect(),
            only_left: &changes.only_left,
            only_right: &changes.only_right,
        }
    }
}
