//! What fuzzing starts from and what it found, through the functions that fuzz targets run (`tests/fuzz`): a panic
//! here is a fault that came back. `.ci/fuzz` looks for new ones.

use std::fs;
use std::path::{Path, PathBuf};

use agentdiag::ingest::FORMATS;

#[path = "../fuzz/src/entry.rs"]
#[allow(unreachable_pub, reason = "the fuzz targets are crates of their own")]
mod entry;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Names of the targets, as they are built.
fn targets() -> Vec<String> {
    let targets = files(&root().join("tests/fuzz/targets")).into_iter();
    let names = targets.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    names.collect()
}

#[test]
fn every_format_has_a_target() {
    let fuzzed = entry::READERS.iter().flat_map(|(_, formats)| *formats);
    let fuzzed: Vec<&str> = fuzzed.copied().collect();
    for format in FORMATS {
        assert!(fuzzed.contains(&format.name), "{} has none", format.name);
    }
    let targets = targets();
    for (name, _) in entry::READERS {
        assert!(targets.iter().any(|target| target == name), "{name}");
    }
}

#[test]
fn what_was_found_is_found_no_more() {
    for path in files(&root().join("tests/fuzz/found")) {
        let name = path.file_name().expect("a name").to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let target = name.split('-').next().expect("target-what");
        entry::run(target, &fs::read(&path).expect("readable"));
    }
}

#[test]
fn every_target_takes_every_seed() {
    let folders = ["fixtures/formats", "fixtures/hostile", "tests/fuzz/seeds"];
    let seeds = folders.iter().flat_map(|name| files(&root().join(name)));
    let seeds = seeds.filter(|path| path.extension().is_none_or(|end| end != "expect"));
    let seeds: Vec<Vec<u8>> = seeds
        .map(|path| fs::read(path).expect("readable"))
        .collect();
    for target in targets() {
        for seed in &seeds {
            entry::run(&target, seed);
        }
    }
}
