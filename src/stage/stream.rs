//! Rows as an Arrow IPC stream: three columns, `schema`, `key` and `body`.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Float64Array, Int64Array, LargeBinaryArray, LargeStringArray,
    RecordBatch, StringArray,
};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::row::{Kind, Row, StreamError};
use crate::aggregate::{Cell, Kind as CellKind};
use crate::error::contain;

/// How a stream ends (Arrow columnar format, "IPC Streaming Format"); a reader takes the end of a file for that as well.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// The body of a row: its own, or one of a batch that was read.
#[derive(Clone, Debug)]
pub enum Body {
    /// Bytes of its own.
    Own(Vec<u8>),
    /// A place in a column.
    In(BinaryArray, usize),
}

impl Body {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::In(column, at) => column.value(*at),
        }
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

/// What a stream says about who wrote it.
const WRITTEN_BY: [(&str, &str); 3] = [
    ("agentdiag.stream", "1"),
    ("agentdiag.version", env!("CARGO_PKG_VERSION")),
    // A digest of the sources: bodies may mean something else in another build of the same version.
    ("agentdiag.sources", env!("AGENTDIAG_SOURCES")),
];

/// A batch is written from this many rows or bytes on.
const ROWS: usize = 4096;
const BYTES: usize = 1 << 20;
/// Offsets have 32 bits, because not every engine takes wider ones.
const MOST: usize = i32::MAX as usize - BYTES;

fn schema(columns: &[Column]) -> Schema {
    let mut fields = vec![
        Field::new("schema", DataType::Utf8, false),
        Field::new("key", DataType::Binary, false),
        Field::new("body", DataType::Binary, false),
    ];
    fields.extend(columns.iter().map(|(name, kind)| {
        let kind = match kind {
            CellKind::Text => DataType::Utf8,
            CellKind::Integer => DataType::Int64,
            CellKind::Number => DataType::Float64,
            CellKind::Truth => DataType::Boolean,
        };
        Field::new(name.as_ref(), kind, true)
    }));
    let metadata = WRITTEN_BY.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Schema::new_with_metadata(fields, HashMap::from(metadata))
}

/// Name and kind of a further column.
pub type Column = (std::borrow::Cow<'static, str>, CellKind);

/// Writes rows.
pub struct Writer<W: Write> {
    columns: Vec<Column>,
    out: StreamWriter<W>,
    schema: Arc<Schema>,
    rows: Vec<Row>,
    bytes: usize,
}

impl<W: Write> Writer<W> {
    /// A stream that begins.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(out: W) -> Result<Self, StreamError> {
        Self::with_columns(out, Vec::new())
    }

    /// The same, with further columns for [`Row::cells`].
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn with_columns(out: W, columns: Vec<Column>) -> Result<Self, StreamError> {
        let schema = Arc::new(schema(&columns));
        Ok(Self {
            columns,
            out: StreamWriter::try_new(out, &schema)?,
            schema,
            rows: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn push(&mut self, row: Row) -> Result<(), StreamError> {
        let length = row.body.bytes().len();
        if length > MOST {
            return Err(StreamError::Large(row.kind.name()));
        }
        if self.bytes > 0 && self.bytes + length > BYTES {
            self.flush()?;
        }
        self.bytes += length;
        self.rows.push(row);
        if self.rows.len() >= ROWS || self.bytes > BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        let mut schemas = StringBuilder::with_capacity(self.rows.len(), 32 * self.rows.len());
        let mut keys = BinaryBuilder::with_capacity(self.rows.len(), 16 * self.rows.len());
        for row in &self.rows {
            schemas.append_value(row.kind.name());
            let key = row.key.map(u128::to_be_bytes);
            keys.append_value(key.as_ref().map_or(&[][..], |key| key));
        }
        let mut columns: Vec<Arc<dyn Array>> =
            vec![Arc::new(schemas.finish()), Arc::new(keys.finish())];
        let rows = std::mem::take(&mut self.rows);
        let further = self.columns.iter().enumerate();
        let further = further.map(|(at, (_, kind))| column(&rows, at, *kind));
        let further: Vec<_> = further.collect();
        columns.push(Arc::new(bodies(rows, self.bytes)?));
        columns.extend(further);
        self.bytes = 0;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        Ok(self.out.write(&batch)?)
    }

    /// Writes what is left, and the end.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn finish(mut self) -> Result<(), StreamError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        Ok(self.out.finish()?)
    }
}

/// The bodies as a column; a large one, which comes alone, is not copied.
fn bodies(rows: Vec<Row>, bytes: usize) -> Result<BinaryArray, ArrowError> {
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.body.bytes().len()));
    let mut rows = rows.into_iter();
    let values = match (rows.next().map(|row| row.body), rows.len()) {
        (Some(Body::Own(bytes)), 0) => bytes,
        (first, _) => {
            let mut values = Vec::with_capacity(bytes);
            for body in first.into_iter().chain(rows.map(|row| row.body)) {
                values.extend_from_slice(body.bytes());
            }
            values
        }
    };
    BinaryArray::try_new(offsets, Buffer::from_vec(values), None)
}

fn column(rows: &[Row], at: usize, kind: CellKind) -> Arc<dyn Array> {
    let cells = rows.iter().map(|row| row.cells.get(at));
    match kind {
        CellKind::Text => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }))),
        CellKind::Integer => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell {
            Some(Cell::Integer(number)) => Some(*number),
            _ => None,
        }))),
        CellKind::Number => Arc::new(Float64Array::from_iter(cells.map(|cell| match cell {
            Some(Cell::Number(number)) => Some(*number),
            _ => None,
        }))),
        CellKind::Truth => Arc::new(BooleanArray::from_iter(cells.map(|cell| match cell {
            Some(Cell::Truth(truth)) => Some(*truth),
            _ => None,
        }))),
    }
}

/// Reads rows, batch by batch.
pub struct Reader<R: Read> {
    batches: Option<StreamReader<Ahead<R>>>,
}

impl<R: Read> Reader<R> {
    /// Reads from `from`; nothing at all is a stream without rows.
    ///
    /// # Errors
    /// When it does not begin like an Arrow IPC stream.
    pub fn new(from: R) -> Result<Self, StreamError> {
        let mut from = Ahead::new(from);
        let batches = match from.has_more().map_err(ArrowError::from)? {
            true => Some(contained(|| StreamReader::try_new(from, None))?),
            false => None,
        };
        if let Some(batches) = &batches {
            let schema = batches.schema();
            is_ours(|key| schema.metadata().get(key).cloned())?;
        }
        Ok(Self { batches })
    }

    /// The rows of the next batch; `None` at the end.
    ///
    /// # Errors
    /// When the stream is damaged, cut off or of another version, or another one follows it.
    pub fn next_rows(&mut self) -> Result<Option<Vec<Row>>, StreamError> {
        let Some(batches) = &mut self.batches else {
            return Ok(None);
        };
        match contained(|| batches.next().transpose())? {
            Some(batch) => rows_of(&batch).map(Some),
            None if batches.get_mut().tail != END => Err(StreamError::CutOff),
            None if batches.get_mut().has_more().map_err(ArrowError::from)? => {
                Err(StreamError::Behind)
            }
            None => Ok(None),
        }
    }
}

/// What the library makes of bytes; where it panics, their lengths contradict each other.
fn contained<T>(work: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, StreamError> {
    let damaged = || ArrowError::IpcError("its lengths contradict each other".into());
    Ok(contain(work).unwrap_or_else(|| Err(damaged()))?)
}

/// Bodies mean the same in the build that wrote them alone. An engine in between may have left out who wrote them.
fn is_ours(said: impl Fn(&str) -> Option<String>) -> Result<(), StreamError> {
    for (key, own) in WRITTEN_BY {
        match said(key) {
            Some(other) if other != own => {
                return Err(StreamError::Version(key, other, own));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A reader that can be asked whether there is more.
struct Ahead<R> {
    next: Option<u8>,
    /// The last bytes read.
    tail: [u8; 8],
    inner: R,
}

impl<R: Read> Ahead<R> {
    fn new(inner: R) -> Self {
        Self {
            next: None,
            tail: [0; 8],
            inner,
        }
    }

    fn has_more(&mut self) -> std::io::Result<bool> {
        let mut byte = [0];
        if self.next.is_none() && self.inner.read(&mut byte)? == 1 {
            self.next = Some(byte[0]);
        }
        Ok(self.next.is_some())
    }
}

impl<R: Read> Read for Ahead<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = match (self.next.take(), into.first_mut()) {
            (Some(byte), Some(slot)) => {
                *slot = byte;
                1
            }
            (next, _) => {
                self.next = next;
                self.inner.read(into)?
            }
        };
        let read = into.get(..count).unwrap_or_default();
        for byte in &read[read.len().saturating_sub(self.tail.len())..] {
            self.tail.rotate_left(1);
            self.tail[7] = *byte;
        }
        Ok(count)
    }
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<Row>, StreamError> {
    let schemas = Texts::of(batch, "schema")?;
    let (keys, bodies) = (Blobs::of(batch, "key")?, Blobs::of(batch, "body")?);
    let row = |at| {
        let name = schemas.get(at);
        let kind = Kind::ALL.iter().copied().find(|kind| kind.name() == name);
        Ok(Row {
            kind: kind.ok_or_else(|| StreamError::Schema(name.to_owned()))?,
            key: <[u8; 16]>::try_from(keys.get(at))
                .ok()
                .map(u128::from_be_bytes),
            body: bodies.body(at),
            cells: Vec::new(),
        })
    };
    (0..batch.num_rows()).map(row).collect()
}

/// A column with offsets of 32 or of 64 bits: engines choose.
enum Wide<'a, S, L> {
    Small(&'a S),
    Large(&'a L),
}

type Texts<'a> = Wide<'a, StringArray, LargeStringArray>;
type Blobs<'a> = Wide<'a, BinaryArray, LargeBinaryArray>;

impl<'a, S: 'static, L: 'static> Wide<'a, S, L> {
    fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, StreamError> {
        let column = batch
            .column_by_name(name)
            .ok_or(StreamError::Column(name))?
            .as_any();
        let small = column.downcast_ref().map(Self::Small);
        small
            .or_else(|| column.downcast_ref().map(Self::Large))
            .ok_or(StreamError::Column(name))
    }
}

impl<'a> Texts<'a> {
    fn get(&self, at: usize) -> &'a str {
        match self {
            Self::Small(column) => column.value(at),
            Self::Large(column) => column.value(at),
        }
    }
}

impl<'a> Blobs<'a> {
    /// The body at `at`, not copied where it need not be.
    fn body(&self, at: usize) -> Body {
        match self {
            Self::Small(column) => Body::In((*column).clone(), at),
            Self::Large(column) => Body::Own(column.value(at).to_vec()),
        }
    }

    fn get(&self, at: usize) -> &'a [u8] {
        match self {
            Self::Small(column) => column.value(at),
            Self::Large(column) => column.value(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let traces = Row::new(Kind::Traces, Some(7), &"spans").unwrap();
        vec![traces, Row::new(Kind::File, None, &3u32).unwrap()]
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut out = Writer::new(&mut bytes).unwrap();
        rows().into_iter().for_each(|row| out.push(row).unwrap());
        out.finish().unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Row>, StreamError> {
        let mut reader = Reader::new(bytes)?;
        let mut rows = Vec::new();
        while let Some(more) = reader.next_rows()? {
            rows.extend(more);
        }
        Ok(rows)
    }

    #[test]
    fn rows_come_back_and_a_second_stream_is_not_passed_over() {
        let once = written();
        assert_eq!(read(&once).unwrap(), rows());
        assert!(read(&[once.clone(), once].concat()).is_err());
        assert!(read(b"").unwrap().is_empty());
        assert_eq!(rows()[1].read::<u32>().unwrap(), 3);
    }

    #[test]
    fn streams_of_other_versions_and_builds_are_refused() {
        assert!(is_ours(|_| None).is_ok());
        let own = [
            ("agentdiag.version", env!("CARGO_PKG_VERSION")),
            ("agentdiag.sources", env!("AGENTDIAG_SOURCES")),
        ];
        for (key, own) in own {
            let refused = is_ours(|asked| (asked == key).then(|| "0.0.9".to_owned()));
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.contains("0.0.9") && refused.contains(own),
                "{refused}"
            );
        }
    }

    #[test]
    fn one_wrong_byte_is_an_error_or_another_row() {
        let whole = written();
        for at in 0..whole.len() {
            for wrong in [0, 0x7f, 0xff, whole[at] ^ 1, whole[at] ^ 0x80] {
                let mut bytes = whole.clone();
                bytes[at] = wrong;
                drop(read(&bytes));
            }
        }
    }

    #[test]
    fn what_is_no_stream_is_refused_and_so_is_half_of_one() {
        assert!(read(b"{\"resourceSpans\": []}").is_err());
        let whole = written();
        for cut in [10, whole.len() / 2, whole.len() - 20, whole.len() - 8] {
            assert!(read(&whole[..cut]).is_err(), "{cut} of {}", whole.len());
        }
        assert!(
            Row {
                body: Body::Own(vec![0xff; 3]),
                ..rows().remove(0)
            }
            .read::<String>()
            .is_err()
        );
    }
}
