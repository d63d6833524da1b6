//! What was seen: the runs of a program, each a list of events or of chains, and the names they use.
//!
//! An [`Evidence`] is what every input becomes, whatever its format, and what every later stage
//! reads. It holds one [`Run`] per process (or per text trace). Classes and sites are interned by
//! content and shared by all runs, because they mean the same in each of them; threads, locks and
//! resources belong to one run.
//!
//! A run recorded at level `trace` has [`Run::events`]: every operation, in an order that the
//! program could have shown. A run recorded at level `order` has [`Run::chains`]: one entry per
//! thread stretch and distinct (locks held, lock wanted). Text traces have events.

mod reported;
mod slip;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::Hash;
use std::path::PathBuf;

use lockwise::watch::{Kind, Mode};

pub use self::reported::{Asked, Part, Reported};
pub use self::slip::{Slip, SlipKind};

/// Defines a dense index type: position in the vector that holds the things it names.
macro_rules! index {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The position as a `usize`.
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            /// # Panics
            ///
            /// If there are more than `u32::MAX` of them: readers stop long before.
            fn from(at: usize) -> Self {
                $name(u32::try_from(at).expect("readers bound every table far below u32::MAX"))
            }
        }
    )*};
}

index! {
    /// A run, in [`Evidence::runs`].
    RunId;
    /// A thread of one run, in [`Run::threads`].
    ThreadId;
    /// A lock instance of one run, in [`Run::locks`]. A new life of a lock is a new instance.
    LockId;
    /// A thing other than a lock that threads wait for, in [`Run::resources`].
    ResourceId;
    /// A held lock on top of others, in [`Run::held`].
    HeldId;
    /// A variable of a text trace, or whether something is there that a recorded program waits for; it has no table,
    /// because nothing but its identity matters.
    VariableId;
    /// A lock class, in [`Evidence::classes`].
    ClassId;
    /// An acquisition site, in [`Evidence::sites`].
    SiteId;
}

/// Everything that is to be judged.
#[derive(Debug, Default, Clone)]
pub struct Evidence {
    /// The runs, in the order in which they were given.
    pub runs: Vec<Run>,
    /// All lock classes, each once.
    pub classes: Vec<Class>,
    /// All sites, each once.
    pub sites: Vec<Site>,
    /// What was skipped, capped or not understood; each a sentence without a full stop.
    pub limits: Vec<String>,
    /// Parts of runs that were too long to be kept: there is a proof in them or none, no more.
    pub excerpts: Vec<Run>,
}

impl Evidence {
    /// Takes over all that `other` has seen, as further runs.
    pub fn absorb(&mut self, other: Evidence) {
        let classes = merge(&mut self.classes, other.classes, ClassId::from);
        let sites = merge(&mut self.sites, other.sites, SiteId::from);
        self.limits.extend(other.limits);
        let runs = other.runs.into_iter().map(|run| (run, false));
        let excerpts = other.excerpts.into_iter().map(|run| (run, true));
        for (mut run, is_excerpt) in runs.chain(excerpts) {
            for lock in &mut run.locks {
                lock.class = classes[lock.class.at()];
            }
            for event in &mut run.events {
                event.site = sites[event.site.at()];
            }
            for node in &mut run.held {
                node.held.site = sites[node.held.site.at()];
            }
            for chain in &mut run.chains {
                chain.want.site = sites[chain.want.site.at()];
            }
            for slip in &mut run.slips {
                slip.site = sites[slip.site.at()];
            }
            for reported in &mut run.reported {
                for part in &mut reported.sides {
                    part.relocate(|site| sites[site.at()]);
                }
            }
            for stack in &mut run.stacks {
                stack.wants.relocate(|site| sites[site.at()]);
            }
            if is_excerpt {
                self.excerpts.push(run);
            } else {
                self.runs.push(run);
            }
        }
    }

    /// Puts the one run of `other` in the place of a run, and takes over the rest of it.
    ///
    /// # Panics
    ///
    /// If `other` has no run, or there is no run of this number.
    pub fn replace(&mut self, run: RunId, other: Evidence) {
        let before = self.runs.len();
        self.absorb(other);
        self.runs[run.at()] = self.runs.remove(before);
    }
}

/// Appends what is new in `from` to `into` and returns the new index of each.
fn merge<T: Clone + Eq + Hash, I: Copy>(
    into: &mut Vec<T>,
    from: Vec<T>,
    index: impl Fn(usize) -> I,
) -> Vec<I> {
    let mut known: HashMap<T, I> = into.iter().cloned().zip((0..).map(&index)).collect();
    from.into_iter()
        .map(|item| {
            if let Some(&at) = known.get(&item) {
                return at;
            }
            let at = index(into.len());
            into.push(item.clone());
            known.insert(item, at);
            at
        })
        .collect()
}

/// One process, or one text trace.
#[derive(Debug, Default, Clone)]
pub struct Run {
    /// What to call this run in a report: the program's name and process number, or the file name.
    pub label: String,
    /// The process that made its log, if a process did.
    pub process: Option<Process>,
    /// The threads.
    pub threads: Vec<Thread>,
    /// The lock instances.
    pub locks: Vec<Lock>,
    /// Condition variables, barriers and semaphores.
    pub resources: Vec<Resource>,
    /// All operations, in an order that the program could have shown. Empty at level `order`.
    pub events: Vec<Event>,
    /// Distinct acquisitions in their context. Empty at level `trace` and for text traces.
    pub chains: Vec<Chain>,
    /// What was held in the chains, as trees.
    pub held: Vec<HeldNode>,
    /// Wrong uses of locks in events that are not kept.
    pub slips: Vec<Slip>,
    /// Which of the events are waits under locks or last requests, and what was held, where the acquisitions
    /// are not kept; in ascending order.
    pub held_waits: Vec<(u32, HeldId)>,
    /// What threads that are not through held at the end, where the acquisitions are not kept and some
    /// request was not answered.
    pub at_end: Vec<(ThreadId, HeldId)>,
    /// Rank, ascending-rule and other violations that the runtime itself reported into the log.
    pub reported: Vec<Reported>,
    /// Where threads were when they asked for locks, for some of what the runtime reported.
    pub stacks: Vec<Stack>,
    /// Whether the events are all that decides what the threads do. A text trace is taken at its
    /// word. In a recorded program the data behind a condition is not seen: there a wait never
    /// moves behind the wake-up that ended it.
    pub complete: bool,
    /// Threads that came back from parking although nobody was seen to unpark them, each time with the
    /// number of events before: what they did then is ordered by something that nobody watches.
    pub woken_unseen: Vec<(ThreadId, usize)>,
    /// How many events there were, where they are not kept but for forks, joins, waits under locks and what
    /// ends these; 0 where they are.
    pub events_seen: u64,
    /// Of an excerpt: which of its events are made up, to lead to its start; in ascending order.
    pub made_up: Vec<u32>,
    /// Of an excerpt: how many events of the whole run come before it.
    pub begins_after: u64,
    /// What its threads do behind its end.
    pub behind: Behind,
    /// How many places of the input are not understood, of which each may have been an event that matters.
    pub holes: u64,
    /// Of these, threads whose events are left out from somewhere on, with how many events of the whole run
    /// come before the first of them. What they still do stands in the excerpt.
    pub stops: Vec<(ThreadId, u64)>,
}

/// What the threads of a run do behind its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Behind {
    /// Nothing: what has not happened by then does not happen.
    #[default]
    Nothing,
    /// Anything: the input ends too early, or what follows was left out.
    Anything,
    /// It is an excerpt: they may end waits for these, and release locks.
    Ends(BTreeSet<ResourceId>),
}

impl Run {
    /// Whether its threads may do more than they do in it.
    pub fn goes_on(&self) -> bool {
        self.behind != Behind::Nothing
    }

    /// Whether waits for this resource may be ended behind the end.
    pub fn may_end_later(&self, resource: ResourceId) -> bool {
        match &self.behind {
            Behind::Nothing => false,
            Behind::Anything => true,
            Behind::Ends(resources) => resources.contains(&resource),
        }
    }

    /// The locks held in a chain, youngest first.
    pub fn held_in(&self, chain: &Chain) -> impl Iterator<Item = Held> + '_ {
        self.held_at(chain.held)
    }

    /// Whether nothing unseen orders its threads: it is known when each started, and none was woken by what
    /// nobody watches.
    pub fn are_starts_seen(&self) -> bool {
        self.woken_unseen.is_empty() && self.threads.iter().all(|thread| thread.start_seen)
    }

    /// Gives locks that a thread was seen to enter again their kind, and the mode of that to how they are
    /// asked for.
    pub(crate) fn reenter(&mut self, reentered: &HashSet<LockId>) {
        if reentered.is_empty() {
            return;
        }
        for event in &mut self.events {
            if let Op::Acquire { lock, mode, .. } | Op::Request { lock, mode } = &mut event.op
                && *mode == Mode::Exclusive
                && reentered.contains(lock)
            {
                *mode = Mode::Reentrant;
            }
        }
        for lock in reentered {
            self.locks[lock.at()].kind = Kind::ReentrantMutex;
        }
    }

    /// The locks held at a node, youngest first.
    pub fn held_at(&self, node: Option<HeldId>) -> impl Iterator<Item = Held> + '_ {
        let mut next = node;
        std::iter::from_fn(move || {
            let node = &self.held[next?.at()];
            next = node.below;
            Some(node.held)
        })
    }
}

/// Which process made a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The folder of the log.
    pub folder: PathBuf,
    /// The process number, which may be given again once the process has ended.
    pub number: u32,
    /// The program's file name.
    pub program: String,
    /// What tells apart the logs of one number, also those of copies of the runtime in one process.
    pub nonce: u64,
    /// Where its threads spent their time without running.
    pub blocked: Blocked,
}

/// Where the threads of a process spent their time without running, in nanoseconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    /// Outside of anything watched, at least.
    pub elsewhere_ns: u64,
    /// In watched waits.
    pub watched_ns: u64,
    /// How many threads that was counted of: none where the process was killed or the system does not say.
    pub threads: u64,
}

/// A thread.
#[derive(Debug, Default, Clone)]
pub struct Thread {
    /// Its short label in reports, `T0`, `T1`, … or, in text traces, the name used there.
    pub label: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Of one without a name: the nearest named thread among those that it descends from, unless that
    /// is the first of its process. In a test harness, the test.
    pub started_in: Option<String>,
    /// Whether it is known when it started: it is the first thread of its process, or its fork was
    /// seen, or it comes from a text trace.
    pub start_seen: bool,
    /// Whether it was seen to end.
    pub end_seen: bool,
}

/// A lock instance.
#[derive(Debug, Clone)]
pub struct Lock {
    /// The name shown for this very lock: the user's name, the name in a text trace, or the class
    /// and an instance number.
    pub label: String,
    /// Its class.
    pub class: ClassId,
    /// What kind of lock it is.
    pub kind: Kind,
    /// The rank that the program declared.
    pub rank: Option<u32>,
    /// Whether its guards may be sent to other threads.
    pub sendable: bool,
    /// The life of the same object before this one, where the input shows that.
    pub former: Option<LockId>,
}

/// A condition variable, barrier or semaphore.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name, or its class and instance number.
    pub label: String,
    /// What it is.
    pub kind: Kind,
    /// The units that a semaphore starts with.
    pub units: u32,
    /// Whether its units tell that no message will come any more: who learns that might have got a message.
    pub tells_end: bool,
}

/// A lock class: instances that share one ordering rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Class {
    /// What stands for the class in reports and fingerprints: the given name, or the creation site
    /// as `path:line:col`, or the class in a text trace. If the site is unknown, the kind of lock
    /// and what it protects.
    pub label: String,
    /// The protected type, where known.
    pub type_name: Option<String>,
    /// Whether instances of this class are known to be the same kind of lock. False for creation
    /// sites that lie (all fields of one derived `Default` share one): those are judged by instance.
    pub trusted: bool,
}

impl Class {
    /// The label of a class whose definition is lost.
    pub const LOST: &'static str = "?";
}

/// A place in the source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Site {
    /// The file as the compiler named it, or the whole location of a text trace.
    pub file: String,
    /// The line, from 1; 0 where the input has none.
    pub line: u32,
    /// The column in characters, from 1; 0 where the input has none.
    pub column: u32,
    /// What the source says there, as `acquire!` recorded it: module and lock expression.
    pub note: Option<String>,
}

/// As reports name it: verbatim from text traces, else `file:line:column`.
impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// One operation of one thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who.
    pub thread: ThreadId,
    /// What.
    pub op: Op,
    /// Where.
    pub site: SiteId,
}

/// How an acquisition asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Waits as long as it takes.
    Wait,
    /// Does not wait for ever: a try that succeeded, or a timed wait that did. It can hold up
    /// others, never be held up for good.
    Try,
}

/// What a thread did.
#[expect(
    missing_docs,
    reason = "the line on a variant says what its fields are"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Asked for a lock that was not free; an acquisition of the same lock follows if it got it.
    Request { lock: LockId, mode: Mode },
    /// Got a lock. In the last event of a thread in a text trace it may be an acquisition that
    /// could not have been granted: then the thread is stuck there.
    Acquire {
        lock: LockId,
        mode: Mode,
        ask: Ask,
        class: AcquireClass,
    },
    /// Gave a lock back, or tried to.
    Release { lock: LockId, side: Side },
    /// Turned an upgradable hold into an exclusive one (waits for the readers to leave).
    Upgrade { lock: LockId },
    /// Turned its hold into a weaker mode without letting go.
    Downgrade { lock: LockId, mode: Mode },
    /// Started a thread.
    Fork { child: ThreadId },
    /// Waited for a thread to end, and it had.
    Join { child: ThreadId },
    /// Gave `lock` back and began to wait for `condvar`. `timed`: the wait ends by itself.
    WaitBegin {
        condvar: ResourceId,
        lock: LockId,
        timed: bool,
    },
    /// Woke up and took `lock` again.
    WaitEnd { condvar: ResourceId, lock: LockId },
    /// Woke one waiter, or nobody.
    Notify { condvar: ResourceId },
    /// Woke all waiters.
    NotifyAll { condvar: ResourceId },
    /// Arrived at a barrier and left it, once `parties` threads had arrived.
    Barrier { barrier: ResourceId, parties: u32 },
    /// Put one unit into a semaphore.
    Post { semaphore: ResourceId },
    /// Took one unit from a semaphore; waits while there is none, unless `ask` says otherwise.
    Pend { semaphore: ResourceId, ask: Ask },
    /// Had to wait for a unit, until a deadline, with locks held. If it got one, an [`Op::Pend`] that tries follows.
    PendTimed { semaphore: ResourceId },
    /// The lock began a life: instances are split at lives already, so this is for misuse only.
    Init { lock: LockId },
    /// The lock's life ended.
    Destroy { lock: LockId },
    /// Read data. In any other order of the events it must see the same write.
    Read { variable: VariableId },
    /// Wrote data.
    Write { variable: VariableId },
    /// The thread ended.
    End,
}

impl Op {
    /// What it waits at or wakes, where that is no lock.
    pub(crate) fn resource(&self) -> Option<ResourceId> {
        match *self {
            Op::WaitBegin { condvar, .. }
            | Op::WaitEnd { condvar, .. }
            | Op::Notify { condvar }
            | Op::NotifyAll { condvar } => Some(condvar),
            Op::Barrier { barrier, .. } => Some(barrier),
            Op::Post { semaphore } | Op::Pend { semaphore, .. } | Op::PendTimed { semaphore } => {
                Some(semaphore)
            }
            _ => None,
        }
    }

    /// Of what it may end another thread's wait.
    pub(crate) fn ends_waits_at(&self) -> Option<ResourceId> {
        match *self {
            Op::WaitBegin { .. } | Op::WaitEnd { .. } | Op::Pend { .. } | Op::PendTimed { .. } => {
                None
            }
            _ => self.resource(),
        }
    }
}

/// Which class an acquisition counts for, beyond the class of its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct AcquireClass {
    /// `class/sub`: this acquisition belongs to a class of its own (a parent before its children).
    pub sub: Option<u32>,
    /// A lock that orders all acquisitions of this class while it is held.
    pub nest: Option<LockId>,
}

/// Which side of a lock a release names. Text traces may name the wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// `rel`: exclusive or re-entrant.
    Exclusive,
    /// `rrel`: any shared mode.
    Shared,
    /// Whatever mode is held (our own logs: the runtime knows).
    Held,
}

/// A lock in a chain: held, in this mode, since this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Held {
    /// Which lock.
    pub lock: LockId,
    /// In which mode.
    pub mode: Mode,
    /// Acquired where.
    pub site: SiteId,
}

impl Held {
    /// The acquisition of this by a thread that waited for it.
    pub(crate) fn waited_for_by(self, thread: ThreadId) -> Event {
        let Held { lock, mode, site } = self;
        let op = Op::Acquire {
            lock,
            mode,
            ask: Ask::Wait,
            class: AcquireClass::default(),
        };
        Event { thread, op, site }
    }
}

/// One distinct (locks held, lock wanted) of one thread between two fork or join events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Who.
    pub thread: ThreadId,
    /// How many fork and join events of this thread came before.
    pub stretch: u32,
    /// What was held: the youngest, in [`Run::held`]; none if nothing was.
    pub held: Option<HeldId>,
    /// What was asked for.
    pub want: Held,
    /// How it asked.
    pub ask: Ask,
}

/// A held lock on top of others: chains share what they have in common, so that ten thousand locks
/// held at once are ten thousand of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeldNode {
    /// What was held before; it stands before this node in [`Run::held`].
    pub below: Option<HeldId>,
    /// What was held on top of that.
    pub held: Held,
}

/// Where a thread was when it asked for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Who.
    pub thread: ThreadId,
    /// While it held what.
    pub held: Option<LockId>,
    /// For what, and where.
    pub wants: Asked,
    /// The addresses of the function there and of those that called it, by the files in which they lie: see record 27
    /// of [`lockwise::watch::log`].
    pub by_files: String,
}
