//! The quantities everything else is said in. Conversion to other units happens at the edges only.

mod count;
pub mod human;
mod intern;
mod money;
mod small;
mod size;
mod time;

pub use count::Ratio;
pub use intern::{Interner, Sym};
pub use money::Usd;
pub use small::Small;
pub use size::{BadBytes, Bytes};
pub use time::{Nanos, Window};
