//! What the documentation promises of actors, exchanges, barriers and values of threads against code of the program that
//! does its worst: handlers that end what they belong to, destructors that panic or come back.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Backend, Barrier, BrokenBarrier, Context, Event, Exchange, Exit,
    Failure, Handle, JoinError, Promise, ReadError, Restarts, SendError, Slow, Status,
    Subscription, ThreadLocal,
};
use lockwise::thread;

use super::adverse::{OnDrop, panics};
use crate::counted::Drops;
use crate::leaf::assert_nothing_held;
use crate::{LONG, on_each_backend, until, until_waiting};

/// What an actor is to do.
pub(super) type Order<B> = Box<dyn FnOnce(&Context<'_, Task<B>, B>) + Send>;

/// Done by a [`Doer`].
pub(super) struct Task<B: Backend>(Order<B>);

impl<B: Backend> Task<B> {
    pub(super) fn new(order: impl FnOnce(&Context<'_, Task<B>, B>) + Send + 'static) -> Task<B> {
        Task(Box::new(order))
    }
}

/// An actor that does what it is told.
pub(super) struct Doer;

impl<B: Backend> Actor<B> for Doer {
    type Message = Task<B>;

    fn handle(&mut self, Task(order): Task<B>, context: &Context<'_, Task<B>, B>) {
        order(context);
    }
}

pub(super) fn doer<B: Backend>() -> Handle<Task<B>, B> {
    let started = ActorBuilder::<B>::new_in().start(Doer);
    started.expect("there is room for a thread")
}

on_each_backend! {
    fn an_actor_may_join_itself_in_each_of_its_methods() {
        struct Joins<B: Backend>(Arc<OnceLock<Handle<u32, B>>>, Arc<Mutex<Vec<Result<Exit, JoinError>>>>);
        impl<B: Backend> Joins<B> {
            fn join(&self) {
                let joined = self.0.get().map(|own| own.join());
                self.1.lock().unwrap().extend(joined);
            }
        }
        impl<B: Backend> Actor<B> for Joins<B> {
            type Message = u32;
            fn on_start(&mut self, context: &Context<'_, u32, B>) {
                let _ = self.0.set(context.handle().expect("there is one"));
                self.join();
            }
            fn handle(&mut self, _: u32, context: &Context<'_, u32, B>) {
                self.join();
                context.close();
            }
            fn on_stop(&mut self, _: &Exit) {
                self.join();
            }
        }
        impl<B: Backend> Drop for Joins<B> {
            fn drop(&mut self) {
                self.join();
            }
        }
        let (own, told) = (Arc::new(OnceLock::new()), Arc::new(Mutex::new(Vec::new())));
        let joins = Joins::<B>(own, Arc::clone(&told));
        let actor = ActorBuilder::<B>::new_in().start(joins).unwrap();
        actor.send(1).unwrap();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(*told.lock().unwrap(), [const { Err(JoinError::Itself) }; 4]);
    }

    fn an_actor_may_kill_itself() {
        let actor = doer::<B>();
        let (go, waits) = (Arc::new(Event::<B>::new_in()), Arc::new(Mutex::new(None)));
        let (going, left) = (Arc::clone(&go), Arc::clone(&waits));
        actor.send(Task::new(move |context| {
            going.wait();
            *left.lock().unwrap() = Some(context.handle().unwrap().kill().len());
        })).unwrap();
        actor.send(Task::new(|_| unreachable!("it is dead"))).unwrap();
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Killed));
        assert_eq!(*waits.lock().unwrap(), Some(1));
        assert_eq!((actor.status(), actor.len()), (Status::Stopped, 0));
    }

    fn what_makes_a_question_may_panic_or_send() {
        let actor = doer::<B>();
        assert!(panics(|| actor.ask::<u32>(|_| panic!("no question")).map(drop)));
        let again = actor.clone();
        let sent = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&sent);
        let answer = actor.ask(move |reply| {
            assert_nothing_held();
            again.send(Task::new(move |_| {
                counts.fetch_add(1, SeqCst);
            })).unwrap();
            Task::new(move |_| reply.set(7).unwrap())
        }).unwrap();
        assert_eq!((answer.wait().unwrap(), sent.load(SeqCst)), (7, 1));
    }

    fn who_waits_for_room_in_an_actor_that_panics_gets_the_message_back() {
        let actor = ActorBuilder::<B>::new_in().bounded(1).start(Doer).unwrap();
        let (go, began) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (waits, begins) = (Arc::clone(&go), Arc::clone(&began));
        actor.send(Task::new(move |_| {
            begins.set();
            waits.wait();
            panic!("with a full mailbox");
        })).unwrap();
        began.wait();
        let drops = Drops::default();
        let (value, kept) = (drops.value(), drops.value());
        actor.send(Task::new(move |_| drop(value))).unwrap();
        thread::scope(|scope| {
            let sends = scope.spawn(|| actor.send(Task::new(move |_| drop(kept))));
            go.set();
            assert!(matches!(sends.join().unwrap(), Err(SendError::Closed(_))));
        });
        assert!(matches!(actor.join(), Ok(Exit::Panicked(text)) if &*text == "with a full mailbox"));
        assert_eq!(drops.count(), 2);
    }

    fn a_question_that_its_actor_drops_or_dies_of_is_no_answer() {
        let actor = doer::<B>();
        let dropped = actor.ask::<u32>(|reply| Task::new(move |_| drop(reply))).unwrap();
        assert!(matches!(dropped.wait(), Err(Failure::Dropped)));
        let died = actor.ask_timeout::<u32>(
            |reply| Task::new(move |_| {
                let _reply = reply;
                panic!("before the answer");
            }),
            LONG,
        );
        assert!(matches!(died, Err(AskError::Failed(Failure::Dropped))));
        let refused = actor.ask_timeout::<u32>(|reply| Task::new(move |_| drop(reply)), Duration::ZERO);
        assert!(matches!(refused, Err(AskError::Refused(_) | AskError::Failed(_))));
    }

    fn a_message_whose_destructor_panics_keeps_no_other_and_no_end() {
        let actor = doer::<B>();
        let (go, began) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let (waits, begins, drops) = (Arc::clone(&go), Arc::clone(&began), Drops::default());
        actor.send(Task::new(move |_| {
            begins.set();
            waits.wait();
        })).unwrap();
        began.wait();
        for at in 0..3 {
            let (value, bad) = (drops.value(), at == 1);
            let holds = OnDrop(move || assert!(!bad || thread::panicking(), "a message"));
            actor.send(Task::new(move |_| drop((value, holds)))).unwrap();
        }
        let left = actor.kill();
        assert_eq!(left.len(), 3);
        assert!(panics(|| drop(left)));
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Killed));
        assert_eq!(drops.count(), 3);
    }

    fn a_start_that_panics_again_uses_up_the_lives() {
        struct Dies(Arc<AtomicUsize>);
        impl<B: Backend> Actor<B> for Dies {
            type Message = u32;
            fn on_start(&mut self, _: &Context<'_, u32, B>) {
                self.0.fetch_add(1, SeqCst);
                panic!("at its start");
            }
            fn handle(&mut self, _: u32, _: &Context<'_, u32, B>) {
                unreachable!("it never starts");
            }
        }
        let starts = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&starts);
        let builder = ActorBuilder::<B>::new_in();
        let actor = builder.start_supervised(Restarts::AtMost(2), move || Dies(Arc::clone(&counts))).unwrap();
        let _ = actor.send(1);
        assert!(matches!(actor.join(), Ok(Exit::Panicked(_))));
        assert_eq!(starts.load(SeqCst), 3);
        assert!(matches!(actor.send(2), Err(SendError::Closed(2))));
    }

    fn timers_that_are_due_at_once_or_never() {
        let (promise, came) = Promise::<u32, B>::new_in();
        let actor = doer::<B>();
        actor.send(Task::new(move |context| {
            let never = context.send_after(Duration::MAX, Task::new(|_| unreachable!("it is never due")));
            context.send_after(Duration::ZERO, Task::new(move |context| {
                assert!(context.cancel(never).is_some() && context.cancel(never).is_none());
                promise.set(1).unwrap();
            }));
        })).unwrap();
        assert_eq!(came.wait().unwrap(), 1);
    }

    fn a_subscriber_may_end_its_own_exchange() {
        let kept = Arc::new(Mutex::new(None));
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let (own, drops) = (Arc::clone(&kept), Drops::default());
        let value = drops.value();
        exchange.attach(move |_| {
            let _ = &value;
            drop(own.lock().unwrap().take());
        });
        let reader = exchange.reader(Slow::Never);
        *kept.lock().unwrap() = Some(Arc::clone(&exchange));
        exchange.send(1);
        assert!(kept.lock().unwrap().is_none() && drops.count() == 0);
        drop(exchange);
        assert_eq!(drops.count(), 1);
        assert_eq!([reader.get(), reader.get()], [Ok(1), Err(ReadError::Closed)]);
    }

    fn a_subscriber_is_dropped_where_it_may_use_the_exchange() {
        let exchange = Arc::new(Exchange::<u32, B>::new_in());
        let reader = exchange.reader(Slow::Never);
        let weak = Arc::downgrade(&exchange);
        let sends = OnDrop(move || {
            let _ = weak.upgrade().map(|exchange| exchange.send(9));
        });
        let id = exchange.attach(move |_| {
            let _ = &sends;
        });
        assert!(exchange.detach(id));
        assert_eq!(reader.try_get(), Ok(9));
        // So is what detaches itself for good, while it is asked.
        let slot = Arc::new(Mutex::new(None));
        let (own, weak) = (Arc::clone(&slot), Arc::downgrade(&exchange));
        let asks = OnDrop({
            let weak = weak.clone();
            move || {
                let _ = weak.upgrade().map(|exchange| exchange.len());
            }
        });
        *slot.lock().unwrap() = Some(exchange.attach(move |_| {
            let _ = &asks;
            let id = own.lock().unwrap().take();
            let _ = id.map(|id| weak.upgrade().unwrap().detach(id));
        }));
        exchange.send(1);
        exchange.send(2);
        assert_eq!((exchange.len(), reader.len()), (1, 2));
    }

    fn a_reader_that_is_waited_for_for_ever_goes_or_reads() {
        let exchange = Exchange::<u32, B>::new_in();
        let (first, second) = (exchange.reader(Slow::Block(1)), exchange.reader(Slow::Block(1)));
        exchange.send(0);
        thread::scope(|scope| {
            let sends = scope.spawn(|| exchange.send(1));
            until_waiting(1, &first);
            drop(first);
            until_waiting(1, &second);
            assert!(!sends.is_finished());
            assert_eq!(second.get(), Ok(0));
            assert_eq!((sends.join().unwrap().taken, second.get()), (1, Ok(1)));
        });
        assert_eq!(exchange.len(), 1);
    }

    fn a_subscription_outlives_no_panic_of_a_subscriber() {
        let exchange = Exchange::<u32, B>::new_in();
        let seen = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&seen);
        let kept: Subscription<'_, _, B> = exchange.subscribe(move |_| {
            counts.fetch_add(1, SeqCst);
        });
        assert!(panics(|| {
            let _gone = exchange.subscribe(|_| panic!("a subscriber"));
            exchange.send(1);
        }));
        assert_eq!((exchange.len(), exchange.send(2).taken, seen.load(SeqCst)), (1, 1, 2));
        drop(kept);
        assert!(exchange.is_empty());
    }

    fn a_value_of_a_thread_may_use_its_object_when_it_is_dropped() {
        struct Late<B: Backend>(Arc<Mutex<Vec<bool>>>, std::sync::Weak<ThreadLocal<Late<B>, B>>);
        impl<B: Backend> Drop for Late<B> {
            fn drop(&mut self) {
                assert_nothing_held();
                // Its thread has no value any more, or the object is gone.
                let taken = self.1.upgrade().map(|local| local.take().is_some());
                self.0.lock().unwrap().extend(taken);
            }
        }
        let told = Arc::new(Mutex::new(Vec::new()));
        let local = Arc::new(ThreadLocal::<Late<B>, B>::new_in());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| local.with(|| Late(Arc::clone(&told), Arc::downgrade(&local)), |_| ()));
            }
        });
        until(|| told.lock().unwrap().len() == 2);
        assert_eq!(*told.lock().unwrap(), [false; 2]);
        assert_eq!(local.idle(), 0);
    }

    fn a_use_that_panics_keeps_the_value() {
        let local = ThreadLocal::<Cell<u32>, B>::new_in();
        assert!(panics(|| local.with(|| Cell::new(1), |value| {
            value.set(2);
            panic!("in a use");
        })));
        assert_eq!(local.with(|| unreachable!("it is there"), Cell::get), 2);
        assert_eq!(local.take().map(Cell::into_inner), Some(2));
        assert_eq!(local.take().map(Cell::into_inner), None);
    }

    fn an_action_that_panics_breaks_the_barrier_for_all() {
        let barrier = Barrier::<B>::new_in(2).with_action(|| panic!("an action"));
        thread::scope(|scope| {
            let waits = scope.spawn(|| catch_unwind(AssertUnwindSafe(|| barrier.wait())));
            let here = catch_unwind(AssertUnwindSafe(|| barrier.wait()));
            let both = [here.is_err(), waits.join().unwrap().is_err()];
            assert_eq!(both.iter().filter(|panicked| **panicked).count(), 1);
        });
        assert!(barrier.is_broken());
        assert_eq!(barrier.wait_timeout(Duration::MAX), Err(BrokenBarrier));
        barrier.reset();
        assert!(!barrier.is_broken() && barrier.waiting() == 0);
    }

    fn who_waits_at_a_barrier_for_ever_is_let_go_by_a_reset() {
        let barrier = Barrier::<B>::new_in(3);
        thread::scope(|scope| {
            let waits = [scope.spawn(|| barrier.wait()), scope.spawn(|| barrier.wait_timeout(Duration::MAX))];
            until(|| barrier.waiting() == 2);
            barrier.reset();
            for wait in waits {
                assert_eq!(wait.join().unwrap(), Err(BrokenBarrier));
            }
        });
        assert!(!barrier.is_broken());
    }
}
