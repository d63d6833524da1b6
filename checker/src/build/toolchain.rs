//! The compiler that cargo would use here, and what cargo's configuration says of it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// A compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// How it is called.
    pub rustc: OsString,
    /// The folder in which it is called: it may be a stand-in that chooses the compiler by that.
    pub folder: PathBuf,
    /// What `rustc -vV` says.
    pub version: String,
    /// The target that it runs on.
    pub host: String,
}

/// Why the compiler is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolchainError {
    /// It cannot be started.
    #[error("cannot start `{}`", rustc.display())]
    Start {
        /// The compiler.
        rustc: OsString,
        /// Why.
        source: io::Error,
    },
    /// It does not say what it is.
    #[error("`{} -vV` does not name its host", rustc.display())]
    Version {
        /// The compiler.
        rustc: OsString,
    },
}

impl Toolchain {
    /// Whether it compiles what is behind features.
    pub fn allows_features(&self) -> bool {
        let release = self
            .version
            .lines()
            .find_map(|line| line.strip_prefix("release: "));
        release.is_some_and(|release| release.contains("-nightly") || release.contains("-dev"))
    }

    /// Asks the compiler that `configuration` names.
    ///
    /// # Errors
    ///
    /// [`ToolchainError`] if it cannot be asked.
    pub fn find(configuration: &Configuration, from: &Path) -> Result<Toolchain, ToolchainError> {
        let rustc = configuration.rustc.clone().unwrap_or("rustc".into());
        let output = Command::new(&rustc)
            .arg("-vV")
            .current_dir(from)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        let output = output.map_err(|source| ToolchainError::Start {
            rustc: rustc.clone(),
            source,
        })?;
        let version = String::from_utf8_lossy(&output.stdout).into_owned();
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .map(str::to_owned);
        match host {
            Some(host) => Ok(Toolchain {
                rustc,
                folder: from.to_owned(),
                version,
                host,
            }),
            None => Err(ToolchainError::Version { rustc }),
        }
    }
}

/// What cargo's configuration says about building: environment before files, near before far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The compiler.
    pub rustc: Option<OsString>,
    /// What stands before the compiler.
    pub wrapper: Option<OsString>,
    /// The documentation compiler.
    pub rustdoc: Option<OsString>,
    /// The targets that are built for.
    pub targets: Vec<String>,
    /// Whether what is built on the way goes into a folder of its own.
    pub has_build_dir: bool,
}

impl Configuration {
    /// Reads what holds in folder `from`. A file that cannot be read is left to cargo to complain
    /// about.
    pub fn read<'e>(variable: impl Fn(&str) -> Option<&'e OsStr>, from: &Path) -> Configuration {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(OsStr::to_owned)
        };
        let mut found = Configuration {
            rustc: set("RUSTC").or_else(|| set("CARGO_BUILD_RUSTC")),
            wrapper: set("RUSTC_WRAPPER").or_else(|| set("CARGO_BUILD_RUSTC_WRAPPER")),
            rustdoc: set("RUSTDOC").or_else(|| set("CARGO_BUILD_RUSTDOC")),
            targets: set("CARGO_BUILD_TARGET")
                .and_then(|target| target.into_string().ok())
                .into_iter()
                .collect(),
            has_build_dir: set("CARGO_BUILD_BUILD_DIR").is_some(),
        };
        let home = set("CARGO_HOME").map(PathBuf::from).or_else(|| {
            let home = set("HOME").or_else(|| set("USERPROFILE"))?;
            Some(Path::new(&home).join(".cargo"))
        });
        let folders = from.ancestors().map(|folder| folder.join(".cargo"));
        for folder in folders.chain(home) {
            let text = ["config", "config.toml"]
                .iter()
                .find_map(|name| fs::read_to_string(folder.join(name)).ok());
            if let Some(text) = text {
                found.add(&text, folder.parent().unwrap_or(&folder));
            }
        }
        found
    }

    /// Takes over what values of `--config`, of which later ones win, say in a text; files that they name are
    /// left to cargo. Programs with a slash in their name are relative to `from`.
    pub fn override_by(&mut self, values: impl Iterator<Item = OsString>, from: &Path) {
        for value in values {
            let mut given = Configuration::default();
            given.add(&value.to_string_lossy(), from);
            self.rustc = given.rustc.or(self.rustc.take());
            self.wrapper = given.wrapper.or(self.wrapper.take());
            self.rustdoc = given.rustdoc.or(self.rustdoc.take());
            self.has_build_dir |= given.has_build_dir;
            if !given.targets.is_empty() {
                self.targets = given.targets;
            }
        }
    }

    /// Adds what a file says of things that are not known yet. Programs with a slash in their name
    /// are relative to `base`.
    fn add(&mut self, text: &str, base: &Path) {
        let Ok(table) = text.parse::<toml::Table>() else {
            return;
        };
        let Some(build) = table.get("build") else {
            return;
        };
        let program = |name: &str| {
            let value = build
                .get(name)?
                .as_str()
                .filter(|value| !value.is_empty())?;
            Some(if value.contains(['/', '\\']) {
                base.join(value).into_os_string()
            } else {
                OsString::from(value)
            })
        };
        self.rustc = self.rustc.take().or_else(|| program("rustc"));
        self.wrapper = self.wrapper.take().or_else(|| program("rustc-wrapper"));
        self.rustdoc = self.rustdoc.take().or_else(|| program("rustdoc"));
        self.has_build_dir |= build.get("build-dir").is_some();
        if self.targets.is_empty() {
            self.targets = match build.get("target") {
                Some(toml::Value::String(target)) => vec![target.clone()],
                Some(toml::Value::Array(targets)) => targets
                    .iter()
                    .filter_map(|target| Some(target.as_str()?.to_owned()))
                    .collect(),
                _ => Vec::new(),
            };
        }
    }
}

#[cfg(test)]
mod tests;
