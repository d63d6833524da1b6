//! Threads that borrow: [`scope`].
//!
//! At the end of a scope std waits for all its threads at once and says nothing of it. Here the
//! opener of the scope waits for them one by one before, so that each wait is told like a join: a
//! deadlock with one thread of many then shows whom the opener waits for. As with std, a thread
//! counts as ended when its function has; the destructors of its thread-locals may run later.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::Result;

use crate::watch::Site;
use crate::watch::hooks::{self, ThreadRef};

use super::builder::Builder;
use super::parking::{Parking, Thread, current};

/// A scope in which threads may borrow, as [`std::thread::Scope`].
pub struct Scope<'scope, 'env> {
    inner: &'scope std::thread::Scope<'scope, 'env>,
    unjoined: Unjoined,
    /// For the lifetimes and auto traits of std's type, which is not behind a reference.
    shape: PhantomData<&'scope mut &'env ()>,
}

/// The right to join a thread of a scope, as [`std::thread::ScopedJoinHandle`].
pub struct ScopedJoinHandle<'scope, T> {
    inner: std::thread::ScopedJoinHandle<'scope, T>,
    handle: Thread,
    thread: ThreadRef,
    unjoined: &'scope Unjoined,
    ticket: u64,
}

/// Calls `f` with a scope, and returns when all threads of that scope have ended, as
/// [`std::thread::scope`].
///
/// # Panics
///
/// If `f` does, or if a thread panicked that nobody joined.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let at = Site::caller();
    let home = Home(Cell::new(ptr::null_mut()));
    std::thread::scope(|inner| {
        let scope = Scope {
            inner,
            unjoined: Unjoined::default(),
            shape: PhantomData,
        };
        // SAFETY: this function runs once, so `home` is empty. `'scope` is over when
        // `std::thread::scope` returns or unwinds, as the scope of std is gone by then, and `home`
        // is dropped after that.
        let scope = unsafe { home.settle(scope) };
        let _rest = JoinRest {
            unjoined: &scope.unjoined,
            at,
        };
        f(scope)
    })
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that calls `f`, which may borrow what outlives the scope.
    ///
    /// # Panics
    ///
    /// If the system has no room for another thread.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Builder::new()
            .spawn_scoped(self, f)
            .expect("failed to spawn thread")
    }

    /// Starts the thread that `builder` describes.
    pub(super) fn start<F, T>(
        &'scope self,
        builder: std::thread::Builder,
        f: F,
        at: Site,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let birth = hooks::forking(at);
        let thread = birth.thread();
        let ended = Arc::new(Once::new());
        let ending = Ending(Arc::clone(&ended));
        let parking = Parking::born(at);
        let own = parking.clone();
        let inner = builder.spawn_scoped(self.inner, move || {
            let _ending = ending;
            own.settle();
            birth.start(current().name());
            f()
        })?;
        Ok(ScopedJoinHandle {
            handle: parking.of(inner.thread()),
            inner,
            thread,
            unjoined: &self.unjoined,
            ticket: self.unjoined.add(thread, ended),
        })
    }
}

impl<T> ScopedJoinHandle<'_, T> {
    /// The thread.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.handle
    }

    /// Waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// What the thread panicked with.
    ///
    /// # Panics
    ///
    /// On some systems, if a thread joins itself.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let at = Site::caller();
        hooks::joining(self.thread, at);
        let result = self.inner.join();
        hooks::joined(self.thread, at);
        self.unjoined.remove(self.ticket);
        result
    }

    /// Whether the thread has ended its work. Never waits.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// The threads of a scope that nobody has joined yet.
#[derive(Default)]
struct Unjoined(Mutex<Threads>);

/// Threads by ticket, so in the order of their start.
#[derive(Default)]
struct Threads {
    by_ticket: BTreeMap<u64, Running>,
    /// Tickets are not used again: a thread may be taken out while another still joins it.
    next_ticket: u64,
}

/// A thread of a scope.
struct Running {
    thread: ThreadRef,
    /// Completed when the function of the thread has ended.
    ended: Arc<Once>,
}

impl Unjoined {
    fn add(&self, thread: ThreadRef, ended: Arc<Once>) -> u64 {
        let mut threads = self.lock();
        let ticket = threads.next_ticket;
        threads.next_ticket += 1;
        threads.by_ticket.insert(ticket, Running { thread, ended });
        ticket
    }

    fn remove(&self, ticket: u64) {
        self.lock().by_ticket.remove(&ticket);
    }

    fn take_oldest(&self) -> Option<Running> {
        self.lock()
            .by_ticket
            .pop_first()
            .map(|(_, running)| running)
    }

    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Joins, when dropped, all threads that nobody has joined. Those that they start come in time:
/// a thread is waited for before its list can be seen empty.
struct JoinRest<'a> {
    unjoined: &'a Unjoined,
    at: Site,
}

impl Drop for JoinRest<'_> {
    fn drop(&mut self) {
        while let Some(Running { thread, ended }) = self.unjoined.take_oldest() {
            hooks::joining_work(thread, self.at);
            ended.wait();
            hooks::joined(thread, self.at);
        }
    }
}

/// Tells, when dropped, that the function of a thread has ended, also by unwinding.
struct Ending(Arc<Once>);

impl Drop for Ending {
    fn drop(&mut self) {
        hooks::work_done();
        self.0.call_once(|| ());
    }
}

/// Where a [`Scope`] lives: longer than the threads that refer to it, which std joins only after
/// the function has returned in which the scope can be made. Null until then.
struct Home(Cell<*mut ()>);

impl Home {
    /// Keeps `scope` until this home is dropped.
    ///
    /// # Safety
    ///
    /// This home must be empty, and outlive `'scope`.
    unsafe fn settle<'scope, 'env>(
        &self,
        scope: Scope<'scope, 'env>,
    ) -> &'scope Scope<'scope, 'env> {
        let scope = Box::into_raw(Box::new(scope));
        self.0.set(scope.cast());
        // SAFETY: `scope` came from a box, so it is aligned and initialised, and nobody has a
        // mutable reference to it. Only the drop of this home frees it, which happens after
        // `'scope` by the promise of the caller.
        unsafe { &*scope }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let scope = self.0.get().cast::<Scope<'_, '_>>();
        if !scope.is_null() {
            // SAFETY: `settle` took it from a box of this type, lifetimes aside, and into an empty
            // home, so that it is freed here only. The caller of `settle` promised that `'scope` is
            // over, and with it all references.
            drop(unsafe { Box::from_raw(scope) });
        }
    }
}
