//! How fast long traces are read and judged, beside the plainest loops over the same bytes.
//!
//! `cargo bench -p cargo-lockwise --bench traces -- [--events N] [--seed N] [--rounds N] [--write DIR]`
//!
//! Three things are measured, each several times, interleaved, in one run: reading a trace without
//! cycles and building its graph, from text and packed, beside a loop over the same bytes that does
//! next to nothing; and a whole verdict on a trace with planted deadlocks. `--write` leaves the traces
//! and the answer key (JSON) in a folder, to judge them by hand.

mod generator;
mod plain;

use std::io::BufRead;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cargo_lockwise::finding::{Certainty, Wants};
use cargo_lockwise::input::bulk::{self, Drain};
use cargo_lockwise::input::{packed, std_text};
use cargo_lockwise::judge::{Options, judge};
use cargo_lockwise::trace::Evidence;

use generator::{Generated, Plan};

fn main() {
    let mut plan = Plan::default();
    let mut rounds = 5;
    let mut folder: Option<PathBuf> = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || {
            args.next()
                .and_then(|n| n.parse().ok())
                .expect("a number follows")
        };
        match arg.as_str() {
            "--events" => plan.events = number(),
            "--seed" => plan.seed = number(),
            "--rounds" => rounds = number(),
            "--write" => folder = args.next().map(PathBuf::from),
            // Cargo adds its own.
            _ => {}
        }
    }
    let quiet = generator::generate(&Plan { planted: 0, ..plan });
    let planted = generator::generate(&plan);
    if let Some(folder) = folder {
        for (name, generated) in [("quiet", &quiet), ("planted", &planted)] {
            let file = |ending: &str| folder.join(format!("{name}.{ending}"));
            std::fs::write(file("std"), &generated.text).expect("the folder can be written");
            std::fs::write(file("ltb"), &generated.packed).expect("the folder can be written");
            std::fs::write(file("json"), &generated.key).expect("the folder can be written");
        }
    }
    measure(&quiet, rounds);
    verdict(&planted, rounds);
}

/// Reading beside the plain loops.
fn measure(quiet: &Generated, rounds: u64) {
    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..rounds.max(1) {
        times[0].push(timed(|| plain::text(&quiet.text)));
        times[1].push(timed(|| read_text(&quiet.text)));
        times[2].push(timed(|| plain::packed(&quiet.packed)));
        times[3].push(timed(|| read_packed(&quiet.packed)));
    }
    let names = [
        "text, plain loop",
        "text, read",
        "packed, plain loop",
        "packed, read",
    ];
    for (name, times) in names.iter().zip(&mut times) {
        tell(name, quiet.events, times);
    }
    let ratio = |plain: usize, read: usize| {
        let each = times[plain].iter().zip(&times[read]);
        let mut each: Vec<f64> = each
            .map(|(plain, read)| plain.as_secs_f64() / read.as_secs_f64())
            .collect();
        each.sort_by(f64::total_cmp);
        format!(
            "{:.3} of the plain loop (sorted times; {:.3} to {:.3})",
            each[each.len() / 2],
            each[0],
            each[each.len() - 1]
        )
    };
    say(&format!("text: {}", ratio(0, 1)));
    say(&format!("packed: {}", ratio(2, 3)));
}

/// A whole verdict, checked against the key.
fn verdict(planted: &Generated, rounds: u64) {
    let mut times = Vec::new();
    let mut right = 0;
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        let verdict = judge(&read_packed(&planted.packed), &Options::default());
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

fn read_text(text: &[u8]) -> Evidence {
    let limits = std_text::Limits::default();
    let once = |mut text: &[u8], drain: Drain<'_>| {
        std_text::stream("bench", &mut text as &mut dyn BufRead, &limits, drain)
    };
    let bulk = bulk::Limits::default();
    bulk::read(
        "bench",
        &bulk,
        |drain| once(text, drain),
        |drain| Some(once(text, drain)),
    )
    .expect("it is well formed")
}

fn read_packed(bytes: &[u8]) -> Evidence {
    let limits = packed::Limits::default();
    let once = |mut bytes: &[u8], drain: Drain<'_>| {
        packed::stream("bench", &mut bytes as &mut dyn BufRead, &limits, drain)
    };
    let bulk = bulk::Limits::default();
    bulk::read(
        "bench",
        &bulk,
        |drain| once(bytes, drain),
        |drain| Some(once(bytes, drain)),
    )
    .expect("it is well formed")
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
