use std::cmp::Reverse;
use std::time::{Duration, Instant};

use lockwise::sync::{DelayQueue, GetError, PutError};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    /// How long ago it was due, in milliseconds; an hour from now, if nothing. And with which priority.
    Put(Option<u64>, i8),
    Get,
    Cancel(usize),
    Close,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (prop::option::of(0..3u64), 0..3i8).prop_map(|(ago, priority)| Act::Put(ago, priority)),
        5 => Just(Act::Get),
        2 => (0..20usize).prop_map(Act::Cancel),
        1 => prop_oneof![4 => Just(Act::Get), 1 => Just(Act::Close)],
    ]
}

proptest! {
    /// Against a list that is searched: by time, then priority, then order.
    #[test]
    fn a_delay_queue_does_what_a_sorted_list_does(acts in prop::collection::vec(act(), 0..60)) {
        let queue = DelayQueue::new();
        let now = Instant::now();
        let mut is_closed = false;
        let mut tokens = Vec::new();
        let mut model: Vec<(Instant, Reverse<i8>, usize)> = Vec::new();
        for act in acts {
            match act {
                Act::Put(ago, priority) => {
                    let number = tokens.len();
                    let due = match ago {
                        Some(ago) => now.checked_sub(Duration::from_millis(ago)).unwrap_or(now),
                        None => now + Duration::from_secs(3600),
                    };
                    match queue.put_at(number, due, priority) {
                        Ok(token) => {
                            prop_assert!(!is_closed);
                            tokens.push(token);
                            model.push((due, Reverse(priority), number));
                        }
                        Err(refused) => {
                            prop_assert!(is_closed);
                            prop_assert_eq!(refused, PutError::Closed(number));
                        }
                    }
                }
                Act::Get => {
                    let first = model.iter().copied().min();
                    let expected = match first {
                        Some((due, _, number)) if due <= now => {
                            model.retain(|it| it.2 != number);
                            Ok(number)
                        }
                        None if is_closed => Err(GetError::Closed),
                        _ => Err(GetError::Empty),
                    };
                    prop_assert_eq!(queue.try_get(), expected);
                }
                Act::Cancel(at) => if let Some(token) = tokens.get(at) {
                    let there = model.iter().any(|it| it.2 == at);
                    model.retain(|it| it.2 != at);
                    prop_assert_eq!(queue.cancel(token), there.then_some(at));
                },
                Act::Close => {
                    prop_assert_eq!(queue.close(), !is_closed);
                    is_closed = true;
                }
            }
            prop_assert_eq!(queue.len(), model.len());
        }
        model.sort_unstable();
        prop_assert_eq!(queue.close_now(), model.iter().map(|it| it.2).collect::<Vec<_>>());
    }
}
