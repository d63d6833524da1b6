//! Crates whose locks are watched through a changed copy, in versions that nothing of ours uses.
//!
//! Where neither the packages nor a network are at hand, nothing is tested and a line says so.

use std::collections::BTreeSet;
use std::process::Command;

use crate::programs::{codes, finish};
use crate::projects::{depend, document, is_fetched, limits, lockwise, project};

/// What the tests of all crates use.
const SHARED: &str = r"
use std::thread;

/// Runs one after the other, unordered for whoever watches.
pub fn both(first: impl FnOnce() + Send + 'static, second: impl FnOnce() + Send + 'static) {
    let first = thread::spawn(first);
    while !first.is_finished() {
        thread::yield_now();
    }
    thread::spawn(second).join().unwrap();
    first.join().unwrap();
}

pub fn leak<T>(t: T) -> &'static T {
    Box::leak(Box::new(t))
}
";

/// A deadlock, and what looks like one, with the locks of a `parking_lot`.
const OF_PARKING_LOT: &str = r"
use demo::{both, leak};
use CRATE::{Condvar, Mutex, ReentrantMutex, RwLock};

#[test]
fn opposite_orders() {
    let a = leak(Mutex::new(1)); // CRATE, inverted
    let b = leak(RwLock::new(2)); // CRATE, inverted
    both(
        move || {
            let _a = a.lock(); // CRATE, inverted
            let _b = b.read(); // CRATE, inverted
        },
        move || {
            let _b = b.write(); // CRATE, inverted
            let _a = a.lock(); // CRATE, inverted
        },
    );
}

#[test]
fn one_order() {
    let a = leak(Mutex::new(1));
    let b = leak(RwLock::new(2));
    let once = move || {
        let _a = a.lock();
        let _b = b.write();
    };
    both(once, once);
}

#[test]
fn opposite_orders_under_a_gate() {
    let gate = leak(Mutex::new(0));
    let a = leak(Mutex::new(1));
    let b = leak(Mutex::new(2));
    both(
        move || {
            let _gate = gate.lock();
            let _a = a.lock();
            let _b = b.lock();
        },
        move || {
            let _gate = gate.lock();
            let _b = b.lock();
            let _a = a.lock();
        },
    );
}

#[test]
fn a_re_entrant_lock_and_a_condition() {
    let again = leak(ReentrantMutex::new(()));
    let _one = again.lock();
    let _two = again.lock();
    let ready = leak((Mutex::new(false), Condvar::new()));
    let waiter = std::thread::spawn(move || {
        let mut is_ready = ready.0.lock();
        while !*is_ready {
            ready.1.wait(&mut is_ready);
        }
    });
    *ready.0.lock() = true;
    ready.1.notify_all();
    waiter.join().unwrap();
}
";

/// The same with the maps of a `dashmap`, whose shards are locks.
const OF_DASHMAP: &str = r"
use demo::{both, leak};
use CRATE::DashMap;

#[test]
fn opposite_orders() {
    let a = leak(DashMap::new()); // CRATE, inverted
    let b = leak(DashMap::new()); // CRATE, inverted
    a.insert(1, 1);
    both(
        move || {
            let _a = a.get(&1); // CRATE, inverted
            b.insert(1, 1); // CRATE, inverted
        },
        move || {
            let _b = b.get(&1); // CRATE, inverted
            a.insert(1, 2); // CRATE, inverted
        },
    );
}

#[test]
fn one_order() {
    let a = leak(DashMap::new());
    let b = leak(DashMap::new());
    a.insert(1, 1);
    let once = move || {
        let _a = a.get_mut(&1);
        b.insert(1, 1);
        assert_eq!(b.iter().count(), 1);
    };
    both(once, once);
}
";

/// The same with the locks of a `spin`.
const OF_SPIN: &str = r"
use std::thread;

use demo::{both, leak};
use CRATE::{Barrier, Lazy, Mutex, Once, RwLock};
use CRATE::mutex::TicketMutex;

static MADE: Lazy<Mutex<u32>> = Lazy::new(|| Mutex::new(1));

#[test]
fn opposite_orders() {
    let a = leak(Mutex::new(1)); // CRATE, inverted
    let b = leak(RwLock::new(2)); // CRATE, inverted
    both(
        move || {
            let _a = a.lock(); // CRATE, inverted
            let _b = b.read(); // CRATE, inverted
        },
        move || {
            let _b = b.write(); // CRATE, inverted
            let _a = a.lock(); // CRATE, inverted
        },
    );
}

#[test]
fn one_order() {
    let a = leak(TicketMutex::<_>::new(1));
    let b = leak(RwLock::new(2));
    let once = move || {
        let _a = a.lock();
        let _b = b.write();
    };
    both(once, once);
}

#[test]
fn opposite_orders_of_one_that_does_not_wait() {
    let a = leak(TicketMutex::<_>::new(1));
    let b = leak(Mutex::new(2));
    both(
        move || {
            let _a = a.lock();
            let _b = b.lock();
        },
        move || {
            let _b = b.lock();
            assert!(a.try_lock().is_some());
        },
    );
}

#[test]
fn guards_that_turn_into_others() {
    let lock = RwLock::new(1);
    let first = lock.read();
    let again = lock.read();
    drop((first, again));
    let mut writes = lock.upgradeable_read().upgrade();
    *writes += 1;
    let may_write = writes.downgrade_to_upgradeable();
    assert!(lock.try_write().is_none());
    // A blind spot: it keeps readers out, and who read here would wait for itself and not be told.
    assert!(lock.try_read().is_none());
    let reads = may_write.downgrade();
    assert_eq!(*reads, 2);
    drop(reads);
    let reads = lock.write().downgrade();
    let more = lock.read();
    drop((reads, more));
    // Whatever was taken is free again.
    let _writes = lock.write();
    let other = leak(Mutex::new(3));
    thread::scope(|scope| {
        let sent = other.lock();
        scope.spawn(move || drop(sent));
    });
    *other.lock() += 1;
}

#[test]
fn once_and_again() {
    let once = leak(Once::new());
    let barrier = leak(Barrier::new(2));
    let run = move || {
        barrier.wait();
        assert_eq!(*once.call_once(|| *MADE.lock()), 1);
        assert_eq!(*once.wait(), 1);
    };
    let other = thread::spawn(run);
    run();
    other.join().unwrap();
}

#[test]
fn through_lock_api() {
    let lock = CRATE::lock_api::RwLock::new(1);
    let first = lock.read();
    // No writer that waits is in the way of that.
    let again = lock.read();
    assert!(lock.try_write().is_none());
    drop((first, again));
    let m = CRATE::lock_api::Mutex::new(*lock.write());
    assert_eq!(*m.lock(), 1);
}
";

/// The same with a channel of tokio's whose value is looked at and changed under a lock, which is in a wrapper.
const OF_TOKIO: &str = r"
use std::sync::Mutex;

use demo::{both, leak};
use CRATE::sync::watch;

#[test]
fn opposite_orders() {
    let (sender, receiver) = watch::channel(1); // CRATE, inverted
    let lock = leak(Mutex::new(2)); // CRATE, inverted
    both(
        move || {
            let _seen = receiver.borrow(); // CRATE, inverted
            let _lock = lock.lock(); // CRATE, inverted
        },
        move || {
            let _lock = lock.lock(); // CRATE, inverted
            sender.send_replace(3); // CRATE, inverted
        },
    );
}

#[test]
fn one_order() {
    let (sender, receiver) = watch::channel(1);
    let lock = leak(Mutex::new(2));
    both(
        move || {
            let _lock = lock.lock();
            assert_eq!(*receiver.borrow(), 1);
        },
        move || {
            let _lock = lock.lock();
            sender.send_replace(3);
        },
    );
}
";

/// Watches the same tests with each of the crates, given as a line of a manifest and the name there.
fn check(crates: &[(&str, &str)], tests: &str) {
    let files: Vec<_> = crates
        .iter()
        .map(|(_, name)| (format!("tests/{name}.rs"), tests.replace("CRATE", name)))
        .collect();
    let mut all = vec![("src/lib.rs", SHARED)];
    all.extend(files.iter().map(|(path, text)| (&**path, &**text)));
    let project = project(&all);
    let lines: Vec<_> = crates.iter().map(|(line, _)| *line).collect();
    depend(project.path(), &lines.join("\n"));
    if !is_fetched(project.path()) {
        return;
    }
    let arguments = ["test", "--offline", "--tests", "--format", "json"];
    let report = document(&lockwise(project.path(), &arguments));
    let left_out = |limit: &&&str| !limit.starts_with("not watched, where they are used");
    assert_eq!(limits(&report).iter().find(left_out), None);
    assert_eq!(codes(&report), vec!["LW0003"; crates.len()], "{report}");
    let mut places = BTreeSet::new();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["certainty"], "certain", "{finding}");
        for side in finding["cycle"].as_array().unwrap() {
            for lock in [&side["holds"], &side["wants"]] {
                places.insert(lock["site"].as_str().unwrap());
                places.insert(lock["class"].as_str().unwrap());
            }
        }
    }
    let mut expected = BTreeSet::new();
    for (path, text) in &files {
        for (line, text) in text.lines().enumerate() {
            if text.ends_with("inverted") {
                expected.insert(format!("{path}:{}", line + 1));
            }
        }
    }
    let lines: BTreeSet<_> = places
        .iter()
        .map(|place| place.rsplit_once(':').unwrap().0.to_owned())
        .collect();
    assert_eq!(lines, expected);
}

/// The minor version of the compiler.
fn minor() -> u32 {
    let output = finish(Command::new("rustc").arg("-V"));
    let said = String::from_utf8(output.stdout).unwrap();
    said.split('.').nth(1).unwrap().parse().unwrap()
}

#[test]
fn older_parking_lots_and_the_newest_are_watched_at_the_users_lines() {
    let mut crates = vec![
        (
            "parking_lot_9 = { package = \"parking_lot\", version = \"=0.9.0\" }",
            "parking_lot_9",
        ),
        (
            "parking_lot_10 = { package = \"parking_lot\", version = \"=0.10.2\" }",
            "parking_lot_10",
        ),
    ];
    // Older compilers do not build it, whoever calls them.
    if minor() >= 95 {
        crates.push((
            "parking_lot_13 = { package = \"parking_lot\", version = \"=0.13.0\" }",
            "parking_lot_13",
        ));
    }
    check(&crates, OF_PARKING_LOT);
}

#[test]
fn shards_of_dashmaps_old_and_new_are_watched_at_the_users_lines() {
    let crates = [
        (
            "dashmap_3 = { package = \"dashmap\", version = \"=3.11.10\" }",
            "dashmap_3",
        ),
        (
            "dashmap_4 = { package = \"dashmap\", version = \"=4.0.2\" }",
            "dashmap_4",
        ),
        (
            "dashmap_5 = { package = \"dashmap\", version = \"=5.5.3\" }",
            "dashmap_5",
        ),
        (
            "dashmap_6 = { package = \"dashmap\", version = \"=6.1.0\" }",
            "dashmap_6",
        ),
    ];
    check(&crates, OF_DASHMAP);
}

#[test]
fn locks_that_spin_are_watched_at_the_users_lines() {
    let spin = |name: &str, version: &str| {
        format!(
            "{name} = {{ package = \"spin\", version = \"={version}\", features = [\"ticket_mutex\", \"lazy\"] }}"
        )
    };
    let lines = [spin("spin_9", "0.9.9"), spin("spin_12", "0.12.3")];
    check(&[(&lines[0], "spin_9"), (&lines[1], "spin_12")], OF_SPIN);
}

#[test]
fn what_tokio_takes_in_wrappers_is_watched_at_the_users_lines() {
    let tokio = "tokio = { version = \"=1.47.1\", features = [\"sync\"] }";
    check(&[(tokio, "tokio")], OF_TOKIO);
}
