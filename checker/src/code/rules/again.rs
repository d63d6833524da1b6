//! Locks that are wanted again by who holds them, in one thread.

use std::collections::{BTreeMap, BTreeSet};

use super::rings::Rings;
use super::{
    Certainty, Code, Draft, Finding, LockAt, Name, Order, Rules, Site, is_far, keep_better,
};
use crate::code::ir::{Callee, Terminator};
use crate::code::known::{Known, Waits};
use crate::code::trust::Trust;
use crate::code::value::{Path, Root, Step};
use crate::history::blocks_itself;

impl Rules<'_> {
    /// Locks that are wanted again by who holds them.
    pub(super) fn again(&self, found: &mut Vec<Finding>) {
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
            if !is_same && !self.can_be_one(held, wanted) {
                continue;
            }
            if !blocks_itself(held.mode, wanted.mode) || !self.may_block(held.mode, wanted) {
                continue;
            }
            let excludes = held.mode.excludes(wanted.mode);
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
        let certain = is_same
            && order.trust == Trust::Sure
            && !is_asked
            && !is_far(order)
            && code == Code::SelfDeadlock;
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
        } else if is_same && order.trust == Trust::Sure {
            reasons.push(format!(
                "it hangs if {} functions on the way between them all decide so: one can rule out another",
                order.decided
            ));
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
