//! One watched run: its log folder, and what the environment must say.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use lockwise::watch::log;

use super::Project;
use crate::settings::LogLevel;

/// The variable that says what happens when threads wait for each other.
pub const ON_DEADLOCK: &str = "LOCKWISE_ON_DEADLOCK";

/// What becomes of a process whose threads wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDeadlock {
    /// It ends, with a report.
    End,
    /// What its environment says.
    AsChosen,
}

/// A watched run. Its logs are removed with [`Session::end`], unless they are kept.
#[derive(Debug)]
pub struct Session {
    /// Where the logs go; absolute, because tests run in their package's folder.
    logs: PathBuf,
    keep: bool,
    level: Option<LogLevel>,
}

/// Why a session could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The log folder cannot be made or looked at.
    #[error("cannot make log folder `{}`", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The log folder that was named has something in it.
    #[error(
        "log folder `{}` is not empty: logs of several runs would be joined; name an empty or absent one",
        path.display()
    )]
    NotEmpty {
        /// Which.
        path: PathBuf,
    },
}

impl Session {
    /// Makes the log folder: `chosen`, which is then kept, or a fresh one in the target folder.
    ///
    /// # Errors
    ///
    /// [`SessionError`] if the folder cannot be made, or a chosen one is not empty.
    pub fn begin(
        project: Option<&Project>,
        chosen: Option<&Path>,
        keep: bool,
        level: Option<LogLevel>,
    ) -> Result<Session, SessionError> {
        let path = chosen.map_or_else(|| fresh_folder(project), Path::to_owned);
        let path = path.as_path();
        let folder_error = |source| SessionError::Folder {
            path: path.to_owned(),
            source,
        };
        fs::create_dir_all(path).map_err(folder_error)?;
        if fs::read_dir(path).map_err(folder_error)?.next().is_some() {
            let path = path.to_owned();
            return Err(SessionError::NotEmpty { path });
        }
        // The limit of one log is then that of all logs of the run.
        fs::write(path.join(log::TOTAL), []).map_err(folder_error)?;
        Ok(Session {
            logs: std::path::absolute(path).map_err(folder_error)?,
            keep: keep || chosen.is_some(),
            level,
        })
    }

    /// Where the logs go.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Whether the logs stay.
    pub fn keeps(&self) -> bool {
        self.keep
    }

    /// The variables that make the program a watched one. `LOCKWISE_ON_FINDING` and all others stay
    /// as the user set them. A process whose threads wait for each other ends, unless the user has
    /// `chosen` what happens then: it would never end, nor would we.
    pub fn variables(&self, chosen: OnDeadlock) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![("LOCKWISE_LOG", self.logs.clone().into_os_string())];
        if chosen == OnDeadlock::End {
            variables.push((ON_DEADLOCK, "abort".into()));
        }
        if let Some(level) = self.level {
            variables.push(("LOCKWISE_LEVEL", level.name().into()));
        }
        variables
    }

    /// Removes the logs, unless they are kept.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn end(self) -> io::Result<()> {
        if self.keep {
            return Ok(());
        }
        fs::remove_dir_all(&self.logs)
    }
}

/// A folder that no other session uses: in the target folder or, where there is no project, among
/// the system's temporary files.
fn fresh_folder(project: Option<&Project>) -> PathBuf {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos());
    let unique = format!("{}-{nanos}", std::process::id());
    match project {
        Some(project) => project.target.join("lockwise").join("logs").join(unique),
        None => std::env::temp_dir().join(format!("lockwise-{unique}")),
    }
}

#[cfg(test)]
mod tests;
