use std::fmt::Write as _;
use std::io::{Cursor, Read};

use insta::assert_snapshot;
use lockwise::watch::Mode;

use super::*;
use crate::trace::{Ask, Op, Run};

fn read_text(text: &str) -> Result<Evidence, StdTextError> {
    read("t.std", text.as_bytes(), &Limits::default())
}

/// The events of a text, one a line, with names instead of numbers.
fn events(text: &str) -> String {
    let evidence = read_text(text).unwrap();
    let run = &evidence.runs[0];
    let mut said = String::new();
    for event in &run.events {
        let thread = &run.threads[event.thread.at()].label;
        let site = &evidence.sites[event.site.at()].file;
        writeln!(said, "{thread} {} @{site}", op(run, &event.op)).unwrap();
    }
    for limit in &evidence.limits {
        writeln!(said, "limit: {limit}").unwrap();
    }
    said
}

fn op(run: &Run, op: &Op) -> String {
    let lock = |at: crate::trace::LockId| format!("{}#{}", run.locks[at.at()].label, at.0);
    let of = |at: crate::trace::ResourceId| run.resources[at.at()].label.clone();
    let thread = |at: crate::trace::ThreadId| run.threads[at.at()].label.clone();
    match *op {
        Op::Request { lock: l, mode } => format!("request {} {}", lock(l), mode.name()),
        Op::Acquire {
            lock: l,
            mode,
            ask,
            class,
        } => {
            let tries = if ask == Ask::Try { "try " } else { "" };
            let sub = class.sub.map_or(String::new(), |sub| format!(" sub {sub}"));
            let nest = class
                .nest
                .map_or(String::new(), |n| format!(" nest {}", lock(n)));
            format!("{tries}acquire {} {}{sub}{nest}", lock(l), mode.name())
        }
        Op::Release { lock: l, side } => format!("release {} {side:?}", lock(l)),
        Op::Fork { child } => format!("fork {}", thread(child)),
        Op::Join { child } => format!("join {}", thread(child)),
        Op::WaitBegin {
            condvar, lock: l, ..
        } => format!("wait {} {}", of(condvar), lock(l)),
        Op::WaitEnd { condvar, lock: l } => format!("awake {} {}", of(condvar), lock(l)),
        Op::Notify { condvar } => format!("notify {}", of(condvar)),
        Op::NotifyAll { condvar } => format!("notify all {}", of(condvar)),
        Op::Barrier { barrier, parties } => format!("barrier {} {parties}", of(barrier)),
        Op::Post { semaphore } => format!("post {}", of(semaphore)),
        Op::Pend { semaphore, .. } => format!("pend {}", of(semaphore)),
        Op::Init { lock: l } => format!("init {}", lock(l)),
        Op::Destroy { lock: l } => format!("destroy {}", lock(l)),
        ref other => format!("{other:?}"),
    }
}

#[test]
fn every_operation_is_read() {
    assert_snapshot!(events(
        "T0|fork(T1)|1\nT1|acq(A)|2\nT1|rel(A)|3\nT1|racq(A)|4\nT1|rrel(A)|5\nT1|rracq(A)|6\n\
         T1|rrel(A)|7\nT1|reacq(B)|8\nT1|rel(B)|9\nT1|tryacq(A)|10\nT1|rel(A)|11\n\
         T1|rtryacq(A)|12\nT1|rrel(A)|13\nT1|acq(M)|14\nT1|wait(C,M)|15\nT1|rel(M)|16\n\
         T1|notify(C)|17\nT1|notifyall(C)|18\nT1|notifyAll(C)|19\nT1|barrier(G,2)|20\n\
         T1|post(S)|21\nT1|pend(S)|22\nT1|acq(A,sub=1)|23\nT1|acq(B,nest=A)|24\nT1|req(A)|25\n\
         T1|init(D)|26\nT1|destroy(D)|27\nT1|r(V)|28\nT1|w(V)|29\nT1|begin(1)|30\nT1|end(1)|31\n\
         T0|join(T1)|32\n"
    ));
}

#[test]
fn what_other_writers_do_differently_is_understood() {
    assert_snapshot!(events(
        "\u{feff}T1|fork(10)|22\r\n\r\n# a comment\r\n  T10|acq(11)|src/a.rs:3:4 in f | g \r\n\
         T10|rel(11)\r\nT10|w(Ljava/lang/Object;.f(I)[0])|5\r\nT1|join(10)|23"
    ));
}

#[test]
fn a_monitor_wait_in_three_lines_is_one_wait() {
    assert_snapshot!(events(
        "T1|acq(L)|1\nT1|rel(L)|2\nT1|wait(L)|2\nT2|acq(L)|3\nT2|notifyAll(L)|4\nT2|rel(L)|5\n\
         T1|req(L)|2\nT1|acq(L)|2\nT1|rel(L)|6\n"
    ));
}

#[test]
fn a_monitor_wait_in_one_line_is_the_same() {
    assert_snapshot!(events("T1|acq(L)|1\nT1|wait(L)|2\nT1|rel(L)|3\n"));
}

#[test]
fn a_lock_is_a_new_instance_in_each_life() {
    assert_snapshot!(events(
        "T1|init(A)|1\nT1|acq(A)|2\nT1|rel(A)|3\nT1|destroy(A)|4\nT1|destroy(A)|5\nT1|init(A)|6\n\
         T1|acq(A)|7\nT1|rel(A)|8\nT1|init(A)|9\nT1|acq(A)|10\n"
    ));
}

#[test]
fn class_headers_may_come_late_and_more_than_once() {
    let text = "# class: A1=A\nT1|acq(A1)|1\nT1|acq(A2)|2\nT1|acq(B)|3\n# class: A2=A\n";
    let evidence = read_text(text).unwrap();
    let run = &evidence.runs[0];
    let class = |lock: usize| evidence.classes[run.locks[lock].class.at()].label.as_str();
    assert_eq!((class(0), class(1), class(2)), ("A", "A", "B"));
    assert_eq!(evidence.classes.len(), 2);
}

#[test]
fn every_thread_of_a_text_trace_was_seen_to_start() {
    let evidence = read_text("T0|fork(T1)|1\nT1|acq(A)|2\nT0|join(T1)|3\n").unwrap();
    let run = &evidence.runs[0];
    assert!(run.threads.iter().all(|thread| thread.start_seen));
    assert_eq!(
        run.threads.iter().map(|t| t.end_seen).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(run.complete);
}

#[test]
fn lines_that_are_not_understood_are_left_out_and_counted() {
    assert_snapshot!(events(
        "T1|acq(A)|1\nwhat is this\nT1|grab(B)|2\nT1|barrier(G)|3\nT1|acq()|4\nT1|acq(A,sub=x)|5\n\
         T1|rel(A)|6\n"
    ));
}

#[test]
fn an_empty_trace_is_no_error() {
    for text in ["", "\n\n", "# only a comment\n", "\u{feff}"] {
        let evidence = read_text(text).unwrap();
        assert!(evidence.runs[0].events.is_empty(), "{text:?}");
        assert_eq!(evidence.limits, [""; 0]);
    }
}

#[test]
fn text_without_an_event_is_an_error_that_says_what_was_expected() {
    let error = read_text("# fine\nHello, world\n").unwrap_err();
    assert_snapshot!(error.to_string());
}

#[test]
fn random_bytes_are_an_error_and_not_read_to_the_end() {
    let mut noise = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_le_bytes()[3]
    })
    .take(50_000)
    .collect();
    let endless = std::io::repeat(0)
        .take(u64::MAX)
        .chain(Cursor::new(Vec::new()));
    assert!(matches!(
        read("noise", bytes.as_slice(), &Limits::default()),
        Err(StdTextError::NoEvents { .. })
    ));
    // A line without an end is not kept in memory, and many bad lines are enough.
    let lines = std::io::BufReader::new(b"nonsense\n".repeat(20_000).leak().chain(endless));
    assert!(matches!(
        read("endless", lines, &Limits::default()),
        Err(StdTextError::NoEvents { line: 1, .. })
    ));
}

#[test]
fn a_line_that_is_too_long_is_left_out_and_the_next_one_read() {
    let text = format!("T1|acq({})|1\nT1|acq(B)|2\n", "A".repeat(5_000));
    let limits = Limits {
        line_bytes: 1_000,
        ..Limits::default()
    };
    let evidence = read("t.std", text.as_bytes(), &limits).unwrap();
    assert_eq!(evidence.runs[0].events.len(), 1);
    assert_snapshot!(evidence.limits.join("\n"));
}

#[test]
fn events_over_the_limit_are_left_out_and_counted() {
    let limits = Limits {
        events: 2,
        ..Limits::default()
    };
    let text = "T1|acq(A)|1\nT1|rel(A)|2\nT1|acq(A)|3\nT1|rel(A)|4\n";
    let evidence = read("t.std", text.as_bytes(), &limits).unwrap();
    assert_eq!(evidence.runs[0].events.len(), 2);
    assert_snapshot!(evidence.limits.join("\n"));
}

#[test]
fn every_prefix_of_a_trace_is_read_or_refused_without_panic() {
    let text = "# class: A=X\nT0|fork(T1)|1\nT1|acq(A,sub=1)|2\nT1|wait(C,A)|3\nT1|rel(A)|4\n";
    for end in 0..=text.len() {
        let _ = read_text(&text[..end]);
    }
}

#[test]
fn modes_say_what_kind_of_lock_it_is() {
    let evidence = read_text("T1|acq(A)|1\nT1|racq(B)|2\nT1|reacq(C)|3\n").unwrap();
    let kinds = evidence.runs[0].locks.iter().map(|lock| lock.kind.name());
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["Mutex", "RwLock", "ReentrantMutex"]
    );
    let modes = evidence.runs[0]
        .events
        .iter()
        .filter_map(|event| match event.op {
            Op::Acquire { mode, .. } => Some(mode),
            _ => None,
        });
    assert_eq!(
        modes.collect::<Vec<_>>(),
        [Mode::Exclusive, Mode::Shared, Mode::Reentrant]
    );
}

#[test]
fn a_lock_that_was_granted_to_its_holder_is_re_entrant() {
    let text = "T1|req(L)|1\nT1|acq(L)|1\nT1|req(L)|2\nT1|acq(L)|2\nT1|rel(L)|3\nT1|rel(L)|4\n";
    assert_snapshot!(events(text), @r"
    T1 request L#0 reentrant @1
    T1 acquire L#0 reentrant @1
    T1 request L#0 reentrant @2
    T1 acquire L#0 reentrant @2
    T1 release L#0 Exclusive @3
    T1 release L#0 Exclusive @4
    ");
}

#[test]
fn signal_and_broadcast_are_names_of_notifications_too() {
    assert_eq!(
        events("T1|signal(C)|1\nT1|broadcast(C)|2\n"),
        events("T1|notify(C)|1\nT1|notifyAll(C)|2\n")
    );
}

#[test]
fn line_ends_of_old_are_not_taken_for_places() {
    let error = read_text("T1|acq(A)|1\rT1|acq(A)|2\r").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`t.std` is no text trace: line 1: expected `THREAD|OPERATION(ARGUMENT)|LOCATION`"
    );
}

#[test]
fn names_have_a_limit_of_their_own() {
    let limits = Limits {
        name_bytes: 40,
        ..Limits::default()
    };
    let mut text = String::new();
    for at in 0..20 {
        writeln!(text, "T1|acq(lock number {at})|{at}").unwrap();
    }
    let evidence = read("t.std", text.as_bytes(), &limits).unwrap();
    assert_eq!(evidence.runs[0].events.len(), 3);
    assert!(evidence.runs[0].goes_on());
    assert_eq!(
        evidence.limits,
        ["t.std: all after line 3 left out (limit `name-bytes`)"]
    );
}
