//! An actor's thread, from start to end, and what its handles share with it.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::atomic::{AtomicBool, AtomicU8};

use super::circle::{self, Node, Waits};
use super::context::Context;
use super::exit::{Exit, JoinError, Status};
use super::handle::WeakHandle;
use super::mail::Mails;
use super::role::Actor;
use crate::sync::backend::{Backend, Lock};
use crate::sync::deadline::Deadline;
use crate::sync::event::Event;
use crate::sync::queue::Core;
use crate::sync::threads::Threads;
use crate::watch::Site;

/// What an actor's thread and its handles share.
pub(super) struct Cell<M: Send, B: Backend> {
    pub(super) mailbox: Core<Mails<M>, B>,
    pub(super) node: Arc<Node>,
    status: AtomicU8,
    pub(super) is_killed: AtomicBool,
    /// How it has ended, once it has.
    exit: B::Mutex<Option<Exit>>,
    /// Set last of all.
    stopped: Event<B>,
    /// The same, for those who look for circles.
    is_stopped: Arc<AtomicBool>,
    pub(super) born: Site,
}

impl<M: Send, B: Backend> Cell<M, B> {
    pub(super) fn new(capacity: Option<usize>, born: Site) -> Cell<M, B> {
        Cell {
            mailbox: Core::new_at::<M>(Mails::new(), capacity, born),
            node: Arc::default(),
            status: AtomicU8::new(Status::Starting as u8),
            is_killed: AtomicBool::new(false),
            exit: B::Mutex::new_at(None, born),
            stopped: Event::new_in(),
            is_stopped: Arc::default(),
            born,
        }
    }

    /// Set when all of it is dropped.
    pub(super) fn stopped(&self) -> &Event<B> {
        &self.stopped
    }

    pub(super) fn status(&self) -> Status {
        B::Threads::step();
        Status::from_number(self.status.load(Acquire))
    }

    fn advance(&self, status: Status) {
        B::Threads::step();
        self.status.fetch_max(status as u8, AcqRel);
    }

    /// Whether an end of this kind is the last one.
    fn is_over(&self, exit: &Exit, restarts: u32) -> bool {
        !matches!(exit, Exit::Panicked(_)) || restarts == 0 || self.is_killed.load(Acquire)
    }

    /// Waits for the end.
    pub(super) fn join(&self, deadline: Deadline, at: Site) -> Result<Exit, JoinError> {
        if circle::is_here::<B::Threads>(&self.node) {
            return Err(JoinError::Itself);
        }
        if !self.stopped.is_set() {
            let waits = Waits {
                on: Arc::clone(&self.node),
                question: None,
                come: Arc::clone(&self.is_stopped),
            };
            let mut waiting = None;
            if !deadline.is_timed() {
                if !circle::begin::<B::Threads>(waits) {
                    return Err(JoinError::Deadlock);
                }
                waiting = Some(Waiting(PhantomData::<fn() -> B::Threads>));
            }
            let ended = self.stopped.wait_for_work(deadline, at);
            drop(waiting);
            if !ended {
                return Err(JoinError::TimedOut);
            }
        }
        let exit = self.exit.lock_at(at).clone();
        Ok(exit.expect("it is written before the end is told"))
    }

    /// The end, whatever came before: what is left in the mailbox is dropped, and then the end is told.
    fn stop(&self, exit: Exit) {
        self.advance(Status::Stopping);
        drop_quietly(self.mailbox.close_now(self.born));
        *self.exit.lock_at(self.born) = Some(exit);
        self.advance(Status::Stopped);
        B::Threads::step();
        self.is_stopped.store(true, Release);
        self.stopped.set();
    }
}

/// Says, when dropped, that this thread does not wait any more, also by unwinding.
struct Waiting<T: Threads>(PhantomData<fn() -> T>);

impl<T: Threads> Drop for Waiting<T> {
    fn drop(&mut self) {
        circle::end::<T>();
    }
}

/// What an actor's thread does. `make` makes the actor, and makes another one as often as `restarts` says.
pub(super) fn live<A: Actor<B>, B: Backend>(
    cell: &Arc<Cell<A::Message, B>>,
    me: &WeakHandle<A::Message, B>,
    mut make: impl FnMut() -> A,
    mut restarts: u32,
) {
    circle::enter::<B::Threads>(Some(Arc::clone(&cell.node)));
    let duty = cell.stopped.duty();
    let exit = loop {
        let exit = one_life(cell, me, &mut make, restarts);
        if cell.is_over(&exit, restarts) {
            break exit;
        }
        restarts -= 1;
    };
    circle::enter::<B::Threads>(None);
    drop_quietly(make);
    drop(duty);
    cell.stop(exit);
}

/// An actor from its making to its drop. Nothing unwinds out of here.
fn one_life<A: Actor<B>, B: Backend>(
    cell: &Arc<Cell<A::Message, B>>,
    me: &WeakHandle<A::Message, B>,
    make: &mut impl FnMut() -> A,
    restarts: u32,
) -> Exit {
    let mut actor = match caught(make) {
        Ok(actor) => actor,
        Err(exit) => return exit,
    };
    let ran = caught(|| {
        let context = Context::new(cell, me);
        actor.on_start(&context);
        cell.advance(Status::Running);
        actor.run(&context);
    });
    cell.node.handles::<B::Threads>(None);
    let exit = match ran {
        Err(exit) => exit,
        Ok(()) if cell.is_killed.load(Acquire) => Exit::Killed,
        Ok(()) => Exit::Closed,
    };
    if cell.is_over(&exit, restarts) {
        cell.advance(Status::Stopping);
    }
    // A panic of the hook, or of the drop, is printed; what counts is how the actor ended.
    let _ = caught(|| actor.on_stop(&exit));
    drop_quietly(actor);
    exit
}

/// Runs `f`; its panic is how the actor ends.
fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Exit> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = crate::sync::promise::text(&*payload).unwrap_or("no text");
        let exit = Exit::Panicked(Arc::from(text));
        drop_quietly(payload);
        exit
    })
}

/// Drops something of the program, whose panic must not keep the end from being told.
fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}
