//! A crate with known findings: what the compiler prints of it must be understood, or nothing is said
//! of any other.

use std::collections::HashSet;
use std::path::Path;

use super::analysis::{Asked, judge};
use super::mir::Reader;
use super::printed::{self, Heading, Printed};
use crate::finding::{Certainty, Code};

/// Its name.
pub(crate) const NAME: &str = "lockwise_probe";

/// A crate that it uses, by name and source.
pub(crate) const USED: (&str, &str) = (
    "lockwise_probe_used",
    "#[inline]\npub fn some() -> u32 {\n    1\n}\n",
);

/// Its source.
pub(crate) const SOURCE: &str = r"
use std::sync::{Mutex, RwLock};

pub fn inlined() -> u32 {
    lockwise_probe_used::some()
}

static TOTAL: Mutex<u32> = Mutex::new(0);

pub(crate) struct Pair {
    pub a: Mutex<u32>,
    pub b: RwLock<u32>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        *TOTAL.lock().unwrap() += 1;
    }
}

pub(crate) trait Sum {
    fn sum(&self) -> u32;
}

impl Sum for Pair {
    fn sum(&self) -> u32 {
        let b = self.b.read().unwrap();
        *b + *self.a.lock().unwrap()
    }
}

impl Pair {
    pub(crate) fn again(&self) -> u32 {
        let a = self.a.lock().unwrap();
        *a + self.first()
    }

    fn first(&self) -> u32 {
        *self.a.lock().unwrap()
    }

    pub(crate) fn other_order(&self, n: Option<u32>) -> u32 {
        let a = self.a.lock().unwrap();
        n.map(|n| n + *self.b.write().unwrap()).unwrap_or(*a)
    }

    pub(crate) fn one_after_the_other(&self) -> u32 {
        let a = self.a.lock().unwrap();
        let n = *a;
        drop(a);
        n + *self.a.lock().unwrap()
    }
}

pub(crate) fn ends(pair: Pair) {
    let total = TOTAL.lock().unwrap();
    drop(pair);
    drop(total);
}

pub async fn sleeps(pair: &Pair) -> u32 {
    let a = pair.a.lock().unwrap();
    std::future::ready(()).await;
    *a
}
";

/// What must be found in it, and nothing else.
const KNOWN: [(Code, Certainty); 4] = [
    (Code::SelfDeadlock, Certainty::Certain),
    (Code::SelfDeadlock, Certainty::Certain),
    (Code::LockOrderCycle, Certainty::Possible),
    (Code::GuardAcrossAwait, Certainty::Certain),
];

/// Whether what was printed of the crate, whose source lies at `file` in `folder`, is understood. The
/// error says what is missing.
///
/// # Errors
///
/// What was not understood, or not found.
pub(crate) fn verify(folder: &Path, file: &Path, read: Reader) -> Result<(), String> {
    let heading = Heading {
        name: NAME.to_owned(),
        root: file.to_owned(),
        conditions: None,
    };
    let declared = printed::declared(folder, &heading);
    let printed = Printed::new(&heading, declared, read);
    let others: HashSet<String> = ["std", "core", "alloc"].map(str::to_owned).into();
    let verdict = judge(folder, vec![printed], &others, &Asked::default()).verdict;
    let mut found: Vec<_> = verdict
        .findings
        .iter()
        .map(|finding| (finding.code, finding.certainty))
        .collect();
    found.sort();
    let mut known = KNOWN.to_vec();
    known.sort();
    if found == known {
        return Ok(());
    }
    Err(match verdict.limits.first() {
        Some(limit) => limit.clone(),
        None => format!(
            "{} of {} known findings were found in a trial crate",
            found.len(),
            known.len()
        ),
    })
}
