//! What the watcher reports while the program runs.

use std::fmt;
use std::time::Duration;

use super::identity::{Class, LockId, Rank};
use super::mode::{Ask, Mode};
use super::site::Site;
use super::stack::Stack;

/// The kind of a finding, with its stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Code {
    /// LW0001: threads wait for each other, now.
    Deadlock = 1,
    /// LW0002: a thread requests a lock that it holds in a mode that excludes the request.
    SelfDeadlock = 2,
    /// LW0003: locks are acquired in orders that close a cycle.
    LockOrderCycle = 3,
    /// LW0004: a shared lock is taken again by its own reader; a waiting writer blocks both.
    RecursiveRead = 4,
    /// LW0005: a declared rank, or the ascending rule of `acquire!`, is broken.
    OrderViolation = 5,
    /// LW0008: a lock is released by a thread that does not hold it.
    LockMisuse = 8,
    /// LW0009: a thread waits for longer than `LOCKWISE_STALL` says.
    Stall = 9,
}

impl Code {
    /// `LW0003`.
    pub const fn text(self) -> &'static str {
        match self {
            Code::Deadlock => "LW0001",
            Code::SelfDeadlock => "LW0002",
            Code::LockOrderCycle => "LW0003",
            Code::RecursiveRead => "LW0004",
            Code::OrderViolation => "LW0005",
            Code::LockMisuse => "LW0008",
            Code::Stall => "LW0009",
        }
    }

    /// `lock-order-cycle`.
    pub const fn name(self) -> &'static str {
        match self {
            Code::Deadlock => "deadlock",
            Code::SelfDeadlock => "self-deadlock",
            Code::LockOrderCycle => "lock-order-cycle",
            Code::RecursiveRead => "recursive-read",
            Code::OrderViolation => "order-violation",
            Code::LockMisuse => "lock-misuse",
            Code::Stall => "stall",
        }
    }
}

/// What a finding rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Basis {
    /// It is about to happen: the thread goes on into it if nobody stops it.
    Now,
    /// All threads of the process wait, for ever: nobody is left to wake one.
    NobodyRuns,
    /// The very same locks, on two threads or more.
    SameInstances,
    /// The very same locks, but all sides were seen on one thread only, or the thread asks for a
    /// lock that it holds by a guard that it may have sent away. A reaction other than a report
    /// never applies to this.
    OneThread,
}

impl Basis {
    /// Whether it happens now, if nobody stops it.
    pub(super) fn is_now(self) -> bool {
        matches!(self, Basis::Now | Basis::NobodyRuns)
    }
}

/// A lock as a finding names it.
#[derive(Debug, Clone, Copy)]
pub struct LockUse {
    /// Which lock.
    pub lock: LockId,
    /// Of which class.
    pub class: Option<Class>,
    /// With which declared rank.
    pub rank: Option<Rank>,
    /// In which mode it is held or wanted.
    pub mode: Mode,
    /// Whether its guard may be sent to another thread.
    pub sendable: bool,
    /// Where it was, or is to be, acquired.
    pub site: Site,
}

/// What a thread asks for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Wants {
    /// A lock.
    Lock(LockUse),
    /// What somebody else must do at a condition, a barrier, a semaphore or a channel.
    Event(LockUse),
    /// The end of a thread.
    Thread {
        /// The number of that thread.
        thread: u32,
        /// Its name, where it has one.
        thread_name: Option<String>,
        /// Where it is waited for.
        site: Site,
    },
}

impl Wants {
    /// The lock, if it is one.
    pub fn lock(&self) -> Option<&LockUse> {
        match self {
            Wants::Lock(lock) => Some(lock),
            Wants::Event(_) | Wants::Thread { .. } => None,
        }
    }

    /// Where it is asked for.
    pub fn site(&self) -> Site {
        match self {
            Wants::Lock(object) | Wants::Event(object) => object.site,
            Wants::Thread { site, .. } => *site,
        }
    }
}

impl fmt::Display for Wants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wants::Lock(lock) => write!(f, "wants {lock}"),
            Wants::Event(object) => write!(f, "waits for {} at {}", object.name(), object.site),
            Wants::Thread {
                thread,
                thread_name,
                site,
            } => {
                let thread = ThreadLabel(*thread, thread_name.as_deref());
                write!(f, "waits for the end of {thread} at {site}")
            }
        }
    }
}

/// One thread's part in a finding.
#[derive(Debug, Clone)]
pub struct Side {
    /// The thread's number in this process, from 1.
    pub thread: u32,
    /// The thread's name, where it has one; at most 32 bytes of it.
    pub thread_name: Option<String>,
    /// The lock that it holds.
    pub holds: Option<LockUse>,
    /// What it requests, or waits for, while holding that.
    pub wants: Wants,
    /// How it asks.
    pub ask: Ask,
    /// How long it waits already, where it is known to wait.
    pub waited: Option<Duration>,
    /// The stack of the request, if stacks are captured; resolved when it is formatted.
    pub stack: Stack,
    /// The stack at which it took the lock that it holds, if `LOCKWISE_STACKS=all` has these kept and it holds that
    /// now: where threads wait for each other, and where one does wrong by itself.
    pub held_stack: Stack,
}

/// One problem, seen while the program runs.
///
/// The side of the thread that is running comes first.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// On what it rests.
    pub basis: Basis,
    /// One entry per acquisition that takes part.
    pub sides: Vec<Side>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

impl Finding {
    /// Whether the chosen reaction applies. It does to all but cycles seen on one thread only.
    pub fn is_serious(&self) -> bool {
        self.basis != Basis::OneThread && !matches!(self.code, Code::LockMisuse | Code::Stall)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Head(self), Stacks(self))
    }
}

/// What is wrong and each side of it, without the stacks: said without looking up any name.
pub(super) struct Head<'a>(pub(super) &'a Finding);

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { code, message, .. } = self.0;
        write!(f, "{} {}: {message}", code.text(), code.name())?;
        for side in &self.0.sides {
            write!(f, "\n  {}: ", side.label())?;
            if let Some(holds) = &side.holds {
                write!(f, "holds {holds}, ")?;
            }
            write!(f, "{}", side.wants)?;
            if let Some(waited) = side.waited {
                write!(f, ", since {:.3} s", waited.as_secs_f64())?;
            }
        }
        Ok(())
    }
}

/// The stacks, each line after a line break; nothing if there are none.
pub(super) struct Stacks<'a>(pub(super) &'a Finding);

impl fmt::Display for Stacks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for side in &self.0.sides {
            let stacks = [
                ("took what it holds", side.held_stack),
                ("asks", side.stack),
            ];
            // Without names there is nothing to say.
            let named = stacks.map(|(what, stack)| (what, stack.lines()));
            for (what, lines) in named.iter().filter(|(_, lines)| !lines.is_empty()) {
                if side.held_stack.is_empty() {
                    write!(f, "\n  stack of {}:", side.label())?;
                } else {
                    write!(f, "\n  stack of {} where it {what}:", side.label())?;
                }
                for line in lines {
                    write!(f, "\n    {line}")?;
                }
            }
        }
        Ok(())
    }
}

impl std::error::Error for Finding {}

/// A thread as a report names it.
pub(super) struct ThreadLabel<'a>(pub(super) u32, pub(super) Option<&'a str>);

impl fmt::Display for ThreadLabel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(name) => write!(f, "thread \"{name}\""),
            None => write!(f, "thread {}", self.0),
        }
    }
}

impl Side {
    /// The thread as a report names it.
    pub(super) fn label(&self) -> ThreadLabel<'_> {
        ThreadLabel(self.thread, self.thread_name.as_deref())
    }
}

impl LockUse {
    /// The lock's name: what the program calls it, else kind and creation site; with its number.
    pub fn name(&self) -> String {
        match &self.class {
            Some(Class {
                name: Some(name), ..
            }) => format!("{name}{}", self.lock),
            Some(class) => format!("{}{} made at {}", class.kind.name(), self.lock, class.born),
            None => format!("lock{}", self.lock),
        }
    }
}

impl fmt::Display for LockUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(note) = self.site.note() {
            write!(f, " (`{}`)", note.expression)?;
        }
        write!(f, " [{}] at {}", self.mode.name(), self.site)
    }
}
