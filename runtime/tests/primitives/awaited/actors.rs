//! Actors that tasks talk to, and actors that are tasks.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Backend, Context, Event, Exit, Failure, Handle, JoinError,
    Promise, Restarts, SendError, Status, WeakHandle,
};
use lockwise::thread;

use super::{boxed, is_pending, ready};
use crate::counted::{Counted, Drops};
use crate::{Counting, SHORT, block_on, on_each_backend, poll_once, until};

/// Adds numbers up, and answers with the sum.
pub(super) struct Sum(pub(super) u32);

/// What it is sent.
pub(super) enum Message<B: Backend> {
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

    fn an_actor_whose_start_panics_has_not_run() {
        /// Notes what it is as it starts and stops; the first one panics as it starts.
        struct Starts<B: Backend>(usize, Arc<Mutex<Vec<Status>>>, WeakHandle<(), B>);
        impl<B: Backend> Actor<B> for Starts<B> {
            type Message = ();
            fn on_start(&mut self, _: &Context<'_, (), B>) {
                self.1.lock().unwrap().push(self.2.status());
                assert_ne!(self.0, 0, "as it starts");
            }
            fn handle(&mut self, (): (), _: &Context<'_, (), B>) {}
            fn on_stop(&mut self, _: &Exit) {
                self.1.lock().unwrap().push(self.2.status());
            }
        }
        let expected = [Status::Starting, Status::Starting, Status::Starting, Status::Stopping];
        let (given, take) = mpsc::channel();
        let (seen, lives) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
        let notes = Arc::clone(&seen);
        let mut me = None;
        let make = move || {
            let me = me.get_or_insert_with(|| take.recv().unwrap());
            Starts::<B>(lives.fetch_add(1, SeqCst), Arc::clone(&notes), WeakHandle::clone(me))
        };
        let (handle, task) = ActorBuilder::<B>::new_in().supervised_task(Restarts::AtMost(1), make);
        given.send(handle.downgrade()).unwrap();
        drop(handle);
        assert_eq!(block_on(task), Exit::Closed);
        assert_eq!(*seen.lock().unwrap(), expected);
    }

    fn what_a_task_sends_itself_as_it_handles_its_last_message_is_handled_too() {
        /// Counts down by messages to itself, then answers, and closes itself if that was asked for.
        struct CountsDown;
        impl<B: Backend> Actor<B> for CountsDown {
            type Message = (u32, Promise<bool, B>);
            fn handle(&mut self, message: Self::Message, context: &Context<'_, Self::Message, B>) {
                let (left, reply) = message;
                if let Some(next) = left.checked_sub(1) {
                    let me = context.handle().unwrap();
                    assert!(me.send((next, reply)).is_ok());
                } else {
                    let _ = reply.set(true);
                    context.close();
                }
            }
        }
        let (handle, task) = ActorBuilder::<B>::new_in().task(CountsDown);
        let (woken, waker) = Counting::new();
        let mut task = boxed(task);
        is_pending(&mut task, &waker);
        let asked = handle.ask(|reply| (3, reply)).unwrap();
        assert_eq!(woken.count(), 1);
        // Whatever it is woken for comes before the end, which it is woken for as well.
        let mut ended = poll_once(task.as_mut(), &waker);
        assert!(asked.try_get().unwrap().unwrap());
        while ended.is_pending() {
            let before = woken.count();
            assert!(before > 1);
            ended = poll_once(task.as_mut(), &waker);
            assert!(ended.is_ready() || woken.count() > before);
        }
    }

    fn a_question_is_made_when_it_is_first_polled_and_once() {
        let (handle, task) = ActorBuilder::<B>::new_in().bounded(1).task(Sum(7));
        let (_, waker) = Counting::new();
        let made = AtomicUsize::new(0);
        let ask = || {
            handle.ask_async(|reply| {
                made.fetch_add(1, SeqCst);
                Message::Total(reply)
            })
        };
        drop(ask());
        assert_eq!((made.load(SeqCst), handle.len()), (0, 0));
        handle.send(Message::Add(1)).unwrap();
        // It waits for room, and is not made again when there is some.
        let mut asked = boxed(ask());
        for _ in 0..2 {
            assert!(poll_once(asked.as_mut(), &waker).is_pending());
            assert_eq!((made.load(SeqCst), handle.len()), (1, 1));
        }
        let mut task = boxed(task);
        is_pending(&mut task, &waker);
        assert!(poll_once(asked.as_mut(), &waker).is_pending());
        is_pending(&mut task, &waker);
        let answer = ready(&mut asked, &waker);
        assert_eq!((answer.unwrap(), made.load(SeqCst)), (8, 1));
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
}
