//! What threads and tasks hand each other things with, and wait for each other at.
//!
//! The watcher sees who waits here, for what, and what is held meanwhile. What hangs is told (LW0001), at once where it
//! is known who alone could end a wait: see below. Waiting here while holding a lock that the other side needs, without
//! having hung, is told by the checker, from what a run has recorded (`cargo lockwise`) or from the code, as LW0006, as
//! for every other wait. The inner locks are leaves, through which no circle leads; they are watched where all events
//! are recorded, see [`LeafMutex`].
//!
//! # Who can end a wait
//!
//! | a thread waits for | it can be ended by | a circle through it is told |
//! | --- | --- | --- |
//! | the result of a job of a pool or worker that runs, or of [`Promise::fulfil`]; for all of several ([`Until::All`]) | the thread that does the work, when that is done | at once |
//! | all jobs of a pool ([`ThreadPool::join`], shutdown, drop) | each thread that has one | at once |
//! | the end of an actor | its thread | at once |
//! | the end of deliveries to a subscriber ([`Exchange::detach_sync`]) | each thread that delivers | at once |
//! | results of the own pool, if all its workers do so; answers or ends of actors that wait for each other | nobody | by an error, at once |
//! | an item, room, all items of a queue done; an event, a barrier; a message of an exchange; a result that the program gives itself, or of a job that has not begun; the first of several | whoever has a reference | when no thread of the process can go on any more |
//!
//! In the last row nobody can be named. A [`Sender`], a [`Promise`] or a [`Task`] may lie in any thread, be reached through
//! a reference by several, and be moved without a trace: a thread that has never touched a queue can be the one that puts
//! the item, and a circle told while it runs could be none. So these waits are recorded with what is held and since
//! when ([`describe_waits`](crate::describe_waits), `LOCKWISE_STALL`), they are judged after the run, and while it lasts a
//! circle is told only if nobody is left who could end it, on Linux. A wait with a deadline ends by itself and is never told.
//!
//! # Three rules
//!
//! They hold for all of them, and the tests of this crate run under its own checker to show it.
//!
//! 1. *Leaf locks*: an object has one internal lock, and takes no other lock while it holds that. (A [`Queue`] has
//!    two; while it holds the one it only tries the other, as who looks at a lock that may be taken.)
//! 2. *No foreign code under a lock*: no closure, destructor, `Clone`, comparison or waker of the program
//!    runs while an internal lock is held, so all of these may use the very object they belong to.
//! 3. *Nothing is waited for under an internal lock*: whoever waits queues up, gives the lock back and
//!    parks ([`std::thread::park`]; a token of an `unpark` of the program's own may be used up by that). Before
//!    that a thread looks on for a moment, about a microsecond and some turns of
//!    [`yield_now`](std::thread::yield_now), as far as this has paid for it lately; where it has not it tries
//!    a longer look now and then, of forty microseconds at most.
//!
//! What is not covered by them: a queue that grows asks the program's allocator for memory under its internal lock;
//! the thread that wakes tasks at a time is started under the lock of its list; and [`Semaphore`] and [`Condvar`] are
//! locks of this crate, made of no backend, whose threads wait on a condition of `parking_lot`, which gives their
//! internal lock back meanwhile.
//!
//! Apart from that, the tests run each of them under some thousand schedules that are chosen for them, with
//! deadlines that come at any time. Whoever builds on these primitives can do the same with their own code: a
//! [`Backend`] says what locks are, and its [`Threads`] what threads and the clock are.
//!
//! # In common
//!
//! - Objects whose name takes a second parameter are made of [`Tracked`] locks by default; `new_in` makes
//!   them of another [`Backend`], such as [`Raw`], which nobody watches.
//! - No object is poisoned by a panic: no critical section of ours can panic half-way. So they are
//!   [`UnwindSafe`](std::panic::UnwindSafe), and need no `AssertUnwindSafe` to be used in `catch_unwind`.
//! - A timeout of zero is one try. What is ready is got also after the deadline. A timeout too long to be
//!   written down is none.
//! - Waiters come first that came first, but somebody who does not have to wait may pass them.
//! - Each method that blocks has an `_async` form that gives a future, for any executor; [`within`] gives it a
//!   deadline. It can be dropped at any time: before it was ready it has not put, sent or got anything, and a
//!   wake-up that comes too late is passed on. What it was to put is dropped with it, unless
//!   [`take_back`](Put::take_back) is called. (Without capacity a put differs, see [`Put`].) What is done by such
//!   futures is not among the waits that are reported while they last, since a task that waits keeps no thread. (A
//!   [`Condvar`] has none, as the guard of its mutex must not be kept across an `await`; an [`Event`] does what it is
//!   for, and shows how.)
//! - Lengths and the like are hints: they may be out of date when they are returned.
//! - `Debug` never waits.

#![forbid(unsafe_code)]

mod actor;
mod alarm;
mod backend;
mod barrier;
mod deadline;
mod delay;
mod event;
mod exchange;
mod leaf;
mod number;
mod park;
pub mod poller;
mod pool;
mod priority;
mod promise;
mod queue;
mod scheduler;
mod select;
mod thread_local;
mod threads;
mod unwinding;

pub use crate::{Condvar, Semaphore, SemaphoreAcquire, SemaphoreGuard};
pub use actor::{
    Actor, ActorBuilder, ActorTask, AskError, Context, Exit, Handle, JoinError, Recipient,
    Restarts, SendError, Status, Timer, WeakHandle, start,
};
pub use alarm::within;
pub use backend::{Backend, Flow, Lock, NoFlow, Raw, Tracked, TrackedFlow};
pub use barrier::{Barrier, BarrierWait, BrokenBarrier};
pub use delay::{DelayQueue, DelayToken};
pub use event::{Event, EventWait};
pub use exchange::{
    Delivered, Delivering, Delivery, Exchange, InDelivery, Read, ReadError, Reader, Sink, Slow,
    Subscription, SubscriptionId, WrongType, exchange, exchange_names,
};
pub use leaf::{LeafGuard, LeafMutex};
pub use poller::{Ended, NothingToWaitFor, Poller, Room, Source};
pub use pool::{BuildError, Map, PoolBuilder, Refused, Shutdown, ThreadPool, Worker};
pub use priority::{GetHighest, Priority, PriorityQueue, Token};
pub use promise::{
    AsCompleted, End, Failure, Future, Promise, Until, Waited, as_completed, wait_for,
    wait_for_async,
};
pub use queue::{
    Get, GetError, Iter, Put, PutError, Queue, Receiver, Sender, Task, TryIter, WeakSender,
};
pub use scheduler::{ScheduledTask, Scheduler, Sleep, Stuck, YieldNow, block_on, yield_now};
pub use select::select;
pub use thread_local::ThreadLocal;
pub use threads::{Described, OsThreads, Own, Threads};
