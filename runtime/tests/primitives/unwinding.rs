//! What a panic leaves of an object is whole, and the compiler knows that.

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe, catch_unwind};

use lockwise::sync::{
    AsCompleted, Barrier, DelayQueue, Event, Exchange, Future, Handle, Map, PriorityQueue, Promise,
    Queue, Reader, Receiver, Recipient, Semaphore, Sender, ThreadLocal, ThreadPool, WeakHandle,
    WeakSender, Worker,
};

use crate::on_each_backend;

fn whole<T: UnwindSafe + RefUnwindSafe>() {}

on_each_backend! {
    fn each_may_be_used_where_a_panic_is_caught() {
        // What they hold may be anything that they may hold.
        type Item = Cell<u32>;
        whole::<(Event<B>, Barrier<B>, ThreadPool<B>, Worker<B>, Semaphore)>();
        whole::<(Queue<Item, B>, Sender<Item, B>, Receiver<Item, B>, WeakSender<Item, B>)>();
        whole::<(PriorityQueue<Item, i32, B>, DelayQueue<Item, B>)>();
        whole::<(Exchange<Item, B>, Reader<Item, B>)>();
        whole::<(Handle<Item, B>, WeakHandle<Item, B>, Recipient<Item>)>();
        whole::<(Promise<Item, B>, Future<Item, B>, AsCompleted<Item, B>, Map<Item, B>)>();
        whole::<ThreadLocal<u32, B>>();
    }

    fn a_queue_goes_on_after_a_panic_beside_it() {
        let queue = Queue::<_, B>::bounded_in(2);
        let caught = catch_unwind(|| {
            queue.put(1).unwrap();
            panic!("beside it");
        });
        assert!(caught.is_err());
        assert_eq!(queue.try_put(2), Ok(()));
        assert_eq!((queue.get(), queue.get()), (Ok(1), Ok(2)));
    }
}

/// Whether a type may be used so, of which this is not known for all types.
struct Asked<T>(std::marker::PhantomData<T>);

impl<T: RefUnwindSafe> Asked<T> {
    const IS_WHOLE: bool = true;
}

trait NotKnown {
    const IS_WHOLE: bool = false;
}

impl<T> NotKnown for Asked<T> {}

#[test]
fn what_a_thread_has_left_half_done_in_its_own_value_is_seen_again() {
    const {
        assert!(Asked::<ThreadLocal<u32>>::IS_WHOLE);
        assert!(!Asked::<ThreadLocal<Cell<u32>>>::IS_WHOLE);
    }
}
