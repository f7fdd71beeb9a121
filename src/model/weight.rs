//! How much memory tables take.

use super::Dataset;

/// What the rows of a list take.
#[must_use]
pub fn weight<T>(list: &[T]) -> u64 {
    size_of_val(list) as u64
}

impl Dataset {
    /// Bytes that its tables take; what few dumps have much of (their ledger, their inputs) is not among it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let series = self.series.iter().map(|series| weight(&series.points));
        let tables = [
            weight(&self.records),
            weight(&self.spans),
            self.llm.bytes(),
            self.tools.bytes(),
            self.names.bytes(),
            self.traces.bytes(),
            weight(&self.series),
            weight(&self.events),
            series.sum(),
        ];
        self.bytes_aside() + tables.into_iter().sum::<u64>()
    }

    /// Of these, what judging requests has no need of: where spans come from, and facts of what is no call.
    #[must_use]
    pub fn bytes_aside(&self) -> u64 {
        weight(&self.origins)
            + weight(&self.tasks)
            + weight(&self.https)
            + weight(&self.links)
            + weight(&self.rounds)
            + weight(&self.exemplars)
            + weight(&self.logs)
    }
}
