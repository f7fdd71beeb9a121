//! How much memory judging takes beside what is judged.

use super::Diagnosis;
use super::volume::Seen;
use super::witnesses::Around;
use crate::baseline::{Call, Pauses};
use crate::model::Dataset;
use crate::trace::Forest;

/// Bytes per operation for which call or tool it is, and whether it is left out.
const NUMBERS: usize = 10;
/// Bytes per model call for what company it had: its entry in the windows, its place among the sums over them, its
/// site, and lists of few calls.
const COMPANY: usize = 24;
/// Bytes of the verdict over a request beside the verdict itself: claims, evidence, rivals. Most say nothing; those of
/// slow ones take some kilobytes.
const CLAIMS: usize = 200;

/// Bytes that judging takes, step by step, about.
#[derive(Clone, Copy, Debug)]
pub struct Needed {
    /// What is measured first, and stays.
    pub survey: u64,
    /// What each pass adds.
    pub pass: u64,
    /// What verdicts add.
    pub verdicts: u64,
}

impl Needed {
    /// For the requests of `forest`.
    #[must_use]
    pub fn by(dataset: &Dataset, forest: &Forest) -> Self {
        let all = |count: usize, bytes: usize| count as u64 * bytes as u64;
        let (calls, requests) = (dataset.llm.len(), forest.requests.len());
        let pauses = forest.ops.len() + forest.lanes.len();
        let measured = all(calls, size_of::<Call>()) + all(pauses, Pauses::EACH);
        let around = all(requests, size_of::<Around>() + 2 * size_of::<u32>());
        Self {
            survey: measured + all(forest.ops.len(), NUMBERS),
            pass: all(calls, size_of::<Seen>() + COMPANY) + around,
            verdicts: all(requests, size_of::<Diagnosis>() + CLAIMS),
        }
    }
}
