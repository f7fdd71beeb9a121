//! Tables that a step has no need of, put into a temporary file and brought back.

use std::io;

use super::load::Loaded;
use super::shelf::{self, Away, Row, Shelf};
use crate::diagnose::{Diagnosis, Judged, OfRequest};
use crate::model::{
    Exemplar, HttpCall, Link, LogRecord, Origin, PackedCall, PackedTool, RareFigures, RareTool,
    Round, SpanIx, TaskFacts,
};

/// Of these there are few, or each is another size.
macro_rules! plain {
    ($($row:ty),*) => {
        $(impl Row for $row {
            fn write(rows: &[Self], bytes: &mut Vec<u8>) -> io::Result<()> {
                shelf::write_plain(rows, bytes)
            }

            fn read(bytes: &[u8], into: &mut Vec<Self>) -> io::Result<()> {
                shelf::read_plain(bytes, into)
            }
        })*
    };
}

/// Of these there may be one for each span.
macro_rules! words {
    ($($row:ty),*) => {
        $(impl Row for $row {
            fn write(rows: &[Self], bytes: &mut Vec<u8>) -> io::Result<()> {
                shelf::write_words(rows, bytes);
                Ok(())
            }

            fn read(bytes: &[u8], into: &mut Vec<Self>) -> io::Result<()> {
                shelf::read_words(bytes, into)
            }
        })*
    };
}

words!(Origin, SpanIx, PackedCall, PackedTool);
plain!(
    TaskFacts,
    HttpCall,
    Link,
    Round,
    Exemplar,
    LogRecord,
    RareFigures,
    RareTool,
    Diagnosis,
    (u32, OfRequest)
);

/// Where spans come from, and what they hang under: only what is shown needs it.
pub(super) struct Origins {
    origins: Away<Origin>,
    parents: Away<SpanIx>,
}

impl Origins {
    /// # Errors
    /// When the file cannot take them.
    pub(super) fn put(loaded: &mut Loaded, shelf: &Shelf) -> io::Result<Self> {
        let Loaded { dataset, forest } = loaded;
        Ok(Self {
            origins: shelf.put(std::mem::take(&mut dataset.origins))?,
            parents: shelf.put(std::mem::take(&mut forest.tree.parent))?,
        })
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn back(self, loaded: &mut Loaded, shelf: &Shelf) -> io::Result<()> {
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
    pub(super) fn put(loaded: &mut Loaded, shelf: &Shelf) -> io::Result<Self> {
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
    pub(super) fn back(self, loaded: &mut Loaded, shelf: &Shelf) -> io::Result<()> {
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

/// Facts of calls: once requests are measured, they are not looked at until sums are made.
pub(super) struct Calls {
    models: (Away<PackedCall>, Away<RareFigures>),
    tools: (Away<PackedTool>, Away<RareTool>),
}

impl Calls {
    /// # Errors
    /// When the file cannot take them.
    pub(super) fn put(loaded: &mut Loaded, shelf: &Shelf) -> io::Result<Self> {
        let dataset = &mut loaded.dataset;
        let (calls, rare) = dataset.llm.take_rows();
        let models = (shelf.put(calls)?, shelf.put(rare)?);
        let (calls, rare) = dataset.tools.take_rows();
        let tools = (shelf.put(calls)?, shelf.put(rare)?);
        Ok(Self { models, tools })
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn back(self, loaded: &mut Loaded, shelf: &Shelf) -> io::Result<()> {
        let Self { models, tools } = self;
        let (models, tools) = rayon::join(
            || Ok::<_, io::Error>((shelf.take(models.0)?, shelf.take(models.1)?)),
            || Ok::<_, io::Error>((shelf.take(tools.0)?, shelf.take(tools.1)?)),
        );
        loaded.dataset.llm.put_rows(models?);
        loaded.dataset.tools.put_rows(tools?);
        Ok(())
    }
}

/// Verdicts as they are reached.
#[derive(Default)]
pub(super) struct Verdicts {
    diagnoses: Away<Diagnosis>,
    without: Away<(u32, OfRequest)>,
}

impl Verdicts {
    /// # Errors
    /// When the file cannot take them.
    pub(super) fn add(&mut self, judged: Judged, shelf: &Shelf) -> io::Result<()> {
        shelf.add(&mut self.diagnoses, judged.diagnoses)?;
        shelf.add(&mut self.without, judged.without)
    }

    /// # Errors
    /// When the file cannot be read.
    pub(super) fn back(self, shelf: &Shelf) -> io::Result<Judged> {
        Ok(Judged {
            diagnoses: shelf.take(self.diagnoses)?,
            without: shelf.take(self.without)?,
        })
    }
}
