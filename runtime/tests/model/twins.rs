//! Broken twins: each breaks one rule, and the schedules find it.

use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use lockwise::sync::{Lock, Queue};
use lockwise::watch::Site;
use shuttle::sync::Mutex as Shuttled;
use shuttle::sync::atomic::{AtomicBool, Ordering::SeqCst};
use shuttle::thread::{self, Thread};

use super::Model;
use super::backend::ModelMutex;
use super::schedules::is_caught;

/// A list of subscribers with two locks, taken in either order: no leaf.
#[derive(Default)]
struct TwoLocks {
    list: Shuttled<Vec<u32>>,
    count: Shuttled<usize>,
}

impl TwoLocks {
    fn attach(&self, id: u32) {
        let mut list = self.list.lock().unwrap();
        *self.count.lock().unwrap() += 1;
        list.push(id);
    }

    fn sweep(&self) {
        let mut count = self.count.lock().unwrap();
        self.list.lock().unwrap().clear();
        *count = 0;
    }
}

#[test]
fn two_locks_in_one_object_are_caught() {
    is_caught("two-locks", "deadlock", || {
        let object = Arc::new(TwoLocks::default());
        let other = Arc::clone(&object);
        let attaches = thread::spawn(move || other.attach(1));
        object.sweep();
        attaches.join().unwrap();
    });
}

/// An event that wakes under its lock: a waker that looks at the event waits for itself.
#[derive(Default)]
struct WakesUnderLock {
    state: Shuttled<(bool, Vec<Waker>)>,
}

impl WakesUnderLock {
    fn is_set(&self) -> bool {
        self.state.lock().unwrap().0
    }

    fn set(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        for waker in std::mem::take(&mut state.1) {
            waker.wake();
        }
    }

    fn watch(&self, waker: Waker) {
        let mut state = self.state.lock().unwrap();
        if !state.0 {
            state.1.push(waker);
        }
    }
}

/// A waker that looks whether it was right to wake it.
struct Looks(Arc<WakesUnderLock>);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        assert!(self.0.is_set());
    }
}

#[test]
fn foreign_code_under_a_lock_is_caught() {
    is_caught("foreign-code", "deadlock", || {
        let event = Arc::new(WakesUnderLock::default());
        let other = Arc::clone(&event);
        let watches =
            thread::spawn(move || other.watch(Waker::from(Arc::new(Looks(Arc::clone(&other))))));
        event.set();
        watches.join().unwrap();
    });
}

#[test]
fn blocking_while_a_watched_lock_is_held_is_caught() {
    // The backend sees that a thread is about to park with a lock.
    is_caught("holding", "under a lock of ours", || {
        let lock = Arc::new(ModelMutex::new_at(0, Site::caller()));
        let queue = Arc::new(Queue::<u32, Model>::new_in());
        let (same, gives) = (Arc::clone(&lock), Arc::clone(&queue));
        let puts = thread::spawn(move || {
            *same.lock_at(Site::caller()) += 1;
            gives.put(1).unwrap();
        });
        let held = lock.lock_at(Site::caller());
        let got = queue.get();
        assert_eq!((got, *held), (Ok(1), 1));
        drop(held);
        puts.join().unwrap();
    });
}

/// The same with locks that nobody watches: here it is the schedule that hangs.
#[test]
fn waiting_for_an_item_under_the_lock_that_its_producer_needs_is_caught() {
    is_caught("lock-and-queue", "deadlock", || {
        let lock = Arc::new(Shuttled::new(0));
        let queue = Arc::new(Queue::<u32, Model>::new_in());
        let (same, gives) = (Arc::clone(&lock), Arc::clone(&queue));
        let puts = thread::spawn(move || {
            *same.lock().unwrap() += 1;
            gives.put(1).unwrap();
        });
        let held = lock.lock().unwrap();
        assert_eq!(queue.get(), Ok(1));
        drop(held);
        puts.join().unwrap();
    });
}

/// An event whose waiters look first and register after, and do not look again.
#[derive(Default)]
struct LosesWakeUps {
    is_set: AtomicBool,
    waiters: Mutex<Vec<Thread>>,
}

impl LosesWakeUps {
    fn set(&self) {
        self.is_set.store(true, SeqCst);
        let waiters = std::mem::take(&mut *self.waiters.lock().unwrap());
        for waiter in waiters {
            waiter.unpark();
        }
    }

    fn wait(&self) {
        if !self.is_set.load(SeqCst) {
            thread::yield_now();
            self.waiters.lock().unwrap().push(thread::current());
            thread::park();
        }
    }
}

#[test]
fn a_lost_wake_up_is_caught() {
    is_caught("lost-wake-up", "deadlock", || {
        let event = Arc::new(LosesWakeUps::default());
        let waited_for = Arc::clone(&event);
        let waits = thread::spawn(move || waited_for.wait());
        event.set();
        waits.join().unwrap();
    });
}
