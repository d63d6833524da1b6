use super::*;
use crate::input::std_text;
use crate::limits::Limits;

/// The dependencies of a text trace, `T1: A B -> C`, oldest held lock first.
fn dependencies(text: &str) -> Vec<String> {
    let evidence = std_text::read("t", text.as_bytes(), &Limits::default()).unwrap();
    let history = History::of(&evidence.runs[0]);
    let run = &evidence.runs[0];
    let name = |lock: LockId| run.locks[lock.at()].label.as_str();
    let told = history.dependencies.iter().map(|dependency| {
        let mut held: Vec<&str> = history
            .chain(dependency.chain)
            .map(|(_, link)| name(link.held.lock))
            .collect();
        held.reverse();
        let thread = &run.threads[dependency.thread.at()].label;
        let times = dependency.events.len();
        format!(
            "{thread}: {} -> {} x{times}",
            held.join(" "),
            name(dependency.want.lock)
        )
    });
    told.collect()
}

fn slips(text: &str) -> Vec<SlipKind> {
    let evidence = std_text::read("t", text.as_bytes(), &Limits::default()).unwrap();
    let history = History::of(&evidence.runs[0]);
    history.slips.iter().map(|slip| slip.kind).collect()
}

#[test]
fn locks_released_in_any_order_leave_the_others_held() {
    let text = "T1|acq(A)|1\nT1|acq(B)|2\nT1|acq(C)|3\nT1|rel(B)|4\nT1|acq(D)|5\n";
    assert_eq!(
        dependencies(text),
        [
            "T1:  -> A x1",
            "T1: A -> B x1",
            "T1: A B -> C x1",
            "T1: A C -> D x1"
        ]
    );
}

#[test]
fn a_try_is_held_and_makes_no_dependency() {
    let text = "T1|tryacq(A)|1\nT1|acq(B)|2\n";
    assert_eq!(dependencies(text), ["T1: A -> B x1"]);
}

#[test]
fn equal_requests_count_as_one_until_a_fork() {
    let twice = "T1|acq(A)|1\nT1|rel(A)|2\nT1|acq(A)|1\nT1|rel(A)|2\n";
    assert_eq!(dependencies(twice), ["T1:  -> A x2"]);
    let fork = format!("{twice}T1|fork(T2)|3\n{twice}");
    assert_eq!(dependencies(&fork), ["T1:  -> A x2", "T1:  -> A x2"]);
}

#[test]
fn the_end_of_a_condition_wait_takes_the_lock_under_what_is_still_held() {
    let text = "T1|acq(M)|1\nT1|acq(A)|2\nT1|wait(C,M)|3\n";
    assert_eq!(dependencies(text)[2..], ["T1: A -> M x1"]);
}

#[test]
fn a_request_without_an_answer_counts_only_as_the_last_word() {
    let text = "T1|acq(A)|1\nT1|req(B)|2\n";
    assert_eq!(dependencies(text), ["T1:  -> A x1", "T1: A -> B x1"]);
    let gave_up = "T1|acq(A)|1\nT1|req(B)|2\nT1|rel(A)|3\n";
    assert_eq!(dependencies(gave_up), ["T1:  -> A x1"]);
}

#[test]
fn wrong_use_is_noted_and_right_use_is_not() {
    use SlipKind::*;
    let cases: [(&str, &[SlipKind]); 9] = [
        ("T1|acq(A)|1\nT1|rel(A)|2\n", &[]),
        ("T1|rel(A)|1\n", &[UnlockNotHeld]),
        ("T1|acq(A)|1\nT2|rel(A)|2\n", &[UnlockNotOwner]),
        ("T1|acq(A)|1\nT1|rrel(A)|2\n", &[UnlockWrongMode]),
        ("T1|wait(C,A)|1\n", &[WaitUnlocked]),
        (
            "T1|init(A)|1\nT1|destroy(A)|2\nT1|acq(A)|3\n",
            &[UseAfterDestroy],
        ),
        ("T1|acq(A)|1\nT1|destroy(A)|2\n", &[DestroyHeld]),
        ("T1|destroy(A)|1\nT1|destroy(A)|2\n", &[DoubleDestroy]),
        ("T0|fork(T1)|1\nT1|acq(A)|2\nT0|join(T1)|3\n", &[HeldAtExit]),
    ];
    for (text, expected) in cases {
        assert_eq!(slips(text), expected, "{text}");
    }
}
