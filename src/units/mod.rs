//! The quantities everything else is said in. Conversion to other units happens at the edges only.

mod count;
pub mod human;
mod intern;
mod millis;
mod money;
mod pack;
mod room;
mod size;
mod small;
mod time;

pub use count::Ratio;
pub use intern::{Interner, Sym};
pub use millis::Millis;
pub use money::Usd;
pub use pack::{Pack, Unpack, Words, halves, whole};
pub use room::{filled, growing, lengthen, roomy};
pub use size::{BadBytes, Bytes};
pub use small::Small;
pub use time::{Nanos, Window};
