use std::collections::VecDeque;
use std::sync::Arc;

use lockwise::sync::{Delivered, Exchange, ReadError, Reader, Slow};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Subscribe(Slow, usize),
    Send(usize),
    Read(usize, usize),
    Count(usize),
    Leave(usize),
}

/// Up to so many readers, and so often at most in one act.
fn act(readers: usize, times: usize) -> impl Strategy<Value = Act> {
    let slow = prop_oneof![
        3 => Just(Slow::Never),
        1 => (1..4usize).prop_map(Slow::DropNewest),
        1 => (1..4usize).prop_map(Slow::DropOldest),
        1 => (1..4usize).prop_map(Slow::Disconnect),
    ];
    prop_oneof![
        2 => (slow, 1..=readers.div_ceil(4)).prop_map(|(slow, count)| Act::Subscribe(slow, count)),
        5 => (1..=times).prop_map(Act::Send),
        6 => (0..readers, 1..=times).prop_map(|(at, times)| Act::Read(at, times)),
        1 => (0..readers).prop_map(Act::Count),
        1 => (0..readers).prop_map(Act::Leave),
    ]
}

/// Readers that take all, so that they have their copies in common.
fn act_of_many(readers: usize, times: usize) -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => act(readers, times),
        1 => (0..readers, 1..=times).prop_map(|(at, times)| Act::Read(at, times)),
        2 => (1..=times).prop_map(Act::Send),
        2 => (1..=readers).prop_map(|count| Act::Subscribe(Slow::Never, count)),
    ]
}

/// The obvious reader.
struct Model {
    slow: Slow,
    row: VecDeque<u32>,
    lagged: u64,
    is_closed: bool,
}

impl Model {
    /// Gets a message, and says what became of it.
    fn deliver(&mut self, message: u32, told: &mut Delivered) {
        match self.slow {
            Slow::DropNewest(room) if self.row.len() >= room => told.dropped += 1,
            Slow::Disconnect(room) if self.row.len() >= room => {
                self.is_closed = true;
                told.closed += 1;
            }
            Slow::DropOldest(room) if self.row.len() >= room => {
                self.row.pop_front();
                self.row.push_back(message);
                self.lagged += 1;
                told.dropped += 1;
            }
            _ => {
                self.row.push_back(message);
                told.taken += 1;
            }
        }
    }

    fn read(&mut self) -> Result<u32, ReadError> {
        if self.lagged > 0 {
            return Err(ReadError::Lagged(std::mem::take(&mut self.lagged)));
        }
        let nothing = if self.is_closed {
            ReadError::Closed
        } else {
            ReadError::Empty
        };
        self.row.pop_front().ok_or(nothing)
    }
}

/// Does these things with an exchange and with a row for each reader, which must come to the same.
fn compare(acts: Vec<Act>, most: usize) -> Result<(), TestCaseError> {
    let exchange = Exchange::new();
    let mut readers: Vec<(Reader<Arc<u32>>, Model)> = Vec::new();
    let mut sent = Vec::new();
    for act in acts {
        match act {
            Act::Subscribe(slow, count) => {
                for _ in 0..count.min(most - readers.len()) {
                    let model = Model {
                        slow,
                        row: VecDeque::new(),
                        lagged: 0,
                        is_closed: false,
                    };
                    readers.push((exchange.reader(slow), model));
                }
            }
            Act::Send(times) => {
                for _ in 0..times {
                    let number = u32::try_from(sent.len()).expect("there are few");
                    sent.push(Arc::new(number));
                    let mut expected = Delivered::default();
                    for (_, model) in readers.iter_mut().filter(|(_, model)| !model.is_closed) {
                        model.deliver(number, &mut expected);
                    }
                    let message = sent.last().map(Arc::clone);
                    prop_assert_eq!(
                        message.map(|message| exchange.send(message)),
                        Some(expected)
                    );
                }
            }
            Act::Read(at, times) => {
                if let Some((reader, model)) = readers.get_mut(at) {
                    for _ in 0..times {
                        prop_assert_eq!(reader.try_get().map(|message| *message), model.read());
                    }
                }
            }
            Act::Count(at) => {
                if let Some((reader, model)) = readers.get(at) {
                    prop_assert_eq!(reader.len(), model.row.len());
                }
            }
            Act::Leave(at) => {
                if at < readers.len() {
                    readers.remove(at);
                }
            }
        }
        let open = readers.iter().filter(|(_, model)| !model.is_closed);
        prop_assert_eq!(exchange.len(), open.count());
    }
    for (reader, mut model) in readers {
        while let Some(message) = model.row.front() {
            if Arc::strong_count(&sent[*message as usize]) == 1 {
                return Err(TestCaseError::fail("a copy was dropped before it was read"));
            }
            if model.lagged == 0 {
                prop_assert_eq!(reader.len(), model.row.len());
            }
            prop_assert_eq!(reader.try_get().map(|message| *message), model.read());
        }
    }
    drop(exchange);
    for message in sent {
        prop_assert_eq!(Arc::strong_count(&message), 1);
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_exchange_does_what_a_row_for_each_reader_does(
        acts in prop::collection::vec(act(6, 2), 0..80)
    ) {
        compare(acts, 6)?;
    }

    #[test]
    fn an_exchange_for_many_does_what_a_row_for_each_reader_does(
        acts in prop::collection::vec(act_of_many(70, 40), 0..60)
    ) {
        compare(acts, 70)?;
    }
}
