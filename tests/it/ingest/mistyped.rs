//! Values of wrong types where they are not JSON: cells of tables, words of text, fields of binary messages, columns
//! of Parquet files. Each costs only itself.

use std::path::PathBuf;
use std::sync::Arc;

use agentdiag::ingest::Source;
use parquet::basic::{Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::damaged::{count, fixtures, is_json};
use super::recorder::read;

const WRONG: [&str; 9] = [
    "",
    "wrong",
    "-1",
    "1e300",
    "NaN",
    "true",
    "{\"key\":[]}",
    "[1,\"x\",null]",
    "\"",
];

/// Where the words of `text` lie.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let part = |c: char| !c.is_whitespace() && !matches!(c, ',' | '"' | '{' | '}' | '=' | '#');
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(part) {
        let start = at + start;
        let end = text[start..]
            .find(|c| !part(c))
            .map_or(text.len(), |n| start + n);
        found.push(start..end);
        at = end;
    }
    found
}

#[test]
fn words_of_tables_and_text() {
    let is_text = |(path, _): &(PathBuf, Vec<u8>)| {
        let binary = path
            .extension()
            .is_some_and(|e| e == "parquet" || e == "bin");
        !is_json(path) && !binary
    };
    let mut files = 0;
    for (path, bytes) in fixtures().into_iter().filter(is_text) {
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.lines().count() as u64;
        let all = count(text.clone().into_bytes());
        for word in words(&text) {
            for wrong in WRONG {
                let mut changed = text.clone();
                changed.replace_range(word.clone(), wrong);
                let found = count(changed.into_bytes());
                // A line that lost its type, or a table that lost its quotes, stands line by line.
                assert!(
                    found <= all + lines,
                    "{} at {word:?}: {wrong}",
                    path.display()
                );
            }
        }
        files += 1;
    }
    assert!(files >= 7, "{files} files");
}

#[test]
fn fields_of_binary_messages() {
    let is_binary = |(path, _): &(PathBuf, Vec<u8>)| path.extension().is_some_and(|e| e == "bin");
    for (path, bytes) in fixtures().into_iter().filter(is_binary) {
        let all = count(bytes.clone());
        assert!(all > 0);
        // The last three bits of the byte before a field say of what type it is.
        for at in 0..bytes.len() {
            for kind in 0..8 {
                let mut changed = bytes.clone();
                changed[at] = (changed[at] & !7) | kind;
                let found = count(changed);
                assert!(found <= all + 2, "{} at {at}: {kind}", path.display());
            }
        }
    }
}

const COLUMNS: [(&str, &str); 8] = [
    ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
    ("span_id", "b7ad6b7169203331"),
    ("parent_id", "b7ad6b7169203332"),
    ("name", "chat"),
    ("start_time", "2026-05-12T08:00:00Z"),
    ("end_time", "2026-05-12T08:00:01Z"),
    ("attributes", "{\"gen_ai.usage.input_tokens\": 5}"),
    ("status_code", "OK"),
];

const TYPES: [Physical; 8] = [
    Physical::BOOLEAN,
    Physical::INT32,
    Physical::INT64,
    Physical::INT96,
    Physical::FLOAT,
    Physical::DOUBLE,
    Physical::BYTE_ARRAY,
    Physical::FIXED_LEN_BYTE_ARRAY,
];

/// A file of one row in which the column `wrong` is of another type.
fn table(wrong: Option<(usize, Physical)>) -> Vec<u8> {
    let kind = |column: usize| wrong.filter(|(at, _)| *at == column).map(|(_, kind)| kind);
    let field = |(column, (name, _)): (usize, &(&str, &str))| {
        let text = Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_converted_type(parquet::basic::ConvertedType::UTF8);
        let field = match kind(column) {
            None => text,
            Some(kind) => Type::primitive_type_builder(name, kind).with_length(4),
        };
        Arc::new(field.with_repetition(Repetition::REQUIRED).build().unwrap())
    };
    let fields = COLUMNS.iter().enumerate().map(field).collect();
    let schema = Type::group_type_builder("spans")
        .with_fields(fields)
        .build();
    let mut bytes = Vec::new();
    let mut file =
        SerializedFileWriter::new(&mut bytes, Arc::new(schema.unwrap()), Arc::default()).unwrap();
    let mut rows = file.next_row_group().unwrap();
    for (_, value) in COLUMNS {
        let mut column = rows.next_column().unwrap().unwrap();
        match column.untyped() {
            ColumnWriter::BoolColumnWriter(to) => to.write_batch(&[true], None, None),
            ColumnWriter::Int32ColumnWriter(to) => to.write_batch(&[-1], None, None),
            ColumnWriter::Int64ColumnWriter(to) => to.write_batch(&[i64::MAX], None, None),
            ColumnWriter::Int96ColumnWriter(to) => to.write_batch(&[Int96::new()], None, None),
            ColumnWriter::FloatColumnWriter(to) => to.write_batch(&[f32::NAN], None, None),
            ColumnWriter::DoubleColumnWriter(to) => to.write_batch(&[1e300], None, None),
            ColumnWriter::ByteArrayColumnWriter(to) => {
                to.write_batch(&[ByteArray::from(value)], None, None)
            }
            ColumnWriter::FixedLenByteArrayColumnWriter(to) => {
                let four = FixedLenByteArray::from(vec![0xff, 0, b'"', b'\\']);
                to.write_batch(&[four], None, None)
            }
        }
        .unwrap();
        column.close().unwrap();
    }
    rows.close().unwrap();
    file.close().unwrap();
    bytes
}

#[test]
fn columns_of_parquet_files() {
    let whole = read(vec![Source::from_bytes("t", table(None))]);
    assert_eq!(whole.spans.len(), 1, "{:?}", whole.ledger);
    for column in 0..COLUMNS.len() {
        for kind in TYPES {
            let bytes = table(Some((column, kind)));
            assert!(count(bytes.clone()) <= 1, "{column} {kind}");
            let record = read(vec![Source::from_bytes("t", bytes)]);
            let span = record.spans.first();
            // What is not an id stays beside whatever is wrong.
            if column > 1 {
                assert_eq!(
                    span.map(|s| s.id),
                    Some(0xb7ad_6b71_6920_3331),
                    "{column} {kind}"
                );
            }
        }
    }
}
