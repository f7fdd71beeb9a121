//! One file per subcommand: the only place where stages are wired together.

mod analysis;
pub mod analyze;
pub mod baseline;
mod explain;
mod formats;
pub mod load;
mod output;
mod progress;

pub use analyze::analyze;
pub use baseline::baseline;
pub use explain::explain;
pub use formats::formats;
