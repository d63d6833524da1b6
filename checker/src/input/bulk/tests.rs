use super::*;
use crate::input::std_text;

/// Reads text with these limits.
fn read_text(text: &str, limits: &Limits) -> Evidence {
    let whole = std_text::Limits::default();
    let once = |drain: Drain<'_>| std_text::stream("t", text.as_bytes(), &whole, drain);
    read("t", limits, once, |drain| Some(once(drain))).unwrap()
}

const INVERSION: &str = "T0|fork(T1)|1\nT0|w(X)|1\nT0|acq(C)|1
T0|acq(A)|1\nT0|acq(B)|2\nT0|rel(B)|3\nT0|rel(A)|4
T1|r(X)|4\nT1|acq(B)|5\nT1|acq(A)|6\nT1|rel(A)|7\nT1|rel(B)|8\n";

fn few(events_max: usize) -> Limits {
    Limits {
        events_max,
        window: 7,
        ..Limits::default()
    }
}

#[test]
fn a_short_trace_is_kept_whole() {
    let evidence = read_text(INVERSION, &few(12));
    assert_eq!(evidence.runs[0].events.len(), 12);
    assert!(evidence.limits.is_empty() && evidence.excerpts.is_empty());
}

#[test]
fn a_long_trace_leaves_the_chains_on_cycles_and_an_excerpt() {
    let evidence = read_text(INVERSION, &few(3));
    let run = &evidence.runs[0];
    assert_eq!(
        (run.events_seen, run.events.len(), run.chains.len()),
        (12, 1, 2)
    );
    let held: Vec<usize> = run.chains.iter().map(|c| run.held_in(c).count()).collect();
    assert_eq!(held, [2, 1]);
    let [excerpt] = evidence.excerpts.as_slice() else {
        panic!("{:?}", evidence.excerpts);
    };
    // It begins behind the fork and the write: these are made up again.
    assert_eq!(excerpt.begins_after, 2);
    assert_eq!(
        excerpt.events.len(),
        7 + excerpt.prologue.iter().sum::<u32>() as usize
    );
    let made_up = excerpt.events.iter().take(3).map(|event| &event.op);
    let kinds: Vec<bool> = made_up
        .map(|op| matches!(op, Op::Fork { .. } | Op::Write { .. } | Op::Acquire { .. }))
        .collect();
    assert_eq!(kinds, [true; 3]);
}

#[test]
fn a_long_trace_without_a_cycle_is_read_once() {
    let ordered = INVERSION.replace("acq(B)|5\nT1|acq(A)|6", "acq(A)|5\nT1|acq(B)|6");
    let whole = std_text::Limits::default();
    let once = |drain: Drain<'_>| std_text::stream("t", ordered.as_bytes(), &whole, drain);
    let evidence = read("t", &few(3), once, |_| panic!("it is read again")).unwrap();
    assert!(evidence.runs[0].chains.is_empty());
}

#[test]
fn what_can_be_read_only_once_says_so() {
    let whole = std_text::Limits::default();
    let once = |drain: Drain<'_>| std_text::stream("t", INVERSION.as_bytes(), &whole, drain);
    let evidence = read("t", &few(3), once, |_| None).unwrap();
    assert!(
        evidence
            .limits
            .iter()
            .any(|limit| limit.contains("read only once"))
    );
}

#[test]
fn both_readings_name_the_same_threads_and_places() {
    // T3 and its place are met first by a read of data, which the first reading leaves out.
    let text = INVERSION.replace("T0|acq(B)|2", "T3|r(Y)|99\nT0|acq(B)|2") + "T3|acq(D)|10\n";
    let evidence = read_text(&text, &few(3));
    let run = &evidence.runs[0];
    let told = |thread: ThreadId| run.threads[thread.at()].label.as_str();
    let chains: Vec<(&str, &str)> = run
        .chains
        .iter()
        .map(|chain| {
            let site = &evidence.sites[chain.want.site.at()].file;
            (told(chain.thread), site.as_str())
        })
        .collect();
    assert_eq!(chains, [("T0", "2"), ("T1", "6")]);
    assert_eq!(run.events_seen, 14);
    assert!(matches!(run.events[0].op, Op::Fork { child } if told(child) == "T1"));
}
