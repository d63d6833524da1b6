//! Findings in the making, and how they are put into words.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use lockwise::watch::Kind;

use super::case::{Case, RunCase};
use super::witness::Step;
use crate::finding::{
    Basis, Beginning, Certainty, Code, Exclusion, Finding, LeftOut, Level, LockUse, ResourceUse,
    Side, Source, Verdict, Wants, is_foreign, smallest_turn,
};
use crate::graph::Arc;
use crate::history::{ChainId, Subclass};
use crate::limits::count;
use crate::trace::{Class, Evidence, Held, LockId, Op, ResourceId, RunId, SiteId, ThreadId};

/// What makes two drafts one problem.
type Key = (Code, String);

/// A finding that is not finished.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) code: Code,
    pub(super) certainty: Certainty,
    pub(super) basis: Option<Basis>,
    pub(super) message: String,
    pub(super) cycle: Vec<Side>,
    /// Whether others have a part in it that no side tells of: it may be the user's.
    pub(super) others: bool,
    pub(super) witness: Vec<String>,
    pub(super) witness_after: Option<Beginning>,
    pub(super) excluded_by: BTreeSet<Exclusion>,
    pub(super) reasons: Vec<String>,
    pub(super) advice: Vec<String>,
    /// Whether it is a note whatever its certainty.
    pub(super) note: bool,
    /// Tells apart what the sides do not: sites, messages.
    pub(super) salt: String,
    /// The run, and the locks in canonical order, where it is about instances.
    pub(super) locks: Option<(RunId, Vec<LockId>)>,
}

impl Draft {
    pub(super) fn new(code: Code, certainty: Certainty, message: String) -> Self {
        Draft {
            code,
            certainty,
            basis: None,
            message,
            cycle: Vec::new(),
            others: false,
            witness: Vec::new(),
            witness_after: None,
            excluded_by: BTreeSet::new(),
            reasons: Vec::new(),
            advice: Vec::new(),
            note: false,
            salt: String::new(),
            locks: None,
        }
    }

    /// Classes and modes of the sides, in the smallest rotation: equal for equal problems.
    fn key(&self) -> Key {
        self.key_with(|lock| format!("{}\u{1}{}", lock.class, lock.mode))
    }

    /// The same, but that locks without a class to judge them by are told apart by where they are
    /// taken: a hundred shards made by `map`, nested in each other at one place, are one problem.
    fn wide_key(&self) -> Key {
        self.key_with(|lock| match &lock.family {
            Some(family) => format!("{family}\u{1}{}\u{1}{}", lock.mode, lock.site),
            None => format!("{}\u{1}{}", lock.class, lock.mode),
        })
    }

    fn key_with(&self, of_lock: fn(&LockUse) -> String) -> Key {
        let sides: Vec<String> = self
            .cycle
            .iter()
            .map(|side| side_key(side, of_lock))
            .collect();
        let smallest = smallest_turn(&sides, "\u{2}");
        (self.code, format!("{smallest}\u{3}{}", self.salt))
    }

    fn finish(self, seen: u64) -> Finding {
        let mut reasons = self.reasons;
        if seen > 1 {
            reasons.push(format!(
                "the same was found {} with other locks of these classes, threads or runs",
                times(seen - 1)
            ));
        }
        let in_dependencies = !self.others && is_foreign(&self.cycle);
        let level = if self.note || in_dependencies {
            Level::Note
        } else {
            Finding::level_of(self.code, self.certainty, self.basis)
        };
        Finding {
            code: self.code,
            name: self.code.name(),
            certainty: self.certainty,
            basis: self.basis,
            level,
            fingerprint: Finding::fingerprint_of(self.code, &self.cycle),
            message: self.message,
            evidence: vec![Source::Run],
            cycle: self.cycle,
            witness: self.witness,
            witness_after: self.witness_after,
            excluded_by: self.excluded_by.into_iter().collect(),
            reasons,
            advice: self.advice,
            in_dependencies,
        }
    }
}

fn side_key(side: &Side, of_lock: fn(&LockUse) -> String) -> String {
    let holds = side.holds.as_ref().map(of_lock).unwrap_or_default();
    let wants = match &side.wants {
        Some(Wants::Lock(want)) => of_lock(want),
        // Threads are told apart by where they are waited for: each test has its own.
        Some(Wants::Resource(want)) if want.resource == "join" => {
            format!("{}\u{1}{}", want.resource, want.site)
        }
        Some(Wants::Resource(want)) => format!("{}\u{1}{}", want.resource, want.name),
        None => String::new(),
    };
    format!("{holds}\u{1}{wants}")
}

/// Puts a proof in the place of what was not proved of the same locks, or beside all else.
pub(super) fn prove(drafts: &mut Vec<Draft>, proved: Draft) {
    let key = proved.key();
    match drafts.iter_mut().find(|draft| draft.key() == key) {
        Some(draft) if draft.certainty < proved.certainty => *draft = proved,
        Some(_) => {}
        None => drafts.push(proved),
    }
}

/// Finishes drafts: of those that say the same of the same classes the surest stays.
pub(super) fn finish(drafts: Vec<Draft>, verdict: &mut Verdict) {
    let each = drafts.into_iter().map(|draft| (draft, 1));
    let by_class = surest(each, Draft::key);
    let kept = surest(by_class, Draft::wide_key);
    verdict
        .findings
        .extend(kept.map(|(draft, seen)| draft.finish(seen)));
}

/// The surest draft of each key, and how many there were of it.
fn surest(
    drafts: impl Iterator<Item = (Draft, u64)>,
    key: fn(&Draft) -> Key,
) -> impl Iterator<Item = (Draft, u64)> {
    let mut kept: BTreeMap<Key, (Draft, u64)> = BTreeMap::new();
    for (draft, count) in drafts {
        match kept.entry(key(&draft)) {
            Entry::Vacant(entry) => {
                entry.insert((draft, count));
            }
            Entry::Occupied(mut entry) => {
                let (best, seen) = entry.get_mut();
                *seen += count;
                let rank = |draft: &Draft| (draft.certainty, Reverse(draft.basis));
                if rank(&draft) > rank(best) {
                    *best = draft;
                }
            }
        }
    }
    kept.into_values()
}

/// `once`, `twice`, `3 times`.
pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// `A`, `A and B`, `A, B and C`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A place as reports name it.
pub(super) fn place(evidence: &Evidence, site: SiteId) -> String {
    evidence.sites[site.at()].to_string()
}

/// The class as reports name it, with its subclass.
pub(super) fn class_name(evidence: &Evidence, class: Subclass) -> String {
    let label = &evidence.classes[class.class.at()].label;
    match class.sub {
        Some(sub) => format!("{label}/{sub}"),
        None => label.clone(),
    }
}

/// A lock in a side.
pub(super) fn lock_use(
    evidence: &Evidence,
    run: &RunCase<'_>,
    held: &Held,
    class: Option<Subclass>,
) -> LockUse {
    let lock = &run.run.locks[held.lock.at()];
    let class = class.unwrap_or(Subclass {
        class: lock.class,
        sub: None,
    });
    let of_class = &evidence.classes[lock.class.at()];
    let class = class_name(evidence, class);
    // A class that does not mean one kind of lock would make different problems look alike.
    let (class, family) = if of_class.trusted {
        (class, None)
    } else {
        (lock.label.clone(), Some(class))
    };
    LockUse {
        lock: lock.label.clone(),
        class,
        family,
        mode: held.mode.name().to_owned(),
        site: place(evidence, held.site),
        type_name: of_class.type_name.clone(),
        made: made(of_class),
        expression: evidence.sites[held.site.at()].note.clone(),
    }
}

/// How a lock of this class was made, if nobody knows at which place.
fn made(class: &Class) -> Option<&'static str> {
    if class.trusted {
        None
    } else if class.label == Class::LOST {
        Some("at a place whose record is lost")
    } else {
        Some("inside the standard library (`Default`, `map` or the like)")
    }
}

/// A side without anything but its thread.
pub(super) fn side(case: &Case<'_>, run: &RunCase<'_>, thread: ThreadId) -> Side {
    let of_run = &run.run.threads[thread.at()];
    Side {
        thread: of_run.label.clone(),
        holds: None,
        wants: None,
        gates: Vec::new(),
        thread_name: of_run.name.clone(),
        started_in: of_run.started_in.clone(),
        run: (case.runs.len() > 1).then(|| run.run.label.clone()),
        also_held: Vec::new(),
        stack: Vec::new(),
        stack_of: None,
        path: Vec::new(),
    }
}

/// The locks of a chain but one, oldest first, and not too many.
pub(super) fn also_held(
    evidence: &Evidence,
    run: &RunCase<'_>,
    chain: ChainId,
    but: Option<LockId>,
) -> Vec<LockUse> {
    let links = run.history.chain(chain);
    let others = links.filter(|(_, link)| Some(link.held.lock) != but);
    let mut held: Vec<LockUse> = others
        .take(count(run.bounds.held_shown))
        .map(|(_, link)| lock_use(evidence, run, &link.held, Some(link.class)))
        .collect();
    held.reverse();
    held
}

/// The side that an arc stands for.
pub(super) fn side_of(case: &Case<'_>, arc: Arc) -> Side {
    let run = case.run(arc.run);
    let dependency = &run.history.dependencies[arc.dependency as usize];
    let link = &run.history.links[arc.link.at()];
    let use_of = |held, class| lock_use(case.evidence, run, held, Some(class));
    Side {
        holds: Some(use_of(&link.held, link.class)),
        wants: Some(Wants::Lock(use_of(&dependency.want, dependency.class))),
        also_held: also_held(case.evidence, run, dependency.chain, Some(link.held.lock)),
        ..side(case, run, dependency.thread)
    }
}

/// What a thread waits for at an event that takes no lock.
pub(super) fn resource_use(case: &Case<'_>, run: &RunCase<'_>, event: u32) -> Option<ResourceUse> {
    let event = &run.run.events[event as usize];
    let (resource, name) = match event.op {
        Op::Join { child } => ("join".to_owned(), run.run.threads[child.at()].label.clone()),
        Op::WaitBegin { condvar, .. } | Op::WaitEnd { condvar, .. } => resource(run, condvar),
        Op::Barrier { barrier, .. } => resource(run, barrier),
        Op::Pend { semaphore, .. } | Op::PendTimed { semaphore } => resource(run, semaphore),
        _ => return None,
    };
    Some(ResourceUse {
        resource,
        name,
        site: place(case.evidence, event.site),
    })
}

/// What is waited for is, and how it is called.
pub(super) fn resource(run: &RunCase<'_>, at: ResourceId) -> (String, String) {
    let resource = &run.run.resources[at.at()];
    let kind = match resource.kind {
        Kind::Condvar => "condvar",
        Kind::Barrier => "barrier",
        Kind::Channel => "channel",
        Kind::Parking => "park",
        _ => "semaphore",
    };
    (kind.to_owned(), resource.label.clone())
}

/// A schedule as reports give it: a thread per step, runs of one thread as `T1*3`. A very long one
/// is left out, and the reasons say so.
pub(super) fn show(draft: &mut Draft, run: &RunCase<'_>, schedule: &[Step]) {
    let mut done = vec![0_usize; run.run.threads.len()];
    let seen = schedule.iter().filter(|step| {
        let at = &mut done[step.thread.at()];
        *at += 1;
        run.run.made_up.is_empty()
            || !run.is_made_up(run.timeline().events_of[step.thread.at()][*at - 1])
    });
    let schedule: Vec<Step> = seen.copied().collect();
    if run.run.begins_after > 0 {
        let without = run.run.stops.iter().map(|&(thread, at)| LeftOut {
            thread: run.run.threads[thread.at()].label.clone(),
            from: at + 1,
        });
        let without: Vec<LeftOut> = without.collect();
        let stops = without.iter();
        let stops = stops.map(|left| format!("{} from event {} on", left.thread, left.from));
        let but = match stops.collect::<Vec<String>>().as_slice() {
            [] => String::new(),
            stops => format!(", but for those of {}", listed(stops)),
        };
        let events = run.run.begins_after;
        draft.reasons.push(format!(
            "the schedule begins after the first {events} events, which come in the order seen{but}"
        ));
        draft.witness_after = Some(Beginning { events, without });
    }
    let by_thread = || schedule.chunk_by(|a, b| a.thread == b.thread);
    if by_thread().nth(count(run.bounds.witness_entries)).is_some() {
        draft.reasons.push(format!(
            "the schedule is left out: it has {} steps (limit `witness-entries`)",
            schedule.len()
        ));
        return;
    }
    let told = by_thread().map(|steps| {
        let label = &run.run.threads[steps[0].thread.at()].label;
        match steps.len() {
            1 => label.clone(),
            count => format!("{label}*{count}"),
        }
    });
    draft.witness = told.collect();
}
