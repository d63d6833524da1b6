//! Questions and results at the edge of what is there: who asks has gone, the answer comes from elsewhere or never, one
//! of several is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use lockwise::sync::{
    Actor, ActorBuilder, AskError, Backend, Context, Exit, Failure, Handle, Promise, Status,
    ThreadPool, Until, as_completed, wait_for,
};
use lockwise::thread;

use crate::counted::{Counted, Drops};
use crate::{Counting, block_on, on_each_backend, poll_once, rounds, until};

/// What a desk is asked: it keeps the question until somebody takes it, or answers at once.
enum Ask<B: Backend> {
    Keep(Promise<Counted, B>),
    Answer(Promise<Counted, B>, Drops),
}

/// Keeps questions where the test finds them, and notes those that nobody wanted.
struct Desk<B: Backend>(Arc<Mutex<Vec<Promise<Counted, B>>>>, Arc<Mutex<u32>>);

impl<B: Backend> Actor<B> for Desk<B> {
    type Message = Ask<B>;

    fn handle(&mut self, message: Ask<B>, _: &Context<'_, Ask<B>, B>) {
        match message {
            Ask::Keep(reply) => self.0.lock().expect("nobody panics").push(reply),
            Ask::Answer(reply, drops) => {
                if reply.set(drops.value()).is_err() {
                    *self.1.lock().expect("nobody panics") += 1;
                }
            }
        }
    }
}

type Kept<B> = Arc<Mutex<Vec<Promise<Counted, B>>>>;

/// A desk, with what it keeps and how many answers came back.
type Opened<B> = (Handle<Ask<B>, B>, Kept<B>, Arc<Mutex<u32>>);

fn desk<B: Backend>(room: Option<usize>) -> Opened<B> {
    let (kept, unwanted) = (Kept::default(), Arc::default());
    let mut builder = ActorBuilder::<B>::new_in();
    if let Some(room) = room {
        builder = builder.bounded(room);
    }
    let actor = builder.start(Desk(Arc::clone(&kept), Arc::clone(&unwanted)));
    (actor.expect("there is room for a thread"), kept, unwanted)
}

/// What an actor is at each of its moments.
struct Moments<B: Backend>(Arc<Mutex<Vec<Status>>>, Option<Handle<(), B>>);

impl<B: Backend> Moments<B> {
    fn note(&self, status: Status) {
        self.0.lock().expect("nobody panics").push(status);
    }
}

impl<B: Backend> Actor<B> for Moments<B> {
    type Message = ();

    fn on_start(&mut self, context: &Context<'_, (), B>) {
        self.1 = context.handle();
        self.note(self.1.as_ref().expect("it has one").status());
    }

    fn handle(&mut self, (): (), context: &Context<'_, (), B>) {
        self.note(self.1.as_ref().expect("it has one").status());
        context.close();
        self.note(self.1.as_ref().expect("it has one").status());
    }

    fn on_stop(&mut self, _: &Exit) {
        self.note(self.1.as_ref().expect("it has one").status());
    }
}

on_each_backend! {
    fn an_answer_that_nobody_waits_for_any_more_goes_back_and_is_dropped_once() {
        let (desk, kept, unwanted) = desk::<B>(None);
        let drops = Drops::default();
        let (_, waker) = Counting::new();
        {
            let mut asked = pin!(desk.ask_async(Ask::Keep));
            assert!(poll_once(asked.as_mut(), &waker).is_pending());
            until(|| kept.lock().unwrap().len() == 1);
        }
        let reply = kept.lock().unwrap().pop().unwrap();
        assert!(!reply.is_wanted());
        assert!(reply.set(drops.value()).is_err());
        assert_eq!((drops.count(), *unwanted.lock().unwrap()), (1, 0));
    }

    fn an_answer_that_came_and_was_not_looked_at_goes_with_who_asked() {
        let (desk, _, unwanted) = desk::<B>(None);
        let drops = Drops::default();
        let (woken, waker) = Counting::new();
        {
            let mut asked = pin!(desk.ask_async(|reply| Ask::Answer(reply, drops.clone())));
            if poll_once(asked.as_mut(), &waker).is_pending() {
                until(|| woken.count() == 1);
                assert_eq!(drops.count(), 0);
            }
        }
        until(|| drops.count() == 1);
        assert_eq!(*unwanted.lock().unwrap(), 0);
    }

    fn who_asks_is_woken_by_the_waker_of_its_last_look() {
        let (desk, kept, _) = desk::<B>(None);
        let drops = Drops::default();
        let ((first, one), (second, other)) = (Counting::new(), Counting::new());
        let mut asked = pin!(desk.ask_async(Ask::Keep));
        assert!(poll_once(asked.as_mut(), &one).is_pending());
        assert!(poll_once(asked.as_mut(), &one).is_pending());
        assert!(poll_once(asked.as_mut(), &other).is_pending());
        drop(one);
        assert_eq!(Arc::strong_count(&first), 1);
        until(|| kept.lock().unwrap().len() == 1);
        let reply = kept.lock().unwrap().pop().unwrap();
        reply.set(drops.value()).unwrap();
        assert_eq!((first.count(), second.count()), (0, 1));
        assert!(matches!(poll_once(asked.as_mut(), &other), Poll::Ready(Ok(_))));
        assert_eq!(drops.count(), 1);
        let again = catch_unwind(AssertUnwindSafe(|| poll_once(asked.as_mut(), &other).is_ready()));
        assert!(again.is_err());
    }

    fn a_question_that_is_dropped_unanswered_or_panicked_over_says_so() {
        let (desk, kept, _) = desk::<B>(None);
        let (_, waker) = Counting::new();
        for how in 0..3 {
            let mut asked = pin!(desk.ask_async(Ask::Keep));
            assert!(poll_once(asked.as_mut(), &waker).is_pending());
            until(|| kept.lock().unwrap().len() == 1);
            let reply = kept.lock().unwrap().pop().unwrap();
            match how {
                0 => drop(reply),
                1 => reply.panicked(Box::new("no")),
                _ => reply.fulfil(|| panic!("no")),
            }
            let failed = poll_once(asked.as_mut(), &waker);
            let Poll::Ready(Err(AskError::Failed(failure))) = failed else { panic!("in way {how}") };
            let dropped = matches!(failure, Failure::Dropped);
            assert_eq!(dropped, how == 0);
        }
    }

    fn a_question_waits_for_room_and_may_be_taken_back_meanwhile() {
        let (desk, kept, _) = desk::<B>(Some(1));
        let (_, waker) = Counting::new();
        // Holds the actor up: it cannot note a question.
        let held = kept.lock().unwrap();
        let mut asked: Vec<_> = (0..4).map(|_| Box::pin(desk.ask_async(Ask::Keep))).collect();
        assert!(poll_once(asked[0].as_mut(), &waker).is_pending());
        until(|| desk.is_empty());
        for asked in &mut asked[1..] {
            assert!(poll_once(asked.as_mut(), &waker).is_pending());
        }
        assert_eq!(desk.len(), 1);
        drop(asked.remove(2));
        drop(held);
        until(|| kept.lock().unwrap().len() == 2);
        assert!(poll_once(asked[2].as_mut(), &waker).is_pending());
        until(|| kept.lock().unwrap().len() == 3);
        kept.lock().unwrap().clear();
        for mut asked in asked {
            assert!(matches!(poll_once(asked.as_mut(), &waker), Poll::Ready(Err(AskError::Failed(Failure::Dropped)))));
        }
    }

    fn many_tasks_ask_one_actor_and_each_gets_its_own_answer() {
        struct Echo;
        impl<B: Backend> Actor<B> for Echo {
            type Message = (u32, Promise<u32, B>);
            fn handle(&mut self, (number, reply): Self::Message, _: &Context<'_, Self::Message, B>) {
                reply.set(number).expect("it is wanted");
            }
        }
        let echo = ActorBuilder::<B>::new_in().start(Echo).unwrap();
        thread::scope(|scope| {
            let each = u32::try_from(rounds(200)).unwrap();
            for thread in 0..4 {
                let echo = &echo;
                scope.spawn(move || block_on(async {
                    for number in 0..each {
                        let number = thread * 1000 + number;
                        assert_eq!(echo.ask_async(|reply| (number, reply)).await.unwrap(), number);
                    }
                }));
            }
        });
    }

    fn an_actor_that_is_killed_fails_those_who_wait_for_an_answer() {
        let (desk, kept, _) = desk::<B>(None);
        let (_, waker) = Counting::new();
        let held = kept.lock().unwrap();
        let mut asked: Vec<_> = (0..3).map(|_| Box::pin(desk.ask_async(Ask::Keep))).collect();
        for asked in &mut asked {
            assert!(poll_once(asked.as_mut(), &waker).is_pending());
        }
        until(|| desk.len() == 2);
        drop(desk.kill());
        drop(held);
        assert_eq!(desk.join(), Ok(Exit::Killed));
        kept.lock().unwrap().clear();
        for mut asked in asked {
            assert!(matches!(poll_once(asked.as_mut(), &waker), Poll::Ready(Err(AskError::Failed(_)))));
        }
        assert!(matches!(block_on(desk.ask_async(Ask::Keep)), Err(AskError::Refused(_))));
    }

    fn an_actor_is_at_each_moment_what_it_says() {
        let moments = Arc::default();
        let actor = ActorBuilder::<B>::new_in().start(Moments(Arc::clone(&moments), None)).unwrap();
        actor.send(()).unwrap();
        assert_eq!(actor.join(), Ok(Exit::Closed));
        assert_eq!(actor.status(), Status::Stopped);
        let moments = moments.lock().unwrap().clone();
        assert_eq!(moments, [Status::Starting, Status::Running, Status::Running, Status::Stopping]);
    }

    fn all_of_several_with_one_that_is_dropped_and_one_that_fails() {
        let (one, first) = Promise::<u32, B>::new_in();
        let (two, second) = Promise::<u32, B>::new_in();
        let (three, third) = Promise::<u32, B>::new_in();
        let gives = thread::spawn(move || {
            three.panicked(Box::new("no"));
            drop(two);
            one.set(1).unwrap();
        });
        let waited = wait_for([first, second, third], Until::All, None);
        assert!(waited.pending.is_empty());
        let ends: Vec<_> = waited.done.into_iter().map(|done| done.wait().ok()).collect();
        assert_eq!(ends, [Some(1), None, None]);
        gives.join().unwrap();
    }

    fn all_of_several_of_which_one_can_never_come_gives_the_others() {
        let pool = Arc::new(ThreadPool::<B>::new_in(1).unwrap());
        let (comes, later) = Promise::<u32, B>::new_in();
        let again = Arc::clone(&pool);
        let job = pool.submit(move || {
            let never = again.submit(|| 1).unwrap();
            let waited = wait_for([never, later], Until::All, None);
            let done: Vec<_> = waited.done.into_iter().map(|done| done.wait().unwrap()).collect();
            (waited.pending.len(), done)
        });
        comes.set(2).unwrap();
        assert_eq!(job.unwrap().wait().unwrap(), (1, vec![2]));
        pool.join();
    }

    fn a_callback_of_the_first_gives_the_second_that_is_waited_for_with_it() {
        let (one, first) = Promise::<u32, B>::new_in();
        let (two, second) = Promise::<u32, B>::new_in();
        first.on_done(move |_| two.set(2).unwrap());
        let gives = thread::spawn(move || one.set(1).unwrap());
        let waited = wait_for([second, first], Until::All, None);
        assert_eq!((waited.done.len(), waited.pending.len()), (2, 0));
        gives.join().unwrap();
    }

    fn results_of_jobs_that_panic_come_in_the_order_in_which_they_end() {
        let pool = ThreadPool::<B>::new_in(1).unwrap();
        let jobs = (0..4).map(|number| pool.submit(move || {
            assert!(number % 2 == 0);
            number
        }).unwrap());
        let ended = as_completed(jobs.collect::<Vec<_>>()).map(|job| job.wait().ok());
        assert_eq!(ended.collect::<Vec<_>>(), [Some(0), None, Some(2), None]);
    }
}
