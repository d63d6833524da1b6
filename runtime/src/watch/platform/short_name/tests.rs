use std::collections::BTreeSet;
use std::thread;

use super::{SHORT_NAMES, ShortName, Starting};

fn named(name: &str) -> ShortName {
    let mut bytes = [0; 16];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    ShortName::of(&bytes)
}

#[test]
fn names_are_spread() {
    let names = (0..SHORT_NAMES).map(|number| named(&format!("worker {number}")).0);
    let places: BTreeSet<_> = names.collect();
    assert!(places.len() > SHORT_NAMES / 2);
    assert!(places.iter().all(|place| usize::from(*place) < SHORT_NAMES));
}

#[test]
fn a_thread_that_is_being_started_may_have_no_handle() {
    let starter = thread::Builder::new().name("starts others".to_owned());
    let starter = starter.spawn(|| {
        let own = ShortName::of_this_thread();
        // Threads of other tests may be on their way, under the same number.
        let settles = || {
            while !own.may_have_handle() {
                thread::yield_now();
            }
        };
        settles();
        let (one, other) = (Starting::by_this_thread(), Starting::by_this_thread());
        assert!(!own.may_have_handle());
        drop(one);
        assert!(!own.may_have_handle());
        drop(other);
        settles();
    });
    starter.unwrap().join().unwrap();
}

#[cfg(all(target_os = "linux", not(miri)))]
#[test]
fn a_thread_without_a_name_has_that_of_whoever_starts_it() {
    let parent = thread::Builder::new().name("one that starts another".to_owned());
    let started = || thread::spawn(ShortName::of_this_thread).join().unwrap();
    let parent = parent.spawn(move || (ShortName::of_this_thread(), started()));
    let (of_parent, of_child) = parent.unwrap().join().unwrap();
    assert_eq!(of_parent, of_child);
    assert_eq!(of_parent, named("one that starts"));
}
