//! Cargo as a child: its streams are ours, and signals reach it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::Command;

use super::signals;

/// Why cargo could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// It cannot be started.
    #[error("cannot start `{}`", cargo.display())]
    Start {
        /// The program that was to be started.
        cargo: OsString,
        /// Why.
        source: io::Error,
    },
    /// It was started, and then lost.
    #[error("cannot wait for `{}`", cargo.display())]
    Wait {
        /// The program that was waited for.
        cargo: OsString,
        /// Why.
        source: io::Error,
    },
}

/// Runs `cargo` and returns its exit code, or 128 + n after signal n, as shells do.
///
/// While it runs, an interrupt ends it and not us, so that what it did until then is reported.
///
/// # Errors
///
/// [`ChildError`] if it cannot be started.
pub fn run(
    cargo: &OsStr,
    arguments: &[OsString],
    variables: &[(&str, OsString)],
    removed: &[&str],
    from: &Path,
) -> Result<i32, ChildError> {
    // Before the child starts, or a signal between would end us and leave it alone.
    let guard = signals::Guard::new();
    let mut command = Command::new(cargo);
    for name in removed {
        command.env_remove(name);
    }
    let mut child = command
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(from)
        .spawn()
        .map_err(|source| ChildError::Start {
            cargo: cargo.to_owned(),
            source,
        })?;
    guard.forward_to(child.id());
    let status = child.wait().map_err(|source| ChildError::Wait {
        cargo: cargo.to_owned(),
        source,
    })?;
    drop(guard);
    Ok(signals::exit_code(status))
}
