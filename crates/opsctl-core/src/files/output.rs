//! Files that opsctl writes where a person says. What stands there already is never lost: a regular file is created, and replaced only
//! where that was asked for; pipes and devices are written to; links are followed; a write that fails leaves what was there whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::domain::{Advice, Try};

/// The name that means standard output.
pub const STANDARD_OUTPUT: &str = "-";

/// A file can't be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    #[error("cannot write {}: {because}", path.display())]
    Unwritten { path: PathBuf, because: io::Error },
}

impl OutputError {
    /// What helps.
    pub fn hint(&self) -> Advice {
        let other = |words: &str| Try::MendFile.says(words);
        match self {
            Self::Exists(_) => other("name another file, or replace this one with --force"),
            Self::Folder(_) => other("name a file in it"),
            Self::Unwritten { because, .. } => match because.kind() {
                io::ErrorKind::NotFound => other("make the folder first, or name a file in another one"),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    other("name a file in a folder that you may write")
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Try::MakeRoom.says("make room on the disk, or name another file")
                }
                _ => other("name another file"),
            },
        }
    }
}

/// What stands at a path.
enum There {
    /// Nothing, and this is where a file would be made: the end of a link that leads nowhere yet, for instance.
    Nothing(PathBuf),
    /// A regular file, where it really is.
    File(PathBuf),
    /// A pipe, a device, a socket.
    Stream,
}

/// Whether a file of that name could be written, before anything is done for it.
///
/// # Errors
/// A file is there that is not to be replaced; a folder has that name.
pub fn check(path: &Path, replace: bool) -> Result<(), OutputError> {
    match there(path)? {
        There::File(_) if !replace => Err(OutputError::Exists(path.to_owned())),
        There::File(_) | There::Nothing(_) | There::Stream => Ok(()),
    }
}

/// Writes all of it, or nothing where a regular file is meant. [`STANDARD_OUTPUT`] is an ordinary name here.
///
/// # Errors
/// As of [`check`], and whatever the system refuses.
pub fn write(path: &Path, bytes: &[u8], replace: bool) -> Result<(), OutputError> {
    let unwritten = |because: io::Error| match because.kind() {
        io::ErrorKind::AlreadyExists => OutputError::Exists(path.to_owned()),
        _ => OutputError::Unwritten { path: path.to_owned(), because },
    };
    match there(path)? {
        There::Stream => {
            let opened = OpenOptions::new().write(true).open(path);
            opened.and_then(|mut stream| stream.write_all(bytes).and_then(|()| stream.flush())).map_err(unwritten)
        }
        There::File(_) if !replace => Err(OutputError::Exists(path.to_owned())),
        There::File(real) => beside(&real, bytes).and_then(|new| replace_by(new, &real)).map_err(unwritten),
        There::Nothing(real) => beside(&real, bytes)
            // Unlike a rename this never takes the place of a file that came meanwhile.
            .and_then(|new| new.persist_noclobber(&real).map_err(|error| error.error))
            .and_then(|_| settle(&real))
            .map_err(unwritten),
    }
}

fn there(path: &Path) -> Result<There, OutputError> {
    let unwritten = |because| OutputError::Unwritten { path: path.to_owned(), because };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(OutputError::Folder(path.to_owned())),
        Ok(found) if found.is_file() => fs::canonicalize(path).map(There::File).map_err(unwritten),
        Ok(_) => Ok(There::Stream),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
            // One step is enough: where it leads to another link, that one is replaced by nobody, and the write fails.
            Ok(leads) => Ok(There::Nothing(folder_of(path).join(leads))),
            Err(_) => Ok(There::Nothing(path.to_owned())),
        },
        Err(because) => Err(unwritten(because)),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in the same folder with all of it, on disk.
fn beside(path: &Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut new = tempfile::NamedTempFile::new_in(folder_of(path))?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    Ok(new)
}

/// The file keeps its permissions: somebody may have opened it to others, or shut it.
fn replace_by(new: tempfile::NamedTempFile, real: &Path) -> io::Result<()> {
    new.as_file().set_permissions(fs::metadata(real)?.permissions())?;
    new.persist(real).map_err(|error| error.error)?;
    settle(real)
}

fn settle(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const TEXT: &[u8] = b"new\n";

    fn read(path: &Path) -> String {
        fs::read_to_string(path).expect("read")
    }

    #[test]
    fn a_file_is_created_and_replaced_only_where_that_was_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        write(&path, TEXT, false).expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        fs::write(&path, "mine").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        for attempt in [check(&path, false), write(&path, TEXT, false)] {
            assert!(matches!(attempt, Err(OutputError::Exists(_))), "{attempt:?}");
        }
        assert_eq!(read(&path), "mine");
        check(&path, true).expect("allowed");
        write(&path, TEXT, true).expect("written");
        assert_eq!(
            (read(&path).as_bytes(), fs::metadata(&path).expect("there").permissions().mode() & 0o777),
            (TEXT, 0o640)
        );
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn links_are_followed_and_stay_links() {
        let folder = tempfile::tempdir().expect("a folder");
        let (link, real) = (folder.path().join("link"), folder.path().join("real"));
        symlink("real", &link).expect("linked");
        write(&link, TEXT, false).expect("its end is made");
        assert!(link.is_symlink() && real.is_file());
        assert!(matches!(write(&link, TEXT, false), Err(OutputError::Exists(_))));
        fs::write(&real, "mine").expect("written");
        write(&link, TEXT, true).expect("its end is replaced");
        assert!(link.is_symlink() && !real.is_symlink());
        assert_eq!(read(&real).as_bytes(), TEXT);
    }

    #[test]
    fn devices_and_pipes_are_written_to_and_stay_what_they_are() {
        use std::os::unix::fs::FileTypeExt as _;
        let refused = write(Path::new("/dev/full"), TEXT, true).expect_err("no room");
        assert!(refused.hint().as_str().contains("make room"), "{refused}");
        write(Path::new("/dev/null"), TEXT, false).expect("written");
        for device in ["/dev/full", "/dev/null"] {
            assert!(fs::metadata(device).expect("there").file_type().is_char_device(), "{device}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).expect("read")
        });
        write(&pipe, TEXT, false).expect("written");
        assert_eq!(reader.join().expect("no panic"), TEXT);
        assert!(fs::metadata(&pipe).expect("there").file_type().is_fifo());
    }

    #[test]
    fn what_can_not_be_written_leaves_all_as_it_was_and_says_what_helps() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = write(&folder.path().join("none/plan.json"), TEXT, true).expect_err("no folder");
        assert!(missing.hint().as_str().starts_with("make the folder"), "{missing}");
        let is_folder = write(folder.path(), TEXT, true).expect_err("a folder");
        assert!(matches!(is_folder, OutputError::Folder(_)), "{is_folder}");
        let circle = folder.path().join("circle");
        symlink("circle", &circle).expect("linked");
        assert!(write(&circle, TEXT, true).is_err() && circle.is_symlink());
    }
}
