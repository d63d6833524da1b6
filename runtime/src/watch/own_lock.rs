//! The watcher's own lock: it guards what only slow paths touch.
//!
//! It is a plain flag and not a lock of the standard library, because it must survive `fork`: the
//! handler takes it before and gives it back after, in the parent and in the child. It yields while
//! it waits; the sections are short and happen for new chains only.
//!
//! Nobody waits for it for ever, since a handler of a signal may keep it from being given back:
//!
//! ```text
//! A: in a section, a signal comes, its handler waits for the lock X
//! B: holds X (as a handler of the same kind, say), and its hook wants the section that A is in
//! so A waits for B, and B for A, in a program that is right without us
//! ```
//!
//! So where a handler is about to wait for something watched ([`waits`]), others go without the sections that it has
//! interrupted until these have ended; whoever has waited for [`PATIENCE`] does so too, since a handler may also wait
//! for what is not watched; and a thread that comes again while it is in a section itself, in a handler, does not wait
//! at all. What was to be done there is not done, which the callers count in the log.
//!
//! What it cannot help against: a handler that comes while the system's allocator is at work, where the memory of hooks
//! comes from that (see `memory`).

use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};
use std::time::{Duration, Instant};

/// Sections take microseconds; but on a busy machine who is in one may be kept from running by others for seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Data that one thread at a time may touch.
pub(super) struct Guarded<T> {
    /// The thread that has the data, as [`me`] tells threads apart; 0 for nobody.
    taken: AtomicUsize,
    /// Who has it waits in a handler, or somebody has waited for it in vain, and it was not given back since.
    is_kept: AtomicBool,
    /// It was taken because its thread forks.
    for_fork: AtomicBool,
    data: UnsafeCell<T>,
}

// SAFETY: `with` hands the data to one thread at a time, so sharing `Guarded` only sends `T`.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    pub(super) const fn new(data: T) -> Self {
        Guarded {
            taken: AtomicUsize::new(0),
            is_kept: AtomicBool::new(false),
            for_fork: AtomicBool::new(false),
            data: UnsafeCell::new(data),
        }
    }

    /// Runs `work` on the data, alone. `work` must not call out of the watcher. None, and `work` was not run, if
    /// this thread is in a section of this lock already, or another stays in one.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        if !self.take(PATIENCE) {
            return None;
        }
        let section = Section {
            is_kept: &raw const self.is_kept,
            around: SECTION.get(),
        };
        // Gives the lock back also if `work` unwinds.
        let _free = Free(self, section.around);
        // What a handler sees is whole.
        compiler_fence(Ordering::Release);
        SECTION.set(&raw const section);
        // SAFETY: the flag is ours until `_free` is dropped, and this thread gets it once only, so nobody
        // else refers to the data.
        Some(work(unsafe { &mut *self.data.get() }))
    }

    /// Takes the lock and keeps it until [`Guarded::end_fork`]: for the handlers of `fork`.
    pub(super) fn begin_fork(&self) {
        if self.take(PATIENCE) {
            self.for_fork.store(true, Ordering::Relaxed);
        }
    }

    /// Gives the lock back that [`Guarded::begin_fork`] took, maybe in another process. False if it could not take
    /// it: then a thread is in a section that may not live in this process.
    pub(super) fn end_fork(&self) -> bool {
        let mine = self.taken.load(Ordering::Relaxed) == me();
        let taken = mine && self.for_fork.swap(false, Ordering::Relaxed);
        if taken {
            self.give_back();
        }
        taken
    }

    /// True if the lock is this thread's now, and was not before.
    #[inline]
    fn take(&self, patience: Duration) -> bool {
        self.try_take().is_ok() || self.wait(patience)
    }

    #[inline]
    fn try_take(&self) -> Result<usize, usize> {
        self.taken
            .compare_exchange(0, me(), Ordering::Acquire, Ordering::Relaxed)
    }

    #[cold]
    fn wait(&self, patience: Duration) -> bool {
        let mut rounds = 0_u32;
        let mut begun = None;
        loop {
            match self.try_take() {
                Ok(_) => return true,
                Err(holder) if holder == me() => return false,
                Err(_) => rounds = rounds.saturating_add(1),
            }
            if rounds < 64 {
                std::hint::spin_loop();
                continue;
            }
            if begun.get_or_insert_with(Instant::now).elapsed() >= patience {
                self.is_kept.store(true, Ordering::Relaxed);
            }
            if self.is_kept.load(Ordering::Relaxed) {
                return false;
            }
            std::thread::yield_now();
        }
    }

    fn give_back(&self) {
        if self.is_kept.load(Ordering::Relaxed) {
            self.is_kept.store(false, Ordering::Relaxed);
        }
        self.taken.store(0, Ordering::Release);
    }
}

/// A section that this thread is in.
struct Section {
    is_kept: *const AtomicBool,
    /// The one in which it is; null for none.
    around: *const Section,
}

thread_local! {
    /// The innermost section that this thread is in; null for none.
    static SECTION: Cell<*const Section> = const { Cell::new(ptr::null()) };
}

/// Called by a hook in which this thread is about to wait, though it is in another hook already. If it is in sections,
/// too, then a handler of a signal waits: so others go without them until they have ended.
#[cold]
pub(super) fn waits() {
    let mut section = SECTION.get();
    while !section.is_null() {
        // SAFETY: a section lies on the stack of `with` for as long as it is in the list of this thread, and the
        // handler runs above it.
        let here = unsafe { &*section };
        // SAFETY: `with` borrows the lock to which it belongs.
        let is_kept = unsafe { &*here.is_kept };
        is_kept.store(true, Ordering::Relaxed);
        section = here.around;
    }
}

/// Tells this thread from all others that live; not 0.
#[inline]
fn me() -> usize {
    SECTION.with(|here| ptr::from_ref(here).addr())
}

struct Free<'a, T>(&'a Guarded<T>, *const Section);

impl<T> Drop for Free<'_, T> {
    fn drop(&mut self) {
        SECTION.set(self.1);
        self.0.give_back();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn who_comes_again_in_a_section_of_its_own_goes_without() {
        let guarded = Guarded::new(0);
        let again = guarded.with(|outer| {
            *outer += 1;
            guarded.with(|inner| *inner += 10)
        });
        assert_eq!(again, Some(None));
        assert_eq!(guarded.with(|data| *data), Some(1), "it is free again");
    }

    #[test]
    fn who_has_waited_long_goes_without_and_others_at_once_until_the_section_ends() {
        let guarded = Guarded::new(0);
        let ((inside, is_inside), (end, ended)) = (channel(), channel());
        thread::scope(|scope| {
            let guarded = &guarded;
            let holder = scope.spawn(move || {
                guarded.with(|data| {
                    inside.send(()).unwrap();
                    // As long as a handler of a signal waits.
                    ended.recv().unwrap();
                    *data += 1;
                })
            });
            is_inside.recv().unwrap();
            assert!(!guarded.take(Duration::ZERO));
            // This would end in no time that a test can wait, if it did not go without.
            assert!(!guarded.take(Duration::MAX));
            guarded.begin_fork();
            assert!(!guarded.end_fork());
            end.send(()).unwrap();
            assert_eq!(holder.join().unwrap(), Some(()));
        });
        assert_eq!(guarded.with(|data| *data), Some(1));
        assert!(!guarded.is_kept.load(Ordering::Relaxed));
    }

    #[test]
    fn who_waits_in_a_section_lets_others_go_without_it_until_it_ends() {
        let (outer, inner, other) = (Guarded::new(0), Guarded::new(0), Guarded::new(0));
        let is_free = |guarded: &Guarded<i32>| {
            // This would end in no time that a test can wait, if it did not go without.
            thread::scope(|scope| {
                let looks = scope.spawn(|| {
                    let taken = guarded.take(Duration::MAX);
                    taken.then(|| guarded.give_back())
                });
                looks.join().unwrap().is_some()
            })
        };
        waits();
        outer.with(|_| {
            inner.with(|_| {
                waits();
                assert!(!is_free(&outer) && !is_free(&inner) && is_free(&other));
            });
            assert!(!is_free(&outer) && is_free(&inner));
        });
        assert!(is_free(&outer));
    }

    #[test]
    fn what_is_kept_for_a_fork_is_given_back_once() {
        let guarded = Guarded::new(());
        guarded.begin_fork();
        assert_eq!(guarded.with(|()| ()), None);
        assert!(guarded.end_fork());
        assert!(!guarded.end_fork());
        assert_eq!(guarded.with(|()| guarded.end_fork()), Some(false));
        assert_eq!(guarded.with(|()| ()), Some(()));
    }
}
