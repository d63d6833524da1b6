//! What the watcher finds in programs that use these types, on runs that do not hang.

use std::sync::{Mutex as StdMutex, Once as StdOnce, PoisonError, mpsc};

use lockwise::stdsync::{Mutex, Named, OnceLock, RwLock};
use lockwise::thread;
use lockwise::watch::set_callback;

/// Every finding of this process that is more than a note: its code and the names of the locks in it.
static FOUND: StdMutex<Vec<(&'static str, Vec<&'static str>)>> = StdMutex::new(Vec::new());

/// The codes of the findings that name a lock of this name, while `run` runs or before.
fn found(name: &str, run: impl FnOnce()) -> Vec<&'static str> {
    static LISTENING: StdOnce = StdOnce::new();
    LISTENING.call_once(|| {
        set_callback(|finding| {
            if !finding.is_serious() {
                return;
            }
            let names = finding.sides.iter().flat_map(|side| {
                let uses = side.holds.iter().chain(side.wants.lock());
                uses.filter_map(|lock| lock.class.as_ref()?.name)
            });
            let found = (finding.code.text(), names.collect());
            FOUND
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(found);
        });
    });
    run();
    let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let named = found.iter().filter(|(_, names)| names.contains(&name));
    named.map(|&(code, _)| code).collect()
}

/// Runs both on threads of their own, the second after the first, in a way that nothing watched
/// shows: they could have met.
fn one_after_the_other(first: impl FnOnce() + Send, second: impl FnOnce() + Send) {
    let (done, go) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            first();
            done.send(()).expect("the other thread waits");
        });
        scope.spawn(move || {
            go.recv().expect("the other thread does not panic");
            second();
        });
    });
}

#[test]
fn opposite_orders_of_two_mutexes() {
    let (a, b) = (Mutex::named("oo.a", ()), Mutex::named("oo.b", ()));
    let codes = found("oo.a", || {
        one_after_the_other(
            || {
                let _a = a.lock();
                let _b = b.lock();
            },
            || {
                let _b = b.lock();
                let _a = a.lock();
            },
        );
    });
    assert_eq!(codes, ["LW0003"]);
}

#[test]
fn opposite_orders_of_a_mutex_and_a_writer() {
    let (a, b) = (Mutex::named("mw.a", ()), RwLock::named("mw.b", ()));
    let codes = found("mw.a", || {
        one_after_the_other(
            || {
                let _a = a.lock();
                let _b = b.read();
            },
            || {
                let _b = b.write();
                let _a = a.lock();
            },
        );
    });
    assert_eq!(codes, ["LW0003"]);
}

#[test]
fn a_lock_that_an_initialiser_needs_and_a_user_of_its_value_holds() {
    let (a, cell) = (Mutex::named("in.a", ()), OnceLock::named("in.cell", ()));
    let codes = found("in.a", || {
        one_after_the_other(
            || {
                crate::message_of(|| {
                    cell.get_or_init(|| {
                        drop(a.lock());
                        panic!("the cell stays empty");
                    })
                });
            },
            || {
                let _a = a.lock();
                cell.get_or_init(|| 1);
            },
        );
    });
    assert_eq!(codes, ["LW0003"]);
}

#[test]
fn a_reader_that_reads_again() {
    let lock = RwLock::named("rr", ());
    let codes = found("rr", || {
        let _outer = lock.read();
        let _inner = lock.read();
    });
    assert_eq!(codes, ["LW0004"]);
}

#[test]
fn an_initialiser_that_asks_for_its_own_value() {
    let cell = OnceLock::<u8>::named("own", ());
    let codes = found("own", || {
        crate::message_of(|| cell.get_or_init(|| *cell.get_or_init(|| 1)));
    });
    assert_eq!(codes, ["LW0002"]);
}

#[test]
fn nothing_where_threads_cannot_meet() {
    let (a, b) = (Mutex::named("fj.a", ()), Mutex::named("fj.b", ()));
    let codes = found("fj.a", || {
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                let _a = a.lock();
                let _b = b.lock();
            });
            first.join().expect("it does not panic");
            scope.spawn(|| {
                let _b = b.lock();
                let _a = a.lock();
            });
        });
    });
    assert_eq!(codes, [""; 0]);
}

#[test]
fn nothing_where_the_end_of_a_scope_is_between() {
    let (a, b) = (Mutex::named("es.a", ()), Mutex::named("es.b", ()));
    let codes = found("es.a", || {
        thread::scope(|scope| {
            scope.spawn(|| {
                let _a = a.lock();
                let _b = b.lock();
            });
        });
        thread::scope(|scope| {
            scope.spawn(|| {
                let _b = b.lock();
                let _a = a.lock();
            });
        });
    });
    assert_eq!(codes, [""; 0]);
}

#[test]
fn nothing_where_one_order_is_kept() {
    let (a, b) = (Mutex::named("ok.a", ()), RwLock::named("ok.b", ()));
    let codes = found("ok.a", || {
        for _ in 0..2 {
            one_after_the_other(
                || {
                    let _a = a.lock();
                    let _b = b.write();
                },
                || {
                    let _a = a.lock();
                    let _b = b.read();
                },
            );
        }
    });
    assert_eq!(codes, [""; 0]);
}
