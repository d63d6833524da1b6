use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Backend, Context, Event, Exit, Failure, GetError, Handle,
    Promise, Restarts, SendError, Status,
};
use lockwise::thread;

use crate::{LONG, SHORT, on_each_backend, until};

/// What a [`Script`] is told.
enum Line<B: Backend> {
    Note(&'static str),
    Ask(Promise<usize, B>),
    Panic,
    /// Says that it has come here, and waits until it may go on.
    Wait(Arc<Event<B>>, Arc<Event<B>>),
    Close,
    Later(Duration, &'static str),
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Script {
    notes: Arc<Mutex<Vec<&'static str>>>,
    /// What it sends itself at its start.
    first: Option<&'static str>,
}

impl Script {
    fn notes(&self) -> Vec<&'static str> {
        self.notes.lock().expect("nobody panics with it").clone()
    }

    fn start<B: Backend>(&self, room: Option<usize>) -> Handle<Line<B>, B> {
        let builder = ActorBuilder::<B>::new_in();
        let builder = match room {
            Some(room) => builder.bounded(room),
            None => builder,
        };
        let started = builder.start(self.clone());
        started.expect("there is room for a thread")
    }
}

impl<B: Backend> Actor<B> for Script {
    type Message = Line<B>;

    fn on_start(&mut self, context: &Context<'_, Line<B>, B>) {
        if let Some(first) = self.first {
            let me = context.handle().expect("the test has a handle");
            assert!(me.send(Line::Note(first)).is_ok());
        }
    }

    fn handle(&mut self, line: Line<B>, context: &Context<'_, Line<B>, B>) {
        match line {
            Line::Note(note) => {
                let mut notes = self.notes.lock().expect("nobody panics with it");
                notes.push(note);
            }
            Line::Ask(reply) => drop(reply.set(self.notes().len())),
            Line::Panic => panic!("as the script says"),
            Line::Wait(come, go) => {
                come.set();
                go.wait();
            }
            Line::Close => context.close(),
            Line::Later(delay, note) => {
                context.send_after(delay, Line::Note(note));
            }
        }
    }
}

/// Holds an actor up; it goes on when the event is set.
fn hold_up<B: Backend>(actor: &Handle<Line<B>, B>) -> Arc<Event<B>> {
    let (come, go) = (Arc::new(Event::new_in()), Arc::new(Event::new_in()));
    assert!(
        actor
            .send(Line::Wait(Arc::clone(&come), Arc::clone(&go)))
            .is_ok()
    );
    come.wait();
    go
}

on_each_backend! {
    fn what_is_left_of_an_actor_that_is_killed_comes_back_once() {
        let script = Script::default();
        let actor = script.start::<B>(None);
        let go = hold_up(&actor);
        for note in ["one", "two"] {
            actor.send(Line::Note(note)).unwrap_or_else(|_| panic!("it is open"));
        }
        assert!(actor.close());
        assert_eq!(actor.kill().len(), 2);
        assert_eq!(actor.kill().len(), 0);
        assert!(!actor.close());
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Killed));
        assert_eq!(script.notes(), [""; 0]);
        assert_eq!(actor.kill().len(), 0);
    }

    fn what_an_actor_sends_itself_at_its_start_comes_first_or_later_but_comes() {
        let script = Script { first: Some("mine"), ..Script::default() };
        let actor = script.start::<B>(None);
        until(|| actor.status() == Status::Running);
        assert!(actor.send(Line::Note("yours")).is_ok());
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(script.notes(), ["mine", "yours"]);
    }

    fn an_actor_that_closes_itself_handles_what_it_has() {
        let script = Script::default();
        let actor = script.start::<B>(None);
        let go = hold_up(&actor);
        for line in [Line::Close, Line::Note("behind"), Line::Close] {
            assert!(actor.send(line).is_ok());
        }
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(script.notes(), ["behind"]);
        assert!(actor.is_closed());
    }

    fn the_last_handle_leaves_its_messages_behind() {
        let script = Script::default();
        let actor = script.start::<B>(None);
        let go = hold_up(&actor);
        assert!(actor.send(Line::Note("left behind")).is_ok());
        let weak = actor.downgrade();
        drop(actor);
        assert!(weak.upgrade().is_none() && weak.is_closed());
        go.set();
        assert_eq!(weak.join(), Ok(Exit::Closed));
        assert_eq!(weak.join_timeout(Duration::ZERO), Ok(Exit::Closed));
        assert_eq!(script.notes(), ["left behind"]);
    }

    fn a_handle_outlives_its_actor() {
        let script = Script::default();
        let actor = script.start::<B>(None);
        let weak = actor.downgrade();
        actor.kill();
        actor.join().unwrap();
        let again = weak.upgrade().expect("there is a handle");
        assert_eq!(again.status(), Status::Stopped);
        assert!(matches!(again.send(Line::Close), Err(SendError::Closed(Line::Close))));
        assert!(matches!(again.try_send(Line::Close), Err(SendError::Closed(_))));
        assert!(matches!(again.send_urgent(Line::Close), Err(SendError::Closed(_))));
        assert!(matches!(again.send_timeout(Line::Close, Duration::ZERO), Err(SendError::Closed(_))));
        assert!(matches!(again.ask(Line::Ask), Err(SendError::Closed(_))));
        assert!(matches!(again.ask_timeout(Line::Ask, LONG), Err(AskError::Refused(_))));
    }

    fn messages_for_later_do_not_keep_an_actor() {
        let script = Script::default();
        let actor = script.start::<B>(None);
        assert!(actor.send(Line::Later(Duration::MAX, "never")).is_ok());
        assert!(actor.send(Line::Later(LONG, "too late")).is_ok());
        assert!(actor.send(Line::Later(Duration::ZERO, "at once")).is_ok());
        until(|| script.notes().len() == 1);
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(script.notes(), ["at once"]);
    }

    fn a_question_that_finds_no_room_in_time_comes_back() {
        let script = Script::default();
        let actor = script.start::<B>(Some(1));
        let go = hold_up(&actor);
        actor.send(Line::Note("fills it")).unwrap_or_else(|_| panic!("there is room"));
        let asked = actor.ask_timeout(Line::Ask, Duration::ZERO);
        // It is said of no open actor that it takes no more.
        let error = asked.err().filter(|error| !error.to_string().contains("takes no more"));
        assert!(matches!(error, Some(AskError::Refused(Line::Ask(_)))));
        go.set();
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert!(matches!(actor.ask_timeout(Line::Ask, LONG), Err(AskError::Refused(Line::Ask(_)))));
    }

    fn a_timer_is_cancelled_once_and_not_after_it_has_come() {
        struct Cancels;
        impl<B: Backend> Actor<B> for Cancels {
            type Message = Option<Promise<Vec<bool>, B>>;
            fn handle(&mut self, message: Self::Message, context: &Context<'_, Self::Message, B>) {
                let Some(reply) = message else { return };
                let (late, now) = (context.send_after(LONG, None), context.send_after(Duration::ZERO, None));
                let cancelled = context.cancel(late).is_some();
                let again = context.cancel(late).is_some();
                let came = context.recv().is_ok_and(|message| message.is_none());
                let too_late = context.cancel(now).is_some();
                drop(reply.set(vec![cancelled, again, came, too_late]));
            }
        }
        let actor = ActorBuilder::<B>::new_in().start(Cancels).unwrap();
        let seen = actor.ask(Some).unwrap().wait().unwrap();
        assert_eq!(seen, [true, false, true, false]);
    }

    fn an_actor_without_room_takes_messages_from_hand_to_hand() {
        let script = Script::default();
        let actor = script.start::<B>(Some(0));
        for note in ["one", "two", "three"] {
            assert!(actor.send(Line::Note(note)).is_ok());
        }
        assert_eq!(actor.ask(Line::Ask).unwrap_or_else(|_| panic!("it is open")).wait().unwrap(), 3);
        let go = hold_up(&actor);
        assert!(matches!(actor.try_send(Line::Close), Err(SendError::Full(_))));
        assert!(matches!(actor.send_timeout(Line::Close, Duration::ZERO), Err(SendError::Timeout(_))));
        assert!(actor.send_urgent(Line::Note("urgent")).is_ok());
        go.set();
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(script.notes().last(), Some(&"urgent"));
    }

    fn who_waits_for_room_is_told_of_the_end() {
        let script = Script::default();
        let actor = script.start::<B>(Some(1));
        let go = hold_up(&actor);
        assert!(actor.send(Line::Panic).is_ok());
        thread::scope(|scope| {
            let sender = scope.spawn(|| actor.send(Line::Note("waits")).is_err());
            let asker = scope.spawn(|| actor.ask_timeout(Line::Ask, LONG).is_err());
            until(|| actor.is_full_of_waiting());
            go.set();
            // The panic makes room; what comes in by that is dropped with the mailbox.
            let (refused, unanswered) = (sender.join().unwrap(), asker.join().unwrap());
            assert!(unanswered, "{refused}");
        });
        assert!(matches!(actor.join(), Ok(Exit::Panicked(_))));
        assert_eq!(script.notes(), [""; 0]);
    }

    fn no_time_is_no_answer() {
        let script = Script::default();
        let actor = script.start::<B>(None);
        let go = hold_up(&actor);
        let asked = actor.ask_timeout(Line::Ask, Duration::ZERO);
        assert!(matches!(asked, Err(AskError::Failed(Failure::TimedOut))));
        go.set();
        // The late answer to that one disturbs nobody.
        assert_eq!(actor.ask_timeout(Line::Ask, LONG).unwrap_or_else(|_| panic!("it answers")), 0);
    }

    fn an_actor_may_have_as_many_lives_as_it_was_given() {
        let lives = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lives);
        let script = Script::default();
        let mine = script.clone();
        let actor = ActorBuilder::<B>::new_in().start_supervised(Restarts::AtMost(2), move || {
            counted.fetch_add(1, SeqCst);
            mine.clone()
        }).unwrap();
        for _ in 0..3 {
            let _ = actor.send(Line::Note("lives"));
            let _ = actor.send(Line::Panic);
        }
        let _ = actor.send(Line::Note("is dead"));
        assert!(matches!(actor.join(), Ok(Exit::Panicked(text)) if text.contains("the script")));
        assert_eq!(lives.load(SeqCst), 3);
        assert_eq!(script.notes(), ["lives"; 3]);
    }

    fn an_actor_that_cannot_be_made_at_first_is_made_again() {
        let tries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&tries);
        let script = Script::default();
        let mine = script.clone();
        let actor = ActorBuilder::<B>::new_in().start_supervised(Restarts::Always, move || {
            assert!(counted.fetch_add(1, SeqCst) >= 2, "not yet");
            mine.clone()
        }).unwrap();
        assert!(actor.send(Line::Note("at last")).is_ok());
        actor.close();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!((tries.load(SeqCst), script.notes()), (3, vec!["at last"]));
    }

    fn a_supervised_actor_can_be_killed_between_two_panics() {
        let script = Script::default();
        let mine = script.clone();
        let actor = ActorBuilder::<B>::new_in().start_supervised(Restarts::Always, move || mine.clone()).unwrap();
        assert!(actor.send(Line::Panic).is_ok());
        let go = hold_up(&actor);
        assert!(actor.send(Line::Panic).is_ok());
        assert_eq!(actor.kill().len(), 1);
        go.set();
        assert_eq!(actor.join(), Ok(Exit::Killed));
    }

    fn an_actor_that_looks_for_messages_itself_sees_each_end() {
        struct Looks(Arc<Mutex<Vec<GetError>>>);
        impl<B: Backend> Actor<B> for Looks {
            type Message = u32;
            fn handle(&mut self, _: u32, _: &Context<'_, u32, B>) {}
            fn run(&mut self, context: &Context<'_, u32, B>) {
                let mut ends = vec![context.try_recv().unwrap_err()];
                ends.push(context.recv_timeout(SHORT).unwrap_err());
                context.close();
                ends.push(context.try_recv().unwrap_err());
                ends.push(context.recv().unwrap_err());
                self.0.lock().unwrap().extend(ends);
            }
        }
        let ends = Arc::new(Mutex::new(Vec::new()));
        let actor = ActorBuilder::<B>::new_in().start(Looks(Arc::clone(&ends))).unwrap();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        let expected = [GetError::Empty, GetError::Timeout, GetError::Closed, GetError::Closed];
        assert_eq!(*ends.lock().unwrap(), expected);
    }

    fn an_actor_does_not_wait_for_room_that_it_alone_makes() {
        /// Sends itself as many messages as there is room for, and one more.
        struct Sends;
        impl<B: Backend> Actor<B> for Sends {
            type Message = Option<Promise<Vec<bool>, B>>;
            fn handle(&mut self, message: Self::Message, context: &Context<'_, Self::Message, B>) {
                let Some(reply) = message else { return };
                let me = context.handle().expect("the test has a handle");
                let sent = (0..3).map(|_| me.send(None));
                let full = |sent| matches!(sent, Err(SendError::Full(None)));
                drop(reply.set(sent.map(full).collect()));
            }
        }
        for (room, expected) in [
            (0, [true; 3]),
            (1, [false, true, true]),
            (2, [false, false, true]),
        ] {
            let handle = ActorBuilder::<B>::new_in()
                .bounded(room)
                .start(Sends)
                .unwrap();
            assert_eq!(
                handle.ask(Some).unwrap().wait().unwrap(),
                expected,
                "{room}"
            );
        }
    }
}

/// How the tests see that somebody waits for room.
trait IsFull {
    fn is_full_of_waiting(&self) -> bool;
}

impl<B: Backend> IsFull for Handle<Line<B>, B> {
    fn is_full_of_waiting(&self) -> bool {
        self.len() == self.capacity().expect("it has a bound")
    }
}
