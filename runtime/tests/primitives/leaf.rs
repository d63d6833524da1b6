//! A backend that proves the rules: a lock taken while another is held is a failed test.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use lockwise::sync::{Backend, Lock, NoFlow, OsThreads};
use lockwise::watch::Site;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// How many locks of this backend the thread has ever taken.
pub(crate) fn taken() -> usize {
    TAKEN.get()
}

/// To be called from what must never run under a lock: destructors, closures, wakers.
#[expect(clippy::print_stderr, reason = "the last words of a failed test")]
pub(crate) fn assert_nothing_held() {
    if HELD.get() != 0 {
        // A panic in a destructor that runs while another panic unwinds says nothing.
        eprintln!("foreign code runs under a lock of ours");
        std::process::abort();
    }
}

#[derive(Debug)]
pub(crate) struct Leaf;

impl Backend for Leaf {
    type Mutex<T: Send> = LeafMutex<T>;
    type Flow = NoFlow;
    type Threads = OsThreads;
}

#[derive(Debug)]
pub(crate) struct LeafMutex<T>(Mutex<T>);

pub(crate) struct LeafGuard<'a, T>(Option<MutexGuard<'a, T>>);

impl<'a, T> LeafGuard<'a, T> {
    fn of(guard: MutexGuard<'a, T>) -> LeafGuard<'a, T> {
        HELD.set(HELD.get() + 1);
        TAKEN.set(TAKEN.get() + 1);
        LeafGuard(Some(guard))
    }
}

impl<T: Send> Lock<T> for LeafMutex<T> {
    type Guard<'a>
        = LeafGuard<'a, T>
    where
        T: 'a;

    fn new_at(value: T, _born: Site) -> Self {
        LeafMutex(Mutex::new(value))
    }

    fn lock_at(&self, _at: Site) -> LeafGuard<'_, T> {
        assert_nothing_held();
        LeafGuard::of(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn try_lock_at(&self, _at: Site) -> Option<LeafGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(LeafGuard::of(guard)),
            Err(TryLockError::Poisoned(poisoned)) => Some(LeafGuard::of(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for LeafGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is taken by drop")
    }
}

impl<T> DerefMut for LeafGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is taken by drop")
    }
}

impl<T> Drop for LeafGuard<'_, T> {
    fn drop(&mut self) {
        drop(self.0.take());
        HELD.set(HELD.get() - 1);
    }
}
