//! What an actor and its handles share.

use std::marker::PhantomData;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::atomic::{AtomicBool, AtomicU8};
use std::sync::{Arc, Weak};

use super::circle::{self, Holds, Node, Waits};
use super::exit::{Exit, JoinError, Status};
use super::life::drop_quietly;
use super::mail::{Mail, Mails};
use crate::sync::backend::{Backend, Flow, Lock};
use crate::sync::deadline::Deadline;
use crate::sync::event::Event;
use crate::sync::promise::Name;
use crate::sync::queue::Core;
use crate::sync::threads::Threads;
use crate::watch::Site;

/// What an actor and its handles share.
pub(super) struct Cell<M: Send, B: Backend> {
    pub(super) mailbox: Core<Mails<M>, B>,
    pub(super) node: Arc<Node>,
    status: AtomicU8,
    /// Told each change of it.
    status_flow: B::Flow,
    pub(super) is_killed: AtomicBool,
    /// How it has ended, once it has.
    exit: B::Mutex<Option<Exit>>,
    /// Set last of all.
    pub(super) stopped: Event<B>,
    /// The same, for those who look for circles.
    is_stopped: Arc<AtomicBool>,
    pub(super) born: Site,
}

impl<M: Send + 'static, B: Backend> Cell<M, B> {
    pub(super) fn new(capacity: Option<usize>, born: Site) -> Arc<Cell<M, B>> {
        Arc::new_cyclic(|cell: &Weak<Cell<M, B>>| Cell {
            mailbox: Core::new_at::<M>(Mails::new(), capacity, born),
            node: Arc::new(Node::of::<B::Threads>(Weak::<Cell<M, B>>::clone(cell))),
            status: AtomicU8::new(Status::Starting as u8),
            status_flow: B::Flow::new_at(born, std::any::type_name::<Status>),
            is_killed: AtomicBool::new(false),
            exit: B::Mutex::new_at(None, born),
            stopped: Event::new_in(),
            is_stopped: Arc::default(),
            born,
        })
    }
}

impl<M: Send, B: Backend> Holds for Cell<M, B> {
    fn holds(&self, question: Name) -> bool {
        self.mailbox.lock(self.born).store.hold(question)
    }
}

impl<M: Send, B: Backend> Cell<M, B> {
    /// How far it is. Who sees that comes after what was done before it was so far.
    pub(super) fn status(&self, at: Site) -> Status {
        B::Threads::step();
        let status = Status::from_number(self.status.load(Acquire));
        if status != Status::Starting {
            self.status_flow.found(at);
        }
        status
    }

    pub(super) fn advance(&self, status: Status) {
        self.status_flow.told(self.born);
        B::Threads::step();
        self.status.fetch_max(status as u8, AcqRel);
    }

    /// Takes a message out of its mail: it is being handled.
    #[inline]
    pub(super) fn open(&self, mail: Mail<M>) -> M {
        let asked = mail.kind.asked();
        if asked != 0 {
            self.node.handles::<B::Threads>(asked);
        }
        mail.message
    }

    /// Whether an end of this kind is the last one.
    pub(super) fn is_over(&self, exit: &Exit, restarts: u32) -> bool {
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
        Ok(self.its_exit(at))
    }

    /// [`join`](Cell::join), as a future.
    pub(super) async fn join_async(&self, at: Site) -> Result<Exit, JoinError> {
        if circle::is_here::<B::Threads>(&self.node) {
            return Err(JoinError::Itself);
        }
        self.stopped.wait_async().await;
        Ok(self.its_exit(at))
    }

    /// How it has ended, once it has.
    fn its_exit(&self, at: Site) -> Exit {
        let exit = self.exit.lock_at(at).clone();
        exit.expect("it is written before the end is told")
    }

    /// The end, whatever came before: what is left in the mailbox is dropped, and then the end is told.
    pub(super) fn stop(&self, exit: Exit) {
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
