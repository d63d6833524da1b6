//! What waits as a task: each blocking method has a form for that, which can be dropped at any time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Backend, Barrier, BrokenBarrier, Context, DelayQueue, End,
    Event, Exchange, Exit, Failure, GetError, Handle, JoinError, NothingToWaitFor, Poller,
    PriorityQueue, Promise, PutError, Queue, Restarts, Scheduler, Semaphore, SendError, Shutdown,
    Slow, Status, ThreadPool, Until, Worker, as_completed, wait_for_async, within,
};
use lockwise::thread;

use super::counted::{Counted, Drops};
use super::{Counting, LONG, SHORT, block_on, on_each_backend, poll_once, rounds, until};

/// A future on the heap, as it has to be pinned to be polled.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// That it can be moved to another thread, too.
fn boxed<'a, T>(future: impl Future<Output = T> + Send + 'a) -> Boxed<'a, T> {
    Box::pin(future)
}

/// Polls a future that must not be ready.
#[track_caller]
fn is_pending<T: std::fmt::Debug>(future: &mut Boxed<'_, T>, waker: &Waker) {
    let polled = poll_once(future.as_mut(), waker);
    assert!(polled.is_pending(), "{polled:?}");
}

/// Polls a future that must be ready.
#[track_caller]
fn ready<T>(future: &mut Boxed<'_, T>, waker: &Waker) -> T {
    match poll_once(future.as_mut(), waker) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Adds numbers up, and answers with the sum.
struct Sum(u32);

/// What it is sent.
enum Message<B: Backend> {
    Add(u32),
    Total(Promise<u32, B>),
    Panic,
    /// Waits for the event.
    Wait(Arc<Event<B>>),
    /// Adds a number later.
    Later(Duration, u32),
}

impl<B: Backend> Actor<B> for Sum {
    type Message = Message<B>;

    fn handle(&mut self, message: Message<B>, context: &Context<'_, Message<B>, B>) {
        match message {
            Message::Add(number) => self.0 += number,
            Message::Total(reply) => drop(reply.set(self.0)),
            Message::Panic => panic!("as it was told"),
            Message::Wait(event) => event.wait(),
            Message::Later(delay, number) => {
                context.send_after(delay, Message::Add(number));
            }
        }
    }
}

/// Holds something, and never answers.
struct Holds(#[expect(dead_code, reason = "it is there for its drop")] Counted);

impl<B: Backend> Actor<B> for Holds {
    type Message = Promise<u32, B>;

    fn handle(&mut self, _: Promise<u32, B>, _: &Context<'_, Promise<u32, B>, B>) {}
}

fn bounded_sum<B: Backend>(room: usize) -> Handle<Message<B>, B> {
    let started = ActorBuilder::<B>::new_in().bounded(room).start(Sum(0));
    started.expect("there is room for a thread")
}

on_each_backend! {
    fn a_batch_is_put_as_there_is_room() {
        let queue = Queue::<u32, B>::bounded_in(2);
        let (woken, waker) = Counting::new();
        let mut put = boxed(queue.put_many_async(1..=4));
        is_pending(&mut put, &waker);
        assert_eq!(queue.len(), 2);
        assert_eq!((queue.get(), queue.get()), (Ok(1), Ok(2)));
        assert_eq!(woken.count(), 1);
        ready(&mut put, &waker).unwrap();
        assert_eq!((queue.get(), queue.get()), (Ok(3), Ok(4)));
        let mut put = boxed(queue.put_many_async(1..=5));
        is_pending(&mut put, &waker);
        queue.close();
        match ready(&mut put, &waker) {
            Err(PutError::Closed(rest)) => assert_eq!(rest, [3, 4, 5]),
            other => panic!("{other:?}"),
        }
    }

    fn a_dropped_batch_loses_what_was_not_put_and_nothing_else() {
        let drops = Drops::default();
        let queue = Queue::<_, B>::bounded_in(1);
        let (_, waker) = Counting::new();
        let mut put = boxed(queue.put_many_async([drops.value(), drops.value(), drops.value()]));
        assert!(poll_once(put.as_mut(), &waker).is_pending());
        drop(put);
        assert_eq!((drops.count(), queue.len()), (2, 1));
        drop(queue.get());
        assert!(matches!(queue.try_get(), Err(GetError::Empty)));
    }

    fn a_task_of_a_queue_is_awaited_and_joined() {
        let queue = Queue::<u32, B>::new_in();
        let (woken, waker) = Counting::new();
        let mut get = boxed(queue.get_task_async());
        is_pending(&mut get, &waker);
        queue.put(7).unwrap();
        let mut join = boxed(queue.join_async());
        is_pending(&mut join, &waker);
        let task = ready(&mut get, &waker).unwrap();
        assert_eq!(*task, 7);
        is_pending(&mut join, &waker);
        let before = woken.count();
        task.done();
        assert_eq!(woken.count(), before + 1);
        ready(&mut join, &waker);
        // All is done: another one does not wait.
        ready(&mut boxed(queue.join_async()), &waker);
    }

    fn a_join_that_was_told_ends_though_there_is_new_work() {
        let queue = Queue::<u32, B>::new_in();
        let (_, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut join = boxed(queue.join_async());
        is_pending(&mut join, &waker);
        assert_eq!(queue.get(), Ok(1));
        queue.put(2).unwrap();
        ready(&mut join, &waker);
    }

    fn a_dropped_join_leaves_no_waker_behind() {
        let queue = Queue::<u32, B>::new_in();
        let (count, waker) = Counting::new();
        queue.put(1).unwrap();
        let mut join = boxed(queue.join_async());
        is_pending(&mut join, &waker);
        drop(join);
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1);
        assert_eq!(queue.get(), Ok(1));
        assert_eq!(count.count(), 0);
    }

    fn a_get_of_a_task_that_is_dropped_passes_its_wake_up_on() {
        let queue = Queue::<u32, B>::new_in();
        let ((_, first), (second_woken, second)) = (Counting::new(), Counting::new());
        let (mut one, mut two) = (boxed(queue.get_task_async()), boxed(queue.get_task_async()));
        is_pending(&mut one, &first);
        is_pending(&mut two, &second);
        queue.put(1).unwrap();
        drop(one);
        assert_eq!(second_woken.count(), 1);
        assert_eq!(ready(&mut two, &second).unwrap().into_inner(), 1);
        assert!(queue.join_timeout(LONG));
    }

    fn a_put_by_priority_waits_for_room() {
        let queue = PriorityQueue::<&str, i32, B>::bounded_in(1);
        let (woken, waker) = Counting::new();
        queue.put("low", 1).unwrap();
        let mut put = boxed(queue.put_async("high", 9));
        is_pending(&mut put, &waker);
        assert_eq!(queue.get(), Ok("low"));
        assert_eq!(woken.count(), 1);
        let token = ready(&mut put, &waker).unwrap();
        assert_eq!(queue.cancel(&token), Some("high"));
        queue.put("low", 1).unwrap();
        let mut put = boxed(queue.put_async("dropped", 9));
        is_pending(&mut put, &waker);
        drop(put);
        let mut put = boxed(queue.put_async("late", 9));
        is_pending(&mut put, &waker);
        queue.close();
        assert_eq!(ready(&mut put, &waker), Err(PutError::Closed("late")));
        assert_eq!((queue.get(), queue.get()), (Ok("low"), Err(GetError::Closed)));
    }

    fn what_is_due_later_is_awaited() {
        let queue = DelayQueue::<&str, B>::new_in();
        let start = Instant::now();
        queue.put_after("second", 2 * SHORT).unwrap();
        queue.put_after("first", SHORT).unwrap();
        block_on(async {
            assert_eq!(queue.get_async().await, Ok("first"));
            assert!(start.elapsed() >= SHORT);
            assert_eq!(queue.get_async().await, Ok("second"));
            assert!(start.elapsed() >= 2 * SHORT);
        });
        queue.close();
        assert_eq!(block_on(queue.get_async()), Err(GetError::Closed));
    }

    fn an_item_that_is_due_earlier_wakes_who_awaits_a_later_one() {
        let queue = DelayQueue::<&str, B>::new_in();
        let (woken, waker) = Counting::new();
        queue.put_after("never", Duration::MAX).unwrap();
        let mut get = boxed(queue.get_async());
        is_pending(&mut get, &waker);
        queue.put_after("now", Duration::ZERO).unwrap();
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut get, &waker), Ok("now"));
        let mut get = boxed(queue.get_async());
        is_pending(&mut get, &waker);
        drop(get);
        assert_eq!(queue.close_now(), ["never"]);
    }

    fn tasks_meet_at_a_barrier() {
        let barrier = Barrier::<B>::new_in(3);
        let ((first_woken, first), (_, second)) = (Counting::new(), Counting::new());
        let (mut one, mut two) = (boxed(barrier.wait_async()), boxed(barrier.wait_async()));
        is_pending(&mut one, &first);
        is_pending(&mut two, &second);
        thread::scope(|scope| {
            let third = scope.spawn(|| barrier.wait_timeout(LONG));
            assert_eq!(third.join().unwrap(), Ok(true));
        });
        assert_eq!(first_woken.count(), 1);
        assert_eq!(ready(&mut one, &first), Ok(false));
        assert_eq!(ready(&mut two, &second), Ok(false));
        assert_eq!(barrier.waiting(), 0);
    }

    fn who_leaves_a_barrier_is_waited_for_again() {
        let barrier = Barrier::<B>::new_in(2);
        let (_, waker) = Counting::new();
        let mut one = boxed(barrier.wait_async());
        is_pending(&mut one, &waker);
        assert_eq!(barrier.waiting(), 1);
        drop(one);
        assert_eq!((barrier.waiting(), barrier.is_broken()), (0, false));
        let mut two = boxed(barrier.wait_async());
        is_pending(&mut two, &waker);
        assert_eq!(ready(&mut boxed(barrier.wait_async()), &waker), Ok(true));
        assert_eq!(ready(&mut two, &waker), Ok(false));
    }

    fn who_leaves_a_round_that_has_passed_changes_nothing() {
        let barrier = Barrier::<B>::new_in(2);
        let (_, waker) = Counting::new();
        let mut one = boxed(barrier.wait_async());
        is_pending(&mut one, &waker);
        assert_eq!(barrier.wait(), Ok(true));
        drop(one);
        assert_eq!(barrier.waiting(), 0);
        let mut two = boxed(barrier.wait_async());
        is_pending(&mut two, &waker);
        barrier.abort();
        assert_eq!(ready(&mut two, &waker), Err(BrokenBarrier));
        assert_eq!(ready(&mut boxed(barrier.wait_async()), &waker), Err(BrokenBarrier));
    }

    fn the_end_of_a_promise_is_awaited_and_left_there() {
        let (promise, future) = Promise::<u32, B>::new_in();
        let (woken, waker) = Counting::new();
        let mut dropped = boxed(future.done_async());
        let mut done = boxed(future.done_async());
        is_pending(&mut dropped, &waker);
        is_pending(&mut done, &waker);
        drop(dropped);
        promise.set(5).unwrap();
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut done, &waker), End::Done);
        drop(done);
        assert_eq!(future.wait().unwrap(), 5);
    }

    fn several_results_are_awaited() {
        let ((one, first), (two, second)) = (Promise::<u32, B>::new_in(), Promise::new_in());
        let (woken, waker) = Counting::new();
        let mut waited = boxed(wait_for_async([first, second], Until::First, None));
        assert!(poll_once(waited.as_mut(), &waker).is_pending());
        two.set(2).unwrap();
        assert_eq!(woken.count(), 1);
        let mut waited = ready(&mut waited, &waker);
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 1));
        assert_eq!(waited.done.pop().unwrap().wait().unwrap(), 2);
        // In time, or not at all: nothing is lost.
        let waited = block_on(wait_for_async(waited.pending, Until::All, Some(SHORT)));
        assert_eq!((waited.done.len(), waited.pending.len()), (0, 1));
        one.set(1).unwrap();
        let waited = block_on(wait_for_async(waited.pending, Until::All, None));
        assert_eq!((waited.done.len(), waited.pending.len()), (1, 0));
        let none = block_on(wait_for_async(Vec::<lockwise::sync::Future<u32, B>>::new(), Until::First, None));
        assert!(none.done.is_empty() && none.pending.is_empty());
    }

    fn results_are_awaited_as_they_come() {
        let ((one, first), (two, second)) = (Promise::<u32, B>::new_in(), Promise::new_in());
        let (_, waker) = Counting::new();
        let mut results = as_completed([first, second]);
        let mut next = boxed(results.next_async());
        assert!(poll_once(next.as_mut(), &waker).is_pending());
        // Dropped half-way it takes none.
        drop(next);
        two.set(2).unwrap();
        assert_eq!(block_on(results.next_async()).unwrap().wait().unwrap(), 2);
        drop(one);
        let last = block_on(results.next_async()).unwrap().wait();
        assert!(matches!(last, Err(Failure::Dropped)));
        assert!(block_on(results.next_async()).is_none());
    }

    fn a_pool_is_joined_and_shut_down_by_tasks() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let go = Arc::new(Event::<B>::new_in());
        let (_, waker) = Counting::new();
        let mine = Arc::clone(&go);
        let result = pool.submit(move || mine.wait()).unwrap();
        let mut join = boxed(pool.join_async());
        is_pending(&mut join, &waker);
        go.set();
        block_on(join);
        result.wait().unwrap();
        let shut_down = pool.shutdown_async(Shutdown::Finish);
        assert!(pool.is_closed());
        block_on(shut_down);
        assert_eq!(pool.workers(), 0);
    }

    fn a_worker_is_joined_and_cancelled_by_tasks() {
        let worker = Worker::<B>::new_in().unwrap();
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, goes) = (Arc::clone(&began), Arc::clone(&go));
        let running = worker.submit(move || {
            begins.set();
            goes.wait();
        }).unwrap();
        let queued = worker.submit(|| ()).unwrap();
        began.wait();
        let (_, waker) = Counting::new();
        let mut join = boxed(worker.join_async());
        is_pending(&mut join, &waker);
        drop(join);
        let cancel = worker.cancel_async();
        assert!(worker.is_closed());
        assert!(matches!(queued.wait(), Err(Failure::Cancelled)));
        go.set();
        block_on(cancel);
        running.wait().unwrap();
        block_on(worker.join_async());
    }

    fn results_of_a_map_are_awaited() {
        let pool = ThreadPool::<B>::new_in(2).unwrap();
        let mut squares = pool.map(1..=3, |number| number * number).unwrap();
        block_on(async {
            assert_eq!(squares.next_async().await.unwrap().unwrap(), 1);
            assert_eq!(squares.next_async().await.unwrap().unwrap(), 4);
            assert_eq!(squares.next_async().await.unwrap().unwrap(), 9);
            assert!(squares.next_async().await.is_none());
        });
        let go = Arc::new(Event::<B>::new_in());
        let mine = Arc::clone(&go);
        let mut late = pool.map(0..2, move |_| mine.wait()).unwrap().within(SHORT);
        block_on(async {
            assert!(matches!(late.next_async().await, Some(Err(Failure::TimedOut))));
            assert!(late.next_async().await.is_none());
        });
        go.set();
    }

    fn a_bounded_actor_is_sent_to_and_asked_by_tasks() {
        let actor = bounded_sum::<B>(1);
        let go = Arc::new(Event::<B>::new_in());
        let (woken, waker) = Counting::new();
        actor.send(Message::Wait(Arc::clone(&go))).unwrap();
        until(|| actor.is_empty());
        ready(&mut boxed(actor.send_async(Message::Add(1))), &waker).unwrap();
        let mut dropped = boxed(actor.send_async(Message::Add(100)));
        is_pending(&mut dropped, &waker);
        let mut sent = boxed(actor.send_async(Message::Add(2)));
        is_pending(&mut sent, &waker);
        drop(dropped);
        let mut unasked = boxed(actor.ask_async(Message::Total));
        assert!(poll_once(unasked.as_mut(), &waker).is_pending());
        drop(unasked);
        go.set();
        until(|| woken.count() > 0);
        ready(&mut sent, &waker).unwrap();
        assert_eq!(block_on(actor.ask_async(Message::Total)).unwrap(), 3);
        actor.close();
        assert!(matches!(block_on(actor.send_async(Message::Add(1))), Err(SendError::Closed(Message::Add(1)))));
        assert!(matches!(block_on(actor.ask_async(Message::Total)), Err(AskError::Refused(_))));
        assert_eq!(block_on(actor.join_async()), Ok(Exit::Closed));
        assert_eq!(block_on(actor.downgrade().join_async()), Ok(Exit::Closed));
    }

    fn a_join_of_an_actor_can_be_dropped() {
        let actor = bounded_sum::<B>(1);
        let (count, waker) = Counting::new();
        let mut join = boxed(actor.join_async());
        is_pending(&mut join, &waker);
        drop(join);
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1);
        actor.kill();
        assert_eq!(actor.join(), Ok(Exit::Killed));
    }

    fn a_recipient_is_sent_to_by_tasks() {
        let actor = bounded_sum::<B>(1);
        let numbers = actor.recipient(Message::Add);
        block_on(async {
            for number in 1..=10 {
                numbers.send_async(number).await.unwrap();
            }
            assert_eq!(actor.ask_async(Message::Total).await.unwrap(), 55);
        });
        actor.kill();
        assert_eq!(block_on(numbers.send_async(1)), Err(SendError::Closed(())));
    }

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

    fn a_poller_is_awaited() {
        let (jobs, stop) = (Queue::<u32, B>::new_in(), Event::<B>::new_in());
        let (woken, waker) = Counting::new();
        let mut poller = Poller::new();
        assert_eq!(block_on(poller.wait_async()), Err(NothingToWaitFor));
        poller.add(&jobs, "jobs");
        poller.add(&stop, "stop");
        let mut wait = boxed(poller.wait_async());
        is_pending(&mut wait, &waker);
        drop(wait);
        let mut wait = boxed(poller.wait_async());
        is_pending(&mut wait, &waker);
        jobs.put(1).unwrap();
        assert_eq!(woken.count(), 1);
        assert_eq!(ready(&mut wait, &waker), Ok(&"jobs"));
        drop(wait);
        stop.set();
        assert_eq!(block_on(poller.wait_async()), Ok(&"stop"));
        assert_eq!(jobs.get(), Ok(1));
    }

    fn an_actor_lives_in_a_task() {
        let (handle, task) = ActorBuilder::<B>::new_in().task(Sum(0));
        assert_eq!(handle.status(), Status::Starting);
        let (woken, waker) = Counting::new();
        let mut task = boxed(task);
        is_pending(&mut task, &waker);
        assert_eq!(handle.status(), Status::Running);
        handle.send(Message::Add(2)).unwrap();
        assert_eq!(woken.count(), 1);
        let mut asked = boxed(handle.ask_async(Message::Total));
        assert!(poll_once(asked.as_mut(), &waker).is_pending());
        is_pending(&mut task, &waker);
        assert_eq!(ready(&mut asked, &waker).unwrap(), 2);
        handle.close();
        assert_eq!(ready(&mut task, &waker), Exit::Closed);
        assert_eq!(handle.join(), Ok(Exit::Closed));
        assert!(matches!(handle.send(Message::Add(1)), Err(SendError::Closed(_))));
    }

    fn the_last_handle_of_a_task_closes_it() {
        let (handle, task) = ActorBuilder::<B>::new_in().task(Sum(0));
        drop(handle);
        assert_eq!(block_on(task), Exit::Closed);
    }

    fn a_task_lets_others_have_their_turn() {
        let (handle, task) = ActorBuilder::<B>::new_in().task(Sum(0));
        let (woken, waker) = Counting::new();
        for _ in 0..1000 {
            handle.send(Message::Add(1)).unwrap();
        }
        let mut task = boxed(task);
        is_pending(&mut task, &waker);
        assert_eq!(woken.count(), 1);
        assert!(!handle.is_empty());
        handle.close();
        assert_eq!(block_on(task), Exit::Closed);
    }

    fn a_task_that_is_dropped_is_killed() {
        let drops = Drops::default();
        let (handle, task) = ActorBuilder::<B>::new_in().task(Holds(drops.value()));
        let asked = handle.ask(|reply| reply).unwrap();
        drop(task);
        assert_eq!(drops.count(), 1);
        assert!(matches!(asked.wait(), Err(Failure::Dropped)));
        assert_eq!(handle.join(), Ok(Exit::Killed));
        assert_eq!(handle.status(), Status::Stopped);
        // Also when it has begun.
        let (handle, task) = ActorBuilder::<B>::new_in().task(Sum(0));
        let (_, waker) = Counting::new();
        let mut task = boxed(task);
        is_pending(&mut task, &waker);
        drop(task);
        assert_eq!(handle.join(), Ok(Exit::Killed));
    }

    fn a_task_that_panics_is_made_again_as_often_as_it_may() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let (handle, task) = ActorBuilder::<B>::new_in().supervised_task(Restarts::AtMost(1), move || {
            counted.fetch_add(1, SeqCst);
            Sum(0)
        });
        handle.send(Message::Add(1)).unwrap();
        handle.send(Message::Panic).unwrap();
        handle.send(Message::Add(10)).unwrap();
        let total = handle.ask(Message::Total).unwrap();
        handle.send(Message::Panic).unwrap();
        let unanswered = handle.ask(Message::Total).unwrap();
        let exit = block_on(task);
        assert!(matches!(&exit, Exit::Panicked(text) if &**text == "as it was told"), "{exit:?}");
        assert_eq!(total.wait().unwrap(), 10);
        assert!(matches!(unanswered.wait(), Err(Failure::Dropped)));
        assert_eq!(made.load(SeqCst), 2);
        assert_eq!(handle.join(), Ok(exit));
    }

    fn a_task_that_is_killed_hands_its_messages_back() {
        let (handle, task) = ActorBuilder::<B>::new_in().task(Sum(0));
        let (woken, waker) = Counting::new();
        let mut task = boxed(task);
        is_pending(&mut task, &waker);
        handle.send(Message::Add(1)).unwrap();
        handle.send(Message::Add(2)).unwrap();
        assert_eq!(handle.kill().len(), 2);
        assert!(woken.count() >= 1);
        assert_eq!(ready(&mut task, &waker), Exit::Killed);
    }

    fn a_task_gets_its_own_messages_when_they_are_due() {
        let (handle, task) = ActorBuilder::<B>::new_in().task(Sum(0));
        handle.send(Message::Later(SHORT, 5)).unwrap();
        thread::scope(|scope| {
            let running = scope.spawn(move || block_on(task));
            until(|| block_on(handle.ask_async(Message::Total)).unwrap() == 5);
            handle.close();
            assert_eq!(running.join().unwrap(), Exit::Closed);
        });
    }

    fn a_task_that_joins_itself_is_told() {
        struct Joins;
        impl<B: Backend> Actor<B> for Joins {
            type Message = Promise<(bool, bool), B>;
            fn handle(&mut self, reply: Self::Message, context: &Context<'_, Self::Message, B>) {
                let me = context.handle().unwrap();
                let joined = me.join() == Err(JoinError::Itself);
                let awaited = block_on(me.join_async()) == Err(JoinError::Itself);
                let _ = reply.set((joined, awaited));
            }
        }
        let (handle, task) = ActorBuilder::<B>::new_in().task(Joins);
        let asked = handle.ask(|reply| reply).unwrap();
        handle.close();
        assert_eq!(block_on(task), Exit::Closed);
        assert_eq!(asked.wait().unwrap(), (true, true));
    }

    fn what_is_ready_comes_also_after_the_deadline() {
        let queue = Queue::<u32, B>::new_in();
        block_on(async {
            assert_eq!(within(Duration::ZERO, queue.get_async()).await, None);
            assert_eq!(within(SHORT, queue.get_async()).await, None);
            queue.put(1).unwrap();
            assert_eq!(within(Duration::ZERO, queue.get_async()).await, Some(Ok(1)));
            queue.put(2).unwrap();
            assert_eq!(within(Duration::MAX, queue.get_async()).await, Some(Ok(2)));
        });
        assert!(queue.is_empty());
    }
}

#[test]
fn all_of_them_take_turns_on_one_scheduler() {
    let scheduler = Scheduler::new();
    let (sum, task) = ActorBuilder::new().bounded(1).task(Sum(0));
    let barrier = Arc::new(Barrier::new(3));
    let jobs = Arc::new(PriorityQueue::<u32>::bounded(1));
    let done = scheduler.spawn(task);
    for number in 1..=2 {
        let (sum, barrier, jobs) = (sum.clone(), Arc::clone(&barrier), Arc::clone(&jobs));
        scheduler.spawn(async move {
            for _ in 0..10 {
                jobs.put_async(number, 0).await.unwrap();
                sum.send_async(Message::Add(number)).await.unwrap();
            }
            barrier.wait_async().await.unwrap();
        });
    }
    let total = scheduler.spawn(async move {
        let mut got = 0;
        for _ in 0..20 {
            got += jobs.get_async().await.unwrap();
        }
        barrier.wait_async().await.unwrap();
        (got, sum.ask_async(Message::Total).await.unwrap())
    });
    scheduler.run().unwrap();
    assert_eq!(total.result().wait().unwrap(), (30, 30));
    assert_eq!(done.result().wait().unwrap(), Exit::Closed);
}

#[test]
fn a_unit_of_a_semaphore_is_awaited() {
    let semaphore = Semaphore::new(1);
    let ((first_woken, first), (second_woken, second)) = (Counting::new(), Counting::new());
    let held = block_on(semaphore.acquire_async());
    let (mut one, mut two) = (
        boxed(semaphore.acquire_async()),
        boxed(semaphore.acquire_async()),
    );
    is_pending(&mut one, &first);
    is_pending(&mut two, &second);
    drop(held);
    assert_eq!((first_woken.count(), second_woken.count()), (1, 0));
    // Woken and dropped, it passes that on.
    drop(one);
    assert_eq!(second_woken.count(), 1);
    let unit = ready(&mut two, &second);
    assert_eq!(semaphore.available(), 0);
    let mut three = boxed(semaphore.acquire_async());
    is_pending(&mut three, &first);
    drop(three);
    drop((first, unit));
    assert_eq!(Arc::strong_count(&first_woken), 1);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn threads_and_tasks_share_the_units_of_a_semaphore() {
    let (semaphore, inside) = (Semaphore::new(2), AtomicUsize::new(0));
    let enter = || {
        assert!(inside.fetch_add(1, SeqCst) < 2);
        thread::yield_now();
        inside.fetch_sub(1, SeqCst);
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..rounds(200) {
                    let _unit = semaphore.acquire();
                    enter();
                }
            });
            scope.spawn(|| {
                block_on(async {
                    for _ in 0..rounds(200) {
                        let unit = semaphore.acquire_async().await;
                        enter();
                        drop(unit);
                    }
                });
            });
        }
    });
    assert_eq!(semaphore.available(), 2);
}
