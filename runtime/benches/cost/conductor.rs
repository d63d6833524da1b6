//! Asks the processes of all parties in turn, and prints what they answer.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};

use crate::table::{self, Spread};
use crate::workloads::Workload;
use crate::{instructions, others};

/// What is asked for on the command line.
pub(crate) struct Wishes {
    quick: bool,
    peers: bool,
    only: String,
}

impl Wishes {
    pub(crate) fn from_words(words: &[String]) -> Option<Wishes> {
        let mut wishes = Wishes {
            quick: false,
            peers: false,
            only: String::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                // Cargo says so.
                "--bench" => {}
                "--quick" => wishes.quick = true,
                "--peers" => wishes.peers = true,
                "--only" => wishes.only.clone_from(words.next()?),
                _ => return None,
            }
        }
        Some(wishes)
    }

    /// How often a process is started, and how many rounds it takes part in.
    fn rounds(&self, workload: Workload) -> (usize, usize) {
        let long = workload.acquisitions_per_call() > 10_000.0;
        match (self.quick, long) {
            (true, _) => (1, 5),
            (false, true) => (3, 3),
            (false, false) => (3, 15),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (usize, Workload)> {
        let wanted = |row: &(usize, Workload)| row.1.name().contains(&self.only);
        Workload::ALL.into_iter().enumerate().filter(wanted)
    }
}

/// Who is measured, and how.
pub(crate) struct Contestant {
    /// The head of its column.
    pub(crate) title: String,
    pub(crate) program: PathBuf,
    /// What the program calls it.
    pub(crate) party: &'static str,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Contestant {
    fn new(title: &str, program: &Path, party: &'static str) -> Contestant {
        Contestant {
            title: title.to_owned(),
            program: program.to_owned(),
            party,
            environment: vec![
                ("LOCKWISE_LEVEL", "order".to_owned()),
                ("LOCKWISE_LOG", String::new()),
                ("LOCKWISE_STACKS", "0".to_owned()),
                // Peers capture a stack for each new edge where this is set.
                ("RUST_BACKTRACE", "0".to_owned()),
            ],
        }
    }

    /// The same at level `trace`, with its logs in `folder`.
    fn tracing(mut self, folder: &Path) -> Contestant {
        "trace".clone_into(&mut self.environment[0].1);
        self.environment[1].1 = folder.display().to_string();
        self
    }

    fn start(&self) -> Option<Process> {
        let mut child = Command::new(&self.program)
            .args(["--worker", self.party])
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let answers = BufReader::new(child.stdout.take()?);
        Some(Process { child, answers })
    }
}

/// A process of a party. It ends when its input does.
struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// The numbers of the answer; none if there is no such lock, or no process any more. Other lines are passed
    /// over: there is a library that prints its name.
    fn ask(&mut self, question: &str) -> Option<Vec<f64>> {
        let input = self.child.stdin.as_mut()?;
        writeln!(input, "{question}").ok()?;
        loop {
            let mut answer = String::new();
            if self.answers.read_line(&mut answer).ok()? == 0 || answer.trim() == "none" {
                return None;
            }
            let numbers = answer.split_whitespace().map(|word| word.parse().ok());
            let numbers = numbers.collect::<Option<Vec<f64>>>();
            if let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
                return Some(numbers);
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Whatever became of it, it is not needed any more.
        let _ = self.child.wait();
    }
}

/// One figure of each round, for one party.
#[derive(Default, Clone)]
struct Sample {
    /// The plain lock, in nanoseconds.
    plain: Vec<f64>,
    ratio: Vec<f64>,
}

/// How long a batch lasts at most, in nanoseconds, unless one call lasts longer.
const BATCH: f64 = 2e8;

/// The rounds of one row: for each party by the processor's time and by the wall's.
fn measure(
    wishes: &Wishes,
    row: usize,
    workload: Workload,
    parties: &[Contestant],
) -> Vec<[Sample; 2]> {
    let (starts, rounds) = wishes.rounds(workload);
    let mut samples = vec![<[Sample; 2]>::default(); parties.len()];
    // A party that takes long is asked for less.
    let mut calls = vec![workload.calls(); parties.len()];
    for _ in 0..starts {
        let mut processes: Vec<_> = parties.iter().map(Contestant::start).collect();
        for round in 0..=rounds {
            for turn in 0..parties.len() {
                // Another one begins each round.
                let at = (turn + round) % parties.len();
                // The first round is short, for caches and tables to be filled.
                let now = if round == 0 {
                    (calls[at] / 50).max(1)
                } else {
                    calls[at]
                };
                let question = format!("{row} {now} {}", round % 2);
                let answer = processes[at]
                    .as_mut()
                    .and_then(|process| process.ask(&question));
                let Some([plain, plain_wall, own, own_wall]) = answer.as_deref() else {
                    continue;
                };
                if round == 0 {
                    calls[at] = workload.calls_within(BATCH, *own_wall).min(calls[at]);
                }
                if round > 0 {
                    let [by_processor, by_wall] = &mut samples[at];
                    by_processor.plain.push(*plain);
                    by_processor.ratio.push(own / plain);
                    by_wall.plain.push(*plain_wall);
                    by_wall.ratio.push(own_wall / plain_wall);
                }
            }
        }
    }
    samples
}

/// Prints a table of ratios: a row for each workload, a column for each party. With `aims` the first two have
/// what is asked of them beside it, and, if two floors follow, how many times its floor each takes.
fn ratios(wishes: &Wishes, title: &str, parties: &[Contestant], aims: bool) {
    table::line(&format!("\n## {title}\n"));
    let has_floors = aims && parties.len() == 4;
    let mut heads = vec!["workload", "plain"];
    for (at, party) in parties.iter().enumerate() {
        heads.push(&party.title);
        if aims && at < 2 {
            heads.push("aim");
            if has_floors {
                heads.push("of its floor");
            }
        }
    }
    table::head(&heads);
    for (row, workload) in wishes.rows() {
        let samples = measure(wishes, row, workload, parties);
        let clocks: &[usize] = if workload.waits() { &[1, 0] } else { &[0] };
        for &clock in clocks {
            let name = match (workload.waits(), clock) {
                (true, 0) => "the same, processor time".to_owned(),
                _ => workload.name().to_owned(),
            };
            let plain: Vec<f64> = samples
                .iter()
                .flat_map(|both| both[clock].plain.clone())
                .collect();
            let plain = Spread::of(plain)
                .map_or("–".to_owned(), |plain| format!("{:.1} ns", plain.median));
            let mut cells = vec![name, plain];
            for (at, both) in samples.iter().enumerate() {
                let ratio = Spread::of(both[clock].ratio.clone());
                cells.push(ratio.map_or("–".to_owned(), Spread::cell));
                if aims && at < 2 {
                    let aim = workload.aims()[at];
                    let floor = samples.get(at + 2).map(|both| both[clock].ratio.clone());
                    let floor = floor.and_then(Spread::of);
                    cells.push(if clock == 0 && workload.waits() {
                        String::new()
                    } else {
                        format!("≤ {aim}")
                    });
                    if has_floors {
                        let times = ratio
                            .zip(floor)
                            .map(|(own, floor)| own.median / floor.median);
                        cells.push(times.map_or("–".to_owned(), |times| format!("{times:.2}")));
                    }
                }
            }
            table::row(cells.iter().map(String::as_str));
        }
    }
}

/// Prints the table of instructions.
fn instructions(wishes: &Wishes, title: &str, parties: &[Contestant]) {
    table::line(&format!("\n## {title}\n"));
    let mut heads = vec!["workload", "plain"];
    heads.extend(parties.iter().map(|party| party.title.as_str()));
    table::head(&heads);
    let cell = |count: Option<f64>| count.map_or("–".to_owned(), |count| format!("{count:.1}"));
    for (row, workload) in wishes.rows().filter(|row| row.1.is_one_thread()) {
        let Some(first) = parties.first() else { return };
        let count = |party, plain| instructions::per_acquisition(party, workload, row, plain);
        let mut cells = vec![workload.name().to_owned(), cell(count(first, true))];
        cells.extend(parties.iter().map(|party| cell(count(party, false))));
        table::row(cells.iter().map(String::as_str));
    }
}

/// Prints how the process grows with short-lived locks.
fn memory(wishes: &Wishes, parties: &[Contestant]) {
    let count = if wishes.quick { 1_000_000 } else { 10_000_000 };
    table::line(&format!("\n## Memory after {count} short-lived locks\n"));
    table::head(&["party", "grows by"]);
    for party in parties {
        let grown = party
            .start()
            .and_then(|mut process| process.ask(&format!("memory {count}")));
        let grown = grown.map_or("–".to_owned(), |grown| format!("{} KiB", grown[0]));
        table::row([party.title.as_str(), &grown]);
    }
}

/// A folder for logs, removed at the end.
struct Logs(PathBuf);

impl Logs {
    fn new() -> Option<Logs> {
        let folder = std::env::temp_dir().join(format!("lockwise-cost-{}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        Some(Logs(folder))
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        // What is left over there is the system's to clear.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The other libraries, as `benches/peers` knows them.
const PEERS: [(&str, &str); 5] = [
    ("deloxide", "deloxide 1.1, order graph"),
    ("tracing-mutex", "tracing-mutex 0.3"),
    ("keepcalm", "keepcalm 0.6, deadlock_detection"),
    ("parking_lot", "parking_lot 0.13, deadlock_detection"),
    ("no_deadlocks", "no_deadlocks 1.3"),
];

/// Measures and prints everything that is wished for.
pub(crate) fn conduct(wishes: &Wishes) -> ExitCode {
    let (Ok(own), Some(logs)) = (std::env::current_exe(), Logs::new()) else {
        table::line("neither this program's path nor a folder for logs can be had");
        return ExitCode::FAILURE;
    };
    if !cfg!(feature = "checks") {
        checks_off(wishes, &own);
        return ExitCode::SUCCESS;
    }
    let ours = |title, party| Contestant::new(title, &own, party);
    let lockwise = [
        ours("order", "lockwise"),
        ours("trace", "lockwise").tracing(&logs.0),
        ours("floor, order", "floor"),
        ours("floor, trace", "floor-trace"),
    ];
    ratios(
        wishes,
        "Ratio to the plain lock of parking_lot",
        &lockwise,
        true,
    );
    let std_shaped = [
        ours("order", "std-shaped"),
        ours("trace", "std-shaped").tracing(&logs.0),
        ours("floor, order", "std-floor"),
        ours("floor, trace", "std-floor-trace"),
    ];
    ratios(wishes, "Ratio to the plain lock of std", &std_shaped, true);
    if instructions::at_hand() {
        instructions(
            wishes,
            "Instructions per acquisition and release",
            &lockwise,
        );
        instructions(wishes, "The same, shapes of std", &std_shaped);
    } else {
        table::line("\ninstructions: not counted, valgrind is not at hand");
    }
    match others::without_checks() {
        Some(program) => checks_off(wishes, &program),
        None => table::line("\nchecks off: not measured, it could not be built"),
    }
    memory(wishes, &lockwise[..2]);
    peers(wishes);
    ExitCode::SUCCESS
}

/// Measures a build of this program that has no checks.
fn checks_off(wishes: &Wishes, program: &Path) {
    let off = [
        Contestant::new("checks off", program, "lockwise"),
        Contestant::new("shapes of std, to std", program, "std-shaped"),
    ];
    ratios(wishes, "Checks off", &off, false);
    if instructions::at_hand() {
        instructions(wishes, "Instructions, checks off", &off[..1]);
    }
}

fn peers(wishes: &Wishes) {
    if !wishes.peers {
        table::line(
            "\npeers: not measured; `cargo bench -p lockwise -- --peers` fetches, builds and measures them",
        );
        return;
    }
    let Some(program) = others::peers() else {
        table::line("\npeers: not measured, `benches/peers` could not be built");
        return;
    };
    let parties: Vec<_> = PEERS
        .iter()
        .map(|(party, title)| Contestant::new(title, &program, party))
        .collect();
    ratios(
        wishes,
        "Other libraries, ratio to the plain lock of parking_lot",
        &parties,
        false,
    );
}
