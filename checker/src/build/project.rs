//! The cargo project that the user stands in.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// Flags of cargo that decide which project is meant, and that `cargo metadata` understands too.
const DECISIVE: [&str; 4] = ["--manifest-path", "--config", "-Z", "-C"];

/// A cargo project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The folder that cargo builds into.
    pub target: PathBuf,
}

/// What we need of `cargo metadata`.
#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Project {
    /// Asks `cargo` for the project that it would build with these arguments, from folder `from`.
    /// `None` if it knows none: then the command itself will say why.
    pub fn find(cargo: &OsStr, arguments: &[OsString], from: &Path) -> Option<Project> {
        let output = metadata(cargo, arguments, from, &["--no-deps"], None)?;
        let metadata: Metadata = serde_json::from_slice(&output).ok()?;
        let chosen = value_of(arguments, "--target-dir");
        Some(Project {
            target: chosen.map_or(metadata.target_directory, |dir| from.join(dir)),
            root: metadata.workspace_root,
        })
    }
}

/// The flags that decide which project is meant, with their values.
fn decisive(arguments: &[OsString]) -> Vec<(&'static str, OsString)> {
    DECISIVE
        .into_iter()
        .flat_map(|name| values_of(arguments, name).map(move |value| (name, value)))
        .collect()
}

/// The value of the first flag of this name, before `--`.
fn value_of(arguments: &[OsString], name: &str) -> Option<OsString> {
    values_of(arguments, name).next()
}

/// The values of all flags of this name, before `--`.
pub(super) fn values_of<'a>(
    arguments: &'a [OsString],
    name: &'a str,
) -> impl Iterator<Item = OsString> + use<'a> {
    let arguments = before_dashes(arguments);
    arguments
        .iter()
        .enumerate()
        .filter_map(move |(at, argument)| {
            if argument == name {
                return arguments.get(at + 1).cloned();
            }
            let value = argument.to_str()?.strip_prefix(name)?.strip_prefix('=')?;
            Some(OsString::from(value))
        })
}

impl Project {
    /// The text of its `Cargo.lock`, empty if there is none yet.
    pub fn lock(&self) -> String {
        std::fs::read_to_string(self.root.join("Cargo.lock")).unwrap_or_default()
    }

    /// The same, once cargo has made it where it would make it anyway.
    pub fn resolved(&self, cargo: &OsStr, arguments: &[OsString], from: &Path) -> String {
        if !self.root.join("Cargo.lock").is_file() {
            let how: Vec<&str> = ["--offline", "--locked", "--frozen"]
                .into_iter()
                .filter(|flag| before_dashes(arguments).iter().any(|given| given == flag))
                .collect();
            // What is wrong, cargo will say when it builds.
            let _ = metadata(
                cargo,
                arguments,
                from,
                &how,
                Some(&self.target.join("lockwise")),
            );
        }
        self.lock()
    }
}

/// What `cargo metadata` prints for the project that is meant. What cargo notes of the compiler on the
/// way goes into the folder `notes`, if one is named.
fn metadata(
    cargo: &OsStr,
    arguments: &[OsString],
    from: &Path,
    more: &[&str],
    notes: Option<&Path>,
) -> Option<Vec<u8>> {
    let (before, after): (Vec<_>, Vec<_>) = decisive(arguments)
        .into_iter()
        .partition(|(name, _)| *name == "-C");
    let flat = |flags: Vec<(&'static str, OsString)>| {
        flags
            .into_iter()
            .flat_map(|(name, value)| [OsString::from(name), value])
    };
    let mut command = Command::new(cargo);
    if let Some(notes) = notes {
        command.env("CARGO_TARGET_DIR", notes);
    }
    let output = command
        .args(flat(before))
        .args(["metadata", "--format-version", "1"])
        .args(more)
        .args(flat(after))
        .current_dir(from)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(output.stdout)
}

/// The arguments that are cargo's for sure.
fn before_dashes(arguments: &[OsString]) -> &[OsString] {
    let end = arguments.iter().position(|argument| argument == "--");
    &arguments[..end.unwrap_or(arguments.len())]
}

/// Whether a package of this name stands in `lock`, the text of a `Cargo.lock`.
pub fn is_locked(lock: &str, package: &str) -> bool {
    let wanted = format!("name = \"{package}\"");
    lock.lines().any(|line| line == wanted)
}

/// The root of the project around `from`, found without cargo: the nearest folder with a
/// `Cargo.lock`, else the nearest with a `Cargo.toml`, else `from` itself.
pub fn nearest_root(from: &Path) -> PathBuf {
    let nearest = |file: &str| from.ancestors().find(|folder| folder.join(file).is_file());
    nearest("Cargo.lock")
        .or_else(|| nearest("Cargo.toml"))
        .unwrap_or(from)
        .to_owned()
}

#[cfg(test)]
mod tests;
