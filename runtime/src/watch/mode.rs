//! How a lock is held or asked for, and what kinds of objects are watched.
//!
//! All of it is part of the event log: the numbers never change.

/// How an acquisition asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ask {
    /// Waits as long as it takes.
    Wait = 0,
    /// Does not wait.
    Try = 1,
    /// Waits until a deadline: it ends by itself, so it is never part of a deadlock for good.
    Timed = 2,
}

impl Ask {
    /// The way of asking with this number; unknown ones wait.
    pub const fn from_number(number: u8) -> Ask {
        match number {
            1 => Ask::Try,
            2 => Ask::Timed,
            _ => Ask::Wait,
        }
    }
}

/// The mode in which a lock is held or requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mode {
    /// Nobody else may hold the lock: a mutex, the write side of a read-write lock.
    Exclusive = 0,
    /// Shared and fair: waits behind a writer that already waits.
    Shared = 1,
    /// Shared, and waits only for a writer that *holds* the lock (`read_recursive` of `parking_lot`).
    RecursiveShared = 2,
    /// Shared with readers, exclusive with other upgradable holders; may become exclusive.
    Upgradable = 3,
    /// Exclusive, but its own holder may take it again.
    Reentrant = 4,
}

impl Mode {
    /// All modes, by number.
    pub const ALL: [Mode; 5] = [
        Mode::Exclusive,
        Mode::Shared,
        Mode::RecursiveShared,
        Mode::Upgradable,
        Mode::Reentrant,
    ];

    /// The mode with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Mode> {
        match number {
            0 => Some(Mode::Exclusive),
            1 => Some(Mode::Shared),
            2 => Some(Mode::RecursiveShared),
            3 => Some(Mode::Upgradable),
            4 => Some(Mode::Reentrant),
            _ => None,
        }
    }

    /// The name used in reports and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Exclusive => "exclusive",
            Mode::Shared => "shared",
            Mode::RecursiveShared => "recursive-shared",
            Mode::Upgradable => "upgradable",
            Mode::Reentrant => "reentrant",
        }
    }

    /// Whether at most one thread can hold the lock in this mode, and no other mode beside it.
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Mode::Exclusive | Mode::Reentrant)
    }

    /// Whether readers may stand beside a holder in this mode.
    pub const fn is_shared(self) -> bool {
        matches!(self, Mode::Shared | Mode::RecursiveShared)
    }

    /// Whether a holder in mode `self` keeps out a request in mode `wanted` of *another* thread,
    /// with no third thread involved.
    pub const fn excludes(self, wanted: Mode) -> bool {
        self.is_exclusive()
            || wanted.is_exclusive()
            || matches!((self, wanted), (Mode::Upgradable, Mode::Upgradable))
    }

    /// Whether a holder in mode `self` can keep out a request in mode `wanted`, if need be with the
    /// help of a writer that waits between them. Beside an upgradable holder no writer does: it waits for that one
    /// first, and lets readers in meanwhile.
    pub const fn may_block(self, wanted: Mode) -> bool {
        self.excludes(wanted)
            || !matches!(self, Mode::Upgradable)
                && matches!(wanted, Mode::Shared | Mode::Upgradable)
    }
}

/// What kind of object a watched thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// A mutual-exclusion lock.
    Mutex = 0,
    /// A read-write lock.
    RwLock = 1,
    /// A mutex that its holder may take again.
    ReentrantMutex = 2,
    /// A mutex that always hands over in order of arrival.
    FairMutex = 3,
    /// One-time initialisation: held exclusively while the initialiser runs.
    Once = 4,
    /// A cell that is written once; held exclusively while its initialiser runs.
    OnceCell = 5,
    /// A lazily initialised value; held exclusively while its initialiser runs.
    Lazy = 6,
    /// A condition variable.
    Condvar = 7,
    /// A barrier.
    Barrier = 8,
    /// A counting semaphore.
    Semaphore = 9,
    /// A lock whose kind is not known, wrapped through `lock_api`.
    Foreign = 10,
    /// A channel, as a semaphore whose units are the messages; or that its senders are gone.
    Channel = 11,
    /// The parking of a thread, as a semaphore whose units are the unparkings.
    Parking = 12,
}

impl Kind {
    /// The kind with this number, if there is one.
    pub const fn from_number(number: u8) -> Option<Kind> {
        Some(match number {
            0 => Kind::Mutex,
            1 => Kind::RwLock,
            2 => Kind::ReentrantMutex,
            3 => Kind::FairMutex,
            4 => Kind::Once,
            5 => Kind::OnceCell,
            6 => Kind::Lazy,
            7 => Kind::Condvar,
            8 => Kind::Barrier,
            9 => Kind::Semaphore,
            10 => Kind::Foreign,
            11 => Kind::Channel,
            12 => Kind::Parking,
            _ => return None,
        })
    }

    /// Whether it is no lock but something that another thread brings about.
    pub const fn is_awaited(self) -> bool {
        matches!(
            self,
            Kind::Condvar | Kind::Barrier | Kind::Semaphore | Kind::Channel | Kind::Parking
        )
    }

    /// The type's name, as a user knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Mutex => "Mutex",
            Kind::RwLock => "RwLock",
            Kind::ReentrantMutex => "ReentrantMutex",
            Kind::FairMutex => "FairMutex",
            Kind::Once => "Once",
            Kind::OnceCell => "OnceCell",
            Kind::Lazy => "Lazy",
            Kind::Condvar => "Condvar",
            Kind::Barrier => "Barrier",
            Kind::Semaphore => "Semaphore",
            Kind::Foreign => "lock",
            Kind::Channel => "channel",
            Kind::Parking => "parking",
        }
    }
}
