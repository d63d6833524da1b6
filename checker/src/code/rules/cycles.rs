//! Locks that are taken in orders that close a cycle.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashSet;

use super::{Certainty, Code, Draft, Exclusion, Finding, Name, Order, Rules, Site, is_better};
use crate::code::class;
use crate::code::summary::LockAt;
use crate::code::value::{Path, Root, Step};

/// More cycles than this are not reported from one program.
const CYCLES_MAX: usize = 200;
/// Longer cycles are not reported: each step is one more guess.
const LENGTH_MAX: usize = 5;
/// So many orders between two classes are compared.
const VARIANTS_MAX: usize = 12;

type Edges<'a> = BTreeMap<Name, BTreeMap<Name, Vec<&'a Order>>>;

impl Rules<'_> {
    /// Adds the cycles, and says how many were left out.
    pub(super) fn cycles(&self, found: &mut Vec<Finding>) -> u64 {
        let edges = self.edges();
        let mut ways: Vec<Vec<Name>> = Vec::new();
        for (from, all) in &edges {
            for to in all.keys() {
                if let Some(back) = shortest(&edges, *to, *from) {
                    // from -> to -> … -> from
                    let mut classes = vec![*from];
                    classes.extend(&back[..back.len() - 1]);
                    ways.push(classes);
                }
            }
        }
        // Short ones first: a longer one around the same locks says nothing new.
        ways.sort_by_key(Vec::len);
        let mut seen: Vec<BTreeSet<Name>> = Vec::new();
        let mut left_out: BTreeSet<BTreeSet<Name>> = BTreeSet::new();
        let ends = self.program.sites_in_drops();
        // What one end of a shared value closes is told once.
        let mut by_end: BTreeMap<Site, (usize, u64)> = BTreeMap::new();
        for classes in ways {
            let key: BTreeSet<Name> = classes.iter().copied().collect();
            if seen.iter().any(|old| old.is_subset(&key)) {
                continue;
            }
            if classes.len() > LENGTH_MAX || seen.len() >= CYCLES_MAX {
                left_out.insert(key);
                continue;
            }
            let Some((finding, end)) = self.cycle(&edges, &classes, &ends) else {
                continue;
            };
            seen.push(key);
            if let Some(end) = end {
                match by_end.entry(end) {
                    Entry::Vacant(entry) => {
                        entry.insert((found.len(), 0));
                    }
                    Entry::Occupied(mut entry) => {
                        entry.get_mut().1 += 1;
                        continue;
                    }
                }
            }
            found.push(finding);
        }
        for (at, more) in by_end.into_values().filter(|(_, more)| *more > 0) {
            found[at].reasons.push(match more {
                1 => "the same end closes one more cycle, which is not told apart".to_owned(),
                more => format!("the same end closes {more} more cycles, which are not told apart"),
            });
        }
        left_out.len() as u64
    }

    /// Orders between different classes that say something, the surest and nearest first.
    fn edges(&self) -> Edges<'_> {
        let mut edges = Edges::new();
        for order in &self.solved.orders {
            let (held, wanted) = (&order.held.lock, &order.wanted);
            let is_vague = self.is_vague(held.class) || self.is_vague(wanted.class);
            // Who holds another of the class that is wanted waits for itself first, which is told apart.
            let is_again = order.others.iter().any(|lock| lock.class == wanted.class);
            // Nor does anything say that a method hands out the same lock here and elsewhere.
            let is_asked = |lock: &LockAt| lock.path.as_ref().is_some_and(Path::is_asked);
            // Each thread has its own, which no other waits for.
            let is_of_thread =
                self.program.is_of_thread(held.class) || self.program.is_of_thread(wanted.class);
            if !order.waits.is_endless()
                || is_of_thread
                || held.class == wanted.class
                || is_vague
                || is_again
                || is_asked(held)
                || is_asked(wanted)
            {
                continue;
            }
            let all = edges
                .entry(held.class)
                .or_default()
                .entry(wanted.class)
                .or_default();
            let same = |old: &Order| {
                old.held.lock.mode == held.mode
                    && old.wanted.mode == wanted.mode
                    && old.held.lock.alias == held.alias
                    && old.wanted.alias == wanted.alias
                    && old
                        .others
                        .iter()
                        .map(|lock| lock.class)
                        .eq(order.others.iter().map(|lock| lock.class))
            };
            match all.iter().position(|old| same(old)) {
                Some(at) if is_better(order, all[at]) => all[at] = order,
                None if all.len() < VARIANTS_MAX => all.push(order),
                _ => {}
            }
        }
        edges
    }

    /// What must be true of locks that are only read on both sides.
    fn writers_between(&self, orders: &[&Order]) -> Option<String> {
        let next = orders.iter().cycle().skip(1);
        let read = orders.iter().zip(next).filter(|(order, next)| {
            let held = next.held.lock.mode;
            !held.excludes(order.wanted.mode)
        });
        let read = read.map(|(order, _)| format!("`{}`", self.short(order.wanted.class)));
        let read: Vec<String> = read.collect();
        (!read.is_empty()).then(|| {
            format!(
                "{} is read on both sides, so that somebody else must wait to write it meanwhile: new readers wait behind a writer",
                read.join(" and ")
            )
        })
    }

    /// A cycle, and where in a `Drop` the call stands that closes it, if that may not run.
    fn cycle(
        &self,
        edges: &Edges<'_>,
        classes: &[Name],
        ends: &FxHashSet<Site>,
    ) -> Option<(Finding, Option<Site>)> {
        let choices: Vec<&Vec<&Order>> = (0..classes.len())
            .map(|at| &edges[&classes[at]][&classes[(at + 1) % classes.len()]])
            .collect();
        let mut best: Option<(bool, Vec<&Order>)> = None;
        // What needs no third thread comes first.
        for beside_writers in [false, true] {
            let blocks = |order: &Order, next: &Order| {
                let (held, wanted) = (&next.held.lock, &order.wanted);
                let is_blocked = held.mode.excludes(wanted.mode)
                    || beside_writers && self.may_block(held.mode, wanted);
                is_blocked && self.can_be_one(held, wanted)
            };
            let is_found = choose(&choices, &mut Vec::new(), &blocks, &mut |orders| {
                // Where each side takes a call that can lead elsewhere, nothing is left to stand on.
                if orders.iter().all(|order| is_guess(order)) {
                    return false;
                }
                let gated = self.gate(orders).is_some();
                if best
                    .as_ref()
                    .is_none_or(|(was_gated, _)| *was_gated && !gated)
                {
                    best = Some((gated, orders.to_vec()));
                }
                !gated
            });
            if is_found {
                break;
            }
        }
        let (gated, orders) = best?;
        let end = orders
            .iter()
            .filter(|order| order.trust.is_guess())
            .find_map(|order| {
                let mut sites = order.calls.iter().chain([&order.wanted.site]);
                sites.find(|site| ends.contains(site)).copied()
            });
        let names: Vec<String> = classes
            .iter()
            .map(|class| format!("`{}`", self.short(*class)))
            .collect();
        let message = match &orders[..] {
            [a, b] => format!(
                "{} and {} are taken in both orders: by `{}` and by `{}`",
                names[0],
                names[1],
                self.function(a.body),
                self.function(b.body)
            ),
            _ => format!("{} are taken in a cycle", names.join(", ")),
        };
        let mut reasons = Vec::new();
        if gated {
            if let Some(lock) = self.gate(&orders) {
                reasons.push(format!("`{}` is held on every side", self.short(lock)));
            }
        } else {
            reasons.push("it hangs if the sides run at the same time in different threads, on the same instances".to_owned());
            let kept = orders.iter().find_map(|order| order.kept);
            reasons.extend(kept.map(|kept| self.if_kept(kept, true)));
            if orders
                .iter()
                .any(|order| order.trust.is_guess() && order.kept.is_none())
            {
                reasons.push("some call on the way can lead elsewhere: a trait object, a generic type, or a function of another crate".to_owned());
            }
        }
        if !gated {
            reasons.extend(self.writers_between(&orders));
        }
        if end.is_some() {
            reasons.push(
                "what is dropped on the way must be there, and the last of its handles".to_owned(),
            );
        }
        reasons.extend(self.other_names(&orders));
        let advice = format!("take {} always in one order", names.join(" and "));
        let finding = Draft {
            code: Code::LockOrderCycle,
            certainty: if gated {
                Certainty::Excluded
            } else {
                Certainty::Possible
            },
            message,
            cycle: orders.iter().map(|order| self.side(order)).collect(),
            reasons,
            advice: vec![advice],
            excluded_by: if gated {
                vec![Exclusion::GateLock]
            } else {
                Vec::new()
            },
        }
        .finish();
        Some((finding, end))
    }

    /// The lock that is held on every side and keeps the sides apart: one static, or one that stands in the same
    /// object as both locks of each side, or keeps one of them.
    fn gate(&self, orders: &[&Order]) -> Option<Name> {
        let first = orders.first()?;
        let is_everywhere = |gate: &LockAt| {
            orders.iter().all(|order| {
                order.others.iter().any(|other| {
                    other.class == gate.class
                        && other.mode.excludes(gate.mode)
                        && self.guards(other, order)
                })
            })
        };
        let gate = first.others.iter().find(|gate| is_everywhere(gate));
        gate.map(|gate| gate.class)
    }

    fn guards(&self, gate: &LockAt, order: &Order) -> bool {
        let Some(path) = &gate.path else { return false };
        if matches!(path.root, Root::Static(_)) && path.names_one() && !path.is_asked() {
            return true;
        }
        let Some(own) = object(path) else {
            return false;
        };
        // What a gate keeps may be shared with what another keeps; what stands beside it is not.
        let kept = class::inside(self.program, gate.class);
        let locks = [&order.held.lock, &order.wanted];
        let beside = locks.map(|lock| lock.path.as_ref().and_then(object).as_ref() == Some(&own));
        let kept = locks.map(|lock| lock.class == kept);
        beside != [false, false] && (0..2).all(|at| beside[at] || kept[at])
    }
}

/// Whether an order rests on a call that can lead elsewhere, or on a function that may not be there.
fn is_guess(order: &Order) -> bool {
    order.trust.is_guess() || order.kept.is_some()
}

/// Tries all choices of one order for each step in which each blocks the one before, until `done`.
fn choose<'a>(
    choices: &[&Vec<&'a Order>],
    chosen: &mut Vec<&'a Order>,
    blocks: &dyn Fn(&Order, &Order) -> bool,
    done: &mut dyn FnMut(&[&'a Order]) -> bool,
) -> bool {
    let at = chosen.len();
    if at == choices.len() {
        let mut all = (0..at).map(|at| (chosen[at], chosen[(at + 1) % chosen.len()]));
        return all.all(|(order, next)| blocks(order, next)) && done(chosen);
    }
    // Long cycles: the first choices will do.
    let most = if choices.len() > 4 { 2 } else { VARIANTS_MAX };
    for order in choices[at].iter().take(most) {
        chosen.push(order);
        let is_done = choose(choices, chosen, blocks, done);
        chosen.pop();
        if is_done {
            return true;
        }
    }
    false
}

/// The object that a field lies in, or a field of a field, without any pointer between.
fn object(path: &Path) -> Option<Path> {
    let is_inside = |step: &&Step| matches!(step, Step::Field(..));
    let fields = path.steps.iter().rev().take_while(is_inside).count();
    let mut path = path.clone();
    path.steps.truncate(path.steps.len() - fields);
    (fields > 0).then_some(path)
}

/// The shortest way from one class to another, the ends included.
fn shortest(edges: &Edges<'_>, from: Name, to: Name) -> Option<Vec<Name>> {
    let mut before: BTreeMap<Name, Name> = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if at == to {
            let mut way = vec![to];
            while let Some(&last) = way.last()
                && last != from
            {
                way.push(before[&last]);
            }
            way.reverse();
            return Some(way);
        }
        for next in edges.get(&at).into_iter().flat_map(BTreeMap::keys) {
            if *next != from && !before.contains_key(next) {
                before.insert(*next, at);
                queue.push_back(*next);
            }
        }
    }
    None
}
