//! Why reading ends before an input does, where that is no failure of the system.

use std::io;

use crate::model::IssueKind;

/// The reason, carried through readers as an [`io::Error`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The file ends before the size it had when it was opened.
    #[error("the file became shorter while it was read")]
    Shrunk,
    /// A long run of zero bytes: a hole, or space that was reserved and never written.
    #[error("from here on it holds zero bytes only, which were not read")]
    Zeros,
    /// It unpacks to more than the allowed multiple of its size.
    #[error("it unpacks to more than {0} times its size; --max-ratio raises the limit")]
    Ratio(u32),
    /// A part of it that can only be unpacked at once, a Parquet page, is larger than a record may be.
    #[error("a page of it unpacks to more than {0} bytes; --max-record raises the limit")]
    Page(usize),
    /// It unpacks to more than is read of one input.
    #[error("the limit for unpacked data was reached")]
    Length,
}

impl Stop {
    /// The reason in `error`, when it is one of these.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// What the ledger calls it.
    pub(super) fn kind(self) -> IssueKind {
        match self {
            Self::Shrunk => IssueKind::ShrunkInput,
            Self::Zeros => IssueKind::ZeroFilled,
            Self::Ratio(_) | Self::Page(_) | Self::Length => IssueKind::UnpackedLimit,
        }
    }
}

impl From<Stop> for io::Error {
    fn from(stop: Stop) -> Self {
        Self::other(stop)
    }
}
