//! One file per subcommand: the only place where stages are wired together.

mod explain;

pub use explain::explain;
