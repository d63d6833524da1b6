//! Each wait with a timeout has a form with a deadline, and each wait has one that does not wait.

use std::time::Instant;

use lockwise::sync::{
    Actor, ActorBuilder, Barrier, BrokenBarrier, Context, DelayQueue, Event, Exchange, Exit,
    GetError, JoinError, Poller, PriorityQueue, Promise, PutError, Queue, ReadError, SendError,
    Slow, ThreadPool, Worker,
};

use super::{LONG, SHORT, on_each_backend};

/// An actor that waits for what it was given, and then looks what else there is.
struct Looks<B: lockwise::sync::Backend>(std::sync::Arc<Event<B>>);

impl<B: lockwise::sync::Backend> Actor<B> for Looks<B> {
    type Message = Option<Promise<[Result<u32, GetError>; 2], B>>;

    fn handle(&mut self, message: Self::Message, context: &Context<'_, Self::Message, B>) {
        let Some(reply) = message else {
            self.0.wait();
            return;
        };
        let number = |got: Result<Self::Message, GetError>| got.map(|_| 0);
        let seen = [
            number(context.try_recv()),
            number(context.recv_deadline(Instant::now())),
        ];
        let _ = reply.set(seen);
    }
}

on_each_backend! {
    fn of_a_queue() {
        let queue = Queue::<_, B>::bounded_in(1);
        assert_eq!(queue.get_task_deadline(Instant::now()).err(), Some(GetError::Timeout));
        queue.put(1).unwrap();
        assert!(!queue.join_deadline(Instant::now() + SHORT));
        assert_eq!(*queue.get_task_deadline(Instant::now()).unwrap(), 1);
        assert!(queue.join_deadline(Instant::now()));
        let (sender, receiver) = queue.split();
        assert_eq!(receiver.get_deadline(Instant::now()), Err(GetError::Timeout));
        sender.put_deadline(1, Instant::now()).unwrap();
        assert_eq!(sender.put_deadline(2, Instant::now()), Err(PutError::Timeout(2)));
        assert_eq!(receiver.get_deadline(Instant::now()), Ok(1));
        sender.put_many([3]).unwrap();
        assert_eq!(receiver.get(), Ok(3));
    }

    fn of_queues_by_priority_and_time() {
        let queue = PriorityQueue::<_, i64, B>::bounded_in(1);
        assert_eq!(queue.get_deadline(Instant::now()), Err(GetError::Timeout));
        queue.put_deadline(1, 1, Instant::now()).unwrap();
        assert_eq!(queue.put_deadline(2, 2, Instant::now() + SHORT), Err(PutError::Timeout(2)));
        assert!(queue.is_full());
        assert_eq!(queue.get_deadline(Instant::now()), Ok(1));
        assert!(!queue.is_full());
        let times = DelayQueue::<_, B>::new_in();
        let start = Instant::now();
        times.put_after(1, LONG).unwrap();
        assert_eq!(times.get_deadline(start + SHORT), Err(GetError::Timeout));
        assert!(start.elapsed() >= SHORT);
        assert_eq!(times.try_get(), Err(GetError::Empty));
        times.put_at(2, start, 0).unwrap();
        assert_eq!(times.get_deadline(start), Ok(2));
    }

    fn of_results_and_jobs() {
        let (promise, future) = Promise::<_, B>::new_in();
        assert!(!future.wait_done_deadline(Instant::now() + SHORT));
        let future = future.wait_deadline(Instant::now()).expect_err("there is no result");
        promise.set(1).unwrap();
        assert!(future.wait_done_deadline(Instant::now()));
        assert_eq!(future.wait_deadline(Instant::now()).unwrap().unwrap(), 1);
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        assert!(pool.join_deadline(Instant::now()));
        let worker = Worker::<B>::new_in().unwrap();
        let job = worker.submit(|| 2).unwrap();
        assert!(worker.join_timeout(LONG) && worker.queued() == 0 && !worker.is_closed());
        worker.close();
        assert!(worker.is_closed());
        assert_eq!(job.wait().unwrap(), 2);
    }

    fn of_actors() {
        let go = std::sync::Arc::new(Event::<B>::new_in());
        let looks = Looks(std::sync::Arc::clone(&go));
        let actor = ActorBuilder::<B>::new_in().bounded(1).start(looks).unwrap();
        assert_eq!(actor.capacity(), Some(1));
        actor.send(None).unwrap();
        // It waits with the first one, so the second one fills its mailbox.
        actor.send(None).unwrap();
        let late = actor.send_deadline(None, Instant::now() + SHORT);
        assert!(matches!(late, Err(SendError::Timeout(None))));
        assert_eq!(actor.join_deadline(Instant::now()), Err(JoinError::TimedOut));
        go.set();
        let asked = actor.ask(Some).unwrap();
        assert_eq!(asked.wait().unwrap(), [Err(GetError::Empty), Err(GetError::Timeout)]);
        let weak = actor.downgrade();
        assert_eq!((weak.join_timeout(SHORT), weak.is_closed()), (Err(JoinError::TimedOut), false));
        drop(actor);
        assert_eq!((weak.join_timeout(LONG), weak.is_closed()), (Ok(Exit::Closed), true));
    }

    fn of_barriers_readers_and_pollers() {
        assert_eq!(Barrier::<B>::new_in(2).wait_deadline(Instant::now() + SHORT), Err(BrokenBarrier));
        assert_eq!(Barrier::<B>::new_in(1).wait_deadline(Instant::now()), Ok(true));
        let exchange = Exchange::<u32, B>::new_in();
        let reader = exchange.reader(Slow::Never);
        assert_eq!(reader.get_deadline(Instant::now() + SHORT), Err(ReadError::Timeout));
        let mut poller = Poller::new();
        assert!(poller.is_empty());
        poller.add(&reader, "reader");
        assert_eq!((poller.len(), poller.wait_deadline(Instant::now() + SHORT)), (1, None));
        exchange.send(1);
        assert_eq!(poller.wait_deadline(Instant::now()), Some(&"reader"));
        assert_eq!(reader.get_deadline(Instant::now()), Ok(1));
    }
}
