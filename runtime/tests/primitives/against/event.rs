use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use lockwise::sync::{Event, EventWait};
use proptest::prelude::*;

use crate::{Counting, poll_once};

#[derive(Debug, Clone)]
enum Act {
    Set,
    Clear,
    /// A wait begins.
    Wait,
    Poll(usize),
    Drop(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Set),
        Just(Act::Clear),
        Just(Act::Wait),
        (0..5usize).prop_map(Act::Poll),
        (0..5usize).prop_map(Act::Drop),
    ]
}

/// Who waits, whether they may pass, and what wakes them.
type Waits<'a> = (Pin<Box<EventWait<'a>>>, bool, Arc<Counting>, Waker);

proptest! {
    /// Against a flag, and for each who waits whether it was set since.
    #[test]
    fn an_event_does_what_a_flag_and_a_list_do(acts in prop::collection::vec(act(), 0..60)) {
        let event = Event::new();
        let mut is_set = false;
        let mut waits: Vec<Waits<'_>> = Vec::new();
        for act in acts {
            match act {
                Act::Set => {
                    prop_assert_eq!(event.set(), !is_set);
                    is_set = true;
                    for (_, passes, ..) in &mut waits {
                        *passes = true;
                    }
                }
                Act::Clear => {
                    prop_assert_eq!(event.clear(), is_set);
                    is_set = false;
                }
                Act::Wait => {
                    let (count, waker) = Counting::new();
                    let mut wait = Box::pin(event.wait_async());
                    let polled = poll_once(wait.as_mut(), &waker);
                    prop_assert_eq!(polled.is_ready(), is_set);
                    if !is_set {
                        waits.push((wait, false, count, waker));
                    }
                }
                Act::Poll(at) => if let Some((wait, passes, _, waker)) = waits.get_mut(at) {
                    let polled = poll_once(wait.as_mut(), waker);
                    prop_assert_eq!(polled, if *passes { Poll::Ready(()) } else { Poll::Pending });
                    if *passes {
                        drop(waits.remove(at));
                    }
                },
                Act::Drop(at) => if at < waits.len() {
                    drop(waits.remove(at));
                },
            }
            prop_assert_eq!(event.is_set(), is_set);
            prop_assert_eq!(event.wait_timeout(Duration::ZERO), is_set);
            for (_, passes, count, _) in &waits {
                prop_assert_eq!(count.count(), usize::from(*passes));
            }
        }
    }
}
