//! A message on its way to all subscribers: [`Round`].

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::copies::{Copies, FEW, Missed, Panic, fill, make, one_for_each};
use super::list::List;
use super::row::{Left, Row, Set};
use super::sink::{Delivery, Sink};
use super::subscriber::{Subscriber, SubscriptionId, To};
use crate::sync::backend::Backend;

/// A message on its way through the list.
#[derive(Default)]
pub(super) struct Round {
    /// To how many it was to go.
    pub(super) offered: usize,
    /// How many of them have not taken it, and will not. So the usual delivery has nothing to note.
    pub(super) missed: usize,
    pub(super) dropped: usize,
    pub(super) closed: Vec<SubscriptionId>,
    /// The first panic.
    pub(super) panic: Option<Panic>,
}

/// Subscribers that are to be waited for, each with its copy of the message.
pub(super) type Full<'a, T, B> = Vec<(&'a Subscriber<T, B>, Option<T>)>;

impl Round {
    /// Offers the message to all; those that are to be waited for are left over.
    pub(super) fn begin<'a, T: Clone + Send, B: Backend>(
        &mut self,
        list: Option<&'a List<T, B>>,
        message: T,
        full: &mut Full<'a, T, B>,
    ) {
        let Some(list) = list else { return };
        let (mut message, mut left) = (Some(message), list.all().len());
        self.offered = left;
        for (group, seats) in list.groups() {
            left -= group.len();
            let row = group.first().and_then(|first| first.row_to_give_to());
            match row {
                Some(row) => self.give_to_row(row, seats, group, &mut message, left == 0, full),
                None => self.offer_to_each(group, &mut message, left == 0, full),
            }
        }
    }

    /// Offers copies to some subscribers; the last of all gets the message itself.
    fn offer_to_each<'a, T: Clone + Send, B: Backend>(
        &mut self,
        group: &'a [Arc<Subscriber<T, B>>],
        message: &mut Option<T>,
        has_last: bool,
        full: &mut Full<'a, T, B>,
    ) {
        for (at, to) in group.iter().enumerate() {
            let is_last = has_last && at + 1 == group.len();
            let offered = AssertUnwindSafe(|| {
                let copy = if is_last {
                    message.take()
                } else {
                    message.clone()
                };
                copy.and_then(|copy| self.offer(to, copy))
            });
            let offered = catch_unwind(offered);
            self.note_offer(to, offered, full);
        }
    }

    /// Gives copies to readers that sit side by side, all of them in one turn of the lock.
    fn give_to_row<'a, T: Clone + Send, B: Backend>(
        &mut self,
        row: &Row<T, B>,
        seats: Set,
        group: &'a [Arc<Subscriber<T, B>>],
        message: &mut Option<T>,
        has_last: bool,
        full: &mut Full<'a, T, B>,
    ) {
        if seats >> FEW != 0 {
            return self.give_to_many(row, seats, group, message, has_last, full);
        }
        let last = (Set::BITS - 1 - seats.leading_zeros()) as usize;
        let others = if has_last {
            seats & !(1 << last)
        } else {
            seats
        };
        let mut copies = [const { None }; FEW];
        if let Some(message) = message {
            self.have_missed(fill(&mut copies, others, message));
        }
        if has_last {
            copies[last] = message.take();
        }
        let left = row.give(&mut copies);
        self.go_on(group, left, &mut copies, full);
    }

    /// The same for more than a few readers.
    fn give_to_many<'a, T: Clone + Send, B: Backend>(
        &mut self,
        row: &Row<T, B>,
        seats: Set,
        group: &'a [Arc<Subscriber<T, B>>],
        message: &mut Option<T>,
        has_last: bool,
        full: &mut Full<'a, T, B>,
    ) {
        let count = seats.count_ones() as usize;
        let mut copies = Vec::with_capacity(count);
        if let Some(message) = message {
            self.have_missed(make(&mut copies, count - usize::from(has_last), message));
        }
        if has_last {
            copies.extend(message.take());
        }
        if row.give_line(seats, &mut copies) {
            return;
        }
        let mut copies = one_for_each(seats, copies);
        let left = row.give(&mut copies);
        self.go_on(group, left, &mut copies, full);
    }

    /// Some readers have missed their copies.
    pub(super) fn have_missed(&mut self, missed: Option<Missed>) {
        if let Some(missed) = missed {
            self.missed += missed.count;
            self.panic = self.panic.take().or(Some(missed.panic));
        }
    }

    /// Goes on where a row has left off.
    pub(super) fn go_on<'a, T: Clone + Send, B: Backend>(
        &mut self,
        group: impl IntoIterator<Item = &'a Arc<Subscriber<T, B>>>,
        left: Left,
        copies: &mut Copies<T>,
        full: &mut Full<'a, T, B>,
    ) {
        if left.refused | left.displaced == 0 {
            return;
        }
        for to in group {
            let seat = to.seat().unwrap_or(0);
            let number = seat.trailing_zeros() as usize;
            let copy = copies.get_mut(number).and_then(Option::take);
            let Some(copy) = copy else { continue };
            let offered = AssertUnwindSafe(|| {
                if left.displaced & seat == 0 {
                    return self.offer(to, copy);
                }
                drop(copy);
                self.note(to.id, Delivery::Dropped);
                None
            });
            let offered = catch_unwind(offered);
            self.note_offer(to, offered, full);
        }
    }

    /// Notes how an offer has ended.
    fn note_offer<'a, T: Send, B: Backend>(
        &mut self,
        to: &'a Subscriber<T, B>,
        offered: std::thread::Result<Option<T>>,
        full: &mut Full<'a, T, B>,
    ) {
        match offered {
            Ok(None) => {}
            Ok(back) => full.push((to, back)),
            Err(panic) => self.missed(Some(panic)),
        }
    }

    /// Offers the message to a subscriber. It comes back if that is full, and to be waited for.
    #[inline]
    fn offer<T: Send, B: Backend>(&mut self, to: &Subscriber<T, B>, message: T) -> Option<T> {
        match &to.to {
            To::Reader(inlet) => match inlet.offer(message) {
                Ok(delivery) => {
                    self.note(to.id, delivery);
                    None
                }
                Err(back) => Some(back),
            },
            To::Sink(sink) => self.offer_to_sink(to, &**sink, message),
        }
    }

    #[inline(never)]
    fn offer_to_sink<T: Send, B: Backend>(
        &mut self,
        to: &Subscriber<T, B>,
        sink: &dyn Sink<T>,
        message: T,
    ) -> Option<T> {
        let Some(_under_way) = to.begin() else {
            self.missed(None);
            return None;
        };
        let _on_it = to.on_it();
        let mut slot = Some(message);
        match sink.try_deliver(&mut slot) {
            Delivery::Full if slot.is_some() => slot,
            delivery => {
                self.note(to.id, delivery);
                None
            }
        }
    }

    /// Waits until a subscriber has taken the message.
    pub(super) fn wait_with<T: Send, B: Backend>(
        &mut self,
        to: &Subscriber<T, B>,
        slot: &mut Option<T>,
    ) {
        let Some(_under_way) = to.begin() else {
            return self.missed(None);
        };
        let _on_it = to.on_it();
        let delivered = catch_unwind(AssertUnwindSafe(|| to.to.sink().deliver(slot)));
        self.note_or_panic(to.id, delivered);
    }

    /// [`wait_with`](Round::wait_with), as a future.
    pub(super) async fn wait_with_async<T: Send, B: Backend>(
        &mut self,
        to: &Subscriber<T, B>,
        slot: &mut Option<T>,
    ) {
        let Some(_under_way) = to.begin() else {
            return self.missed(None);
        };
        // The sink makes its future, and drops it, when it is polled: that is part of the delivery.
        let mut delivering = pin!(async { to.to.sink().deliver_async(slot).await });
        let delivered = poll_fn(|context| {
            let _on_it = to.on_it();
            let polled = AssertUnwindSafe(|| delivering.as_mut().poll(context));
            match catch_unwind(polled) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(delivery)) => Poll::Ready(Ok(delivery)),
                Err(panic) => Poll::Ready(Err(panic)),
            }
        });
        let delivered = delivered.await;
        self.note_or_panic(to.id, delivered);
    }

    fn note_or_panic(&mut self, to: SubscriptionId, delivered: std::thread::Result<Delivery>) {
        match delivered {
            Ok(delivery) => self.note(to, delivery),
            Err(panic) => self.missed(Some(panic)),
        }
    }

    /// A subscriber does not get it, perhaps by a panic.
    #[cold]
    fn missed(&mut self, panic: Option<Panic>) {
        self.missed += 1;
        self.panic = self.panic.take().or(panic);
    }

    /// Notes what became of a delivery.
    #[inline]
    fn note(&mut self, to: SubscriptionId, delivery: Delivery) {
        match delivery {
            Delivery::Taken => return,
            Delivery::Dropped => self.dropped += 1,
            Delivery::Full => {}
            Delivery::Closed => self.closed.push(to),
        }
        self.missed += 1;
    }
}
