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
//! While it looks on it holds no lock, and is registered nowhere or where it will be woken as if it slept.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Wake, Waker};
use std::thread::available_parallelism;
use std::time::Duration;

use super::deadline::Deadline;
use super::threads::Threads;
use crate::watch::Site;

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

/// What looking on was good for lately, as one thread has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience(Reach);

/// How long a thread looks on, and how often it still does so if nothing comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// As long as a thread that runs needs for an answer.
    Short(u32),
    /// As long as one needs that has to be woken for it. Where two threads ask each other in turn and both sleep
    /// meanwhile, short looks never find the other one awake, though it would answer at once.
    Long(u32),
    /// Not at all, for so many waits.
    Without(u32),
}

/// What a look has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Soon,
    /// A short look would have missed it.
    Late,
    Nothing,
}

/// So often in a row a short look is in vain before a long one is tried. Each costs less than half of what it
/// saves, so it pays also where most of it is in vain.
const SHORT_MAX: u32 = 6;
/// So often in a row a look is long and sees something late. That saves little by itself: the point is that the
/// other side finds this one awake when it tries a long look too. So these are more than [`WITHOUT`]: of two that
/// go on like this neither can always be at the one while the other is at the other.
const LONG_MAX: u32 = 24;
/// So many waits are begun at once, when that led to nothing, before a long look is tried again: that costs each of
/// them two or three microseconds, if it is always in vain.
const WITHOUT: u32 = 16;
/// Looking on begins with this many rounds of doing nothing, each twice as long as the one before: about a
/// microsecond in all, which a thread on another processor needs for what is asked of it.
pub(super) const ROUNDS: u32 = 6;
/// And then gives the processor away so often, as the other thread may need this very one.
const YIELDS: u32 = 4;
/// A long look gives it away again and again for so long: to put a thread to sleep and to wake it takes the
/// processors as long, on a virtual machine at least.
const LONG: Duration = Duration::from_micros(40);

impl Patience {
    /// That of a thread that has not waited.
    pub(super) const FULL: Patience = Patience(Reach::Short(SHORT_MAX));

    /// Does `look`, which is told whether it may be long, if there is any patience, and learns from what it
    /// has seen.
    fn look(&mut self, look: impl FnOnce(bool) -> Seen) -> bool {
        if let Reach::Without(waits) = self.0 {
            self.0 = match waits {
                0 | 1 => Reach::Long(LONG_MAX),
                more => Reach::Without(more - 1),
            };
            return false;
        }
        let seen = look(matches!(self.0, Reach::Long(_)));
        self.0 = match (self.0, seen) {
            (_, Seen::Soon) => Reach::Short(SHORT_MAX),
            (Reach::Short(left), _) if left > 1 => Reach::Short(left - 1),
            (Reach::Short(_), _) => Reach::Long(LONG_MAX),
            (Reach::Long(left), Seen::Late) if left > 1 => Reach::Long(left - 1),
            _ => Reach::Without(WITHOUT),
        };
        seen != Seen::Nothing
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
    let seen = look != Look::GiveWay && others_run() && spins.look(|_| spin(&ready))
        || look != Look::Spin && yields.look(|long| give_way::<T>(long, deadline, &ready));
    T::with_own(|own| own.patience.set([spins, yields]));
    seen
}

/// Whether another thread can run while this one does.
fn others_run() -> bool {
    static OTHERS_RUN: OnceLock<bool> = OnceLock::new();
    *OTHERS_RUN.get_or_init(|| available_parallelism().is_ok_and(|threads| threads.get() > 1))
}

fn spin(ready: impl Fn() -> bool) -> Seen {
    let seen = (0..ROUNDS).any(|round| {
        (0..1 << round).for_each(|_| std::hint::spin_loop());
        ready()
    });
    if seen { Seen::Soon } else { Seen::Nothing }
}

fn give_way<T: Threads>(long: bool, deadline: Deadline, ready: impl Fn() -> bool) -> Seen {
    let gives_way = || {
        T::give_way();
        ready()
    };
    if (0..YIELDS).any(|_| gives_way()) {
        return Seen::Soon;
    }
    if !long {
        return Seen::Nothing;
    }
    let start = T::now();
    let mut now = start;
    while !deadline.is_past::<T>() && now - start < LONG {
        if gives_way() {
            return Seen::Late;
        }
        let before = std::mem::replace(&mut now, T::now());
        if now == before {
            // By a clock that stands still this would never end.
            break;
        }
    }
    Seen::Nothing
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

/// A thread that waits for several objects, as the watcher is told, until this is dropped.
pub(super) struct ForAny<T: Threads>(PhantomData<fn() -> T>);

impl<T: Threads> ForAny<T> {
    pub(super) fn begin(at: Site) -> ForAny<T> {
        T::waits_for_any(at);
        ForAny(PhantomData)
    }
}

impl<T: Threads> Drop for ForAny<T> {
    fn drop(&mut self) {
        T::waits_no_more();
    }
}

#[cfg(test)]
mod tests;
