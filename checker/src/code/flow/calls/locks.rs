//! Acquisitions, conversions of guards and waits on condition variables.

use lockwise::watch::Mode;

use super::{Argument, Call, type_of_place};
use crate::code::class;
use crate::code::flow::record::Point;
use crate::code::flow::{Cell, Flow, State, Token, fresh};
use crate::code::ir::{Local, Operand, Site};
use crate::code::known::{self, Future, Resource, Waits};
use crate::code::names::Name;
use crate::code::program::{BodyId, takes_lock};
use crate::code::summary::{Held, LockAt, What};
use crate::code::text::{last, split_commas};
use crate::code::trust::Trust;
use crate::code::value::{Root, Step, Value};

impl Flow<'_> {
    /// A lazy static is asked for its value: the first who asks runs the initialiser, and all others wait.
    pub(in crate::code::flow) fn forced(&mut self, call: &Call<'_>, state: &State) {
        let Some(lock) = self.lock_at(call, Mode::Exclusive) else {
            return;
        };
        let Some(Root::Static(of)) = lock.path.as_ref().map(|path| path.root) else {
            return;
        };
        let program = self.frame.program;
        let Some(initial) = program.initial(of) else {
            return;
        };
        let bodies = program.makers(initial);
        if bodies.is_empty() {
            return;
        }
        // It may have its value already.
        self.wants(&lock, Waits::First, Point::at(call.site, state));
        let point = Point::at(call.site, state).trusted(Trust::Guess);
        let held = [Held {
            lock,
            blocks_threads: true,
            trust: Trust::Guess,
            through: None,
        }];
        for body in bodies {
            let nothing = Argument::of(Value::Unknown);
            self.run(body, nothing, &[], point.under(&held));
            self.asks_for_itself(body, &held[0], call.site);
        }
    }

    /// An initialiser that asks for what it makes waits for itself the first time that it runs, and so whenever
    /// it runs.
    fn asks_for_itself(&mut self, initialiser: BodyId, held: &Held, site: Site) {
        let summaries = self.frame.summaries;
        let nothing = State::new();
        let held = [Held {
            trust: Trust::Sure,
            ..held.clone()
        }];
        for effect in &summaries[initialiser].effects {
            if let What::Wants(lock, Waits::First) = &effect.what
                && effect.trust == Trust::Sure
                && lock.path == held[0].lock.path
            {
                let at = Point::at(site, &nothing).under(&held);
                self.orders(lock, Waits::Thread, at.via(initialiser, effect));
            }
        }
    }

    /// The variable of the guard that is behind an argument.
    pub(in crate::code::flow) fn guard_of(&self, call: &Call<'_>, number: usize) -> Option<Local> {
        let place = call.operands.get(number)?.place()?;
        let of = self.frame.program.type_of(self.frame.type_of(place.local));
        if !of.guards {
            return None;
        }
        self.pointed_at(call, number).map(|at| at.owner)
    }

    pub(in crate::code::flow) fn lock_at(&self, call: &Call<'_>, mode: Mode) -> Option<LockAt> {
        let path = self.frame.lock_place(call.operands);
        let path = match path {
            Some(path) => self.shard(call, path),
            None => None,
        };
        let class = match &path {
            Some(path) => class::of_path(self.frame, path),
            // Nothing is known of it, not even a name.
            None => return None,
        };
        Some(LockAt {
            path,
            class: class.name,
            alias: None,
            mode,
            site: call.site,
            is_open: class.is_open,
            is_made: false,
        })
    }

    /// The class of what the first argument is or points to.
    pub(in crate::code::flow) fn class_of_target(&self, call: &Call<'_>) -> Option<Name> {
        let path = match &call.arguments.first()?.value {
            Value::At(path) | Value::To(path) => path.clone(),
            _ => return None,
        };
        Some(class::of_path(self.frame, &path).name)
    }

    /// The class of the channel that the first argument is an end of.
    pub(in crate::code::flow) fn class_of_channel(&self, call: &Call<'_>) -> Option<Name> {
        let program = self.frame.program;
        program.channel_of(self.message(call)?, self.frame.body.krate)
    }

    /// What is sent through the channel that the first argument is an end of.
    fn message(&self, call: &Call<'_>) -> Option<Name> {
        let end = self.frame.program.type_of(call.arguments.first()?.of?);
        let is_pinned = last(&end.head) == "Pin";
        match end.arguments.first() {
            Some(inner) if is_pinned => {
                let end = self.frame.program.type_of(*inner);
                end.arguments.first().copied()
            }
            message => message.copied(),
        }
    }

    /// A message is sent: into a channel that can be full, it waits for room.
    pub(in crate::code::flow) fn sends(&mut self, call: &Call<'_>, state: &State) {
        let Some(class) = self.class_of_channel(call) else {
            return;
        };
        let at = Point::at(call.site, state);
        let program = self.frame.program;
        let can_wait = call
            .method
            .is_some_and(|method| program.text(method).ends_with("::send"));
        let krate = self.frame.body.krate;
        let message = self.message(call);
        if can_wait && message.is_some_and(|message| program.can_be_full(message, krate)) {
            self.blocks(Resource::Send, class, &[], at);
        } else {
            self.effect(What::Sends(class), at);
        }
    }

    pub(in crate::code::flow) fn acquire(
        &mut self,
        mode: Mode,
        waits: Waits,
        call: &Call<'_>,
        state: &mut State,
    ) -> Vec<Cell> {
        let Some(lock) = self.lock_at(call, mode) else {
            return Vec::new();
        };
        let waits = match waits {
            Waits::Thread if self.is_awaited_lock(call) => Waits::Task,
            waits => waits,
        };
        let fate = if waits == Waits::Task {
            self.fate(call.result)
        } else {
            Future::Awaited
        };
        let waits = if fate == Future::Bounded {
            Waits::Never
        } else {
            waits
        };
        if waits != Waits::Never {
            let trust = Trust::only_if(fate == Future::Awaited);
            self.wants(&lock, waits, Point::at(call.site, state).trusted(trust));
        }
        if self.records && mode == Mode::Shared && self.is_watched(call) {
            self.outcome.watched.push(lock.clone());
        }
        let of = call.operands.first().and_then(Operand::place);
        let is_map = of.is_some_and(|place| {
            let of = self.frame.program.type_of(self.frame.type_of(place.local));
            of.head.starts_with("dashmap::")
        });
        let mut held = Held {
            blocks_threads: matches!(waits, Waits::Thread | Waits::Never)
                && !self.is_async_lock(call),
            lock,
            trust: Trust::Sure,
            through: None,
        };
        if is_map && let Some(path) = &held.lock.path {
            // Who goes through all shards holds one of them at a time.
            let is_of_one = matches!(path.steps.last(), Some(Step::Key(_)));
            if !is_of_one {
                held.lock.path = path.then(Step::Key(None));
            }
        }
        // Closures run under it, as those do that maps are given for `alter` and `retain`.
        let under = Point::at(call.site, state).under(std::slice::from_ref(&held));
        self.closures(call, under);
        if !self.result_holds_guards(call) {
            return Vec::new();
        }
        self.guards_of(held, waits == Waits::Never, call)
    }

    /// The guard that a call hands out, or those that it can be.
    fn guards_of(&mut self, held: Held, is_maybe: bool, call: &Call<'_>) -> Vec<Cell> {
        let picks = self.picks(&held.lock);
        if picks.is_empty() {
            let token = self.token(call.block, 0, Token::Taken { held, is_maybe });
            return vec![fresh(token)];
        }
        let mut cells = Vec::new();
        for (number, pick) in picks.into_iter().enumerate() {
            let held = Held {
                lock: pick.lock,
                trust: held.trust.and(Trust::Picked),
                ..held.clone()
            };
            let token = self.token(call.block, number, Token::Taken { held, is_maybe });
            self.made_at.insert(token, (call.block, pick.when));
            self.picked.insert(token, pick.picked);
            cells.push(fresh(token));
        }
        cells
    }

    /// Several locks are taken at once, in the one order of all locks, so that they order nothing among
    /// each other.
    pub(in crate::code::flow) fn acquire_all(
        &mut self,
        waits: Waits,
        call: &Call<'_>,
        state: &State,
    ) -> Vec<Cell> {
        let program = self.frame.program;
        let Some(argument) = call.arguments.first() else {
            return Vec::new();
        };
        let Value::Parts(_, parts) = &argument.value else {
            return Vec::new();
        };
        let modes = argument.of.map(|of| program.text(of)).unwrap_or_default();
        let modes = split_commas(modes.trim_start_matches('(').trim_end_matches(')'));
        let mut given = Vec::new();
        for (number, (part, wanted)) in parts.iter().zip(modes).enumerate() {
            let Some(path) = part.target() else { continue };
            let mode = wanted.trim_end_matches([',', '>', ' ']);
            let class = class::of_path(self.frame, &path);
            let lock = LockAt {
                path: Some(path),
                class: class.name,
                alias: None,
                mode: match last(mode) {
                    "Read" => Mode::Shared,
                    "Upgradable" => Mode::Upgradable,
                    _ => Mode::Exclusive,
                },
                site: call.site,
                is_open: class.is_open,
                is_made: false,
            };
            if waits != Waits::Never {
                self.wants(&lock, waits, Point::at(call.site, state));
            }
            let held = Held {
                lock,
                blocks_threads: true,
                trust: Trust::Sure,
                through: None,
            };
            let is_maybe = waits == Waits::Never;
            let token = self.token(call.block, number, Token::Taken { held, is_maybe });
            let mut one = fresh(token);
            if !is_maybe {
                one.field = u32::try_from(number).unwrap_or(0) + 1;
            }
            given.push(one);
        }
        given
    }

    fn is_watched(&self, call: &Call<'_>) -> bool {
        let program = self.frame.program;
        call.method
            .is_some_and(|method| known::is_written_elsewhere(&program.text(method)))
    }

    /// Whether a method that takes a lock hands out a future of that.
    fn is_awaited_lock(&self, call: &Call<'_>) -> bool {
        let program = self.frame.program;
        type_of_place(self.frame, call.result).is_some_and(|of| takes_lock(&program.text(of)))
    }

    pub(in crate::code::flow) fn is_async_lock(&self, call: &Call<'_>) -> bool {
        type_of_place(self.frame, call.result)
            .is_some_and(|of| !self.frame.program.type_of(of).blocks_threads)
    }

    /// A guard becomes one of another mode.
    pub(in crate::code::flow) fn convert(
        &mut self,
        mode: Mode,
        call: &Call<'_>,
        state: &mut State,
    ) -> Vec<Cell> {
        let mut converted = Vec::new();
        let moved = call
            .arguments
            .first()
            .map(|argument| argument.moved.clone())
            .unwrap_or_default();
        for (number, cell) in moved.into_iter().enumerate() {
            let Token::Taken { mut held, is_maybe } = self.tokens[cell.token].clone() else {
                converted.push(cell);
                continue;
            };
            held.lock.mode = mode;
            if mode == Mode::Exclusive {
                // Waits for all readers, also those of this thread.
                let lock = LockAt {
                    site: call.site,
                    ..held.lock.clone()
                };
                self.wants(&lock, Waits::Thread, Point::at(call.site, state));
            }
            let token = self.token(call.block, number, Token::Taken { held, is_maybe });
            converted.push(Cell { token, ..cell });
        }
        converted
    }

    /// A wait on a condition variable: the guard is given up meanwhile, and the lock taken again. One that is not
    /// endless needs nobody to wake it.
    pub(in crate::code::flow) fn wait(
        &mut self,
        is_endless: bool,
        call: &Call<'_>,
        state: &mut State,
    ) -> Vec<Cell> {
        // The condition is asked with the lock held.
        self.closures(call, Point::at(call.site, state));
        let mut without = state.clone();
        let moved = call
            .arguments
            .get(1)
            .map(|argument| argument.moved.clone())
            .unwrap_or_default();
        let mut guards: Vec<Cell> = moved.clone();
        if let Some(local) = self.guard_of(call, 1) {
            guards.extend(without.iter().filter(|cell| cell.at == local));
            without.retain(|cell| cell.at != local);
        }
        let class = self.class_of_target(call);
        let class = class.unwrap_or_else(|| self.frame.program.names.of("condvar"));
        let waiting = Point::at(call.site, &without);
        if is_endless {
            self.blocks(Resource::Condvar, class, &[], waiting);
        }
        for cell in &guards {
            if let Token::Taken { held, .. } = &self.tokens[cell.token] {
                let lock = LockAt {
                    site: call.site,
                    ..held.lock.clone()
                };
                self.wants(&lock, Waits::Thread, waiting);
            }
        }
        moved
    }

    /// A cell is initialised once: whoever comes meanwhile waits for the closure to end.
    pub(in crate::code::flow) fn initialise(&mut self, call: &Call<'_>, state: &State) {
        if let Some(lock) = self.lock_at(call, Mode::Exclusive) {
            let point = Point::at(call.site, state);
            self.wants(&lock, Waits::Thread, point);
            let held = [Held {
                lock,
                blocks_threads: true,
                trust: Trust::Sure,
                through: None,
            }];
            self.closures(call, point.under(&held));
        }
    }
}
