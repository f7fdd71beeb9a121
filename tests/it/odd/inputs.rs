//! Pipes, devices, links in circles, files that change while they are read, holes, bombs.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::{
    GOOD, Said, TOO_LITTLE, TRACE, analyze, entry, folder, has_entry, many, moment, program,
    requests,
};

/// Feeds `bytes` to the standard input of a run.
fn fed(args: &[&str], bytes: &'static [u8]) -> Said {
    let folder = folder(&[]);
    let mut command = program(folder.path(), args);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let feeder = thread::spawn(move || stdin.write_all(bytes));
    let output = child.wait_with_output().expect("it ends");
    feeder.join().expect("it ends").expect("all was read");
    Said::of(output)
}

#[test]
fn standard_input_by_any_name_is_read_as_a_stream() {
    for name in ["-", "/dev/stdin", "/dev/fd/0"] {
        let report = fed(&["analyze", "--json", name], GOOD.as_bytes()).json();
        assert_eq!(requests(&report), 1, "{name}");
        assert_eq!(report["inputs"][0]["path"], name);
    }
}

#[test]
fn standard_input_from_a_file_by_name() {
    let folder = folder(&[("good.jsonl", GOOD.as_bytes())]);
    for name in ["-", "/dev/stdin"] {
        let file = File::open(folder.path().join("good.jsonl")).expect("open");
        let mut command = program(folder.path(), &["analyze", "--json", name]);
        let output = command.stdin(file).output().expect("it runs");
        assert_eq!(requests(&Said::of(output).json()), 1, "{name}");
    }
}

#[test]
fn a_named_pipe_is_read_to_its_end() {
    let folder = folder(&[("good.jsonl", GOOD.as_bytes())]);
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let feeder = thread::spawn(move || fs::write(&pipe, many(3)));
    let report = analyze(folder.path(), &["pipe"]).json();
    feeder.join().expect("it ends").expect("all was read");
    assert_eq!(requests(&report), 3);
    // One that happens to lie in a folder would block for ever and is passed over.
    assert_eq!(requests(&analyze(folder.path(), &["."]).json()), 1);
}

#[test]
fn links_in_circles() {
    let folder = folder(&[("good.jsonl", GOOD.as_bytes())]);
    let at = |name: &str| folder.path().join(name);
    symlink("b", at("a")).expect("linked");
    symlink("a", at("b")).expect("linked");
    symlink("nowhere", at("dangling")).expect("linked");
    fs::create_dir(at("sub")).expect("made");
    symlink("..", at("sub/up")).expect("linked");
    // Named, it is an error.
    let said = analyze(folder.path(), &["a"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    assert!(said.err.contains("a: "), "{}", said.err);
    // In a folder, each is reported and the rest is read, every file once.
    let report = analyze(folder.path(), &["."]).json();
    assert_eq!(requests(&report), 1);
    assert_eq!(report["integrity"]["inputs_unreadable"], 3);
    // A link to a file that was read already is the same file.
    symlink("good.jsonl", at("again.jsonl")).expect("linked");
    let report = analyze(folder.path(), &["good.jsonl", "again.jsonl"]).json();
    assert_eq!(requests(&report), 1);
    assert!(has_entry(&report, "repeated_input"));
}

/// A run over `path`, at the moment when it has opened it.
fn caught_reading(path: &Path) -> Child {
    let (folder, name) = (path.parent().expect("a folder"), path.file_name());
    let name = name.and_then(|name| name.to_str()).expect("a name");
    let args = ["analyze", "--json", "--threads", "1", name];
    let mut child = program(folder, &args).spawn().expect("it starts");
    let real = path.canonicalize().expect("it is there");
    while child.try_wait().expect("it can be asked").is_none() {
        // What looks at the first bytes closes the file again: only a reader moves on.
        if position(child.id(), &real) > 1 << 16 {
            return child;
        }
        moment();
    }
    panic!("it was never seen reading");
}

/// How far process `id` has read the file at `real`.
fn position(id: u32, real: &Path) -> u64 {
    let folder = Path::new("/proc").join(id.to_string());
    let files = fs::read_dir(folder.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let positions = files.filter_map(|file| {
        let found = fs::read_link(file.path()).is_ok_and(|link| link == real);
        let info = folder.join("fdinfo").join(file.file_name());
        let text = fs::read_to_string(info).ok().filter(|_| found)?;
        let digits = text.strip_prefix("pos:")?.lines().next()?.trim();
        digits.parse().ok()
    });
    positions.max().unwrap_or(0)
}

/// Enough to be still reading when the file is changed: some megabytes wait in queues.
const MANY: u32 = 8_000;

#[cfg(target_os = "linux")]
#[test]
fn what_is_added_while_reading_is_left_for_the_next_run() {
    let text = many(MANY);
    let folder = folder(&[("live.jsonl", text.as_bytes())]);
    let path = folder.path().join("live.jsonl");
    let child = caught_reading(&path);
    let mut file = OpenOptions::new().append(true).open(&path).expect("open");
    file.write_all(GOOD.as_bytes()).expect("written");
    let report = Said::of(child.wait_with_output().expect("it ends")).json();
    assert_eq!(requests(&report), MANY as usize);
    assert_eq!(report["inputs"][0]["bytes"], text.len());
    assert_eq!(entry(&report, "grown_input")["byte_offset"], text.len());
    assert_eq!(report["integrity"]["records_lost"], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_cut_while_reading_gives_what_was_left() {
    let text = many(MANY);
    let folder = folder(&[("cut.jsonl", text.as_bytes())]);
    let path = folder.path().join("cut.jsonl");
    let child = caught_reading(&path);
    let half = text.len() as u64 / 2;
    let file = OpenOptions::new().write(true).open(&path).expect("open");
    file.set_len(half).expect("cut");
    let report = Said::of(child.wait_with_output().expect("it ends")).json();
    let found = requests(&report) as u32;
    assert!((MANY / 2 - 2..=MANY / 2).contains(&found), "{found}");
    assert_eq!(entry(&report, "shrunk_input")["byte_offset"], half);
}

#[test]
fn a_hundred_gigabytes_of_nothing() {
    const SIZE: u64 = 100 << 30;
    let folder = folder(&[("hole.jsonl", GOOD.as_bytes())]);
    // Good records, then a hole: what a crash leaves of a file that was allocated beforehand.
    let path = folder.path().join("hole.jsonl");
    let mut file = OpenOptions::new().write(true).open(&path).expect("open");
    file.set_len(SIZE).expect("a file system with holes");
    let report = analyze(folder.path(), &["hole.jsonl"]).json();
    assert_eq!(requests(&report), 1);
    let hole = entry(&report, "zero_filled");
    assert_eq!(
        (&hole["file"], &hole["byte_offset"]),
        (&"hole.jsonl".into(), &GOOD.len().into())
    );
    let strict = analyze(folder.path(), &["--strict", "hole.jsonl"]);
    assert_eq!(strict.code, Some(2));
    // What comes after the hole is not looked for.
    file.seek(SeekFrom::Start(SIZE)).expect("moved");
    file.write_all(GOOD.as_bytes()).expect("written");
    assert_eq!(requests(&analyze(folder.path(), &["hole.jsonl"]).json()), 1);

    let nothing = File::create(folder.path().join("nothing.jsonl")).expect("made");
    nothing.set_len(SIZE).expect("a file system with holes");
    let said = analyze(folder.path(), &["nothing.jsonl"]);
    assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
    let reason = "nothing.jsonl: it holds zero bytes only";
    assert!(said.err.contains(reason), "{}", said.err);
}

#[test]
fn a_file_that_unpacks_to_far_more_than_it_is() {
    let blank = format!("{}\n", " ".repeat(1_023)).repeat(16 << 10);
    let packed = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("packed");
    // 288 MiB of nothing in half a megabyte, behind a good record.
    let bomb = [packed(GOOD.as_bytes()), packed(blank.as_bytes()).repeat(18)].concat();
    assert!(bomb.len() < 1_000_000, "{}", bomb.len());
    let folder = folder(&[("bomb.zst", &bomb)]);
    let report = analyze(folder.path(), &["bomb.zst"]).json();
    assert_eq!(requests(&report), 1);
    let limit = entry(&report, "unpacked_limit");
    let detail = limit["detail"].as_str().expect("a text");
    assert!(detail.contains("--max-ratio"), "{detail}");
    assert!(limit["byte_offset"].as_u64() < Some(300 << 20));
    assert_eq!(report["integrity"]["worst"], "data_loss");
    // The limit can be raised; then all of it is read.
    let raised = ["--max-ratio", "1000000", "--strict", "bomb.zst"];
    assert_eq!(analyze(folder.path(), &raised).code, Some(TOO_LITTLE));
}

/// A Parquet file with one row: a span, and content of so many bytes.
fn rows(content: usize) -> Vec<u8> {
    let attributes = format!("{{\"gen_ai.prompt\": \"{}\"}}", "x".repeat(content));
    let columns = [
        ("trace_id", TRACE),
        ("span_id", "b7ad6b7169203331"),
        ("name", "chat"),
        ("start_time", "2026-05-12T08:00:00Z"),
        ("end_time", "2026-05-12T08:00:01Z"),
        ("attributes", attributes.as_str()),
    ];
    let field = |(name, _): &(&str, &str)| {
        let text = Type::primitive_type_builder(name, Physical::BYTE_ARRAY);
        let text = text.with_converted_type(ConvertedType::UTF8);
        let field = text.with_repetition(Repetition::REQUIRED).build();
        Arc::new(field.expect("a column"))
    };
    let schema = Type::group_type_builder("spans").with_fields(columns.iter().map(field).collect());
    let schema = Arc::new(schema.build().expect("a schema"));
    let packed =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let how = Arc::new(packed.set_dictionary_enabled(false).build());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, how).expect("begun");
    let mut group = file.next_row_group().expect("begun");
    for (_, value) in columns {
        let mut column = group.next_column().expect("begun").expect("a column");
        let ColumnWriter::ByteArrayColumnWriter(to) = column.untyped() else {
            panic!("all are texts");
        };
        to.write_batch(&[ByteArray::from(value)], None, None)
            .expect("written");
        column.close().expect("written");
    }
    group.close().expect("written");
    file.close().expect("written");
    bytes
}

#[test]
fn a_parquet_page_that_unpacks_to_far_more_than_it_is() {
    let bomb = rows(70 << 20);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let folder = folder(&[("bomb.parquet", &bomb)]);
    let refused = |options: &[&str], reason: &str| {
        let said = analyze(folder.path(), &[options, &["bomb.parquet"]].concat());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(reason), "{}", said.err);
    };
    refused(&[], "more than 250 times its size; --max-ratio raises");
    let raised = ["--max-ratio", "1000000"];
    let lowered = [&raised[..], &["--max-record", "1MiB"]].concat();
    refused(&lowered, "more than 1048576 bytes; --max-record raises");
    let report = analyze(folder.path(), &[&raised[..], &["bomb.parquet"]].concat()).json();
    assert_eq!(report["inputs"][0]["spans"], 1, "{report}");
}
