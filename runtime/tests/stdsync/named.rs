//! [`Named`]: the same objects, with a name or a rank.

use lockwise::stdsync::{Barrier, Condvar, LazyLock, Mutex, Named, Once, OnceLock, RwLock};
use lockwise::watch::Rank;

#[test]
fn names_and_ranks_change_nothing_else() {
    assert_eq!(*Mutex::named("a", 1).lock().unwrap(), 1);
    assert_eq!(*RwLock::named("b", 2).read().unwrap(), 2);
    assert_eq!(*LazyLock::named("c", || 3), 3);
    assert_eq!(*OnceLock::named("d", ()).get_or_init(|| 4), 4);
    assert!(Barrier::named("e", 1).wait().is_leader());
    Once::named("f", ()).call_once(|| ());
    Condvar::named("g", ()).notify_all();

    assert_eq!(*Mutex::named_ranked("h", Rank(1), 1).lock().unwrap(), 1);
    assert_eq!(*Mutex::ranked(Rank(1), 1).lock().unwrap(), 1);
    assert_eq!(*RwLock::ranked(Rank(2), 2).read().unwrap(), 2);
    assert_eq!(*LazyLock::ranked(Rank(3), || 3), 3);
    assert_eq!(*OnceLock::ranked(Rank(4), ()).get_or_init(|| 4), 4);
    assert!(Barrier::ranked(Rank(5), 1).wait().is_leader());
    Once::ranked(Rank(6), ()).call_once(|| ());
    Condvar::ranked(Rank(7), ()).notify_all();
}
