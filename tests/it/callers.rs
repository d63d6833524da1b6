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

/// Before them somebody took both locks in the one order, and was waited for.
const BEFORE: &str = r"
#[test]
fn opposite_orders_after_another() {
    let bank = Arc::new(Bank {
        accounts: Lock::new(0),
        journal: Lock::new(String::new()),
    });
    let [other, third] = [Arc::clone(&bank), Arc::clone(&bank)];
    thread::spawn(move || other.pay()).join().unwrap();
    let first = thread::spawn(move || third.pay());
    while !first.is_finished() {
        thread::yield_now();
    }
    let second = thread::spawn(move || {
        let journal = bank.journal.lock();
        drop(bank.accounts.lock());
        drop(journal);
    });
    second.join().unwrap();
    first.join().unwrap();
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

/// Two that wait: one for a message with a lock, in a function of its own, and one for that lock.
const MESSAGE: &str = r"
#[test]
fn waits_with_a_lock() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let journal = Lock::new(0);
    let start = std::sync::Barrier::new(2);
    let (journal, start) = (&journal, &start);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut journal = journal.lock();
            start.wait();
            *journal += next(&receiver);
        });
        start.wait();
        sender.send(*journal.lock()).unwrap();
    });
}

#[inline(never)]
fn next(receiver: &std::sync::mpsc::Receiver<u32>) -> u32 {
    receiver.recv().unwrap()
}
";

#[test]
fn who_called_is_told_of_what_waits_for_a_message_too() {
    let project = project(&[("src/lib.rs", &format!("{BANK}{MESSAGE}"))]);
    let arguments = ["test", "--lib", "--format", "json", "--", "waits_with"];
    let report = document(&lockwise(project.path(), &arguments));
    let deadlock = codes(&report).iter().position(|code| *code == "LW0001");
    let side = &report["findings"][deadlock.expect("it happens")]["cycle"][0];
    assert_eq!(side["wants"]["resource"], "channel", "{report}");
    let stack = stack(side);
    assert!(stack[0].contains("::next at src/lib.rs:"), "{stack:?}");
    assert!(stack[1].contains("waits_with_a_lock"), "{stack:?}");
}

#[test]
fn who_called_is_told_of_each_of_several_processes() {
    let project = project(&[
        ("src/lib.rs", ""),
        ("tests/first.rs", BANK),
        ("tests/second.rs", &format!("// Other lines.\n{BANK}")),
    ]);
    let report = document(&lockwise(project.path(), &["test", "--format", "json"]));
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(codes(&report), ["LW0003", "LW0003"], "{report}");
    for side in findings
        .iter()
        .flat_map(|found| found["cycle"].as_array().unwrap())
    {
        let stack = stack(side);
        assert_eq!(stack.len(), 3, "{stack:?}");
        let file = side["wants"]["site"].as_str().unwrap().split(':').next();
        assert!(stack[0].contains(file.unwrap()), "{stack:?}");
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

#[test]
fn who_called_is_told_of_whoever_asked_for_the_same_first() {
    let project = project(&[("src/lib.rs", &format!("{BANK}{BEFORE}"))]);
    let arguments = ["--lib", "--", "opposite_orders_after"];
    let all = [&["test", "--format", "json"][..], &arguments].concat();
    let report = document(&lockwise(project.path(), &all));
    let told = stacks(&report, "LW0003");
    assert!(told[0][1].contains("Bank::pay"), "{report}");
    assert!(told[1][1].contains("opposite_orders_after"), "{report}");
    let sides = &report["findings"][0]["cycle"];
    let other = sides[0]["stack_of"]
        .as_str()
        .expect("it is another thread's");
    assert_ne!(sides[0]["thread"], other);
    assert!(sides[1]["stack_of"].is_null(), "{report}");
    let text = stderr(&lockwise(
        project.path(),
        &[&["test"][..], &arguments].concat(),
    ));
    let heading = format!("stack of {other}, which asked for the same here, innermost first:");
    assert_eq!(text.matches(&heading).count(), 1, "{text}");
}

#[test]
fn little_debug_information_tells_who_called_as_far_as_it_goes() {
    let project = project(&[("src/lib.rs", BANK)]);
    let report = |debug: &str| {
        let debug = format!("profile.dev.debug={debug}");
        let arguments = ["test", "--lib", "--format", "json", "--config", &debug];
        document(&lockwise(project.path(), &arguments))
    };
    let lines = report("\"line-tables-only\"");
    for (stack, caller) in stacks(&lines, "LW0003").iter().zip(["::pay", "::audit"]) {
        assert!(stack[0].ends_with(" at src/lib.rs:14"), "{stack:?}");
        assert!(stack[1].contains(caller), "{stack:?}");
        assert!(stack[1].contains(" at src/lib.rs:"), "{stack:?}");
        assert!(stack[2].contains("::opposite_orders::"), "{stack:?}");
    }
    let names = report("0");
    for (stack, caller) in stacks(&names, "LW0003").iter().zip(["::pay", "::audit"]) {
        assert!(stack[0].ends_with("::lock"), "{stack:?}");
        assert!(stack[1].ends_with(caller), "{stack:?}");
        assert!(stack[2].contains("::opposite_orders::"), "{stack:?}");
        assert_eq!(stack.len(), 3, "{stack:?}");
    }
}
