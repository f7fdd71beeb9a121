//! Metrics as `OpenMetrics` text.

use std::io::Write;
use std::path::Path;

use crate::aggregate;
use crate::commands::load::{Inputs, Loaded};
use crate::commands::output::write_file;
use crate::error::{Error, Outcome};
use crate::export::openmetrics::{self, ExportError};
use crate::export::{self};
use crate::units::Nanos;

/// Writes the metrics of the inputs to a file, or to `out`.
pub(super) fn write(
    inputs: &Inputs,
    step: Nanos,
    output: Option<&Path>,
    out: impl Write,
) -> Result<Outcome, Error> {
    let prices = inputs.prices()?;
    let (loaded, priced) = inputs.on_threads(|progress| {
        let loaded = Loaded::read(inputs, progress)?;
        let priced = aggregate::priced_calls(&loaded.dataset, &loaded.forest, &prices);
        Ok((loaded, priced))
    })?;
    let families = export::families(&loaded.dataset, &loaded.forest, &priced);
    openmetrics::check(&families, step).map_err(refused)?;
    let text = |out: &mut dyn Write| openmetrics::write(&families, &loaded.dataset, step, out);
    match output {
        Some(path) => write_file(path, text)?,
        None => {
            let mut out = out;
            text(&mut out)?;
        }
    }
    Ok(Outcome::Done)
}

fn refused(error: ExportError) -> Error {
    Error::Usage(error.to_string())
}
