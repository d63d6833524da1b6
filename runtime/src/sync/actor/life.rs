//! An actor from its making to its drop, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

use super::cell::Cell;
use super::circle;
use super::context::Context;
use super::exit::{Exit, Status};
use super::handle::WeakHandle;
use super::role::Actor;
use super::timers::Timers;
use crate::sync::backend::Backend;

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
    let timers = Timers::new();
    let ran = caught(|| {
        let context = Context::new(cell, me, &timers);
        actor.on_start(&context);
        cell.advance(Status::Running);
        actor.run(&context);
    });
    let exit = ran.err().unwrap_or_else(|| handled_all(cell));
    end(cell, actor, &exit, restarts);
    exit
}

/// How an actor ends that gets no more messages.
pub(super) fn handled_all<M: Send, B: Backend>(cell: &Cell<M, B>) -> Exit {
    if cell.is_killed.load(Acquire) {
        Exit::Killed
    } else {
        Exit::Closed
    }
}

/// The end of an actor, after which there may be another one.
pub(super) fn end<A: Actor<B>, B: Backend>(
    cell: &Cell<A::Message, B>,
    mut actor: A,
    exit: &Exit,
    restarts: u32,
) {
    cell.node.handles::<B::Threads>(0);
    if cell.is_over(exit, restarts) {
        cell.advance(Status::Stopping);
    }
    // A panic of the hook, or of the drop, is printed; what counts is how the actor ended.
    let _ = caught(|| actor.on_stop(exit));
    drop_quietly(actor);
}

/// Runs `f`; its panic is how the actor ends.
pub(super) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Exit> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = crate::sync::promise::text(&*payload).unwrap_or("no text");
        let exit = Exit::Panicked(Arc::from(text));
        drop_quietly(payload);
        exit
    })
}

/// Drops something of the program, whose panic must not keep the end from being told.
pub(super) fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}
