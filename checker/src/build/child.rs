//! Cargo as a child: its streams are ours, and signals reach it.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

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
    let mut command = called(cargo, arguments, variables, from);
    for name in removed {
        command.env_remove(name);
    }
    supervise(cargo, &mut command, |_| ())
}

/// The call, not yet made.
fn called(
    cargo: &OsStr,
    arguments: &[OsString],
    variables: &[(&str, OsString)],
    from: &Path,
) -> Command {
    let mut command = Command::new(cargo);
    command
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(from);
    command
}

/// Makes the call, and passes signals on until it has ended. `meanwhile` runs beside it.
fn supervise(
    cargo: &OsStr,
    command: &mut Command,
    meanwhile: impl FnOnce(&mut Child),
) -> Result<i32, ChildError> {
    // Before the child starts, or a signal between would end us and leave it alone.
    let guard = signals::Guard::new();
    let mut child = command.spawn().map_err(|source| ChildError::Start {
        cargo: cargo.to_owned(),
        source,
    })?;
    guard.forward_to(child.id());
    meanwhile(&mut child);
    let status = child.wait().map_err(|source| ChildError::Wait {
        cargo: cargo.to_owned(),
        source,
    })?;
    drop(guard);
    Ok(signals::exit_code(status))
}

/// Runs `cargo` as [`run`] does, but hands each line of its standard output to `line`.
///
/// # Errors
///
/// [`ChildError`] if it cannot be started.
pub(super) fn run_listening(
    cargo: &OsStr,
    arguments: &[OsString],
    variables: &[(&str, OsString)],
    from: &Path,
    line: &mut dyn FnMut(&str),
) -> Result<i32, ChildError> {
    let mut command = called(cargo, arguments, variables, from);
    supervise(cargo, command.stdout(Stdio::piped()), |child| {
        let Some(out) = child.stdout.take() else {
            return;
        };
        let mut out = BufReader::new(out);
        let mut bytes = Vec::new();
        // What cannot be read any more is the end of it.
        while out.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            line(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']));
            bytes.clear();
        }
    })
}
