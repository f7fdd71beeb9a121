//! Why each slow request was slow: claims with evidence, arbitration, incidents.

mod cause;
mod claim;
mod diagnosis;
mod meta;

pub use cause::Cause;
pub use claim::{Claim, Evidence, Fact, Outcome};
pub use diagnosis::{Diagnosis, Incident};
pub use meta::CauseMeta;
