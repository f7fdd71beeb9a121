//! One reader alone, over bytes in memory and on the thread at hand: what fuzz targets run. Whole inputs
//! are read by [`read_all`](super::read_all).

use std::io::{self, Cursor};

use super::feed::{Feed, Spare};
use super::formats::Format;
use super::outlet::Outlet;
use super::pump::Options;
use super::sink::Sink;
use super::sniff::layout_as;
use super::split::Splitter;
use super::taken::TakenAt;
use super::unpack::unpack;
use crate::model::Input;

/// Reads `bytes`, which are not packed, as `format` and counts their records; `None` when they do not
/// begin like it.
pub fn read_as(
    format: &'static Format,
    bytes: &[u8],
    options: &Options,
    sink: &mut dyn Sink,
) -> Option<Input> {
    let spare = Spare::default();
    let mut feed = Feed::new(Box::new(bytes), options.max_unpacked, &spare);
    // All of it at once, without a block of the usual size: fuzzing reads little, and often.
    feed.fill(bytes.len().saturating_add(1));
    let layout = layout_as(format, feed.bytes(), feed.ended())?;
    let mut splitter = Splitter::new(0, feed, layout, options.max_record);
    let taken = TakenAt::of(&options.taken, "");
    let mut counts = Input::default();
    for chunk in &mut splitter {
        let mut out = Outlet::new(sink, &mut counts, chunk.file, chunk.offset)
            .taken_at(taken)
            .within(options.limits);
        (format.decode)(&chunk, &mut out);
        spare.give(chunk.bytes);
    }
    sink.ledger().absorb(splitter.ledger);
    Some(counts)
}

/// Unpacks `bytes` and counts what comes out, up to `limit`.
///
/// # Errors
/// When the packing is damaged.
pub fn unpacked_length(bytes: &[u8], limit: u64) -> io::Result<u64> {
    let (unpacked, _) = unpack(Box::new(Cursor::new(bytes.to_vec())), &Options::default())?;
    io::copy(&mut io::Read::take(unpacked, limit), &mut io::sink())
}
