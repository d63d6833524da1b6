//! Rounds, clocks and ratios.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// The head of the table.
pub(crate) const HEAD: &str = "\
| workload | party | CPU, ns | wall, ns | to | CPU ratio (quartiles) | wall ratio (quartiles) | at most |
| --- | --- | --- | --- | --- | --- | --- | --- |";

/// What an operation costs, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Of all threads of the process together, in user and system mode.
    cpu: f64,
    wall: f64,
}

/// Measures `work`, which does so many operations.
pub(crate) fn measure(operations: u32, work: impl FnOnce()) -> Cost {
    let start = Cost::start();
    work();
    start.end(operations)
}

/// Where the clocks stood when a measurement began.
pub(crate) struct Start {
    cpu: f64,
    wall: Instant,
}

impl Cost {
    /// Begins to measure.
    pub(crate) fn start() -> Start {
        Start {
            cpu: cpu_ns(),
            wall: Instant::now(),
        }
    }
}

impl Start {
    /// What so many operations have cost.
    pub(crate) fn end(self, operations: u32) -> Cost {
        let wall = self.wall.elapsed().as_secs_f64() * 1e9;
        let cpu = cpu_ns() - self.cpu;
        let operations = f64::from(operations);
        Cost {
            cpu: cpu / operations,
            wall: wall / operations,
        }
    }
}

/// The CPU time of this process.
#[expect(
    clippy::cast_precision_loss,
    reason = "half a year of nanoseconds fits exactly"
)]
fn cpu_ns() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// Somebody who can do the workload.
pub(crate) struct Party<'a> {
    name: &'static str,
    /// With whom it is compared, and how large the ratio of CPU times is meant to be at most.
    to: Vec<(&'static str, f64)>,
    run: Box<dyn FnMut() -> Cost + 'a>,
}

impl<'a> Party<'a> {
    fn new(
        name: &'static str,
        to: &[(&'static str, f64)],
        run: impl FnMut() -> Cost + 'a,
    ) -> Party<'a> {
        Party {
            name,
            to: to.to_vec(),
            run: Box::new(run),
        }
    }
}

/// A party that others are compared with.
pub(crate) fn peer<'a>(name: &'static str, run: impl FnMut() -> Cost + 'a) -> Party<'a> {
    Party::new(name, &[], run)
}

/// Lockwise on raw locks, compared with these peers.
pub(crate) fn raw<'a>(to: &[(&'static str, f64)], run: impl FnMut() -> Cost + 'a) -> Party<'a> {
    Party::new("raw", to, run)
}

/// Lockwise on watched locks, compared with raw ones.
pub(crate) fn tracked<'a>(run: impl FnMut() -> Cost + 'a) -> Party<'a> {
    Party::new("tracked", &[("raw", 1.5)], run)
}

/// What is to be measured, and how often.
pub(crate) struct Bench {
    filter: String,
    rounds: usize,
}

impl Bench {
    pub(crate) fn new(filter: String, rounds: usize) -> Bench {
        Bench {
            filter,
            rounds: rounds.max(1),
        }
    }

    /// Has a workload done by all parties, round after round, and prints what it cost them.
    pub(crate) fn compare(&mut self, workload: &str, mut parties: Vec<Party<'_>>) {
        if !workload.contains(&self.filter) {
            return;
        }
        for party in &mut parties {
            // Starts threads, fills caches.
            (party.run)();
        }
        let mut costs = vec![Vec::new(); parties.len()];
        for round in 0..self.rounds {
            for step in 0..parties.len() {
                let turn = (round / 2 + step) % parties.len();
                // Forwards and backwards by turns: nobody always comes after the same neighbour.
                let turn = if round % 2 == 0 {
                    turn
                } else {
                    parties.len() - 1 - turn
                };
                costs[turn].push((parties[turn].run)());
            }
        }
        for (party, own) in parties.iter().zip(&costs) {
            let cpu = quartiles(own.iter().map(|cost| cost.cpu).collect()).1;
            let wall = quartiles(own.iter().map(|cost| cost.wall).collect()).1;
            let row = format!("| {workload} | {} | {cpu:.1} | {wall:.1} |", party.name);
            if party.to.is_empty() {
                println!("{row} | | | |");
            }
            for (to, most) in &party.to {
                let at = parties.iter().position(|party| party.name == *to);
                let others = &costs[at.expect("it is one of the parties")];
                let pairs = || own.iter().zip(others);
                let cpu = shown(pairs().map(|(own, other)| own.cpu / other.cpu).collect());
                let wall = shown(pairs().map(|(own, other)| own.wall / other.wall).collect());
                println!("{row} {to} | {cpu} | {wall} | {most} |");
            }
        }
    }
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |part: usize| values[(values.len() - 1) * part / 4];
    (at(1), at(2), at(3))
}

fn shown(ratios: Vec<f64>) -> String {
    let (low, median, high) = quartiles(ratios);
    format!("{median:.2} ({low:.2} to {high:.2})")
}
