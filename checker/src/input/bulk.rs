//! Traces that are too long to be kept: read once for what was held at each request, and once more
//! for the events around what looks like a deadlock.
//!
//! The first pass keeps an edge per (lock held, lock wanted). If the locks lie on no cycle, that is
//! all. Else the second pass keeps the chains of the locks on cycles, as a log of level `order` has
//! them, and *excerpts*: stretches of the trace in which the sides of a cycle come close to each
//! other. An excerpt starts with made-up events that lead to the state at its start ([`excerpt`]), so
//! it is a run of its own, and a schedule of it is one of the whole trace.
//!
//! What it cannot see: a deadlock whose sides are farther apart than [`Limits::window`] is not proved,
//! waits for other things than locks are not judged, nor is misuse. The report says so.

mod edges;
mod excerpt;

use lockwise::watch::Mode;

use crate::trace::{
    Chain, Event, Evidence, Held, HeldId, HeldNode, LockId, Op, Run, Side, ThreadId,
};

use self::edges::Edges;
use self::excerpt::Window;

/// How much is kept of a long trace.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A trace of at most so many events is kept whole. An event takes some 150 bytes in all.
    pub events_max: usize,
    /// Pairs of a held and a wanted lock that are kept; some 40 bytes each.
    pub edges_max: usize,
    /// Distinct chains on cycles that are kept; some 100 bytes each.
    pub chains_max: usize,
    /// How far apart the sides of a cycle may be, in events.
    pub window: usize,
    /// Events of all excerpts.
    pub excerpts_max: usize,
}

impl Default for Limits {
    /// Some 600 megabytes at the very most.
    fn default() -> Self {
        Limits {
            events_max: 500_000,
            edges_max: 6_000_000,
            chains_max: 1_000_000,
            window: 400_000,
            excerpts_max: 1_500_000,
        }
    }
}

/// Takes what a reader has appended to the run so far, if it wants to, and says what it wants next.
pub type Drain<'a> = &'a mut dyn FnMut(&mut Run) -> Next;

/// What a reader is to append from now on.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// All events.
    #[default]
    All,
    /// All but reads and writes of data, which it counts in [`Run::events_seen`].
    WithoutData,
}

/// Reads a trace with `first`, and if it is too long and suspicious again with `again`, which returns
/// `None` if it cannot be read twice.
///
/// # Errors
///
/// Whatever `first` returns.
pub fn read<E>(
    label: &str,
    limits: &Limits,
    first: impl FnOnce(Drain<'_>) -> Result<Evidence, E>,
    again: impl FnOnce(Drain<'_>) -> Option<Result<Evidence, E>>,
) -> Result<Evidence, E> {
    let mut edges: Option<Edges> = None;
    let mut evidence = first(&mut |run| {
        if edges.is_none() && run.events.len() <= limits.events_max {
            return Next::All;
        }
        let edges = edges.get_or_insert_with(|| Edges::new(limits.edges_max));
        run.events.drain(..).for_each(|event| edges.take(&event));
        Next::WithoutData
    })?;
    let Some(mut edges) = edges else {
        return Ok(evidence);
    };
    let run = &mut evidence.runs[0];
    run.events.drain(..).for_each(|event| edges.take(&event));
    run.events_seen += edges.events;
    run.events.clone_from(&edges.forks);
    if edges.left_out > 0 {
        evidence.limits.push(format!(
            "{label}: {} requests made pairs of locks beyond the limit of {}, which were left out",
            edges.left_out, limits.edges_max
        ));
    }
    let suspects = edges.suspects(run);
    let is_plain = edges.is_plain;
    drop(edges);
    evidence.limits.push(format!(
        "{label}: too long to be kept whole: waits for other things than locks, and misuse, were not \
         looked for"
    ));
    if suspects.iter().all(|suspect| !suspect) {
        return Ok(evidence);
    }
    let mut second = Second::new(suspects, limits);
    let read = again(&mut |run| {
        if run.events.len() >= CHUNK {
            run.events.drain(..).for_each(|event| second.take(event));
        }
        Next::All
    });
    let Some(read) = read else {
        evidence.limits.push(format!(
            "{label}: it can be read only once, so its lock-order cycles were not judged: give the \
             trace as a file"
        ));
        return Ok(evidence);
    };
    // The second reading has met threads and sites that have to do with data alone.
    let mut reread = read?;
    let run = &mut reread.runs[0];
    run.events.drain(..).for_each(|event| second.take(event));
    run.events_seen = evidence.runs[0].events_seen;
    reread.limits = evidence.limits;
    second.finish(label, is_plain, &mut reread);
    Ok(reread)
}

/// Events that a reader may pile up.
const CHUNK: usize = 65_536;

/// What a thread holds: lock, and the node that ends with it if it is known.
#[derive(Debug, Default, Clone)]
struct Holds {
    held: Vec<Held>,
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
struct Threads(Vec<Holds>);

impl Threads {
    fn of(&mut self, thread: ThreadId) -> &mut Holds {
        if self.0.len() <= thread.at() {
            self.0.resize_with(thread.at() + 1, Holds::default);
        }
        &mut self.0[thread.at()]
    }

    /// Follows an event.
    fn follow(&mut self, event: &Event) {
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
struct Second<'l> {
    limits: &'l Limits,
    /// Per lock, whether it lies on a cycle.
    suspects: Vec<bool>,
    threads: Threads,
    nodes: Vec<HeldNode>,
    node_of: std::collections::HashMap<(Option<HeldId>, LockId, u8), HeldId>,
    chains: Vec<Chain>,
    /// Forks and joins, in order.
    forks: Vec<Event>,
    known: std::collections::HashSet<(ThreadId, u32, HeldId, LockId, u8)>,
    left_out: u64,
    window: Window,
}

impl<'l> Second<'l> {
    fn new(suspects: Vec<bool>, limits: &'l Limits) -> Self {
        Second {
            limits,
            suspects,
            threads: Threads::default(),
            nodes: Vec::new(),
            node_of: std::collections::HashMap::new(),
            chains: Vec::new(),
            forks: Vec::new(),
            known: std::collections::HashSet::new(),
            left_out: 0,
            window: Window::new(limits.window, limits.excerpts_max),
        }
    }

    fn is_suspect(&self, lock: LockId) -> bool {
        self.suspects.get(lock.at()).copied().unwrap_or(false)
    }

    fn take(&mut self, event: Event) {
        let thread = event.thread;
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
                if ask == crate::trace::Ask::Wait {
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
    fn chain(&mut self, thread: ThreadId, want: Held, ask: crate::trace::Ask) {
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

    fn finish(self, label: &str, is_plain: bool, evidence: &mut Evidence) {
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

#[cfg(test)]
mod tests;
