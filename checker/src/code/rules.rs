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
use super::ir::Site;
use super::names::Name;
use super::program::{BodyId, Program};
use super::solve::Solved;
use super::summary::{Held, LockAt, Order, What};
use crate::finding::{
    Basis, Certainty, Code, CodeOrder, Exclusion, Finding, LockUse, ResourceUse, Side, Source,
    Wants,
};

mod again;
mod back;
mod cycles;
mod ordered;
mod rings;
mod same;
mod waits;

use back::Places;

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
            stack_of: None,
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

    /// Whether a holder keeps out a request, if need be with the help of a writer that waits between them: a reader
    /// who comes after a writer waits behind it. Beside an upgradable guard no writer stands in the way.
    fn may_block(&self, held: Mode, wanted: &LockAt) -> bool {
        held.excludes(wanted.mode)
            || held.is_shared() && held.may_block(wanted.mode) && self.is_written(wanted.class)
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
            let written = written.chain(&self.solved.watched);
            written.map(|lock| lock.class).collect()
        });
        written.contains(&class)
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
                stack_of: None,
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

/// Of longer ways, in calls, it is asked how much is decided on them.
const CALLS_MANY: usize = 6;
/// Where so many functions on a long way each decide whether it goes on, nobody can say that it is one: what one
/// of them was told can rule out what another asks.
const DECIDED_MAX: u8 = 3;

/// Whether too much is decided on the way between both.
fn is_far(order: &Order) -> bool {
    order.decided >= DECIDED_MAX && order.calls.len() >= CALLS_MANY
}

/// Whether an order convinces more than another of the same.
fn is_better(order: &Order, old: &Order) -> bool {
    let rank = |order: &Order| {
        (
            order.trust,
            order.kept.is_none(),
            !is_far(order),
            Reverse(order.calls.len()),
        )
    };
    rank(order) > rank(old)
}
