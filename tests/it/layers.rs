//! Who may import whom. A module uses only what stands above it in the flow of the data.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module and the modules it may name.
const MAY_USE: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("error", &[]),
    ("stats", &["units"]),
    ("model", &["units", "stats"]),
    ("ingest", &["units", "error", "stats", "model"]),
    ("dialect", &["units", "error", "stats", "model", "ingest"]),
    ("trace", &["units", "error", "stats", "model"]),
    ("baseline", &["units", "error", "stats", "model", "trace"]),
    (
        "diagnose",
        &["units", "error", "stats", "model", "trace", "baseline"],
    ),
    ("aggregate", &["units", "error", "stats", "model", "trace"]),
    (
        "alerts",
        &["units", "error", "stats", "model", "trace", "export"],
    ),
    (
        "quantity",
        &[
            "units",
            "stats",
            "model",
            "trace",
            "baseline",
            "diagnose",
            "aggregate",
        ],
    ),
    (
        "budget",
        &[
            "units",
            "stats",
            "model",
            "diagnose",
            "aggregate",
            "quantity",
        ],
    ),
    (
        "compare",
        &[
            "units",
            "stats",
            "model",
            "trace",
            "diagnose",
            "aggregate",
            "quantity",
        ],
    ),
    (
        "saved",
        &["units", "error", "stats", "baseline", "aggregate"],
    ),
    (
        "export",
        &["units", "error", "stats", "model", "trace", "aggregate"],
    ),
    (
        "stage",
        &[
            "units",
            "error",
            "model",
            "dialect",
            "trace",
            "baseline",
            "diagnose",
            "aggregate",
        ],
    ),
    (
        "report",
        &[
            "units",
            "error",
            "stats",
            "model",
            "trace",
            "baseline",
            "diagnose",
            "aggregate",
            "alerts",
            "quantity",
            "budget",
            "compare",
        ],
    ),
    ("gpu", &["units"]),
    ("render", &["units", "gpu", "report"]),
    (
        "commands",
        &[
            "units",
            "error",
            "stats",
            "model",
            "ingest",
            "dialect",
            "trace",
            "baseline",
            "diagnose",
            "aggregate",
            "export",
            "gpu",
            "saved",
            "alerts",
            "quantity",
            "budget",
            "compare",
            "report",
            "render",
            "stage",
        ],
    ),
    (
        "cli",
        &[
            "units", "error", "trace", "diagnose", "alerts", "render", "commands",
        ],
    ),
];

#[test]
fn modules_use_only_what_stands_above_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).expect("under src");
        let first = inside.components().next().expect("a name").as_os_str();
        let module = first.to_str().expect("UTF-8").trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{} is in no layer", inside.display()));
            continue;
        };
        let text = fs::read_to_string(&file).expect("readable source");
        for used in crate_paths(&text) {
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "against the direction of the data:\n{}",
        wrong.join("\n")
    );
}

/// Libraries that are heavy or whose types are wide are known in one or two places each, which hand on plain
/// values.
#[test]
fn heavy_libraries_are_named_where_they_belong() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).expect("under src");
        let text = fs::read_to_string(&file).expect("readable source");
        for (library, places) in [
            ("polars::", &["aggregate/tables.rs"][..]),
            ("use parquet::", &["ingest/parquet"]),
            ("use zip::", &["ingest/zip.rs"]),
            ("nvml_wrapper::", &["gpu/nvml.rs"]),
            ("arrow_array::", &["stage/stream.rs"]),
            ("arrow_ipc::", &["stage/stream.rs"]),
            ("postcard::", &["stage/row.rs", "commands/shelf.rs"]),
        ] {
            let mut code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
            let names = code.any(|line| line.contains(library));
            assert!(
                !names || places.iter().any(|place| inside.starts_with(place)),
                "{} names {library}",
                inside.display()
            );
        }
    }
}

/// Modules named after `crate::`, comments and tests left out.
fn crate_paths(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for line in lines {
        for rest in line.split("crate::").skip(1) {
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                found.push(name);
            }
        }
    }
    found
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}
