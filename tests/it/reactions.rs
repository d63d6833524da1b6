//! What a program asked to happen on a finding, by a call or through the environment.

use std::process::Output;

use crate::programs::{finish, program, stderr, stdout};

const HELD_AS_BEFORE: &str = "held=[false, false, true]";

/// Runs the program with its own choice, and with the same choice from the environment.
fn both(choice: &str) -> [Output; 2] {
    [
        finish(program("reactions").arg(choice)),
        finish(
            program("reactions")
                .arg("environment")
                .env("LOCKWISE_ON_FINDING", choice),
        ),
    ]
}

/// Checks that the program went on.
fn goes_on(output: &Output) {
    assert!(output.status.success());
    let said = stdout(output);
    assert!(
        said.ends_with(&format!("panicked=false {HELD_AS_BEFORE}\nended\n")),
        "{said}"
    );
}

#[test]
fn report_is_what_happens_if_nothing_is_chosen() {
    let output = finish(program("reactions").arg("environment"));
    goes_on(&output);
    assert!(stderr(&output).starts_with("lockwise: LW0003 lock-order-cycle: "));
}

#[test]
fn report_writes_both_sides_and_goes_on() {
    for output in both("report") {
        goes_on(&output);
        let said = stderr(&output);
        assert_eq!(said.matches("LW0003").count(), 1, "{said}");
        for side in ["holds a", "wants b", "holds b", "wants a"] {
            assert!(said.contains(side), "no `{side}` in {said}");
        }
    }
}

#[test]
fn a_panic_leaves_no_lock_held_that_was_not_held_before() {
    for output in both("panic") {
        assert!(output.status.success());
        let said = stdout(&output);
        assert_eq!(said, format!("panicked=true {HELD_AS_BEFORE}\nended\n"));
        assert!(stderr(&output).contains("panicked at "));
    }
}

#[test]
fn abort_ends_the_process_with_the_report() {
    for output in both("abort") {
        assert_eq!(output.status.code(), None, "it dies by a signal");
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains("LW0003"));
    }
}

#[test]
fn silent_says_nothing() {
    for output in both("silent") {
        goes_on(&output);
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_callback_gets_both_sites_and_both_stacks() {
    let output = finish(program("reactions").arg("callback"));
    goes_on(&output);
    let said = stdout(&output);
    let called: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("callback: "))
        .collect();
    assert_eq!(called.len(), 1, "{said}");
    assert!(called[0].starts_with("callback: LW0003 "), "{said}");
    assert_eq!(called[0].matches("fixtures/probe/reactions.rs").count(), 2);
    assert!(called[0].ends_with("stacks=true"), "{said}");
}
