//! What each thread holds, followed event by event, and which uses of locks cannot be right.
//!
//! The events are taken in the order seen; what cannot be (a release of what is not held) is noted as a
//! [`Slip`] and otherwise left without effect. Threads and locks may turn up at any time.

use lockwise::watch::Mode;

use crate::trace::{
    AcquireClass, Event, Held, Lock, LockId, Op, Side, SiteId, Slip, SlipKind, ThreadId,
};

/// A lock in a thread's held set.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// The lock, the mode in which it is held now, and where it was acquired.
    pub held: Held,
    /// The `sub` mark of its acquisition.
    pub sub: Option<u32>,
}

/// A thread.
#[derive(Debug, Default, Clone)]
struct Holder {
    /// Held locks, oldest first.
    holds: Vec<Hold>,
    /// The first so many of them are as they were when they were last called settled.
    settled: usize,
    /// What a condition wait gave back.
    waited: Option<Hold>,
    ended: bool,
}

/// All threads and what they hold.
#[derive(Debug, Default, Clone)]
pub struct Holders {
    threads: Vec<Holder>,
    /// Per lock, the threads that hold it; a thread stands there as often as it holds the lock.
    by_lock: Vec<Vec<ThreadId>>,
    /// Per lock, whether its life began by `init`, and whether it has ended.
    inited: Vec<bool>,
    died: Vec<bool>,
    /// Wrong uses so far, in the order seen. Whoever follows a long trace takes them out.
    pub slips: Vec<Slip>,
}

impl Holders {
    /// What a thread holds, oldest first.
    pub fn of(&self, thread: ThreadId) -> &[Hold] {
        self.threads.get(thread.at()).map_or(&[], |t| &t.holds)
    }

    /// Per thread, what it holds, oldest first.
    pub fn all(&self) -> impl Iterator<Item = (ThreadId, &[Hold])> {
        let threads = self.threads.iter().enumerate();
        threads.map(|(at, holder)| (ThreadId::from(at), holder.holds.as_slice()))
    }

    /// Whether a thread holds a lock.
    pub fn holds(&self, thread: ThreadId, lock: LockId) -> bool {
        let holders = self.by_lock.get(lock.at());
        holders.is_some_and(|holders| holders.contains(&thread))
    }

    /// Whether a thread was seen to end.
    pub fn ended(&self, thread: ThreadId) -> bool {
        self.threads.get(thread.at()).is_some_and(|t| t.ended)
    }

    /// What a condition wait of the thread gave back, until it is taken again.
    pub fn waited(&self, thread: ThreadId) -> Option<Hold> {
        self.threads.get(thread.at())?.waited
    }

    /// How many of the oldest holds of a thread are as they were at the last call; all that it holds
    /// now will be those of the next.
    pub fn settle(&mut self, thread: ThreadId) -> usize {
        let holder = self.thread(thread);
        std::mem::replace(&mut holder.settled, holder.holds.len())
    }

    /// Follows an event. `locks` are the locks of its run; `over`: whether a thread that is joined here
    /// has come to its end.
    pub fn follow(&mut self, event: &Event, locks: &[Lock], over: bool) {
        let (thread, site) = (event.thread, event.site);
        let former = |lock: LockId| locks.get(lock.at()).and_then(|lock| lock.former);
        match event.op {
            Op::Acquire {
                lock, mode, class, ..
            } => {
                self.check_acquisition(event, lock, former(lock), class);
                let held = Held { lock, mode, site };
                let sub = class.sub;
                self.hold(thread, Hold { held, sub });
            }
            Op::Release { lock, side } => self.release(thread, lock, side, site),
            Op::Upgrade { lock } => self.change_mode(thread, lock, Mode::Exclusive),
            Op::Downgrade { lock, mode } => self.change_mode(thread, lock, mode),
            Op::Join { child } if over => self.exit(child),
            Op::WaitBegin { lock, .. } => {
                let taken = self.take(thread, lock, |_| true);
                if taken.is_none() {
                    let kind = if self.lock(lock).is_empty() {
                        SlipKind::WaitUnlocked
                    } else {
                        SlipKind::WaitNotOwner
                    };
                    self.slip(kind, thread, lock, site);
                }
                self.thread(thread).waited = taken;
            }
            Op::WaitEnd { lock, .. } => {
                if let Some(Hold { held, sub }) = self.thread(thread).waited.take() {
                    let mode = held.mode;
                    let held = Held { lock, mode, site };
                    self.hold(thread, Hold { held, sub });
                }
            }
            Op::Init { lock } => self.init(thread, lock, former(lock), site),
            Op::Destroy { lock } => self.destroy(thread, lock, former(lock), site),
            Op::End => self.exit(thread),
            _ => {}
        }
    }

    fn thread(&mut self, thread: ThreadId) -> &mut Holder {
        if self.threads.len() <= thread.at() {
            self.threads.resize_with(thread.at() + 1, Holder::default);
        }
        &mut self.threads[thread.at()]
    }

    fn lock(&mut self, lock: LockId) -> &mut Vec<ThreadId> {
        if self.by_lock.len() <= lock.at() {
            self.by_lock.resize_with(lock.at() + 1, Vec::new);
            self.inited.resize(lock.at() + 1, false);
            self.died.resize(lock.at() + 1, false);
        }
        &mut self.by_lock[lock.at()]
    }

    fn slip(&mut self, kind: SlipKind, thread: ThreadId, lock: LockId, site: SiteId) {
        self.slips.push(Slip {
            kind,
            thread,
            lock,
            site,
        });
    }

    fn check_acquisition(
        &mut self,
        event: &Event,
        lock: LockId,
        former: Option<LockId>,
        class: AcquireClass,
    ) {
        if self.is_dead(lock, former) {
            self.slip(SlipKind::UseAfterDestroy, event.thread, lock, event.site);
        }
        if class
            .nest
            .is_some_and(|gate| !self.holds(event.thread, gate))
        {
            self.slip(SlipKind::NestLockNotHeld, event.thread, lock, event.site);
        }
    }

    /// Whether this life follows one that was ended, and was not begun.
    fn is_dead(&self, lock: LockId, former: Option<LockId>) -> bool {
        let is = |of: &[bool], lock: LockId| of.get(lock.at()).copied().unwrap_or(false);
        !is(&self.inited, lock) && former.is_some_and(|former| is(&self.died, former))
    }

    fn hold(&mut self, thread: ThreadId, hold: Hold) {
        self.lock(hold.held.lock).push(thread);
        self.thread(thread).holds.push(hold);
    }

    /// Takes the youngest hold of `lock` in a fitting mode out of the thread's held set.
    fn take(
        &mut self,
        thread: ThreadId,
        lock: LockId,
        fits: impl Fn(Mode) -> bool,
    ) -> Option<Hold> {
        if !self.holds(thread, lock) {
            return None;
        }
        let holder = self.thread(thread);
        let fitting = |hold: &Hold| hold.held.lock == lock && fits(hold.held.mode);
        let at = holder.holds.iter().rposition(fitting)?;
        holder.settled = holder.settled.min(at);
        let hold = holder.holds.remove(at);
        let holders = self.lock(lock);
        let entry = holders.iter().position(|&held_by| held_by == thread)?;
        holders.swap_remove(entry);
        Some(hold)
    }

    fn release(&mut self, thread: ThreadId, lock: LockId, named: Side, site: SiteId) {
        let fits = |mode: Mode| match named {
            Side::Exclusive => mode.is_exclusive(),
            Side::Shared => !mode.is_exclusive(),
            Side::Held => true,
        };
        if self.take(thread, lock, fits).is_some() {
            return;
        }
        let kind = if self.take(thread, lock, |_| true).is_some() {
            SlipKind::UnlockWrongMode
        } else if self.lock(lock).is_empty() {
            SlipKind::UnlockNotHeld
        } else {
            SlipKind::UnlockNotOwner
        };
        self.slip(kind, thread, lock, site);
    }

    fn change_mode(&mut self, thread: ThreadId, lock: LockId, mode: Mode) {
        let holder = self.thread(thread);
        if let Some(at) = holder.holds.iter().rposition(|h| h.held.lock == lock) {
            holder.holds[at].held.mode = mode;
            holder.settled = holder.settled.min(at);
        }
    }

    fn init(&mut self, thread: ThreadId, lock: LockId, former: Option<LockId>, site: SiteId) {
        let mut held = self.drop_holders(lock);
        if let Some(former) = former {
            held |= self.drop_holders(former);
        }
        if held {
            self.slip(SlipKind::InitHeld, thread, lock, site);
        }
        if let Some(former) = former.filter(|former| !self.died[former.at()]) {
            self.slip(SlipKind::ReinitWithoutDestroy, thread, lock, site);
            self.died[former.at()] = true;
        }
        self.inited[lock.at()] = true;
    }

    fn destroy(&mut self, thread: ThreadId, lock: LockId, former: Option<LockId>, site: SiteId) {
        if self.drop_holders(lock) {
            self.slip(SlipKind::DestroyHeld, thread, lock, site);
        }
        if self.died[lock.at()] || self.is_dead(lock, former) {
            self.slip(SlipKind::DoubleDestroy, thread, lock, site);
        }
        self.died[lock.at()] = true;
    }

    /// Takes `lock` out of all held sets; whether it was in any.
    fn drop_holders(&mut self, lock: LockId) -> bool {
        let holders = self.lock(lock).clone();
        for &thread in &holders {
            self.take(thread, lock, |_| true);
        }
        !holders.is_empty()
    }

    /// Notes what `thread` still holds as it ends.
    fn exit(&mut self, thread: ThreadId) {
        let holder = self.thread(thread);
        if std::mem::replace(&mut holder.ended, true) {
            return;
        }
        let left: Vec<Held> = holder.holds.iter().map(|hold| hold.held).collect();
        for held in left {
            // A lock that others hold too was never granted: the trace goes on behind a deadlock.
            if held.mode.is_shared() || self.lock(held.lock).len() == 1 {
                self.slip(SlipKind::HeldAtExit, thread, held.lock, held.site);
            }
        }
    }
}
