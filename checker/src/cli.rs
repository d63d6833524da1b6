//! The command line.
//!
//! `run`, `test` and `nextest` stand in front of cargo, whose flags are not ours to know: before
//! clap sees anything, [`split`] takes out what is ours and leaves the rest untouched and in order.
//! Our options may stand anywhere before `--`; for `run` also only before the program's own first
//! argument, since cargo gives the program everything from there on. What is neither ours nor
//! cargo's but looks like ours is refused: cargo's own complaint would name none of our options.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::limits;
use crate::nearest::nearest;
use crate::policy::FailOn;
use crate::report::{Detail, Format};
use crate::settings::{CheckLayer, Color, Layer, LogLevel};

mod cargo_flags;

/// The end of the help on what runs cargo.
const EXIT_CODES: &str = "\
Exit codes:
  0    nothing that fails the build
  1    findings fail the build (see --fail-on), whatever the tests returned
  n    run, test, nextest: what cargo or the program returned; 128+n after signal n
  2    wrong usage or configuration, or a file that was asked for cannot be written
  3    an input cannot be read; what is intact is reported all the same
  4    no log was made, or none was found";

/// The end of the help on what only reads.
const REPORT_CODES: &str = "\
Exit codes:
  0    nothing that fails the build
  1    findings fail the build (see --fail-on)
  2    wrong usage or configuration, or a file that was asked for cannot be written
  3    an input cannot be read; what is intact is reported all the same
  4    no log was found";

const GRAPH_CODES: &str = "\
Exit codes:
  0    the graph is printed, with or without cycles
  2    wrong usage
  3    an input cannot be read; what is intact is in the graph all the same
  4    no log was found";

const PREMISE: &str = "\
Your project stays as it is: it is built once more, into target/lockwise, with watched locks in place
of those of std, parking_lot, dashmap, once_cell and whatever is built on lock_api. Where Cargo.lock
has the crate `lockwise`, only its locks are watched.";

const EXAMPLES: &str = "\
Examples:
  cargo lockwise test                          watch the tests, then report
  cargo lockwise test -p bank -- --nocapture   with cargo's own flags
  cargo lockwise run --format json             the report as the last line of stdout
  cargo lockwise check                         read the code, run nothing
  cargo lockwise test --log-dir logs           keep what was recorded
  cargo lockwise report logs/                  judge what was recorded earlier
  cargo lockwise explain LW0003                what a finding means, and how to fix it";

const CHECKED: &str = "\
The code of the workspace's crates is read as your own compiler lowers it, with the features and
targets that cargo's flags choose (`--all-targets` for tests too); what other crates do inside is
known only of lock libraries. The calls of the compiler that print the code set RUSTC_BOOTSTRAP for
themselves, since the options for that are not stable; where that is forbidden, nothing can be read.

With cargo's own flag `--message-format=json` findings are printed as cargo prints the compiler's
messages, for editors.

Silence a finding where the code is right, with the reason, on the line before or at its end
(`expect` in place of `allow` also complains where there is nothing to silence):
  // lockwise: allow(LW0003) reason = \"the parent is always locked first\"";

const CHECK_CODES: &str = "\
Exit codes:
  0    nothing that fails the build
  1    findings fail the build (see --fail-on)
  2    wrong usage or configuration, or a file that was asked for cannot be written
  3    the compiler's output is not understood, or a log cannot be read
  4    no log was found where `--with` looks
  n    cargo check failed: what it returned";

const WATCHED: &str = "\
Lockwise's options may stand anywhere before `--`; all other arguments go to cargo as they are.
`-q` and `--color` count for both.";

const WATCHED_RUN: &str = "\
Lockwise's options may stand anywhere before `--` and before the program's first argument; all other
arguments go to cargo as they are. `-q` and `--color` count for both.";

const RECORDED: &str = "\
Logs are made by `cargo lockwise test --log-dir DIR` (or run, nextest), and by any program with
watched locks that is started with LOCKWISE_LOG=DIR. STD text has one event a line, say
`T1|acq(A)|bank.rs:3`.";

const SETTINGS: &str = "\
What the command line leaves open is taken from the environment (LOCKWISE_FAIL_ON, LOCKWISE_FORMAT,
LOCKWISE_SHOW_EXCLUDED, LOCKWISE_DEPS, LOCKWISE_COLOR, LOCKWISE_LEVEL, LOCKWISE_BASELINE,
LOCKWISE_LIMITS), then from `.config/lockwise.toml` in the project, whose keys are the names of the
options:
  fail-on = \"possible\"
  deps = true
  limits = { window = 1000000 }";

/// Finds what can deadlock: runs your program with watched locks, reads lock logs, proves or excludes each cycle.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-lockwise",
    bin_name = "cargo lockwise",
    version,
    max_term_width = 100,
    after_help = format!("{PREMISE}\n\n{EXAMPLES}\n\n{EXIT_CODES}"),
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program through `cargo run`, watched, then report
    #[command(
        override_usage = "cargo lockwise run [OPTIONS] [CARGO'S FLAGS] [-- PROGRAM'S ARGUMENTS]",
        after_help = format!("{WATCHED_RUN}\n\n{SETTINGS}\n\n{EXIT_CODES}"),
    )]
    Run(Watched),
    /// Run the tests through `cargo test`, watched, then report
    #[command(
        override_usage = "cargo lockwise test [OPTIONS] [CARGO'S FLAGS] [-- TEST BINARY'S FLAGS]",
        after_help = format!("{WATCHED}\n\n{SETTINGS}\n\n{EXIT_CODES}"),
    )]
    Test(Watched),
    /// Run the tests through `cargo nextest run`, watched, then report
    #[command(
        override_usage = "cargo lockwise nextest [OPTIONS] [run] [NEXTEST'S FLAGS] [-- FILTERS]",
        after_help = format!("{WATCHED}\n\n{SETTINGS}\n\n{EXIT_CODES}"),
    )]
    Nextest(Watched),
    /// Run the benchmarks through `cargo bench`, watched, then report
    #[command(
        override_usage = "cargo lockwise bench [OPTIONS] [CARGO'S FLAGS] [-- BENCHMARK'S FLAGS]",
        after_help = format!("{WATCHED}\n`bench -- --test` runs each benchmark once.\n\n{SETTINGS}\n\n{EXIT_CODES}"),
    )]
    Bench(Watched),
    /// Build through `cargo build`, watched; what was built records when it is run
    #[command(
        override_usage = "cargo lockwise build [OPTIONS] [CARGO'S FLAGS]",
        after_help = format!(
            "{WATCHED}\n\nWhat was built writes a log when it runs:\n  \
             LOCKWISE_LOG=logs LOCKWISE_LEVEL=trace PROGRAM\n  cargo lockwise report logs"
        ),
    )]
    Build(Watched),
    /// Look for deadlocks in the code alone, through `cargo check`; nothing is run
    #[command(
        override_usage = "cargo lockwise check [OPTIONS] [CARGO'S FLAGS]",
        after_help = format!("{CHECKED}\n\n{SETTINGS}\n\n{CHECK_CODES}"),
    )]
    Check(Check),
    /// Remove what Lockwise built and recorded for this project
    Clean(Clean),
    /// Judge what was recorded earlier
    #[command(after_help = format!(
        "{RECORDED}\n\n{SETTINGS}\n\n{}\n\n{REPORT_CODES}", limits::help()
    ))]
    Report(Report),
    /// Print the lock-order graph in DOT, for Graphviz
    #[command(after_help = format!(
        "Example:\n  cargo lockwise graph logs/ | dot -Tsvg > locks.svg\n\n{RECORDED}\n\n{}\n\n{GRAPH_CODES}",
        limits::help()
    ))]
    Graph(Graph),
    /// Say what a finding means and how to fix it
    Explain {
        /// The finding's code, say `LW0003`; without it, all codes are listed
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
}

/// Options and arguments of the commands that run cargo.
#[derive(Debug, Args)]
pub struct Watched {
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
    /// How much the program records, and so what can be proved [default: trace]
    #[arg(long, value_name = "LEVEL")]
    pub level: Option<LogLevel>,
    /// Keep the logs and say where they are
    #[arg(long)]
    pub keep_log: bool,
    /// Keep the logs in this folder, which must be empty or absent
    #[arg(long, value_name = "DIR")]
    pub log_dir: Option<PathBuf>,
    /// Everything that is not ours.
    #[arg(skip)]
    pub cargo: Vec<OsString>,
}

/// Options and arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
    /// Report only what has to do with the changes since this commit
    #[arg(long, value_name = "BASE")]
    pub diff: Option<String>,
    /// Judge logs of the running program too, and say of each order whether it was seen; may be repeated
    #[arg(long, value_name = "LOG|DIR")]
    pub with: Vec<PathBuf>,
    /// Look at borrows of `RefCell` too: a second one panics
    #[arg(long)]
    pub ref_cell: bool,
    /// Report functions that are not known and run under a lock: callbacks, methods of users' types
    #[arg(long)]
    pub callbacks: bool,
    /// Everything that is not ours.
    #[arg(skip)]
    pub cargo: Vec<OsString>,
}

impl Check {
    /// What the command line says of the settings.
    pub fn layer(&self) -> Layer {
        Layer {
            check: CheckLayer {
                ref_cell: self.ref_cell.then_some(true),
                callbacks: self.callbacks.then_some(true),
                locks: Vec::new(),
            },
            ..self.reporting.layer()
        }
    }
}

/// Options of `clean`.
#[derive(Debug, Args)]
pub struct Clean {
    /// The project's `Cargo.toml`
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// The folder that the project is built into
    #[arg(long, value_name = "DIR")]
    pub target_dir: Option<PathBuf>,
    /// Remove the watchers too that were built for this user's compilers
    #[arg(long)]
    pub all: bool,
}

/// Options and arguments of `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// What to judge.
    #[command(flatten)]
    pub inputs: Inputs,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Options and arguments of `graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// What to draw.
    #[command(flatten)]
    pub inputs: Inputs,
    /// How far the reading goes.
    #[command(flatten)]
    pub limiting: Limiting,
}

/// How far reading and judging go.
#[derive(Debug, Default, Args)]
pub struct Limiting {
    /// Let a bound on work or memory be another, say `window=1000000`; may be repeated. `cargo lockwise
    /// report --help` lists them; a report says which were reached
    #[arg(long, value_name = "NAME=NUMBER")]
    pub limit: Vec<limits::Setting>,
}

/// What to read.
#[derive(Debug, Args)]
pub struct Inputs {
    /// Logs (.lwlog), traces (STD text, packed), folders with such, or `-` for one on standard input
    #[arg(required = true, value_name = "INPUT")]
    pub paths: Vec<PathBuf>,
}

/// How to report, and what fails the build.
#[derive(Debug, Default, Args)]
pub struct Reporting {
    /// How to write the report [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Which findings fail the build [default: certain; new if there is a baseline]
    #[arg(long, value_name = "WHICH")]
    pub fail_on: Option<FailOn>,
    /// Show also cycles that cannot happen, with the reason
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub show_excluded: Option<bool>,
    /// Treat findings that lie wholly inside dependencies like your own
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub deps: Option<bool>,
    /// Write the report to a file too, say `json=lockwise.json`; may be repeated
    #[arg(long, value_name = "FORMAT=FILE")]
    pub output: Vec<Output>,
    /// Findings accepted earlier, made by --write-baseline: only others are new
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Accept all findings of this report: write them to a file for later runs with --baseline. The
    /// exit code of this one stays what it is
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
    /// How far reading and judging go.
    #[command(flatten)]
    pub limiting: Limiting,
    /// When to colour [default: auto]
    #[arg(long, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Say nothing if all is well, and show only findings that fail the build
    #[arg(short, long)]
    pub quiet: bool,
}

/// A report in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it is written.
    pub format: Format,
    /// Where.
    pub path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=FILE")?;
        if path.is_empty() {
            return Err("the file's name is empty".to_owned());
        }
        Ok(Output {
            format: Format::from_str(format, false)?,
            path: PathBuf::from(path),
        })
    }
}

impl Reporting {
    /// What the command line says of the settings.
    pub fn layer(&self) -> Layer {
        Layer {
            fail_on: self.fail_on,
            format: self.format,
            show_excluded: self.show_excluded,
            deps: self.deps,
            color: self.color,
            level: None,
            baseline: self.baseline.clone(),
            check: CheckLayer::default(),
            limits: self.limiting.limit.clone(),
        }
    }

    /// How much is said.
    pub fn detail(&self) -> Detail {
        if self.quiet {
            Detail::Quiet
        } else {
            Detail::Full
        }
    }
}

/// Reads the command line, program name included. As a subcommand of cargo the program gets its own
/// name once more, as the first argument.
///
/// # Errors
///
/// What clap says, where a call for help counts as an error; or that an option is mistyped.
pub fn parse<I>(arguments: I) -> Result<Cli, clap::Error>
where
    I: IntoIterator<Item = OsString>,
{
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == "lockwise") {
        arguments.remove(1);
    }
    let cargo = match arguments.get(1).and_then(|name| Front::named(name)) {
        Some(front) => {
            let (ours, cargo) = split(front, arguments.split_off(2))?;
            arguments.extend(ours);
            cargo
        }
        None => Vec::new(),
    };
    let mut cli = Cli::try_parse_from(arguments)?;
    if let Command::Run(watched)
    | Command::Test(watched)
    | Command::Nextest(watched)
    | Command::Bench(watched)
    | Command::Build(watched) = &mut cli.command
    {
        watched.cargo = cargo;
    } else if let Command::Check(check) = &mut cli.command {
        check.cargo = cargo;
    }
    Ok(cli)
}

/// A command that stands in front of one of cargo's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    Run,
    Test,
    Nextest,
    Bench,
    Build,
    Check,
}

impl Front {
    fn named(name: &OsStr) -> Option<Front> {
        match name.to_str()? {
            "run" => Some(Front::Run),
            "test" => Some(Front::Test),
            "nextest" => Some(Front::Nextest),
            "bench" => Some(Front::Bench),
            "build" => Some(Front::Build),
            "check" => Some(Front::Check),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Front::Run => "run",
            Front::Test => "test",
            Front::Nextest => "nextest",
            Front::Bench => "bench",
            Front::Build => "build",
            Front::Check => "check",
        }
    }
}

/// Options of ours that cargo has too, with the same meaning.
const SHARED: [&str; 3] = ["-q", "--quiet", "--color"];

/// Parts the arguments after the command's name into ours and cargo's.
///
/// # Errors
///
/// If an option looks like one of ours with a slip, and cargo has none of that name.
fn split(
    front: Front,
    arguments: Vec<OsString>,
) -> Result<(Vec<OsString>, Vec<OsString>), clap::Error> {
    let ours_known = match front {
        Front::Check => Check::augment_args(Cli::command()),
        _ => Watched::augment_args(Cli::command()),
    };
    let mut ours = Vec::new();
    let mut cargo = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or("");
        if text == "--" {
            cargo.push(argument);
            break;
        }
        let name = text.split_once('=').map_or(text, |(name, _)| name);
        if text == "-h" || text == "--help" {
            ours.push(argument);
        } else if let Some(value_follows) = own(&ours_known, name) {
            let shared = SHARED.contains(&name);
            let value = (value_follows && name == text)
                .then(|| rest.next())
                .flatten();
            for part in std::iter::once(argument).chain(value) {
                if shared {
                    cargo.push(part.clone());
                }
                ours.push(part);
            }
        } else if cargo_flags::VALUED.contains(&text) {
            cargo.push(argument);
            cargo.extend(rest.next());
        } else if let Some(meant) = meant(&ours_known, name) {
            return Err(mistyped(front, name, meant));
        } else {
            let is_program_s = front == Front::Run && !text.starts_with('-');
            cargo.push(argument);
            if is_program_s {
                break;
            }
        }
    }
    cargo.extend(rest);
    Ok((ours, cargo))
}

/// The option of ours that `name` was meant to be, if it is a long option that cargo does not have.
fn meant<'a>(known: &'a clap::Command, name: &str) -> Option<&'a str> {
    let typed = name.strip_prefix("--")?;
    let ours = known.get_arguments().filter_map(clap::Arg::get_long);
    nearest(typed, ours).filter(|_| !cargo_flags::has(name))
}

/// The complaint about a mistyped option.
fn mistyped(front: Front, name: &str, meant: &str) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    let message = format!(
        "neither lockwise nor cargo has an option `{name}`; did you mean `--{meant}`?\n\n\
         What is for the program or its tests stands after `--`."
    );
    let front = command.find_subcommand_mut(front.name());
    front
        .expect("every front is a command")
        .error(ErrorKind::UnknownArgument, message)
}

/// Whether `name` is an option of ours, and if so, whether its value can be the next argument.
fn own(known: &clap::Command, name: &str) -> Option<bool> {
    let option = known.get_arguments().find(|option| {
        let long = option.get_long().map(|long| format!("--{long}"));
        let short = option.get_short().map(|short| format!("-{short}"));
        long.as_deref() == Some(name) || short.as_deref() == Some(name)
    })?;
    Some(option.get_action().takes_values() && !option.is_require_equals_set())
}

#[cfg(test)]
mod tests;
