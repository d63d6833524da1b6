use super::*;
use crate::input::{bulk, std_text};
use crate::judge::judge;

/// Operation, thread, argument, location.
type Parts = (u64, u64, u64, u64);

fn ltb1(events: &[Parts]) -> Vec<u8> {
    let mut bytes = b"LTB1".to_vec();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend((events.len() as u64).to_le_bytes());
    bytes.extend([0; 16]);
    for (op, thread, argument, location) in events {
        bytes.extend((op | thread << 4 | argument << 20 | location << 44).to_le_bytes());
    }
    bytes
}

fn rapid_bin(events: &[Parts]) -> Vec<u8> {
    let mut bytes = 3_u16.to_be_bytes().to_vec();
    bytes.extend(9_u32.to_be_bytes());
    bytes.extend(9_u32.to_be_bytes());
    bytes.extend((events.len() as u64).to_be_bytes());
    for (op, thread, argument, location) in events {
        bytes.extend((thread | op << 10 | argument << 14 | location << 48).to_be_bytes());
    }
    bytes
}

const EVENTS: [Parts; 12] = [
    (4, 0, 1, 1),
    (8, 0, 5, 2),
    (0, 0, 5, 2),
    (3, 0, 7, 3),
    (1, 0, 5, 4),
    (2, 1, 7, 5),
    (8, 1, 6, 6),
    (0, 1, 6, 6),
    (8, 1, 6, 7),
    (0, 1, 6, 7),
    (1, 1, 6, 8),
    (1, 1, 6, 9),
];

/// The same as text; L6 is entered twice.
const TEXT: &str = "T0|fork(T1)|1\nT0|req(L5)|2\nT0|acq(L5)|2\nT0|w(V7)|3\nT0|rel(L5)|4
T1|r(V7)|5\nT1|req(L6)|6\nT1|acq(L6)|6\nT1|req(L6)|7\nT1|acq(L6)|7\nT1|rel(L6)|8\nT1|rel(L6)|9\n";

fn told(evidence: &Evidence) -> String {
    let run = &evidence.runs[0];
    let events = run.events.iter();
    let told = events.map(|e| {
        format!(
            "{:?} {:?} {}",
            e.thread,
            e.op,
            evidence.sites[e.site.at()].file
        )
    });
    let mut told: Vec<String> = told.collect();
    told.extend(run.threads.iter().map(|thread| thread.label.clone()));
    told.extend(run.locks.iter().map(|lock| lock.label.clone()));
    told.join("\n")
}

fn read_all(bytes: &[u8]) -> Result<Evidence, PackedError> {
    assert!(is_packed(bytes));
    read("t", bytes, &Limits::default())
}

#[test]
fn both_layouts_say_what_the_text_says() {
    let text = std_text::read("t", TEXT.as_bytes(), &Limits::default()).unwrap();
    for bytes in [ltb1(&EVENTS), rapid_bin(&EVENTS)] {
        let evidence = read_all(&bytes).unwrap();
        assert_eq!(told(&evidence), told(&text));
        assert_eq!(evidence.limits, [""; 0]);
    }
}

/// As a trace that is too long to be kept.
fn read_long(bytes: &[u8]) -> Evidence {
    let limits = Limits::default();
    let kind = bulk::Kind {
        label: "t",
        kept_max: 0,
        is_long: true,
        reentrant: true,
        is_alone: true,
    };
    let read = |consumer: &mut dyn Consumer| Some(stream("t", bytes, &limits, consumer));
    bulk::read(kind, &limits, read).unwrap()
}

#[test]
fn asking_for_a_lock_that_one_holds_is_no_mistake_here_even_where_the_trace_ends() {
    let bytes = ltb1(&[
        (0, 0, 5, 1),
        (8, 0, 6, 2),
        (0, 0, 6, 2),
        (8, 0, 5, 3),
        (8, 1, 6, 4),
    ]);
    for evidence in [read_all(&bytes).unwrap(), read_long(&bytes)] {
        let verdict = judge(&evidence, &Limits::default());
        assert_eq!(verdict.findings.len(), 0, "{:?}", verdict.findings);
    }
}

#[test]
fn a_schedule_counts_what_is_entered_again_as_steps() {
    let side = |thread, first, second| {
        let events = [
            (0, first),
            (0, first),
            (0, second),
            (1, second),
            (1, first),
            (1, first),
        ];
        events.map(|(op, lock)| (op, thread, lock, 1))
    };
    let events = [side(0, 5, 6), side(1, 6, 5)].concat();
    let verdict = judge(&read_all(&ltb1(&events)).unwrap(), &Limits::default());
    let [finding] = verdict.findings.as_slice() else {
        panic!("one finding: {:?}", verdict.findings);
    };
    assert_eq!(finding.witness, ["T0*2", "T1*2"]);
}

#[test]
fn what_is_cut_off_or_strange_is_said() {
    let mut strange = EVENTS;
    strange[3].0 = 9;
    let bytes = ltb1(&strange);
    let evidence = read_all(&bytes[..bytes.len() - 12]).unwrap();
    assert_eq!(
        evidence.limits,
        [
            "t: it ends after 10 of the 12 events that its header tells of",
            "t: 1 words are no events and left out"
        ]
    );
    let few = Limits {
        events: 2,
        ..Limits::default()
    };
    let evidence = read("t", ltb1(&EVENTS).as_slice(), &few).unwrap();
    assert_eq!(
        evidence.limits,
        ["t: 10 events after the first 2 left out (limit `events`)"]
    );
}

#[test]
fn a_header_that_tells_of_fewer_events_than_there_are_is_no_reason_to_be_silent() {
    let mut bytes = ltb1(&EVENTS);
    bytes[8] = 5;
    let evidence = read_all(&bytes).unwrap();
    assert_eq!(evidence.runs[0].events.len(), 5);
    assert_eq!(
        evidence.limits,
        ["t: more than the 5 events that its header tells of are in it; these are left out"]
    );
    bytes[8] = 0;
    let evidence = read_all(&bytes).unwrap();
    assert_eq!(evidence.runs[0].events.len(), 12);
    assert_eq!(
        evidence.limits,
        [
            "t: its header tells of no events, as that of a trace whose writer was killed; 12 are in it"
        ]
    );
}

#[test]
fn a_header_that_cannot_be_used_is_an_error() {
    let mut later = ltb1(&EVENTS);
    later[4] = 2;
    let error = read_all(&later).unwrap_err().to_string();
    assert_eq!(error, "`t` is LTB2; this program understands LTB1");
    let error = read_all(&ltb1(&EVENTS)[..20]).unwrap_err().to_string();
    assert_eq!(error, "`t` ends within its header");
}

#[test]
fn other_files_are_not_taken_for_packed_traces() {
    let text = TEXT.as_bytes();
    let zeros = [0_u8; 100];
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.extend([0; 60]);
    for bytes in [text, &zeros, &elf, b"", b"LTB", b"\x00\x03\x00\x00"] {
        assert!(!is_packed(bytes), "{bytes:?}");
    }
}
