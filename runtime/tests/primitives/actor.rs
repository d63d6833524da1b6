use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Backend, Context, Event, Exit, Failure, Handle, JoinError,
    Promise, Restarts, SendError, Status,
};
use lockwise::thread;

use super::counted::{Counted, Drops};
use super::{Counting, LONG, SHORT, block_on, on_each_backend, poll_once, rounds, until};

mod asks;

/// An actor made of a function.
struct By<M, F>(F, std::marker::PhantomData<fn(M)>);

impl<B, M, F> Actor<B> for By<M, F>
where
    B: Backend,
    M: Send + 'static,
    F: FnMut(M, &Context<'_, M, B>) + 'static,
{
    type Message = M;

    fn handle(&mut self, message: M, context: &Context<'_, M, B>) {
        (self.0)(message, context);
    }
}

fn start<B, M, F>(handle: F) -> Handle<M, B>
where
    B: Backend,
    M: Send + 'static,
    F: FnMut(M, &Context<'_, M, B>) + Send + 'static,
{
    let builder = ActorBuilder::<B>::new_in();
    let started = builder.start(By(handle, std::marker::PhantomData));
    started.expect("there is room for a thread")
}

/// What was done, in order.
type Log<T> = Arc<Mutex<Vec<T>>>;

fn logged<T: Clone>(log: &Log<T>) -> Vec<T> {
    log.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone()
}

/// Writes down each part of its life.
struct Lives {
    log: Log<String>,
    /// What it panics in.
    bad: &'static str,
    value: Option<Counted>,
}

impl Lives {
    fn new(log: &Log<String>, bad: &'static str) -> Lives {
        Lives {
            log: Arc::clone(log),
            bad,
            value: None,
        }
    }

    fn note(&self, part: &str) {
        self.log
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(part.to_owned());
        assert!(part != self.bad, "in {part}");
    }
}

impl<B: Backend> Actor<B> for Lives {
    type Message = &'static str;

    fn on_start(&mut self, _: &Context<'_, Self::Message, B>) {
        self.note("start");
    }

    fn handle(&mut self, message: &'static str, _: &Context<'_, Self::Message, B>) {
        self.note(message);
    }

    fn on_stop(&mut self, exit: &Exit) {
        self.note(match exit {
            Exit::Closed => "stop: closed",
            Exit::Killed => "stop: killed",
            Exit::Panicked(_) => "stop: panicked",
        });
    }
}

/// How many threads at once surely have room, beside those of the other tests.
fn room_for_threads() -> usize {
    let limit = |path| -> Option<usize> { std::fs::read_to_string(path).ok()?.trim().parse().ok() };
    let (maps, threads) = (
        limit("/proc/sys/vm/max_map_count"),
        limit("/proc/sys/kernel/threads-max"),
    );
    // A thread maps its stack, another one for signals, and a page to guard each.
    match (maps, threads) {
        (Some(maps), Some(threads)) => (maps / 6).min(threads / 4),
        _ => 1_000,
    }
}

/// For the test with so many threads that only one at a time has room.
static MANY_THREADS: Mutex<()> = Mutex::new(());

/// A question that is answered by a number.
type Question<B> = Promise<u32, B>;

on_each_backend! {
    fn hello_world_close_join() {
        let log = Log::default();
        let actor = ActorBuilder::<B>::new_in().start(Lives::new(&log, "")).unwrap();
        actor.send("hello").unwrap();
        actor.send("world").unwrap();
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(logged(&log), ["start", "hello", "world", "stop: closed"]);
    }

    fn overridable_run() {
        struct Sums(u32, Promise<u32, B>);
        struct Summing(Option<Sums>);
        impl Actor<B> for Summing {
            type Message = u32;
            fn handle(&mut self, _: u32, _: &Context<'_, Self::Message, B>) {
                unreachable!("it has its own loop");
            }
            fn run(&mut self, context: &Context<'_, Self::Message, B>) {
                let mut sums = self.0.take().unwrap();
                loop {
                    match context.recv() {
                        Ok(number) => sums.0 += number,
                        Err(error) => {
                            assert_eq!(error, lockwise::sync::GetError::Closed);
                            let _ = sums.1.set(sums.0);
                            return;
                        }
                    }
                }
            }
        }
        let (promise, sum) = Promise::new_in();
        let actor = ActorBuilder::<B>::new_in().start(Summing(Some(Sums(0, promise)))).unwrap();
        actor.send(1).unwrap();
        actor.send(2).unwrap();
        actor.close();
        assert_eq!(sum.wait().unwrap(), 3);
        actor.join().unwrap();
    }

    fn send_after_close_refused() {
        let actor = start::<B, u32, _>(|_, _| ());
        actor.close();
        assert_eq!(actor.send(1), Err(SendError::Closed(1)));
        assert_eq!(actor.try_send(1), Err(SendError::Closed(1)));
        assert_eq!(actor.send_timeout(1, LONG), Err(SendError::Closed(1)));
        assert_eq!(actor.send_urgent(1), Err(SendError::Closed(1)));
        assert_eq!(block_on(actor.send_async(1)), Err(SendError::Closed(1)));
        let asked = start::<B, Question<B>, _>(|_, _| ());
        asked.close();
        assert!(matches!(asked.ask(|promise| promise), Err(SendError::Closed(_))));
        assert!(matches!(asked.ask_timeout(|promise| promise, LONG), Err(AskError::Refused(_))));
    }

    fn close_twice_and_from_self() {
        let seen = Log::default();
        let notes = Arc::clone(&seen);
        let actor = start::<B, u32, _>(move |number, context| {
            context.close();
            context.close();
            notes.lock().unwrap().push(number);
        });
        let sent: Vec<_> = (0..3).map(|number| actor.send(number).is_ok()).collect();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert!(!actor.close());
        // What was sent before it closed itself was handled; what was not came back.
        let handled = logged(&seen);
        assert!(handled.len() == sent.iter().filter(|sent| **sent).count() && handled[0] == 0);
    }

    fn join_before_after_many() {
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let actor = start::<B, (), _>(move |(), _| waits.wait());
        actor.send(()).unwrap();
        assert_eq!(actor.join_timeout(SHORT), Err(JoinError::TimedOut));
        actor.close();
        thread::scope(|scope| {
            let joiners = [(); 3].map(|()| scope.spawn(|| actor.join()));
            go.set();
            for joiner in joiners {
                assert_eq!(joiner.join().unwrap(), Ok(Exit::Closed));
            }
        });
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(actor.join_timeout(Duration::ZERO), Ok(Exit::Closed));
    }

    fn join_self_error() {
        let actor = start::<B, Promise<Result<Exit, JoinError>, B>, _>(|reply, context| {
            let me = context.handle().unwrap();
            drop(reply.set(me.join()));
        });
        let asked = actor.ask(|promise| promise).unwrap();
        assert_eq!(asked.wait().unwrap(), Err(JoinError::Itself));
    }

    fn panic_in_start() {
        let log = Log::default();
        let actor = ActorBuilder::<B>::new_in().start(Lives::new(&log, "start")).unwrap();
        let exit = actor.join().unwrap();
        assert_eq!(exit, Exit::Panicked("in start".into()));
        assert_eq!(actor.send("late"), Err(SendError::Closed("late")));
        assert_eq!(logged(&log), ["start", "stop: panicked"]);
    }

    fn panic_in_stop_hook() {
        let log = Log::default();
        let actor = ActorBuilder::<B>::new_in().start(Lives::new(&log, "stop: closed")).unwrap();
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(actor.status(), Status::Stopped);
    }

    fn panic_in_handler() {
        let log = Log::default();
        let actor = ActorBuilder::<B>::new_in().start(Lives::new(&log, "bad")).unwrap();
        let _ = actor.send("bad");
        let _ = actor.send("never");
        assert_eq!(actor.join(), Ok(Exit::Panicked("in bad".into())));
        assert_eq!(logged(&log), ["start", "bad", "stop: panicked"]);
        assert!(actor.is_closed());
    }

    fn the_end_is_told_after_all_is_dropped() {
        let drops = Drops::default();
        for bad in ["", "one", "stop: closed"] {
            let mut lives = Lives::new(&Log::default(), bad);
            lives.value = Some(drops.value());
            let actor = ActorBuilder::<B>::new_in().start(lives).unwrap();
            let _ = actor.send("one");
            actor.close();
            actor.join().unwrap();
        }
        assert_eq!(drops.count(), 3);
    }

    fn recipient_counts_as_address() {
        let actor = start::<B, u32, _>(|_, _| ());
        let recipient = actor.recipient(|text: &str| u32::from(text.is_empty()));
        let weak = actor.downgrade();
        drop(actor);
        recipient.send("four").unwrap();
        assert!(weak.upgrade().is_some());
        let also = recipient.clone();
        drop(recipient);
        assert_ne!(weak.status(), Status::Stopped);
        drop(also);
        assert!(weak.upgrade().is_none());
        assert_eq!(weak.join(), Ok(Exit::Closed));
    }

    fn stop_overtakes_messages() {
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, waits, seen) = (Arc::clone(&began), Arc::clone(&go), Log::default());
        let notes = Arc::clone(&seen);
        let actor = start::<B, u32, _>(move |number, _| {
            begins.set();
            waits.wait();
            notes.lock().unwrap().push(number);
        });
        for number in 0..4 {
            actor.send(number).unwrap();
        }
        began.wait();
        assert_eq!(actor.kill(), [1, 2, 3]);
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Killed));
        assert_eq!(logged(&seen), [0]);
        // Closing does not overtake.
        let seen = Log::default();
        let notes = Arc::clone(&seen);
        let actor = start::<B, u32, _>(move |number, _| notes.lock().unwrap().push(number));
        for number in 0..4 {
            actor.send(number).unwrap();
        }
        actor.close();
        actor.join().unwrap();
        assert_eq!(logged(&seen), [0, 1, 2, 3]);
    }

    fn restart_keeps_mailbox() {
        let log = Log::default();
        let made = Arc::clone(&log);
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let actor = ActorBuilder::<B>::new_in()
            .start_supervised(Restarts::AtMost(1), move || {
                waits.wait();
                Lives::new(&made, "bad")
            })
            .unwrap();
        for message in ["one", "bad", "two", "bad", "three"] {
            actor.send(message).unwrap();
        }
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Panicked("in bad".into())));
        assert_eq!(logged(&log), ["start", "one", "bad", "stop: panicked", "start", "two", "bad", "stop: panicked"]);
        // Without supervision the backlog is dropped, and who asked learns it.
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, waits) = (Arc::clone(&began), Arc::clone(&go));
        let actor = start::<B, Option<Question<B>>, _>(move |message, _| {
            begins.set();
            waits.wait();
            message.expect("the first one is none");
        });
        actor.send(None).unwrap();
        began.wait();
        let asked = actor.ask(Some).unwrap();
        go.set();
        assert!(matches!(asked.wait(), Err(Failure::Dropped)));
    }

    fn a_supervised_actor_ends_as_others_do() {
        let made = Arc::new(AtomicU32::new(0));
        let makes = Arc::clone(&made);
        let log = Log::default();
        let actor = ActorBuilder::<B>::new_in()
            .start_supervised(Restarts::Always, move || {
                makes.fetch_add(1, SeqCst);
                Lives::new(&log, "bad")
            })
            .unwrap();
        for _ in 0..5 {
            actor.send("bad").unwrap();
        }
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(made.load(SeqCst), 6);
    }

    fn status_monotonic() {
        for _ in 0..rounds(20) {
            let actor = start::<B, u32, _>(|_, _| ());
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        let mut last = Status::Starting;
                        while last != Status::Stopped {
                            let now = actor.status();
                            assert!(now >= last, "{last:?} and then {now:?}");
                            last = now;
                            thread::yield_now();
                        }
                    });
                }
                actor.send(1).unwrap();
                actor.close();
            });
        }
    }

    fn bounded_backpressure() {
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, waits, seen) = (Arc::clone(&began), Arc::clone(&go), Log::default());
        let notes = Arc::clone(&seen);
        let slow = By(move |number: u32, _: &Context<'_, u32, B>| {
            begins.set();
            waits.wait();
            notes.lock().unwrap().push(number);
        }, std::marker::PhantomData);
        let actor = ActorBuilder::<B>::new_in().bounded(1).start(slow).unwrap();
        actor.send(0).unwrap();
        began.wait();
        actor.send(1).unwrap();
        assert_eq!(actor.try_send(9), Err(SendError::Full(9)));
        assert_eq!(actor.send_timeout(9, SHORT), Err(SendError::Timeout(9)));
        // Those that wait come in the order in which they began to.
        let (_, waker) = Counting::new();
        let mut waiting: Vec<_> = (2..5).map(|number| Box::pin(actor.send_async(number))).collect();
        for send in &mut waiting {
            assert!(poll_once(send.as_mut(), &waker).is_pending());
        }
        thread::scope(|scope| {
            let sends = scope.spawn(|| actor.send(5));
            go.set();
            assert!(waiting.into_iter().all(|send| block_on(send).is_ok()));
            assert_eq!(sends.join().unwrap(), Ok(()));
        });
        actor.close();
        actor.join().unwrap();
        assert_eq!(logged(&seen), [0, 1, 2, 3, 4, 5]);
    }

    fn priority_message() {
        let (began, go) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (begins, waits, seen) = (Arc::clone(&began), Arc::clone(&go), Log::default());
        let notes = Arc::clone(&seen);
        let actor = start::<B, &str, _>(move |message, _| {
            begins.set();
            waits.wait();
            notes.lock().unwrap().push(message);
        });
        actor.send("first").unwrap();
        began.wait();
        actor.send("a").unwrap();
        actor.send_urgent("x").unwrap();
        actor.send("b").unwrap();
        actor.send_urgent("y").unwrap();
        go.set();
        actor.close();
        actor.join().unwrap();
        assert_eq!(logged(&seen), ["first", "x", "y", "a", "b"]);
    }

    fn scoped_spawn_order() {
        for _ in 0..rounds(50) {
            let log = Log::default();
            let actor = ActorBuilder::<B>::new_in().start(Lives::new(&log, "")).unwrap();
            actor.send("at once").unwrap();
            drop(actor.downgrade());
            let weak = actor.downgrade();
            drop(actor);
            weak.join().unwrap();
            assert_eq!(logged(&log), ["start", "at once", "stop: closed"]);
        }
    }

    fn send_in_drop_of_message() {
        struct Again(Option<Handle<Again, B>>);
        impl Drop for Again {
            fn drop(&mut self) {
                super::super::leaf::assert_nothing_held();
                if let Some(to) = self.0.take() {
                    let _ = to.send(Again(None));
                }
            }
        }
        let count = Arc::new(AtomicU32::new(0));
        let counts = Arc::clone(&count);
        let actor = start::<B, Again, _>(move |message, _| {
            counts.fetch_add(1, SeqCst);
            drop(message);
        });
        actor.send(Again(Some(actor.clone()))).unwrap();
        until(|| count.load(SeqCst) == 2);
        // Also when it is thrown away.
        let _ = actor.send(Again(Some(actor.clone())));
        drop(actor.kill());
        actor.join().unwrap();
    }

    fn deep_chain_iterative() {
        // Each holds the handle of the next; dropping the first one ends them all, each on its own thread.
        let _alone = MANY_THREADS.lock();
        let deep = rounds(10_000.min(room_for_threads()));
        let mut next: Option<Handle<u32, B>> = None;
        let mut last = None;
        for _ in 0..deep {
            let holds = next.take();
            let link = By(move |_: u32, _: &Context<'_, u32, B>| { let _ = holds.as_ref().map(Handle::len); }, std::marker::PhantomData);
            let actor = ActorBuilder::<B>::new_in().stack_size(128 << 10).start(link).unwrap();
            last.get_or_insert_with(|| actor.downgrade());
            next = Some(actor);
        }
        drop(next);
        assert_eq!(last.unwrap().join(), Ok(Exit::Closed));
        // A thread tells its end a little before the system has taken back its stack.
        until(|| std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count) < 500);
    }

    fn timers() {
        let seen = Log::default();
        let notes = Arc::clone(&seen);
        let start_time = Instant::now();
        let actor = start::<B, &'static str, _>(move |message, context| {
            notes.lock().unwrap().push((message, start_time.elapsed()));
            if message == "go" {
                // Sent first and due last, also where the thread does not run for a while in between.
                context.send_after(SHORT * 20, "late");
                context.send_after(SHORT, "soon");
                let never = context.send_after(SHORT, "never");
                assert_eq!(context.cancel(never), Some("never"));
                assert_eq!(context.cancel(never), None);
                context.send_after(Duration::MAX, "at the end of time");
            }
            if message == "late" {
                context.close();
            }
        });
        actor.send("go").unwrap();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        let seen = logged(&seen);
        assert_eq!(seen.iter().map(|it| it.0).collect::<Vec<_>>(), ["go", "soon", "late"]);
        assert!(seen[1].1 >= SHORT && seen[2].1 >= SHORT * 20);
    }
}
