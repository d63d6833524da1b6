//! Random small traces: the judge against the oracle.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::oracle::{Act, Lock, Way, as_text, can_deadlock};
use super::*;

/// One intention of a thread; what cannot be done then is left out.
type Wish = (bool, usize, Way);

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        6 => Just(Way::Write),
        2 => Just(Way::Read),
        2 => Just(Way::RecursiveRead),
        1 => Just(Way::TryWrite),
    ]
}

/// Threads whose acts are well formed, maybe started and joined by the first one.
fn threads() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let wish = (any::<bool>(), 0..4_usize, way());
    let thread = proptest::collection::vec(wish, 2..7);
    let all = (
        proptest::collection::vec(thread, 2..5),
        2..5_usize,
        0..4_usize,
    );
    all.prop_map(|(wishes, locks, forks_at)| {
        let mut threads: Vec<Vec<Act>> = wishes.iter().map(|w| acts(w, locks)).collect();
        // The first thread starts the others at some point, and waits for them at the end.
        if forks_at < 3 {
            let others = 1..threads.len();
            let at = forks_at.min(threads[0].len());
            let forks = others.clone().map(Act::Fork);
            threads[0].splice(at..at, forks);
            threads[0].extend(others.map(Act::Join));
        }
        threads
    })
}

fn acts(wishes: &[Wish], locks: usize) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut held: Vec<Lock> = Vec::new();
    for &(release, pick, way) in wishes {
        let lock = ['A', 'B', 'C', 'D'][pick % locks];
        if release && !held.is_empty() {
            acts.push(Act::Release(held.remove(pick % held.len())));
        } else if !held.contains(&lock) {
            held.push(lock);
            acts.push(Act::Acquire(lock, way));
        }
    }
    acts.extend(held.into_iter().rev().map(Act::Release));
    acts
}

fn judged(threads: &[Vec<Act>], options: &Options) -> Option<Certainty> {
    let text = as_text(threads);
    let evidence = std_text::read("random", text.as_bytes(), &std_text::Limits::default()).unwrap();
    strongest(&judge(&evidence, options))
}

fn certain(threads: &[Vec<Act>], options: &Options) -> bool {
    judged(threads, options) == Some(Certainty::Certain)
}

/// Cases of each test; enough to find a wrong filter in seconds, and more by hand.
fn config() -> Config {
    Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    }
}

#[test]
fn certain_is_what_the_oracle_can_reach_and_all_of_it() {
    let mut runner = TestRunner::new(config());
    let done = runner.run(&threads(), |threads| {
        let expected = can_deadlock(&threads);
        prop_assert_eq!(certain(&threads, &Options::default()), expected);
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn without_the_exhaustive_search_certain_and_excluded_are_still_never_wrong() {
    let fast = Options {
        search_events_max: 0,
        directed_max: 0,
        ..Options::default()
    };
    let (reachable, found) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(config());
    let done = runner.run(&threads(), |threads| {
        let expected = can_deadlock(&threads);
        let judged = judged(&threads, &fast);
        let certain = judged == Some(Certainty::Certain);
        prop_assert!(expected || !certain);
        prop_assert!(!expected || judged != Some(Certainty::Excluded));
        reachable.set(reachable.get() + u32::from(expected));
        found.set(found.get() + u32::from(certain));
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
    println!(
        "without the exhaustive search: {} of {} reachable deadlocks",
        found.get(),
        reachable.get()
    );
}
