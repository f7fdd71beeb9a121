//! One file per subcommand: the only place where stages are wired together.

pub mod analyze;
mod explain;
mod formats;
mod progress;

pub use analyze::analyze;
pub use explain::explain;
pub use formats::formats;
