//! Starting an actor: [`start`] and [`ActorBuilder`].

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use super::cell::Cell;
use super::handle::Handle;
use super::life::live;
use super::role::Actor;
use super::task::ActorTask;
use crate::sync::backend::{Backend, Tracked};
use crate::sync::threads::{Described, Threads};
use crate::watch::Site;

/// Starts an actor with a mailbox without bound, on a thread of its own.
///
/// # Panics
///
/// If the system has no room for another thread.
#[track_caller]
pub fn start<A: Actor + Send>(actor: A) -> Handle<A::Message> {
    let started = ActorBuilder::new().start(actor);
    started.expect("failed to spawn thread")
}

/// How an actor is to be started.
#[derive(Clone)]
#[must_use = "an actor is started by `start`"]
pub struct ActorBuilder<B: Backend = Tracked> {
    capacity: Option<usize>,
    name: Option<String>,
    stack_size: Option<usize>,
    backend: PhantomData<B>,
}

/// How often an actor that panics is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Restarts {
    /// This often at most, and then its panic is its end.
    AtMost(u32),
    /// Always.
    Always,
}

impl Restarts {
    fn count(self) -> u32 {
        match self {
            Restarts::AtMost(count) => count,
            Restarts::Always => u32::MAX,
        }
    }
}

impl ActorBuilder {
    /// An actor with a mailbox without bound, on a thread without a name.
    pub fn new() -> ActorBuilder {
        ActorBuilder::new_in()
    }
}

impl<B: Backend> ActorBuilder<B> {
    /// [`ActorBuilder::new`], made of `B`.
    pub fn new_in() -> ActorBuilder<B> {
        ActorBuilder {
            capacity: None,
            name: None,
            stack_size: None,
            backend: PhantomData,
        }
    }

    /// Bounds the mailbox: room for this many messages. Starting and ending need none.
    pub fn bounded(mut self, capacity: usize) -> ActorBuilder<B> {
        self.capacity = Some(capacity);
        self
    }

    /// Names the thread.
    pub fn name(mut self, name: impl Into<String>) -> ActorBuilder<B> {
        self.name = Some(name.into());
        self
    }

    /// Sets the size of the stack, in bytes.
    pub fn stack_size(mut self, size: usize) -> ActorBuilder<B> {
        self.stack_size = Some(size);
        self
    }

    /// Starts an actor. A panic is its end.
    ///
    /// # Errors
    ///
    /// That of the system, if it has no room for another thread.
    #[track_caller]
    pub fn start<A: Actor<B> + Send>(self, actor: A) -> io::Result<Handle<A::Message, B>> {
        let mut actor = Some(actor);
        self.spawn(move || once(&mut actor), 0, Site::caller())
    }

    /// Starts the actor that `make` makes, on its own thread, and makes another one if it panics, which goes on
    /// with the same mailbox. The message that was being handled is gone, those behind it are not. A panic of `make`
    /// counts as one of the actor that it was to make. [`on_stop`](Actor::on_stop) runs for each that was made.
    ///
    /// # Errors
    ///
    /// That of the system, if it has no room for another thread.
    #[track_caller]
    pub fn start_supervised<A: Actor<B>>(
        self,
        restarts: Restarts,
        make: impl FnMut() -> A + Send + 'static,
    ) -> io::Result<Handle<A::Message, B>> {
        self.spawn(make, restarts.count(), Site::caller())
    }

    /// Makes an actor without a thread: it lives in the task that is returned, on whatever executor that is given to.
    /// The name and the stack size are for threads only. A panic is its end.
    ///
    /// ```
    /// use lockwise::sync::{Actor, ActorBuilder, Context, Promise, Scheduler};
    ///
    /// struct Double;
    ///
    /// impl Actor for Double {
    ///     type Message = (u32, Promise<u32>);
    ///
    ///     fn handle(&mut self, (number, reply): Self::Message, _: &Context<'_, Self::Message>) {
    ///         let _ = reply.set(2 * number);
    ///     }
    /// }
    ///
    /// let scheduler = Scheduler::new();
    /// let (double, task) = ActorBuilder::new().task(Double);
    /// scheduler.spawn(task);
    /// let six = scheduler.spawn(async move { double.ask_async(|reply| (3, reply)).await.unwrap() });
    /// scheduler.run().unwrap();
    /// assert_eq!(six.result().wait().unwrap(), 6);
    /// ```
    #[track_caller]
    pub fn task<A: Actor<B> + Send>(self, actor: A) -> (Handle<A::Message, B>, ActorTask<A, B>) {
        let mut actor = Some(actor);
        self.make_task(Box::new(move || once(&mut actor)), 0, Site::caller())
    }

    /// [`task`](ActorBuilder::task) of the actor that `make` makes, which makes another one if that panics: see
    /// [`start_supervised`](ActorBuilder::start_supervised).
    #[track_caller]
    pub fn supervised_task<A: Actor<B>>(
        self,
        restarts: Restarts,
        make: impl FnMut() -> A + Send + 'static,
    ) -> (Handle<A::Message, B>, ActorTask<A, B>) {
        self.make_task(Box::new(make), restarts.count(), Site::caller())
    }

    fn make_task<A: Actor<B>>(
        self,
        make: Box<dyn FnMut() -> A + Send>,
        restarts: u32,
        born: Site,
    ) -> (Handle<A::Message, B>, ActorTask<A, B>) {
        let cell = Cell::new(self.capacity, born);
        let handle = Handle::of(Arc::clone(&cell));
        let task = ActorTask::new(cell, handle.downgrade(), make, restarts);
        (handle, task)
    }

    fn spawn<A: Actor<B>>(
        self,
        make: impl FnMut() -> A + Send + 'static,
        restarts: u32,
        born: Site,
    ) -> io::Result<Handle<A::Message, B>> {
        let cell = Cell::new(self.capacity, born);
        let handle = Handle::of(Arc::clone(&cell));
        let me = handle.downgrade();
        let described = Described {
            name: self.name,
            stack_size: self.stack_size,
        };
        B::Threads::start(described, move || live::<A, B>(&cell, &me, make, restarts))?;
        Ok(handle)
    }
}

/// The actor, which is made once, as it is not restarted.
fn once<A>(actor: &mut Option<A>) -> A {
    actor.take().expect("it is made once")
}

impl Default for ActorBuilder {
    fn default() -> ActorBuilder {
        ActorBuilder::new()
    }
}

impl<B: Backend> fmt::Debug for ActorBuilder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorBuilder")
            .field("capacity", &self.capacity)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
