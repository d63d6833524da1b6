//! In which order messages and notifications come: what is [`unordered`].

use lockwise::watch::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::trace::{Op, ResourceId, Run, ThreadId};

/// The channels and conditions whose messages can come to a thread in another order than they did, and make it do
/// something else then.
///
/// Two threads send a question each to a third one, under a lock, and wait for its answers. That one gets either
/// question first, and answers whoever it is from; but its events are those of one order. Turned round they would have
/// it answer a thread that has not asked, and leave the other one waiting. It is the same with two who answer, and
/// where the questions lie in a list of the program's own and a condition tells that there are some.
///
/// Who learned that no message will come any more might have got one, if it had come earlier.
///
/// The units of a semaphore are all alike.
pub(super) fn unordered(run: &Run, senders: impl Fn(ResourceId) -> usize) -> FxHashSet<ResourceId> {
    // Per thread, how often it has done what others may wait for.
    let mut deeds = vec![0_u32; run.threads.len()];
    // Who was the last to get something, and how much it had done then.
    let mut last: FxHashMap<ResourceId, (ThreadId, u32)> = FxHashMap::default();
    let mut chosen: FxHashSet<ResourceId> = FxHashSet::default();
    let mut shared: FxHashSet<ResourceId> = FxHashSet::default();
    let mut unordered = FxHashSet::default();
    for event in &run.events {
        if let Op::Notify { condvar } = event.op {
            chosen.insert(condvar);
        }
        let resource = match event.op {
            Op::Post { .. } | Op::Notify { .. } | Op::NotifyAll { .. } | Op::Fork { .. } => {
                deeds[event.thread.at()] += 1;
                continue;
            }
            Op::Pend { semaphore, .. } if run.resources[semaphore.at()].tells_end => {
                unordered.insert(semaphore);
                continue;
            }
            Op::Pend { semaphore, .. } if is_of_messages(run, semaphore) => semaphore,
            // Who goes on without having waited, as a condition said so, leaves no event.
            Op::WaitEnd { condvar, .. } if senders(condvar) > 1 => {
                unordered.insert(condvar);
                continue;
            }
            Op::WaitEnd { condvar, .. } => condvar,
            _ => continue,
        };
        let done = deeds[event.thread.at()];
        let Some((taker, before)) = last.insert(resource, (event.thread, done)) else {
            continue;
        };
        if taker != event.thread {
            shared.insert(resource);
        } else if done != before && senders(resource) > 1 {
            unordered.insert(resource);
        }
    }
    // All who wait for a condition are told alike, unless one of them is chosen.
    let is_condition = |resource: ResourceId| run.resources[resource.at()].kind == Kind::Condvar;
    shared.retain(|resource| !is_condition(*resource) || chosen.contains(resource));
    unordered.extend(shared);
    unordered
}

fn is_of_messages(run: &Run, resource: ResourceId) -> bool {
    matches!(
        run.resources[resource.at()].kind,
        Kind::Channel | Kind::Parking
    )
}
