//! Zip archives: every file inside is an input of its own, read as a stream.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::unpack::Bytes;

/// First bytes of an archive that holds something.
const MAGIC: [u8; 4] = *b"PK\x03\x04";

/// A file inside an archive.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    archive: PathBuf,
    /// Its path inside the archive.
    pub(super) name: String,
    start: u64,
    /// Bytes it takes in the archive.
    pub(super) packed: u64,
    crc: u32,
    deflated: bool,
}

/// What an archive holds: each file, or why it cannot be read.
pub(super) type Listing = Vec<Result<Entry, (String, String)>>;

/// True when the file at `path` begins like an archive.
pub(super) fn is_archive(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == MAGIC
}

/// The files inside the archive at `path`, by name. Folders, hidden files and what the Mac's
/// archiver adds are passed over.
///
/// # Errors
/// When its directory, which stands at the end, is missing or damaged.
pub(super) fn list(path: &Path) -> Result<Listing, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        format!("a zip archive without a readable directory ({error}); copy the file again")
    })?;
    let mut found = Listing::new();
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else {
            found.push(Err((format!("#{index}"), "a damaged entry".into())));
            continue;
        };
        let Ok(name) = entry.name().map(|name| name.into_owned()) else {
            found.push(Err((
                format!("#{index}"),
                "its name is not readable".into(),
            )));
            continue;
        };
        if entry.is_dir() || is_passed_over(&name) {
            continue;
        }
        let deflated = entry.compression() == CompressionMethod::Deflated;
        found.push(match entry.data_start() {
            _ if entry.encrypted() => Err((name, "it is encrypted".into())),
            Some(start) if deflated || entry.compression() == CompressionMethod::Stored => {
                Ok(Entry {
                    archive: path.to_owned(),
                    start,
                    packed: entry.compressed_size(),
                    crc: entry.crc32(),
                    deflated,
                    name,
                })
            }
            _ => Err((name, format!("packed by {}", entry.compression()))),
        });
    }
    found.sort_by(|a, b| name_of(a).cmp(name_of(b)));
    Ok(found)
}

fn name_of(entry: &Result<Entry, (String, String)>) -> &str {
    match entry {
        Ok(entry) => &entry.name,
        Err((name, _)) => name,
    }
}

fn is_passed_over(name: &str) -> bool {
    name.split('/')
        .any(|part| part.starts_with('.') || part == "__MACOSX")
}

impl Entry {
    /// The unpacked bytes; an error while reading means damage.
    pub(super) fn open(&self) -> io::Result<Bytes<'static>> {
        let mut file = File::open(&self.archive)?;
        file.seek(SeekFrom::Start(self.start))?;
        let packed = BufReader::new(file).take(self.packed);
        let bytes: Bytes<'static> = match self.deflated {
            true => Box::new(DeflateDecoder::new(packed)),
            false => Box::new(packed),
        };
        Ok(Box::new(Checked {
            bytes,
            crc: Crc::new(),
            expected: self.crc,
        }))
    }
}

/// Compares the checksum at the end.
struct Checked {
    bytes: Bytes<'static>,
    crc: Crc,
    expected: u32,
}

impl Read for Checked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.crc.update(into.get(..count).unwrap_or_default());
        match count == 0 && !into.is_empty() && self.crc.sum() != self.expected {
            true => Err(io::Error::other("the checksum in the archive differs")),
            false => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(folder: &Path) -> PathBuf {
        let path = folder.join("a.zip");
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        for (name, method) in [
            ("b/two.json", CompressionMethod::Deflated),
            ("a.json", CompressionMethod::Stored),
            ("__MACOSX/a.json", CompressionMethod::Stored),
            (".hidden", CompressionMethod::Stored),
        ] {
            let how = SimpleFileOptions::default().compression_method(method);
            writer.start_file(name, how).unwrap();
            writer.write_all(name.repeat(100).as_bytes()).unwrap();
        }
        writer
            .add_directory("empty", SimpleFileOptions::default())
            .unwrap();
        writer.finish().unwrap();
        path
    }

    fn read(entry: &Entry) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        entry.open()?.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn files_inside_are_read_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path());
        assert!(is_archive(&path));
        let found = list(&path).unwrap();
        let names: Vec<&str> = found.iter().map(name_of).collect();
        assert_eq!(names, ["a.json", "b/two.json"]);
        for entry in found.into_iter().flatten() {
            assert_eq!(read(&entry).unwrap(), entry.name.repeat(100).as_bytes());
            let wrong = Entry {
                crc: entry.crc ^ 1,
                ..entry
            };
            assert!(read(&wrong).is_err());
        }
    }

    #[test]
    fn an_archive_that_was_cut_off_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 30]).unwrap();
        assert!(list(&path).unwrap_err().contains("directory"));
    }
}
