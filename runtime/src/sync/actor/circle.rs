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
//! would have broken. It should wait with a deadline: such waits are not told.)
//!
//! No circle is missed: each node is written before others are read, under locks of their own, so the
//! last one to write sees all others. None is told that was not there: the nodes of a circle are read
//! twice, and each has a version; if none has changed there was a moment at which all of them waited. If
//! several see the same circle, one of them is told: it stops waiting, and the others look again.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Acquire;

use parking_lot::Mutex;

use crate::sync::threads::Threads;

/// An actor, as others may see it wait.
#[derive(Debug, Default)]
pub(in crate::sync) struct Node(Mutex<Seen>);

#[derive(Debug, Default, Clone)]
struct Seen {
    version: u64,
    /// The question that is being handled.
    handles: Option<Arc<Question>>,
    waits: Option<Waits>,
}

/// A question on its way, and the keeper of its answer.
#[derive(Debug)]
pub(super) struct Question {
    /// Who is to answer.
    pub(super) node: Arc<Node>,
    /// Whether it has been taken out of the mailbox.
    pub(super) is_taken: AtomicBool,
    /// [`begin`] and [`end`], of the threads that use the actor.
    pub(super) begin: fn(Waits) -> bool,
    pub(super) end: fn(),
}

/// What an actor waits for.
#[derive(Debug, Clone)]
pub(super) struct Waits {
    /// Who must do something for it.
    pub(super) on: Arc<Node>,
    /// The question, if it is an answer that is waited for.
    pub(super) question: Option<Arc<Question>>,
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
    pub(super) fn enter(node: &Arc<Node>) -> Here<T> {
        let node = Some(Arc::clone(node));
        Here {
            before: T::with_own(|own| own.actor.replace(node)).flatten(),
            threads: PhantomData,
        }
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
    let seen = |node: &Node| {
        T::step();
        node.seen()
    };
    if !closes(&me, seen) {
        return true;
    }
    T::step();
    let _telling = TELLING.lock();
    if !closes(&me, Node::seen) {
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
    /// The actor begins to handle a message, with which somebody asked, or none.
    pub(super) fn handles<T: Threads>(&self, question: Option<Arc<Question>>) {
        T::step();
        self.change(|seen| seen.handles = question);
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.0.lock();
        seen.version += 1;
        change(&mut seen);
    }

    fn seen(&self) -> Seen {
        self.0.lock().clone()
    }
}

/// Whether the waits lead from this actor back to it. `seen` looks at an actor.
fn closes(me: &Arc<Node>, seen: impl Fn(&Node) -> Seen) -> bool {
    let mut path: Vec<(Arc<Node>, u64)> = Vec::new();
    let mut at = Arc::clone(me);
    loop {
        let found = seen(&at);
        let Some(waits) = found.waits else {
            return false;
        };
        if waits.come.load(Acquire) || path.iter().any(|(node, _)| Arc::ptr_eq(node, &at)) {
            // It is about to go on; or that is a circle without this actor, which was told.
            return false;
        }
        path.push((at, found.version));
        if let Some(question) = &waits.question
            && question.is_taken.load(Acquire)
        {
            let handles = seen(&waits.on).handles;
            if !handles.is_some_and(|handles| Arc::ptr_eq(&handles, question)) {
                return false;
            }
        }
        if Arc::ptr_eq(&waits.on, me) {
            break;
        }
        at = waits.on;
    }
    path.iter().all(|(node, version)| {
        let found = seen(node);
        found.version == *version && found.waits.is_some_and(|waits| !waits.come.load(Acquire))
    })
}
