//! The second pass: the chains of the locks on cycles, and the events around what may be a deadlock.

use lockwise::watch::Mode;

use super::excerpt::Window;
use super::{Consumer, Limits, QuickMap, QuickSet};
use crate::trace::{
    Ask, Chain, Event, Evidence, Held, HeldId, HeldNode, LockId, Op, Run, Side, ThreadId,
};

/// Events that a reader may pile up.
const CHUNK: usize = 65_536;

/// What a thread holds: lock, and the node that ends with it if it is known.
#[derive(Debug, Default, Clone)]
pub(super) struct Holds {
    pub(super) held: Vec<Held>,
    /// The nodes of the first so many of them.
    nodes: Vec<HeldId>,
    /// Forks and joins of its own so far.
    stretch: u32,
}

impl Holds {
    fn release(&mut self, lock: LockId, side: Side) {
        let fits = |held: &Held| match side {
            Side::Exclusive => held.mode.is_exclusive(),
            Side::Shared => !held.mode.is_exclusive(),
            Side::Held => true,
        };
        let held = &self.held;
        let at = held
            .iter()
            .rposition(|held| held.lock == lock && fits(held));
        if let Some(at) = at.or_else(|| held.iter().rposition(|held| held.lock == lock)) {
            self.held.remove(at);
            self.nodes.truncate(at);
        }
    }
}

/// What each thread holds, grown as threads turn up.
#[derive(Debug, Default, Clone)]
pub(super) struct Threads(pub(super) Vec<Holds>);

impl Threads {
    fn of(&mut self, thread: ThreadId) -> &mut Holds {
        if self.0.len() <= thread.at() {
            self.0.resize_with(thread.at() + 1, Holds::default);
        }
        &mut self.0[thread.at()]
    }

    /// Follows an event.
    pub(super) fn follow(&mut self, event: &Event) {
        let holds = self.of(event.thread);
        match event.op {
            Op::Acquire { lock, mode, .. } => holds.held.push(Held {
                lock,
                mode,
                site: event.site,
            }),
            Op::WaitEnd { lock, .. } => holds.held.push(Held {
                lock,
                mode: Mode::Exclusive,
                site: event.site,
            }),
            Op::Release { lock, side } => holds.release(lock, side),
            Op::WaitBegin { lock, .. } => holds.release(lock, Side::Held),
            Op::Init { lock } | Op::Destroy { lock } => {
                for holds in &mut self.0 {
                    while holds.held.iter().any(|held| held.lock == lock) {
                        holds.release(lock, Side::Held);
                    }
                }
            }
            Op::Fork { .. } | Op::Join { .. } => holds.stretch += 1,
            _ => {}
        }
    }
}

/// The second pass.
pub(super) struct Second<'l> {
    limits: &'l Limits,
    /// Per lock, whether it lies on a cycle.
    suspects: Vec<bool>,
    /// Locks that a thread took although it held them, and may.
    reentrant: QuickSet<LockId>,
    threads: Threads,
    nodes: Vec<HeldNode>,
    node_of: QuickMap<(Option<HeldId>, LockId, u8), HeldId>,
    chains: Vec<Chain>,
    /// Forks and joins, in order.
    forks: Vec<Event>,
    known: QuickSet<(ThreadId, u32, HeldId, LockId, u8)>,
    left_out: u64,
    window: Window,
}

impl<'l> Second<'l> {
    pub(super) fn new(
        suspects: Vec<bool>,
        reentrant: QuickSet<LockId>,
        limits: &'l Limits,
    ) -> Self {
        Second {
            limits,
            suspects,
            reentrant,
            threads: Threads::default(),
            nodes: Vec::new(),
            node_of: QuickMap::default(),
            chains: Vec::new(),
            forks: Vec::new(),
            known: QuickSet::default(),
            left_out: 0,
            window: Window::new(limits.window, limits.excerpts_max),
        }
    }

    fn is_suspect(&self, lock: LockId) -> bool {
        self.suspects.get(lock.at()).copied().unwrap_or(false)
    }

    /// Takes all events out of the run.
    pub(super) fn take_all(&mut self, run: &mut Run) {
        run.events.drain(..).for_each(|event| self.follow(event));
    }

    fn follow(&mut self, mut event: Event) {
        let thread = event.thread;
        if let Op::Acquire { lock, mode, .. } | Op::Request { lock, mode } = &mut event.op
            && *mode == Mode::Exclusive
            && self.reentrant.contains(lock)
        {
            *mode = Mode::Reentrant;
        }
        if let Op::Acquire {
            lock, mode, ask, ..
        } = event.op
            && self.is_suspect(lock)
        {
            let held = &self.threads.of(thread).held;
            let any = held.iter().any(|held| self.suspects[held.lock.at()]);
            if any {
                let want = Held {
                    lock,
                    mode,
                    site: event.site,
                };
                if ask == Ask::Wait {
                    let held = self.threads.of(thread).held.clone();
                    self.window.request(thread, &held, want, &self.suspects);
                }
                self.chain(thread, want, ask);
            }
        }
        if let Op::Fork { .. } | Op::Join { .. } = event.op {
            self.forks.push(event.clone());
        }
        self.threads.follow(&event);
        self.window.push(event);
    }

    /// Notes a request with what is held.
    fn chain(&mut self, thread: ThreadId, want: Held, ask: Ask) {
        let holds = self.threads.of(thread);
        let mut below = holds.nodes.last().copied();
        for held in &holds.held[holds.nodes.len()..] {
            let key = (below, held.lock, held.mode as u8);
            let next = HeldId::from(self.nodes.len());
            let node = *self.node_of.entry(key).or_insert(next);
            if node == next {
                self.nodes.push(HeldNode { below, held: *held });
            }
            holds.nodes.push(node);
            below = Some(node);
        }
        let Some(held) = below else { return };
        if self.chains.len() >= self.limits.chains_max {
            self.left_out += 1;
            return;
        }
        if self
            .known
            .insert((thread, holds.stretch, held, want.lock, want.mode as u8))
        {
            self.chains.push(Chain {
                thread,
                stretch: holds.stretch,
                held: Some(held),
                want,
                ask,
            });
        }
    }

    pub(super) fn finish(self, label: &str, is_plain: bool, evidence: &mut Evidence) {
        let excerpts = self.window.finish(&evidence.runs[0]);
        let run = &mut evidence.runs[0];
        run.events = self.forks;
        run.chains = self.chains;
        run.held = self.nodes;
        let limits = &mut evidence.limits;
        if self.left_out > 0 {
            limits.push(format!(
                "{label}: {} requests in lock-order cycles left out, after the first {}",
                self.left_out, self.limits.chains_max
            ));
        }
        if !is_plain {
            limits.push(format!(
                "{label}: no proof was looked for, because it has other operations than on locks, \
                 threads and data, and is too long to be kept whole"
            ));
            return;
        }
        limits.push(format!(
            "{label}: proofs were looked for where sides of a cycle come within {} events of each \
             other",
            self.limits.window
        ));
        if excerpts.left_out > 0 {
            limits.push(format!(
                "{label}: {} such places left out, after the first with {} events in all",
                excerpts.left_out, self.limits.excerpts_max
            ));
        }
        evidence.excerpts = excerpts.runs;
    }
}

impl Consumer for Second<'_> {
    fn take(&mut self, run: &mut Run) {
        if run.events.len() >= CHUNK {
            self.take_all(run);
        }
    }
}
