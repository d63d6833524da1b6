//! A watcher that only writes down what it is told, each thread for itself.
//!
//! It stands where the lock types expect `crate::watch`, with the same signatures.

use std::cell::{Cell, RefCell};
use std::panic::Location;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static REFUSES: Cell<bool> = const { Cell::new(false) };
    static WHEN_BLOCKED: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// What this thread has told since it was last asked.
pub(crate) fn told() -> Vec<String> {
    TOLD.take()
}

/// Lets the next request or wait of this thread panic.
pub(crate) fn refuse_next() {
    REFUSES.set(true);
}

/// Has `then` called when this thread is next about to wait for a lock or a message.
pub(crate) fn when_blocked(then: impl FnOnce() + 'static) {
    WHEN_BLOCKED.set(Some(Box::new(then)));
}

/// Writes something down beside what the lock types tell.
pub(crate) fn tell(what: String) {
    TOLD.with_borrow_mut(|told| told.push(what));
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Mutex,
    RwLock,
    Once,
    OnceCell,
    Lazy,
    Condvar,
    Barrier,
    Channel,
    Parking,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Mutex => "Mutex",
            Kind::RwLock => "RwLock",
            Kind::Once => "Once",
            Kind::OnceCell => "OnceCell",
            Kind::Lazy => "Lazy",
            Kind::Condvar => "Condvar",
            Kind::Barrier => "Barrier",
            Kind::Channel => "channel",
            Kind::Parking => "parking",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    Exclusive,
    Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rank(pub(crate) u32);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Site(&'static Location<'static>);

impl Site {
    #[track_caller]
    pub(crate) const fn caller() -> Site {
        Site(Location::caller())
    }

    fn is_in_this_test(self) -> bool {
        // The types themselves are reached by a path that leads through this folder and out of it again.
        !self.0.file().contains("..")
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

pub(crate) struct Identity {
    kind: Kind,
    name: &'static str,
    rank: Option<Rank>,
    born: Site,
    type_name: fn() -> &'static str,
}

pub(crate) struct Class {
    pub(crate) born: Site,
}

impl Identity {
    pub(crate) const fn new(kind: Kind, born: Site, type_name: fn() -> &'static str) -> Self {
        Identity {
            kind,
            name: "",
            rank: None,
            born,
            type_name,
        }
    }

    pub(crate) const fn named(self, name: &'static str) -> Self {
        Identity { name, ..self }
    }

    pub(crate) const fn ranked(self, rank: Rank) -> Self {
        let rank = Some(rank);
        Identity { rank, ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn class(&self) -> Class {
        Class { born: self.born }
    }

    /// What a lock is called here: its name, or its kind, content and rank.
    fn label(&self) -> String {
        assert!(self.born.is_in_this_test(), "made at {}", self.born);
        match (self.name, self.rank) {
            ("", None) => format!("{:?} of {}", self.kind, (self.type_name)()),
            ("", Some(Rank(rank))) => format!("{:?} of rank {rank}", self.kind),
            (name, None) => name.to_owned(),
            (name, Some(Rank(rank))) => format!("{name} of rank {rank}"),
        }
    }
}

pub(crate) mod hooks {
    use std::cell::Cell;

    use super::{Identity, Mode, REFUSES, Site, WHEN_BLOCKED, tell};

    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Ask {
        Wait,
        Try,
        Timed,
    }

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Asked;

    pub(crate) fn request(lock: &Identity, mode: Mode, ask: Ask, at: Site) -> Asked {
        assert!(at.is_in_this_test(), "requested at {at}");
        tell(format!("request {} {mode:?} {ask:?}", lock.label()));
        assert!(!REFUSES.take(), "refused");
        Asked
    }

    pub(crate) fn acquired_at_once(_asked: Asked, lock: &Identity, mode: Mode, at: Site) {
        acquired(lock, mode, Ask::Wait, at);
    }

    pub(crate) fn try_again<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        attempt()
    }

    pub(crate) fn blocked(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
        assert!(at.is_in_this_test(), "blocked at {at}");
        tell(format!("blocked {} {mode:?} {ask:?}", lock.label()));
        if let Some(then) = WHEN_BLOCKED.take() {
            then();
        }
    }

    /// The lock is as it was: `again` finds it so, too.
    pub(crate) fn blocked_reading(
        lock: &Identity,
        at: Site,
        again: &mut dyn FnMut() -> bool,
    ) -> bool {
        blocked(lock, Mode::Shared, Ask::Wait, at);
        again()
    }

    pub(crate) fn blocked_outside(object: &Identity, at: Site) {
        blocked(object, Mode::Exclusive, Ask::Wait, at);
    }

    pub(crate) fn sleeps() {
        tell("sleeps".to_owned());
    }

    pub(crate) fn unblocked() {
        tell("unblocked".to_owned());
    }

    pub(crate) fn gave_up(lock: &Identity) {
        tell(format!("gave up {}", lock.label()));
    }

    pub(crate) fn acquired(lock: &Identity, mode: Mode, ask: Ask, at: Site) {
        assert!(at.is_in_this_test(), "acquired at {at}");
        tell(format!("acquired {} {mode:?} {ask:?}", lock.label()));
    }

    pub(crate) fn released(lock: &Identity, mode: Mode) {
        tell(format!("released {} {mode:?}", lock.label()));
    }

    pub(crate) fn changed_mode(lock: &Identity, from: Mode, to: Mode, at: Site) {
        assert!(at.is_in_this_test(), "changed at {at}");
        tell(format!("changed {} {from:?} {to:?}", lock.label()));
    }

    pub(crate) fn waiting(condvar: &Identity, lock: &Identity, mode: Mode, ask: Ask, at: Site) {
        assert!(at.is_in_this_test(), "waiting at {at}");
        let (condvar, lock) = (condvar.label(), lock.label());
        tell(format!("waiting {condvar} {lock} {mode:?} {ask:?}"));
        assert!(!REFUSES.take(), "refused");
    }

    pub(crate) fn woken(condvar: &Identity, lock: &Identity, mode: Mode, at: Site) {
        assert!(at.is_in_this_test(), "woken at {at}");
        let (condvar, lock) = (condvar.label(), lock.label());
        tell(format!("woken {condvar} {lock} {mode:?}"));
    }

    pub(crate) fn notified(condvar: &Identity, all: bool, at: Site) {
        assert!(at.is_in_this_test(), "notified at {at}");
        let whom = if all { "all" } else { "one" };
        tell(format!("notified {} {whom}", condvar.label()));
    }

    pub(crate) fn arrived(barrier: &Identity, parties: u32, at: Site) {
        assert!(at.is_in_this_test(), "arrived at {at}");
        tell(format!("arrived {} of {parties}", barrier.label()));
    }

    pub(crate) fn passed(barrier: &Identity) {
        tell(format!("passed {}", barrier.label()));
    }

    pub(crate) const ALL_UNITS: u32 = u32::MAX;

    pub(crate) fn posted(channel: &Identity, units: u32, at: Site) {
        assert!(at.is_in_this_test(), "posted at {at}");
        tell(format!("posted {} {units}", channel.label()));
    }

    pub(crate) fn full(channel: &Identity, at: Site) {
        assert!(at.is_in_this_test(), "full at {at}");
        tell(format!("full {}", channel.label()));
    }

    pub(crate) fn pending(channel: &Identity, ask: Ask, at: Site) {
        assert!(at.is_in_this_test(), "pending at {at}");
        tell(format!("pending {} {ask:?}", channel.label()));
        if let Some(then) = WHEN_BLOCKED.take() {
            then();
        }
    }

    pub(crate) fn obtained(channel: &Identity, units: u32, ask: Ask, at: Site) {
        assert!(at.is_in_this_test(), "obtained at {at}");
        tell(format!("obtained {} {units} {ask:?}", channel.label()));
    }

    #[derive(Debug)]
    pub(crate) struct Birth(u32);

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct ThreadRef(u32);

    impl Birth {
        pub(crate) fn thread(&self) -> ThreadRef {
            ThreadRef(self.0)
        }

        pub(crate) fn start(self, name: Option<&str>) {
            let Birth(_) = self;
            tell(format!("start {name:?}"));
        }
    }

    /// Numbers the threads that this thread starts.
    pub(crate) fn forking(at: Site) -> Birth {
        thread_local!(static NEXT: Cell<u32> = const { Cell::new(0) });
        assert!(at.is_in_this_test(), "forking at {at}");
        let number = NEXT.get();
        NEXT.set(number + 1);
        tell(format!("fork {number}"));
        Birth(number)
    }

    pub(crate) fn joining(thread: ThreadRef, at: Site) {
        assert!(at.is_in_this_test(), "joining at {at}");
        tell(format!("joining {}", thread.0));
    }

    pub(crate) fn joining_work(thread: ThreadRef, at: Site) {
        joining(thread, at);
    }

    pub(crate) fn work_done() {}

    pub(crate) fn joined(thread: ThreadRef, at: Site) {
        assert!(at.is_in_this_test(), "joined at {at}");
        tell(format!("joined {}", thread.0));
    }
}
