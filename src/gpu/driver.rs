//! The boundary to the driver.

use super::Round;

/// Whoever answers: the driver, or a recording of it.
pub trait Driver {
    /// Asks every device once; a round in which nobody answers says why. `None` when there will be no further
    /// one: a recorded session has ended.
    ///
    /// # Errors
    /// When a recorded session cannot be read or written.
    fn round(&mut self) -> Result<Option<Round>, Unavailable>;
}

/// Why nobody can be asked, as a sentence for the user.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);
