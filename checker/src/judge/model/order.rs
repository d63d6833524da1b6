//! In which order messages come: [`unordered`] channels.

use lockwise::watch::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::judge::timeline::Timeline;
use crate::trace::{Op, ResourceId, Run, ThreadId};

/// The channels of which a thread can get other messages than it did, and does something in between.
///
/// Two threads send a question each to a third one, under a lock, and wait for its answers. That one gets either
/// question first, and answers whoever it is from; but its events are those of one order. Turned round they would have
/// it answer a thread that has not asked, and leave the other one waiting.
pub(super) fn unordered(
    run: &Run,
    timeline: &Timeline,
    senders: impl Fn(ResourceId) -> usize,
) -> FxHashSet<ResourceId> {
    // Per channel, who got the last message, and the position behind that.
    let mut takers: FxHashMap<ResourceId, (ThreadId, u32)> = FxHashMap::default();
    let mut unordered = FxHashSet::default();
    for (at, event) in (0..).zip(&run.events) {
        let Op::Pend { semaphore, .. } = event.op else {
            continue;
        };
        if run.resources[semaphore.at()].kind != Kind::Channel {
            continue;
        }
        let here = timeline.before(at);
        let sender_is_one = senders(semaphore) <= 1;
        let last = takers.insert(semaphore, (event.thread, here + 1));
        if let Some((taker, next)) = last
            && (taker != event.thread || next != here && !sender_is_one)
        {
            unordered.insert(semaphore);
        }
    }
    unordered
}
