//! One-time initialisation: `parking_lot`'s `Once`, watched.

use std::fmt;

pub use parking_lot::OnceState;

use super::gate::Gate;
use crate::watch::{Identity, Kind, Site};

/// Runs a closure once, whoever asks first.
///
/// It has the methods of `parking_lot::Once`. While the closure runs, its thread holds the `Once`
/// as it would hold a mutex; others wait. A closure that panics poisons it.
///
/// ```
/// use lockwise::Once;
///
/// static START: Once = Once::new();
///
/// START.call_once(|| println!("starting"));
/// START.call_once(|| unreachable!());
/// ```
pub struct Once {
    gate: Gate,
    once: parking_lot::Once,
}

impl Once {
    /// Makes a `Once` whose closure has not run. The caller is its creation site.
    #[inline]
    #[track_caller]
    pub const fn new() -> Once {
        Once::with_identity(Once::identity_at(Site::caller()))
    }

    /// Makes a `Once` of the class `name`.
    #[inline]
    #[track_caller]
    pub const fn named(name: &'static str) -> Once {
        Once::with_identity(Once::identity_at(Site::caller()).named(name))
    }

    /// What has become of the closure.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.once.state()
    }

    /// Runs the closure if none has run, and waits if another thread is running one.
    ///
    /// # Panics
    ///
    /// If an earlier closure panicked; if this is called inside the closure of the same `Once`,
    /// which would wait for itself; if the request breaks a rule and the program chose to panic on
    /// that. A panic of the closure goes on, and poisons.
    #[inline]
    #[track_caller]
    pub fn call_once<F>(&self, closure: F)
    where
        F: FnOnce(),
    {
        if self.once.state().done() {
            return;
        }
        // Dropped outside if it is not called: what it owns may take locks.
        let mut closure = Some(closure);
        let _inside = self.gate.enter(Site::caller());
        self.once
            .call_once(|| closure.take().expect("it is called once at most")());
    }

    /// [`Once::call_once`] that runs also after an earlier closure panicked, and says so to this
    /// one.
    ///
    /// # Panics
    ///
    /// As [`Once::call_once`], but not if an earlier closure panicked.
    #[inline]
    #[track_caller]
    pub fn call_once_force<F>(&self, closure: F)
    where
        F: FnOnce(OnceState),
    {
        if self.once.state().done() {
            return;
        }
        let mut closure = Some(closure);
        let _inside = self.gate.enter(Site::caller());
        self.once
            .call_once_force(|state| closure.take().expect("it is called once at most")(state));
    }

    /// Who the object is; nobody, if checks are off.
    #[inline]
    pub fn identity(&self) -> Option<&Identity> {
        self.gate.identity()
    }

    const fn identity_at(born: Site) -> Identity {
        Identity::new(Kind::Once, born, std::any::type_name::<()>)
    }

    const fn with_identity(identity: Identity) -> Once {
        Once {
            gate: Gate::new(identity),
            once: parking_lot::Once::new(),
        }
    }
}

impl Default for Once {
    #[inline]
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.once, f)
    }
}
