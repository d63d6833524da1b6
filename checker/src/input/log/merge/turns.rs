//! The turns of objects: which record is whose, and where they start.

use lockwise::watch::Mode;
use lockwise::watch::log::{Event as Record, LogFile};
use rustc_hash::FxHashMap;

use super::Object;

/// Where the turns of objects start: at 1, but in the child of a fork where its parent left them.
pub(super) fn first_turns(log: &LogFile<'_>) -> FxHashMap<u64, Object> {
    let mut objects: FxHashMap<u64, Object> = FxHashMap::default();
    if log.header.parent_nonce == 0 {
        return objects;
    }
    for segment in &log.segments {
        for record in log.records(segment) {
            // Turn 0 is what was held over the fork: it says nothing of where its parent was.
            let counted = turn_of(&record).filter(|(_, turn, _)| *turn > 0);
            if let Some((object, turn, _)) = counted {
                let before = turn.saturating_sub(1);
                let state = objects.entry(object).or_insert_with(|| Object {
                    turn: before,
                    ..Object::default()
                });
                state.turn = state.turn.min(before);
            }
        }
    }
    objects
}

/// The object whose turn a record is, that turn, and the mode if it must be free for that.
pub(super) fn turn_of(record: &Record<'_>) -> Option<(u64, u32, Option<Mode>)> {
    Some(match *record {
        Record::Acquired {
            lock, mode, turn, ..
        }
        | Record::Woken {
            lock, mode, turn, ..
        } => (lock, turn, Some(mode)),
        Record::Changed { lock, turn, .. } => (lock, turn, None),
        Record::Waiting { condvar, turn, .. } | Record::Notified { condvar, turn, .. } => {
            (condvar, turn, None)
        }
        Record::Arrived { barrier, turn, .. } | Record::Passed { barrier, turn } => {
            (barrier, turn, None)
        }
        Record::Posted {
            semaphore, turn, ..
        }
        | Record::Obtained {
            semaphore, turn, ..
        } => (semaphore, turn, None),
        _ => return None,
    })
}
