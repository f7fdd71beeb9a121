//! What the program is built from: one source of crates, none that opens connections, none that needs a newer
//! compiler than is promised. Licences are `cargo deny`'s to read (`deny.toml`).

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table(name: &str) -> toml::Table {
    let text = fs::read_to_string(root().join(name)).expect("readable");
    text.parse().expect("TOML")
}

/// Name and source of every package in the lock file.
fn locked() -> Vec<(String, Option<String>)> {
    let lock = table("Cargo.lock");
    let packages = lock["package"].as_array().expect("a list").iter();
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let packages = packages.map(|package| (text(package, "name"), text(package, "source")));
    packages
        .map(|(name, source)| (name.expect("a name"), source))
        .collect()
}

#[test]
fn every_crate_comes_from_the_registry() {
    for (name, source) in locked() {
        match source {
            None => assert_eq!(name, env!("CARGO_PKG_NAME")),
            Some(source) => assert_eq!(
                source,
                "registry+https://github.com/rust-lang/crates.io-index"
            ),
        }
    }
}

#[test]
fn no_crate_opens_connections() {
    let deny = table("deny.toml");
    let banned = deny["bans"]["deny"].as_array().expect("a list").iter();
    let banned: Vec<&str> = banned.filter_map(|ban| ban["crate"].as_str()).collect();
    assert!(banned.len() > 5, "{banned:?}");
    for (name, _) in locked() {
        assert!(!banned.contains(&name.as_str()), "{name} is in the tree");
    }
}

/// Major and minor version.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[test]
fn no_crate_needs_a_newer_compiler_than_is_promised() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let promised = version(env!("CARGO_PKG_RUST_VERSION")).expect("a version");
    let packages = metadata["packages"].as_array().expect("a list");
    assert!(packages.len() > 100);
    for package in packages {
        let needed = package["rust_version"].as_str().and_then(version);
        assert!(needed <= Some(promised), "{}", package["name"]);
    }
}
