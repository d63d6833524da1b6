//! What the watcher reports while the program runs.

use std::fmt;

use super::hooks::Ask;
use super::identity::{Class, LockId, Rank};
use super::mode::Mode;
use super::site::Site;

/// The kind of a finding, with its stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Code {
    /// LW0002: a thread requests a lock that it holds in a mode that excludes the request.
    SelfDeadlock = 2,
    /// LW0003: locks are acquired in orders that close a cycle.
    LockOrderCycle = 3,
    /// LW0004: a shared lock is taken again by its own reader; a waiting writer blocks both.
    RecursiveRead = 4,
    /// LW0005: a declared rank, or the ascending rule of `acquire!`, is broken.
    OrderViolation = 5,
    /// LW0008: a thread ends while it holds a lock, or releases what it does not hold.
    LockMisuse = 8,
}

impl Code {
    /// `LW0003`.
    pub const fn text(self) -> &'static str {
        match self {
            Code::SelfDeadlock => "LW0002",
            Code::LockOrderCycle => "LW0003",
            Code::RecursiveRead => "LW0004",
            Code::OrderViolation => "LW0005",
            Code::LockMisuse => "LW0008",
        }
    }

    /// `lock-order-cycle`.
    pub const fn name(self) -> &'static str {
        match self {
            Code::SelfDeadlock => "self-deadlock",
            Code::LockOrderCycle => "lock-order-cycle",
            Code::RecursiveRead => "recursive-read",
            Code::OrderViolation => "order-violation",
            Code::LockMisuse => "lock-misuse",
        }
    }
}

/// Whether the very same locks close the cycle, or other instances of their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// The very same locks.
    Instance,
    /// Instances of the same classes.
    Class,
}

/// A lock as a finding names it.
#[derive(Debug, Clone, Copy)]
pub struct LockUse {
    /// Which lock.
    pub lock: LockId,
    /// Of which class.
    pub class: Class,
    /// With which declared rank.
    pub rank: Option<Rank>,
    /// In which mode it is held or wanted.
    pub mode: Mode,
    /// Where it was, or is to be, acquired.
    pub site: Site,
}

/// One thread's part in a finding.
#[derive(Debug, Clone)]
pub struct Side {
    /// The thread's number in this process, from 1.
    pub thread: u32,
    /// The thread's name, where it has one.
    pub thread_name: Option<String>,
    /// The lock that it holds.
    pub holds: Option<LockUse>,
    /// The lock that it requests while holding that.
    pub wants: LockUse,
    /// How it asks.
    pub ask: Ask,
    /// The stack of the request, if stacks are captured; resolved when it is formatted.
    pub stack: super::stack::Stack,
}

/// One problem, seen while the program runs.
///
/// The side of the thread that is running comes first.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// Whether the very same locks are meant.
    pub granularity: Granularity,
    /// One entry per acquisition that takes part.
    pub sides: Vec<Side>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {}",
            self.code.text(),
            self.code.name(),
            self.message
        )
    }
}

impl std::error::Error for Finding {}
