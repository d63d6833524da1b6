//! Reading the way back to the thread that begins to wait.

use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::time::Duration;

use super::super::atomic::fence;
use super::super::hooks;
use super::super::identity::LockId;
use super::super::log;
use super::super::memory::SysVec;
use super::super::mode::Mode;
use super::super::own_lock::Guarded;
use super::super::site::Site;
use super::super::slot::{self, HeldLock, Slot, Words};
use super::super::stack::Stack;
use super::{TIMED_WRITERS, Target, Wait, now};

/// One thread of a deadlock: what it waits for, and what it holds that the one before waits for.
#[derive(Clone, Copy)]
pub(in super::super) struct Member {
    pub(in super::super) thread: u32,
    pub(in super::super) target: Target,
    pub(in super::super) at: Site,
    pub(in super::super) waited: Duration,
    pub(in super::super) stack: Stack,
    /// Nothing, if the one before waits for its end, or behind it for a lock that it wants to write.
    pub(in super::super) holds: Option<HeldLock>,
    /// Where the program stood when it took that, if that is kept.
    pub(in super::super) held_stack: Stack,
}

/// A thread seen waiting, and how the search came to it.
#[derive(Clone, Copy)]
struct Seen {
    slot: &'static Slot,
    turn: u64,
    target: Target,
    edges: Edges,
    /// The place in the row of the thread that it keeps waiting.
    before: usize,
}

/// Who counts as keeping a thread waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edges {
    /// Who holds, or is, what it waits for.
    Direct,
    /// For a reader also the writers that wait for the same lock.
    BehindWriters,
}

// SAFETY: of a slot of another thread only atomics are read, and none but its owner writes its cells.
unsafe impl Send for Seen {}

/// What a member of a circle was read to be; it holds if its wait lasted meanwhile.
#[derive(Clone, Copy)]
struct Read {
    seen: Seen,
    thread: u32,
    site: u64,
    since: u64,
    stack: Stack,
    holds: Option<Words>,
    held_stack: Stack,
}

/// What becomes of a thread that has told a deadlock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Teller {
    /// It goes on to wait.
    Stays,
    /// It may unwind, and so does not count as waiting while it tells. If it does not unwind, it
    /// waits on by [`Wait::resume`].
    MayUnwind,
}

/// The row of the search in progress; also what makes telling a deadlock exclusive.
static SEARCH: Guarded<SysVec<Seen>> = Guarded::new(SysVec::new());

/// Takes the lock of the search before a fork.
pub(in super::super) fn before_fork() {
    SEARCH.begin_fork();
}

/// Gives it back afterwards, in the parent and in the child.
pub(in super::super) fn after_fork() {
    SEARCH.end_fork();
}

/// Runs `work` alone. None, and it is in the log's count of what was lost, if a handler of a signal keeps that from being
/// done: then a deadlock is not told.
fn alone<R>(work: impl FnOnce(&mut SysVec<Seen>) -> R) -> Option<R> {
    let done = SEARCH.with(work);
    if done.is_none() {
        log::count_lost();
    }
    done
}

/// Finds the deadlock that this thread's wait closes, its own side first: each thread waits for what the
/// next one holds, the last one for what the first one holds.
///
/// A deadlock that another thread has found already is not found again.
pub(in super::super) fn deadlock(slot: &'static Slot, teller: Teller) -> Option<Vec<Member>> {
    let (turn, target) = slot.wait.read()?;
    if matches!(target, Target::Event(_)) {
        return None;
    }
    let me = Seen {
        slot,
        turn,
        target,
        edges: Edges::Direct,
        before: 0,
    };
    // What keeps this thread waiting runs, as a rule: then there is nothing to be searched.
    keepers(&me).next()?;
    let mut circle = SysVec::new();
    alone(|row| {
        row.clear();
        search(me, row, &mut circle);
        tell(slot, teller, &mut circle);
    });
    members(&circle)
}

/// Whether a deadlock through this thread's wait was told while that had this turn, which is over: so nobody
/// tells one any more.
pub(super) fn was_told(wait: &Wait, turn: u64) -> bool {
    alone(|_| wait.told.load(Relaxed) == turn).unwrap_or(false)
}

/// What came of a look for a deadlock that closes behind a writer.
pub(in super::super) enum Behind {
    /// There is none, or none that is proved.
    Nothing,
    /// The thread got its lock meanwhile.
    Got,
    /// This is one; as [`deadlock`] has it.
    Deadlock(Vec<Member>),
}

/// Finds the deadlock that this thread, a reader, closes by waiting behind a writer that waits itself:
/// for another reader, which waits in turn, in the end for this thread. It may be that reader itself.
///
/// `again` tries the lock once more. That is what proves that the thread waits behind a writer: while the
/// circle was seen to last, somebody held the lock shared, so nobody held it exclusively, and what shut
/// out a reader was a writer that waited. None with a deadline did, so it was one that waits for good, since
/// no writer can be served before that shared hold ends. This goes for locks whose readers are shut out
/// by nothing else.
pub(in super::super) fn deadlock_behind_writers(
    slot: &'static Slot,
    teller: Teller,
    again: &mut dyn FnMut() -> bool,
) -> Behind {
    let Some((turn, Target::Lock(lock, mode))) = slot.wait.read() else {
        return Behind::Nothing;
    };
    let me = Seen {
        slot,
        turn,
        target: Target::Lock(lock, mode),
        edges: Edges::BehindWriters,
        before: 0,
    };
    if keepers(&me).next().is_none() {
        return Behind::Nothing;
    }
    let begun = TIMED_WRITERS.load(Acquire);
    let mut circle = SysVec::new();
    alone(|row| {
        row.clear();
        search(me, row, &mut circle);
    });
    if circle.is_empty() || has_timed_writer(lock) {
        return Behind::Nothing;
    }
    if again() {
        return Behind::Got;
    }
    // A writer with a deadline that shut this thread out has said so before: it is in one of both looks.
    fence(SeqCst);
    if TIMED_WRITERS.load(Relaxed) != begun {
        return Behind::Nothing;
    }
    let proved = alone(|_| {
        if !lasts(&circle) {
            circle.clear();
        }
        tell(slot, teller, &mut circle);
    });
    if proved.is_none() {
        return Behind::Nothing;
    }
    members(&circle).map_or(Behind::Nothing, Behind::Deadlock)
}

/// Whether a thread waits until a deadline to write what this lock protects.
fn has_timed_writer(lock: LockId) -> bool {
    slot::all().any(|other| {
        matches!(other.wait.read(), Some((_, Target::Timed(wanted, mode)))
            if wanted == lock && mode.is_exclusive())
    })
}

/// Marks a circle as told, or forgets it if it was; called under the lock of the search.
fn tell(slot: &Slot, teller: Teller, circle: &mut SysVec<Read>) {
    if is_told(circle) {
        circle.clear();
    }
    let by = match teller {
        Teller::Stays => 0,
        Teller::MayUnwind => slot.thread.load(Relaxed),
    };
    for read in circle.iter() {
        let wait = &read.seen.slot.wait;
        let stands = wait.told.load(Relaxed) == read.seen.turn && wait.told_by.load(Relaxed) == 0;
        if !stands {
            wait.told_by.store(by.into(), Relaxed);
            wait.told.store(read.seen.turn, Relaxed);
        }
    }
    if teller == Teller::MayUnwind && !circle.is_empty() {
        slot.wait.end();
    }
}

/// Whether this circle was told.
///
/// One wait can be part of several circles, at once or one after the other. Who told one of them may have broken
/// it by its panic: then only a circle that it is part of itself, since it waits on after all, was told by that.
fn is_told(circle: &[Read]) -> bool {
    circle.iter().all(|read| {
        let wait = &read.seen.slot.wait;
        let by = wait.told_by.load(Relaxed);
        let is_part = by == 0 || circle.iter().any(|member| u64::from(member.thread) == by);
        wait.told.load(Relaxed) == read.seen.turn && is_part
    })
}

fn members(circle: &SysVec<Read>) -> Option<Vec<Member>> {
    (!circle.is_empty()).then(|| circle.iter().map(Member::of).collect())
}

/// Whether all waits of the circle still last.
fn lasts(circle: &SysVec<Read>) -> bool {
    circle
        .iter()
        .all(|read| read.seen.slot.wait.lasts(read.seen.turn))
}

/// Breadth first from `me`: the shortest circle through it, read and confirmed, goes into `circle`.
fn search(me: Seen, row: &mut SysVec<Seen>, circle: &mut SysVec<Read>) {
    if !row.push(me) {
        return;
    }
    let mut at = 0;
    while at < row.len() {
        let here = row[at];
        for next in keepers(&here) {
            if std::ptr::eq(next.slot, me.slot) {
                if read_back(row, at, circle) {
                    return;
                }
            } else if !row.iter().any(|seen| std::ptr::eq(seen.slot, next.slot)) {
                // Without memory the search sees less.
                let _ = row.push(Seen { before: at, ..next });
            }
        }
        at += 1;
    }
}

/// Reads the circle that closes at `last`, from the first of the row on. False if that is no circle any
/// more, or there is no memory.
fn read_back(row: &SysVec<Seen>, last: usize, circle: &mut SysVec<Read>) -> bool {
    circle.clear();
    // Backwards, from the last to the first, which the last waits for.
    let mut up = last;
    loop {
        let before = if up == 0 { last } else { row[up].before };
        if !circle.push(Read::of(row[up], row[before].target)) {
            circle.clear();
            return false;
        }
        if up == 0 {
            break;
        }
        up = before;
    }
    circle.reverse();
    let lasts = lasts(circle);
    if !lasts {
        circle.clear();
    }
    lasts
}

/// The threads that keep `waiter` waiting for good as long as they wait themselves.
fn keepers(waiter: &Seen) -> impl Iterator<Item = Seen> + use<> {
    let Seen {
        slot,
        target,
        edges,
        ..
    } = *waiter;
    slot::all().filter_map(move |other| {
        if std::ptr::eq(slot, other) {
            return None;
        }
        let (turn, its_target) = other.wait.read()?;
        let thread = other.thread.load(Relaxed);
        let keeps = match target {
            Target::Lock(lock, mode) | Target::Condition(_, lock, mode) => {
                let holds = other.keeps_out(lock, mode) && !hooks::is_posted(thread, lock);
                let writer = Target::Lock(lock, Mode::Exclusive);
                holds || edges == Edges::BehindWriters && its_target == writer
            }
            Target::Thread(wanted) => thread == wanted,
            Target::Work(wanted) => thread == wanted && !other.wait.work_done.load(Relaxed),
            Target::Owed(_, key) => other.wait.owes(key),
            Target::Event(_) | Target::Timed(..) => false,
        };
        (keeps && other.wait.lasts(turn)).then_some(Seen {
            slot: other,
            turn,
            target: its_target,
            edges: Edges::Direct,
            before: 0,
        })
    })
}

impl Read {
    /// Reads a thread; `kept` is what the one before waits for.
    fn of(seen: Seen, kept: Target) -> Read {
        let (slot, wait) = (seen.slot, &seen.slot.wait);
        let (holds, held_stack) = match kept {
            Target::Lock(lock, mode) | Target::Condition(_, lock, mode) => (
                slot.words_against(lock, mode),
                slot.stack_against(lock, mode),
            ),
            Target::Thread(_)
            | Target::Work(_)
            | Target::Owed(..)
            | Target::Event(_)
            | Target::Timed(..) => (None, Stack::EMPTY),
        };
        Read {
            seen,
            thread: slot.thread.load(Relaxed),
            site: wait.site.load(Relaxed),
            since: wait.since.load(Relaxed),
            stack: wait.stack.load(),
            holds,
            held_stack,
        }
    }
}

impl Member {
    /// What was read; its wait lasted meanwhile.
    fn of(read: &Read) -> Member {
        Member {
            thread: read.thread,
            target: read.seen.target,
            // SAFETY: the word was packed by `begin`, and its wait lasted while it was read.
            at: unsafe { Site::unpack(read.site) },
            waited: Duration::from_nanos(now().saturating_sub(read.since)),
            stack: read.stack,
            // SAFETY: the wait lasted while the words were read, so that they are what `push` wrote.
            holds: read.holds.map(|words| unsafe { words.read() }),
            held_stack: read.held_stack,
        }
    }
}
