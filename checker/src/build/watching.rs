//! How cargo is called so that it builds a watched program of whatever it would build.
//!
//! Cargo gets a compiler wrapper, a target and a target folder of its own; everything else that the
//! user said stays. Always naming a target keeps build scripts and macros apart, which are never
//! touched. Our folder is named after all that goes into the foundation, since crates that were
//! compiled against one cannot be linked with another.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::foundation::{Foundation, FoundationError, cache};
use super::plan::{Plan, RUSTC, RUSTDOC, with_extension};
use super::project::Project;
use super::toolchain::{Configuration, Toolchain, ToolchainError};
use super::wrapper::{STD_FAILED, without};

/// A way to call cargo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    /// The target folder.
    target_dir: PathBuf,
    /// The targets to name, where the user named none.
    targets: Vec<String>,
    /// Where the wrapper is.
    programs: PathBuf,
    notes: PathBuf,
    /// Whether cargo must be told where to build, too.
    has_build_dir: bool,
}

/// Why a program cannot be watched without changing it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchingError {
    /// The compiler is not known.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// The foundation cannot be built.
    #[error(transparent)]
    Foundation(#[from] FoundationError),
    /// The wrapper cannot be put in place.
    #[error("cannot prepare `{}`", path.display())]
    Install {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Something that is not watched, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `std`, or a package with its version.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Variables that would win over what we tell cargo.
pub const OVERRIDING: [&str; 2] = ["RUSTC_WRAPPER", "RUSTDOC"];

impl Watching {
    /// Prepares watching `project`, which cargo is to build with these arguments from folder `from`.
    /// `building` is called before something is built that takes a while.
    ///
    /// # Errors
    ///
    /// [`WatchingError`] if the compiler cannot be asked or refuses our sources.
    pub fn prepare<'e>(
        project: &Project,
        arguments: &[OsString],
        variable: impl Fn(&str) -> Option<&'e OsStr> + Copy,
        from: &Path,
        building: &mut dyn FnMut(),
    ) -> Result<Watching, WatchingError> {
        let base = project.target.join("lockwise");
        let mut configuration = Configuration::read(variable, from);
        configuration.override_by(super::project::values_of(arguments, "--config"), from);
        let toolchain = Toolchain::find(&configuration, from)?;
        let foundation = Foundation::of(&toolchain, &cache(variable, &base.join("cache")));
        let named: Vec<String> = super::project::values_of(arguments, "--target")
            .filter_map(|target| target.into_string().ok())
            .collect();
        let (targets, all) = if !named.is_empty() {
            (Vec::new(), named)
        } else if !configuration.targets.is_empty() {
            (Vec::new(), configuration.targets.clone())
        } else {
            let host = vec![toolchain.host.clone()];
            (host.clone(), host)
        };
        let mut libraries = Vec::new();
        for target in &all {
            let target = match target.as_str() {
                "host-tuple" => &toolchain.host,
                _ => target,
            };
            if !foundation.is_built(target) {
                building();
            }
            foundation.build(&toolchain, target)?;
            libraries.push((target.clone(), foundation.libraries(target)));
        }
        let target_dir = base.join(&foundation.key);
        let programs = target_dir.join("bin");
        let rustdoc = configuration.rustdoc.unwrap_or_else(|| "rustdoc".into());
        let plan = Plan {
            libraries,
            wrapper: configuration.wrapper.map(PathBuf::from),
            rustdoc: PathBuf::from(rustdoc),
            sources: target_dir.join("sources"),
            notes: target_dir.join("notes"),
        };
        plan.install(&programs)
            .map_err(|source| WatchingError::Install {
                path: programs.clone(),
                source,
            })?;
        Ok(Watching {
            target_dir,
            targets,
            programs,
            notes: plan.notes,
            has_build_dir: configuration.has_build_dir,
        })
    }

    /// What cargo is told between its command and the user's `arguments`, which follow without what
    /// they say of the target folder and of wrappers.
    pub fn arguments(&self, arguments: &[OsString]) -> Vec<OsString> {
        let program = |key: &str, name: &str| {
            let path = self.programs.join(with_extension(name));
            let path = toml::Value::String(path.to_string_lossy().into_owned());
            [OsString::from("--config"), format!("{key}={path}").into()]
        };
        let mut all: Vec<OsString> = Vec::new();
        all.extend(program("build.rustc-wrapper", RUSTC));
        all.extend(program("build.rustdoc", RUSTDOC));
        for target in &self.targets {
            all.push("--target".into());
            all.push(target.into());
        }
        if self.has_build_dir {
            let folder = self.target_dir.join("build").to_string_lossy().into_owned();
            all.push("--config".into());
            all.push(format!("build.build-dir={}", toml::Value::String(folder)).into());
        }
        all.push("--target-dir".into());
        all.push(self.target_dir.clone().into_os_string());
        all.extend(without_ours(arguments));
        all
    }

    /// What was not watched in this and earlier builds of the packages in `lock`, the text of a
    /// `Cargo.lock`.
    pub fn left_out(&self, lock: &str) -> Vec<LeftOut> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.notes).into_iter().flatten().flatten() {
            let what = entry.file_name().to_string_lossy().into_owned();
            let why = fs::read_to_string(entry.path()).unwrap_or_default();
            let why = why.lines().next().unwrap_or_default().to_owned();
            if what != STD_FAILED && is_locked_at_version(lock, &what) {
                all.push(LeftOut { what, why });
            }
        }
        all.sort_by(|a, b| a.what.cmp(&b.what));
        all
    }

    /// Takes the note, if there is one, that a crate could not be compiled against the stand-in for
    /// std.
    pub fn take_failure(&self) -> Option<String> {
        let note = self.notes.join(STD_FAILED);
        let why = fs::read_to_string(&note).ok()?;
        let _ = fs::remove_file(note);
        Some(why)
    }
}

/// Whether a `Cargo.lock` has the package `name-version`.
fn is_locked_at_version(lock: &str, package: &str) -> bool {
    package
        .match_indices('-')
        .map(|(at, _)| (&package[..at], &package[at + 1..]))
        .any(|(name, version)| {
            lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\""))
        })
}

/// Whether a value of `--config` says what we say: it was taken over.
fn is_ours(value: &OsStr) -> bool {
    const OURS: [&str; 4] = ["rustc-wrapper", "rustdoc", "target-dir", "build-dir"];
    let Some(table) = value
        .to_str()
        .and_then(|text| text.parse::<toml::Table>().ok())
    else {
        return false;
    };
    let build = table.get("build").and_then(|build| build.as_table());
    build.is_some_and(|build| build.keys().all(|key| OURS.contains(&key.as_str())))
}

/// The arguments without what they say of things that we say, as far as they are cargo's.
fn without_ours(arguments: &[OsString]) -> Vec<OsString> {
    without(arguments, |option, value| {
        option == "--target-dir" || option == "--config" && is_ours(value)
    })
}

#[cfg(test)]
mod tests;
