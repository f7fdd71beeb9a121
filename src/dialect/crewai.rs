//! CrewAI's own telemetry: markers without duration, sent to the vendor.

use super::vocabulary::{Dialect, Pattern, Role, Trust};

/// The dialect.
pub(super) const DIALECT: Dialect = Dialect {
    name: "crewai-telemetry",
    gives: "nothing: markers without duration, passed over",
    loses: "everything; trace CrewAI with OpenInference or OpenLLMetry",
    trust: Trust::Vendor,
    scopes: &[Pattern::Is("crewai.telemetry")],
    unused: &["crew_", "task_key"],
    own_names: &[(Pattern::Starts(""), Role::Noise)],
    ..Dialect::SILENT
};
