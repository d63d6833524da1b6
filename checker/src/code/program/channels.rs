//! Where channels are made, by what is sent through them.
//!
//! Both ends of a channel go their own ways and share nothing but the type of the messages. So all channels of
//! one type of messages are one class: of the program's own types everywhere, of others in the crate that makes
//! the channels.

use rustc_hash::FxHashMap;

use super::Program;
use crate::code::ir::{Callee, Terminator};
use crate::code::names::Name;
use crate::code::text::{head, last, split_commas};

/// The functions that make channels, and whether these have room for a certain number of messages only.
const MAKERS: [(&str, bool); 8] = [
    ("mpsc::channel", false),
    ("mpsc::sync_channel", true),
    ("mpsc::unbounded_channel", false),
    ("crossbeam_channel::bounded", true),
    ("crossbeam_channel::unbounded", false),
    ("flume::bounded", true),
    ("flume::unbounded", false),
    ("oneshot::channel", false),
];

/// Channels of one kind of message that are made in one crate.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// Whether all of them have room for a certain number only.
    are_bounded: bool,
}

pub(super) type Channels = FxHashMap<(Name, Name), Made>;

impl Program {
    /// Finds where channels are made.
    pub(super) fn find_channels(&self) -> Channels {
        let mut found = Channels::default();
        for body in &self.bodies {
            for block in &body.blocks {
                let Terminator::Call {
                    callee: Callee::Path(callee),
                    result,
                    ..
                } = &block.end
                else {
                    continue;
                };
                let method = self.resolve(*callee).method.map(|method| self.text(method));
                let is_bounded = MAKERS.iter().find_map(|(path, is_bounded)| {
                    let is_it = method.as_ref().is_some_and(|method| method.ends_with(path));
                    is_it.then_some(*is_bounded)
                });
                let Some(is_bounded) = is_bounded else {
                    continue;
                };
                let Some(of) = self.type_at(body, result) else {
                    continue;
                };
                let text = self.text(of);
                let ends = text.trim_start_matches('(').trim_end_matches(')');
                let sender = split_commas(ends).into_iter().next().unwrap_or_default();
                let (_, messages) = head(sender);
                let Some(message) = messages.first() else {
                    continue;
                };
                let message = self.names.of(message);
                let made = found
                    .entry((body.krate, message))
                    .or_insert(Made { are_bounded: true });
                made.are_bounded &= is_bounded;
            }
        }
        found
    }

    /// The class of the channels with these messages that are used in a crate, if it is known where they are made.
    pub(crate) fn channel_of(&self, message: Name, krate: Name) -> Option<Name> {
        let text = self.text(message);
        if self.is_own(&text) {
            return Some(self.names.of(&format!("channel of {}", head(&text).0)));
        }
        let krate = self.text(self.maker_of(message, krate)?);
        let (path, _) = head(&text);
        let shown = if path.starts_with(char::is_alphabetic) {
            last(path)
        } else {
            "values"
        };
        Some(self.names.of(&format!("channel of {krate}::{shown}")))
    }

    /// The crate that makes the channels with these messages that a crate uses: itself, or the only one.
    fn maker_of(&self, message: Name, krate: Name) -> Option<Name> {
        if self.channels.contains_key(&(krate, message)) {
            return Some(krate);
        }
        let mut makers = self.channels.keys().filter(|(_, what)| *what == message);
        match (makers.next(), makers.next()) {
            (Some((one, _)), None) => Some(*one),
            _ => None,
        }
    }

    /// Whether all channels with these messages can be full.
    pub(crate) fn can_be_full(&self, message: Name, krate: Name) -> bool {
        if !self.is_own(&self.text(message)) {
            let maker = self.maker_of(message, krate);
            let made = maker.and_then(|krate| self.channels.get(&(krate, message)));
            return made.is_some_and(|made| made.are_bounded);
        }
        let mut made = self
            .channels
            .iter()
            .filter(|((_, what), _)| *what == message)
            .peekable();
        made.peek().is_some() && made.all(|(_, made)| made.are_bounded)
    }
}
