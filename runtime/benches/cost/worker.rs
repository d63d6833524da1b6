//! One process that measures one party against the plain locks, as it is told on its input.
//!
//! What a party does is chosen per process, by its environment; so each party has a process, and
//! measures the plain locks beside its own: both stand in one ratio, and were taken within a few
//! milliseconds of each other.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use crate::clock::Spent;
use crate::shapes::{Mutex, Party};
use crate::workloads::{Ready, Workload, make_and_lock};

/// What the process was started for.
pub(crate) enum Order<'a> {
    /// To answer questions until there are no more.
    ///
    /// A question is `ROW CALLS FIRST`, where `FIRST` is 1 if the plain locks are to come first; the
    /// answer has the processor's and the wall's nanoseconds of the plain locks and of the party's, or is
    /// `none`. `memory COUNT` makes that many fresh locks, and is answered by how much the process
    /// grew, in KiB.
    Answer { party: &'a str },
    /// To run a row on one side only, so that its instructions can be counted.
    Run {
        party: &'a str,
        row: usize,
        calls: u32,
        plain: bool,
    },
}

impl<'a> Order<'a> {
    /// The order in `--worker PARTY` or `--run PARTY ROW CALLS SIDE`.
    pub(crate) fn from_words(words: &'a [String]) -> Option<Order<'a>> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["--worker", party] => Some(Order::Answer { party }),
            ["--run", party, row, calls, side] => Some(Order::Run {
                party,
                row: number(row) as usize,
                calls: number(calls),
                plain: side == "plain",
            }),
            _ => None,
        }
    }

    pub(crate) fn party(&self) -> &str {
        match self {
            Order::Answer { party } | Order::Run { party, .. } => party,
        }
    }

    /// Does it, with these locks.
    pub(crate) fn obey<Plain: Party, Own: Party>(self) -> ExitCode {
        match self {
            Order::Answer { .. } => answer::<Plain, Own>(),
            Order::Run {
                row, calls, plain, ..
            } => run_alone::<Plain, Own>(row, calls, plain),
        }
        ExitCode::SUCCESS
    }
}

fn answer<Plain: Party, Own: Party>() {
    let mut prepared: Option<(usize, Option<Ready>, Option<Ready>)> = None;
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let words: Vec<&str> = line.split_whitespace().collect();
        let text = match words[..] {
            ["memory", count] => memory::<Own>(number(count)),
            [row, calls, first] => {
                let row = number(row) as usize;
                if prepared.as_ref().is_none_or(|ready| ready.0 != row) {
                    let workload = Workload::from_number(row).expect("a row of the table");
                    prepared = Some((row, workload.prepare::<Plain>(), workload.prepare::<Own>()));
                }
                match &mut prepared {
                    Some((_, Some(plain), Some(own))) => {
                        pair(plain, own, number(calls), first == "1")
                    }
                    _ => "none".to_owned(),
                }
            }
            _ => "none".to_owned(),
        };
        let said = writeln!(output, "{text}").and_then(|()| output.flush());
        if said.is_err() {
            break;
        }
    }
}

fn run_alone<Plain: Party, Own: Party>(row: usize, calls: u32, plain: bool) {
    let workload = Workload::from_number(row).expect("a row of the table");
    let ready = if plain {
        workload.prepare::<Plain>()
    } else {
        workload.prepare::<Own>()
    };
    if let Some(mut ready) = ready {
        ready(calls);
    }
}

fn number(word: &str) -> u32 {
    word.parse().expect("a number")
}

fn pair(plain: &mut Ready, own: &mut Ready, calls: u32, plain_first: bool) -> String {
    let (plain, own): (Spent, Spent) = if plain_first {
        let plain = plain(calls);
        (plain, own(calls))
    } else {
        let own = own(calls);
        (plain(calls), own)
    };
    format!(
        "{} {} {} {}",
        plain.processor, plain.wall, own.processor, own.wall
    )
}

/// How much the process grows over so many locks that are made, taken once and dropped.
fn memory<P: Party>(count: u32) -> String {
    if !P::Mutex::THERE {
        return "none".to_owned();
    }
    make_and_lock::<P::Mutex>(1_000);
    let Some(before) = resident() else {
        return "none".to_owned();
    };
    make_and_lock::<P::Mutex>(count);
    match resident() {
        Some(after) => format!("{}", after - before),
        None => "none".to_owned(),
    }
}

/// The resident memory of this process in KiB, where the system says so in a file.
fn resident() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
