//! The events of a run, indexed for the searches: per thread, and with what each needs or closes.

use std::collections::{HashMap, VecDeque};

use lockwise::watch::Mode;

use crate::trace::{LockId, Op, ResourceId, Run, Side, ThreadId};

/// No event.
pub(super) const NONE: u32 = u32::MAX;

/// The index.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Per thread, its events, as positions in [`Run::events`]; requests only as the last.
    pub(super) events_of: Vec<Vec<u32>>,
    /// Per event, its position among those of its thread.
    pub(super) position: Vec<u32>,
    /// Per event that takes a lock, the event that gives it back, or [`NONE`].
    pub(super) closes: Vec<u32>,
    /// Per thread, the fork that starts it, or [`NONE`].
    pub(super) forked_by: Vec<u32>,
    /// Per event, what else must have happened for it to happen as it was seen: the last event of a
    /// joined thread, the other arrivals at a barrier, the wake-up, the post, the write.
    /// Each needs one at most, or [`NONE`].
    pub(super) needs: Vec<u32>,
    /// Per end of a wait, the mode in which the lock is taken again.
    pub(super) retaken: HashMap<u32, Mode>,
    /// Per wake-up, the thread that it woke in this run.
    pub(super) woke: HashMap<u32, ThreadId>,
    /// Per begin of a wait that was woken, the wake-up.
    pub(super) woken_by: HashMap<u32, u32>,
    /// Whether lives of locks begin or end while it runs.
    pub(super) has_lives: bool,
}

/// A thread that sleeps on a condition while the index is made.
struct Sleeper {
    thread: ThreadId,
    begin: u32,
    /// The wake-up that it was given.
    notify: Option<u32>,
}

/// State of the pass that makes the index.
#[derive(Default)]
struct Pass {
    /// Open acquisitions per thread: lock, mode, event.
    open: HashMap<ThreadId, Vec<(LockId, Mode, u32)>>,
    sleepers: HashMap<ResourceId, Vec<Sleeper>>,
    arrived: HashMap<ResourceId, Vec<u32>>,
    /// Posts not yet taken; [`NONE`] stands for a unit that was there from the start.
    posted: HashMap<ResourceId, VecDeque<u32>>,
    written: HashMap<crate::trace::VariableId, u32>,
    waited: HashMap<ThreadId, Mode>,
}

impl Timeline {
    /// Makes the index, in one pass.
    pub(super) fn of(run: &Run) -> Timeline {
        let mut timeline = Timeline {
            events_of: vec![Vec::new(); run.threads.len()],
            position: Vec::with_capacity(run.events.len()),
            closes: vec![NONE; run.events.len()],
            forked_by: vec![NONE; run.threads.len()],
            needs: vec![NONE; run.events.len()],
            retaken: HashMap::new(),
            woke: HashMap::new(),
            woken_by: HashMap::new(),
            has_lives: false,
        };
        let mut pass = Pass::default();
        for (at, resource) in (0..).zip(&run.resources) {
            // Each event takes one at most; a semaphore may begin with billions.
            let units = run.events.len().min(resource.units as usize);
            let units = std::iter::repeat_n(NONE, units);
            pass.posted.insert(ResourceId(at), units.collect());
        }
        for (at, event) in (0..).zip(&run.events) {
            let events = &mut timeline.events_of[event.thread.at()];
            // A request that was answered, or given up, is no step: only the last word counts.
            let open = |&last: &u32| matches!(run.events[last as usize].op, Op::Request { .. });
            if events.last().is_some_and(open) {
                events.pop();
            }
            timeline
                .position
                .push(u32::try_from(events.len()).expect("readers bound the number of events"));
            events.push(at);
            timeline.event(&mut pass, at, event.thread, &event.op);
        }
        timeline
    }

    /// The events of a thread from the first on, as a count of those before `event`.
    pub(super) fn before(&self, event: u32) -> u32 {
        self.position[event as usize]
    }

    fn need(&mut self, event: u32, other: u32) {
        self.needs[event as usize] = other;
    }

    fn event(&mut self, pass: &mut Pass, at: u32, thread: ThreadId, op: &Op) {
        match *op {
            Op::Acquire { lock, mode, .. } => {
                pass.open.entry(thread).or_default().push((lock, mode, at));
            }
            Op::Upgrade { lock } => {
                let open = pass.open.entry(thread).or_default();
                open.push((lock, Mode::Exclusive, at));
            }
            Op::Release { lock, side } => {
                let fits = |mode: Mode| match side {
                    Side::Exclusive => mode.is_exclusive(),
                    Side::Shared => !mode.is_exclusive(),
                    Side::Held => true,
                };
                // Both halves of an upgraded hold end together.
                if let Some(mode) = self.close(pass, at, thread, lock, fits)
                    && mode == Mode::Exclusive
                {
                    self.close(pass, at, thread, lock, |mode| mode == Mode::Upgradable);
                }
            }
            Op::Fork { child } => {
                let forked_by = &mut self.forked_by[child.at()];
                *forked_by = (*forked_by).min(at);
            }
            Op::Join { child } => {
                if let Some(&last) = self.events_of[child.at()].last() {
                    self.need(at, last);
                }
            }
            Op::WaitBegin { condvar, lock, .. } => {
                let mut mode = None;
                while let Some(closed) = self.close(pass, at, thread, lock, |_| true) {
                    mode = Some(closed);
                }
                let retaken = mode.filter(|m| *m == Mode::Reentrant);
                pass.waited
                    .insert(thread, retaken.unwrap_or(Mode::Exclusive));
                let sleepers = pass.sleepers.entry(condvar).or_default();
                sleepers.push(Sleeper {
                    thread,
                    begin: at,
                    notify: None,
                });
            }
            Op::WaitEnd { condvar, lock } => self.wait_end(pass, at, thread, condvar, lock),
            Op::Notify { condvar } => self.notify(pass, at, condvar, 1),
            Op::NotifyAll { condvar } => self.notify(pass, at, condvar, usize::MAX),
            Op::Barrier { barrier, parties } => {
                let arrived = pass.arrived.entry(barrier).or_default();
                arrived.push(at);
                if arrived.len() == parties as usize {
                    let group = std::mem::take(arrived);
                    // A ring is enough: one of them needs all of them.
                    for (&one, &other) in group.iter().zip(group.iter().cycle().skip(1)) {
                        self.need(one, other);
                    }
                }
            }
            Op::Post { semaphore } => pass.posted.entry(semaphore).or_default().push_back(at),
            Op::Pend { semaphore, .. } => {
                let post = pass.posted.entry(semaphore).or_default().pop_front();
                if let Some(post) = post.filter(|&post| post != NONE) {
                    self.need(at, post);
                }
            }
            Op::Init { lock } | Op::Destroy { lock } => {
                self.has_lives = true;
                let threads: Vec<ThreadId> = pass.open.keys().copied().collect();
                for holder in threads {
                    while self.close(pass, at, holder, lock, |_| true).is_some() {}
                }
            }
            Op::Read { variable } => {
                // None was seen where the data was not written yet: then none may come before.
                let write = pass.written.get(&variable).copied();
                self.need(at, write.unwrap_or(NONE));
            }
            Op::Write { variable } => {
                pass.written.insert(variable, at);
            }
            Op::Request { .. } | Op::Downgrade { .. } | Op::PendTimed { .. } | Op::End => {}
        }
    }

    /// Closes the thread's youngest fitting acquisition of `lock`, and says its mode.
    fn close(
        &mut self,
        pass: &mut Pass,
        at: u32,
        thread: ThreadId,
        lock: LockId,
        fits: impl Fn(Mode) -> bool,
    ) -> Option<Mode> {
        let open = pass.open.get_mut(&thread)?;
        let index = open
            .iter()
            .rposition(|&(l, mode, _)| l == lock && fits(mode))?;
        let (_, mode, acquired) = open.remove(index);
        self.closes[acquired as usize] = at;
        Some(mode)
    }

    fn notify(&mut self, pass: &mut Pass, at: u32, condvar: ResourceId, most: usize) {
        let sleepers = pass.sleepers.entry(condvar).or_default();
        let asleep = sleepers.iter_mut().filter(|s| s.notify.is_none());
        for sleeper in asleep.take(most) {
            sleeper.notify = Some(at);
            self.woke.entry(at).or_insert(sleeper.thread);
        }
    }

    /// A wait ended. Which of several sleepers a wake-up chose is not recorded: this one had one.
    fn wait_end(
        &mut self,
        pass: &mut Pass,
        at: u32,
        thread: ThreadId,
        condvar: ResourceId,
        lock: LockId,
    ) {
        let mode = pass.waited.remove(&thread).unwrap_or(Mode::Exclusive);
        self.retaken.insert(at, mode);
        pass.open.entry(thread).or_default().push((lock, mode, at));
        let sleepers = pass.sleepers.entry(condvar).or_default();
        let Some(me) = sleepers.iter().position(|s| s.thread == thread) else {
            return;
        };
        let mut me = sleepers.swap_remove(me);
        if me.notify.is_none()
            && let Some(other) = sleepers
                .iter_mut()
                .filter(|s| s.notify.is_some_and(|notify| notify > me.begin))
                .min_by_key(|s| s.notify)
        {
            me.notify = other.notify.take();
        }
        if let Some(notify) = me.notify {
            self.need(at, notify);
            self.woke.insert(notify, thread);
            self.woken_by.insert(me.begin, notify);
        }
    }
}
