//! An actor that is a task: [`ActorTask`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::{Context as Polled, Poll, Waker};

use super::cell::Cell;
use super::circle::{Here, Node};
use super::context::Context;
use super::exit::{Exit, Status};
use super::handle::WeakHandle;
use super::life::{caught, drop_quietly, end, handled_all};
use super::role::Actor;
use super::timers::Timers;
use crate::sync::alarm::Alarm;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::queue::{GetError, How, Work};
use crate::sync::threads::Threads;
use crate::waiting::Ticket;

/// An actor without a thread of its own: a future that lives as long as the actor, and gives how it has ended.
/// It is made by [`ActorBuilder::task`](super::ActorBuilder::task), and runs on whatever executor it is given to.
///
/// Asked by another task of the same executor it answers without a switch of threads.
///
/// - **Messages, fairness**: they are handled one after the other, as by the usual [`Actor::run`], which is not called.
///   After some of them the other tasks of the executor have their turn.
/// - **Order, capacity, close, panic, re-entrancy**: as [`Actor`].
/// - **Blocking**: a handler that waits keeps the executor's thread, as anything does that waits in a task.
/// - **Drop**: dropped before its end the actor is killed; what is left in its mailbox is dropped, and whoever
///   waits for an answer learns that.
///
/// ```
/// use lockwise::sync::{Actor, ActorBuilder, Context, Promise, Scheduler};
///
/// struct Doubles;
///
/// impl Actor for Doubles {
///     type Message = (u32, Promise<u32>);
///
///     fn handle(&mut self, (number, reply): Self::Message, _: &Context<'_, Self::Message>) {
///         let _ = reply.set(2 * number);
///     }
/// }
///
/// let (doubles, task) = ActorBuilder::new().task(Doubles);
/// let scheduler = Scheduler::new();
/// let _ = scheduler.spawn(task);
/// let asks = scheduler.spawn(async move { doubles.ask_async(|reply| (4, reply)).await.unwrap() });
/// scheduler.run().unwrap();
/// assert_eq!(asks.result().wait().unwrap(), 8);
/// ```
#[must_use = "the actor handles messages when this is polled"]
pub struct ActorTask<A: Actor<B>, B: Backend = Tracked> {
    cell: Arc<Cell<A::Message, B>>,
    me: WeakHandle<A::Message, B>,
    /// Makes the actor, and makes another one after a panic. Nothing after the end.
    make: Option<Box<dyn FnMut() -> A + Send>>,
    restarts: u32,
    actor: Option<A>,
    timers: Timers<A::Message>,
    /// The place of the task at the mailbox.
    ticket: Ticket,
    /// Wakes it when a message of its own is due.
    alarm: Option<Alarm>,
    /// What the thread is told that it is when this has its turn; nothing meanwhile.
    node: Option<Arc<Node>>,
}

/// So many messages are handled before other tasks have their turn. A turn costs about as much as a few messages.
const MESSAGES_A_TURN: u32 = 64;

/// What a task knows of its mailbox during a turn.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    /// It waits: its waker is used when there is a message. That begins when the last one that is there is taken.
    waits: bool,
    /// Somebody asked with the message that is being handled.
    is_asked: bool,
}

/// How messages were handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// There is none any more, but there may be.
    Waits,
    /// There will be no more.
    HandledAll,
    /// So many that others have their turn.
    Over,
}

/// Nothing of it is pinned.
impl<A: Actor<B>, B: Backend> Unpin for ActorTask<A, B> {}

impl<A: Actor<B>, B: Backend> ActorTask<A, B> {
    pub(super) fn new(
        cell: Arc<Cell<A::Message, B>>,
        me: WeakHandle<A::Message, B>,
        make: Box<dyn FnMut() -> A + Send>,
        restarts: u32,
    ) -> ActorTask<A, B> {
        ActorTask {
            node: Some(Arc::clone(&cell.node)),
            cell,
            me,
            make: Some(make),
            restarts,
            actor: None,
            timers: Timers::new(),
            ticket: Ticket::new(),
            alarm: None,
        }
    }

    /// Makes the actor and starts it. How it has ended, if it has already.
    fn begin(&mut self) -> Option<Exit> {
        let make = self.make.as_mut()?;
        let actor = match caught(make) {
            Ok(actor) => self.actor.insert(actor),
            Err(exit) => return Some(exit),
        };
        let context = Context::new(&self.cell, &self.me, &self.timers);
        let started = caught(|| {
            actor.on_start(&context);
            self.cell.advance(Status::Running);
        });
        started.err()
    }

    /// The next message; otherwise the waker is used when there is one, or will never be. That is so already if it
    /// [waits](Sight::waits).
    #[inline]
    fn next(&mut self, sight: &mut Sight, waker: &Waker) -> Poll<Result<A::Message, GetError>> {
        let cell = &*self.cell;
        B::Threads::step();
        if cell.is_killed.load(Acquire) {
            return Poll::Ready(Err(GetError::Closed));
        }
        if let Some(message) = self.timers.due::<B::Threads>() {
            return Poll::Ready(Ok(message));
        }
        let how = How::of_task(cell.born, false);
        let (mailbox, ticket) = (&cell.mailbox, &mut self.ticket);
        let seen = mailbox.seen_total();
        // From hand to hand it counts who waits.
        if seen > 0
            && mailbox.capacity() != Some(0)
            && let last = (seen == 1).then_some(waker)
            && let Some(got) = mailbox.get_plainly_and_wait(ticket, last, how)
        {
            let (mail, waits) = got;
            let is_asked = mail.kind.asked() != 0;
            *sight = Sight { waits, is_asked };
            return Poll::Ready(Ok(cell.open(mail)));
        }
        if seen > 0 || !sight.waits {
            let mut slot = None;
            let got = mailbox.poll_get(&mut slot, ticket, waker, Work::Done, how);
            if let Poll::Ready(got) = got {
                sight.waits = false;
                return Poll::Ready(got.map(|()| {
                    let mail = slot.expect("what was got is in the slot");
                    sight.is_asked = mail.kind.asked() != 0;
                    cell.open(mail)
                }));
            }
        }
        if self.alarm.is_some() || !self.timers.is_empty() {
            self.set_alarm(waker);
        }
        Poll::Pending
    }

    /// Sees that the waker is used when the first message of its own is due.
    #[inline(never)]
    fn set_alarm(&mut self, waker: &Waker) {
        let first = self.timers.first();
        if self.alarm.as_ref().map(Alarm::due) != first {
            self.alarm = first.map(Alarm::at);
        }
        if let Some(alarm) = &mut self.alarm
            && alarm.poll(waker).is_ready()
        {
            // A message of its own has become due just now.
            waker.wake_by_ref();
        }
    }

    /// Handles messages, as long as there are any and `left` says that more may be.
    fn handle_some(&mut self, left: &mut u32, waker: &Waker) -> Turn {
        let mut sight = Sight::default();
        while *left > 0 {
            *left -= 1;
            let message = match self.next(&mut sight, waker) {
                Poll::Pending => return Turn::Waits,
                Poll::Ready(Ok(message)) => message,
                Poll::Ready(Err(_)) => return Turn::HandledAll,
            };
            let context = Context::new(&self.cell, &self.me, &self.timers);
            if let Some(actor) = &mut self.actor {
                actor.handle(message, &context);
            }
            if std::mem::take(&mut sight.is_asked) {
                self.cell.node.handles::<B::Threads>(0);
            }
        }
        Turn::Over
    }

    /// Begins, or handles messages.
    ///
    /// # Errors
    ///
    /// How the actor has ended, if it has.
    #[inline]
    fn step(&mut self, left: &mut u32, waker: &Waker) -> Result<Turn, Exit> {
        if self.actor.is_none() {
            *left -= 1;
            return self.begin().map_or(Ok(Turn::Over), Err);
        }
        // One for all messages of a turn: what is caught alone is first moved there and back.
        match caught(|| self.handle_some(left, waker))? {
            Turn::HandledAll => Err(handled_all(&self.cell)),
            turn => Ok(turn),
        }
    }

    /// Handles messages until there is none, or others have their turn. How the actor has ended, if it has.
    #[inline]
    fn turn(&mut self, waker: &Waker) -> Option<Exit> {
        let mut left = MESSAGES_A_TURN;
        while left > 0 {
            match self.step(&mut left, waker) {
                Ok(Turn::Waits) => return None,
                Ok(_) => {}
                Err(exit) => {
                    if self.ended(&exit) {
                        return Some(exit);
                    }
                }
            }
        }
        waker.wake_by_ref();
        None
    }

    /// The thread is this actor from now on.
    fn enter(&mut self) -> Here<B::Threads> {
        let node = self.node.take();
        Here::enter(node.unwrap_or_else(|| Arc::clone(&self.cell.node)))
    }

    /// The actor has ended so. True if that was the last one.
    fn ended(&mut self, exit: &Exit) -> bool {
        let is_over = self.cell.is_over(exit, self.restarts);
        if let Some(actor) = self.actor.take() {
            end(&self.cell, actor, exit, self.restarts);
        }
        self.alarm = None;
        drop_quietly(std::mem::replace(&mut self.timers, Timers::new()));
        if is_over {
            drop_quietly(self.make.take());
            if self.ticket.is_some() {
                self.cell.mailbox.abandon_get(&mut self.ticket);
            }
            self.cell.stop(exit.clone());
        } else {
            self.restarts -= 1;
        }
        is_over
    }
}

impl<A: Actor<B>, B: Backend> Future for ActorTask<A, B> {
    type Output = Exit;

    /// # Panics
    ///
    /// If polled again after the end.
    fn poll(mut self: Pin<&mut Self>, polled: &mut Polled<'_>) -> Poll<Exit> {
        let this = &mut *self;
        assert!(this.make.is_some(), "an actor is not polled after its end");
        let here = this.enter();
        let exit = this.turn(polled.waker());
        this.node = here.leave();
        match exit {
            None => Poll::Pending,
            Some(exit) => Poll::Ready(exit),
        }
    }
}

impl<A: Actor<B>, B: Backend> Drop for ActorTask<A, B> {
    fn drop(&mut self) {
        if self.make.is_some() {
            let _here = self.enter();
            B::Threads::step();
            self.cell.is_killed.store(true, Release);
            self.ended(&Exit::Killed);
        }
    }
}

impl<A: Actor<B>, B: Backend> fmt::Debug for ActorTask<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorTask")
            .field("status", &self.cell.status(self.cell.born))
            .finish_non_exhaustive()
    }
}
