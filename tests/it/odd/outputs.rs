//! Full disks, closed pipes, folders one may not write to, signals: nothing half-written stays, and the exit
//! code says what happened.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::Child;

use super::{GOOD, Said, folder, many, moment, program, run, signal, signalled};

/// How each subcommand that writes is run with its result on standard output.
const WRITERS: &[&[&str]] = &[
    &["analyze", "d.jsonl"],
    &["analyze", "--json", "d.jsonl"],
    &["analyze", "--format", "markdown", "d.jsonl"],
    &["trace", "5b8efff7", "d.jsonl"],
    &["cost", "d.jsonl"],
    &["drift", "d.jsonl"],
    &["replay", "d.jsonl"],
    &["baseline", "d.jsonl"],
    &["export", "--to", "otlp", "d.jsonl"],
    &["export", "--to", "csv", "--table", "spans", "d.jsonl"],
    &["prices", "show"],
    &["formats"],
    &["explain", "cold_cache"],
    &["completions", "bash"],
];

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = folder(&[("d.jsonl", GOOD.as_bytes())]);
    for args in WRITERS {
        let full = File::options().write(true).open("/dev/full").expect("open");
        let mut command = program(folder.path(), args);
        let said = Said::of(command.stdout(full).output().expect("it runs"));
        assert_eq!(said.code, Some(2), "{args:?}: {}", said.err);
        let reason = "cannot write the result: No space left on device";
        assert!(said.err.contains(reason), "{args:?}: {}", said.err);
    }
    let said = run(folder.path(), &["analyze", "-o", "/dev/full", "d.jsonl"]);
    assert_eq!(said.code, Some(2));
    let reason = "/dev/full: cannot be written: No space left on device";
    assert!(said.err.contains(reason), "{}", said.err);
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let folder = folder(&[("d.jsonl", GOOD.as_bytes())]);
    for args in WRITERS {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = program(folder.path(), args);
        let said = Said::of(command.stdout(writer).output().expect("it runs"));
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

/// Runs as a user for whom permissions count; `None` where that cannot be had.
fn as_anybody(folder: &Path, args: &[&str]) -> Option<Said> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("allowed");
    let mut command = program(folder, args);
    let own = folder.join("own");
    fs::write(&own, "").expect("written");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o000)).expect("allowed");
    if fs::read(&own).is_ok() {
        command.uid(65_534);
    }
    match command.output() {
        Ok(output) => Some(Said::of(output)),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            eprintln!("ignored: the program lies where only root may run it");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_one_may_not_read_or_write_is_named() {
    let folder = folder(&[
        ("secret.jsonl", GOOD.as_bytes()),
        ("d.jsonl", GOOD.as_bytes()),
    ]);
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str, mode| fs::set_permissions(at(name), fs::Permissions::from_mode(mode));
    mode("secret.jsonl", 0o000).expect("allowed");
    fs::create_dir(at("locked")).expect("made");
    mode("locked", 0o000).expect("allowed");
    fs::create_dir(at("shown")).expect("made");
    mode("shown", 0o555).expect("allowed");

    for (args, reason) in [
        (
            &["analyze", "secret.jsonl"][..],
            "secret.jsonl: permission denied",
        ),
        (&["analyze", "locked"], "locked: permission denied"),
        (
            &["analyze", "locked/x.jsonl"],
            "locked/x.jsonl: permission denied",
        ),
        (
            &["analyze", "-o", "shown/page", "d.jsonl"],
            "shown/page: cannot be written: Permission denied",
        ),
        (
            &["report", "-o", "shown/page.html", "d.jsonl"],
            "shown/page.html: cannot be written: Permission denied",
        ),
        (
            &["analyze", "--prices", "secret.jsonl", "d.jsonl"],
            "secret.jsonl",
        ),
    ] {
        let Some(said) = as_anybody(folder.path(), args) else {
            return;
        };
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(said.err.contains(reason), "{args:?}: {}", said.err);
    }
    // Among others, it costs only itself.
    let args = ["analyze", "--json", "secret.jsonl", "d.jsonl"];
    if let Some(said) = as_anybody(folder.path(), &args) {
        assert_eq!(said.json()["integrity"]["inputs_unreadable"], 1);
    }
    mode("locked", 0o755).expect("allowed");
}

/// Files in `folder` that stand for one that is being written.
fn unfinished(folder: &Path) -> usize {
    let files = fs::read_dir(folder).expect("a folder").flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".part")).count()
}

/// A run that was stopped while it writes a file into `folder`.
fn caught_writing(folder: &Path, args: &[&str]) -> Child {
    for _ in 0..20 {
        let mut child = signalled(folder, args).spawn().expect("it starts");
        while child.try_wait().expect("it can be asked").is_none() {
            if unfinished(folder) == 0 {
                moment();
                continue;
            }
            signal(&child, "-STOP");
            if unfinished(folder) > 0 {
                return child;
            }
            signal(&child, "-CONT");
        }
    }
    panic!("it was never seen writing");
}

#[test]
fn a_signal_while_writing_leaves_nothing_behind() {
    let text = many(1_500);
    let folder = folder(&[("d.jsonl", text.as_bytes()), ("result", b"older")]);
    for (name, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        let args = ["analyze", "--json", "-o", "result", "d.jsonl"];
        let child = caught_writing(folder.path(), &args);
        signal(&child, name);
        signal(&child, "-CONT");
        let output = child.wait_with_output().expect("it ends");
        // What a shell shows as 128 and the number of the signal.
        assert_eq!(output.status.signal(), Some(number), "{name}");
        assert_eq!(unfinished(folder.path()), 0, "{name}");
        let result = fs::read(folder.path().join("result")).expect("it is there");
        assert_eq!(result, b"older", "{name}");
        assert!(
            output.stdout.is_empty() && output.stderr.is_empty(),
            "{name}"
        );
    }
}

#[test]
fn a_signal_while_reading_ends_the_run_at_once() {
    let folder = folder(&[]);
    for (name, number) in [("-INT", 2), ("-TERM", 15)] {
        let mut command = signalled(folder.path(), &["analyze", "-o", "result", "-"]);
        let mut child = command
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("it starts");
        let stdin = child.stdin.take();
        signal(&child, name);
        let status = child.wait().expect("it ends");
        drop(stdin);
        assert_eq!(status.signal(), Some(number), "{name}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
