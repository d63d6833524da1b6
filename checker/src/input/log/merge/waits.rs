//! Records of waiting for other things than a lock: conditions, barriers, semaphores, channels, parking.

use lockwise::watch::Ask as Asked;
use lockwise::watch::log::{ALL_UNITS, Event as Record};

use super::{Merge, Permit, ask, forget};
use crate::trace::{Ask, Op, VariableId};

impl Merge<'_, '_> {
    /// How many of the units of one operation become events.
    fn counted(&mut self, units: u32) -> u32 {
        self.units_left_out += u64::from(units.saturating_sub(self.units_max));
        units.min(self.units_max)
    }

    pub(super) fn take_condvar(&mut self, at: usize, record: Record<'_>) {
        match record {
            Record::Waiting {
                condvar,
                lock,
                ask: asked,
                site,
                ..
            } => {
                self.free(lock);
                let (condvar, id) = (self.names.resource(condvar), self.names.lock(lock));
                let site = self.names.site(site);
                forget(&mut self.streams[at].held, id);
                let timed = asked != Asked::Wait;
                self.push(
                    at,
                    Op::WaitBegin {
                        condvar,
                        lock: id,
                        timed,
                    },
                    site,
                );
                self.wake_object(lock);
            }
            Record::Woken {
                condvar,
                lock,
                mode,
                site,
                ..
            } => {
                self.hold(at, lock, mode);
                let (condvar, id) = (self.names.resource(condvar), self.names.lock(lock));
                let site = self.names.site(site);
                self.streams[at].held.push(id);
                self.push(at, Op::WaitEnd { condvar, lock: id }, site);
            }
            Record::Notified {
                condvar, all, site, ..
            } => {
                let (condvar, site) = (self.names.resource(condvar), self.names.site(site));
                let op = if all {
                    Op::NotifyAll { condvar }
                } else {
                    Op::Notify { condvar }
                };
                self.push(at, op, site);
            }
            _ => {}
        }
    }

    pub(super) fn take_other(&mut self, at: usize, record: Record<'_>) {
        match record {
            Record::Arrived {
                barrier,
                parties,
                site,
                ..
            } => {
                let (barrier, site) = (self.names.resource(barrier), self.names.site(site));
                self.push(at, Op::Barrier { barrier, parties }, site);
            }
            Record::Posted {
                semaphore,
                units,
                site,
                ..
            } => {
                if units == 0 {
                    self.take_told(at, semaphore, site, true);
                    return;
                }
                let state = self.objects.entry(semaphore).or_default();
                state.units = state.units.saturating_add(units);
                let (semaphore, site) = (self.names.resource(semaphore), self.names.site(site));
                for _ in 0..self.counted(units) {
                    self.push(at, Op::Post { semaphore }, site);
                }
            }
            Record::Pending {
                semaphore,
                ask: asked,
                site,
            } => {
                let (semaphore, site) = (self.names.resource(semaphore), self.names.site(site));
                if asked == Asked::Wait {
                    let op = Op::Pend {
                        semaphore,
                        ask: Ask::Wait,
                    };
                    self.streams[at].waiting = Some((op, site));
                } else if !self.streams[at].held.is_empty() {
                    self.push(at, Op::PendTimed { semaphore }, site);
                }
            }
            Record::Obtained {
                semaphore,
                units,
                ask: asked,
                site,
                ..
            } => {
                if units == 0 {
                    self.take_told(at, semaphore, site, false);
                    return;
                }
                let state = self.objects.entry(semaphore).or_default();
                let taken = match units {
                    ALL_UNITS => state.units,
                    units => units,
                };
                state.units = state.units.saturating_sub(taken);
                if units == ALL_UNITS && asked == Asked::Wait {
                    self.unparked(at, taken);
                }
                let units = taken;
                let (semaphore, site) = (self.names.resource(semaphore), self.names.site(site));
                for _ in 0..self.counted(units) {
                    self.push(
                        at,
                        Op::Pend {
                            semaphore,
                            ask: ask(asked),
                        },
                        site,
                    );
                }
            }
            _ => {}
        }
    }

    /// What is waited for at an object is there, or was found there: data that the one writes and the other
    /// reads. Who writes comes after those that wrote before, as after what they did the thing was there, too.
    fn take_told(&mut self, at: usize, object: u64, site: u32, writes: bool) {
        let (object, site) = (self.names.resource(object), self.names.site(site));
        let variable = VariableId(object.0);
        self.push(at, Op::Read { variable }, site);
        if writes {
            self.push(at, Op::Write { variable }, site);
        }
    }

    /// A thread came back from parking, for which so many were seen to unpark it.
    fn unparked(&mut self, at: usize, seen: u32) {
        let stream = &mut self.streams[at];
        // An unparking is told before it happens: it may have been taken by a return before the one
        // that it is the reason of, and std keeps one.
        if seen == 0 && stream.permit == Permit::Spent {
            let before = self.taken + self.run.events.len();
            self.run.woken_unseen.push((stream.id, before));
        }
        stream.permit = if seen > 0 {
            Permit::MaybeLeft
        } else {
            Permit::Spent
        };
    }
}
