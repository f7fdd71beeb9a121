//! Tables that a step has no need of, put into a temporary file and brought back.

use std::io;

use super::load::Loaded;
use super::shelf::{Away, Shelf};
use crate::model::{Exemplar, HttpCall, Link, LogRecord, Origin, Round, SpanIx, TaskFacts};

/// Where spans come from, and what they hang under: only what is shown needs it.
pub(super) struct Origins {
    origins: Away<Origin>,
    parents: Away<SpanIx>,
}

impl Origins {
    /// # Errors
    /// When the file cannot take them.
    pub(super) fn put(loaded: &mut Loaded, shelf: &mut Shelf) -> io::Result<Self> {
        let Loaded { dataset, forest } = loaded;
        Ok(Self {
            origins: shelf.put(std::mem::take(&mut dataset.origins))?,
            parents: shelf.put(std::mem::take(&mut forest.tree.parent))?,
        })
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn back(self, loaded: &mut Loaded, shelf: &mut Shelf) -> io::Result<()> {
        loaded.dataset.origins = shelf.take(self.origins)?;
        loaded.forest.tree.parent = shelf.take(self.parents)?;
        Ok(())
    }
}

/// Tables that judging requests has no need of.
pub(super) struct Aside {
    tasks: Away<TaskFacts>,
    https: Away<HttpCall>,
    links: Away<Link>,
    rounds: Away<Round>,
    exemplars: Away<Exemplar>,
    logs: Away<LogRecord>,
}

impl Aside {
    /// # Errors
    /// When the file cannot take them.
    pub(super) fn put(loaded: &mut Loaded, shelf: &mut Shelf) -> io::Result<Self> {
        let dataset = &mut loaded.dataset;
        Ok(Self {
            tasks: shelf.put(std::mem::take(&mut dataset.tasks))?,
            https: shelf.put(std::mem::take(&mut dataset.https))?,
            links: shelf.put(std::mem::take(&mut dataset.links))?,
            rounds: shelf.put(std::mem::take(&mut dataset.rounds))?,
            exemplars: shelf.put(std::mem::take(&mut dataset.exemplars))?,
            logs: shelf.put(std::mem::take(&mut dataset.logs))?,
        })
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn back(self, loaded: &mut Loaded, shelf: &mut Shelf) -> io::Result<()> {
        let dataset = &mut loaded.dataset;
        dataset.tasks = shelf.take(self.tasks)?;
        dataset.https = shelf.take(self.https)?;
        dataset.links = shelf.take(self.links)?;
        dataset.rounds = shelf.take(self.rounds)?;
        dataset.exemplars = shelf.take(self.exemplars)?;
        dataset.logs = shelf.take(self.logs)?;
        Ok(())
    }
}
