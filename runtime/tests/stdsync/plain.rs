//! With checks off the types are those of std, not others like them.

use std::any::TypeId;
use std::sync;

use lockwise::stdsync;

#[test]
fn each_type_is_that_of_std() {
    macro_rules! assert_is_std {
        ($($type:ident $(<$($argument:tt),*>)?),* $(,)?) => {
            $(assert_eq!(
                TypeId::of::<stdsync::$type $(<$($argument),*>)?>(),
                TypeId::of::<sync::$type $(<$($argument),*>)?>(),
            );)*
        };
    }
    assert_is_std!(Mutex<u8>, RwLock<u8>, OnceLock<u8>, LazyLock<u8>);
    assert_is_std!(Condvar, Once, Barrier, MutexGuard<'static, u8>);
    assert_is_std!(RwLockReadGuard<'static, u8>, RwLockWriteGuard<'static, u8>);
    let _: fn() -> (sync::mpsc::Sender<u8>, sync::mpsc::Receiver<u8>) = stdsync::mpsc::channel;
}
