//! What the judge says: findings, how sure each is, and on what it rests.
//!
//! A finding is data, not an error. Its codes, certainties, bases, levels and JSON shape are a
//! contract with users and their scripts: fields may be added, never changed.

use serde::{Deserialize, Serialize};

use crate::origin::{self, portable};

/// The stable code of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Code {
    /// Threads are blocked in a cycle now.
    #[serde(rename = "LW0001")]
    Deadlock,
    /// A thread requests a lock that it holds in a mode that excludes the request.
    #[serde(rename = "LW0002")]
    SelfDeadlock,
    /// Locks are acquired in orders that close a cycle.
    #[serde(rename = "LW0003")]
    LockOrderCycle,
    /// A shared lock is taken again by its own reader.
    #[serde(rename = "LW0004")]
    RecursiveRead,
    /// A declared rank, or the ascending rule of `acquire!`, is broken.
    #[serde(rename = "LW0005")]
    OrderViolation,
    /// A wait, join or barrier while holding a lock that the waker needs.
    #[serde(rename = "LW0006")]
    WaitWhileHolding,
    /// A blocking guard lives across an `.await`.
    #[serde(rename = "LW0007")]
    GuardAcrossAwait,
    /// A thread exits holding a lock, a lock is destroyed while held, released by another thread.
    #[serde(rename = "LW0008")]
    LockMisuse,
    /// A thread has been blocked for long, or a wake-up was lost.
    #[serde(rename = "LW0009")]
    Stall,
    /// A task waits for what one of its own unpolled futures holds.
    #[serde(rename = "LW0010")]
    Futurelock,
}

impl Code {
    /// All codes, in order.
    pub const ALL: [Code; 10] = [
        Code::Deadlock,
        Code::SelfDeadlock,
        Code::LockOrderCycle,
        Code::RecursiveRead,
        Code::OrderViolation,
        Code::WaitWhileHolding,
        Code::GuardAcrossAwait,
        Code::LockMisuse,
        Code::Stall,
        Code::Futurelock,
    ];

    /// `LW0003`.
    pub fn text(self) -> &'static str {
        match self {
            Code::Deadlock => "LW0001",
            Code::SelfDeadlock => "LW0002",
            Code::LockOrderCycle => "LW0003",
            Code::RecursiveRead => "LW0004",
            Code::OrderViolation => "LW0005",
            Code::WaitWhileHolding => "LW0006",
            Code::GuardAcrossAwait => "LW0007",
            Code::LockMisuse => "LW0008",
            Code::Stall => "LW0009",
            Code::Futurelock => "LW0010",
        }
    }

    /// `lock-order-cycle`.
    pub fn name(self) -> &'static str {
        match self {
            Code::Deadlock => "deadlock",
            Code::SelfDeadlock => "self-deadlock",
            Code::LockOrderCycle => "lock-order-cycle",
            Code::RecursiveRead => "recursive-read",
            Code::OrderViolation => "order-violation",
            Code::WaitWhileHolding => "wait-while-holding",
            Code::GuardAcrossAwait => "guard-across-await",
            Code::LockMisuse => "lock-misuse",
            Code::Stall => "stall",
            Code::Futurelock => "futurelock",
        }
    }

    /// The code with this text, in any case: `LW0003` or `lw0003`.
    pub fn from_text(text: &str) -> Option<Code> {
        Code::ALL
            .into_iter()
            .find(|code| code.text().eq_ignore_ascii_case(text))
    }
}

/// How sure a finding is; greater is surer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// It cannot happen, and the reason is known.
    Excluded,
    /// A cycle by the rules that this evidence neither proves nor excludes.
    Possible,
    /// A legal schedule of the observed events ends in it.
    Certain,
    /// A directed re-run ended in it.
    Confirmed,
    /// It happened.
    Actual,
}

/// What a `possible` finding rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The very same locks, two threads or more.
    SameInstances,
    /// Halves from different processes or tests.
    CrossRun,
    /// Other instances of the same classes.
    Class,
    /// All sides were seen in one thread only.
    OneThread,
    /// The code alone.
    Code,
}

/// Why a cycle cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exclusion {
    /// One lock is held on every side, so that the sides cannot overlap.
    GateLock,
    /// One side ends before the other can start.
    ForkJoin,
    /// A barrier lies between the sides.
    Barrier,
    /// The sides hold and want in shared modes that cannot block each other.
    Readers,
    /// No order of the events that were seen leads there, whatever is kept of the order seen.
    NoSchedule,
}

/// How loud a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Worth looking at.
    Warning,
    /// Fails the build by default.
    Error,
}

/// Where evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Seen while the program ran.
    Run,
    /// Read from the code.
    Code,
}

/// A lock as one side of a finding holds or wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockUse {
    /// The lock's own name.
    pub lock: String,
    /// Its class.
    pub class: String,
    /// Where the lock is judged by itself, so that `class` is its own name: what all locks are called
    /// that are made in this way. Other than that name it has no number, and so stays from run to run.
    #[serde(skip)]
    pub family: Option<String>,
    /// The mode, by its JSON name.
    pub mode: String,
    /// The acquisition call, `path:line:col`, relative to the workspace; verbatim in text traces.
    pub site: String,
    /// The protected type, where known.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// How the lock was made, where the class does not say at which place.
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub made: Option<&'static str>,
    /// What `acquire!` recorded of the source there: module and lock expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

impl LockUse {
    /// Class, type and mode without line and column: what stays when the file is edited. A lock that
    /// is judged by itself has no class to tell problems apart by: the file of the call does that.
    fn stable(&self) -> String {
        let (class, file) = match &self.family {
            Some(family) => (family, file_of(&self.site)),
            None => (&self.class, ""),
        };
        format!(
            "{}\u{1}{}\u{1}{}{file}",
            file_of(class),
            self.type_name.as_deref().unwrap_or(""),
            self.mode
        )
    }
}

/// A place, or a class that is called by one, without line and column.
fn file_of(place: &str) -> &str {
    let mut file = portable(place);
    for _ in 0..2 {
        file = match file.rsplit_once(':') {
            Some((rest, digits))
                if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                rest
            }
            _ => file,
        };
    }
    file
}

/// What is waited for, where that is no lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceUse {
    /// `join`, `condvar`, `barrier`, `semaphore`, `channel`, `park`, `await`.
    pub resource: String,
    /// Which one: the thread's label, the condition variable's name.
    pub name: String,
    /// The waiting call.
    pub site: String,
}

/// What one side of a finding wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wants {
    /// A lock.
    Lock(LockUse),
    /// Something else.
    Resource(ResourceUse),
}

/// One thread's (or role's) part in a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The thread's short label.
    pub thread: String,
    /// The lock whose holding blocks the side before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<LockUse>,
    /// What this side waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants: Option<Wants>,
    /// Locks, by name, that all sides hold and that therefore keep them apart.
    pub gates: Vec<String>,
    /// The thread's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_name: Option<String>,
    /// Of a thread without a name: the nearest named one among those that it descends from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_in: Option<String>,
    /// The run this side was seen in, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// All other locks that this side held at the time, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_held: Vec<LockUse>,
    /// The stack of the acquisition, innermost first, one frame a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<String>,
    /// Another thread, if it is whose stack that is: it asked for the same lock at the same place, holding the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_of: Option<String>,
    /// The calls between holding and wanting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
}

impl Side {
    /// The places in the source that this side names.
    fn sites(&self) -> impl Iterator<Item = &str> {
        let wants = self.wants.as_ref().map(|wants| match wants {
            Wants::Lock(want) => want.site.as_str(),
            Wants::Resource(want) => want.site.as_str(),
        });
        let holds = self.holds.as_ref().map(|held| held.site.as_str());
        holds.into_iter().chain(wants)
    }
}

/// Whether all places that a finding names lie in dependencies, and there are some.
pub fn is_foreign(cycle: &[Side]) -> bool {
    let mut sites = cycle.iter().flat_map(Side::sites).peekable();
    sites.peek().is_some() && sites.all(origin::is_foreign)
}

/// One reported problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The stable code.
    pub code: Code,
    /// The code's name.
    #[serde(skip_deserializing)]
    pub name: &'static str,
    /// How sure.
    pub certainty: Certainty,
    /// What a `possible` rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// How loud.
    pub level: Level,
    /// The same for the same problem in every run: 16 hexadecimal digits.
    pub fingerprint: String,
    /// One sentence.
    pub message: String,
    /// Where the evidence comes from.
    pub evidence: Vec<Source>,
    /// One entry per thread or role.
    pub cycle: Vec<Side>,
    /// The schedule that ends in the deadlock: one thread per step, `"T1*3"` for three steps.
    pub witness: Vec<String>,
    /// What the schedule has before that, in a trace that was too long to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness_after: Option<Beginning>,
    /// Why it cannot happen, where it cannot.
    pub excluded_by: Vec<Exclusion>,
    /// Why it is not surer, or why it is excluded: sentences for the text report.
    pub reasons: Vec<String>,
    /// What to change: sentences for the text report.
    pub advice: Vec<String>,
    /// Whether all of it lies inside dependencies.
    pub in_dependencies: bool,
}

/// How a schedule of a long trace begins: with events of it in the order seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The first so many events of the trace.
    pub events: u64,
    /// But for these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<LeftOut>,
}

/// Events that a schedule leaves out: all of a thread from one of the trace on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The thread's name in the report.
    pub thread: String,
    /// The number of the event in the trace; the first is 1.
    pub from: u64,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Events read.
    pub events: u64,
    /// Threads seen, over all runs.
    pub threads: u64,
    /// Lock instances seen, over all runs.
    pub locks: u64,
    /// Lock classes seen.
    pub classes: u64,
    /// Distinct edges of the lock-order graph, at instance level.
    pub edges: u64,
    /// Runs read.
    pub runs: u64,
    /// Functions read, where the evidence is code.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub functions: u64,
}

/// Whether there is nothing to say.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// An order of two locks that was read from the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOrder {
    /// The function in which both meet.
    pub function: String,
    /// What is held.
    pub holds: LockUse,
    /// What is wanted under it.
    pub wants: LockUse,
    /// Whether it was seen in a run, too.
    pub evidence: Vec<Source>,
}

/// Everything that a report says.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The findings, most important first.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub stats: Stats,
    /// What was skipped, capped or not understood.
    pub limits: Vec<String>,
    /// The lock orders that were read from the code, one for each pair of classes.
    pub orders: Vec<CodeOrder>,
}

impl Finding {
    /// The level that this code, certainty and basis have in the user's own code.
    pub fn level_of(code: Code, certainty: Certainty, basis: Option<Basis>) -> Level {
        use Certainty::{Actual, Certain, Confirmed, Excluded, Possible};
        match (code, certainty) {
            (_, Excluded) | (Code::GuardAcrossAwait | Code::LockMisuse | Code::Stall, _) => {
                Level::Note
            }
            (Code::Deadlock | Code::OrderViolation, _) | (_, Actual | Confirmed | Certain) => {
                Level::Error
            }
            (_, Possible) => match basis {
                Some(Basis::OneThread | Basis::Code) => Level::Note,
                _ => Level::Warning,
            },
        }
    }

    /// Computes the fingerprint from the code and, for each side, the classes and modes held and
    /// wanted: the smallest rotation counts, so that it does not depend on where a cycle starts.
    ///
    /// Certainty, lines, thread numbers and run order do not enter. Two different findings can come
    /// out alike (two locks of one type made in one file): see [`Verdict::settle`].
    pub fn fingerprint_of(code: Code, cycle: &[Side]) -> String {
        let sides: Vec<String> = cycle
            .iter()
            .map(|side| {
                let holds = side.holds.as_ref().map_or(String::new(), LockUse::stable);
                let wants = match &side.wants {
                    Some(Wants::Lock(want)) => want.stable(),
                    Some(Wants::Resource(want)) => want.resource.clone(),
                    None => String::new(),
                };
                format!("{holds}\u{2}{wants}")
            })
            .collect();
        let smallest = smallest_turn(&sides, "\u{3}");
        format!(
            "{:016x}",
            fnv1a(format!("{}\u{4}{smallest}", code.text()).as_bytes())
        )
    }
}

impl Verdict {
    /// Puts findings into their final order and makes equal fingerprints of different findings
    /// distinct, in an order that does not depend on how they were found.
    pub fn settle(&mut self) {
        self.findings.sort_by(|a, b| {
            (std::cmp::Reverse((a.level, a.certainty)), a.code, a.key()).cmp(&(
                std::cmp::Reverse((b.level, b.certainty)),
                b.code,
                b.key(),
            ))
        });
        let mut order: Vec<usize> = (0..self.findings.len()).collect();
        order.sort_by_key(|&at| {
            (
                self.findings[at].fingerprint.clone(),
                self.findings[at].key(),
            )
        });
        let mut last = String::new();
        let mut count = 0_u32;
        for at in order {
            let finding = &mut self.findings[at];
            if finding.fingerprint == last {
                count += 1;
                let salted = format!("{last}#{count}");
                finding.fingerprint = format!("{:016x}", fnv1a(salted.as_bytes()));
            } else {
                last.clone_from(&finding.fingerprint);
                count = 0;
            }
        }
    }
}

impl Finding {
    /// What tells two findings apart, in text: the sites of all sides, then classes and locks, from
    /// the side on that makes it smallest. Numbers of instances come last: they follow the order of
    /// first use, which may be another in each run, as may the side that a cycle starts with.
    fn key(&self) -> [String; 2] {
        let key = |parts: fn(&LockUse) -> String| {
            let sides: Vec<String> = self
                .cycle
                .iter()
                .map(|side| side_key(side, parts))
                .collect();
            smallest_turn(&sides, "\u{3}")
        };
        [
            key(|lock| lock.site.clone()),
            key(|lock| format!("{}\u{1}{}", lock.class, lock.lock)),
        ]
    }
}

/// What a side holds and wants, as `parts` describes a lock.
fn side_key(side: &Side, parts: fn(&LockUse) -> String) -> String {
    let holds = side.holds.as_ref().map(parts).unwrap_or_default();
    let wants = match &side.wants {
        Some(Wants::Lock(want)) => parts(want),
        Some(Wants::Resource(want)) => want.site.clone(),
        None => String::new(),
    };
    format!("{holds}\u{2}{wants}")
}

/// The sides of a cycle, joined from that one on with which they come out smallest.
pub(crate) fn smallest_turn(sides: &[String], between: &str) -> String {
    let turned = (0..sides.len()).map(|start| {
        let mut turned = sides.to_vec();
        turned.rotate_left(start);
        turned.join(between)
    });
    turned.min().unwrap_or_default()
}

/// FNV-1a, 64 bits: short, and the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
