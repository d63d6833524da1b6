//! What the orders found in the code amount to: findings.
//!
//! `certain` is only what happens whenever one path through the code runs: the same instance, in one
//! thread, with no release between. All else is `possible`, and says what would have to be true.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use lockwise::watch::Mode;
use rustc_hash::FxHashSet;

use super::class::{self, function_name};
use super::ir::{Callee, Site, Terminator};
use super::known::{Known, Waits};
use super::names::Name;
use super::program::{BodyId, Program};
use super::solve::Solved;
use super::summary::{Held, LockAt, Order, What};
use super::trust::Trust;
use super::value::{Path, Root, Step};
use crate::finding::{
    Basis, Certainty, Code, CodeOrder, Exclusion, Finding, LockUse, ResourceUse, Side, Source,
    Wants,
};
use crate::history::blocks_itself;

mod back;
mod cycles;
mod ordered;
mod rings;
mod waits;

use back::Places;
use rings::Rings;

/// All findings in what was found, and how many cycles were left out: too long, or too many.
pub(crate) fn findings(program: &Program, solved: &Solved) -> (Vec<Finding>, u64) {
    let rules = Rules::of(program, solved);
    let mut found = Vec::new();
    rules.again(&mut found);
    let left_out = rules.cycles(&mut found);
    rules.waits(&mut found);
    rules.awaits(&mut found);
    (found, left_out)
}

/// The lock orders in the code, one for each pair of classes: the surest and nearest.
pub(crate) fn orders(program: &Program, solved: &Solved) -> Vec<CodeOrder> {
    let rules = Rules::of(program, solved);
    let mut all: BTreeMap<(String, String), &Order> = BTreeMap::new();
    for order in &solved.orders {
        let (held, wanted) = (order.held.lock.class, order.wanted.class);
        if order.waits.is_endless() && !rules.is_vague(held) && !rules.is_vague(wanted) {
            let classes = (
                program.text(held).to_string(),
                program.text(wanted).to_string(),
            );
            keep_better(all.entry(classes), order);
        }
    }
    let found = all.into_values().map(|order| CodeOrder {
        function: rules.function(order.body),
        holds: rules.lock_use(&order.held.lock),
        wants: rules.lock_use(&order.wanted),
        evidence: vec![Source::Code],
    });
    found.collect()
}

struct Rules<'a> {
    program: &'a Program,
    solved: &'a Solved,
    /// Where calls stand, for what asks.
    places: OnceCell<Places>,
    /// The classes of locks that are taken for somebody alone, for what asks.
    written: OnceCell<FxHashSet<Name>>,
}

impl<'a> Rules<'a> {
    fn of(program: &'a Program, solved: &'a Solved) -> Rules<'a> {
        Rules {
            program,
            solved,
            places: OnceCell::new(),
            written: OnceCell::new(),
        }
    }
}

/// A finding that is not finished.
struct Draft {
    code: Code,
    certainty: Certainty,
    message: String,
    cycle: Vec<Side>,
    reasons: Vec<String>,
    advice: Vec<String>,
    excluded_by: Vec<Exclusion>,
}

impl Draft {
    fn finish(self) -> Finding {
        let basis = (self.certainty == Certainty::Possible).then_some(Basis::Code);
        let fingerprint = Finding::fingerprint_of(self.code, &self.cycle);
        Finding {
            code: self.code,
            name: self.code.name(),
            certainty: self.certainty,
            basis,
            level: Finding::level_of(self.code, self.certainty, basis),
            fingerprint,
            message: self.message,
            evidence: vec![Source::Code],
            cycle: self.cycle,
            witness: Vec::new(),
            witness_after: None,
            excluded_by: self.excluded_by,
            reasons: self.reasons,
            advice: self.advice,
            in_dependencies: false,
        }
    }
}

impl Rules<'_> {
    fn site(&self, site: Site) -> String {
        format!(
            "{}:{}:{}",
            self.program.text(site.file),
            site.line,
            site.column
        )
    }

    fn short(&self, name: Name) -> String {
        class::short(&self.program.text(name))
    }

    fn function(&self, body: BodyId) -> String {
        let name = function_name(self.program, self.program.bodies[body].name);
        let parts: Vec<&str> = name
            .split("::")
            .filter(|part| *part != "{closure}")
            .collect();
        let method = parts.last().copied().unwrap_or_default().to_owned();
        match self.program.owner_of(body) {
            Some(on) => format!("{}::{method}", super::text::last(&self.program.text(on))),
            None => parts[parts.len().saturating_sub(2)..].join("::"),
        }
    }

    fn lock_use(&self, lock: &LockAt) -> LockUse {
        LockUse {
            lock: self.short(lock.class),
            class: self.program.text(lock.class).to_string(),
            family: None,
            mode: lock.mode.name().to_owned(),
            site: self.site(lock.site),
            type_name: None,
            made: None,
            expression: None,
        }
    }

    /// What locks are called where they are taken, if reports name them otherwise.
    fn other_names(&self, orders: &[&Order]) -> Vec<String> {
        let locks = orders
            .iter()
            .flat_map(|order| [&order.held.lock, &order.wanted]);
        let renamed: BTreeSet<(Name, Name)> = locks
            .filter_map(|lock| Some((lock.alias?, lock.class)))
            .filter(|(alias, _)| class::is_place(self.program, *alias))
            .collect();
        let renamed = renamed.into_iter();
        renamed
            .map(|(alias, class)| {
                let (alias, class) = (self.short(alias), self.short(class));
                format!("`{alias}` is another name of `{class}`: the same lock is put into both")
            })
            .collect()
    }

    fn side(&self, order: &Order) -> Side {
        Side {
            thread: self.function(order.body),
            holds: Some(self.lock_use(&order.held.lock)),
            wants: Some(Wants::Lock(self.lock_use(&order.wanted))),
            gates: Vec::new(),
            thread_name: None,
            started_in: None,
            run: None,
            also_held: order
                .others
                .iter()
                .map(|lock| self.lock_use(lock))
                .collect(),
            stack: Vec::new(),
            path: self.path(&order.held, &order.calls),
        }
    }

    /// The calls from where the lock is taken to where the next is wanted.
    fn path(&self, held: &Held, calls: &[Site]) -> Vec<String> {
        let through = held.through.filter(|site| *site != held.lock.site);
        let mut path: Vec<String> = through.iter().map(|site| self.site(*site)).collect();
        path.extend(calls.iter().map(|site| self.site(*site)));
        path.dedup();
        path
    }

    /// Locks that are wanted again by who holds them.
    fn again(&self, found: &mut Vec<Finding>) {
        // One for each guard, by where the function that holds it got it: behind a wrapper all locks are
        // taken in one place. Of reads one for each class and function: a sum of four has three of them.
        let mut by_place: BTreeMap<(Code, Option<Name>, Site), &Order> = BTreeMap::new();
        let mut by_class: BTreeMap<(Code, Name), &Order> = BTreeMap::new();
        let mut by_ring: BTreeMap<Name, &Order> = BTreeMap::new();
        let mut by_number: BTreeMap<(Name, u64, u64), &Order> = BTreeMap::new();
        let rings = Rings::of(self.program, self.solved);
        for order in &self.solved.orders {
            let (held, wanted) = (&order.held.lock, &order.wanted);
            if order.waits == Waits::Never || held.class != wanted.class {
                continue;
            }
            let is_same = is_same_instance(held, wanted);
            let excludes = held.mode.excludes(wanted.mode) && blocks_itself(held.mode, wanted.mode);
            if !excludes && (wanted.mode != Mode::Shared || !self.is_written(wanted.class)) {
                continue;
            }
            if !is_same && order.waits == Waits::Panics {
                // Different cells have nothing to do with each other.
                continue;
            }
            let code = if excludes {
                Code::SelfDeadlock
            } else {
                Code::RecursiveRead
            };
            if let Some(ring) = rings.around(order).filter(|_| is_same) {
                keep_better(by_ring.entry(ring), order);
            } else if is_same {
                let place = match code {
                    Code::RecursiveRead => {
                        (code, Some(held.class), self.program.bodies[order.body].site)
                    }
                    _ => (code, None, order.held.through.unwrap_or(held.site)),
                };
                keep_better(by_place.entry(place), order);
            } else if excludes
                && (!order.trust.is_guess() || self.leads_back(order))
                && self.may_be_same(held, wanted)
                && !self.is_taken_out(order)
                && !self.is_ordered(order)
            {
                // Through a call that can lead elsewhere it would be a guess on a guess.
                keep_better(by_class.entry((code, held.class)), order);
            } else if excludes
                && !order.trust.is_guess()
                && let (Some(held_at), Some(wanted_at)) = (&held.path, &wanted.path)
                && let Some((a, b)) = held_at.part_at(wanted_at)
            {
                keep_better(by_number.entry((held.class, a, b)), order);
            }
        }
        // Elements that are taken by their numbers, in one order here and in the other there.
        for ((class, a, b), order) in &by_number {
            if by_number.contains_key(&(*class, *b, *a)) {
                keep_better(by_class.entry((Code::SelfDeadlock, *class)), order);
            }
        }
        let proved: BTreeSet<(Code, Name)> = by_place
            .iter()
            .filter(|(_, order)| order.trust == Trust::Sure)
            .map(|((code, _, _), order)| (*code, order.wanted.class))
            .collect();
        // What is certain on one way is not told again as a guess on another.
        let both = |order: &Order| (order.held.lock.site, order.wanted.site);
        let sure: BTreeSet<(Site, Site)> = by_place
            .values()
            .filter(|order| order.trust == Trust::Sure)
            .map(|order| both(order))
            .collect();
        for ((code, _, _), order) in by_place {
            if order.trust == Trust::Sure || !sure.contains(&both(order)) {
                found.push(self.again_at(code, order, true));
            }
        }
        for order in by_ring.into_values() {
            found.push(self.asked_in_a_ring(order));
        }
        for ((code, class), order) in by_class {
            if !proved.contains(&(code, class)) {
                found.push(self.again_at(code, order, false));
            }
        }
    }

    fn again_at(&self, code: Code, order: &Order, is_same: bool) -> Finding {
        let name = self.short(order.wanted.class);
        let function = self.function(order.body);
        let is_asked = order.wanted.path.as_ref().is_some_and(Path::is_asked);
        let certain =
            is_same && order.trust == Trust::Sure && !is_asked && code == Code::SelfDeadlock;
        if order.waits == Waits::Panics {
            return self.borrowed_again(order, certain);
        }
        let message = match (code, is_same) {
            (Code::RecursiveRead, _) => {
                format!("`{function}` reads `{name}` again while it holds a read guard of it")
            }
            (_, true) => format!("`{function}` takes `{name}` again while it holds it"),
            (_, false) => {
                format!("`{function}` takes one `{name}` while it holds another, or the same")
            }
        };
        let mut reasons = Vec::new();
        if certain {
            reasons.push(
                "both are reached through the same path of fields, and no way between lets go"
                    .to_owned(),
            );
        } else if let Some(kept) = order.kept {
            reasons.push(self.if_kept(kept, is_same));
        } else if code == Code::RecursiveRead {
            reasons.push(
                "it hangs when another thread asks for the write lock between the two reads"
                    .to_owned(),
            );
        } else if is_same && is_asked {
            reasons.push(
                "it hangs if the method hands out the same lock each time it is asked".to_owned(),
            );
        } else if is_same && order.trust == Trust::Filled {
            reasons.push(
                "it hangs if something is there: a value in the option that is dropped, or another key or element in the collection"
                    .to_owned(),
            );
        } else if is_same && order.trust == Trust::Picked {
            reasons.push("it hangs where just this lock is picked out of several".to_owned());
        } else if is_same && order.trust == Trust::Likely {
            reasons.push("the trait whose method is called between them has one implementation here, and others can write more".to_owned());
        } else if is_same {
            reasons.push("the call between them can lead elsewhere: a trait object, a generic type, or a function of another crate".to_owned());
        } else {
            reasons.push("it hangs if both are the same instance, or if two threads take the same two in different orders".to_owned());
            if order.trust == Trust::OneOf {
                reasons.push("the trait object that is called on the way must be of that type, and what is dropped there the last of its handles".to_owned());
            }
        }
        reasons.extend(self.other_names(&[order]));
        let advice = match code {
            Code::RecursiveRead => "hand the guard on instead of reading again, or drop it before",
            _ if is_same => "drop the guard before, or hand it on to what needs it",
            _ => {
                "take them in one fixed order (by address or number), with `acquire!` for instance"
            }
        };
        Draft {
            code,
            certainty: if certain {
                Certainty::Certain
            } else {
                Certainty::Possible
            },
            message,
            cycle: vec![self.side(order)],
            reasons,
            advice: vec![advice.to_owned()],
            excluded_by: Vec::new(),
        }
        .finish()
    }

    /// A lazy static is asked for by what makes another that asks for it.
    fn asked_in_a_ring(&self, order: &Order) -> Finding {
        let name = self.short(order.wanted.class);
        let function = self.function(order.body);
        Draft {
            code: Code::SelfDeadlock,
            certainty: Certainty::Certain,
            message: format!("`{function}` asks for `{name}`, which is asked for again while it is made"),
            cycle: vec![self.side(order)],
            reasons: vec![
                "what makes it asks for another whose value cannot be made without it, so that whoever is first waits for itself".to_owned(),
            ],
            advice: vec!["make one of them without the other".to_owned()],
            excluded_by: Vec::new(),
        }
        .finish()
    }

    /// What must be true where a function is called that is kept in data.
    fn if_kept(&self, function: BodyId, is_same: bool) -> String {
        let site = self.site(self.program.bodies[function].site);
        let name = self.function(function);
        let same = if is_same {
            ""
        } else {
            ", and the lock that it takes is the very one that is held"
        };
        format!(
            "it hangs if the function that is called there is the one of `{name}` at {site}{same}"
        )
    }

    /// A cell that is borrowed again: no hang, but a panic.
    fn borrowed_again(&self, order: &Order, is_certain: bool) -> Finding {
        let name = self.short(order.wanted.class);
        let function = self.function(order.body);
        Draft {
            code: Code::SelfDeadlock,
            certainty: if is_certain {
                Certainty::Certain
            } else {
                Certainty::Possible
            },
            message: format!("`{function}` borrows `{name}` again while it is borrowed: a panic"),
            cycle: vec![self.side(order)],
            reasons: vec![
                if is_certain {
                    "both are reached through the same path of fields, and no way between ends the first borrow"
                } else {
                    "it panics if both are the same cell"
                }
                .to_owned(),
            ],
            advice: vec!["end the first borrow before, or hand it on".to_owned()],
            excluded_by: Vec::new(),
        }
        .finish()
    }

    /// Whether some function takes a lock of this class for itself alone.
    fn is_written(&self, class: Name) -> bool {
        let written = self.written.get_or_init(|| {
            let effects = self.solved.summaries.iter();
            let effects = effects.flat_map(|summary| &summary.effects);
            let locks = effects.filter_map(|effect| match &effect.what {
                What::Wants(lock, _) => Some(lock),
                _ => None,
            });
            // Who has just made a lock writes it before anybody else knows of it.
            let written = locks.filter(|lock| lock.mode == Mode::Exclusive && !lock.is_made);
            written.map(|lock| lock.class).collect()
        });
        written.contains(&class)
    }

    /// Whether two locks of a class can be one instance, or two that are taken in either order.
    fn may_be_same(&self, held: &LockAt, wanted: &LockAt) -> bool {
        // What a method hands out can be another lock each time.
        let is_asked = |lock: &LockAt| lock.path.as_ref().is_some_and(Path::is_asked);
        if self.is_vague(held.class) || is_asked(held) || is_asked(wanted) {
            return false;
        }
        // Whatever one call returned: another time it is another lock.
        let is_made = |lock: &LockAt| {
            let path = lock.path.as_ref();
            path.is_none_or(|path| matches!(path.root, Root::Call(_) | Root::Local(_)))
        };
        let is_variable = !self.program.text(held.class).contains(['.', ' ', '[']);
        if is_variable && (is_made(held) || is_made(wanted)) {
            return false;
        }
        // Elements of one parameter are all there is to know; of two parameters the caller knows more.
        if (held.is_open || wanted.is_open) && held.path != wanted.path {
            return false;
        }
        match (&held.path, &wanted.path) {
            (Some(held), Some(wanted)) => !held.differs_for_sure(wanted),
            _ => true,
        }
    }

    /// Whether one of both was taken out of what keeps the other: nobody who goes through that meets it any more.
    fn is_taken_out(&self, order: &Order) -> bool {
        let body = &self.program.bodies[order.body];
        [&order.held.lock, &order.wanted].into_iter().any(|lock| {
            // What it leads to, through fields of its own, was not taken out.
            let itself = lock.path.as_ref();
            let itself = itself.filter(|path| path.steps.iter().all(|step| *step == Step::Deref));
            let Some(Root::Call(block)) = itself.map(|path| path.root) else {
                return false;
            };
            match &body.blocks[block as usize].end {
                Terminator::Call {
                    callee: Callee::Path(callee),
                    ..
                } => self.program.resolve(*callee).known == Some(Known::TakeOne),
                _ => false,
            }
        })
    }

    /// Whether a class names nothing in the source.
    fn is_vague(&self, class: Name) -> bool {
        class::is_nameless(self.program, class)
    }

    /// Guards that live across an `.await`.
    fn awaits(&self, found: &mut Vec<Finding>) {
        let mut seen = BTreeSet::new();
        for awaited in &self.solved.awaits {
            let lock = &awaited.held.lock;
            if !seen.insert((lock.site, lock.class))
                || self.allows_await(lock.site)
                || self.allows_await(awaited.site)
            {
                continue;
            }
            let name = self.short(lock.class);
            let function = self.function(awaited.body);
            let side = Side {
                thread: function.clone(),
                holds: Some(self.lock_use(lock)),
                wants: Some(Wants::Resource(ResourceUse {
                    resource: "await".to_owned(),
                    name: "a future".to_owned(),
                    site: self.site(awaited.site),
                })),
                gates: Vec::new(),
                thread_name: None,
                started_in: None,
                run: None,
                also_held: Vec::new(),
                stack: Vec::new(),
                path: Vec::new(),
            };
            found.push(
                Draft {
                    code: Code::GuardAcrossAwait,
                    certainty: Certainty::Certain,
                    message: format!("`{function}` holds `{name}` across an `.await`"),
                    cycle: vec![side],
                    reasons: vec![
                        "a task that is suspended there keeps the lock, and every thread that polls a task which wants it is blocked".to_owned(),
                    ],
                    advice: vec![
                        "end the guard's block before the `.await`, or use a lock whose `lock` is itself awaited".to_owned(),
                    ],
                    excluded_by: Vec::new(),
                }
                .finish(),
            );
        }
    }

    fn allows_await(&self, site: Site) -> bool {
        let file = self.program.text(site.file);
        let sources = self.program.sources.borrow();
        sources.allows_await.iter().any(|(path, first, last)| {
            path.as_os_str() == &*file && (*first..=*last).contains(&site.line)
        })
    }
}

/// Keeps the order that convinces more: the surer, then the nearer.
fn keep_better<'a, K: Ord>(entry: Entry<'_, K, &'a Order>, order: &'a Order) {
    match entry {
        Entry::Vacant(entry) => {
            entry.insert(order);
        }
        Entry::Occupied(mut entry) => {
            if is_better(order, entry.get()) {
                entry.insert(order);
            }
        }
    }
}

/// Whether an order convinces more than another of the same.
fn is_better(order: &Order, old: &Order) -> bool {
    let rank = |order: &Order| {
        (
            order.trust,
            order.kept.is_none(),
            Reverse(order.calls.len()),
        )
    };
    rank(order) > rank(old)
}

/// Whether two locks are one instance for sure.
fn is_same_instance(held: &LockAt, wanted: &LockAt) -> bool {
    match (&held.path, &wanted.path) {
        (Some(held), Some(wanted)) => {
            // Who wants all of a map wants what is held of it too.
            held == wanted && held.names_one() || held.is_of_key_in(wanted)
        }
        _ => false,
    }
}
