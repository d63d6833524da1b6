//! A thread that waits: it hands out a [`Waker`] as a task would, and parks until that is used.
//!
//! So a primitive knows one kind of waiter, and threads, tasks and pollers queue up for it alike. The
//! waker of a thread is made once and used for one wait after the other. A wait inside a wait (a
//! destructor that runs while a waiter is registered may wait itself) gets one of its own, as
//! otherwise it would take the outer one's wake-up.
//!
//! To put a thread to sleep and to wake it takes microseconds, most waits are shorter; so a thread looks on for a
//! moment before it parks. Whether that pays depends on the machine: on a busy one the other side does not
//! run meanwhile unless the processor is given away, on an idle one it does. So both are learnt apart, by
//! each thread for itself, as a count of what was in vain lately: shared counts would be written by all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use std::task::{Poll, Wake, Waker};

use super::deadline::Deadline;
use super::threads::Threads;

/// A thread that can be woken.
struct Parked<T: Threads> {
    thread: T::Thread,
    woken: AtomicBool,
}

impl<T: Threads> Wake for Parked<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        T::step();
        if !self.woken.swap(true, AcqRel) {
            T::unpark(&self.thread);
        }
    }
}

/// How a thread waits: the same object in two shapes.
pub(super) struct Parker<T: Threads> {
    parked: Arc<Parked<T>>,
    waker: Waker,
}

/// How often in a row looking on may still be in vain; if negative, how many waits are begun without it before
/// it is tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(i32);

/// So often in a row looking on is in vain before it is left be for a while. It costs less than half of what it
/// saves, so it pays also where most of it is in vain.
const PATIENCE_MAX: i32 = 8;
/// So many waits are begun at once then, before looking on is tried again.
const WAITS_WITHOUT: i32 = 16;
/// Looking on begins with this many rounds of doing nothing, each twice as long as the one before: about a
/// microsecond in all, which a thread on another processor needs for what is asked of it.
const ROUNDS: u32 = 6;
/// And then gives the processor away so often, as the other thread may need this very one.
const YIELDS: u32 = 4;

impl Patience {
    /// That of a thread that has not waited.
    pub(super) const FULL: Patience = Patience(PATIENCE_MAX);

    /// Looks whether there is any, does `look` if so, and learns from what that has seen.
    fn look(&mut self, look: impl FnOnce() -> bool) -> bool {
        if self.0 <= 0 {
            // The last of these waits gives it one more try.
            self.0 = if self.0 == 0 { 1 } else { self.0 + 1 };
            return false;
        }
        let seen = look();
        self.0 = match self.0 {
            _ if seen => PATIENCE_MAX,
            1 => -WAITS_WITHOUT,
            left => left - 1,
        };
        seen
    }
}

/// How a thread looks on before it parks, or before it registers its waker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Without giving the processor away, which pays where the other side runs on another one.
    Spin,
    /// With giving it away only, which pays where the other side needs this very one.
    GiveWay,
    /// Both, in this order.
    Both,
}

/// Looks on for a moment whether something becomes `ready`, before the thread waits for it. Most waits are
/// shorter than the time that it takes to put a thread to sleep and to wake it.
///
/// A thread that has looked on in vain some times does not do so for a while.
pub(super) fn look_on<T: Threads>(
    look: Look,
    deadline: Deadline,
    ready: impl Fn() -> bool,
) -> bool {
    // Once the thread's locals are gone it simply waits.
    let Some([mut spins, mut yields]) = T::with_own(|own| own.patience.get()) else {
        return false;
    };
    if deadline.is_past::<T>() {
        return false;
    }
    let seen = look != Look::GiveWay && spins.look(|| spin(&ready))
        || look != Look::Spin && yields.look(|| give_way::<T>(&ready));
    T::with_own(|own| own.patience.set([spins, yields]));
    seen
}

fn spin(ready: impl Fn() -> bool) -> bool {
    (0..ROUNDS).any(|round| {
        (0..1 << round).for_each(|_| std::hint::spin_loop());
        ready()
    })
}

fn give_way<T: Threads>(ready: impl Fn() -> bool) -> bool {
    (0..YIELDS).any(|_| {
        T::give_way();
        ready()
    })
}

impl<T: Threads> Parker<T> {
    fn new() -> Parker<T> {
        let parked = Arc::new(Parked::<T> {
            thread: T::current(),
            woken: AtomicBool::new(false),
        });
        let waker = Waker::from(Arc::clone(&parked));
        Parker { parked, waker }
    }

    /// Parks until woken since the last time, or until the deadline. Whether it was woken.
    fn park(&self, deadline: Deadline) -> bool {
        loop {
            T::step();
            if self.parked.woken.swap(false, Acquire) {
                return true;
            }
            match deadline {
                Deadline::Never => T::park(),
                Deadline::At(deadline) if deadline <= T::now() => return false,
                Deadline::At(deadline) => T::park_until(deadline),
            }
        }
    }
}

/// A parker that goes back when dropped, also by unwinding.
struct Borrowed<T: Threads>(Option<Parker<T>>);

impl<T: Threads> Drop for Borrowed<T> {
    fn drop(&mut self) {
        let parker = self.0.take();
        // Once the thread's locals are gone it is simply dropped.
        T::with_own(|own| own.idle.set(parker));
    }
}

/// Waits until `attempt` is ready, and returns what it gives, or nothing if the deadline comes first.
///
/// `attempt` registers the waker where it will be woken if it is not ready. It is not asked again
/// after the deadline: the caller takes the waker back, and looks one last time as it does.
pub(super) fn wait<T: Threads, R>(
    deadline: Deadline,
    attempt: impl FnMut(&Waker) -> Poll<R>,
) -> Option<R> {
    wait_looking::<T, R>(Some(Look::Both), deadline, attempt)
}

/// The same for a caller that has looked on before, or does not want to: what is left of that is done when
/// the waker is registered. Whoever uses it then does not have to call the system.
pub(super) fn wait_looking<T: Threads, R>(
    mut look: Option<Look>,
    deadline: Deadline,
    mut attempt: impl FnMut(&Waker) -> Poll<R>,
) -> Option<R> {
    let idle = T::with_own(|own| own.idle.take()).flatten();
    let borrowed = Borrowed::<T>(Some(idle.unwrap_or_else(Parker::new)));
    let parker = borrowed.0.as_ref()?;
    loop {
        if let Poll::Ready(ready) = attempt(&parker.waker) {
            return Some(ready);
        }
        if let Some(look) = look.take() {
            look_on::<T>(look, deadline, || parker.parked.woken.load(Relaxed));
        }
        if !parker.park(deadline) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests;
