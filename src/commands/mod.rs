//! One file per subcommand: the only place where stages are wired together.

mod analysis;
pub mod analyze;
pub mod baseline;
mod completions;
pub mod cost;
pub mod drift;
mod explain;
pub mod export;
mod formats;
pub mod load;
mod output;
pub mod prices;
mod progress;
pub mod replay;
pub mod report;
pub mod rules;
mod spared;
pub mod trace;
mod unfinished;

pub use analyze::analyze;
pub use baseline::baseline;
pub use completions::completions;
pub use cost::cost;
pub use drift::drift;
pub use explain::explain;
pub use export::export;
pub use formats::formats;
pub use prices::prices;
pub use replay::replay;
pub use report::report;
pub use rules::rules;
pub use trace::trace;
