use std::collections::VecDeque;

use lockwise::sync::{Delivered, Exchange, ReadError, Reader, Slow};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Subscribe(Slow),
    Send,
    Read(usize),
    Leave(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let slow = prop_oneof![
        Just(Slow::Never),
        (1..4usize).prop_map(Slow::DropNewest),
        (1..4usize).prop_map(Slow::DropOldest),
        (1..4usize).prop_map(Slow::Disconnect),
    ];
    prop_oneof![
        2 => slow.prop_map(Act::Subscribe),
        5 => Just(Act::Send),
        6 => (0..6usize).prop_map(Act::Read),
        1 => (0..6usize).prop_map(Act::Leave),
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

proptest! {
    #[test]
    fn an_exchange_does_what_a_row_for_each_reader_does(acts in prop::collection::vec(act(), 0..80)) {
        let exchange = Exchange::new();
        let mut readers: Vec<(Reader<u32>, Model)> = Vec::new();
        let mut sent = 0;
        let mut gone = 0;
        for act in acts {
            match act {
                Act::Subscribe(slow) => {
                    let model = Model { slow, row: VecDeque::new(), lagged: 0, is_closed: false };
                    readers.push((exchange.reader(slow), model));
                }
                Act::Send => {
                    sent += 1;
                    // Those that left since the last message are seen to be closed now.
                    let mut expected = Delivered { closed: std::mem::take(&mut gone), ..Delivered::default() };
                    for (_, model) in readers.iter_mut().filter(|(_, model)| !model.is_closed) {
                        model.deliver(sent, &mut expected);
                    }
                    prop_assert_eq!(exchange.send(sent), expected);
                }
                Act::Read(at) => if let Some((reader, model)) = readers.get_mut(at) {
                    prop_assert_eq!(reader.len(), model.row.len());
                    prop_assert_eq!(reader.try_get(), model.read());
                },
                Act::Leave(at) => if at < readers.len() {
                    gone += usize::from(!readers.remove(at).1.is_closed);
                },
            }
            let open = readers.iter().filter(|(_, model)| !model.is_closed).count();
            prop_assert_eq!(exchange.len(), open + gone);
        }
    }
}
