//! Why each slow request was slow: claims with evidence, arbitration, incidents.
//!
//! A verdict is an entry in an account, like a variance report: volume × price. Each cause charges what
//! it can prove against operations and gaps of the request; the account is settled by replaying the
//! request without them; the largest entry is the verdict.

mod account;
mod apart;
mod arbiter;
mod cause;
mod causes;
mod claim;
mod confidence;
mod contrast;
mod crowd;
mod devices;
mod diagnosis;
mod faults;
mod giants;
mod ground;
mod holes;
mod incident;
mod losses;
mod margin;
mod meta;
mod missing;
mod needed;
mod notes;
mod options;
mod overtaken;
mod passes;
mod proven;
mod releases;
mod routes;
mod scene;
mod serving;
mod shared;
mod stays;
mod swing;
#[cfg(test)]
mod tests;
mod verdict;
mod volume;
mod whatif;
mod windows;
mod witnesses;
mod word;

pub use apart::{Judged, conclude, judge_part};
pub use cause::Cause;
pub use claim::{Claim, Evidence, Fact, Outcome};
pub use diagnosis::{Diagnosis, Incident};
pub use ground::Survey;
pub use meta::CauseMeta;
pub use needed::Needed;
pub use notes::Remarks;
pub use options::Options;
pub use shared::{Own, Shared, share};
pub use verdict::{Learned, Verdicts, diagnose, diagnose_against, judge_all, learn, survey};
pub use whatif::{OfRequest, Spared, SparedTokens, Without};
