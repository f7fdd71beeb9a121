//! Output files: written beside their place under another name and moved there when whole, so that a
//! failed or interrupted run leaves neither half a file nor the loss of an older one.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::unfinished::Unfinished;
use crate::error::Error;

/// Writes the file at `path` with `write`. Until all of it is written and on disk, an older file
/// at `path` stays as it is. What is no regular file (`/dev/stdout`, a FIFO) is written to directly.
///
/// # Errors
/// When the file cannot be created, written or moved; the message names it.
pub(super) fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let done = match path.metadata() {
        Ok(there) if !there.is_file() => directly(path, write),
        _ => replacing(path, write),
    };
    done.map_err(|error| Error::File(format!("{}: cannot be written: {error}", path.display())))
}

fn directly(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(std::fs::OpenOptions::new().write(true).open(path)?);
    write(&mut out)?;
    out.flush()
}

fn replacing(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A link is followed, so that it goes on pointing to the file.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let create = || {
        tempfile::Builder::new()
            .prefix(".agentdiag-")
            .suffix(".part")
            .permissions(permissions(&path))
            .tempfile_in(folder)
    };
    let (part, _unfinished) = Unfinished::new(create, NamedTempFile::path)?;
    let mut out = BufWriter::with_capacity(1 << 16, part);
    write(&mut out)?;
    let part = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    part.as_file().sync_all()?;
    part.persist(&path).map_err(|failed| failed.error)?;
    Ok(())
}

/// Those of the file to be replaced, else what any new file gets (less the umask).
fn permissions(path: &Path) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    match path.metadata() {
        Ok(old) => old.permissions(),
        Err(_) => std::fs::Permissions::from_mode(0o666),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        write_file(&path, |out| out.write_all(b"first")).unwrap();
        let failed = write_file(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("report: cannot be written"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"first");
        write_file(&path, |out| out.write_all(b"second")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/such/folder/x");
        let failed = write_file(&path, |_| Ok(())).unwrap_err().to_string();
        assert!(failed.contains("no/such/folder/x"), "{failed}");
    }

    #[test]
    fn devices_and_links_stay_what_they_are() {
        write_file(Path::new("/dev/null"), |out| out.write_all(b"x")).unwrap();
        assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_file(&link, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
}
