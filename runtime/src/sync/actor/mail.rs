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

    #[cold]
    fn next_urgent(&mut self) -> Option<Mail<M>> {
        self.urgent.pop_front()
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
            if mail.kind == Kind::URGENT {
                self.urgent.push_back(mail);
            } else {
                self.ordinary.push_back(mail);
            }
        }
    }

    #[inline]
    fn pop(&mut self, slot: &mut Option<Mail<M>>) -> bool {
        *slot = self.next();
        slot.is_some()
    }

    #[inline]
    fn next(&mut self) -> Option<Mail<M>> {
        if self.urgent.is_empty() {
            self.ordinary.pop_front()
        } else {
            self.next_urgent()
        }
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
