//! Sending to those who are slow, as a task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};

use lockwise::sync::{
    Backend, Delivering, Delivery, Exchange, InDelivery, Queue, Sink, Slow, SubscriptionId,
};

use super::{boxed, is_pending, ready};
use crate::{Counting, block_on, on_each_backend};

on_each_backend! {
    fn a_slow_reader_is_awaited_by_who_sends() {
        let exchange = Exchange::<u32, B>::new_in();
        let (slow, fast) = (exchange.reader(Slow::Block(1)), exchange.reader(Slow::Never));
        let (woken, waker) = Counting::new();
        assert_eq!(block_on(exchange.send_async(1)).taken, 2);
        let mut send = boxed(exchange.send_async(2));
        is_pending(&mut send, &waker);
        // Who has room is not kept waiting.
        assert_eq!((fast.get(), fast.get()), (Ok(1), Ok(2)));
        assert_eq!(slow.get(), Ok(1));
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut send, &waker).taken, 2);
        // Dropped half-way it is not given to the slow one.
        let mut send = boxed(exchange.send_async(3));
        is_pending(&mut send, &waker);
        drop(send);
        assert_eq!((slow.get(), fast.get()), (Ok(2), Ok(3)));
        assert!(slow.is_empty() && fast.is_empty());
        let mut send = boxed(exchange.send_async(4));
        assert_eq!(ready(&mut send, &waker).taken, 2);
        let mut send = boxed(exchange.send_async(5));
        is_pending(&mut send, &waker);
        drop(slow);
        assert_eq!(ready(&mut send, &waker).closed, 1);
        assert_eq!(exchange.len(), 1);
    }

    fn a_full_queue_that_subscribes_is_awaited() {
        let exchange = Exchange::<u32, B>::new_in();
        let (sender, receiver) = Queue::<u32, B>::bounded_in(1).split();
        let id = exchange.attach(sender);
        let (_, waker) = Counting::new();
        assert_eq!(block_on(exchange.send_async(1)).taken, 1);
        let mut send = boxed(exchange.send_async(2));
        is_pending(&mut send, &waker);
        let mut detached = boxed(exchange.detach_async(id));
        is_pending(&mut detached, &waker);
        assert_eq!(receiver.get(), Ok(1));
        assert_eq!(ready(&mut send, &waker).taken, 1);
        drop(send);
        assert_eq!(ready(&mut detached, &waker), Ok(true));
        assert_eq!(block_on(exchange.detach_async(id)), Ok(false));
    }

    fn a_sink_that_panics_as_it_makes_its_future_keeps_it_from_nobody() {
        /// Always full. The first one panics when it is to be waited for.
        struct Waited(bool, Arc<AtomicUsize>);
        impl Sink<u32> for Waited {
            fn try_deliver(&self, _: &mut Option<u32>) -> Delivery {
                Delivery::Full
            }
            fn deliver_async<'a>(&'a self, message: &'a mut Option<u32>) -> Delivering<'a> {
                assert!(!self.0, "as it makes its future");
                let sum = message.take().map_or(0, |number| number as usize);
                self.1.fetch_add(sum, SeqCst);
                Box::pin(std::future::ready(Delivery::Taken))
            }
        }
        let exchange = Exchange::<u32, B>::new_in();
        let sum = Arc::new(AtomicUsize::new(0));
        let bad = exchange.attach(Waited(true, Arc::clone(&sum)));
        exchange.attach(Waited(false, Arc::clone(&sum)));
        let sent = catch_unwind(AssertUnwindSafe(|| block_on(exchange.send_async(5))));
        let panic = sent.unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"as it makes its future"));
        assert_eq!(sum.load(SeqCst), 5);
        // It is not being delivered to any more.
        assert_eq!(exchange.detach_sync(bad), Ok(true));
        assert_eq!(block_on(exchange.send_async(2)).taken, 1);
    }

    fn a_sink_is_being_delivered_to_as_it_makes_its_future() {
        /// Asks, as it makes its future, to be detached.
        struct Leaves<B: Backend>(Weak<Exchange<u32, B>>, Arc<Mutex<Option<SubscriptionId>>>);
        impl<B: Backend> Sink<u32> for Leaves<B> {
            fn try_deliver(&self, _: &mut Option<u32>) -> Delivery {
                Delivery::Full
            }
            fn deliver_async<'a>(&'a self, message: &'a mut Option<u32>) -> Delivering<'a> {
                let id = self.1.lock().unwrap().unwrap();
                let exchange = self.0.upgrade().unwrap();
                assert_eq!(exchange.detach_sync(id), Err(InDelivery));
                message.take();
                Box::pin(std::future::ready(Delivery::Taken))
            }
        }
        let (exchange, id) = (Arc::new(Exchange::<u32, B>::new_in()), Arc::default());
        let leaves = exchange.attach(Leaves(Arc::downgrade(&exchange), Arc::clone(&id)));
        *id.lock().unwrap() = Some(leaves);
        assert_eq!(block_on(exchange.send_async(1)).taken, 1);
    }
}
