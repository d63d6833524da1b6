//! The verdict of the last time, for when nothing has changed since.
//!
//! It holds for the same printed crates, the same sources beside them, the same names of crates and the
//! same program of ours: sizes and times of change tell, as they do for cargo.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::extra::Extra;
use crate::finding::{CodeOrder, Finding, Stats, Verdict};

/// A verdict in a file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The names of crates that paths can begin with.
    others: Vec<String>,
    /// What was looked at beyond the tables.
    extra: Extra,
    /// Everything that was read, and how it was then.
    stamps: Vec<(PathBuf, Stamp)>,
    findings: Vec<Finding>,
    stats: Stats,
    limits: Vec<String>,
    orders: Vec<CodeOrder>,
}

/// Size, and time of change in nanoseconds; nothing of a file that is not there.
type Stamp = Option<(u64, u64)>;

fn stamp(file: &Path) -> Stamp {
    let meta = fs::metadata(file).ok()?;
    let changed = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((meta.len(), u64::try_from(changed.as_nanos()).ok()?))
}

/// What is asked about: the printed crates, and the names of all crates.
#[derive(Debug)]
pub struct Question<'a> {
    /// The folder that sources are relative to.
    pub root: &'a Path,
    /// The printed crates.
    pub printed: &'a [PathBuf],
    /// The names of crates that paths can begin with.
    pub others: &'a HashSet<String>,
    /// What is looked at beyond the tables.
    pub extra: &'a Extra,
}

impl Question<'_> {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.others.iter().cloned().collect();
        names.sort();
        names
    }

    /// The files that the answer rests on, whatever it is.
    fn files(&self) -> Vec<PathBuf> {
        self.printed
            .iter()
            .cloned()
            .chain(std::env::current_exe())
            .collect()
    }

    /// The verdict that is kept in `file`, if it still holds.
    pub fn answer(&self, file: &Path) -> Option<Verdict> {
        let kept: Kept = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let own = self.files();
        let holds = kept.others == self.names()
            && kept.extra == *self.extra
            && kept.stamps.len() >= own.len()
            && kept
                .stamps
                .iter()
                .zip(&own)
                .all(|((kept, _), own)| kept == own)
            && kept
                .stamps
                .iter()
                .all(|(path, then)| stamp(&self.root.join(path)) == *then);
        let findings = kept.findings.into_iter().map(|mut finding| {
            finding.name = finding.code.name();
            finding
        });
        holds.then(|| Verdict {
            findings: findings.collect(),
            stats: kept.stats,
            limits: kept.limits,
            orders: kept.orders,
        })
    }

    /// Keeps a verdict that rests on `read` too. That it cannot be kept is no fault.
    pub fn keep(&self, file: &Path, verdict: &Verdict, read: &[PathBuf]) {
        let all = self.files().into_iter().chain(read.iter().cloned());
        let kept = Kept {
            others: self.names(),
            extra: self.extra.clone(),
            stamps: all
                .map(|path| (path.clone(), stamp(&self.root.join(path))))
                .collect(),
            findings: verdict.findings.clone(),
            stats: verdict.stats,
            limits: verdict.limits.clone(),
            orders: verdict.orders.clone(),
        };
        if let Ok(text) = serde_json::to_vec(&kept) {
            let fresh = file.with_extension(std::process::id().to_string());
            let _ = fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, file));
        }
    }
}
