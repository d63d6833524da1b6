//! A finding told in words: who holds what and wants what, how sure that is, and the schedule.
//!
//! Only words are made here; `text` arranges them. Everything that comes from a trace has been made
//! printable before.

use crate::finding::{Basis, Certainty, Code, Exclusion, Finding, LockUse, Side, Source, Wants};

/// The widest table of a schedule, in characters; beyond it the schedule is a list.
const TABLE_MAX: usize = 100;

/// Whether the finding was read from the code alone.
pub(super) fn is_code(finding: &Finding) -> bool {
    finding.evidence == [Source::Code] || finding.basis == Some(Basis::Code)
}

/// The function, of a finding from the code; else `thread "alice" (T1)`, or `thread T1`, or `thread T1, started in "alice"`.
pub(super) fn thread(finding: &Finding, side: &Side) -> String {
    if is_code(finding) {
        return format!("in `{}`", side.thread);
    }
    let mut who = match &side.thread_name {
        Some(name) if *name != side.thread => format!("thread \"{name}\" ({})", side.thread),
        _ => match &side.started_in {
            Some(ancestor) => format!("thread {}, started in \"{ancestor}\"", side.thread),
            None => format!("thread {}", side.thread),
        },
    };
    if let Some(run) = &side.run {
        who.push_str(" of run ");
        who.push_str(run);
    }
    who
}

/// `` `A` ``, with the mode where that is not plainly exclusive.
pub(super) fn lock(lock: &LockUse) -> String {
    if lock.mode == "exclusive" {
        format!("`{}`", lock.lock)
    } else {
        format!("`{}` ({})", lock.lock, lock.mode)
    }
}

/// What a side wants or waits for, as a clause.
pub(super) fn waits(wants: &Wants) -> String {
    match wants {
        Wants::Lock(want) => format!("wants {}", lock(want)),
        Wants::Resource(want) => {
            let name = &want.name;
            match want.resource.as_str() {
                "join" => format!("waits for thread {name} to end"),
                "condvar" => format!("waits on condition variable `{name}`"),
                "barrier" => format!("waits at barrier `{name}`"),
                "semaphore" => format!("waits for semaphore `{name}`"),
                "channel" => format!("waits on channel `{name}`"),
                "park" => format!("waits to be unparked (`{name}`)"),
                "await" => format!("awaits `{name}`"),
                other => format!("waits for {other} `{name}`"),
            }
        }
    }
}

/// The story, one line for each side: `thread "alice" (T1): holds A, wants B`.
pub(super) fn opening(finding: &Finding) -> Vec<String> {
    let mut lines: Vec<(String, String)> = finding
        .cycle
        .iter()
        .map(|side| (thread(finding, side), part(finding.code, side)))
        .collect();
    if let (Code::RecursiveRead, [side]) = (finding.code, finding.cycle.as_slice())
        && let Some(held) = &side.holds
    {
        lines.push((
            "any other thread".to_owned(),
            format!("wants `{}` (exclusive) in between", held.lock),
        ));
    }
    let width = lines.iter().map(|(who, _)| chars(who)).max().unwrap_or(0);
    lines
        .into_iter()
        .map(|(who, what)| {
            let gap = width - chars(&who);
            format!("{who}: {:gap$}{what}", "")
        })
        .collect()
}

/// What one side does, in a clause.
fn part(code: Code, side: &Side) -> String {
    let again = match code {
        Code::SelfDeadlock | Code::RecursiveRead => " again",
        _ => "",
    };
    match (&side.holds, &side.wants) {
        (Some(held), Some(wants)) => format!("holds {}, {}{again}", lock(held), waits(wants)),
        (Some(held), None) => format!("holds {}", lock(held)),
        (None, Some(wants)) => waits(wants),
        (None, None) => "takes part".to_owned(),
    }
}

/// How sure the finding is: the word, and what it stands for.
pub(super) fn certainty(finding: &Finding) -> (&'static str, String) {
    let actual = "it happened in this run";
    match finding.certainty {
        Certainty::Actual => ("actual", actual.to_owned()),
        Certainty::Confirmed => ("confirmed", "a directed re-run ended in it".to_owned()),
        Certainty::Certain => (
            "certain",
            match (finding.code, finding.witness.is_empty()) {
                _ if is_code(finding) => "it happens whenever this way through the code is taken",
                (_, false) => "a legal schedule of the very events that were seen ends in it",
                (Code::SelfDeadlock, true) => "the thread reached it",
                (_, true) => "it follows from the very events that were seen",
            }
            .to_owned(),
        ),
        Certainty::Possible => (
            "possible",
            match finding.basis {
                Some(Basis::SameInstances) => {
                    "the very same locks were taken so by two threads or more; no schedule is proved"
                }
                Some(Basis::CrossRun) => "the sides were seen in different runs, never together",
                Some(Basis::Class) => {
                    "the sides were seen on other locks of the same classes, never on the same ones"
                }
                Some(Basis::OneThread) => {
                    "all sides were seen in one thread; it takes two to deadlock"
                }
                Some(Basis::Code) => "read from the code; no run showed it",
                None => "neither proved nor excluded by what was seen",
            }
            .to_owned(),
        ),
        Certainty::Excluded => {
            let why: Vec<&str> = finding
                .excluded_by
                .iter()
                .map(|reason| match reason {
                    Exclusion::GateLock => "one lock is held on every side and keeps them apart",
                    Exclusion::ForkJoin => "one side ends before the other starts",
                    Exclusion::Barrier => "a barrier lies between the sides",
                    Exclusion::Readers => "the readers cannot block each other",
                    Exclusion::NoSchedule => "it cannot happen with these events, in any order",
                })
                .collect();
            ("excluded", format!("it cannot happen: {}", why.join("; ")))
        }
    }
}

/// The schedule that deadlocks, as a table with a column for each thread, or as a list where the
/// table would be too wide. `None` where no schedule is known or one thread is all there is to it.
///
/// ```text
/// T1 "alice"          T2 "bob"
/// takes `accounts`
///                     takes `audit`
/// waits for `audit`
///                     waits for `accounts`
/// ```
pub(super) fn schedule(finding: &Finding) -> Option<String> {
    if finding.certainty < Certainty::Certain || finding.cycle.len() < 2 || is_code(finding) {
        return None;
    }
    let columns: Vec<String> = finding.cycle.iter().map(column).collect();
    let steps = steps(finding);
    let width = |at: usize| {
        let texts = steps.iter().filter(|(who, _)| *who == at);
        texts
            .map(|(_, what)| chars(what))
            .max()
            .unwrap_or(0)
            .max(chars(&columns[at]))
            + 3
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut lines = Vec::new();
    if widths.iter().sum::<usize>() <= TABLE_MAX {
        let mut head = String::new();
        for (name, width) in columns.iter().zip(&widths) {
            let gap = width - chars(name);
            head.push_str(name);
            head.extend(std::iter::repeat_n(' ', gap));
        }
        lines.push(head.trim_end().to_owned());
        for (who, what) in &steps {
            let indent: usize = widths[..*who].iter().sum();
            lines.push(format!("{:indent$}{what}", ""));
        }
    } else {
        for (who, what) in &steps {
            lines.push(format!("{}: {what}", columns[*who]));
        }
    }
    Some(lines.join("\n"))
}

/// What each side does, in the order of the witness: all take what they hold, then all wait.
fn steps(finding: &Finding) -> Vec<(usize, String)> {
    // A side holds its lock from its last step of the witness at the latest.
    let last = |side: &Side| {
        finding.witness.iter().rposition(|step| {
            let thread = step.rsplit_once('*').map_or(step.as_str(), |(who, _)| who);
            thread == side.thread
        })
    };
    let mut order: Vec<usize> = (0..finding.cycle.len()).collect();
    order.sort_by_key(|&at| last(&finding.cycle[at]));
    let takes = order.iter().filter_map(|&at| {
        let held = finding.cycle[at].holds.as_ref()?;
        Some((at, format!("takes {}", lock(held))))
    });
    let waits = order.iter().filter_map(|&at| {
        let wants = finding.cycle[at].wants.as_ref()?;
        let what = match wants {
            Wants::Lock(want) => format!("waits for {}", lock(want)),
            Wants::Resource(_) => waits(wants),
        };
        Some((at, what))
    });
    takes.chain(waits).collect()
}

/// The head of a side's column: `T1 "alice"`.
fn column(side: &Side) -> String {
    match &side.thread_name {
        Some(name) if *name != side.thread => format!("{} \"{name}\"", side.thread),
        _ => side.thread.clone(),
    }
}

/// The width of a text in characters.
fn chars(text: &str) -> usize {
    text.chars().count()
}
