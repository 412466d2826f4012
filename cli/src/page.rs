//! The HTML page of `--html FILE`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use copymend_page::PageError;

use crate::{CommandError, output};

/// Opens the file, if one is named.
pub(crate) fn open(named: Option<&Path>) -> Result<Option<PageFile>, CommandError> {
    named.map(PageFile::open).transpose()
}

/// Makes the page and writes it, if a file is named.
pub(crate) fn write(
    file: Option<PageFile>,
    page: impl FnOnce() -> Result<String, PageError>,
) -> Result<(), CommandError> {
    file.map_or(Ok(()), |file| file.write(page()))
}

/// The file of a page, which is written as a whole or not at all: first beside it, under a name of its own,
/// then put in its place. What isn't a regular file, such as a pipe or `/dev/null`, is written to.
pub(crate) struct PageFile {
    /// As it was given, for messages.
    named: PathBuf,
    target: Target,
}

enum Target {
    /// The file that is replaced, and the one that takes its place. The latter is removed where nothing
    /// was written.
    Replaced { file: PathBuf, by: Beside },
    /// What is written to.
    Open(File),
}

/// A file that is gone when it is dropped, unless it was put in another's place.
struct Beside {
    path: PathBuf,
    file: File,
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Once it took the other's place nothing is there any more.
        let _ = fs::remove_file(&self.path);
    }
}

impl PageFile {
    /// Finds out that the file can be written, before anything is read of AWS: a scan may take minutes.
    fn open(named: &Path) -> Result<Self, CommandError> {
        let target = target(named).map_err(cannot_write(named))?;
        Ok(Self {
            named: named.to_owned(),
            target,
        })
    }

    /// Puts the page there.
    fn write(self, page: Result<String, PageError>) -> Result<(), CommandError> {
        let Self { named, target } = self;
        let page = page.map_err(io::Error::other);
        let written = page.and_then(|page| match target {
            Target::Open(mut file) => file.write_all(page.as_bytes()),
            Target::Replaced { file, mut by } => {
                by.file.write_all(page.as_bytes())?;
                by.file.sync_all()?;
                fs::rename(&by.path, &file)
            }
        });
        written.map_err(cannot_write(&named))
    }
}

fn cannot_write(named: &Path) -> impl FnOnce(io::Error) -> CommandError {
    let file = output::printable(&named.display().to_string());
    |source| CommandError::Page { file, source }
}

fn target(named: &Path) -> io::Result<Target> {
    // A link stays a link; what it leads to is replaced.
    let (file, known) = match fs::canonicalize(named) {
        Ok(file) => {
            let known = fs::metadata(&file)?;
            (file, Some(known))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (named.to_owned(), None),
        Err(error) => return Err(error),
    };
    match known {
        Some(known) if known.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Some(known) if !known.is_file() => {
            Ok(Target::Open(OpenOptions::new().write(true).open(&file)?))
        }
        known => {
            // One that can't be written by its own mode stays, as a shell's `>` leaves it.
            if known.is_some() {
                OpenOptions::new().append(true).open(&file)?;
            }
            let by = beside(&file)?;
            if let Some(known) = known {
                by.file.set_permissions(known.permissions())?;
            }
            Ok(Target::Replaced { file, by })
        }
    }
}

/// A new file beside another: a name is replaced at once only within one file system.
fn beside(file: &Path) -> io::Result<Beside> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut own = std::ffi::OsString::from(".");
    own.push(name);
    own.push(format!(".{}", std::process::id()));
    let path = file.with_file_name(own);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    Ok(Beside { path, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of the test's own, gone at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_stays_beside_it() {
        let folder = Folder::new("copymend-page-replaced");
        let file = folder.0.join("page.html");
        fs::write(&file, "before").unwrap();
        let opened = PageFile::open(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
        opened.write(Ok("after".to_owned())).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        assert_eq!(folder.names(), ["page.html"]);
    }

    #[test]
    fn where_nothing_is_written_the_file_stays_and_nothing_is_beside_it() {
        let folder = Folder::new("copymend-page-kept");
        let file = folder.0.join("page.html");
        fs::write(&file, "before").unwrap();
        drop(PageFile::open(&file).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), "before");
        assert_eq!(folder.names(), ["page.html"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_mode_stays_as_it_is() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new("copymend-page-link");
        let (file, link) = (folder.0.join("page.html"), folder.0.join("newest.html"));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        PageFile::open(&link)
            .unwrap()
            .write(Ok("after".to_owned()))
            .unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        let device = Path::new("/dev/null");
        PageFile::open(device)
            .unwrap()
            .write(Ok("x".to_owned()))
            .unwrap();
        assert!(!fs::metadata(device).unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_is_told_before_anything_is_read() {
        let folder = Folder::new("copymend-page-refused");
        let missing = folder.0.join("missing").join("page.html");
        for named in [folder.0.clone(), missing, PathBuf::new()] {
            let Err(error) = PageFile::open(&named) else {
                panic!("{} was opened", named.display());
            };
            let words = error.to_string();
            let start = format!("cannot write the page `{}`: ", named.display());
            assert!(words.starts_with(&start), "{words}");
        }
        assert!(folder.names().is_empty());
    }
}
