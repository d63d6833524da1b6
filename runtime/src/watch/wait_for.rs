//! The wait-for graph: which thread waits for what *now*, and who could end that wait.
//!
//! A thread that is about to park says so in its slot, then looks whether the threads that keep it
//! waiting wait themselves, and so on, until that leads back to it. There is no graph to be kept up
//! to date, no polling and no thread of ours: the graph is read off the slots, which say who waits
//! for what and who holds what. Only a thread that has found its lock taken comes here.
//!
//! **No deadlock is missed** among the waits that are told. Each thread tells its wait, passes a
//! sequentially consistent fence, and only then looks. Of all threads of a cycle the one whose fence
//! comes last sees the waits of all others, and what they hold, which they wrote before.
//!
//! **No false one is told.** A wait has a turn that is odd while it lasts. Its thread changes
//! neither it nor its held set while it is odd, so what was read between two looks at one odd turn is
//! one state (a seqlock: Boehm, *Can seqlocks get along with programming language memory models?*,
//! MSPC 2012, section 4). After the last thread of a cycle was read the turns of all are looked at
//! again; if none has changed there was a moment at which all these waits and holds were true
//! together. A lock is in a held set only while its thread really holds it: it is entered after the
//! lock was taken and removed before it is given back. So at that moment each thread needed what the
//! next one held, none had a deadline, and no other thread had a guard that could be released:
//! waits with a deadline are not told here, and holds whose guards may be sent away do not count.
//! Nor does a hold that another thread has released by force, once that is known.
//!
//! **It is told once.** Two threads of one cycle may both see it; who comes first marks the waits of
//! all, under a lock of ours, and who comes second finds all of them marked. Who may unwind because of
//! what it tells ends its wait in the same breath: its panic frees others, so that no circle through it
//! may be told any more.
//!
//! **Two waits are told early.** Who waits for a condition, or lets others in by `bump`, says so while it
//! holds the lock that it will need to come back; whoever holds that afterwards keeps it waiting, notified
//! or not. It closes no circle itself, and needs no fence: others get the lock only from its hands.
//!
//! All of this is model-checked (`tests/wait_for`): each fence, left out, makes a model fail.
//!
//! What it cannot see: who could notify a condition, come to a barrier, or use the other end of a semaphore or
//! a channel; that a reader waits behind a writer, unless that reader comes last of all (see
//! [`deadlock_behind_writers`]); who waits for an initialisation without taking part in it (`Once::wait`), as a
//! panic of the initialiser may end that too; what a raw lock's user takes on one thread and releases on
//! another.

use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};

use super::atomic::{AtomicBool, AtomicU64, Counter, fence};
use super::hooks;
use super::identity::LockId;
use super::memory::SysVec;
use super::mode::Mode;
use super::own_lock::Guarded;
use super::site::Site;
use super::slot::{self, HeldLock, Slot, Words};
use super::stack::{SharedStack, Stack};

/// A thread that waits, as it was at one moment.
pub(super) struct Waiting {
    pub(super) thread: u32,
    pub(super) target: Target,
    pub(super) at: Site,
    pub(super) waited: Duration,
    pub(super) holds: Vec<HeldLock>,
    pub(super) stack: Stack,
    slot: &'static Slot,
    turn: u64,
}

/// What a thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// To get a lock in this mode, however long it takes.
    Lock(LockId, Mode),
    /// The end of the thread with this number, the destructors of its thread-locals included.
    Thread(u32),
    /// The end of what the thread with this number was started for.
    Work(u32),
    /// A notification of the first, and then to get the second again in this mode: whoever holds that
    /// keeps the thread waiting, notified or not.
    Condition(LockId, LockId, Mode),
    /// A barrier, a semaphore or a channel. Nobody is known who could end that, so it is part of no
    /// circle; told only where somebody looks for stalls.
    Event(LockId),
    /// To get a lock in this mode before a deadline. It ends by itself, and so keeps nobody waiting for
    /// good; but meanwhile readers may wait behind it.
    Timed(LockId, Mode),
}

/// The wait of one thread, as others may read it.
pub(super) struct Wait {
    /// Odd while the thread waits.
    turn: AtomicU64,
    /// The lock's word or the thread's number.
    what: AtomicU64,
    /// What kind of target it is, and the mode of a lock.
    how: AtomicU64,
    /// The word of a second lock.
    also: AtomicU64,
    /// Where it began, packed.
    site: AtomicU64,
    /// When it began, in nanoseconds since the first wait of the process.
    since: AtomicU64,
    /// The turn that was told as part of a deadlock.
    told: AtomicU64,
    /// The turn that was told as a stall.
    told_as_stall: AtomicU64,
    /// The thread has done what it was started for.
    work_done: AtomicBool,
    /// The thread is one of ours: that it does not wait says nothing of the program.
    is_ours: AtomicBool,
    /// Where the program stood, if stacks are captured.
    stack: SharedStack,
}

/// The bits of [`Wait::how`] that say the mode; the bits above say the kind.
const MODE_BITS: u32 = 8;
const HOW_LOCK: u64 = 0;
const HOW_THREAD: u64 = 1;
const HOW_WORK: u64 = 2;
const HOW_EVENT: u64 = 3;
const HOW_CONDITION: u64 = 4;
const HOW_TIMED: u64 = 5;

/// How many waits with a deadline for a lock to write have begun in this process.
static TIMED_WRITERS: Counter = Counter::new(0);

/// One thread of a deadlock: what it waits for, and what it holds that the one before waits for.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) thread: u32,
    pub(super) target: Target,
    pub(super) at: Site,
    pub(super) waited: Duration,
    pub(super) stack: Stack,
    /// Nothing, if the one before waits for its end, or behind it for a lock that it wants to write.
    pub(super) holds: Option<HeldLock>,
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
}

/// What becomes of a thread that has told a deadlock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Teller {
    /// It goes on to wait.
    Stays,
    /// It may unwind, and so does not count as waiting while it tells. If it does not unwind, it
    /// waits on by [`Wait::resume`].
    MayUnwind,
}

/// The row of the search in progress; also what makes telling a deadlock exclusive.
static SEARCH: Guarded<SysVec<Seen>> = Guarded::new(SysVec::new());

/// Takes the lock of the search before a fork.
pub(super) fn before_fork() {
    SEARCH.take();
}

/// Gives it back afterwards, in the parent and in the child.
pub(super) fn after_fork() {
    SEARCH.give_back();
}

/// In the child of a fork only the forking thread lives: nobody else waits.
pub(super) fn after_fork_in_child() {
    slot::all().for_each(|slot| slot.wait.end());
}

impl Wait {
    /// A thread that does not wait.
    pub(super) fn new() -> Wait {
        Wait {
            turn: AtomicU64::new(0),
            what: AtomicU64::new(0),
            how: AtomicU64::new(0),
            also: AtomicU64::new(0),
            site: AtomicU64::new(0),
            since: AtomicU64::new(0),
            told: AtomicU64::new(0),
            told_as_stall: AtomicU64::new(0),
            work_done: AtomicBool::new(false),
            is_ours: AtomicBool::new(false),
            stack: SharedStack::new(),
        }
    }

    /// The thread begins to wait; called on it.
    pub(super) fn begin(&self, target: Target, at: Site, stack: &Stack) {
        self.describe(target, at, stack);
        self.publish();
        // Whoever comes here later sees this wait, and this thread sees that of whoever came before.
        fence(SeqCst);
    }

    /// The thread begins to wait and looks for no circle: it holds still what could close one, and gives
    /// that back only now, so that who gets it sees this wait.
    pub(super) fn begin_giving_back(&self, target: Target, at: Site, stack: &Stack) {
        self.describe(target, at, stack);
        self.publish();
    }

    /// The thread begins to wait for a lock until a deadline; called before it turns to the real lock.
    pub(super) fn begin_timed(&self, lock: LockId, mode: Mode, at: Site) {
        self.describe(Target::Timed(lock, mode), at, &Stack::EMPTY);
        self.publish();
        if mode.is_exclusive() {
            TIMED_WRITERS.fetch_add(1, Release);
        }
        // Who sees the real lock shut by this thread sees these two stores.
        fence(SeqCst);
    }

    fn describe(&self, target: Target, at: Site, stack: &Stack) {
        self.end();
        self.since.store(now(), Relaxed);
        let (what, kind, mode, also) = match target {
            Target::Lock(lock, mode) => (lock.0, HOW_LOCK, Some(mode), 0),
            Target::Thread(thread) => (u64::from(thread), HOW_THREAD, None, 0),
            Target::Work(thread) => (u64::from(thread), HOW_WORK, None, 0),
            Target::Condition(condvar, lock, mode) => {
                (condvar.0, HOW_CONDITION, Some(mode), lock.0)
            }
            Target::Event(object) => (object.0, HOW_EVENT, None, 0),
            Target::Timed(lock, mode) => (lock.0, HOW_TIMED, Some(mode), 0),
        };
        let mode = mode.map_or(0, |mode| mode as u64);
        self.what.store(what, Relaxed);
        self.how.store(kind << MODE_BITS | mode, Relaxed);
        self.also.store(also, Relaxed);
        self.site.store(at.pack(), Relaxed);
        self.stack.store(stack);
    }

    /// The thread, which stopped waiting in order to tell a deadlock, waits on; that is told then.
    pub(super) fn resume(&self) {
        let turn = self.turn.load(Relaxed);
        self.told.store(turn.wrapping_add(1), Relaxed);
        self.publish();
        fence(SeqCst);
    }

    fn publish(&self) {
        let turn = self.turn.load(Relaxed);
        debug_assert!(turn & 1 == 0, "the thread does not wait yet");
        self.turn.store(turn.wrapping_add(1), Release);
    }

    /// The thread does not wait any more; called on it, before its held set changes.
    #[inline]
    pub(super) fn end(&self) {
        let turn = self.turn.load(Relaxed);
        if turn & 1 == 1 {
            // Who sees that a writer with a deadline has gone sees the lock as it left it.
            self.turn.store(turn.wrapping_add(1), Release);
            // Nothing that the thread writes from now on is seen by one that still sees it wait.
            fence(Release);
        }
    }

    /// The thread begins, or has done what it was started for.
    pub(super) fn set_work_done(&self, done: bool) {
        self.work_done.store(done, Relaxed);
    }

    /// The thread is one of ours.
    pub(super) fn set_ours(&self) {
        self.is_ours.store(true, Relaxed);
    }

    /// The wait that this thread has begun was told otherwise.
    pub(super) fn set_told(&self) {
        self.told.store(self.turn.load(Relaxed), Relaxed);
    }

    /// Whether this is the wait of a thread of the program that does not wait for good.
    pub(super) fn runs(&self) -> bool {
        let waits = self
            .read()
            .is_some_and(|(_, target)| !matches!(target, Target::Timed(..)));
        !waits && !self.is_ours.load(Relaxed)
    }

    /// What the thread waits for, with the turn under which that has to be confirmed.
    fn read(&self) -> Option<(u64, Target)> {
        let turn = self.turn.load(Acquire);
        if turn & 1 == 0 {
            return None;
        }
        let (what, how) = (self.what.load(Relaxed), self.how.load(Relaxed));
        let mode = Mode::from_number(how as u8)?;
        let target = match how >> MODE_BITS {
            HOW_LOCK => Target::Lock(LockId(what), mode),
            HOW_THREAD => Target::Thread(what as u32),
            HOW_WORK => Target::Work(what as u32),
            HOW_CONDITION => Target::Condition(LockId(what), LockId(self.also.load(Relaxed)), mode),
            HOW_EVENT => Target::Event(LockId(what)),
            HOW_TIMED => Target::Timed(LockId(what), mode),
            _ => return None,
        };
        Some((turn, target))
    }

    /// Whether the wait under this turn still lasts, and lasted since.
    fn lasts(&self, turn: u64) -> bool {
        fence(Acquire);
        self.turn.load(Relaxed) == turn
    }
}

/// Finds the deadlock that this thread's wait closes, its own side first: each thread waits for what the
/// next one holds, the last one for what the first one holds.
///
/// A deadlock that another thread has found already is not found again.
pub(super) fn deadlock(slot: &'static Slot, teller: Teller) -> Option<Vec<Member>> {
    let (turn, target) = slot.wait.read()?;
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
    SEARCH.with(|row| {
        row.clear();
        search(me, row, &mut circle);
        tell(slot, teller, &mut circle);
    });
    members(&circle)
}

/// What came of a look for a deadlock that closes behind a writer.
pub(super) enum Behind {
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
pub(super) fn deadlock_behind_writers(
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
    SEARCH.with(|row| {
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
    SEARCH.with(|_| {
        if !lasts(&circle) {
            circle.clear();
        }
        tell(slot, teller, &mut circle);
    });
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
    // One wait can be part of several circles, one after the other: the first may have been
    // broken by a panic.
    let told = circle
        .iter()
        .all(|read: &Read| read.seen.slot.wait.told.load(Relaxed) == read.seen.turn);
    if told {
        circle.clear();
    }
    for read in circle.iter() {
        read.seen.slot.wait.told.store(read.seen.turn, Relaxed);
    }
    if teller == Teller::MayUnwind && !circle.is_empty() {
        slot.wait.end();
    }
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

/// All threads that wait now.
pub(super) fn waiting() -> Vec<Waiting> {
    slot::all().filter_map(Waiting::of).collect()
}

/// Whether all threads wait for good, at about this time.
pub(super) fn all_wait() -> bool {
    /// The thread that was last seen to run: the first to be looked at, as it may still do so.
    static RUNS: AtomicPtr<Slot> = AtomicPtr::new(std::ptr::null_mut());
    // Whoever else begins to wait now sees this thread's wait, or this thread sees that.
    fence(SeqCst);
    // SAFETY: null, or a slot that was in the list; slots are never freed.
    let latest = unsafe { RUNS.load(Relaxed).as_ref() };
    if latest.is_some_and(|slot| slot.is_taken() && slot.wait.runs()) {
        return false;
    }
    let Some(slot) = slot::all().find(|slot| slot.wait.runs()) else {
        return true;
    };
    RUNS.store(std::ptr::from_ref(slot).cast_mut(), Relaxed);
    false
}

/// All threads, if all wait for good.
pub(super) fn all_waiting() -> Option<Vec<Waiting>> {
    slot::all()
        .filter(|slot| !slot.wait.is_ours.load(Relaxed))
        .map(Waiting::of)
        .collect()
}

/// The threads that hold a lock so that nobody else can get it in this mode, at about this time.
pub(super) fn holders(lock: LockId, mode: Mode) -> Vec<u32> {
    slot::all()
        .filter(|slot| slot.keeps_out(lock, mode))
        .map(|slot| slot.thread.load(Relaxed))
        .collect()
}

impl Waiting {
    /// Whether the thread still waits, and has since.
    pub(super) fn lasts(&self) -> bool {
        self.slot.wait.lasts(self.turn)
    }

    /// Whether this wait was told as part of a deadlock.
    pub(super) fn was_told(&self) -> bool {
        self.slot.wait.told.load(Relaxed) == self.turn
    }

    /// The same. It is taken for told from now on.
    pub(super) fn tell(&self) -> bool {
        self.slot.wait.told.swap(self.turn, Relaxed) == self.turn
    }

    /// Whether this thread keeps `other` waiting.
    pub(super) fn keeps(&self, other: &Waiting) -> bool {
        !std::ptr::eq(self.slot, other.slot) && self.holds_against(other).is_some()
            || match other.target {
                Target::Thread(thread) | Target::Work(thread) => thread == self.thread,
                _ => false,
            }
    }

    /// What this thread holds that `other` waits for.
    pub(super) fn holds_against(&self, other: &Waiting) -> Option<HeldLock> {
        let (Target::Lock(lock, mode) | Target::Condition(_, lock, mode)) = other.target else {
            return None;
        };
        let mut held = self.holds.iter();
        held.find(|held| held.lock == lock && held.mode.excludes(mode))
            .copied()
    }

    fn of(slot: &'static Slot) -> Option<Waiting> {
        let (turn, target) = slot.wait.read()?;
        if matches!(target, Target::Timed(..)) {
            return None;
        }
        let thread = slot.thread.load(Relaxed);
        let (site, since) = (&slot.wait.site, &slot.wait.since);
        let (site, since) = (site.load(Relaxed), since.load(Relaxed));
        let words: Vec<_> = slot.words_from_outside().collect();
        let stack = slot.wait.stack.load();
        if !slot.wait.lasts(turn) {
            return None;
        }
        Some(Waiting {
            thread,
            target,
            // SAFETY: the word was packed by `begin`, and its wait lasted while it was read.
            at: unsafe { Site::unpack(site) },
            waited: Duration::from_nanos(now().saturating_sub(since)),
            // SAFETY: the wait lasted while the words were read, so that they are what `push` wrote.
            holds: words
                .into_iter()
                .map(|words| unsafe { words.read() })
                .collect(),
            stack,
            slot,
            turn,
        })
    }

    /// Whether this wait has not been told as a stall yet. It is taken for told from now on.
    pub(super) fn is_news(&self) -> bool {
        self.slot.wait.told_as_stall.swap(self.turn, Relaxed) != self.turn
    }
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
        let holds = match kept {
            Target::Lock(lock, mode) | Target::Condition(_, lock, mode) => {
                slot.words_against(lock, mode)
            }
            Target::Thread(_) | Target::Work(_) | Target::Event(_) | Target::Timed(..) => None,
        };
        Read {
            seen,
            thread: slot.thread.load(Relaxed),
            site: wait.site.load(Relaxed),
            since: wait.since.load(Relaxed),
            stack: wait.stack.load(),
            holds,
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
        }
    }
}

/// Nanoseconds since this was first asked.
fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
