//! Parquet files, as rows of JSON, one to a line: the formats recognise and read them like any other
//! export with the same columns. Rows are read one after another, so that memory does not grow with
//! the file.

mod page;

use std::fs::File;
use std::io::{self, Read};

use jiff::Timestamp;
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};

use self::page::Pages;
use super::json::{is_whole, quote};
use super::pump::Options;
use super::stop::Stop;
use crate::error::contain;

/// First bytes of a file.
pub(super) const MAGIC: [u8; 4] = *b"PAR1";
/// Text that is written before it is handed on.
const STEP: usize = 256 * 1024;
/// Values nested deeper are left out.
const DEPTH: usize = 16;
/// Files that are not on disk (packed, or from standard input) are held whole, up to this size.
const IN_MEMORY: u64 = 2 << 30;

/// The rows of a Parquet file as JSON lines.
pub(super) struct Rows {
    rows: RowIter<'static>,
    text: Vec<u8>,
    at: usize,
    failure: Option<io::Error>,
}

impl Rows {
    /// The rows of a file on disk.
    pub(super) fn of_file(file: File, options: &Options) -> io::Result<Self> {
        Self::new(file, options)
    }

    /// The rows of a file that comes as a stream.
    pub(super) fn of_stream(stream: impl Read, options: &Options) -> io::Result<Self> {
        let mut bytes = Vec::new();
        if stream.take(IN_MEMORY + 1).read_to_end(&mut bytes)? as u64 > IN_MEMORY {
            return Err(io::Error::other(
                "a Parquet file of more than 2 GiB that is not on disk; unpack it first",
            ));
        }
        Self::new(bytes::Bytes::from(bytes), options)
    }

    fn new(file: impl ChunkReader + 'static, options: &Options) -> io::Result<Self> {
        let pages = Pages::of(file, options.limits, options.max_record);
        let rows = contained(|| {
            let reader = SerializedFileReader::new(pages)?;
            Ok(RowIter::from_file_into(Box::new(reader)))
        })?;
        Ok(Self {
            rows,
            text: Vec::new(),
            at: 0,
            failure: None,
        })
    }

    /// Writes the next rows as text; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.at = 0;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        while self.text.len() < STEP {
            let rows = &mut self.rows;
            match contained(|| rows.next().transpose()) {
                Ok(Some(row)) => write(&row, &mut self.text),
                Ok(None) => break,
                // What was written comes first.
                Err(error) if !self.text.is_empty() => {
                    self.failure = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(!self.text.is_empty())
    }
}

impl Read for Rows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() && !self.advance()? {
            return Ok(0);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

/// What the library makes of a damaged file. Its messages may quote the contents and are not passed on.
fn contained<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> io::Result<T> {
    match contain(work) {
        Some(Ok(found)) => Ok(found),
        Some(Err(ParquetError::External(ref why)))
            if let Some(stop) = why.downcast_ref::<Stop>() =>
        {
            Err((*stop).into())
        }
        Some(Err(_)) | None => Err(io::Error::other(
            "damaged Parquet, or a feature not known here",
        )),
    }
}

fn write(row: &Row, into: &mut Vec<u8>) {
    into.push(b'{');
    for (name, value) in row.get_column_iter() {
        if matches!(value, Field::Null) {
            continue;
        }
        quote(name.as_bytes(), into);
        into.push(b':');
        match value {
            // Exports pack nested fields as JSON text; the attributes of a span stay texts.
            Field::Str(text) if !name.starts_with("attributes.") && is_whole(text.as_bytes()) => {
                // Pretty-printed, it must not end the line.
                into.extend(text.bytes().map(|b| if b == b'\n' { b' ' } else { b }));
            }
            value => write_value(value, into, DEPTH),
        }
        into.push(b',');
    }
    close(into, b'}');
    into.push(b'\n');
}

/// Replaces the comma after the last entry.
fn close(into: &mut Vec<u8>, bracket: u8) {
    match into.last_mut() {
        Some(last) if *last == b',' => *last = bracket,
        _ => into.push(bracket),
    }
}

fn write_value(value: &Field, into: &mut Vec<u8>, depth: usize) {
    match value {
        Field::Str(text) => quote(text.as_bytes(), into),
        Field::Bytes(bytes) => quote(String::from_utf8_lossy(bytes.data()).as_bytes(), into),
        Field::Bool(truth) => into.extend(truth.to_string().as_bytes()),
        Field::Byte(number) => whole(i128::from(*number), into),
        Field::Short(number) => whole(i128::from(*number), into),
        Field::Int(number) => whole(i128::from(*number), into),
        Field::Long(number) => whole(i128::from(*number), into),
        Field::UByte(number) => whole(i128::from(*number), into),
        Field::UShort(number) => whole(i128::from(*number), into),
        Field::UInt(number) => whole(i128::from(*number), into),
        Field::ULong(number) => whole(i128::from(*number), into),
        Field::Float(number) => float(f64::from(*number), into),
        Field::Double(number) => float(*number, into),
        Field::TimestampMillis(time) => instant(i128::from(*time) * 1_000_000, into),
        Field::TimestampMicros(time) => instant(i128::from(*time) * 1_000, into),
        // Few columns that matter are of these types; the library writes them as text.
        Field::Float16(_)
        | Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_) => quote(value.to_string().as_bytes(), into),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) if depth == 0 => {
            into.extend(b"null");
        }
        Field::Group(row) => {
            into.push(b'{');
            let filled = row
                .get_column_iter()
                .filter(|(_, v)| !matches!(v, Field::Null));
            for (name, value) in filled {
                quote(name.as_bytes(), into);
                into.push(b':');
                write_value(value, into, depth - 1);
                into.push(b',');
            }
            close(into, b'}');
        }
        Field::ListInternal(list) => {
            into.push(b'[');
            for item in list.elements() {
                write_value(item, into, depth - 1);
                into.push(b',');
            }
            close(into, b']');
        }
        Field::MapInternal(map) => {
            into.push(b'{');
            for (key, value) in map.entries() {
                match key {
                    Field::Str(text) => quote(text.as_bytes(), into),
                    other => quote(other.to_string().as_bytes(), into),
                }
                into.push(b':');
                write_value(value, into, depth - 1);
                into.push(b',');
            }
            close(into, b'}');
        }
        _ => into.extend(b"null"),
    }
}

fn whole(number: i128, into: &mut Vec<u8>) {
    into.extend(number.to_string().as_bytes());
}

fn float(number: f64, into: &mut Vec<u8>) {
    match number.is_finite() {
        true => into.extend(format!("{number:?}").as_bytes()),
        false => into.extend(b"null"),
    }
}

fn instant(nanos: i128, into: &mut Vec<u8>) {
    match Timestamp::from_nanosecond(nanos) {
        Ok(time) => quote(time.to_string().as_bytes(), into),
        Err(_) => into.extend(b"null"),
    }
}
