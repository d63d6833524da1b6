//! A program that asked for reports only. The choice binds the whole process, so this is a file of
//! its own.
#![cfg(feature = "checks")]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use lockwise::watch::Code;
use lockwise::{
    Enforcement, Mutex, Order, acquire, set_callback, set_enforcement, set_order, try_acquire,
};

#[test]
fn a_violation_is_reported_and_the_locks_are_taken() {
    static REPORTED: AtomicUsize = AtomicUsize::new(0);
    set_callback(|finding| {
        if finding.code == Code::OrderViolation {
            REPORTED.fetch_add(1, Relaxed);
        }
    });
    set_enforcement(Enforcement::Report);
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    {
        let _b = acquire!(b);
        assert_eq!(*acquire!(a).0, 1);
        assert_eq!(*try_acquire!(a).unwrap().0, 1);
    }
    assert_eq!(REPORTED.load(Relaxed), 2);

    set_enforcement(Enforcement::Refuse);
    set_order(Order::Learn);
    let _b = acquire!(b);
    assert_eq!(*acquire!(a).0, 1);
    assert_eq!(REPORTED.load(Relaxed), 2);
}
