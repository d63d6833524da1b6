//! The run that the lines of a text trace add up to.

use std::collections::HashSet;

use lockwise::watch::{Kind, Mode};
use rustc_hash::FxHashMap;

use super::Malformed;
use super::fast::Known;
use super::line::Line;
use crate::input::bulk::{Consumer, Survey};
use crate::trace::{
    AcquireClass, Ask, Class, ClassId, Event, Evidence, Lock, LockId, Op, Resource, ResourceId,
    Run, Side, Site, SiteId, Thread, ThreadId, VariableId,
};

/// A lock name and the life it is in.
#[derive(Debug, Default, Clone, Copy)]
struct Life {
    /// The instance that stands for this life, once there is a use of it.
    lock: Option<LockId>,
    /// The instance of the life before.
    former: Option<LockId>,
    /// Whether it was destroyed and not made anew.
    dead: bool,
    /// Whether anything but `init` was ever done to this name.
    used: bool,
}

/// A wait on a Java monitor, `rel(L) wait(L) acq(L)`, that is being put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Monitor {
    /// The thread's last event, at this position, released the lock; it may have been taken out.
    Released(LockId, Option<usize>),
    /// The thread waits; its next acquisition of the lock ends the wait.
    Waiting(LockId, ResourceId),
}

/// What a line says.
enum Said {
    /// Nothing about locks: `begin`, `end`.
    Nothing,
    /// One operation.
    Op(Op),
    /// A whole wait on a condition.
    Wait { condvar: ResourceId, lock: LockId },
}

/// The run so far.
#[derive(Debug, Default)]
pub(super) struct Builder {
    run: Run,
    /// Lines understood, also those that make no event.
    lines: u64,
    sites: Vec<Site>,
    site_of: FxHashMap<String, SiteId>,
    thread_of: FxHashMap<String, ThreadId>,
    life_of: FxHashMap<String, Life>,
    resource_of: FxHashMap<(Kind, String), ResourceId>,
    variable_of: FxHashMap<String, VariableId>,
    /// `# class:` headers, from lock name to class name.
    class_of: FxHashMap<String, String>,
    /// Per thread, what may become a wait on a monitor.
    monitors: FxHashMap<ThreadId, Monitor>,
    /// Per thread and lock, how often it is held: this tells the two spellings of a wait apart.
    held: FxHashMap<(ThreadId, LockId), u32>,
    /// Per thread, the lock that its last event asked for.
    asked: FxHashMap<ThreadId, LockId>,
    /// Locks that a thread asked for and got while it held them: they are re-entrant.
    reentered: HashSet<LockId>,
    /// How many bytes all names have.
    name_bytes: u64,
    /// What unknown operations were on, each once.
    unknown: FxHashMap<String, u64>,
}

/// How many different arguments of unknown operations are kept.
const UNKNOWN_MAX: usize = 1_000;

impl Builder {
    /// Lines understood so far.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// How many bytes all names and places have so far.
    pub(super) fn name_bytes(&self) -> u64 {
        self.name_bytes
    }

    /// Notes a line with an operation that is not known: it matters if it was on something that others are
    /// on too.
    pub(super) fn unknown(&mut self, text: &str) {
        let Ok(line) = Line::parse(text) else { return };
        for argument in line.arguments() {
            let known = self.unknown.len() >= UNKNOWN_MAX;
            match self.unknown.get_mut(argument) {
                Some(times) => *times += 1,
                None if known => self.run.holes += 1,
                None => {
                    self.unknown.insert(argument.to_owned(), 1);
                }
            }
        }
    }

    /// How often unknown operations were on what others are on too.
    fn unknown_that_matter(&self) -> u64 {
        let is_on = |name: &str| {
            self.life_of.contains_key(name)
                || self.thread_of.contains_key(name)
                || self.thread_of.contains_key(&format!("T{name}"))
                || self.resource_of.keys().any(|(_, of)| of == name)
        };
        let unknown = self.unknown.iter();
        unknown
            .filter(|(name, _)| is_on(name))
            .map(|(_, times)| times)
            .sum()
    }

    /// Events so far.
    pub(super) fn events(&self) -> usize {
        self.run.events.len()
    }

    /// Lets events be taken out.
    pub(super) fn hand_over(&mut self, consumer: &mut dyn Consumer) {
        let before = self.run.events.len();
        consumer.take(&mut self.run);
        if self.run.events.len() < before {
            if consumer.survey().is_some() {
                // What a thread did last is not told here. Such a wait is misuse there, which is looked at
                // again.
                self.monitors.clear();
            }
            for monitor in self.monitors.values_mut() {
                if let Monitor::Released(_, at) = monitor {
                    *at = None;
                }
            }
        }
    }

    /// Counts lines that were taken in elsewhere.
    pub(super) fn count(&mut self, lines: u64) {
        self.lines += lines;
    }

    /// Makes the names of a line that was taken in known where lines are taken in faster.
    pub(super) fn teach(&self, text: &str, known: &mut Known, survey: &mut Survey) {
        let Ok(line) = Line::parse(text) else { return };
        if let Some(&thread) = self.thread_of.get(line.thread) {
            survey.meet_thread(thread);
            known.thread(line.thread.as_bytes(), thread);
        }
        match line.operation {
            "acq" | "rel" | "req" => {
                let name = line.whole_argument("a lock").unwrap_or_default();
                if let Some(&Life {
                    lock: Some(lock),
                    used: true,
                    ..
                }) = self.life_of.get(name)
                {
                    survey.meet_lock(lock);
                    known.lock(name.as_bytes(), lock);
                }
            }
            "init" | "destroy" => known.forget_locks(),
            _ => {}
        }
    }

    /// Takes in a comment, which may be a `class:` header.
    pub(super) fn comment(&mut self, comment: &str) {
        let Some(pairs) = comment.strip_prefix("class:") else {
            return;
        };
        for (lock, class) in pairs.split_whitespace().filter_map(|p| p.split_once('=')) {
            self.class_of.insert(lock.to_owned(), class.to_owned());
        }
    }

    /// Takes in an event, from line `number`. Where a survey follows who holds what, it is asked for
    /// that.
    pub(super) fn event(
        &mut self,
        text: &str,
        number: u64,
        survey: Option<&Survey>,
    ) -> Result<(), Malformed> {
        let line = Line::parse(text)?;
        // The thread gets its number before those that its line names.
        let threads = self.run.threads.len();
        let thread = self.thread(line.thread);
        let said = self.read(&line).inspect_err(|_| {
            if thread.at() == threads {
                self.thread_of.remove(line.thread);
                self.run.threads.truncate(threads);
            }
        });
        let said = said?;
        self.lines += 1;
        let site = match line.location {
            "" => self.site(&format!("line {number}")),
            location => self.site(location),
        };
        let monitor = self.monitors.remove(&thread);
        match said {
            Said::Nothing => {}
            Said::Wait { condvar, lock } => {
                let held = match survey {
                    Some(survey) => survey.holds(thread, lock),
                    None => self.held.get(&(thread, lock)).is_some_and(|&n| n > 0),
                };
                self.wait(thread, (condvar, lock, held), site, monitor);
            }
            Said::Op(op) => {
                let op = self.note(thread, op, monitor, survey.is_none());
                self.append(thread, op, site);
            }
        }
        Ok(())
    }

    /// The run as evidence, with the classes that the headers give.
    pub(super) fn finish(mut self, label: &str) -> Evidence {
        label.clone_into(&mut self.run.label);
        self.run.complete = true;
        self.run.holes += self.unknown_that_matter();
        self.run.reenter(&self.reentered);
        let mut classes: Vec<Class> = Vec::new();
        let mut known: FxHashMap<String, ClassId> = FxHashMap::default();
        for lock in &mut self.run.locks {
            let name = self.class_of.get(&lock.label).unwrap_or(&lock.label);
            lock.class = *known.entry(name.clone()).or_insert_with(|| {
                classes.push(Class {
                    label: name.clone(),
                    type_name: None,
                    trusted: true,
                });
                ClassId::from(classes.len() - 1)
            });
        }
        Evidence {
            runs: vec![self.run],
            classes,
            sites: self.sites,
            limits: Vec::new(),
            excerpts: Vec::new(),
        }
    }

    /// What a line says, with its names looked up.
    fn read(&mut self, line: &Line<'_>) -> Result<Said, Malformed> {
        let op = match line.operation {
            "begin" | "end" => return Ok(Said::Nothing),
            "wait" => {
                let name = line.first("a condition or a lock")?;
                let lock = self.lock(line.argument(1).unwrap_or(name), Mode::Exclusive);
                let condvar = self.resource(Kind::Condvar, name);
                return Ok(Said::Wait { condvar, lock });
            }
            "acq" => self.acquire(line, Mode::Exclusive, Ask::Wait)?,
            "racq" => self.acquire(line, Mode::Shared, Ask::Wait)?,
            "rracq" => self.acquire(line, Mode::RecursiveShared, Ask::Wait)?,
            "reacq" => self.acquire(line, Mode::Reentrant, Ask::Wait)?,
            "tryacq" => self.acquire(line, Mode::Exclusive, Ask::Try)?,
            "rtryacq" => self.acquire(line, Mode::Shared, Ask::Try)?,
            "req" => Op::Request {
                lock: self.lock(line.first("a lock")?, Mode::Exclusive),
                mode: Mode::Exclusive,
            },
            "rel" => Op::Release {
                lock: self.lock(line.first("a lock")?, Mode::Exclusive),
                side: Side::Exclusive,
            },
            "rrel" => Op::Release {
                lock: self.lock(line.first("a lock")?, Mode::Shared),
                side: Side::Shared,
            },
            "init" => self.init(line.first("a lock")?),
            "destroy" => self.destroy(line.first("a lock")?),
            "fork" => Op::Fork {
                child: self.child(line)?,
            },
            "join" => Op::Join {
                child: self.child(line)?,
            },
            "notify" | "signal" => Op::Notify {
                condvar: self.resource(Kind::Condvar, line.first("a condition")?),
            },
            "notifyall" | "notifyAll" | "broadcast" => Op::NotifyAll {
                condvar: self.resource(Kind::Condvar, line.first("a condition")?),
            },
            "barrier" => self.barrier(line)?,
            "post" => Op::Post {
                semaphore: self.resource(Kind::Semaphore, line.first("a semaphore")?),
            },
            "pend" => Op::Pend {
                semaphore: self.resource(Kind::Semaphore, line.first("a semaphore")?),
                ask: Ask::Wait,
            },
            "r" => Op::Read {
                variable: self.variable(line.whole_argument("a variable")?),
            },
            "w" => Op::Write {
                variable: self.variable(line.whole_argument("a variable")?),
            },
            other => return Err(Malformed::Operation(other.chars().take(40).collect())),
        };
        Ok(Said::Op(op))
    }

    fn acquire(&mut self, line: &Line<'_>, mode: Mode, ask: Ask) -> Result<Op, Malformed> {
        let name = line.first("a lock")?;
        let sub = match line.parameter("sub").map(str::parse) {
            None => None,
            Some(Ok(sub)) => Some(sub),
            Some(Err(_)) => return Err(line.lacks("a number after `sub=`")),
        };
        let nest = line.parameter("nest");
        Ok(Op::Acquire {
            lock: self.lock(name, mode),
            mode,
            ask,
            class: AcquireClass {
                sub,
                nest: nest.map(|gate| self.lock(gate, Mode::Exclusive)),
            },
        })
    }

    fn barrier(&mut self, line: &Line<'_>) -> Result<Op, Malformed> {
        let needs = "a barrier and the number of threads, as in `barrier(B,2)`";
        let name = line.first(needs)?;
        match line.argument(1).map(str::parse) {
            Some(Ok(parties)) if parties > 0 => Ok(Op::Barrier {
                barrier: self.resource(Kind::Barrier, name),
                parties,
            }),
            _ => Err(line.lacks(needs)),
        }
    }

    /// Follows what `op` does to the thread's locks, unless a survey does that; the acquisition that
    /// ends a monitor wait becomes the end of that wait.
    fn note(&mut self, thread: ThreadId, op: Op, monitor: Option<Monitor>, follows: bool) -> Op {
        let asked = self.asked.remove(&thread);
        match op {
            Op::Acquire { lock, mode, .. } => {
                if follows {
                    let held = self.held.entry((thread, lock)).or_default();
                    if *held > 0 && mode == Mode::Exclusive && asked == Some(lock) {
                        self.reentered.insert(lock);
                    }
                    *held += 1;
                }
                match monitor {
                    Some(Monitor::Waiting(waiting, condvar)) if waiting == lock => {
                        return Op::WaitEnd { condvar, lock };
                    }
                    _ => {}
                }
            }
            Op::Release { lock, .. } => {
                if let Some(count) = self.held.get_mut(&(thread, lock)) {
                    *count = count.saturating_sub(1);
                }
                let at = self.run.events.len();
                let released = Monitor::Released(lock, Some(at));
                self.monitors.insert(thread, released);
            }
            // A request stands between a wait and the acquisition that ends it.
            Op::Request { lock, .. } => {
                self.asked.insert(thread, lock);
                if let Some(waiting @ Monitor::Waiting(..)) = monitor {
                    self.monitors.insert(thread, waiting);
                }
            }
            Op::Join { child } => self.run.threads[child.at()].end_seen = true,
            _ => {}
        }
        op
    }

    fn wait(
        &mut self,
        thread: ThreadId,
        (condvar, lock, held): (ResourceId, LockId, bool),
        site: SiteId,
        monitor: Option<Monitor>,
    ) {
        let begin = Op::WaitBegin {
            condvar,
            lock,
            timed: false,
        };
        match monitor {
            Some(Monitor::Released(released, at)) if released == lock && !held => {
                if let Some(at) = at {
                    self.run.events[at].op = begin;
                } else {
                    // The release is out of reach: the wait gives back what it takes again just for that.
                    let again = Op::Acquire {
                        lock,
                        mode: Mode::Exclusive,
                        ask: Ask::Try,
                        class: AcquireClass::default(),
                    };
                    self.append(thread, again, site);
                    self.append(thread, begin, site);
                }
                let waiting = Monitor::Waiting(lock, condvar);
                self.monitors.insert(thread, waiting);
            }
            _ => {
                self.append(thread, begin, site);
                self.append(thread, Op::WaitEnd { condvar, lock }, site);
            }
        }
    }

    fn append(&mut self, thread: ThreadId, op: Op, site: SiteId) {
        self.run.events.push(Event { thread, op, site });
    }

    /// The thread that a `fork` or `join` names. Some writers leave out its `T`, and only there.
    fn child(&mut self, line: &Line<'_>) -> Result<ThreadId, Malformed> {
        let name = line.first("a thread")?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits(name) && line.thread.strip_prefix('T').is_some_and(digits) {
            return Ok(self.thread(&format!("T{name}")));
        }
        Ok(self.thread(name))
    }

    fn thread(&mut self, name: &str) -> ThreadId {
        if let Some(&known) = self.thread_of.get(name) {
            return known;
        }
        let new = ThreadId::from(self.run.threads.len());
        self.run.threads.push(Thread {
            label: name.to_owned(),
            name: None,
            started_in: None,
            start_seen: true,
            end_seen: false,
        });
        self.name_bytes += name.len() as u64;
        self.thread_of.insert(name.to_owned(), new);
        new
    }

    /// The instance that a name stands for now, for a use in this mode. A dead name gets a new
    /// instance: that the use is wrong is for the judge to say.
    fn lock(&mut self, name: &str, mode: Mode) -> LockId {
        let lock = match self.life_of.get(name) {
            Some(&Life {
                lock: Some(lock),
                used: true,
                ..
            }) => lock,
            life => {
                let mut life = life.copied().unwrap_or_default();
                life.used = true;
                let lock = match life.lock {
                    Some(lock) => lock,
                    None => self.instance(name, life.former),
                };
                life.lock = Some(lock);
                self.name_bytes += name.len() as u64;
                self.life_of.insert(name.to_owned(), life);
                lock
            }
        };
        let kind = &mut self.run.locks[lock.at()].kind;
        match mode {
            Mode::Shared | Mode::RecursiveShared | Mode::Upgradable => *kind = Kind::RwLock,
            Mode::Reentrant if *kind == Kind::Mutex => *kind = Kind::ReentrantMutex,
            Mode::Reentrant | Mode::Exclusive => {}
        }
        lock
    }

    fn init(&mut self, name: &str) -> Op {
        let mut life = self.life_of.get(name).copied().unwrap_or_default();
        if !life.dead && life.used {
            life.former = life.lock.take().or(life.former);
        }
        life.dead = false;
        let lock = match life.lock {
            Some(lock) => lock,
            None => self.instance(name, life.former),
        };
        life.lock = Some(lock);
        self.life_of.insert(name.to_owned(), life);
        Op::Init { lock }
    }

    fn destroy(&mut self, name: &str) -> Op {
        let mut life = self.life_of.get(name).copied().unwrap_or_default();
        // Destroyed twice with no use between: the same instance is named again.
        let lock = match life.lock.take().or(life.former) {
            Some(lock) => lock,
            None => self.instance(name, None),
        };
        life = Life {
            lock: None,
            former: Some(lock),
            dead: true,
            used: true,
        };
        self.life_of.insert(name.to_owned(), life);
        Op::Destroy { lock }
    }

    fn instance(&mut self, name: &str, former: Option<LockId>) -> LockId {
        let lock = LockId::from(self.run.locks.len());
        self.run.locks.push(Lock {
            label: name.to_owned(),
            // The headers that give classes may come later: `finish` sets this.
            class: ClassId(0),
            kind: Kind::Mutex,
            rank: None,
            sendable: false,
            former,
        });
        lock
    }

    fn resource(&mut self, kind: Kind, name: &str) -> ResourceId {
        let key = (kind, name.to_owned());
        if let Some(&known) = self.resource_of.get(&key) {
            return known;
        }
        let new = ResourceId::from(self.run.resources.len());
        self.run.resources.push(Resource {
            label: name.to_owned(),
            kind,
            units: 0,
            tells_end: false,
        });
        self.name_bytes += name.len() as u64;
        self.resource_of.insert(key, new);
        new
    }

    fn variable(&mut self, name: &str) -> VariableId {
        let next = VariableId::from(self.variable_of.len());
        *self.variable_of.entry(name.to_owned()).or_insert(next)
    }

    fn site(&mut self, location: &str) -> SiteId {
        if let Some(&known) = self.site_of.get(location) {
            return known;
        }
        let new = SiteId::from(self.sites.len());
        self.sites.push(Site {
            file: location.to_owned(),
            line: 0,
            column: 0,
            note: None,
        });
        self.name_bytes += location.len() as u64;
        self.site_of.insert(location.to_owned(), new);
        new
    }
}
