//! What lies in a mailbox: messages, urgent ones first.

use std::collections::VecDeque;

use crate::sync::promise::Name;
use crate::sync::queue::Store;

/// A message on its way.
pub(super) struct Mail<M> {
    pub(super) message: M,
    pub(super) kind: Kind,
}

/// What a message is, in one word, as it is moved several times: ordinary, urgent, or a question, which is known by
/// the promise of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(usize);

impl Kind {
    pub(super) const ORDINARY: Kind = Kind(0);
    pub(super) const URGENT: Kind = Kind(1);

    /// Somebody asks, and is answered by this promise.
    pub(super) fn question(promise: Name) -> Kind {
        // An address, and so neither of the others.
        Kind(promise.number())
    }

    /// The number of the promise of the answer; 0, if nobody asks.
    pub(super) fn asked(self) -> usize {
        if self == Kind::URGENT { 0 } else { self.0 }
    }
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

    /// Whether this question lies here.
    pub(super) fn hold(&self, question: Name) -> bool {
        let question = Kind::question(question);
        self.ordinary.iter().any(|mail| mail.kind == question)
    }
}

impl<M> Store for Mails<M> {
    type Entry = Mail<M>;

    #[inline]
    fn counts(mail: &Mail<M>) -> bool {
        mail.kind != Kind::URGENT
    }

    #[inline]
    fn push(&mut self, slot: &mut Option<Mail<M>>) {
        if let Some(mail) = slot.take() {
            let row = if mail.kind == Kind::URGENT {
                &mut self.urgent
            } else {
                &mut self.ordinary
            };
            row.push_back(mail);
        }
    }

    #[inline]
    fn pop(&mut self, slot: &mut Option<Mail<M>>) -> bool {
        let row = if self.urgent.is_empty() {
            &mut self.ordinary
        } else {
            &mut self.urgent
        };
        *slot = row.pop_front();
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
