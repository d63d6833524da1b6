//! How an excerpt begins: made-up events that lead to the state in which the long trace is there.
//!
//! These are the forks so far, the last writes, what is held, who sleeps on which condition, and who
//! stands at a barrier; units of semaphores are told apart from the events. No thread may leave it half
//! done, or what others did before the excerpt would not stand: so each thread with a part in it then
//! writes a variable of its own, one thread (the *hub*) reads them all and writes another, and that is the
//! first thing that each thread reads.
//!
//! A thread that sleeps can write no more. It writes under the lock that its wait gives back, and the hub
//! takes that lock once, which shows that the wait has begun; what the thread does after it has come back
//! begins with the read that others begin with. Those that were woken already go to sleep first, and the
//! hub wakes them.
//!
//! No made-up event is ever a side of a deadlock that is told ([`Run::made_up`]).

use std::collections::{BTreeMap, HashSet};

use lockwise::watch::Mode;
use rustc_hash::FxHashMap;

use crate::holders::{Hold, Holders};
use crate::trace::{Event, Held, LockId, Op, ResourceId, Run, Side, SiteId, ThreadId, VariableId};

/// A thread that sleeps on a condition.
#[derive(Debug, Clone)]
struct Sleeper {
    begin: Event,
    /// Which event of the trace that was.
    since: u64,
    /// Which one was the wake-up, if there was one.
    woken: Option<u64>,
}

/// The state of a long trace after so many of its events.
#[derive(Debug, Default, Clone)]
pub(super) struct Start {
    holders: Holders,
    forks: Vec<Event>,
    /// Per variable, its last write.
    written: FxHashMap<VariableId, Event>,
    sleepers: BTreeMap<ThreadId, Sleeper>,
    /// Per barrier, the arrivals that do not make a group yet, each with how many events come before.
    arrived: BTreeMap<ResourceId, Vec<(u64, Event)>>,
    /// Per semaphore, the units posted less those taken.
    units: BTreeMap<ResourceId, i64>,
    /// How many events.
    events: u64,
}

impl Start {
    /// How many events lead here.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Goes on to behind `event`.
    pub(super) fn follow(&mut self, event: Event) {
        self.events += 1;
        // What is wrong with it is told elsewhere.
        self.holders.follow(&event, &[], false);
        self.holders.slips.clear();
        let units = |start: &mut Self, semaphore, by| {
            *start.units.entry(semaphore).or_default() += by;
        };
        match event.op {
            Op::Fork { .. } => self.forks.push(event),
            Op::Write { variable } => {
                self.written.insert(variable, event);
            }
            Op::WaitBegin { .. } => {
                let sleeper = Sleeper {
                    since: self.events,
                    woken: None,
                    begin: event,
                };
                self.sleepers.insert(sleeper.begin.thread, sleeper);
            }
            Op::WaitEnd { condvar, .. } => self.wakes_up(event.thread, condvar),
            Op::Notify { condvar } => self.notify(condvar, 1),
            Op::NotifyAll { condvar } => self.notify(condvar, usize::MAX),
            Op::Barrier { barrier, parties } => {
                let arrived = self.arrived.entry(barrier).or_default();
                arrived.push((self.events - 1, event));
                if arrived.len() >= parties as usize {
                    self.arrived.remove(&barrier);
                }
            }
            Op::Post { semaphore } => units(self, semaphore, 1),
            Op::Pend { semaphore, .. } => units(self, semaphore, -1),
            _ => {}
        }
    }

    /// The sleepers of a condition that no wake-up has reached, the first to sleep first.
    fn asleep(&mut self, on: ResourceId) -> Vec<&mut Sleeper> {
        let mut asleep: Vec<&mut Sleeper> = self
            .sleepers
            .values_mut()
            .filter(|sleeper| sleeper.is_on(on) && sleeper.woken.is_none())
            .collect();
        asleep.sort_by_key(|sleeper| sleeper.since);
        asleep
    }

    fn notify(&mut self, condvar: ResourceId, most: usize) {
        let now = self.events;
        for sleeper in self.asleep(condvar).into_iter().take(most) {
            sleeper.woken = Some(now);
        }
    }

    /// A wait ended. Which of several sleepers a wake-up chose is not recorded: this one had one.
    fn wakes_up(&mut self, thread: ThreadId, condvar: ResourceId) {
        let Some(sleeper) = self.sleepers.remove(&thread) else {
            return;
        };
        if sleeper.woken.is_none() {
            let others = self.sleepers.values_mut().filter(|other| {
                other.is_on(condvar) && other.woken.is_some_and(|woken| woken > sleeper.since)
            });
            if let Some(other) = others.min_by_key(|other| other.woken) {
                other.woken = None;
            }
        }
    }
}

impl Sleeper {
    fn is_on(&self, condition: ResourceId) -> bool {
        matches!(self.begin.op, Op::WaitBegin { condvar, .. } if condvar == condition)
    }
}

/// A run that begins in the middle, and the units that its semaphores have then: more or less than at the
/// start of the trace, and as many as it can take.
#[derive(Debug)]
pub(super) struct Excerpt {
    pub(super) run: Run,
    pub(super) units: BTreeMap<ResourceId, (i64, u32)>,
}

/// The excerpt of these events, behind `start`; `None` if the threads that act in it all sleep, or one
/// sleeps that held no lock.
pub(super) fn excerpt(start: &Start, events: Vec<Event>) -> Option<Excerpt> {
    let acts = Acts::of(&events);
    // Who does not wake up here might as well not be there.
    let sleepers: BTreeMap<ThreadId, &Sleeper> = start
        .sleepers
        .iter()
        .filter(|(thread, _)| acts.wakes_up.contains(thread))
        .map(|(&thread, sleeper)| (thread, sleeper))
        .collect();
    let held_none = |thread: &ThreadId| start.holders.waited(*thread).is_none();
    if sleepers.keys().any(held_none) {
        return None;
    }
    let arrived: Vec<&(u64, Event)> = start.arrived.values().flatten().collect();
    let mut written: Vec<&Event> = start.written.values().collect();
    written
        .retain(|event| variable_of(event).is_some_and(|variable| acts.reads.contains(&variable)));
    written.sort_by_key(|event| (event.thread, variable_of(event)));
    let held: Vec<(ThreadId, &[Hold])> =
        start.holders.all().filter(|(_, h)| !h.is_empty()).collect();

    let mut busy: Vec<ThreadId> = Vec::new();
    busy.extend(start.forks.iter().map(|event| event.thread));
    busy.extend(written.iter().map(|event| event.thread));
    busy.extend(held.iter().map(|(thread, _)| *thread));
    busy.extend(arrived.iter().map(|(_, event)| event.thread));
    busy.sort_unstable();
    busy.dedup();
    busy.retain(|thread| !sleepers.contains_key(thread));
    let old = |thread: &&ThreadId| !acts.forked.contains(thread) && !sleepers.contains_key(thread);
    let hub = busy.first().or_else(|| acts.threads.iter().find(old));

    let site = events.first().map_or(SiteId(0), |event| event.site);
    let mut prologue = Prologue {
        events: Vec::new(),
        fresh: acts.variables,
        site,
    };
    for event in start.forks.iter().chain(written) {
        prologue.events.push(event.clone());
    }
    let Some(&hub) = hub else {
        // Nothing has happened that the excerpt needs.
        let is_bare = sleepers.is_empty() && prologue.events.is_empty();
        return is_bare.then(|| finish(start, prologue, events, &BTreeMap::new(), None, &[]));
    };
    let woken = sleepers.iter().filter(|(_, s)| s.woken.is_some());
    let told = prologue.put_to_sleep(woken, start, hub, None);
    if let Some(told) = told {
        let conditions: HashSet<ResourceId> = sleepers
            .values()
            .filter(|sleeper| sleeper.woken.is_some())
            .filter_map(|sleeper| match sleeper.begin.op {
                Op::WaitBegin { condvar, .. } => Some(condvar),
                _ => None,
            })
            .collect();
        let mut conditions: Vec<ResourceId> = conditions.into_iter().collect();
        conditions.sort_unstable();
        for condvar in conditions {
            prologue.add(hub, Op::NotifyAll { condvar });
        }
        prologue.add(hub, Op::Write { variable: told });
    }
    let asleep = sleepers.iter().filter(|(_, s)| s.woken.is_none());
    let slept = prologue.put_to_sleep(asleep, start, hub, told);
    if let Some(slept) = slept {
        prologue.add(hub, Op::Write { variable: slept });
    }
    for (thread, holds) in held {
        if sleepers.contains_key(&thread) {
            continue;
        }
        for variable in [told, slept].into_iter().flatten() {
            prologue.add(thread, Op::Read { variable });
        }
        for hold in holds {
            prologue.hold(thread, hold);
        }
    }
    let done: Vec<(ThreadId, VariableId)> = busy
        .iter()
        .map(|&thread| (thread, prologue.variable()))
        .collect();
    for &(thread, variable) in &done {
        prologue.add(thread, Op::Write { variable });
    }
    for (_, variable) in done {
        prologue.add(hub, Op::Read { variable });
    }
    let begun = prologue.variable();
    prologue.add(hub, Op::Write { variable: begun });
    let mut begins: Vec<ThreadId> = acts.threads;
    begins.extend(arrived.iter().map(|(_, event)| event.thread));
    begins.retain(|thread| !sleepers.contains_key(thread));
    let mut met = HashSet::new();
    begins.retain(|&thread| met.insert(thread));
    for thread in begins {
        prologue.add(thread, Op::Read { variable: begun });
    }
    let begun = Some(begun);
    Some(finish(start, prologue, events, &sleepers, begun, &arrived))
}

/// What is done in an excerpt, and by whom.
struct Acts {
    /// In the order in which they first act.
    threads: Vec<ThreadId>,
    /// Those whose first event is the end of a wait.
    wakes_up: HashSet<ThreadId>,
    /// Those that begin in it.
    forked: HashSet<ThreadId>,
    reads: HashSet<VariableId>,
    /// All variables have smaller numbers.
    variables: u32,
}

impl Acts {
    fn of(events: &[Event]) -> Acts {
        let mut acts = Acts {
            threads: Vec::new(),
            wakes_up: HashSet::new(),
            forked: HashSet::new(),
            reads: HashSet::new(),
            variables: 0,
        };
        let mut met = HashSet::new();
        for event in events {
            let is_first = met.insert(event.thread);
            if is_first {
                acts.threads.push(event.thread);
            }
            match event.op {
                Op::Read { variable } => {
                    acts.reads.insert(variable);
                    acts.variables = acts.variables.max(variable.0 + 1);
                }
                Op::Write { variable } => acts.variables = acts.variables.max(variable.0 + 1),
                Op::Fork { child } => {
                    acts.forked.insert(child);
                }
                Op::WaitEnd { .. } if is_first => {
                    acts.wakes_up.insert(event.thread);
                }
                _ => {}
            }
        }
        acts
    }
}

/// Made-up events.
struct Prologue {
    events: Vec<Event>,
    /// The next variable that nobody uses.
    fresh: u32,
    site: SiteId,
}

impl Prologue {
    fn add(&mut self, thread: ThreadId, op: Op) {
        let site = self.site;
        self.events.push(Event { thread, op, site });
    }

    fn variable(&mut self) -> VariableId {
        self.fresh += 1;
        VariableId(self.fresh - 1)
    }

    fn hold(&mut self, thread: ThreadId, hold: &Hold) {
        self.events.push(hold.held.waited_for_by(thread));
    }

    /// Has threads go to sleep, after they have read `after`, and the hub see that they do. Returns a
    /// variable that the hub has yet to write, if there was anybody.
    fn put_to_sleep<'a>(
        &mut self,
        sleepers: impl Iterator<Item = (&'a ThreadId, &'a &'a Sleeper)>,
        start: &Start,
        hub: ThreadId,
        after: Option<VariableId>,
    ) -> Option<VariableId> {
        let mut signs: Vec<(VariableId, LockId)> = Vec::new();
        for (&thread, sleeper) in sleepers {
            let Some(given_back) = start.holders.waited(thread) else {
                continue;
            };
            if let Some(variable) = after {
                self.add(thread, Op::Read { variable });
            }
            for hold in start.holders.of(thread) {
                self.hold(thread, hold);
            }
            self.hold(thread, &given_back);
            let variable = self.variable();
            self.add(thread, Op::Write { variable });
            self.events.push(sleeper.begin.clone());
            signs.push((variable, given_back.held.lock));
        }
        if signs.is_empty() {
            return None;
        }
        for (variable, lock) in signs {
            self.add(hub, Op::Read { variable });
            let held = Held {
                lock,
                mode: Mode::Exclusive,
                site: self.site,
            };
            self.hold(hub, &Hold { held, sub: None });
            let release = Op::Release {
                lock,
                side: Side::Held,
            };
            self.add(hub, release);
        }
        Some(self.variable())
    }
}

/// Puts the parts of an excerpt together. `begun` is what sleepers read when they have come back; who has
/// `arrived` at a barrier stands there.
fn finish(
    start: &Start,
    prologue: Prologue,
    events: Vec<Event>,
    sleepers: &BTreeMap<ThreadId, &Sleeper>,
    begun: Option<VariableId>,
    arrived: &[&(u64, Event)],
) -> Excerpt {
    let mut run = Run {
        begins_after: start.events,
        made_up: (0..prologue.events.len()).map(number).collect(),
        events: prologue.events,
        ..Run::default()
    };
    run.events
        .extend(arrived.iter().map(|(_, event)| event.clone()));
    let mut pends: BTreeMap<ResourceId, u32> = BTreeMap::new();
    let mut back = HashSet::new();
    for event in events {
        let thread = event.thread;
        let site = event.site;
        if let Op::Pend { semaphore, .. } = event.op {
            *pends.entry(semaphore).or_default() += 1;
        }
        let comes_back = matches!(event.op, Op::WaitEnd { .. })
            && sleepers.contains_key(&thread)
            && back.insert(thread);
        run.events.push(event);
        if let Some(variable) = begun.filter(|_| comes_back) {
            run.made_up.push(number(run.events.len()));
            let op = Op::Read { variable };
            run.events.push(Event { thread, op, site });
        }
    }
    let units = pends.into_iter().map(|(semaphore, pends)| {
        let more = start.units.get(&semaphore).copied().unwrap_or(0);
        (semaphore, (more, pends))
    });
    Excerpt {
        units: units.collect(),
        run,
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at).expect("an excerpt is no longer than a trace that is kept")
}

fn variable_of(event: &Event) -> Option<VariableId> {
    match event.op {
        Op::Write { variable } => Some(variable),
        _ => None,
    }
}
