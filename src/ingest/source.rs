//! From what the user named to files that can be opened: files, folders, globs, standard input.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use super::parquet;
use super::snapshot;
use super::unpack::Bytes;
use super::zip::{self, Entry};
use globset::{GlobBuilder, GlobMatcher};

/// One input, not yet opened.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    origin: Origin,
    /// True when it was found in a folder and not named by the user.
    found: bool,
    /// Files of the same rotated set that lie beside it and are not read.
    older: usize,
}

#[derive(Clone, Debug)]
enum Origin {
    File(PathBuf),
    Stdin,
    Bytes(Vec<u8>),
    Packed(Entry),
    Missing(String),
    Repeated,
}

/// Why a source gives nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// It cannot be opened.
    Unreadable(String),
    /// It was named before.
    Repeated,
}

impl Source {
    /// Bytes already in memory, under a name.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self::new(name.to_owned(), Origin::Bytes(bytes), false)
    }

    /// Every file behind `paths`, in a stable order: files as named, folders and globs sorted by
    /// path. `-` is standard input. Hidden entries of folders are passed over. What cannot be
    /// found stays in the list, to be reported when it is opened.
    #[must_use]
    pub fn find<P: AsRef<Path>>(paths: &[P]) -> Vec<Self> {
        let mut finder = Finder::default();
        for path in paths {
            finder.add(path.as_ref());
        }
        finder.count_older();
        finder.sources
    }

    /// How many files of the same rotated set lie beside it and are not read.
    pub(crate) fn older(&self) -> usize {
        self.older
    }

    fn new(name: String, origin: Origin, found: bool) -> Self {
        Self {
            name,
            origin,
            found,
            older: 0,
        }
    }

    /// Its name, as the user knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies, when it is a file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            _ => None,
        }
    }

    /// True when it is the file at `path`, however either is spelled.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        match &self.origin {
            Origin::File(own) => {
                own == path
                    || matches!((fs::canonicalize(own), fs::canonicalize(path)), (Ok(a), Ok(b)) if a == b)
            }
            _ => false,
        }
    }

    pub(crate) fn is_found(&self) -> bool {
        self.found
    }

    /// Its size in bytes as stored, when that can be known beforehand.
    pub(crate) fn size(&self) -> Option<u64> {
        match &self.origin {
            Origin::File(path) => fs::metadata(path)
                .ok()
                .filter(fs::Metadata::is_file)
                .map(|m| m.len()),
            Origin::Bytes(bytes) => Some(bytes.len() as u64),
            Origin::Packed(entry) => Some(entry.packed),
            Origin::Stdin => None,
            Origin::Missing(_) | Origin::Repeated => Some(0),
        }
    }

    /// Bytes it takes in the archive that it lies in.
    pub(crate) fn packed(&self) -> Option<u64> {
        match &self.origin {
            Origin::Packed(entry) => Some(entry.packed),
            _ => None,
        }
    }

    /// The file itself, when its rows must be looked up in any order: a Parquet file on disk.
    pub(crate) fn columnar(&self) -> Option<File> {
        let Origin::File(path) = &self.origin else {
            return None;
        };
        // A pipe gives its first bytes only once, and who writes to it waits for one reader only.
        if !fs::metadata(path).is_ok_and(|meta| meta.is_file()) {
            return None;
        }
        let mut file = File::open(path).ok()?;
        let mut start = [0; 4];
        file.read_exact(&mut start).ok()?;
        (start == parquet::MAGIC).then_some(file)
    }

    pub(crate) fn open(self) -> Result<Bytes<'static>, Refusal> {
        match self.origin {
            Origin::File(path) => match File::open(path) {
                Ok(file) => Ok(snapshot::of(file)),
                Err(error) => Err(Refusal::Unreadable(reason(&error))),
            },
            Origin::Stdin => Ok(Box::new(io::stdin())),
            Origin::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Origin::Packed(entry) => entry
                .open()
                .map_err(|error| Refusal::Unreadable(reason(&error))),
            Origin::Missing(reason) => Err(Refusal::Unreadable(reason)),
            Origin::Repeated => Err(Refusal::Repeated),
        }
    }
}

/// Words for an error that do not differ between systems.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string(),
    }
}

#[derive(Default)]
struct Finder {
    sources: Vec<Source>,
    files: BTreeSet<PathBuf>,
    stdin: bool,
}

impl Finder {
    fn add(&mut self, path: &Path) {
        let name = path.display().to_string();
        if path == Path::new("-") {
            let origin = if self.stdin {
                Origin::Repeated
            } else {
                Origin::Stdin
            };
            self.stdin = true;
            self.sources.push(Source::new("-".into(), origin, false));
        } else if path.is_dir() {
            let before = self.sources.len();
            self.folder(path, None, &mut Vec::new());
            if self.sources.len() == before {
                self.missing(name, "the folder holds no files".into());
            }
        } else if path.exists() || !has_wildcard(&name) {
            match fs::metadata(path) {
                Ok(_) => self.file(path, false),
                Err(error) => self.missing(name, reason(&error)),
            }
        } else {
            self.glob(&name);
        }
    }

    /// The collector renames `data.json` to `data-2022-09-14T05-02-14.173.json` when it is full.
    fn count_older(&mut self) {
        let files = &self.files;
        for source in self.sources.iter_mut().filter(|s| !s.found) {
            let Origin::File(path) = &source.origin else {
                continue;
            };
            let Some(name) = path.file_name() else {
                continue;
            };
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            // Of thousands of files beside it, a name is all that is looked at.
            let beside = fs::read_dir(folder).into_iter().flatten().flatten();
            let rotated = beside
                .map(|entry| entry.file_name())
                .filter(|other| is_rotated(name, other));
            let older = rotated.filter(|other| {
                let other = folder.join(other);
                let real = fs::canonicalize(&other).unwrap_or(other);
                !files.contains(&real)
            });
            source.older = older.count();
        }
    }

    fn missing(&mut self, name: String, reason: String) {
        self.sources
            .push(Source::new(name, Origin::Missing(reason), false));
    }

    fn file(&mut self, path: &Path, found: bool) {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let first = self.files.insert(real);
        let name = path.display().to_string();
        // A pipe gives its first bytes only once.
        if first && path.is_file() && zip::is_archive(path) {
            return self.archive(path, &name);
        }
        let origin = match first {
            true => Origin::File(path.to_owned()),
            false => Origin::Repeated,
        };
        self.sources.push(Source::new(name, origin, found));
    }

    /// What an archive holds is found as in a folder.
    fn archive(&mut self, path: &Path, name: &str) {
        let entries = match zip::list(path) {
            Ok(entries) => entries,
            Err(why) => return self.missing(name.into(), why),
        };
        if entries.is_empty() {
            self.missing(name.into(), "the archive holds no files".into());
        }
        for entry in entries {
            match entry {
                Ok(entry) => {
                    let name = format!("{name}/{}", entry.name);
                    self.sources
                        .push(Source::new(name, Origin::Packed(entry), true));
                }
                Err((inside, why)) => self.missing(format!("{name}/{inside}"), why),
            }
        }
    }

    /// Walks `folder` in sorted order. `above` holds the folders it stands in, so that a symbolic
    /// link to one of them ends the walk there.
    fn folder(&mut self, folder: &Path, only: Option<&GlobMatcher>, above: &mut Vec<PathBuf>) {
        let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if above.contains(&real) || above.len() > 64 {
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.missing(folder.display().to_string(), reason(&error)),
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        above.push(real);
        for path in paths.iter().filter(|path| !is_hidden(path)) {
            match fs::metadata(path) {
                Ok(meta) if meta.is_dir() => self.folder(path, only, above),
                // Pipes and sockets that happen to lie in a folder would block.
                Ok(meta) if meta.is_file() && only.is_none_or(|glob| glob.is_match(path)) => {
                    self.file(path, only.is_none());
                }
                Err(error) if only.is_none() => {
                    self.missing(path.display().to_string(), reason(&error));
                }
                _ => {}
            }
        }
        above.pop();
    }

    fn glob(&mut self, pattern: &str) {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let matcher = match glob {
            Ok(glob) => glob.compile_matcher(),
            Err(error) => {
                return self.missing(pattern.into(), format!("bad pattern: {}", error.kind()));
            }
        };
        let before = self.sources.len();
        let folder = fixed_part(pattern);
        if folder.is_dir() {
            self.folder(&folder, Some(&matcher), &mut Vec::new());
        }
        if self.sources.len() == before {
            self.missing(pattern.into(), "no file matches".into());
        }
    }
}

/// True when `other` is `name` with a date before the ending.
fn is_rotated(name: &OsStr, other: &OsStr) -> bool {
    let (name, other) = (name.as_encoded_bytes(), other.as_encoded_bytes());
    let stem = memchr::memchr(b'.', name).unwrap_or(name.len());
    let (stem, end) = name.split_at(stem);
    let date = other
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix(b"-"))
        .and_then(|rest| rest.strip_suffix(end));
    date.is_some_and(|date| {
        let digits = date.iter().filter(|byte| byte.is_ascii_digit()).count();
        let is_date = |byte: &u8| byte.is_ascii_digit() || b"-T.".contains(byte);
        digits >= 14 && date.iter().all(is_date)
    })
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// The folder that a pattern certainly starts in.
fn fixed_part(pattern: &str) -> PathBuf {
    let path: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !has_wildcard(&part.as_os_str().to_string_lossy()))
        .collect();
    match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path,
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf], root: &Path) -> Vec<String> {
        Source::find(paths)
            .into_iter()
            .map(|source| {
                let name = source
                    .name()
                    .trim_start_matches(&root.display().to_string())
                    .to_owned();
                match source.open() {
                    Ok(_) => name,
                    Err(refusal) => format!("{name}: {refusal:?}"),
                }
            })
            .collect()
    }

    #[test]
    fn folders_globs_and_missing_paths() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        for file in ["b/z.json", "b/c/a.gz", "a.json", ".hidden", "b/.x"] {
            fs::write(root.join(file), "x").unwrap();
        }
        assert_eq!(
            names(&[root.into()], root),
            ["/a.json", "/b/c/a.gz", "/b/z.json"]
        );
        assert_eq!(names(&[root.join("b/*.json")], root), ["/b/z.json"]);
        assert_eq!(names(&[root.join("**/*.gz")], root), ["/b/c/a.gz"]);
        assert_eq!(
            names(
                &[
                    root.join("a.json"),
                    root.join("none"),
                    root.join("*.no"),
                    root.join("a.json")
                ],
                root
            ),
            [
                "/a.json",
                "/none: Unreadable(\"no such file\")",
                "/*.no: Unreadable(\"no file matches\")",
                "/a.json: Repeated",
            ]
        );
    }

    #[test]
    fn older_files_of_a_rotated_set_are_counted() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let older = "t-2022-09-14T05-02-14.173.jsonl.gz";
        for file in [
            "t.jsonl.gz",
            older,
            "t-old.jsonl.gz",
            "u-2022-09-14T05-02-14.173.jsonl.gz",
        ] {
            fs::write(root.join(file), "x").unwrap();
        }
        let older_of = |paths: &[PathBuf]| Source::find(paths)[0].older();
        assert_eq!(older_of(&[root.join("t.jsonl.gz")]), 1);
        assert_eq!(older_of(&[root.join("t.jsonl.gz"), root.join(older)]), 0);
        assert_eq!(older_of(&[root.into()]), 0);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_end() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join("d/f"), "x").unwrap();
        std::os::unix::fs::symlink(root, root.join("d/up")).unwrap();
        assert_eq!(names(&[root.into()], root), ["/d/f"]);
    }
}
