//! Tables as Parquet files: the one place that speaks polars. Rows go in, bytes come out.

use std::io::{self, Write};

use polars::prelude::*;
use polars_io::parquet::write::{BatchedWriter, ParquetWriter};

use super::columns::{Cell, Kind};

/// Values of one column; a value of another type than the column's becomes null.
enum Values {
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i64>>),
    Number(Vec<Option<f64>>),
    Truth(Vec<Option<bool>>),
}

impl Values {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Truth => Self::Truth(Vec::new()),
        }
    }

    fn push(&mut self, cell: Cell) {
        match (self, cell) {
            (Self::Text(list), Cell::Text(text)) => list.push(Some(text)),
            (Self::Integer(list), Cell::Integer(number)) => list.push(Some(number)),
            (Self::Number(list), Cell::Number(number)) => list.push(Some(number)),
            (Self::Truth(list), Cell::Truth(truth)) => list.push(Some(truth)),
            (Self::Text(list), _) => list.push(None),
            (Self::Integer(list), _) => list.push(None),
            (Self::Number(list), _) => list.push(None),
            (Self::Truth(list), _) => list.push(None),
        }
    }

    fn take(&mut self, name: &str) -> Column {
        let name = name.into();
        match self {
            Self::Text(list) => Series::new(name, std::mem::take(list)),
            Self::Integer(list) => Series::new(name, std::mem::take(list)),
            Self::Number(list) => Series::new(name, std::mem::take(list)),
            Self::Truth(list) => Series::new(name, std::mem::take(list)),
        }
        .into_column()
    }
}

/// Rows of one row group: enough for columns to compress, few enough to hold.
const ROWS: usize = 1 << 16;

/// A Parquet file being written, one row group at a time.
pub struct Parquet<W: Write> {
    writer: BatchedWriter<W>,
    columns: Vec<(String, Values)>,
    rows: usize,
}

impl<W: Write> Parquet<W> {
    /// Begins a file with these columns.
    ///
    /// # Errors
    /// When `out` cannot be written, as for all methods here.
    pub fn new(out: W, columns: &[(&str, Kind)]) -> io::Result<Self> {
        let fields = columns
            .iter()
            .map(|(name, kind)| Field::new((*name).into(), data_type(*kind)));
        let schema = Schema::from_iter(fields);
        Ok(Self {
            writer: ParquetWriter::new(out).batched(&schema).map_err(fault)?,
            columns: columns
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), Values::of(*kind)))
                .collect(),
            rows: 0,
        })
    }

    /// Adds a row, one cell per column.
    ///
    /// # Errors
    /// See [`Parquet::new`].
    pub fn row(&mut self, cells: impl Iterator<Item = Cell>) -> io::Result<()> {
        let mut cells = cells.chain(std::iter::repeat(Cell::Null));
        for (_, values) in &mut self.columns {
            values.push(cells.next().unwrap_or(Cell::Null));
        }
        self.rows += 1;
        if self.rows == ROWS {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left, and the index at the end of the file.
    ///
    /// # Errors
    /// See [`Parquet::new`].
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.finish().map_err(fault).map(|_| ())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let columns = self.columns.iter_mut();
        let columns = columns.map(|(name, values)| values.take(name)).collect();
        let frame = DataFrame::new(self.rows, columns).map_err(fault)?;
        self.rows = 0;
        self.writer.write_batch(&frame).map_err(fault)
    }
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::String,
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Truth => DataType::Boolean,
    }
}

fn fault(error: PolarsError) -> io::Error {
    match error {
        PolarsError::IO { error, .. } => io::Error::new(error.kind(), error.to_string()),
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars_io::prelude::{ParquetReader, SerReader};

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let columns = [
            ("name", Kind::Text),
            ("n", Kind::Integer),
            ("x", Kind::Number),
            ("yes", Kind::Truth),
        ];
        let mut bytes = Vec::new();
        let mut file = Parquet::new(&mut bytes, &columns).unwrap();
        let rows = ROWS as i64 + 3;
        for i in 0..rows {
            let cells = [
                Cell::Text(format!("row {i}")),
                Cell::Integer(i),
                Cell::Null,
                Cell::Truth(i % 2 == 0),
            ];
            file.row(cells.into_iter()).unwrap();
        }
        file.finish().unwrap();
        let frame = ParquetReader::new(Cursor::new(bytes)).finish().unwrap();
        assert_eq!(frame.shape(), (rows as usize, 4));
        let numbers = frame.column("n").unwrap().as_materialized_series();
        assert_eq!(numbers.i64().unwrap().get(70), Some(70));
        assert_eq!(frame.column("x").unwrap().null_count(), rows as usize);
    }

    #[test]
    fn a_table_without_rows_is_a_file_with_columns() {
        let mut bytes = Vec::new();
        let file = Parquet::new(&mut bytes, &[("n", Kind::Integer)]).unwrap();
        file.finish().unwrap();
        let frame = ParquetReader::new(Cursor::new(bytes)).finish().unwrap();
        assert_eq!(frame.shape(), (0, 1));
    }
}
