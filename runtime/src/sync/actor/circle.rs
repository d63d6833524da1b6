//! Actors that wait for each other, told by the one that would close the circle.
//!
//! An actor that is about to wait, in a handler, for the answer or the end of another one says so in its
//! node, and then follows the waits of the others from node to node. If that leads back, nobody of them will
//! ever go on: each keeps its own thread, on which alone its mailbox is served.
//!
//! A wait for an answer counts while its question lies in the mailbox, or is the one that is being
//! handled there. One that was handled without being answered does not count, as somebody else may have
//! been given the promise. (While it is being handled this may have happened too; so an actor that gives
//! the promise away and then waits, in the same handler, for the asker, is told of a circle that another thread
//! would have broken. It should wait with a deadline: such waits are not told. Nor are waits for one of several
//! answers.)
//!
//! No circle is missed: each node is written before others are read, under locks of their own, so the
//! last one to write sees all others. None is told that was not there: the nodes of a circle are read
//! twice, and each has a version; if none has changed there was a moment at which all of them waited. What an
//! actor has in its mailbox and handles is looked at between both, and stays so while it waits. If
//! several see the same circle, one of them is told: it stops waiting, and the others go on, as that one's
//! version has changed.
//!
//! Asking and answering touches none of these locks: a question is known by its promise, and only who is about to
//! close a circle looks where it is.

use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::sync::promise::{Keeper, Name};
use crate::sync::threads::Threads;

/// An actor, as others may see it wait. It keeps the promises of its answers.
#[derive(Debug)]
pub(in crate::sync) struct Node {
    seen: Mutex<Seen>,
    /// The number of the question that is being handled, or 0. Written by the actor alone, and never while it waits.
    handles: AtomicUsize,
    mailbox: Weak<dyn Holds>,
    /// [`begin`] and [`end`], of the threads that use the actor.
    begin: fn(Waits) -> bool,
    end: fn(),
}

/// Where questions lie until they are handled.
pub(super) trait Holds: Send + Sync {
    /// Whether this one does.
    fn holds(&self, question: Name) -> bool;
}

#[derive(Debug, Default, Clone)]
struct Seen {
    /// Counts how often it has begun or ceased to wait.
    version: u64,
    waits: Option<Waits>,
}

/// What an actor waits for.
#[derive(Debug, Clone)]
pub(super) struct Waits {
    /// Who must do something for it.
    pub(super) on: Arc<Node>,
    /// The question, if it is an answer that is waited for.
    pub(super) question: Option<Name>,
    /// Whether it has come.
    pub(super) come: Arc<AtomicBool>,
}

/// Says that this thread is an actor; nothing says that it is not.
pub(super) fn enter<T: Threads>(node: Option<Arc<Node>>) {
    T::with_own(|own| own.actor.replace(node));
}

/// This thread is an actor that is a task, until this is dropped.
pub(super) struct Here<T: Threads> {
    /// What the thread was before.
    before: Option<Arc<Node>>,
    threads: PhantomData<fn() -> T>,
}

impl<T: Threads> Here<T> {
    pub(super) fn enter(node: Arc<Node>) -> Here<T> {
        Here {
            before: T::with_own(|own| own.actor.replace(Some(node))).flatten(),
            threads: PhantomData,
        }
    }

    /// Ends it, and gives the node back, so that who enters often need not count its references.
    pub(super) fn leave(mut self) -> Option<Arc<Node>> {
        let before = self.before.take();
        std::mem::forget(self);
        T::with_own(|own| own.actor.replace(before)).flatten()
    }
}

impl<T: Threads> Drop for Here<T> {
    fn drop(&mut self) {
        enter::<T>(self.before.take());
    }
}

fn here<T: Threads>() -> Option<Arc<Node>> {
    T::with_own(|own| own.actor.borrow().clone()).flatten()
}

/// Whether this thread is that actor.
pub(super) fn is_here<T: Threads>(node: &Arc<Node>) -> bool {
    here::<T>().is_some_and(|here| Arc::ptr_eq(&here, node))
}

/// This thread is about to wait. False if that would close a circle; then it does not.
pub(super) fn begin<T: Threads>(waits: Waits) -> bool {
    /// Of several that see the same circle one is told, and the others are let go by that.
    static TELLING: Mutex<()> = Mutex::new(());
    let Some(me) = here::<T>() else { return true };
    T::step();
    me.change(|seen| seen.waits = Some(waits));
    let Some(circle) = Circle::through::<T>(&me) else {
        return true;
    };
    T::step();
    let _telling = TELLING.lock();
    if !circle.lasts() {
        return true;
    }
    me.change(|seen| seen.waits = None);
    false
}

/// This thread does not wait any more.
pub(super) fn end<T: Threads>() {
    if let Some(me) = here::<T>() {
        T::step();
        me.change(|seen| seen.waits = None);
    }
}

impl Node {
    /// The node of the actor with this mailbox.
    pub(super) fn of<T: Threads>(mailbox: Weak<dyn Holds>) -> Node {
        Node {
            seen: Mutex::default(),
            handles: AtomicUsize::new(0),
            mailbox,
            begin: begin::<T>,
            end: end::<T>,
        }
    }

    /// The actor begins to handle the question of this number; none, if it is 0.
    #[inline]
    pub(super) fn handles<T: Threads>(&self, question: usize) {
        T::step();
        self.handles.store(question, Release);
    }

    /// Whether this question is being handled, or will be.
    fn owes<T: Threads>(&self, question: Name) -> bool {
        T::step();
        self.handles.load(Acquire) == question.number()
            || (self.mailbox.upgrade()).is_some_and(|mailbox| mailbox.holds(question))
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.seen.lock();
        seen.version += 1;
        change(&mut seen);
    }

    fn seen(&self) -> Seen {
        self.seen.lock().clone()
    }
}

impl Keeper for Node {
    fn begin_wait(self: Arc<Self>, _results: Vec<Arc<AtomicBool>>) -> bool {
        true
    }

    fn begin_wait_for(self: Arc<Self>, promise: Name, result: Arc<AtomicBool>) -> bool {
        (self.begin)(Waits {
            on: Arc::clone(&self),
            question: Some(promise),
            come: result,
        })
    }

    fn end_wait(&self) {
        (self.end)();
    }
}

/// Actors that wait for each other in a circle, as it seems: each with the version that was seen.
struct Circle(Vec<(Arc<Node>, u64)>);

impl Circle {
    /// Follows the waits from this actor on. Nothing if they do not lead back to it.
    fn through<T: Threads>(me: &Arc<Node>) -> Option<Circle> {
        let mut path: Vec<(Arc<Node>, u64)> = Vec::new();
        let mut at = Arc::clone(me);
        let mut asked = None;
        loop {
            T::step();
            let found = at.seen();
            let waits = found.waits?;
            if waits.come.load(Acquire) || path.iter().any(|(node, _)| Arc::ptr_eq(node, &at)) {
                // It is about to go on; or that is a circle without this actor, which was told.
                return None;
            }
            if asked.is_some_and(|question| !at.owes::<T>(question)) {
                return None;
            }
            path.push((at, found.version));
            asked = waits.question;
            if Arc::ptr_eq(&waits.on, me) {
                break;
            }
            at = waits.on;
        }
        let owed = asked.is_none_or(|question| me.owes::<T>(question));
        owed.then_some(Circle(path))
    }

    /// Whether all of them still wait as they did.
    fn lasts(&self) -> bool {
        self.0.iter().all(|(node, version)| {
            let found = node.seen();
            found.version == *version && found.waits.is_some_and(|waits| !waits.come.load(Acquire))
        })
    }
}
