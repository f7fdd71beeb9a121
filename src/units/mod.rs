//! The quantities everything else is said in. Conversion to other units happens at the edges only.

mod count;
pub mod human;
mod intern;
mod money;
mod time;

pub use count::Ratio;
pub use intern::{Interner, Sym};
pub use money::Usd;
pub use time::{Nanos, Window};
