//! How fast long traces are read and judged, beside the plainest loops over the same bytes.
//!
//! `cargo bench -p cargo-lockwise --bench traces -- [--events N] [--seed N] [--rounds N] [--write DIR]
//! [--only text|packed|verdict|hard] [--std FILE] [--ltb FILE]`
//!
//! Three things are measured, each several times, interleaved, in one run: reading a trace without
//! cycles and building its graph, from text and packed, beside a loop over the same bytes that does
//! next to nothing; and a whole verdict on a trace with planted deadlocks. `--write` leaves the traces
//! and the answer key (JSON) in a folder, to judge them by hand. `--std` and `--ltb` measure the reading of
//! files instead of generated traces. All of it runs on one core, and everything is in memory before.

mod adversarial;
mod generator;
mod plain;

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cargo_lockwise::finding::{Certainty, Wants};
use cargo_lockwise::input::bulk::{self, Kind};
use cargo_lockwise::input::{packed, std_text};
use cargo_lockwise::judge::judge;
use cargo_lockwise::limits::Limits;
use cargo_lockwise::trace::Evidence;

use generator::{Generated, Plan};

fn main() {
    let mut plan = Plan::default();
    let mut rounds = 9;
    let mut folder: Option<PathBuf> = None;
    let mut only: Option<String> = None;
    let mut files: [Option<Vec<u8>>; 2] = [None, None];
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().expect("a value follows");
        let number = |text: String| -> u64 { text.parse().expect("a number follows") };
        let file = |name: String| std::fs::read(name).expect("the file can be read");
        match arg.as_str() {
            "--events" => plan.events = number(value()),
            "--seed" => plan.seed = number(value()),
            "--rounds" => rounds = usize::try_from(number(value())).expect("few").max(1),
            "--write" => folder = Some(value().into()),
            "--only" => only = Some(value()),
            "--std" => files[0] = Some(file(value())),
            "--ltb" => files[1] = Some(file(value())),
            // Cargo adds its own.
            _ => {}
        }
    }
    let wanted = |what: &str| only.as_deref().is_none_or(|only| only == what);
    let [text, packed] = files;
    if text.is_none() && packed.is_none() {
        let quiet = generator::generate(&Plan { planted: 0, ..plan });
        let planted = generator::generate(&plan);
        if let Some(folder) = &folder {
            for (name, generated) in [("quiet", &quiet), ("planted", &planted)] {
                let file = |ending: &str| folder.join(format!("{name}.{ending}"));
                std::fs::write(file("std"), &generated.text).expect("the folder can be written");
                std::fs::write(file("ltb"), &generated.packed).expect("the folder can be written");
                std::fs::write(file("json"), &generated.key).expect("the folder can be written");
            }
        }
        if wanted("text") {
            beside("text", &quiet.text, plain::text, read_text, rounds);
        }
        if wanted("packed") {
            beside("packed", &quiet.packed, plain::packed, read_packed, rounds);
        }
        if wanted("verdict") {
            verdict(&planted, rounds);
        }
        if wanted("hard") {
            hard(folder.as_deref());
        }
    }
    if let Some(text) = text {
        beside("text", &text, plain::text, read_text, rounds);
    }
    if let Some(packed) = packed {
        beside("packed", &packed, plain::packed, read_packed, rounds);
    }
}

/// Reads a trace beside the plain loop, in turns.
fn beside(
    name: &str,
    bytes: &[u8],
    plain: fn(&[u8]) -> u64,
    read: fn(&[u8]) -> Evidence,
    rounds: usize,
) {
    let mut times: [Vec<Duration>; 2] = Default::default();
    let mut ratios = Vec::new();
    let mut events = 0;
    for _ in 0..rounds {
        let plain = timed(|| plain(bytes));
        let mut evidence = Evidence::default();
        let read = timed(|| evidence = read(bytes));
        events = evidence.runs[0].events_seen;
        times[0].push(plain);
        times[1].push(read);
        ratios.push(plain.as_secs_f64() / read.as_secs_f64());
    }
    let [plain, read] = &mut times;
    tell(&format!("{name}, plain loop"), events, plain);
    tell(&format!("{name}, read"), events, read);
    ratios.sort_by(f64::total_cmp);
    say(&format!(
        "{name}: {:.3} of the plain loop (median of {rounds} rounds; {:.3} to {:.3}; {:.3} of the best \
         times)",
        ratios[rounds / 2],
        ratios[0],
        ratios[rounds - 1],
        plain[0].as_secs_f64() / read[0].as_secs_f64()
    ));
}

/// A whole verdict, checked against the key.
fn verdict(planted: &Generated, rounds: usize) {
    let mut times = Vec::new();
    let mut right = 0;
    for _ in 0..rounds {
        let start = Instant::now();
        let verdict = judge(&read_packed(&planted.packed), &Limits::default());
        times.push(start.elapsed());
        right = planted
            .instances
            .iter()
            .filter(|instance| {
                let certain = verdict.findings.iter().any(|finding| {
                    finding.certainty == Certainty::Certain
                        && finding.cycle.iter().all(|side| match &side.wants {
                            Some(Wants::Lock(want)) => instance
                                .locks
                                .iter()
                                .any(|lock| want.lock == format!("L{lock}")),
                            _ => false,
                        })
                });
                certain == instance.deadlocks
            })
            .count();
    }
    tell("packed, verdict", planted.events, &mut times);
    say(&format!(
        "verdict: {right} of {} planted instances right",
        planted.instances.len()
    ));
}

/// Verdicts on traces that are hard by their shape.
fn hard(folder: Option<&Path>) {
    for shape in adversarial::SHAPES {
        let (packed, locks) = shape.trace();
        if let Some(folder) = folder {
            let name = shape.name.replace([' ', ','], "_");
            let path = folder.join(format!("{name}.ltb"));
            std::fs::write(path, &packed).expect("the folder can be written");
        }
        let start = Instant::now();
        let verdict = judge(&read_packed(&packed), &Limits::default());
        let time = start.elapsed();
        let found = verdict.findings.iter().any(|finding| {
            finding.certainty == Certainty::Certain
                && finding.cycle.len() == 2
                && finding.cycle.iter().all(|side| match &side.wants {
                    Some(Wants::Lock(want)) => locks.iter().any(|l| want.lock == format!("L{l}")),
                    _ => false,
                })
        });
        say(&format!(
            "{}: {:.1} s for {} events; planted inversion {}; {} findings, {} limits",
            shape.name,
            time.as_secs_f64(),
            packed.len() / 8 - 4,
            if found { "proved" } else { "NOT PROVED" },
            verdict.findings.len(),
            verdict.limits.len(),
        ));
    }
}

fn read_text(text: &[u8]) -> Evidence {
    let limits = Limits::default();
    bulk::read(kind(false, &limits), &limits, |consumer| {
        let mut text = text;
        let text: &mut dyn BufRead = &mut text;
        Some(std_text::stream("bench", text, &limits, consumer))
    })
    .expect("it is well formed")
}

fn read_packed(bytes: &[u8]) -> Evidence {
    let limits = Limits::default();
    bulk::read(kind(true, &limits), &limits, |consumer| {
        let mut bytes = bytes;
        let bytes: &mut dyn BufRead = &mut bytes;
        Some(packed::stream("bench", bytes, &limits, consumer))
    })
    .expect("it is well formed")
}

/// A trace that is taken for a long one from its start, as a file of its length is.
fn kind(reentrant: bool, limits: &Limits) -> Kind<'static> {
    Kind {
        label: "bench",
        kept_max: limits.kept_events,
        is_long: true,
        reentrant,
        is_alone: true,
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

fn tell(name: &str, events: u64, times: &mut [Duration]) {
    times.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    let rate = |time: &Duration| events as f64 / time.as_secs_f64() / 1e6;
    say(&format!(
        "{name}: {:.1} million events a second (median; {:.1} to {:.1})",
        rate(&times[times.len() / 2]),
        rate(&times[times.len() - 1]),
        rate(&times[0])
    ));
}

#[expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]
fn say(line: &str) {
    println!("{line}");
}
