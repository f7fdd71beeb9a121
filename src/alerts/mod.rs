//! Which alerts would have fired, and when: Prometheus alert rules evaluated over a dump.
//!
//! ```text
//! spans ---> derive --+
//!                     +--> Store (series) --> replay (rule by rule, instant by instant) --> episodes
//! metrics -> record --+                          ^
//! rule files (YAML) --> read --> Group ----------+
//! ```
//!
//! Evaluation follows Prometheus to the letter, tests hold it to `promtool`: what it answers here is
//! what production would have said over the same series.

mod blame;
mod built_in;
mod burn;
mod calibrate;
mod choice;
mod derive;
pub mod duration;
mod file;
mod labels;
mod measure;
mod query;
mod recorded;
mod replay;
mod rule;
mod state;
mod store;
mod template;
mod write;

pub use built_in::{BUILT_IN, built_in};
pub use burn::{BURN_ALERT, BURN_WINDOWS, BurnWindow, burn_rules};
pub use calibrate::Threshold;
pub use derive::derive;
pub use file::{Fault, read};
pub use labels::{LabelId, Labels};
pub use measure::{DRIFT, Kind, MEASURES, Measure, Side};
pub use recorded::record;
pub use replay::{RuleRun, Schedule, covered, replay};
pub use rule::{Group, Rule, RuleKind};
pub use state::Episode;
pub use store::{Store, Version};
pub use template::Template;
pub use write::{Basis, Looked, Written, write};
