//! How often the list is copied, which is what it costs that subscribers come and go.

use std::ptr;

use crate::sync::backend::Raw;
use crate::sync::exchange::{Exchange, Reader, Slow};
use crate::sync::queue::Queue;
use crate::watch::Site;

const MANY: usize = 1024;

/// Looks whether the list has been replaced since the last look.
struct Copied<'a> {
    exchange: &'a Exchange<u8, Raw>,
    /// Kept, so that no list comes to lie where another one was.
    seen: Vec<super::Snapshot<u8, Raw>>,
}

impl<'a> Copied<'a> {
    fn new(exchange: &'a Exchange<u8, Raw>) -> Copied<'a> {
        let seen = Vec::new();
        Copied { exchange, seen }
    }

    fn look(&mut self) {
        let now = self.exchange.row().lock(Site::caller()).list.clone();
        let last = self.seen.last();
        if let Some(now) = now
            && last.is_none_or(|last| !ptr::eq(&raw const **last, &raw const *now))
        {
            self.seen.push(now);
        }
    }

    /// How many lists there were, and how many subscribers were in all of them together.
    fn work(&self) -> (usize, usize) {
        let copied = self.seen.iter().map(|list| list.all().len());
        (self.seen.len(), copied.sum())
    }
}

fn readers(exchange: &Exchange<u8, Raw>) -> Vec<Reader<u8, Raw>> {
    (0..MANY).map(|_| exchange.reader(Slow::Never)).collect()
}

#[test]
fn readers_that_come_one_by_one_are_listed_once() {
    let exchange = Exchange::new_in();
    let mut copied = Copied::new(&exchange);
    let mut readers = Vec::new();
    for _ in 0..MANY {
        readers.push(exchange.reader(Slow::Never));
        copied.look();
    }
    assert_eq!(exchange.len(), MANY);
    assert_eq!(exchange.send(1).taken, MANY);
    copied.look();
    assert_eq!(copied.work(), (1, MANY));
    drop(readers);
}

#[test]
fn live_readers_that_go_one_by_one_cost_a_few_lists() {
    for from_the_end in [false, true] {
        let exchange = Exchange::new_in();
        let mut readers = readers(&exchange);
        assert_eq!(exchange.send(1).taken, MANY);
        let mut copied = Copied::new(&exchange);
        for left in (0..MANY).rev() {
            let gone = if from_the_end {
                readers.pop()
            } else {
                Some(readers.remove(0))
            };
            drop(gone);
            assert_eq!(exchange.len(), left);
            copied.look();
        }
        let (lists, subscribers) = copied.work();
        assert!(lists <= 12, "{lists} lists for {MANY} readers");
        assert!(subscribers <= 2 * MANY, "{subscribers} of {MANY} readers");
        assert!(exchange.is_empty());
    }
}

#[test]
fn readers_and_sinks_that_a_message_finds_closed_cost_one_list() {
    let exchange = Exchange::<u8, Raw>::new_in();
    let readers = readers(&exchange);
    let (sender, receiver) = Queue::<u8, Raw>::new_in().split();
    for _ in 0..MANY {
        exchange.attach(sender.clone());
    }
    exchange.attach(|_: u8| {});
    assert_eq!(exchange.send(1).taken, 2 * MANY + 1);
    // Closed, but not dropped.
    let mailboxes = readers.iter().map(Reader::core);
    mailboxes.for_each(|core| drop(core.close_now(core.born())));
    drop(receiver);
    let mut copied = Copied::new(&exchange);
    let sent = exchange.send(2);
    assert_eq!((sent.taken, sent.closed), (1, 2 * MANY));
    copied.look();
    assert_eq!(copied.work(), (1, 1));
    drop(readers);
    copied.look();
    assert_eq!(copied.work(), (1, 1));
    assert_eq!(exchange.len(), 1);
}
