//! What an input may not exceed.

use clap::Args;

use crate::commands::load;
use crate::units::Bytes;

/// Limits against damaged and hostile inputs. What exceeds one is left out, counted and named with file and byte offset.
#[derive(Debug, Args)]
pub struct Limits {
    /// Largest record: a line, a document's element, a message; also the largest page of a Parquet file
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "512MiB",
        help_heading = "Limits",
        hide_short_help = true
    )]
    pub max_record: Bytes,

    /// Longest name, text or message of a record
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "64MiB",
        help_heading = "Limits",
        hide_short_help = true
    )]
    pub max_text: Bytes,

    /// Most attributes of a span, event, log record or sample, of those that are looked at
    #[arg(
        long,
        value_name = "N",
        default_value_t = load::Limits::default().attributes,
        help_heading = "Limits",
        hide_short_help = true
    )]
    pub max_attributes: u32,

    /// Deepest nesting of values, and of spans inside spans: 1 to 250
    ///
    /// Protobuf messages are read to about 30 levels.
    #[arg(
        long,
        value_name = "LEVELS",
        default_value_t = load::Limits::default().nesting,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(load::Limits::DEEPEST)),
        help_heading = "Limits",
        hide_short_help = true
    )]
    pub max_nesting: u16,

    /// Most bytes that one stored byte may unpack to, once 256 MiB are unpacked, or 64 MiB of one Parquet page
    ///
    /// Exports pack about 10 to 40 times; a file that packs far better was made to fill memory or disks.
    #[arg(
        long,
        value_name = "TIMES",
        default_value_t = load::Limits::default().ratio,
        value_parser = clap::value_parser!(u32).range(1..),
        help_heading = "Limits",
        hide_short_help = true
    )]
    pub max_ratio: u32,
}

impl Limits {
    /// What was meant.
    #[must_use]
    pub fn options(&self) -> load::Limits {
        load::Limits {
            nesting: self.max_nesting,
            text: self.max_text.0,
            attributes: self.max_attributes,
            ratio: self.max_ratio,
        }
    }
}
