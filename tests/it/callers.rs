//! A project that takes all its locks in a function of its own: the report says who called that.

use serde_json::Value;

use crate::programs::{codes, stderr};
use crate::projects::{document, lockwise, project};

/// A lock type of the project's own, without `#[track_caller]`, and two that take two such locks in opposite
/// orders, one after the other.
const BANK: &str = r"
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub fn new(value: T) -> Lock<T> {
        Lock(Mutex::new(value))
    }

    #[inline(never)]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}

struct Bank {
    accounts: Lock<u32>,
    journal: Lock<String>,
}

impl Bank {
    #[inline(never)]
    fn pay(&self) {
        let mut accounts = self.accounts.lock();
        *accounts += 1;
        self.journal.lock().push('p');
    }

    #[inline(never)]
    fn audit(&self) {
        let journal = self.journal.lock();
        assert_eq!(journal.len(), *self.accounts.lock() as usize);
    }
}

#[test]
fn opposite_orders() {
    let bank = Arc::new(Bank {
        accounts: Lock::new(0),
        journal: Lock::new(String::new()),
    });
    let other = Arc::clone(&bank);
    let first = thread::spawn(move || other.pay());
    while !first.is_finished() {
        thread::yield_now();
    }
    let second = thread::spawn(move || bank.audit());
    second.join().unwrap();
    first.join().unwrap();
}
";

/// The same two at the same time: each waits for what the other holds.
const MEET: &str = r"
#[test]
fn at_the_same_time() {
    let barrier = std::sync::Barrier::new(2);
    let (accounts, journal) = (Lock::new(0), Lock::new(String::new()));
    thread::scope(|scope| {
        scope.spawn(|| both(&accounts, &journal, &barrier));
        scope.spawn(|| both(&journal, &accounts, &barrier));
    });
}

#[inline(never)]
fn both<A, B>(first: &Lock<A>, second: &Lock<B>, barrier: &std::sync::Barrier) {
    let _first = first.lock();
    barrier.wait();
    let _second = second.lock();
}
";

/// The stacks of the sides of the one finding, which fails the build.
fn stacks<'r>(report: &'r Value, code: &str) -> Vec<Vec<&'r str>> {
    assert_eq!(codes(report), [code], "{report}");
    let sides = report["findings"][0]["cycle"].as_array().unwrap();
    sides.iter().map(stack).collect()
}

fn stack(side: &Value) -> Vec<&str> {
    let frames = side["stack"].as_array().into_iter().flatten();
    frames.filter_map(Value::as_str).collect()
}

#[test]
fn who_called_the_function_that_takes_all_locks_is_told() {
    let project = project(&[("src/lib.rs", BANK)]);
    let output = lockwise(project.path(), &["test", "--lib", "--format", "json"]);
    let report = document(&output);
    let stacks = stacks(&report, "LW0003");
    assert_eq!(stacks.len(), 2, "{report}");
    for (stack, caller) in stacks.iter().zip(["Bank::pay", "Bank::audit"]) {
        assert!(stack[0].contains("::lock at src/lib.rs:14"), "{stack:?}");
        assert!(stack[1].contains(caller), "{stack:?}");
        assert!(stack[1].contains(" at src/lib.rs:"), "{stack:?}");
        let foreign = stack
            .iter()
            .any(|frame| frame.contains("/rustc/") || frame.contains("lockwise_core"));
        assert!(!foreign, "{stack:?}");
    }
    let text = stderr(&lockwise(project.path(), &["test", "--lib"]));
    let shown = text.matches("stack, innermost first:").count();
    assert_eq!(shown, 2, "{text}");
}

#[test]
fn who_called_is_told_of_threads_that_wait_for_each_other_too() {
    let project = project(&[("src/lib.rs", &format!("{BANK}{MEET}"))]);
    let arguments = ["test", "--lib", "--format", "json", "--", "at_the_same"];
    let report = document(&lockwise(project.path(), &arguments));
    let deadlock = codes(&report).iter().position(|code| *code == "LW0001");
    let sides = &report["findings"][deadlock.expect("it happens")]["cycle"];
    let sides = sides.as_array().unwrap();
    assert_eq!(sides.len(), 2, "{report}");
    for side in sides {
        let stack = stack(side);
        assert!(stack[0].contains("::lock at src/lib.rs:"), "{stack:?}");
        assert!(stack[1].contains("both"), "{stack:?}");
        let caller = stack[2];
        assert!(caller.contains("at_the_same_time"), "{stack:?}");
    }
}

#[test]
fn a_program_without_names_has_no_stacks_and_the_same_findings() {
    let project = project(&[("src/lib.rs", BANK)]);
    let with = document(&lockwise(
        project.path(),
        &["test", "--lib", "--format", "json"],
    ));
    let none = [
        "--config",
        "profile.dev.debug=0",
        "--config",
        "profile.dev.strip=true",
    ];
    let arguments = [&["test", "--lib", "--format", "json"][..], &none].concat();
    let without = document(&lockwise(project.path(), &arguments));
    assert_eq!(stacks(&without, "LW0003"), [[""; 0]; 2]);
    let fingerprint = |report: &Value| report["findings"][0]["fingerprint"].clone();
    assert_eq!(fingerprint(&with), fingerprint(&without));
}
