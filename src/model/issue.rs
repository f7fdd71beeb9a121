//! The ledger: every record that was skipped, mended or guessed, counted, with one example.
//!
//! Folding is commutative and associative (counts add, the earliest place wins), so the ledger does
//! not depend on threads or on the order of chunks.

use std::collections::BTreeMap;

/// Where in the input something stands.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Place {
    /// Index into [`Dataset::inputs`](super::Dataset::inputs).
    pub file: u32,
    /// Byte offset in the (decompressed) file, in 256-byte steps for spans; see [`Place::at`].
    pub block: u32,
}

impl Place {
    /// The place of byte `offset` of input `file`. Kept to 256 bytes, which names the record while
    /// leaving a span small.
    #[must_use]
    pub fn at(file: u32, offset: u64) -> Self {
        Self {
            file,
            block: u32::try_from(offset / 256).unwrap_or(u32::MAX),
        }
    }
}

/// How much an entry weakens the conclusions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Mended or guessed; the figures rest on it.
    Repaired,
    /// Part of the input is missing from the result.
    DataLoss,
    /// A whole input could not be read.
    Error,
}

impl Severity {
    /// One lower-case word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Repaired => "repaired",
            Self::DataLoss => "data_loss",
            Self::Error => "error",
        }
    }
}

macro_rules! issue_kinds {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $severity:ident, $hint:literal;)*) => {
        /// What can go wrong with an input, one entry each.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        pub enum IssueKind { $($(#[$doc])* $variant,)* }

        impl IssueKind {
            /// Stable identifier, as in the JSON output.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }
            /// How much it weakens the conclusions.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
            /// What the reader can do about it.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

issue_kinds! {
    /// The input holds no bytes.
    EmptyInput = "empty_input", Error, "check that the export finished";
    /// The input could not be opened or read.
    Unreadable = "unreadable_input", Error, "check the path and its permissions";
    /// Reading the input did not come to its end, however often it was tried.
    GivenUp = "given_up_input", Error, "run `agentdiag analyze` on this input alone to see why; then leave it out, or give each task more memory or time";
    /// No known format fits.
    UnknownFormat = "unknown_format", Error, "`agentdiag formats` lists what can be read; export OTLP/JSON where you can";
    /// Known, but nothing in it serves a diagnosis yet.
    UnsupportedFormat = "unsupported_format", Error, "`agentdiag formats` lists what can be read; export OTLP/JSON where you can";
    /// The compressed stream ends early or is damaged.
    DamagedCompression = "damaged_compression", DataLoss, "copy the file again; what could be unpacked was used";
    /// A file became shorter while it was read.
    ShrunkInput = "shrunk_input", DataLoss, "what was read before was used; run again when nothing writes to the file";
    /// A file became longer while it was read.
    GrownInput = "grown_input", Info, "it was read as it was when opened; run again for what was added";
    /// The rest of an input is zero bytes.
    ZeroFilled = "zero_filled", DataLoss, "a sparse or preallocated file, or one that a full disk cut off; what comes before was used";
    /// An input unpacks to far more than its size.
    UnpackedLimit = "unpacked_limit", DataLoss, "what was unpacked up to the limit was used; raise --max-ratio if you trust the file";
    /// The last record is cut off.
    TruncatedRecord = "truncated_record", DataLoss, "the writer stopped or the copy is short; records before it were used";
    /// A record is not well-formed.
    MalformedRecord = "malformed_record", DataLoss, "the record was skipped; look at the byte offset named";
    /// A record was well-formed but too large or too deeply nested.
    OversizedRecord = "oversized_record", DataLoss, "what exceeds the limit was left out; the option that raises it is named";
    /// Bytes that are not UTF-8 inside a text.
    InvalidUtf8 = "invalid_utf8", Repaired, "the bytes were replaced; names may look odd";
    /// A number is not finite, negative where it cannot be, or out of range.
    BadNumber = "bad_number", DataLoss, "the value was left out, as if it had not been exported";
    /// An id is missing or all zeros.
    BadId = "bad_id", DataLoss, "spans without a usable trace id or span id cannot be placed in a trace";
    /// An id is written in an unusual way and was converted.
    OddId = "odd_id", Info, "ids were converted to hex";
    /// A value has a type the field cannot have.
    WrongType = "wrong_type", DataLoss, "the value was left out, as if it had not been exported";
    /// The exporter itself says it dropped attributes, events or links.
    ExporterDropped = "exporter_dropped", DataLoss, "raise the SDK's attribute limits; token counts may be among what was dropped";
    /// The same span twice.
    DuplicateSpan = "duplicate_span", Repaired, "exact copies are counted once (retried export or overlapping files)";
    /// The same span id with different contents.
    ConflictingSpan = "conflicting_span", Repaired, "the more complete record was kept";
    /// A span without an end.
    UnfinishedSpan = "unfinished_span", Repaired, "it was closed at the end of what it contains and is not judged";
    /// A span without a start.
    NoStart = "no_start", DataLoss, "such a span is placed at its end, without a duration; without both it is left out";
    /// A span ends before it starts.
    ReversedSpan = "reversed_span", Repaired, "it was given no duration; look at the emitter's clock";
    /// Parents that form a circle.
    ParentCycle = "parent_cycle", Repaired, "the circle was opened at its earliest span";
    /// The parent is not in the dump.
    OrphanSpan = "orphan_span", Repaired, "the span was hung under what contains it; sampling or a lost export removed the parent";
    /// No parent is named where spans of the kind name one.
    LostParent = "lost_parent", Repaired, "the span was hung under what contains it; context was lost inside the process";
    /// A trace without a complete root.
    MissingRoot = "missing_root", Repaired, "the request is measured from its first to its last span";
    /// A service's clock was off and was corrected within bounds.
    ClockSkew = "clock_skew", Repaired, "times of the service were shifted to fit between request and answer";
    /// A span sticks out of its parent.
    OutsideParent = "outside_parent", Info, "asynchronous work, or clocks that differ by milliseconds";
    /// A trace fragment was joined to the request it belongs to.
    StitchedFragment = "stitched_fragment", Repaired, "context was lost between services; the join names its evidence";
    /// The same call recorded by two instrumentations.
    TwinCall = "twin_call", Repaired, "the call is counted once";
    /// Two vocabularies disagree on one figure of one span.
    ConflictingFigure = "conflicting_figure", Info, "the more trusted of the two was used";
    /// Cached tokens were added to, or left inside, the input by assumption.
    AssumedCacheBasis = "assumed_cache_basis", Repaired, "the emitter does not say whether input includes cached tokens";
    /// A roll-up and the sum of the calls below it disagree.
    RollupMismatch = "rollup_mismatch", Info, "some calls may not have been traced";
    /// Metric samples without a time.
    UntimedMetrics = "untimed_metrics", DataLoss, "samples without a time were left out; say when the snapshot was taken with --at TIME or --at FILE=TIME";
    /// Cluster events with relative ages only.
    UntimedEvents = "untimed_events", DataLoss, "ages are relative; say when the table was taken with --at, or export with -o json";
    /// Records placed at the time that the user gave for their file.
    AssumedTime = "assumed_time", Info, "they were placed at the time given with --at";
    /// The system the export comes from says that records are missing from it.
    PartialExport = "partial_export", DataLoss, "the server left records out (a limit or a filter); fetch again with a higher limit";
    /// A file in a folder that holds no telemetry.
    SkippedFile = "skipped_file", Info, "it does not look like an export; name the file itself if it is one";
    /// Older files of a set that the collector rotates lie beside the one named.
    RotatedSet = "rotated_set", Info, "name the folder, or a quoted glob, to read the older files as well";
    /// The same file was named twice.
    RepeatedInput = "repeated_input", Info, "the file was read once";
    /// Records of a kind that the analysis does not use.
    UnusedRecords = "unused_records", Info, "read and counted, not used";
}

/// One thing that happened to one record.
#[derive(Clone, Debug)]
pub struct Issue {
    /// What happened.
    pub kind: IssueKind,
    /// Where.
    pub place: Place,
    /// Exact byte offset, when `place` is too coarse.
    pub offset: Option<u64>,
    /// Structure only (field, expectation), never a value that may be content.
    pub detail: String,
}

/// Count and first example of one kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// Earliest place.
    pub place: Place,
    /// Exact byte offset of the example.
    pub offset: Option<u64>,
    /// What the example says.
    pub detail: String,
}

/// All tallies, by kind and file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ledger {
    tallies: BTreeMap<(IssueKind, u32), Tally>,
}

impl Ledger {
    /// Records one issue.
    pub fn add(&mut self, issue: Issue) {
        self.add_many(issue, 1);
    }

    /// Records `count` issues that share an example.
    pub fn add_many(&mut self, issue: Issue, count: u64) {
        let Issue {
            kind,
            place,
            offset,
            detail,
        } = issue;
        self.fold(
            (kind, place.file),
            Tally {
                count,
                place,
                offset,
                detail,
            },
        );
    }

    /// Counts one more without building a message when the kind is already known for the file.
    pub fn count(&mut self, kind: IssueKind, place: Place, detail: impl FnOnce() -> String) {
        match self.tallies.get_mut(&(kind, place.file)) {
            Some(tally) if tally.place <= place => tally.count += 1,
            _ => self.add(Issue {
                kind,
                place,
                offset: None,
                detail: detail(),
            }),
        }
    }

    /// The same where the order in which records are met depends on which others there are: of several at one place
    /// the example does not depend on it.
    pub fn note(&mut self, kind: IssueKind, place: Place, detail: impl FnOnce() -> String) {
        match self.tallies.get_mut(&(kind, place.file)) {
            Some(tally) if tally.place < place => tally.count += 1,
            _ => self.add(Issue {
                kind,
                place,
                offset: None,
                detail: detail(),
            }),
        }
    }

    /// Takes in another ledger.
    pub fn absorb(&mut self, other: Self) {
        for (key, tally) in other.tallies {
            self.fold(key, tally);
        }
    }

    fn fold(&mut self, key: (IssueKind, u32), tally: Tally) {
        let rank = |t: &Tally| (t.place, t.offset, t.detail.clone());
        match self.tallies.get_mut(&key) {
            None => {
                self.tallies.insert(key, tally);
            }
            Some(known) => {
                let count = known.count + tally.count;
                if rank(&tally) < rank(known) {
                    *known = tally;
                }
                known.count = count;
            }
        }
    }

    /// The same with other numbers for the files.
    #[must_use]
    pub fn renumbered(self, number: impl Fn(u32) -> u32) -> Self {
        let mut renumbered = Self::default();
        for ((kind, file), mut tally) in self.tallies {
            tally.place.file = number(file);
            renumbered.fold((kind, tally.place.file), tally);
        }
        renumbered
    }

    /// Every kind with its file and tally, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = (IssueKind, u32, &Tally)> {
        self.tallies
            .iter()
            .map(|(&(kind, file), tally)| (kind, file, tally))
    }

    /// How often `kind` happened over all files.
    #[must_use]
    pub fn total(&self, kind: IssueKind) -> u64 {
        self.iter()
            .filter(|(k, ..)| *k == kind)
            .map(|(.., t)| t.count)
            .sum()
    }

    /// The worst severity present.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.iter().map(|(kind, ..)| kind.severity()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(offset: u64) -> Issue {
        Issue {
            kind: IssueKind::MalformedRecord,
            place: Place::at(0, offset),
            offset: Some(offset),
            detail: format!("at {offset}"),
        }
    }

    #[test]
    fn folding_does_not_depend_on_order() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        for o in [700, 100, 100_000] {
            a.add(issue(o));
        }
        for o in [100_000, 700, 100] {
            b.add(issue(o));
        }
        assert_eq!(a, b);
        assert_eq!(a.total(IssueKind::MalformedRecord), 3);
        assert_eq!(a.iter().next().and_then(|(.., t)| t.offset), Some(100));
    }

    #[test]
    fn the_worst_severity_wins() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.worst(), None);
        ledger.count(IssueKind::OddId, Place::default(), String::new);
        ledger.add(issue(1));
        assert_eq!(ledger.worst(), Some(Severity::DataLoss));
    }
}
