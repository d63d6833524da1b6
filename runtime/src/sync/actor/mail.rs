//! What lies in a mailbox: messages, urgent ones first.

use std::collections::VecDeque;
use std::sync::Arc;

use super::circle::Question;
use crate::sync::queue::Store;

/// A message on its way.
pub(super) struct Mail<M> {
    pub(super) message: M,
    pub(super) is_urgent: bool,
    /// Told when it is taken out, if somebody asked with it.
    pub(super) asked: Option<Arc<Question>>,
}

/// The messages of a mailbox. Urgent ones take no room, so that they never have to wait for it.
pub(super) struct Mails<M> {
    urgent: VecDeque<Mail<M>>,
    ordinary: VecDeque<Mail<M>>,
}

impl<M> Mails<M> {
    pub(super) const fn new() -> Mails<M> {
        Mails {
            urgent: VecDeque::new(),
            ordinary: VecDeque::new(),
        }
    }
}

impl<M> Store for Mails<M> {
    type Entry = Mail<M>;

    #[inline]
    fn counts(mail: &Mail<M>) -> bool {
        !mail.is_urgent
    }

    #[inline]
    fn push(&mut self, slot: &mut Option<Mail<M>>) {
        if let Some(mail) = slot.take() {
            let row = if mail.is_urgent {
                &mut self.urgent
            } else {
                &mut self.ordinary
            };
            row.push_back(mail);
        }
    }

    #[inline]
    fn pop(&mut self, slot: &mut Option<Mail<M>>) -> bool {
        *slot = self
            .urgent
            .pop_front()
            .or_else(|| self.ordinary.pop_front());
        slot.is_some()
    }

    #[inline]
    fn len(&self) -> usize {
        self.ordinary.len()
    }

    #[inline]
    fn total(&self) -> usize {
        self.urgent.len() + self.ordinary.len()
    }
}
