//! Overlays that stand in for a crate by changing its sources: descriptions, and how they are applied.
//!
//! The crate's own sources are copied, changed at a few places and compiled in its stead, so that
//! whatever a version or a feature of it has stays as it is. Changes keep the numbers of lines. A
//! place that is not there means a version that nobody has seen yet: such a crate is left as it is.

use std::path::{Path, PathBuf};
use std::{fs, io};

use lockwise::sources;
use serde::Deserialize;

/// What is changed in a crate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// The package.
    #[serde(rename = "crate")]
    pub package: String,
    /// Its versions, by how they begin: `0.4` is 0.4.0, 0.4.1 and so on.
    pub versions: Vec<String>,
    /// Features without which it is left alone.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether it is about sites only: left as it is, the package is watched all the same.
    #[serde(default)]
    pub sites_only: bool,
    /// The first number of the versions from which on the package is watched as it is.
    #[serde(default)]
    pub watched_from: Option<u32>,
    /// Files whose public functions are told who calls them.
    #[serde(default)]
    pub callers: Vec<String>,
    /// What other functions of those files are told it too, by how they begin.
    #[serde(default)]
    pub also: Vec<String>,
    /// Files that are added.
    #[serde(default)]
    pub add: Vec<Add>,
    /// Texts that are put at the end of a file.
    #[serde(default)]
    pub append: Vec<Append>,
    /// Texts that are replaced, wherever they stand, also in files that are added.
    #[serde(default)]
    pub edit: Vec<Edit>,
}

/// A file that is added.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// Where.
    pub file: String,
    /// What, among [`sources::FILES`].
    pub from: String,
}

/// A text at the end of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// The file.
    pub file: String,
    /// The text.
    pub text: String,
}

/// A text that is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The file.
    pub file: String,
    /// What is looked for.
    pub find: String,
    /// What is put in its place.
    pub put: String,
    /// Whether some versions do without.
    #[serde(default)]
    pub optional: bool,
    /// The versions that it is made in, by how they begin; none for all.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// Why an overlay cannot be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The sources are not those that the overlay was made for.
    #[error("`{file}` has no `{find}`")]
    NotFound {
        /// The file.
        file: String,
        /// What was looked for.
        find: String,
    },
    /// The sources cannot be read or copied.
    #[error("cannot copy `{}`", path.display())]
    Copy {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The descriptions of all overlays.
fn texts() -> impl Iterator<Item = &'static str> {
    sources::OVERLAYS.iter().map(|folder| {
        let text = sources::text(&format!("overlays/{folder}/overlay.toml"));
        text.expect("the package has a test for that")
    })
}

fn parsed(text: &str) -> Overlay {
    toml::from_str(text).expect("there is a test for that")
}

/// What there is for a version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing that has to be changed, in whatever version.
    Nothing,
    /// Overlays for other versions only.
    OtherVersions,
    /// This one.
    Overlay(Box<Overlay>),
}

/// The overlay for this version of a package. Several overlays may be for one package.
///
/// Asked for each crate that is compiled, so only descriptions that name the package are read.
///
/// # Panics
///
/// Never: a test reads all descriptions.
pub fn find(package: &str, version: &str) -> Known {
    let mut known = Known::Nothing;
    let named = format!("\ncrate = \"{package}\"\n");
    for overlay in texts().filter(|text| text.contains(&named)).map(parsed) {
        if overlay.fits(version) {
            return Known::Overlay(Box::new(overlay));
        }
        if !overlay.sites_only && !overlay.is_watched_as_it_is(version) {
            known = Known::OtherVersions;
        }
    }
    known
}

impl Overlay {
    /// Whether it is meant for this version of its package.
    pub fn fits(&self, version: &str) -> bool {
        begins(version, &self.versions)
    }

    /// Whether this version of the package is watched without being changed.
    fn is_watched_as_it_is(&self, version: &str) -> bool {
        let major = version
            .split('.')
            .next()
            .and_then(|number| number.parse().ok());
        self.watched_from
            .zip(major)
            .is_some_and(|(from, major): (u32, u32)| major >= from)
    }

    /// Copies this version of the package from `from` to `to`, changed.
    ///
    /// # Errors
    ///
    /// [`ApplyError`] if a place that is to be changed is not there, or something cannot be copied.
    ///
    /// # Panics
    ///
    /// If it adds a file that we do not have.
    pub fn apply(&self, version: &str, from: &Path, to: &Path) -> Result<(), ApplyError> {
        copy(&from.join("src"), &to.join("src"))?;
        // Documentation that is included from the package's root.
        for entry in fs::read_dir(from).into_iter().flatten().flatten() {
            if entry
                .path()
                .extension()
                .is_some_and(|ending| ending == "md")
            {
                let _ = fs::copy(entry.path(), to.join(entry.file_name()));
            }
        }
        for add in &self.add {
            let path = to.join(&add.file);
            let text = sources::text(&add.from).expect("there is a test for that");
            let parent = path.parent().expect("it was joined");
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, text))
                .map_err(|source| ApplyError::Copy {
                    path: path.clone(),
                    source,
                })?;
        }
        let mut changed: Vec<&str> = Vec::new();
        let edited = self.edits(version).map(|edit| &edit.file);
        let appended = self.append.iter().map(|append| &append.file);
        // Whether a file is there that only says who calls is no matter.
        let callers = self.callers.iter().filter(|file| to.join(file).is_file());
        for file in callers.chain(edited).chain(appended) {
            if !changed.contains(&file.as_str()) {
                changed.push(file);
            }
        }
        for file in changed {
            let path = to.join(file);
            let error = |source| ApplyError::Copy {
                path: path.clone(),
                source,
            };
            let text = fs::read_to_string(&path).map_err(error)?;
            let text = self.changed(version, file, text)?;
            fs::write(&path, text).map_err(error)?;
        }
        Ok(())
    }

    /// What is replaced in this version.
    fn edits<'a>(&'a self, version: &'a str) -> impl Iterator<Item = &'a Edit> {
        self.edit
            .iter()
            .filter(move |edit| edit.versions.is_empty() || begins(version, &edit.versions))
    }

    /// The text of a file, changed.
    fn changed(&self, version: &str, file: &str, mut text: String) -> Result<String, ApplyError> {
        if text.contains("\r\n") {
            text = text.replace("\r\n", "\n");
        }
        for edit in self.edits(version).filter(|edit| edit.file == file) {
            if !edit.optional && !text.contains(&edit.find) {
                return Err(ApplyError::NotFound {
                    file: file.to_owned(),
                    find: edit.find.clone(),
                });
            }
            text = text.replace(&edit.find, &edit.put);
        }
        if self.callers.iter().any(|name| name == file) {
            text = with_callers(&text, &self.also);
        }
        for append in self.append.iter().filter(|append| append.file == file) {
            text.push_str(&append.text);
            text.push('\n');
        }
        Ok(text)
    }
}

/// Whether a version begins like one of these.
fn begins(version: &str, starts: &[String]) -> bool {
    starts.iter().any(|start| {
        version
            .strip_prefix(start.as_str())
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// Puts `#[track_caller]` before each public function, those of a few traits, and what else begins so.
fn with_callers(text: &str, also: &[String]) -> String {
    const STARTS: [&str; 8] = [
        "pub fn ",
        "pub const fn ",
        "pub unsafe fn ",
        "pub const unsafe fn ",
        "fn default(",
        "fn from(",
        "fn deref(",
        "fn deref_mut(",
    ];
    let mut changed = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let mut starts = STARTS.into_iter().chain(also.iter().map(String::as_str));
        if starts.any(|start| code.starts_with(start)) {
            changed.push_str("#[track_caller] ");
        }
        changed.push_str(line);
    }
    changed
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) -> Result<(), ApplyError> {
    let mut open = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = open.pop() {
        let error = |source| ApplyError::Copy {
            path: from.clone(),
            source,
        };
        fs::create_dir_all(&to).map_err(error)?;
        for entry in fs::read_dir(&from).map_err(error)? {
            let entry = entry.map_err(error)?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() {
                open.push((from, to));
            } else {
                // Not with its permissions: registries are read-only in places.
                fs::read(&from)
                    .and_then(|bytes| fs::write(&to, bytes))
                    .map_err(error)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
