//! What a dump is compared with: another dump, or a period saved by `agentdiag baseline`.

use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::drift::is_saved;
use super::load::Inputs;
use super::room::Room;
use crate::aggregate::Profile;
use crate::baseline::{Norms, Work, work};
use crate::budget::Reference;
use crate::diagnose;
use crate::error::Error;
use crate::quantity::{self, Source};
use crate::saved::Saved;

/// A healthy period, and the dump it was learned from where that is at hand.
pub(super) struct Known {
    pub(super) saved: Saved,
    pub(super) dump: Option<Analysis>,
    /// Work of the dump by its own norms.
    work: Vec<Option<Work>>,
}

impl Known {
    /// Reads it, whichever it is; `like` says how a dump is to be read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(path: &Path, like: &Inputs, rule: diagnose::Options) -> Result<Self, Error> {
        if is_saved(path) {
            let saved = Saved::read(path).map_err(|error| Error::File(error.to_string()))?;
            return Ok(Self {
                saved,
                dump: None,
                work: Vec::new(),
            });
        }
        let inputs = Inputs {
            paths: vec![PathBuf::from(path)],
            baseline: None,
            ..like.clone()
        };
        Self::by_itself(Analysis::run(&inputs, rule)?, rule, like.room())
    }

    /// What a dump says is normal, with its requests judged by that: by the same measure as what is compared with it.
    ///
    /// # Errors
    /// As [`Room::diagnose`].
    pub(super) fn by_itself(
        analysis: Analysis,
        rule: diagnose::Options,
        room: Room,
    ) -> Result<Self, Error> {
        let mut known = Self::of(analysis);
        if let Some(dump) = &mut known.dump {
            let norms = Some(&known.saved.norms);
            dump.verdicts = room.diagnose(&mut dump.loaded, (&rule, norms))?;
        }
        Ok(known)
    }

    /// What is saved of it.
    pub(super) fn into_saved(mut self) -> Saved {
        let source = self.dump.as_ref().map(|dump| source(dump, &self.work));
        if let Some(source) = source {
            quantity::keep(&mut self.saved.profile, &source);
        }
        self.saved
    }

    /// What a dump says is normal.
    pub(super) fn of(analysis: Analysis) -> Self {
        let (data, forest) = (&analysis.loaded.dataset, &analysis.loaded.forest);
        let profile = Profile::learn(data, forest, &analysis.sums.per_request);
        let norms = Norms::learn(data, forest);
        let work = work(data, forest, &norms);
        let saved = Saved::new(norms, profile);
        Self {
            work,
            saved,
            dump: Some(analysis),
        }
    }

    /// Its requests; absent for a saved period.
    pub(super) fn source(&self) -> Option<Source<'_>> {
        self.dump.as_ref().map(|dump| source(dump, &self.work))
    }

    /// As budgets see it.
    pub(super) fn reference(&self) -> Reference<'_> {
        Reference {
            profile: &self.saved.profile,
            dump: self.source(),
        }
    }
}

/// The requests of a dump with what was found about them.
pub(super) fn source<'a>(analysis: &'a Analysis, work: &'a [Option<Work>]) -> Source<'a> {
    let loaded = &analysis.loaded;
    Source::new(
        (&loaded.dataset, &loaded.forest),
        &analysis.verdicts.diagnoses,
        &analysis.sums.per_request,
        work,
    )
}
