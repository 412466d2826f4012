//! What a run makes, on disk before it is made: a kill at any time leaves nothing unknown.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use copymend_aws::proving::RunId;
use serde::{Deserialize, Serialize};

use super::console::say;

/// The version of the file's form.
const VERSION: u32 = 1;

/// A thing that a run makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Made {
    DestinationKey,
    DestinationVault,
    SourceKey,
    SourceVault,
    Volume,
    Backup,
    Copy,
}

/// An account and Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

/// A thing, with its id once AWS has told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) what: Made,
    pub(crate) id: Option<String>,
}

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    version: u32,
    run: String,
    pub(crate) source: Place,
    pub(crate) destination: Place,
    made: Vec<Entry>,
}

impl State {
    pub(crate) fn new(run: &RunId, source: Place, destination: Place) -> Self {
        Self {
            version: VERSION,
            run: run.to_string(),
            source,
            destination,
            made: Vec::new(),
        }
    }

    /// The ids of the things of this kind, and whether there may be one whose id isn't known.
    pub(crate) fn ids(&self, what: Made) -> (Vec<&str>, bool) {
        let of_kind = || self.made.iter().filter(move |entry| entry.what == what);
        let ids = of_kind().filter_map(|entry| entry.id.as_deref()).collect();
        (ids, of_kind().any(|entry| entry.id.is_none()))
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    state: State,
    run: RunId,
}

impl StateFile {
    /// A new file. One that is there already is an error of the kind `AlreadyExists`.
    pub(crate) fn create(path: &Path, run: &RunId, state: State) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(&text(&state)?)?;
        file.sync_all()?;
        Ok(Self {
            path: path.to_owned(),
            state,
            run: run.clone(),
        })
    }

    /// The file of an earlier run; `None` where there is none. An empty one is removed: its run was
    /// killed before it wrote anything, and made nothing.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        if text.is_empty() {
            fs::remove_file(path)?;
            say("The state file is empty: its run was ended before it made anything.")?;
            return Ok(None);
        }
        let state: State =
            serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        if state.version != VERSION {
            return Err(invalid(format!("it is of version {}", state.version)));
        }
        let run = state.run.parse();
        let run = run.map_err(|error| invalid(format!("`{}`: {error}", state.run)))?;
        Ok(Some(Self {
            path: path.to_owned(),
            state,
            run,
        }))
    }

    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    pub(crate) const fn run(&self) -> &RunId {
        &self.run
    }

    /// Notes a thing that is about to be made.
    pub(crate) fn begin(&mut self, what: Made) -> io::Result<()> {
        self.state.made.push(Entry { what, id: None });
        self.write()
    }

    /// Notes that the last thing was made.
    pub(crate) fn made(&mut self, id: &str) -> io::Result<()> {
        if let Some(entry) = self.state.made.last_mut() {
            entry.id = Some(id.to_owned());
        }
        self.write()
    }

    /// Notes another thing that was made by somebody else: the copy that was started again.
    pub(crate) fn add(&mut self, what: Made, id: &str) -> io::Result<()> {
        self.begin(what)?;
        self.made(id)
    }

    /// A reader finds the old file or the new one, never a part.
    fn write(&self) -> io::Result<()> {
        let next = self.path.with_extension("json.next");
        let mut file = File::create(&next)?;
        file.write_all(&text(&self.state)?)?;
        file.sync_all()?;
        fs::rename(&next, &self.path)
    }

    /// Everything was removed.
    pub(crate) fn delete(self) -> io::Result<()> {
        fs::remove_file(self.path)
    }
}

fn text(state: &State) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(state)?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(account: &str) -> Place {
        Place {
            account: account.to_owned(),
            region: "eu-west-1".to_owned(),
        }
    }

    fn in_a_folder(test: impl FnOnce(&Path)) {
        let number = std::process::id();
        let folder = std::env::temp_dir().join(format!("copymend-prove-state-{number}"));
        fs::create_dir_all(&folder).unwrap();
        test(&folder.join("state.json"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_begun_is_in_the_file_before_its_id_is_known() {
        in_a_folder(|path| {
            assert!(StateFile::open(path).unwrap().is_none());
            let run: RunId = "0a1b2c3d".parse().unwrap();
            let state = State::new(&run, place("111122223333"), place("444455556666"));
            let mut file = StateFile::create(path, &run, state.clone()).unwrap();
            let again = StateFile::create(path, &run, state).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);

            file.begin(Made::Volume).unwrap();
            let read = StateFile::open(path).unwrap().unwrap();
            assert_eq!(read.state().ids(Made::Volume), (vec![], true));
            assert_eq!(read.run(), &run);
            file.made("vol-1").unwrap();
            file.add(Made::Copy, "job-2").unwrap();
            let read = StateFile::open(path).unwrap().unwrap();
            assert_eq!(read.state(), file.state());
            assert_eq!(read.state().ids(Made::Volume), (vec!["vol-1"], false));
            assert_eq!(read.state().ids(Made::Copy), (vec!["job-2"], false));
            assert_eq!(read.state().ids(Made::Backup), (vec![], false));

            fs::write(path, "").unwrap();
            assert!(StateFile::open(path).unwrap().is_none());
            assert!(!path.exists());
            fs::write(path, "{}").unwrap();
            assert!(StateFile::open(path).is_err());
            file.delete().unwrap();
            assert!(!path.exists());
        });
    }
}
