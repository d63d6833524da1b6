use lockwise::sync::{Event, Poller, Queue};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Act {
    Put(usize),
    Get(usize),
    Close(usize),
    Set,
    Clear,
    Poll,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..2usize).prop_map(Act::Put),
        4 => (0..2usize).prop_map(Act::Get),
        1 => prop_oneof![3 => Just(Act::Poll), 1 => (0..2usize).prop_map(Act::Close)],
        1 => Just(Act::Set),
        2 => Just(Act::Clear),
        8 => Just(Act::Poll),
    ]
}

proptest! {
    /// Against a list of what is ready, gone round from the one after the last.
    #[test]
    fn a_poller_goes_round_those_that_are_ready(acts in prop::collection::vec(act(), 0..80)) {
        let queues = [Queue::<()>::new(), Queue::bounded(1)];
        let (room, event) = (queues[1].room(), Event::new());
        let mut poller = Poller::new();
        poller.add(&queues[0], 0);
        poller.add(&event, 1);
        poller.add(&queues[1], 2);
        poller.add(&room, 3);
        let (mut counts, mut closed, mut is_set) = ([0; 2], [false; 2], false);
        let mut next = 0;
        for act in acts {
            match act {
                Act::Put(at) => {
                    let fits = !closed[at] && (at == 0 || counts[1] == 0);
                    prop_assert_eq!(queues[at].try_put(()).is_ok(), fits);
                    counts[at] += usize::from(fits);
                }
                Act::Get(at) => {
                    prop_assert_eq!(queues[at].try_get().is_ok(), counts[at] > 0);
                    counts[at] = counts[at].saturating_sub(1);
                }
                Act::Close(at) => {
                    queues[at].close();
                    closed[at] = true;
                }
                Act::Set => {
                    event.set();
                    is_set = true;
                }
                Act::Clear => {
                    event.clear();
                    is_set = false;
                }
                Act::Poll => {
                    let ready = [
                        counts[0] > 0 || closed[0],
                        is_set,
                        counts[1] > 0 || closed[1],
                        counts[1] == 0 || closed[1],
                    ];
                    let expected = (0..4).map(|at| (next + at) % 4).find(|at| ready[*at]);
                    prop_assert_eq!(poller.poll().copied(), expected);
                    next = expected.map_or(next, |at| at + 1);
                }
            }
        }
    }
}
