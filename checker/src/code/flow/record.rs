//! Notes what is met: orders, waits, awaits, and the effects that callers must know of.

use super::super::frame::Fact;
use super::super::ir::{Kind, Site};
use super::super::known::{Resource, Waits};
use super::super::names::Name;
use super::super::program::BodyId;
use super::super::summary::{Effect, Held, LockAt, Order, Summary, What};
use super::super::text::is_exclusive_reference;
use super::super::trust::Trust;
use super::super::value::{Path, Root, Step, Value};
use super::{Flow, State, There, Token};

/// A point in the function: what happens there happens with all that is held there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    /// Where: the call.
    pub site: Site,
    /// Whether what happens there does so on some path.
    pub trust: Trust,
    /// The guards that live there.
    pub state: &'a State,
    /// What is held beside them: locks of those who run this.
    pub more: &'a [Held],
    /// Under which conditions beside those that lead there.
    pub when: &'a [Fact],
    /// The callee that is called there, and the effect of it that is looked at; none for what is done
    /// right there.
    pub via: Option<(BodyId, &'a Effect)>,
    /// In how many of the functions that are called on the way something decides whether it happens.
    pub decided: u8,
    /// The shared pointers, of what callers gave, that must be the last of their kind.
    pub last: &'a [Path],
}

impl<'a> Point<'a> {
    /// Where something is done for sure, with these guards.
    pub(super) fn at(site: Site, state: &'a State) -> Point<'a> {
        Point {
            site,
            trust: Trust::Sure,
            state,
            more: &[],
            when: &[],
            via: None,
            decided: 0,
            last: &[],
        }
    }

    /// The same, trusted no more than so far.
    pub(super) fn trusted(self, trust: Trust) -> Point<'a> {
        Point {
            trust: self.trust.and(trust),
            ..self
        }
    }

    /// The same, with these locks held too.
    pub(super) fn under(self, more: &'a [Held]) -> Point<'a> {
        Point { more, ..self }
    }

    /// The effect of a callee there.
    pub(super) fn via(self, body: BodyId, effect: &'a Effect) -> Point<'a> {
        Point {
            trust: self.trust.and(effect.trust),
            via: Some((body, effect)),
            decided: self.decided.saturating_add(effect.decided),
            ..self
        }
    }

    /// Where it happens in the end.
    pub(super) fn end(&self) -> Site {
        self.via.map_or(self.site, |(_, effect)| effect.site)
    }
}

/// Something other than a lock is waited for under a lock.
#[derive(Debug, Clone)]
pub(crate) struct Blocked {
    /// What is held.
    pub held: Held,
    /// What is waited for.
    pub resource: Resource,
    /// Which, by class.
    pub class: Name,
    /// Where.
    pub site: Site,
    /// The function in which both meet.
    pub body: BodyId,
    /// The calls from there to the wait.
    pub calls: Vec<Site>,
    /// Whether that happens on some path: not where only the last of several owners ends it.
    pub trust: Trust,
    /// What the thread runs whose end is waited for, if that can be said, and what that takes.
    pub runs: Vec<(BodyId, LockAt)>,
}

/// A thread's handle is kept in a field or static, or in something there.
#[derive(Debug, Clone)]
pub(crate) struct KeptHandle {
    /// Which, by class.
    pub class: Name,
    /// What the thread runs.
    pub runs: BodyId,
    /// A lock that it takes.
    pub lock: LockAt,
}

/// A guard lives across an `.await`.
#[derive(Debug, Clone)]
pub(crate) struct Await {
    /// The guard's lock.
    pub held: Held,
    /// Where the task can be suspended.
    pub site: Site,
    /// The async body.
    pub body: BodyId,
}

impl Flow<'_> {
    /// The locks that are held in a state.
    fn held(&self, state: &State) -> Vec<Held> {
        let mut all: Vec<Held> = Vec::new();
        for cell in state.iter().filter(|cell| cell.is_there != There::Gone) {
            if let Some(held) = self.held_by(*cell)
                && !all.contains(&held)
            {
                all.push(held);
            }
        }
        all
    }

    /// The lock of a guard; none of a parameter's.
    pub(super) fn held_by(&self, cell: super::Cell) -> Option<Held> {
        let Token::Taken { held, .. } = &self.tokens[cell.token] else {
            return None;
        };
        let mut held = held.clone();
        if cell.is_stale {
            held.lock.path = None;
        }
        if cell.is_there != There::Sure {
            held.trust = Trust::Guess;
        }
        Some(held)
    }

    /// All that is held at a point.
    pub(super) fn held_at(&self, point: Point<'_>) -> Vec<Held> {
        let mut all = self.held(point.state);
        all.extend_from_slice(point.more);
        all
    }

    /// The parameters whose guards are held in a state, one bit each.
    fn parameters(&self, state: &State) -> u64 {
        let there = state.iter().filter(|cell| cell.is_there != There::Gone);
        there.fold(0, |all, cell| match &self.tokens[cell.token] {
            Token::Parameter(number) => all | 1 << number,
            Token::Taken { .. } => all,
        })
    }

    /// Notes what callers must know of.
    pub(super) fn effect(&mut self, what: What, point: Point<'_>) {
        if !self.records {
            return;
        }
        // What is held matters only to what can wait.
        let guards = match what {
            What::Notifies(_) | What::Sends(_) | What::Begins(..) | What::HandsOut(..) => 0,
            _ => self.parameters(point.state),
        };
        let decided = point.decided.saturating_add(u8::from(self.is_decided()));
        self.outcome.summary.add(Effect {
            what,
            site: point.end(),
            through: point.via.map(|(body, _)| (point.site, body)),
            trust: point.trust,
            when: self.told_facts(point.when),
            guards,
            decided,
            last: point.last.to_vec(),
        });
    }

    /// Whether something decides that the block is reached that is looked at.
    fn is_decided(&mut self) -> bool {
        let (frame, at) = (self.frame, self.at);
        *self
            .decided
            .entry(at)
            .or_insert_with(|| frame.is_decided(at))
    }

    /// Just this lock is wanted.
    pub(super) fn wants_this(&mut self, lock: &LockAt, waits: Waits, point: Point<'_>) {
        self.orders(lock, waits, point);
        if !self.is_alone_with(lock) {
            let is_made = lock
                .path
                .as_ref()
                .is_some_and(|path| self.is_own_value(path));
            let lock = LockAt {
                is_made,
                ..exported(lock)
            };
            self.effect(What::Wants(lock, waits), point);
        }
    }

    /// Whether a lock lies in what this function has for itself: behind a `&mut`, or in a parameter by
    /// value, as in a `Drop`. A guard borrows its lock, so nobody else can hold it meanwhile; only this
    /// function itself can.
    fn is_alone_with(&self, lock: &LockAt) -> bool {
        let Some(path) = &lock.path else { return false };
        let Root::Parameter(parameter) = path.root else {
            return false;
        };
        if self.frame.body.kind == Kind::Closure {
            return false;
        }
        let of = self.frame.program.text(self.frame.type_of(parameter));
        let inside = match (of.starts_with('&'), &path.steps[..]) {
            (true, [Step::Deref, inside @ ..]) if is_exclusive_reference(&of) => inside,
            (false, inside) => inside,
            _ => return false,
        };
        !inside.is_empty()
            && inside
                .iter()
                .all(|step| matches!(step, Step::Field(..) | Step::Index | Step::Chosen(_)))
    }

    /// Whether a path leads to a lock in a variable of this function, without any pointer on the way.
    fn is_own_value(&self, path: &Path) -> bool {
        let of = match path.root {
            Root::Local(local) => self.frame.type_of(local),
            Root::Call(block) => match self.frame.call_at(block) {
                Some((_, _, result)) if result.is_whole() => self.frame.type_of(result.local),
                _ => return false,
            },
            Root::Parameter(_) | Root::Static(_) => return false,
        };
        let is_inside = |step: &Step| matches!(step, Step::Field(..) | Step::Element(_));
        self.frame.program.type_of(of).references == 0
            && !self.is_coroutine
            && path.steps.iter().all(is_inside)
    }

    /// The calls that lead from this function to what is met at a point, outermost first.
    pub(super) fn calls(&self, point: Point<'_>) -> Vec<Site> {
        let Some((_, effect)) = point.via else {
            return Vec::new();
        };
        let mut calls = vec![point.site];
        chain(self.frame.summaries, effect, &mut calls);
        calls
    }

    pub(super) fn orders(&mut self, lock: &LockAt, waits: Waits, point: Point<'_>) {
        let all = self.held_at(point);
        if all.is_empty() {
            return;
        }
        let calls = self.calls(point);
        let is_alone = self.is_alone_with(lock);
        for (number, held) in all.iter().enumerate() {
            if is_alone && held.lock.class != lock.class {
                continue;
            }
            let others = all
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != number)
                .map(|(_, held)| held.lock.clone());
            let order = Order {
                held: held.clone(),
                wanted: lock.clone(),
                waits,
                // A value that is made once may be there already.
                trust: match waits {
                    Waits::First => Trust::Guess,
                    _ => point.trust.and(held.trust),
                },
                others: others.collect(),
                body: self.id,
                calls: calls.clone(),
                kept: None,
                decided: point.decided,
            };
            if (held.lock.is_open || lock.is_open) && portable(&held.lock) && portable(lock) {
                self.outcome.summary.add_open(order.clone());
            }
            self.outcome.orders.push(order);
        }
    }

    /// Orders of locks that were parameters of a callee, with the arguments put in.
    pub(super) fn take_over_open(&mut self, summary: &Summary, values: &[Value], site: Site) {
        if !self.records {
            return;
        }
        for order in &summary.open {
            let mut held = order.held.clone();
            held.lock = self.in_caller(&held.lock, values);
            let wanted = self.in_caller(&order.wanted, values);
            let better = (order.held.lock.is_open && held.lock.path.is_some())
                || (order.wanted.is_open && wanted.path.is_some());
            if !better {
                continue;
            }
            let mut calls = vec![site];
            calls.extend(
                order
                    .calls
                    .iter()
                    .copied()
                    .filter(|call| *call != site)
                    .take(15),
            );
            let order = Order {
                trust: order.trust,
                others: order
                    .others
                    .iter()
                    .map(|lock| self.in_caller(lock, values))
                    .collect(),
                held,
                wanted,
                calls,
                ..order.clone()
            };
            let known = |old: &Order| {
                old.held.lock.class == order.held.lock.class
                    && old.wanted.class == order.wanted.class
                    && old.held.lock.path == order.held.lock.path
                    && old.wanted.path == order.wanted.path
            };
            if (order.held.lock.is_open || order.wanted.is_open)
                && !self.outcome.summary.open.iter().any(known)
                && portable(&order.held.lock)
                && portable(&order.wanted)
            {
                self.outcome.summary.add_open(order.clone());
            }
            if !self.outcome.orders.iter().any(known) {
                self.outcome.orders.push(order);
            }
        }
    }

    /// Something else is waited for. If that is the end of threads, `runs` says what they run and take.
    pub(super) fn blocks(
        &mut self,
        resource: Resource,
        class: Name,
        runs: &[(BodyId, LockAt)],
        point: Point<'_>,
    ) {
        if !self.records {
            return;
        }
        self.note_blocked(resource, class, runs, point);
        self.note_joins(runs, point);
        self.effect(What::Blocks(resource, class), point);
    }

    /// The end of threads is waited for that take these locks.
    pub(super) fn joins(&mut self, runs: &[(BodyId, LockAt)], point: Point<'_>) {
        if runs.is_empty() || !self.records {
            return;
        }
        let class = self.frame.program.names.of("thread");
        self.note_blocked(Resource::Join, class, runs, point);
        self.note_joins(runs, point);
    }

    fn note_joins(&mut self, runs: &[(BodyId, LockAt)], point: Point<'_>) {
        for (body, lock) in runs {
            self.effect(What::Joins(*body, exported(lock)), point);
        }
    }

    pub(super) fn note_blocked(
        &mut self,
        resource: Resource,
        class: Name,
        runs: &[(BodyId, LockAt)],
        point: Point<'_>,
    ) {
        let calls = self.calls(point);
        for held in self.held_at(point) {
            self.outcome.blocked.push(Blocked {
                trust: point.trust.and(held.trust),
                held,
                resource,
                class,
                site: point.end(),
                body: self.id,
                calls: calls.clone(),
                runs: runs.to_vec(),
            });
        }
    }

    /// An `.await` that may suspend the task.
    pub(super) fn suspends(&mut self, state: &State, site: Site) {
        if !self.records {
            return;
        }
        for held in self.held(state) {
            if held.blocks_threads {
                self.outcome.awaits.push(Await {
                    held,
                    site,
                    body: self.id,
                });
            }
        }
    }
}

/// Adds the calls that lead on from where a callee's effect is met, outermost first.
pub(crate) fn chain(summaries: &[Summary], effect: &Effect, calls: &mut Vec<Site>) {
    let mut effect = effect;
    while let Some((site, body)) = effect.through {
        if calls.contains(&site) || calls.len() >= 32 {
            break;
        }
        calls.push(site);
        let Some(next) = source(&summaries[body], effect) else {
            break;
        };
        effect = next;
    }
}

/// The effect of a callee that became this one of its caller's. Behind a wrapper all locks are taken at one
/// place, so that the place alone does not tell; a lock that only callers can name may be any.
fn source<'a>(callee: &'a Summary, effect: &Effect) -> Option<&'a Effect> {
    let kind = std::mem::discriminant(&effect.what);
    let all = callee.effects.iter();
    let alike = all
        .filter(|other| other.site == effect.site && std::mem::discriminant(&other.what) == kind);
    alike.min_by_key(|other| match (&other.what, &effect.what) {
        (What::Wants(other, _), What::Wants(lock, _)) if other.class == lock.class => 0,
        (What::Wants(other, _), What::Wants(lock, _)) => match other.is_open {
            true if other.mode == lock.mode => 1,
            true => 2,
            false => 3,
        },
        _ => 0,
    })
}

/// Whether callers can say more of the lock.
fn portable(lock: &LockAt) -> bool {
    lock.path
        .as_ref()
        .is_none_or(|path| matches!(path.root, Root::Parameter(_) | Root::Static(_)))
}

/// A lock as callers see it: without a path that means nothing to them.
pub(super) fn exported(lock: &LockAt) -> LockAt {
    let mut lock = lock.clone();
    if !portable(&lock) {
        lock.path = None;
    }
    lock
}
