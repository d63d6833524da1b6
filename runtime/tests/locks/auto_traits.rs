//! Our types may be sent, shared and unwound over exactly where those that they stand for may.

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

/// Says of a type whether it has a trait: the inherent constant, if it has, hides the trait's.
macro_rules! has {
    ($Type:ty, $Trait:ident) => {{
        struct Probe<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "not used where the type has the trait")]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "not used where the type lacks the trait")]
        impl<T: ?Sized + $Trait> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$Type>>::HAS
    }};
}

/// Compares two types in the four auto traits.
macro_rules! same {
    ($($Ours:ty = $Theirs:ty),* $(,)?) => {
        $(
            assert_eq!(
                [
                    has!($Ours, Send),
                    has!($Ours, Sync),
                    has!($Ours, UnwindSafe),
                    has!($Ours, RefUnwindSafe),
                ],
                [
                    has!($Theirs, Send),
                    has!($Theirs, Sync),
                    has!($Theirs, UnwindSafe),
                    has!($Theirs, RefUnwindSafe),
                ],
                "{}", stringify!($Ours)
            );
        )*
    };
}

/// Compares a lock and its guards for a value of this type.
macro_rules! same_for {
    ($Value:ty) => {
        same!(
            lockwise::Mutex<$Value> = parking_lot::Mutex<$Value>,
            lockwise::MutexGuard<'static, $Value> = parking_lot::MutexGuard<'static, $Value>,
            lockwise::MappedMutexGuard<'static, $Value> =
                parking_lot::MappedMutexGuard<'static, $Value>,
            lockwise::ArcMutexGuard<$Value> =
                parking_lot::ArcMutexGuard<parking_lot::RawMutex, $Value>,
            lockwise::FairMutex<$Value> = parking_lot::FairMutex<$Value>,
            lockwise::FairMutexGuard<'static, $Value> =
                parking_lot::FairMutexGuard<'static, $Value>,
            lockwise::ReentrantMutex<$Value> = parking_lot::ReentrantMutex<$Value>,
            lockwise::ReentrantMutexGuard<'static, $Value> =
                parking_lot::ReentrantMutexGuard<'static, $Value>,
            lockwise::RwLock<$Value> = parking_lot::RwLock<$Value>,
            lockwise::RwLockReadGuard<'static, $Value> =
                parking_lot::RwLockReadGuard<'static, $Value>,
            lockwise::RwLockWriteGuard<'static, $Value> =
                parking_lot::RwLockWriteGuard<'static, $Value>,
            lockwise::RwLockUpgradableReadGuard<'static, $Value> =
                parking_lot::RwLockUpgradableReadGuard<'static, $Value>,
            lockwise::MappedRwLockReadGuard<'static, $Value> =
                parking_lot::MappedRwLockReadGuard<'static, $Value>,
            lockwise::OnceCell<$Value> = once_cell::sync::OnceCell<$Value>,
            lockwise::Lazy<$Value> = once_cell::sync::Lazy<$Value>,
            lockwise::Lazy<u8, $Value> = once_cell::sync::Lazy<u8, $Value>,
        );
    };
}

#[test]
fn auto_traits_are_those_of_the_originals() {
    same_for!(u32);
    same_for!(Cell<u32>);
    same_for!(Rc<u32>);
    same_for!(*const u32);
    same_for!(&'static Cell<u32>);
    same_for!(&'static mut u32);
    same_for!(std::sync::MutexGuard<'static, u32>);
    same!(
        lockwise::Condvar = parking_lot::Condvar,
        lockwise::Once = parking_lot::Once,
        lockwise::Barrier = std::sync::Barrier,
        lockwise::BarrierWaitResult = std::sync::BarrierWaitResult,
        lockwise::WaitTimeoutResult = parking_lot::WaitTimeoutResult,
    );
    assert!(has!(lockwise::Semaphore, Send) && has!(lockwise::Semaphore, Sync));
    assert!(has!(lockwise::SemaphoreGuard<'static>, Send));
}

#[test]
fn no_lock_needs_to_be_dropped() {
    use std::mem::needs_drop;
    assert!(!needs_drop::<lockwise::Mutex<u32>>());
    assert!(!needs_drop::<lockwise::FairMutex<u32>>());
    assert!(!needs_drop::<lockwise::RwLock<u32>>());
    assert!(!needs_drop::<lockwise::ReentrantMutex<u32>>());
    assert!(!needs_drop::<lockwise::Condvar>());
    assert!(!needs_drop::<lockwise::Once>());
    assert!(!needs_drop::<lockwise::OnceCell<u32>>());
    assert!(!needs_drop::<lockwise::Lazy<u32>>());
    // A semaphore does: it stands in for nothing of others, and has a row of tasks that wait.
}
