//! The findings of an earlier run that were accepted: only new ones fail.
//!
//! The file is JSON, sorted and one finding a line, so that a review of it reads well and two
//! branches seldom conflict. It is keyed by fingerprint, which survives edits that only move code.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::finding::{Certainty, Verdict};

/// The version of the file format.
const VERSION: u32 = 1;

/// Accepted findings.
#[derive(Debug, Clone, Default)]
pub struct Baseline {
    /// Code and message by fingerprint; both are for people, only the fingerprint counts.
    accepted: BTreeMap<String, Entry>,
}

/// One accepted finding.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    code: String,
    message: String,
}

/// An accepted finding that a run did not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Its code, as text.
    pub code: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its message when it was accepted.
    pub message: String,
}

/// The file.
#[derive(Debug, Deserialize)]
struct File {
    version: u32,
    accepted: Vec<Entry>,
}

/// Why a baseline could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// The file cannot be read.
    #[error("cannot read baseline `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a baseline.
    #[error("baseline `{}` is not valid", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The file comes from a newer version.
    #[error(
        "baseline `{}` has version {found}, this program knows {VERSION}: write it anew with `--write-baseline`",
        path.display()
    )]
    Version {
        /// Which.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file cannot be written.
    #[error("cannot write baseline `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Baseline {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// [`BaselineError`] if there is no such file, or it is not a baseline of a known version.
    pub fn read(path: &Path) -> Result<Baseline, BaselineError> {
        let text = fs::read_to_string(path).map_err(|source| BaselineError::Read {
            path: path.to_owned(),
            source,
        })?;
        let file: File = serde_json::from_str(&text).map_err(|source| BaselineError::Format {
            path: path.to_owned(),
            source,
        })?;
        if file.version != VERSION {
            return Err(BaselineError::Version {
                path: path.to_owned(),
                found: file.version,
            });
        }
        let accepted = file
            .accepted
            .into_iter()
            .map(|entry| (entry.fingerprint.clone(), entry))
            .collect();
        Ok(Baseline { accepted })
    }

    /// Accepts all findings of `verdict` but the excluded ones, which need no acceptance.
    pub fn of(verdict: &Verdict) -> Baseline {
        let accepted = verdict
            .findings
            .iter()
            .filter(|finding| finding.certainty != Certainty::Excluded)
            .map(|finding| {
                let entry = Entry {
                    fingerprint: finding.fingerprint.clone(),
                    code: finding.code.text().to_owned(),
                    message: finding.message.clone(),
                };
                (entry.fingerprint.clone(), entry)
            })
            .collect();
        Baseline { accepted }
    }

    /// Whether the finding with this fingerprint was accepted.
    pub fn accepts(&self, fingerprint: &str) -> bool {
        self.accepted.contains_key(fingerprint)
    }

    /// How many findings are accepted.
    pub fn len(&self) -> usize {
        self.accepted.len()
    }

    /// Whether nothing is accepted.
    pub fn is_empty(&self) -> bool {
        self.accepted.is_empty()
    }

    /// The accepted findings that `verdict` no longer has: fixed, or not reached in this run.
    pub fn stale(&self, verdict: &Verdict) -> Vec<Stale> {
        self.accepted
            .values()
            .filter(|entry| {
                verdict
                    .findings
                    .iter()
                    .all(|finding| finding.fingerprint != entry.fingerprint)
            })
            .map(|entry| Stale {
                code: entry.code.clone(),
                fingerprint: entry.fingerprint.clone(),
                message: entry.message.clone(),
            })
            .collect()
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut entries: Vec<&Entry> = self.accepted.values().collect();
        entries.sort_by(|a, b| (&a.code, &a.fingerprint).cmp(&(&b.code, &b.fingerprint)));
        let lines: Vec<String> = entries
            .iter()
            .map(|entry| serde_json::json!(entry).to_string())
            .collect();
        let mut text = format!("{{\"version\":{VERSION},\"accepted\":[");
        for (at, line) in lines.iter().enumerate() {
            text.push_str(if at == 0 { "\n" } else { ",\n" });
            text.push_str(line);
        }
        text.push_str("\n]}\n");
        text
    }

    /// Writes the file at `path`.
    ///
    /// # Errors
    ///
    /// [`BaselineError::Write`] if that is not possible.
    pub fn write(&self, path: &Path) -> Result<(), BaselineError> {
        fs::write(path, self.to_text()).map_err(|source| BaselineError::Write {
            path: path.to_owned(),
            source,
        })
    }
}
