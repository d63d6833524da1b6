//! Notes what is met: orders, waits, awaits, and the effects that callers must know of.

use super::super::ir::{Kind, Site};
use super::super::known::{Resource, Waits};
use super::super::names::Name;
use super::super::program::BodyId;
use super::super::summary::{Effect, Held, LockAt, OPEN_MAX, Order, Summary, What};
use super::super::text::is_exclusive_reference;
use super::super::value::{Root, Step, Value};
use super::calls::Argument;
use super::{Flow, State, Token};

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
    /// Whether that happens for sure on some path: not where only the last of several owners ends it.
    pub is_sure: bool,
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
    pub(super) fn held(&self, state: &State) -> Vec<Held> {
        let mut all: Vec<Held> = Vec::new();
        for cell in state {
            if let Token::Taken { held, .. } = &self.tokens[cell.token] {
                let mut held = held.clone();
                if cell.is_stale {
                    held.lock.path = None;
                }
                if !all.contains(&held) {
                    all.push(held);
                }
            }
        }
        all
    }

    /// The parameters whose guards are held in a state, one bit each.
    pub(super) fn parameters(&self, state: &State) -> u64 {
        state
            .iter()
            .fold(0, |all, cell| match &self.tokens[cell.token] {
                Token::Parameter(number) => all | 1 << number,
                Token::Taken { .. } => all,
            })
    }

    pub(super) fn effect(&mut self, what: What, site: Site, is_sure: bool, guards: u64) {
        if self.records {
            self.outcome.summary.add(Effect {
                what,
                site,
                through: None,
                is_sure,
                guards,
            });
        }
    }

    pub(super) fn effect_through(
        &mut self,
        what: What,
        through: (Site, BodyId),
        site: Site,
        is_sure: bool,
        guards: u64,
    ) {
        if self.records {
            self.outcome.summary.add(Effect {
                what,
                site,
                through: Some(through),
                is_sure,
                guards,
            });
        }
    }

    /// A lock is wanted right here.
    pub(super) fn wants(
        &mut self,
        lock: &LockAt,
        waits: Waits,
        site: Site,
        is_sure: bool,
        state: &State,
        more: &[Held],
    ) {
        if !self.records {
            return;
        }
        self.orders(lock, waits, is_sure, state, more, &[]);
        if self.is_alone_with(lock) {
            return;
        }
        let guards = self.parameters(state);
        self.effect(What::Wants(exported(lock), waits), site, is_sure, guards);
    }

    /// A lock is wanted in what is called here.
    #[expect(clippy::too_many_arguments, reason = "one effect, seen from all sides")]
    pub(super) fn reached(
        &mut self,
        lock: &LockAt,
        waits: Waits,
        through: (Site, BodyId),
        effect: &Effect,
        is_sure: bool,
        state: &State,
        more: &[Held],
    ) {
        let calls = self.calls(through, effect);
        self.orders(lock, waits, is_sure, state, more, &calls);
        if self.is_alone_with(lock) {
            return;
        }
        let guards = self.parameters(state);
        self.effect_through(
            What::Wants(exported(lock), waits),
            through,
            effect.site,
            is_sure,
            guards,
        );
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
                .all(|step| matches!(step, Step::Field(..) | Step::Index))
    }

    /// The calls that lead to an effect, outermost first.
    fn calls(&self, through: (Site, BodyId), effect: &Effect) -> Vec<Site> {
        let mut calls = vec![through.0];
        let mut next = effect.through;
        let same_kind = |other: &Effect| {
            std::mem::discriminant(&other.what) == std::mem::discriminant(&effect.what)
        };
        while let Some((site, body)) = next {
            if calls.contains(&site) || calls.len() >= 32 {
                break;
            }
            calls.push(site);
            let summary = &self.frame.summaries[body];
            next = summary
                .effects
                .iter()
                .find(|other| other.site == effect.site && same_kind(other))
                .and_then(|other| other.through);
        }
        calls
    }

    fn orders(
        &mut self,
        lock: &LockAt,
        waits: Waits,
        is_sure: bool,
        state: &State,
        more: &[Held],
        calls: &[Site],
    ) {
        if !self.records {
            return;
        }
        let mut all = self.held(state);
        all.extend(more.iter().cloned());
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
                is_sure: is_sure && held.is_sure,
                others: others.collect(),
                body: self.id,
                calls: calls.to_vec(),
            };
            if (held.lock.is_open || lock.is_open)
                && self.outcome.summary.open.len() < OPEN_MAX
                && portable(&held.lock)
                && portable(lock)
            {
                self.outcome.summary.open.push(order.clone());
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
                is_sure: order.is_sure,
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
                && self.outcome.summary.open.len() < OPEN_MAX
                && !self.outcome.summary.open.iter().any(known)
                && portable(&order.held.lock)
                && portable(&order.wanted)
            {
                self.outcome.summary.open.push(order.clone());
            }
            if !self.outcome.orders.iter().any(known) {
                self.outcome.orders.push(order);
            }
        }
    }

    /// Something else is waited for right here.
    #[expect(clippy::too_many_arguments, reason = "one wait, seen from all sides")]
    pub(super) fn blocks(
        &mut self,
        resource: Resource,
        class: Name,
        site: Site,
        is_sure: bool,
        state: &State,
        more: &[Held],
        arguments: &[Argument],
    ) {
        if !self.records {
            return;
        }
        let runs = self.runs(arguments);
        self.note_blocked(resource, class, site, is_sure, state, more, &[], &runs);
        let guards = self.parameters(state);
        for (body, lock) in runs {
            let joins = What::Joins(body, exported(&lock));
            self.effect(joins, site, is_sure, guards);
        }
        self.effect(What::Blocks(resource, class), site, is_sure, guards);
    }

    /// The end of threads is waited for that take these locks.
    pub(super) fn joins(
        &mut self,
        runs: &[(BodyId, LockAt)],
        site: Site,
        is_sure: bool,
        state: &State,
        more: &[Held],
    ) {
        if runs.is_empty() || !self.records {
            return;
        }
        let class = self.frame.program.names.of("thread");
        self.note_blocked(Resource::Join, class, site, is_sure, state, more, &[], runs);
        let guards = self.parameters(state);
        for (body, lock) in runs {
            self.effect(What::Joins(*body, exported(lock)), site, is_sure, guards);
        }
    }

    /// The same in what is called here.
    #[expect(clippy::too_many_arguments, reason = "one wait, seen from all sides")]
    pub(super) fn joins_through(
        &mut self,
        runs: BodyId,
        lock: &LockAt,
        through: (Site, BodyId),
        effect: &Effect,
        is_sure: bool,
        state: &State,
        more: &[Held],
    ) {
        let calls = self.calls(through, effect);
        let class = self.frame.program.names.of("thread");
        let all = [(runs, lock.clone())];
        self.note_blocked(
            Resource::Join,
            class,
            effect.site,
            is_sure,
            state,
            more,
            &calls,
            &all,
        );
        let guards = self.parameters(state);
        let joins = What::Joins(runs, exported(lock));
        self.effect_through(joins, through, effect.site, is_sure, guards);
    }

    #[expect(clippy::too_many_arguments, reason = "one wait, seen from all sides")]
    pub(super) fn blocks_through(
        &mut self,
        resource: Resource,
        class: Name,
        through: (Site, BodyId),
        effect: &Effect,
        is_sure: bool,
        state: &State,
        more: &[Held],
    ) {
        let calls = self.calls(through, effect);
        self.note_blocked(
            resource,
            class,
            effect.site,
            is_sure,
            state,
            more,
            &calls,
            &[],
        );
        let guards = self.parameters(state);
        self.effect_through(
            What::Blocks(resource, class),
            through,
            effect.site,
            is_sure,
            guards,
        );
    }

    #[expect(clippy::too_many_arguments, reason = "one wait, seen from all sides")]
    fn note_blocked(
        &mut self,
        resource: Resource,
        class: Name,
        site: Site,
        is_sure: bool,
        state: &State,
        more: &[Held],
        calls: &[Site],
        runs: &[(BodyId, LockAt)],
    ) {
        if !self.records {
            return;
        }
        let mut all = self.held(state);
        all.extend(more.iter().cloned());
        for held in all {
            self.outcome.blocked.push(Blocked {
                is_sure: is_sure && held.is_sure,
                held,
                resource,
                class,
                site,
                body: self.id,
                calls: calls.to_vec(),
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
