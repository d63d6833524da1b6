use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockwise::sync::{End, Failure, Promise};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Act {
    Start,
    Set,
    Panic,
    DropPromise,
    Cancel,
    OnDone,
    TryGet,
    DropFuture,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Start),
        1 => Just(Act::Set),
        1 => Just(Act::Panic),
        1 => Just(Act::DropPromise),
        2 => Just(Act::Cancel),
        3 => Just(Act::OnDone),
        3 => Just(Act::TryGet),
        1 => Just(Act::DropFuture),
    ]
}

/// What a result says, without what cannot be compared.
fn end_of(result: &Result<u32, Failure>) -> End {
    match result {
        Ok(value) => {
            assert_eq!(*value, 7);
            End::Done
        }
        Err(Failure::Panicked(_)) => End::Panicked,
        Err(Failure::Cancelled) => End::Cancelled,
        Err(Failure::Dropped) => End::Dropped,
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    /// Against two flags and an end.
    #[test]
    fn a_promise_ends_once_and_tells_all(acts in prop::collection::vec(act(), 0..20)) {
        let (promise, future) = Promise::<u32>::new();
        let (mut promise, mut future) = (Some(promise), Some(future));
        let (mut is_running, mut ended, mut is_wanted) = (false, None, true);
        let called = Arc::new(Mutex::new(Vec::new()));
        let mut asked = 0;
        for act in acts {
            let end = |how: End, ended: &mut Option<End>| {
                ended.get_or_insert(how);
            };
            match act {
                Act::Start => if let Some(promise) = &promise {
                    let begins = promise.start();
                    prop_assert_eq!(begins, ended.is_none());
                    is_running |= begins;
                },
                Act::Set => if let Some(promise) = promise.take() {
                    let set = promise.set(7);
                    let taken = ended.is_none() && is_wanted;
                    prop_assert_eq!(set, if taken { Ok(()) } else { Err(7) });
                    end(End::Done, &mut ended);
                },
                Act::Panic => if let Some(promise) = promise.take() {
                    // Work whose result was cancelled does not run.
                    promise.fulfil(|| std::panic::resume_unwind(Box::new("on purpose")));
                    end(End::Panicked, &mut ended);
                },
                Act::DropPromise => if promise.take().is_some() {
                    end(End::Dropped, &mut ended);
                },
                Act::Cancel => if let Some(future) = &future {
                    let cancels = ended.is_none() && !is_running;
                    prop_assert_eq!(future.cancel(), cancels);
                    if cancels {
                        end(End::Cancelled, &mut ended);
                    }
                },
                Act::OnDone => if let Some(future) = &future {
                    let calls = Arc::clone(&called);
                    let number = asked;
                    asked += 1;
                    future.on_done(move |end| calls.lock().unwrap().push((number, end)));
                },
                Act::TryGet => if let Some(waits) = future.take() {
                    match waits.try_get() {
                        Ok(result) => {
                            prop_assert_eq!(Some(end_of(&result)), ended);
                            is_wanted = false;
                        }
                        Err(back) => {
                            prop_assert_eq!(ended, None);
                            future = Some(back);
                        }
                    }
                },
                Act::DropFuture => {
                    is_wanted &= future.take().is_none();
                }
            }
            if let Some(future) = &future {
                prop_assert_eq!(future.ended(), ended);
                prop_assert_eq!(future.is_done(), ended.is_some());
                prop_assert_eq!(future.wait_done_timeout(Duration::ZERO), ended.is_some());
            }
            if let Some(promise) = &promise {
                prop_assert_eq!(promise.is_wanted(), is_wanted && ended.is_none());
            }
            // Each once, in order, with the one end.
            let expected: Vec<_> = match ended {
                Some(end) => (0..asked).map(|number| (number, end)).collect(),
                None => Vec::new(),
            };
            prop_assert_eq!(&*called.lock().unwrap(), &expected);
        }
    }
}
