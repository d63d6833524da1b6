use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::finding::Certainty;
use crate::input::{packed, std_text};
use crate::judge::judge;
use crate::trace::{Op, ThreadId};

/// Reads text with these limits.
fn read_text(text: &str, limits: &Limits) -> Evidence {
    let whole = Limits::default();
    let kind = kind(limits);
    read(kind, limits, |to| {
        Some(std_text::stream("t", text.as_bytes(), &whole, to))
    })
    .unwrap()
}

fn kind(limits: &Limits) -> Kind<'static> {
    Kind {
        label: "t",
        kept_max: limits.kept_events,
        is_long: false,
        reentrant: false,
        is_alone: true,
    }
}

const INVERSION: &str = "T0|fork(T1)|1\nT0|w(X)|1\nT0|acq(C)|1
T0|acq(A)|1\nT0|acq(B)|2\nT0|rel(B)|3\nT0|rel(A)|4
T1|r(X)|4\nT1|acq(B)|5\nT1|acq(A)|6\nT1|rel(A)|7\nT1|rel(B)|8\n";

fn few(kept_events: u64) -> Limits {
    Limits {
        kept_events,
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
    // It had to be cut right before the last request, so there is a proof at a distance too.
    let [excerpt, proof] = evidence.excerpts.as_slice() else {
        panic!("{:?}", evidence.excerpts);
    };
    assert_eq!((proof.begins_after, proof.stops.len()), (9, 2));
    // It begins behind the fork and the write: these are made up again.
    assert_eq!(excerpt.begins_after, 2);
    assert_eq!(excerpt.events.len(), 7 + excerpt.made_up.len());
    let made_up = excerpt.events.iter().take(3).map(|event| &event.op);
    let kinds: Vec<bool> = made_up
        .map(|op| matches!(op, Op::Fork { .. } | Op::Write { .. } | Op::Acquire { .. }))
        .collect();
    assert_eq!(kinds, [true; 3]);
}

#[test]
fn a_long_trace_without_a_cycle_is_read_once() {
    let ordered = INVERSION.replace("acq(B)|5\nT1|acq(A)|6", "acq(A)|5\nT1|acq(B)|6");
    let whole = Limits::default();
    let mut times = 0;
    let evidence = read(kind(&few(3)), &few(3), |to| {
        times += 1;
        Some(std_text::stream("t", ordered.as_bytes(), &whole, to))
    });
    let evidence = evidence.unwrap();
    assert_eq!(times, 1);
    assert!(evidence.runs[0].chains.is_empty());
}

/// Whatever the parts are.
fn nothing_is_certain(text: &str) {
    for window in 4..30 {
        let limits = Limits { window, ..few(0) };
        let verdict = judge(&read_text(text, &limits), &Limits::default());
        let certain = verdict.findings.iter();
        let certain = certain.filter(|finding| finding.certainty == Certainty::Certain);
        assert_eq!(certain.count(), 0, "window {window}");
    }
}

#[test]
fn a_wait_that_others_end_behind_the_part_is_no_proof() {
    // Whoever waits for a unit gets one in the end: T3 posts twice, and T1 and T2 post what they took.
    let text = "T0|fork(T1)|0\nT0|fork(T2)|1\nT1|acq(A)|0\nT1|rel(A)|1\nT1|acq(A)|2\nT0|fork(T3)|2
T3|post(S)|0\nT1|pend(S)|3\nT1|post(S)|4\nT1|rel(A)|5\nT2|pend(S)|0\nT0|racq(A)|3
T0|acq(B)|4\nT0|rel(B)|5\nT2|post(S)|1\nT3|pend(S)|1\nT0|rrel(A)|6\nT0|join(T1)|7
T2|acq(A)|2\nT2|rel(A)|3\nT0|join(T2)|8\nT3|post(S)|2\nT0|join(T3)|9\n";
    nothing_is_certain(text);
}

#[test]
fn a_wait_in_one_line_ends_only_where_its_thread_goes_on() {
    // T0 sleeps until T2 has given B back, and that is after T2 had A.
    let text = "T0|acq(B)|0\nT0|wait(C,B)|1\nT3|racq(B)|0\nT3|rrel(B)|1\nT1|acq(A)|0\nT1|rel(A)|1
T2|acq(B)|0\nT2|notify(C)|1\nT2|racq(A)|2\nT2|rrel(A)|3\nT2|rel(B)|4
T0|rel(B)|2\nT0|acq(A)|3\nT0|acq(B)|4\nT0|rel(B)|5\nT0|rel(A)|6\n";
    nothing_is_certain(text);
}

#[test]
fn what_can_be_read_only_once_says_so() {
    let whole = Limits::default();
    let mut text = Some(INVERSION.as_bytes());
    let evidence = read(kind(&few(3)), &few(3), |to| {
        Some(std_text::stream("t", text.take()?, &whole, to))
    });
    let evidence = evidence.unwrap();
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

/// What a survey has found, as text.
fn told(survey: &Survey) -> String {
    let mut pairs: Vec<_> = survey.pairs().collect();
    pairs.sort_unstable();
    let Survey {
        events,
        misused,
        has_conditions,
        waited_under,
        ..
    } = survey;
    let mut waited: Vec<_> = waited_under.iter().collect();
    waited.sort_unstable();
    format!("{pairs:?} {events} {misused} {waited:?} {has_conditions}")
}

/// Surveys a text of which a reader has so many bytes in hand at a time; with few, no line is taken in
/// the fast way.
fn surveyed(text: &[u8], at_once: usize) -> String {
    let limits = few(0);
    let mut first = First {
        limits: &limits,
        kept: 0,
        reentrant: false,
        survey: Some(Survey::new(1_000, false)),
    };
    let reader = std::io::BufReader::with_capacity(at_once, text);
    let whole = Limits::default();
    let evidence = std_text::stream("t", reader, &whole, &mut first);
    let names = evidence.map(|evidence| {
        let run = &evidence.runs[0];
        let threads: Vec<_> = run.threads.iter().map(|t| t.label.clone()).collect();
        let locks: Vec<_> = run
            .locks
            .iter()
            .map(|l| (l.label.clone(), l.kind))
            .collect();
        format!("{threads:?} {locks:?} {:?}", evidence.limits)
    });
    let survey = first.survey.expect("it is a survey from the start");
    format!("{names:?} {}", told(&survey))
}

/// A line of a text trace, most of them well formed.
fn line() -> impl Strategy<Value = String> {
    const THREADS: [&str; 5] = ["T0", "T1", "T12", "main", "a thread"];
    const OPERATIONS: [&str; 22] = [
        "acq", "rel", "acq", "rel", "acq", "rel", "req", "r", "w", "racq", "rrel", "tryacq",
        "reacq", "wait", "notify", "init", "destroy", "fork", "join", "pend", "begin", "x",
    ];
    const ARGUMENTS: [&str; 9] = [
        "L1",
        "L2",
        "L3",
        "L4",
        "T1",
        "a_name_of_seventeen",
        "sixteen_bytes_xy",
        "O.f(I)[0]",
        "L1,sub=1",
    ];
    const ENDS: [&str; 8] = [
        "|1\n",
        "|22\n",
        "|333\n",
        "|src/a/long/path/to/some/file.rs:12:13\n",
        "\n",
        "|\r\n",
        " |4 \n",
        "|5|6\n",
    ];
    let index = any::<proptest::sample::Index>;
    (index(), index(), index(), index(), 0..40_u8).prop_map(
        |(thread, operation, argument, end, odd)| {
            let thread = THREADS[thread.index(THREADS.len())];
            let operation = OPERATIONS[operation.index(OPERATIONS.len())];
            let argument = ARGUMENTS[argument.index(ARGUMENTS.len())];
            let end = ENDS[end.index(ENDS.len())];
            match odd {
                0 => "\n".to_owned(),
                1 => "# a comment | with (bars)|\n".to_owned(),
                2 => "no event\n".to_owned(),
                3 => format!("{thread} | {operation}( {argument} ){end}"),
                4 => "# class: L1=C L2=C\n".to_owned(),
                _ => format!("{thread}|{operation}({argument}){end}"),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn lines_taken_in_the_fast_way_say_the_same(
        lines in proptest::collection::vec(line(), 0..200)
    ) {
        let text = lines.concat();
        prop_assert_eq!(surveyed(text.as_bytes(), 1 << 16), surveyed(text.as_bytes(), 16));
    }

    #[test]
    fn a_survey_says_the_same_as_the_events(
        words in proptest::collection::vec((0..9_u64, 0..4_u64, 0..5_u64), 0..300)
    ) {
        let mut bytes = b"LTB1\x01\0\0\0".to_vec();
        bytes.extend((words.len() as u64).to_le_bytes());
        bytes.extend([0; 16]);
        for (op, thread, argument) in words {
            bytes.extend((op | thread << 4 | argument << 20).to_le_bytes());
        }
        let limits = few(0);
        let survey = || Survey::new(1_000, true);
        let mut first = First { limits: &limits, kept: 0, reentrant: true, survey: Some(survey()) };
        let whole = Limits::default();
        let streamed = packed::stream("t", bytes.as_slice(), &whole, &mut first);
        let read = packed::read("t", bytes.as_slice(), &whole);
        prop_assert_eq!(streamed.is_ok(), read.is_ok());
        let first = first.survey.expect("it is a survey from the start");
        let mut slow = survey();
        if let Ok(mut evidence) = read {
            slow.take_from(&mut evidence.runs[0]);
        }
        let pairs = |survey: &Survey| survey.pairs().collect::<BTreeSet<_>>();
        prop_assert_eq!(pairs(&first), pairs(&slow));
        prop_assert_eq!(first.misused, slow.misused);
    }
}
