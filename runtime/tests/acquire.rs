//! `acquire!` and `try_acquire!` as a user sees them, with checks on and off.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use lockwise::acquire::{Acquire, Exclusive, TimedOut, TryAcquireError};
use lockwise::{
    FairMutex, Mutex, MutexGuard, ReentrantMutex, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, acquire, stdsync, try_acquire,
};

/// The message of the panic that `work` ends with.
fn panic_of(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).expect_err("it should panic");
    *panic.downcast().expect("the message is formatted")
}

/// Runs `work` on a thread that holds nothing.
fn elsewhere<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(work).join()).expect("it should not panic")
}

// What it gives.

#[test]
fn guards_come_back_in_the_order_of_the_arguments() {
    let (a, b, c) = (Mutex::new('a'), Mutex::new("b"), Mutex::new(3));
    {
        let guards: (
            MutexGuard<'_, &str>,
            MutexGuard<'_, i32>,
            MutexGuard<'_, char>,
        ) = acquire!(b, c, a);
        assert_eq!((*guards.0, *guards.1, *guards.2), ("b", 3, 'a'));
    }
    let (mut c, mut a) = acquire!(c, a);
    *c += 1;
    *a = 'z';
    assert_eq!((*a, *c), ('z', 4));
}

#[test]
fn one_argument_gives_a_tuple_of_one() {
    let a = Mutex::new(1);
    let (mut guard,) = acquire!(a);
    *guard += 1;
    drop(guard);
    assert_eq!(a.into_inner(), 2);
}

#[test]
fn twelve_locks_are_not_too_many() {
    let locks: [Mutex<usize>; 12] = std::array::from_fn(Mutex::new);
    let [a, b, c, d, e, f, g, h, i, j, k, l] = &locks;
    let guards = acquire!(l, k, j, i, h, g, f, e, d, c, b, a);
    assert_eq!((*guards.0, *guards.11), (11, 0));
    assert!(locks.iter().all(Mutex::is_locked));
    drop(guards);
    assert!(!locks.iter().any(Mutex::is_locked));
}

#[test]
fn no_locks_are_no_work() {
    let () = acquire!();
    acquire!();
    let () = try_acquire!().unwrap();
    let () = acquire!(; timeout Duration::ZERO).unwrap();
    let () = acquire!(crate = lockwise);
}

#[test]
fn a_trailing_comma_changes_nothing() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let (x, y) = acquire!(a, b,);
    assert_eq!(*x + *y, 3);
    drop((x, y));
    let (x,) = acquire!(a,; timeout Duration::from_secs(1)).unwrap();
    assert_eq!(*x, 1);
}

#[test]
fn modes_give_the_guards_of_the_modes() {
    let (a, b) = (RwLock::new(1), RwLock::new(2));
    let (c, d) = (RwLock::new(3), RwLock::new(4));
    let guards: (
        RwLockReadGuard<'_, i32>,
        RwLockWriteGuard<'_, i32>,
        RwLockUpgradableReadGuard<'_, i32>,
        RwLockWriteGuard<'_, i32>,
    ) = acquire!(read a, write b, upgradable c, d);
    assert!(a.try_read().is_some() && a.try_write().is_none());
    assert!(b.try_read().is_none());
    assert!(c.try_read().is_some() && c.try_upgradable_read().is_none());
    assert!(d.try_read().is_none());
    let mut c = RwLockUpgradableReadGuard::upgrade(guards.2);
    *c += 10;
    assert_eq!(*c, 13);
}

#[test]
fn readers_share() {
    let (a, b) = (RwLock::new(1), RwLock::new(2));
    let _held = acquire!(read a, read b);
    elsewhere(|| assert!(try_acquire!(read a, read b).is_ok()));
    elsewhere(|| assert!(try_acquire!(read a, write b).is_err()));
}

#[test]
fn every_kind_of_lock_can_be_taken_with_every_other() {
    let (mutex, rwlock) = (Mutex::new(1), RwLock::new(2));
    let (fair, reentrant) = (FairMutex::new(3), ReentrantMutex::new(4));
    let (std_mutex, std_rwlock) = (stdsync::Mutex::new(5), stdsync::RwLock::new(6));
    let (a, b, c, d, e, f) =
        acquire!(read std_rwlock, std_mutex, reentrant, fair, read rwlock, mutex);
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(*a + *b + *c + *d + *e + *f, 21);
}

#[test]
fn what_is_behind_a_lock_may_be_unsized() {
    let words: Arc<Mutex<[i32]>> = Arc::new(Mutex::new([1, 2, 3]));
    let text: &Mutex<dyn std::fmt::Display> = &Mutex::new(7);
    let (words, text) = acquire!(words, text);
    assert_eq!((words.len(), text.to_string().as_str()), (3, "7"));
}

// What it takes.

struct Account {
    balance: Mutex<i64>,
    shared: Arc<Mutex<i64>>,
    boxed: Box<RwLock<i64>>,
    parts: Vec<Mutex<i64>>,
}

impl Account {
    fn new() -> Self {
        Account {
            balance: Mutex::new(1),
            shared: Arc::new(Mutex::new(2)),
            boxed: Box::new(RwLock::new(3)),
            parts: vec![Mutex::new(4), Mutex::new(5)],
        }
    }

    fn balance(&self) -> &Mutex<i64> {
        &self.balance
    }

    fn sum(&self) -> i64 {
        let (a, b, c, d) = acquire!(self.balance, self.shared, write self.boxed, self.parts[1]);
        *a + *b + *c + *d
    }

    fn part(&self, index: usize) -> Option<i64> {
        let (part, _balance) = acquire!(self.parts.get(index)?, self.balance());
        Some(*part)
    }
}

#[test]
fn fields_indices_calls_and_questions_are_lock_expressions() {
    let account = Account::new();
    assert_eq!(account.sum(), 11);
    assert_eq!(account.part(1), Some(5));
    assert_eq!(account.part(9), None);
}

#[test]
fn references_blocks_and_conditions_are_lock_expressions() {
    let (a, b, c) = (Mutex::new(1), Mutex::new(2), Arc::new(Mutex::new(3)));
    let chosen = true;
    let sum = {
        let (a, b, c) = acquire!(
            &a,
            {
                let there = &&b;
                *there
            },
            if chosen { &*c } else { &a }
        );
        *a + *b + *c
    };
    assert_eq!(sum, 6);
    let table = HashMap::from([("x", Mutex::new(9))]);
    let (nine, one) = acquire!(
        match table.get("x") {
            Some(found) => found,
            None => return,
        },
        (&a as &Mutex<i32>)
    );
    assert_eq!(*nine - *one, 8);
}

#[test]
fn what_dereferences_to_a_lock_is_one() {
    static LAZY: LazyLock<Mutex<i32>> = LazyLock::new(|| Mutex::new(1));
    static PLAIN: Mutex<i32> = Mutex::new(2);
    let cell = RefCell::new(Mutex::new(3));
    let inner = cell.borrow();
    let (lazy, plain, inner) = acquire!(LAZY, PLAIN, inner);
    assert_eq!(*lazy + *plain + *inner, 6);
}

#[test]
fn temporaries_live_to_the_end_of_the_statement() {
    let lock = Arc::new(Mutex::new(vec![1, 2]));
    let borrow = || Arc::clone(&lock);
    let len = acquire!(borrow()).0.len();
    assert_eq!(len, 2);
    assert_eq!(acquire!(borrow(), Arc::new(Mutex::new(3))).0.len(), 2);
    match acquire!(borrow()) {
        (mut guard,) => guard.push(3),
    }
    assert_eq!(try_acquire!(borrow()).unwrap().0.len(), 3);
}

#[test]
fn each_expression_is_evaluated_once_in_order_and_before_any_lock_is_taken() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let order = RefCell::new(Vec::new());
    let note = |name| {
        assert!(!a.is_locked() && !b.is_locked());
        order.borrow_mut().push(name);
        if name == "a" { &a } else { &b }
    };
    let guards = acquire!(note("b"), note("a"));
    assert_eq!((*guards.0, *guards.1), (2, 1));
    drop(guards);
    let guards = acquire!(note("a"), note("b"); timeout {
        order.borrow_mut().push("timeout");
        Duration::from_secs(1)
    });
    assert!(guards.is_ok());
    assert_eq!(*order.borrow(), ["b", "a", "a", "b", "timeout"]);
}

#[test]
fn a_mode_word_may_be_a_name() {
    struct Pair {
        write: Mutex<i32>,
    }
    fn upgradable(lock: &Mutex<i32>) -> &Mutex<i32> {
        lock
    }
    let read = RwLock::new(1);
    let write = [Pair {
        write: Mutex::new(2),
    }];
    let timeout = Mutex::new(3);
    {
        let (a, b) = acquire!(read read, write[0].write);
        assert_eq!(*a + *b, 3);
    }
    {
        let (a, b, c) = acquire!(read { &read }, upgradable(&write[0].write), timeout);
        assert_eq!(*a + *b + *c, 6);
    }
    let (a,) = acquire!(read; timeout Duration::from_secs(1)).unwrap();
    assert_eq!(*a, 1);
    drop(a);
    let (a,) = acquire!(read & read);
    assert_eq!(*a, 1);
}

#[test]
fn a_generic_function_knows_its_locks_by_the_trait() {
    fn both<L: Acquire<Exclusive>>(a: &L, b: &L) -> bool {
        let (_a, _b) = acquire!(b, a);
        try_acquire!(a).is_err()
    }
    assert!(both(&Mutex::new(1), &Mutex::new(2)));
    assert!(both(&RwLock::new(1), &RwLock::new(2)));
    assert!(both(&stdsync::Mutex::new(1), &stdsync::Mutex::new(2)));
}

/// A macro whose own variable has the name of the caller's.
macro_rules! with_own_lock {
    ($theirs:expr, $word:ident, $($rest:tt)*) => {{
        let lock = Mutex::new(10);
        let (ours, theirs, rest) = acquire!(lock, $theirs, $word $($rest)*);
        *ours + *theirs + *rest
    }};
}

#[test]
fn a_macro_may_write_the_call() {
    let lock = Mutex::new(1);
    let other = [RwLock::new(2)];
    assert_eq!(with_own_lock!(lock, read, other[0]), 13);
}

/// A macro that takes any number.
macro_rules! all {
    ($($lock:expr),*) => { acquire!($($lock),*) };
}

#[test]
fn a_macro_may_pass_any_number() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let () = all!();
    let (x, y) = all!(a, &b);
    assert_eq!(*x + *y, 3);
}

mod prelude {
    pub(super) use lockwise as locks;
}

#[test]
fn the_crate_may_be_reached_by_another_path() {
    let (a, b) = (Mutex::new(1), RwLock::new(2));
    let (a, b) = acquire!(crate = prelude::locks, a, read b);
    assert_eq!(*a + *b, 3);
}

// What it refuses.

#[test]
fn a_lock_wanted_twice_is_refused_and_nothing_is_taken() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let alias = &a;
    let line = line!() + 1;
    let message = panic_of(|| drop(acquire!(b, a, alias)));
    let file = file!();
    assert_eq!(
        message,
        format!(
            "acquire!: `a` at {file}:{line}:48 and `alias` at {file}:{line}:51 are the same lock"
        )
    );
    assert!(!a.is_locked() && !b.is_locked());
    let Err(TryAcquireError::Duplicate { first, second }) = try_acquire!(alias, b, a) else {
        panic!("`alias` is `a`");
    };
    assert_eq!((first.expression, second.expression), ("alias", "a"));
    assert!(!a.is_locked() && !b.is_locked());
}

#[test]
fn even_two_readers_of_one_lock_are_a_duplicate() {
    let a = Arc::new(RwLock::new(1));
    let alias = Arc::clone(&a);
    assert!(matches!(
        try_acquire!(read a, read alias),
        Err(TryAcquireError::Duplicate { .. })
    ));
    let reentrant = ReentrantMutex::new(1);
    let alias = &reentrant;
    assert!(matches!(
        try_acquire!(reentrant, alias),
        Err(TryAcquireError::Duplicate { .. })
    ));
}

#[test]
fn a_lock_and_one_inside_it_are_no_duplicate() {
    let outer = ReentrantMutex::new(ReentrantMutex::new(1));
    let guard = outer.lock();
    let inner: &ReentrantMutex<i32> = &guard;
    let (inner, _outer) = acquire!(inner, outer);
    assert_eq!(*inner, 1);
}

#[test]
fn try_acquire_names_the_lock_that_is_not_free_and_holds_none() {
    let (a, b, c) = (Mutex::new(1), Mutex::new(2), RwLock::new(3));
    let held = c.read();
    let line = line!() + 1;
    let error = elsewhere(|| try_acquire!(a, write c, b).map(|_| ()).unwrap_err());
    assert_eq!(
        error.to_string(),
        format!("`c` at {}:{line}:52 is not free", file!())
    );
    assert!(!a.is_locked() && !b.is_locked());
    drop(held);
    assert!(try_acquire!(a, write c, b).is_ok());
}

#[test]
fn a_timeout_names_the_lock_and_holds_none() {
    let (a, b) = (Mutex::new(1), stdsync::Mutex::new(2));
    let limit = Duration::from_millis(20);
    let held = b.lock();
    elsewhere(|| {
        let begin = Instant::now();
        let Err(TimedOut { lock, .. }) = acquire!(b, a; timeout limit) else {
            panic!("`b` is held");
        };
        assert!(begin.elapsed() >= limit);
        assert_eq!(lock.expression, "b");
        let error = try_acquire!(b, a; timeout limit).unwrap_err();
        assert!(matches!(error, TryAcquireError::TimedOut { lock } if lock.expression == "b"));
        assert!(!a.is_locked());
    });
    drop(held);
    let (a, b) = acquire!(a, b; timeout Duration::MAX).unwrap();
    assert_eq!(*a + *b.unwrap(), 3);
}

#[test]
fn a_timeout_waits_for_what_becomes_free() {
    let (a, b) = (Mutex::new(1), stdsync::Mutex::new(2));
    let (ready, wait) = mpsc::channel();
    thread::scope(|scope| {
        let guards = acquire!(a, b);
        scope.spawn(|| {
            ready.send(()).unwrap();
            assert!(acquire!(b, a; timeout Duration::from_secs(60)).is_ok());
        });
        wait.recv().unwrap();
        drop(guards);
    });
}

#[test]
fn a_poisoned_lock_is_taken_and_says_so() {
    let (a, b) = (stdsync::Mutex::new(1), Mutex::new(2));
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let _guard = a.lock().unwrap();
        panic!("poisoned");
    }));
    assert!(panic.is_err());
    let (poisoned, b) = try_acquire!(a, b).unwrap();
    assert!(poisoned.is_err() && *b == 2);
}

// What it notes.

#[test]
fn a_note_has_the_place_and_text_of_the_expression() {
    let locks = [RwLock::new(1), RwLock::new(2)];
    let Err(TryAcquireError::Duplicate { first, second }) = try_acquire!(
        read locks[0],
        read   locks [ usize::from( false ) ] // The same one.
    ) else {
        panic!("they are one");
    };
    assert_eq!(first.expression, "locks[0]");
    assert_eq!(second.expression, "locks [ usize::from( false ) ]");
    assert_eq!((first.line, first.column), (line!() - 7, 14));
    assert_eq!((second.line, second.column), (line!() - 7, 16));
    assert_eq!((second.file, second.module), (file!(), module_path!()));
}

/// A macro that writes one expression, and passes the other.
macro_rules! notes {
    ($account:ident, $other:expr) => {
        match try_acquire!(&$account.balance, $other) {
            Err(TryAcquireError::Duplicate { first, second }) => (first, second),
            _ => panic!("they are one"),
        }
    };
}

#[test]
fn a_note_in_a_macro_has_the_place_of_the_outermost_call() {
    let account = Account::new();
    let (written, passed) = notes!(account, account.balance());
    let line = line!() - 1;
    assert_eq!(written.expression, "&account.balance");
    assert_eq!((written.line, written.column), (line, 29));
    assert_eq!(passed.expression, "account.balance()");
    assert_eq!((passed.line, passed.column), (line, 45));
}

// Threads.

#[test]
fn random_orders_of_five_locks_in_eight_threads_end() {
    const ROUNDS: u32 = 3_000;
    let locks: Arc<[Mutex<u64>; 5]> = Arc::new(std::array::from_fn(|_| Mutex::new(0)));
    let (done, all_done) = mpsc::channel();
    for seed in 1..=8 {
        let (locks, done) = (Arc::clone(&locks), done.clone());
        thread::spawn(move || {
            let random = Cell::new(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
            let below = |limit: usize| {
                random.set(random.get() ^ random.get() << 13);
                random.set(random.get() ^ random.get() >> 7);
                random.set(random.get() ^ random.get() << 17);
                usize::try_from(random.get() % limit as u64).unwrap()
            };
            for _ in 0..ROUNDS {
                let mut order = [0, 1, 2, 3, 4];
                for last in (1..5).rev() {
                    order.swap(last, below(last + 1));
                }
                let [a, b, c, d, e] = order.map(|index| &locks[index]);
                let (mut a, mut b, mut c, mut d, mut e) = acquire!(a, b, c, d, e);
                for guard in [&mut a, &mut b, &mut c, &mut d, &mut e] {
                    **guard += 1;
                }
            }
            done.send(()).unwrap();
        });
    }
    for _ in 0..8 {
        all_done
            .recv_timeout(Duration::from_secs(120))
            .expect("the threads wait for each other");
    }
    assert!(
        locks
            .iter()
            .all(|lock| *lock.lock() == 8 * u64::from(ROUNDS))
    );
}
