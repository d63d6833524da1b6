//! A value per object and thread: [`ThreadLocal`].
//!
//! A value lies in the object, in a table by thread. To be used it is taken out of the table and parked
//! with its thread, so that no lock is held while the program uses it, and a use inside a use finds it
//! there. A thread that ends goes through the objects in which it has left a value.

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use super::backend::{Backend, Lock, Tracked};
use super::number;
use super::threads::Threads;
use crate::watch::Site;

/// A value for each thread that uses it, and for each such object.
///
/// - **Values** are made at first use on a thread, by that thread, and are never seen by another. They
///   must be `Send`, since the object may be dropped elsewhere, but need not be `Sync`.
/// - **Dropped** is a value when its thread ends or when the object is dropped, whichever comes first,
///   once, and with no lock held.
/// - **Blocking**: nothing waits; a use takes the leaf lock of the object twice, for a moment.
/// - **Re-entrancy**: a value may be used inside a use of itself. Making it while it is being made makes
///   two, of which the outer one stays.
/// - **Panic**: a panic of what makes a value leaves none, and the next use makes one; that of a use leaves the value.
/// - **Capacity, close, order, fairness**: none, as threads have nothing in common here.
/// - **Ends of threads**: while the locals of a thread are being destroyed a value can still be had; one
///   that is made so late is dropped with the object.
///
/// ```
/// use std::cell::Cell;
///
/// use lockwise::sync::ThreadLocal;
/// use lockwise::thread;
///
/// let calls = ThreadLocal::new();
/// let count = || calls.with(|| Cell::new(0), |calls| {
///     calls.set(calls.get() + 1);
///     calls.get()
/// });
/// assert_eq!((count(), count()), (1, 2));
/// thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(count(), 1));
/// });
/// ```
pub struct ThreadLocal<T: Send + 'static, B: Backend = Tracked> {
    table: Arc<Table<T, B>>,
    number: u64,
}

/// The values that are not in use.
struct Table<T: Send, B: Backend> {
    values: B::Mutex<HashMap<u64, T>>,
    born: Site,
}

/// A table, as a thread remembers it.
trait Leave {
    /// Drops the value of a thread that ends.
    fn leave(&self, thread: u64);
}

impl<T: Send, B: Backend> Leave for Table<T, B> {
    fn leave(&self, thread: u64) {
        let value = self.values.lock_at(self.born).remove(&thread);
        drop(value);
    }
}

/// Where a thread has values. Dropped when the thread ends.
pub(super) struct Visited {
    /// The number of the thread.
    thread: u64,
    /// By the number of the object.
    tables: BTreeMap<u64, Weak<dyn Leave>>,
    /// How many there were after those were taken out that are gone.
    swept: usize,
}

impl Visited {
    pub(super) const fn new() -> Visited {
        Visited {
            thread: 0,
            tables: BTreeMap::new(),
            swept: 0,
        }
    }

    /// Remembers an object, and forgets those that are gone, each time their number has doubled.
    fn add(&mut self, thread: u64, number: u64, table: &Arc<impl Leave + 'static>) {
        self.thread = thread;
        if self.tables.len() > 2 * self.swept + 8 {
            self.tables.retain(|_, table| table.strong_count() > 0);
            self.swept = self.tables.len();
        }
        self.tables
            .insert(number, Arc::downgrade(table) as Weak<dyn Leave>);
    }
}

impl Drop for Visited {
    fn drop(&mut self) {
        for table in self.tables.values().filter_map(Weak::upgrade) {
            table.leave(self.thread);
        }
    }
}

/// A value that is in use: by which thread, of which object.
type InUse = ((u64, u64), Rc<dyn Any>);

thread_local! {
    /// The values that are in use, the innermost use last.
    static IN_USE: RefCell<Vec<InUse>> = const { RefCell::new(Vec::new()) };
}

impl<T: Send + 'static> ThreadLocal<T> {
    /// An object without values. The caller is its creation site.
    #[track_caller]
    pub fn new() -> ThreadLocal<T> {
        ThreadLocal::new_in()
    }
}

impl<T: Send + 'static, B: Backend> ThreadLocal<T, B> {
    /// An object without values, made of `B`.
    #[track_caller]
    pub fn new_in() -> ThreadLocal<T, B> {
        let born = Site::caller();
        ThreadLocal {
            table: Arc::new(Table {
                values: B::Mutex::new_at(HashMap::new(), born),
                born,
            }),
            number: number::fresh(),
        }
    }

    /// Uses this thread's value, which `make` makes if there is none.
    ///
    /// # Panics
    ///
    /// If `make` or `f` panics; a value that is there stays.
    #[track_caller]
    pub fn with<R>(&self, make: impl FnOnce() -> T, f: impl FnOnce(&T) -> R) -> R {
        let at = Site::caller();
        if let Some(value) = self.in_use() {
            return f(&value);
        }
        let thread = B::Threads::number();
        let there = self.table.values.lock_at(at).remove(&thread);
        let value = there.unwrap_or_else(|| {
            let value = make();
            // In the destructors of a thread's locals this may be gone.
            B::Threads::with_own(|own| {
                own.visited
                    .borrow_mut()
                    .add(thread, self.number, &self.table);
            });
            value
        });
        let used = Used {
            local: self,
            value: Some(Rc::new(value)),
            at,
        };
        let value = used.value.as_ref().expect("it is taken by drop");
        used.enter(value);
        f(value)
    }

    /// How many threads have a value that is not being used now: a hint.
    #[track_caller]
    pub fn idle(&self) -> usize {
        self.table.values.lock_at(Site::caller()).len()
    }

    /// Takes this thread's value out, if it has one and is not using it.
    #[track_caller]
    pub fn take(&self) -> Option<T> {
        let mut values = self.table.values.lock_at(Site::caller());
        values.remove(&B::Threads::number())
    }

    /// This thread's value of this object.
    fn key(&self) -> (u64, u64) {
        (B::Threads::number(), self.number)
    }

    /// The value, if this thread is using it already.
    fn in_use(&self) -> Option<Rc<T>> {
        let wanted = self.key();
        let found = IN_USE.try_with(|in_use| {
            let in_use = in_use.borrow();
            let found = in_use.iter().find(|(key, _)| *key == wanted);
            found.map(|(_, value)| Rc::clone(value))
        });
        found.ok().flatten()?.downcast().ok()
    }
}

/// A value in use; dropping this puts it back, also by unwinding.
struct Used<'a, T: Send + 'static, B: Backend> {
    local: &'a ThreadLocal<T, B>,
    value: Option<Rc<T>>,
    at: Site,
}

impl<T: Send + 'static, B: Backend> Used<'_, T, B> {
    fn enter(&self, value: &Rc<T>) {
        let (key, value) = (self.local.key(), Rc::clone(value) as Rc<dyn Any>);
        let _ = IN_USE.try_with(|in_use| in_use.borrow_mut().push((key, value)));
    }
}

impl<T: Send + 'static, B: Backend> Drop for Used<'_, T, B> {
    fn drop(&mut self) {
        let key = self.local.key();
        let left = IN_USE.try_with(|in_use| {
            let mut in_use = in_use.borrow_mut();
            let at = in_use.iter().rposition(|(used, _)| *used == key);
            at.map(|at| in_use.remove(at))
        });
        drop(left);
        let Some(Ok(value)) = self.value.take().map(Rc::try_unwrap) else {
            return;
        };
        let mut values = self.local.table.values.lock_at(self.at);
        let other = values.insert(B::Threads::number(), value);
        drop(values);
        // Made by `make` while it made this one.
        drop(other);
    }
}

impl<T: Send + 'static> Default for ThreadLocal<T> {
    #[track_caller]
    fn default() -> ThreadLocal<T> {
        ThreadLocal::new()
    }
}

impl<T: Send + 'static, B: Backend> Drop for ThreadLocal<T, B> {
    fn drop(&mut self) {
        let mut values = self.table.values.lock_at(self.table.born);
        let all = std::mem::take(&mut *values);
        drop(values);
        drop(all);
    }
}

impl<T: Send + 'static, B: Backend> fmt::Debug for ThreadLocal<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadLocal").finish_non_exhaustive()
    }
}
