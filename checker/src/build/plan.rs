//! What the wrapper must know: a file that stands beside it.
//!
//! Not the environment: tests inherit that, and may run cargo themselves.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// What the wrapper does, by the name under which it is called.
pub const RUSTC: &str = "lockwise-rustc";
/// The same, for rustdoc.
pub const RUSTDOC: &str = "lockwise-rustdoc";

/// How crates are compiled in one target folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The libraries of each target that is watched.
    pub libraries: Vec<(String, PathBuf)>,
    /// The user's own wrapper.
    pub wrapper: Option<PathBuf>,
    /// The documentation compiler.
    pub rustdoc: PathBuf,
    /// Where changed sources are put.
    pub sources: PathBuf,
    /// Where it is noted what was left out.
    pub notes: PathBuf,
}

impl Plan {
    /// Reads the plan beside the wrapper at `program`.
    pub fn beside(program: &Path) -> Option<Plan> {
        let text = fs::read_to_string(program.with_file_name(FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The libraries for `target`.
    pub fn libraries(&self, target: &str) -> Option<&Path> {
        let found = self.libraries.iter().find(|(name, _)| name == target);
        found.map(|(_, folder)| folder.as_path())
    }

    /// Puts the plan and the wrapper, which is this program under other names, into `folder`.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn install(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::create_dir_all(&self.notes)?;
        let text = serde_json::to_string_pretty(self)?;
        let file = folder.join(FILE);
        // Another session may be reading it.
        if fs::read_to_string(&file).is_ok_and(|old| old == text) {
            return link_all(folder);
        }
        let fresh = folder.join(format!("{FILE}.{}", std::process::id()));
        fs::write(&fresh, text)?;
        fs::rename(&fresh, &file)?;
        link_all(folder)
    }
}

const FILE: &str = "plan.json";

fn link_all(folder: &Path) -> io::Result<()> {
    for name in [RUSTC, RUSTDOC] {
        install_program(folder, name)?;
    }
    Ok(())
}

/// Puts this program into `folder` under another name.
///
/// # Errors
///
/// Whatever the file system says.
pub fn install_program(folder: &Path, name: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let own = std::env::current_exe()?;
    let place = folder.join(with_extension(name));
    if points_to(&place, &own) {
        return Ok(());
    }
    let _ = fs::remove_file(&place);
    link(&own, &place)
}

/// The name of a program on this system.
pub fn with_extension(name: &str) -> OsString {
    let mut name = OsString::from(name);
    name.push(std::env::consts::EXE_SUFFIX);
    name
}

#[cfg(unix)]
fn points_to(place: &Path, own: &Path) -> bool {
    fs::read_link(place).is_ok_and(|target| target == own)
}

#[cfg(not(unix))]
fn points_to(place: &Path, own: &Path) -> bool {
    let (Ok(there), Ok(here)) = (fs::metadata(place), fs::metadata(own)) else {
        return false;
    };
    there.len() == here.len() && there.modified().ok() >= here.modified().ok()
}

#[cfg(unix)]
fn link(own: &Path, place: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink(own, place) {
        // Another session was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(not(unix))]
fn link(own: &Path, place: &Path) -> io::Result<()> {
    fs::copy(own, place).map(drop)
}
