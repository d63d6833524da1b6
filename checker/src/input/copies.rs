//! Says where several copies of the runtime lived in one process.
//!
//! A dynamic library that is linked with the runtime brings its own copy, which knows nothing of the
//! program's: each writes a log. Together the logs look complete, but no order between a lock of one
//! copy and a lock of another is in them.
//!
//! A log does not say when its process ended. So logs count as one process's if they lie in one
//! folder and have one process number and one program. A process that has replaced itself by the
//! same program (`exec`) looks like that too, and the sentence says so; so do two processes of which
//! the later got the number of the earlier.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::trace::{Process, Run};

/// One sentence for each process with several logs.
pub(super) fn limits(runs: &[Run]) -> Vec<String> {
    // The same log, copied, has the same nonce.
    let mut nonces: BTreeMap<(&Path, u32, &str), BTreeSet<u64>> = BTreeMap::new();
    for Process {
        folder,
        number,
        program,
        nonce,
        ..
    } in runs.iter().filter_map(|run| run.process.as_ref())
    {
        let process = (folder.as_path(), *number, program.as_str());
        nonces.entry(process).or_default().insert(*nonce);
    }
    nonces
        .into_iter()
        .filter(|(_, copies)| copies.len() > 1)
        .map(|((_, number, program), copies)| {
            let copies = copies.len();
            format!(
                "`{program}` (process {number}) made {copies} logs: {copies} copies of the runtime \
                 were in it, say one in a dynamic library, and orders between locks of different \
                 copies are not seen (unless the program started itself anew by `exec`)"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
