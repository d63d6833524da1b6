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
//! may be told any more. Its mark counts for no other circle, for those that it leaves behind may still wait for
//! each other. Who stops waiting to look whether it has what it waits for, and then waits on, asks
//! under that lock whether it was told meanwhile, and so takes the mark along.
//!
//! **What a thread owes** counts as what it is: the result of work that it does now can come from nobody else, and
//! not before that work is done. A duty has a key that is the address of what is owed: who waits for that and who
//! owes it both keep it alive, so that while both were seen to wait it was one and the same. Duties change as
//! held sets do, only while the thread does not wait.
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

#[path = "wait_for/search.rs"]
mod search;
#[path = "wait_for/spent.rs"]
mod spent;
#[path = "wait_for/waiting.rs"]
mod waiting;

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::time::Instant;

use super::atomic::{AtomicBool, AtomicU64, Counter, fence};
use super::identity::LockId;
use super::mode::Mode;
use super::site::Site;
use super::slot;
use super::stack::{SharedStack, Stack};

pub(super) use self::search::{
    Behind, Member, Teller, after_fork, before_fork, deadlock, deadlock_behind_writers,
};
use self::spent::Spent;
pub(super) use self::waiting::{Waiting, all_wait, all_waiting, holders, waiting};

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
    /// What a thread owes under this key, if one does (see [`Wait::owe`]); the object says what that is.
    Owed(LockId, u64),
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
    /// The word of a second lock, or a key.
    also: AtomicU64,
    /// The keys of what this thread alone can give, and will not give before it has done other work.
    duties: [AtomicU64; DUTIES],
    /// How many there are, those that are not known included.
    duty_count: AtomicU64,
    /// Where it began, packed.
    site: AtomicU64,
    /// When it began, in nanoseconds since the first wait of the process.
    since: AtomicU64,
    /// The turn that was told as part of a deadlock.
    told: AtomicU64,
    /// The number of the thread that told it, if that may have unwound; 0 if it went on to wait.
    told_by: AtomicU64,
    /// The turn that was told as a stall.
    told_as_stall: AtomicU64,
    /// The thread has done what it was started for.
    work_done: AtomicBool,
    /// The thread is one of ours: that it does not wait says nothing of the program.
    is_ours: AtomicBool,
    /// Where the program stood, if stacks are captured.
    stack: SharedStack,
    /// How long the thread has waited, also alone.
    spent: Spent,
    /// What the thread itself waits for, between two times that it parks for that.
    kept: Cell<Option<Kept>>,
}

/// What a thread waits for, as it remembers it.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    target: Target,
    at: Site,
    /// The turn of the wait when it parked for that last.
    turn: u64,
}

/// The bits of [`Wait::how`] that say the mode; the bits above say the kind.
const MODE_BITS: u32 = 8;
const HOW_LOCK: u64 = 0;
const HOW_THREAD: u64 = 1;
const HOW_WORK: u64 = 2;
const HOW_EVENT: u64 = 3;
const HOW_CONDITION: u64 = 4;
const HOW_TIMED: u64 = 5;
const HOW_OWED: u64 = 6;

/// How many duties of a thread are known at once; of those inside them nothing is known.
const DUTIES: usize = 4;

/// How many waits with a deadline for a lock to write have begun in this process.
static TIMED_WRITERS: Counter = Counter::new(0);

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
            duties: std::array::from_fn(|_| AtomicU64::new(0)),
            duty_count: AtomicU64::new(0),
            site: AtomicU64::new(0),
            since: AtomicU64::new(0),
            told: AtomicU64::new(0),
            told_by: AtomicU64::new(0),
            told_as_stall: AtomicU64::new(0),
            work_done: AtomicBool::new(false),
            is_ours: AtomicBool::new(false),
            stack: SharedStack::new(),
            spent: Spent::new(),
            kept: Cell::new(None),
        }
    }

    /// What the thread waits for whenever it parks; called on it.
    pub(super) fn kept(&self) -> Option<Kept> {
        self.kept.get()
    }

    /// From now on the thread waits for this, for which it waits now, whenever it parks; called on it.
    pub(super) fn keep(&self, target: Target, at: Site) {
        let turn = self.turn.load(Relaxed);
        self.kept.set(Some(Kept { target, at, turn }));
    }

    /// The thread has what it waited for, or gives up; called on it.
    pub(super) fn keep_nothing(&self) {
        self.kept.set(None);
    }

    /// The thread parks again for what it has kept; called on it. What was told of that wait counts as told of it
    /// still.
    pub(super) fn begin_again(&self, kept: Kept, stack: &Stack) {
        self.end();
        if matches!(kept.target, Target::Owed(..)) && search::was_told(self, kept.turn) {
            let turn = self.turn.load(Relaxed);
            self.told.store(turn.wrapping_add(1), Relaxed);
        }
        self.begin(kept.target, kept.at, stack);
        self.keep(kept.target, kept.at);
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

    /// The thread begins to wait until a deadline for what nobody else needs to know.
    pub(super) fn begin_alone(&self) {
        self.end();
        self.spent.begin(now);
    }

    fn describe(&self, target: Target, at: Site, stack: &Stack) {
        self.end();
        let now = now();
        self.since.store(now, Relaxed);
        self.spent.begin(|| now);
        let (what, kind, mode, also) = match target {
            Target::Lock(lock, mode) => (lock.0, HOW_LOCK, Some(mode), 0),
            Target::Thread(thread) => (u64::from(thread), HOW_THREAD, None, 0),
            Target::Work(thread) => (u64::from(thread), HOW_WORK, None, 0),
            Target::Condition(condvar, lock, mode) => {
                (condvar.0, HOW_CONDITION, Some(mode), lock.0)
            }
            Target::Owed(object, key) => (object.0, HOW_OWED, None, key),
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
        self.spent.begin(now);
        self.publish();
        fence(SeqCst);
        if let Some(kept) = self.kept.get() {
            self.keep(kept.target, kept.at);
        }
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
        self.spent.end(now);
    }

    /// How long the thread has waited by time `now`, in nanoseconds; asked by any thread.
    pub(super) fn waited_by(&self, now: u64) -> u64 {
        self.spent.by(now)
    }

    /// From now on the thread's waits count, those before do not: another thread begins.
    pub(super) fn count_waited(&self) {
        self.spent.restart();
    }

    /// The thread begins, or has done what it was started for.
    pub(super) fn set_work_done(&self, done: bool) {
        self.work_done.store(done, Relaxed);
    }

    /// From now on this thread alone can give what has this key, which nobody else uses meanwhile, and has other
    /// work to do before. Called while it does not wait.
    pub(super) fn owe(&self, key: u64) {
        let count = self.duty_count.load(Relaxed);
        if let Some(place) = self.duties.get(count as usize) {
            place.store(key, Relaxed);
        }
        self.duty_count.store(count + 1, Relaxed);
    }

    /// The work for what the thread owes since last is done, and that is about to be given.
    pub(super) fn give(&self) {
        let count = self.duty_count.load(Relaxed);
        self.duty_count.store(count.saturating_sub(1), Relaxed);
    }

    /// Whether this thread, maybe another one, owes what has this key, at about this time.
    fn owes(&self, key: u64) -> bool {
        let known = (self.duty_count.load(Relaxed) as usize).min(DUTIES);
        let mut duties = self.duties[..known].iter();
        duties.any(|duty| duty.load(Relaxed) == key)
    }

    /// The thread is one of ours.
    pub(super) fn set_ours(&self) {
        self.is_ours.store(true, Relaxed);
    }

    /// The wait that this thread has begun was told otherwise.
    pub(super) fn set_told(&self) {
        self.told_by.store(0, Relaxed);
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
            HOW_OWED => Target::Owed(LockId(what), self.also.load(Relaxed)),
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

/// Nanoseconds since this was first asked.
pub(super) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
