//! What waits as a task, and is dropped half-way in some schedules.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context as Polled, Poll, Waker};

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Barrier, BrokenBarrier, Context, Exchange, Exit, Poller,
    PriorityQueue, Promise, PutError, Queue, Restarts, SendError, Slow, Until, as_completed,
    wait_for_async,
};
use shuttle::future::block_on;
use shuttle::thread;

use super::{Model, assert_nothing_held, model};

/// Polls a future once, and drops it: what it gives, if it was ready.
fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut polled = Polled::from_waker(Waker::noop());
    match pin!(future).poll(&mut polled) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[test]
fn who_leaves_a_barrier_is_no_party_or_has_passed() {
    model(|| {
        let barrier = Barrier::<Model>::new_in(2);
        thread::scope(|scope| {
            let leaves = scope.spawn(|| once(barrier.wait_async()));
            let waits = scope.spawn(|| block_on(barrier.wait_async()));
            if let Some(passed) = leaves.join().unwrap() {
                assert_ne!(passed.unwrap(), waits.join().unwrap().unwrap());
            } else {
                barrier.abort();
                // Led by the other one, just before the first went, or broken.
                let waited = waits.join().unwrap();
                assert!(matches!(waited, Ok(true) | Err(BrokenBarrier)));
            }
        });
        barrier.reset();
        assert_eq!(once(barrier.wait_async()), None);
        assert_eq!(barrier.waiting(), 0);
        thread::scope(|scope| {
            let other = scope.spawn(|| barrier.wait());
            let led = [
                block_on(barrier.wait_async()).unwrap(),
                other.join().unwrap().unwrap(),
            ];
            assert_ne!(led[0], led[1]);
        });
    });
}

#[test]
fn a_batch_and_a_put_by_priority_lose_nothing_but_what_they_keep() {
    model(|| {
        let queue = Queue::<u32, Model>::bounded_in(1);
        let levels = PriorityQueue::<u32, u8, Model>::bounded_in(1);
        thread::scope(|scope| {
            let puts = scope.spawn(|| block_on(queue.put_many_async([1, 2, 3])));
            let drops = scope.spawn(|| once(levels.put_async(7, 1)));
            let closes = scope.spawn(|| queue.close());
            let mut got: Vec<u32> = queue.iter().collect();
            closes.join().unwrap();
            if let Err(PutError::Closed(rest)) = puts.join().unwrap() {
                got.extend(rest);
            }
            assert_eq!(got, [1, 2, 3]);
            assert!(drops.join().unwrap().is_some());
            // Dropped while it waits, it takes its item back; it never had room.
            assert!(once(levels.put_async(9, 9)).is_none());
            assert_eq!((levels.get(), levels.is_empty()), (Ok(7), true));
        });
    });
}

#[test]
fn a_task_that_is_awaited_is_joined_once_it_is_done() {
    model(|| {
        let queue = Queue::<u32, Model>::new_in();
        queue.put(1).unwrap();
        thread::scope(|scope| {
            let works = scope.spawn(|| {
                let task = block_on(queue.get_task_async()).unwrap();
                assert_nothing_held();
                task.done();
            });
            let joins = scope.spawn(|| block_on(queue.join_async()));
            scope.spawn(|| once(queue.join_async()));
            works.join().unwrap();
            joins.join().unwrap();
        });
        assert!(once(queue.join_async()).is_some());
    });
}

#[test]
fn a_wake_up_of_a_get_that_is_dropped_is_passed_on() {
    model(|| {
        let queue = Queue::<u32, Model>::new_in();
        thread::scope(|scope| {
            let gets = scope.spawn(|| block_on(queue.get_task_async()).unwrap().into_inner());
            let drops = scope.spawn(|| once(queue.get_async()).map(Result::unwrap));
            queue.put(1).unwrap();
            if drops.join().unwrap().is_some() {
                queue.put(1).unwrap();
            }
            assert_eq!(gets.join().unwrap(), 1);
        });
        assert!(queue.is_empty());
    });
}

#[test]
fn several_ends_are_awaited_together() {
    model(|| {
        let ((one, first), (two, second)) = (Promise::<u32, Model>::new_in(), Promise::new_in());
        thread::scope(|scope| {
            scope.spawn(move || one.set(1));
            scope.spawn(move || drop(two));
            assert!(once(first.done_async()).is_none_or(|end| end == lockwise::sync::End::Done));
            let waited = block_on(wait_for_async([first, second], Until::First, None));
            assert!(!waited.done.is_empty());
            let mut rest = as_completed(waited.done.into_iter().chain(waited.pending));
            let mut values = 0;
            // Dropped half-way it takes none.
            if let Some(next) = once(rest.next_async()) {
                values += next.unwrap().wait().unwrap_or(0);
            }
            while let Some(next) = block_on(rest.next_async()) {
                values += next.wait().unwrap_or(0);
            }
            assert_eq!(values, 1);
        });
    });
}

/// Adds up what it gets, and answers.
struct Sum(u32);

impl Actor<Model> for Sum {
    type Message = (u32, Option<Promise<u32, Model>>);

    fn handle(&mut self, (number, reply): Self::Message, _: &Context<'_, Self::Message, Model>) {
        assert_nothing_held();
        assert!(number != 13, "as it was told");
        self.0 += number;
        if let Some(reply) = reply {
            let _ = reply.set(self.0);
        }
    }
}

#[test]
fn an_actor_that_is_a_task_answers_or_has_ended() {
    model(|| {
        let (sum, task) = ActorBuilder::<Model>::new_in().bounded(1).task(Sum(0));
        thread::scope(|scope| {
            let lives = scope.spawn(move || block_on(task));
            let asks = scope.spawn(|| block_on(sum.ask_async(|reply| (1, Some(reply)))));
            let sends = scope.spawn(|| block_on(sum.send_async((2, None))));
            scope.spawn(|| once(sum.send_async((4, None))));
            let left = sum.kill().len();
            let answered = asks.join().unwrap();
            match answered {
                Ok(total) => assert!((1..8).contains(&total)),
                Err(AskError::Refused(_) | AskError::Failed(_)) => {}
            }
            if let Err(refused) = sends.join().unwrap() {
                assert!(matches!(refused, SendError::Closed((2, None))));
            }
            assert!(left <= 1);
            assert_eq!(lives.join().unwrap(), Exit::Killed);
            assert_eq!(block_on(sum.join_async()), Ok(Exit::Killed));
        });
    });
}

#[test]
fn a_task_is_closed_by_its_last_handle_and_killed_by_its_drop() {
    model(|| {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let builder = ActorBuilder::<Model>::new_in();
        let (sum, task) = builder.supervised_task(Restarts::AtMost(1), move || {
            counted.fetch_add(1, SeqCst);
            Sum(0)
        });
        let answer = sum.ask(|reply| (1, Some(reply))).unwrap();
        sum.send((13, None)).unwrap();
        sum.send((2, None)).unwrap();
        let weak = sum.downgrade();
        thread::scope(|scope| {
            let lives = scope.spawn(move || once(task));
            scope.spawn(move || drop(sum));
            let exit = lives.join().unwrap();
            let ended = weak.join().unwrap();
            assert_eq!(exit.unwrap_or(Exit::Killed), ended);
            assert_eq!(answer.wait().unwrap(), 1);
            assert_eq!(made.load(SeqCst), 2);
        });
    });
}

#[test]
fn a_sender_that_awaits_a_slow_reader_goes_on_when_that_reads_or_goes() {
    model(|| {
        let exchange = Exchange::<u32, Model>::new_in();
        let (slow, fast) = (
            exchange.reader(Slow::Block(1)),
            exchange.reader(Slow::Never),
        );
        thread::scope(|scope| {
            let sends = scope.spawn(|| {
                let delivered = [1, 2].map(|number| block_on(exchange.send_async(number)));
                delivered
                    .iter()
                    .map(|it| it.taken + it.closed)
                    .sum::<usize>()
            });
            let reads = scope.spawn(move || slow.get());
            assert_eq!((fast.get(), fast.get()), (Ok(1), Ok(2)));
            assert_eq!(reads.join().unwrap(), Ok(1));
            // The slow one may be gone before the second is sent.
            assert!((3..=4).contains(&sends.join().unwrap()));
        });
    });
}

#[test]
fn a_poller_that_is_awaited_misses_nothing() {
    model(|| {
        let queues = [Queue::<u32, Model>::new_in(), Queue::new_in()];
        thread::scope(|scope| {
            let puts = scope.spawn(|| {
                queues[0].put(1).unwrap();
                queues[1].close();
            });
            let mut poller = Poller::new();
            poller.add(&queues[0], 0);
            poller.add(&queues[1], 1);
            once(poller.wait_async());
            let mut seen = [false; 2];
            while seen != [true; 2] {
                let at = *block_on(poller.wait_async()).unwrap();
                seen[at] |= queues[at].try_get() != Err(lockwise::sync::GetError::Empty);
            }
            puts.join().unwrap();
        });
    });
}
