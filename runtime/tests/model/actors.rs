//! Pools, workers and actors.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use lockwise::sync::{
    Actor, ActorBuilder, Context, End, Exit, Failure, Handle, JoinError, Promise, Queue, SendError,
    Shutdown, Status, ThreadPool, Worker,
};
use shuttle::thread;

use super::{Model, SOME_TIME, assert_nothing_held, model};

#[test]
fn all_jobs_of_a_pool_are_done_before_it_is_gone() {
    for grows in [false, true] {
        model(move || {
            let builder = ThreadPool::<Model>::builder_in(2);
            let builder = if grows {
                builder.grow_on_need()
            } else {
                builder
            };
            let pool = builder.build().unwrap();
            let done = Arc::new(AtomicUsize::new(0));
            let jobs = [1, 2, 3].map(|number| {
                let done = Arc::clone(&done);
                pool.submit(move || {
                    assert_nothing_held();
                    done.fetch_add(1, SeqCst);
                    number
                })
            });
            let [first, second, third] = jobs.map(|job| job.unwrap());
            assert_eq!(second.wait().unwrap(), 2);
            drop((first, third));
            drop(pool);
            assert_eq!(done.load(SeqCst), 3);
        });
    }
}

#[test]
fn a_shutdown_ends_each_job_one_way_or_the_other() {
    for how in [Shutdown::Finish, Shutdown::Cancel, Shutdown::Detach] {
        model(move || {
            let pool = ThreadPool::<Model>::new_in(1).unwrap();
            let results = [1, 2].map(|number| pool.submit(move || number).unwrap());
            thread::scope(|scope| {
                let late = scope.spawn(|| pool.submit(|| 3));
                pool.shutdown(how);
                for (number, result) in results.into_iter().enumerate() {
                    match result.wait() {
                        Ok(value) => assert_eq!(value, number + 1),
                        Err(failure) => {
                            assert!(
                                matches!(failure, Failure::Cancelled) && how == Shutdown::Cancel
                            );
                        }
                    }
                }
                if let Ok(late) = late.join().unwrap() {
                    drop(late.wait());
                }
            });
            assert!(pool.submit(|| 4).is_err());
        });
    }
}

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        assert_nothing_held();
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_job_is_done_or_cancelled_whenever_its_future_goes() {
    for cancels in [false, true] {
        model(move || {
            let pool = ThreadPool::<Model>::new_in(2).unwrap();
            let (done, dropped) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
            let ends = Arc::new(Mutex::new(Vec::new()));
            let (counts, value) = (Arc::clone(&done), Counted(Arc::clone(&dropped)));
            let future = pool.submit(move || {
                counts.fetch_add(1, SeqCst);
                value
            });
            let (future, notes) = (future.unwrap(), Arc::clone(&ends));
            let leaver = thread::spawn(move || {
                future.on_done(move |end| notes.lock().unwrap().push(end));
                let cancelled = cancels && future.cancel();
                drop(future);
                cancelled
            });
            assert_eq!(pool.submit(|| 2).unwrap().wait().unwrap(), 2);
            let cancelled = leaver.join().unwrap();
            drop(pool);
            assert_eq!(done.load(SeqCst), usize::from(!cancelled));
            assert_eq!(dropped.load(SeqCst), 1);
            let expected = if cancelled { End::Cancelled } else { End::Done };
            assert_eq!(*ends.lock().unwrap(), [expected]);
        });
    }
}

#[test]
fn who_joins_a_pool_finds_their_jobs_done() {
    for timed in [false, true] {
        model(move || {
            let pool = Arc::new(ThreadPool::<Model>::new_in(2).unwrap());
            let users = [1, 2].map(|jobs| {
                let pool = Arc::clone(&pool);
                thread::spawn(move || {
                    let done = Arc::<AtomicUsize>::default();
                    for _ in 0..jobs {
                        let done = Arc::clone(&done);
                        drop(pool.submit(move || done.fetch_add(1, SeqCst)).unwrap());
                    }
                    if !timed || !pool.join_timeout(SOME_TIME) {
                        pool.join();
                    }
                    assert_eq!(done.load(SeqCst), jobs);
                })
            });
            for user in users {
                user.join().unwrap();
            }
        });
    }
}

#[test]
fn who_joins_a_pool_is_told_of_jobs_that_are_cancelled_or_refused() {
    model(|| {
        let pool = Arc::new(ThreadPool::<Model>::new_in(1).unwrap());
        let late = Arc::clone(&pool);
        drop([1, 2].map(|number| pool.submit(move || number).unwrap()));
        let late = thread::spawn(move || drop(late.submit(|| 3)));
        let ends = Arc::clone(&pool);
        let ends = thread::spawn(move || ends.shutdown(Shutdown::Cancel));
        pool.join();
        ends.join().unwrap();
        late.join().unwrap();
        pool.join();
    });
}

#[test]
fn workers_that_all_wait_for_each_other_are_told() {
    model(|| {
        let pool = Arc::new(ThreadPool::<Model>::new_in(2).unwrap());
        let outer = [1, 2].map(|number| {
            let again = Arc::clone(&pool);
            pool.submit(move || again.submit(move || number).unwrap().wait())
                .unwrap()
        });
        for (number, outer) in outer.into_iter().enumerate() {
            match outer.wait().unwrap() {
                Ok(value) => assert_eq!(value, number + 1),
                Err(failure) => assert!(matches!(failure, Failure::Deadlock), "{failure}"),
            }
        }
    });
}

#[test]
fn a_worker_that_waits_for_itself_is_told_and_one_with_a_deadline_goes_on() {
    model(|| {
        let worker = Arc::new(Worker::<Model>::new_in().unwrap());
        let own = Arc::clone(&worker);
        let told = worker.submit(move || {
            let inner = own.submit(|| 1).unwrap();
            let timed = inner.wait_timeout(SOME_TIME);
            let inner = timed.expect_err("nobody is left to do it");
            matches!(inner.wait(), Err(Failure::Deadlock))
        });
        assert!(told.unwrap().wait().unwrap());
        worker.close();
        worker.join();
    });
}

/// An actor made of a function.
struct By<M, F>(F, std::marker::PhantomData<fn(M)>);

impl<M, F> Actor<Model> for By<M, F>
where
    M: Send + 'static,
    F: FnMut(M, &Context<'_, M, Model>) + 'static,
{
    type Message = M;

    fn handle(&mut self, message: M, context: &Context<'_, M, Model>) {
        assert_nothing_held();
        (self.0)(message, context);
    }
}

fn start<M, F>(capacity: Option<usize>, handle: F) -> Handle<M, Model>
where
    M: Send + 'static,
    F: FnMut(M, &Context<'_, M, Model>) + Send + 'static,
{
    let builder = ActorBuilder::<Model>::new_in();
    let builder = match capacity {
        None => builder,
        Some(capacity) => builder.bounded(capacity),
    };
    let started = builder.start(By(handle, std::marker::PhantomData));
    started.expect("there is room for a thread")
}

/// An actor that gives the sum of what it was sent when it ends.
struct Adder(u32, Option<Promise<u32, Model>>);

impl Actor<Model> for Adder {
    type Message = u32;

    fn handle(&mut self, number: u32, _: &Context<'_, u32, Model>) {
        self.0 += number;
    }

    fn on_stop(&mut self, _: &Exit) {
        if let Some(sum) = self.1.take() {
            let _ = sum.set(self.0);
        }
    }
}

/// Starts an actor that gives the sum of what it was sent when it ends.
pub(crate) fn adder(sum: Promise<u32, Model>) -> Handle<u32, Model> {
    let builder = ActorBuilder::<Model>::new_in();
    let started = builder.start(Adder(0, Some(sum)));
    started.expect("there is room for a thread")
}

#[test]
fn what_was_sent_before_the_close_is_handled_and_what_comes_after_comes_back() {
    for capacity in [None, Some(1)] {
        model(move || {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let notes = Arc::clone(&seen);
            let actor = start(capacity, move |number: u32, _| {
                notes.lock().unwrap().push(number);
            });
            let sent = thread::scope(|scope| {
                let sends = [1, 2].map(|number| {
                    let actor = &actor;
                    scope.spawn(move || {
                        actor.send(number).map_err(|refused| {
                            assert!(matches!(refused, SendError::Closed(_)));
                        })
                    })
                });
                let hurries = scope.spawn(|| actor.send_timeout(3, SOME_TIME));
                actor.close();
                assert_eq!(actor.join(), Ok(Exit::Closed));
                let sent = sends.map(|send| usize::from(send.join().unwrap().is_ok()));
                sent.iter().sum::<usize>() + usize::from(hurries.join().unwrap().is_ok())
            });
            assert_eq!(seen.lock().unwrap().len(), sent);
            assert_eq!(actor.status(), Status::Stopped);
        });
    }
}

#[test]
fn each_question_gets_an_answer_or_a_failure() {
    for kill in [false, true] {
        model(move || {
            let actor = start(None, |reply: Promise<u32, Model>, _| {
                let _ = reply.set(5);
            });
            thread::scope(|scope| {
                let asks = [(); 2].map(|()| {
                    scope.spawn(|| match actor.ask(|reply| reply) {
                        Ok(answer) => answer.wait().is_ok_and(|answer| answer == 5),
                        Err(refused) => matches!(refused, SendError::Closed(_)) && kill,
                    })
                });
                if kill {
                    drop(actor.kill());
                    assert_eq!(actor.join(), Ok(Exit::Killed));
                }
                for asks in asks {
                    let answered = asks.join().unwrap();
                    assert!(answered || kill);
                }
            });
        });
    }
}

#[test]
fn actors_that_ask_each_other_are_told_of_the_circle() {
    /// Whom to ask, and how to answer.
    struct Pass(Option<Handle<Pass, Model>>, Promise<bool, Model>);
    model(|| {
        let pass = || {
            start(None, |Pass(next, reply): Pass, _| {
                let good = match next {
                    None => true,
                    Some(to) => match to.ask(|reply| Pass(None, reply)).unwrap().wait() {
                        Ok(good) => good,
                        Err(failure) => !matches!(failure, Failure::Deadlock),
                    },
                };
                let _ = reply.set(good);
            })
        };
        let (a, b) = (pass(), pass());
        let one = a.ask(|reply| Pass(Some(b.clone()), reply)).unwrap();
        let two = b.ask(|reply| Pass(Some(a.clone()), reply)).unwrap();
        // One of both may be told; the other one gets its answer then.
        let answers = [one.wait().unwrap(), two.wait().unwrap()];
        assert!(answers.contains(&true), "{answers:?}");
        assert!(
            b.ask(|reply| Pass(Some(a.clone()), reply))
                .unwrap()
                .wait()
                .unwrap()
        );
        for actor in [a, b] {
            actor.close();
            assert_eq!(actor.join(), Ok(Exit::Closed));
        }
    });
}

#[test]
fn a_promise_that_was_given_away_closes_no_circle() {
    enum Say {
        /// Whom to ask, and how to tell the answer.
        Ask(Handle<Say, Model>, Promise<u32, Model>),
        /// What somebody else is to answer.
        Pass(Promise<u32, Model>),
    }
    model(|| {
        let given = Arc::new(Queue::<_, Model>::new_in());
        let actor = || {
            let given = Arc::clone(&given);
            start(None, move |say: Say, _| match say {
                Say::Ask(whom, reply) => {
                    let answer = whom.ask(Say::Pass).unwrap().wait();
                    let _ = reply.set(answer.expect("somebody else answers"));
                }
                Say::Pass(reply) => assert!(given.put(reply).is_ok()),
            })
        };
        let (a, b) = (actor(), actor());
        let one = a.ask(|reply| Say::Ask(b.clone(), reply)).unwrap();
        // The second one does not have the first question any more when it asks back.
        let passed = given.get().unwrap();
        let two = b.ask(|reply| Say::Ask(a.clone(), reply)).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| passed.set(7).is_ok());
            assert_eq!(one.wait().unwrap(), 7);
            let _ = given.get().unwrap().set(8);
        });
        assert_eq!(two.wait().unwrap(), 8);
        for actor in [a, b] {
            actor.close();
            assert_eq!(actor.join(), Ok(Exit::Closed));
        }
    });
}

#[test]
fn joining_is_told_of_a_circle_and_by_everybody_else_of_the_end() {
    model(|| {
        let actor = start(None, |reply: Promise<_, Model>, context| {
            let me = context.handle().expect("it is asked by one");
            drop(reply.set(me.join()));
        });
        let asked = actor.ask(|reply| reply).unwrap();
        assert_eq!(asked.wait().unwrap(), Err(JoinError::Itself));
        thread::scope(|scope| {
            let joins = [(); 2].map(|()| scope.spawn(|| actor.join()));
            let hurries = scope.spawn(|| actor.join_timeout(SOME_TIME));
            let weak = actor.downgrade();
            actor.close();
            for joins in joins {
                assert_eq!(joins.join().unwrap(), Ok(Exit::Closed));
            }
            assert!(matches!(
                hurries.join().unwrap(),
                Ok(Exit::Closed) | Err(JoinError::TimedOut)
            ));
            assert_eq!(weak.status(), Status::Stopped);
        });
    });
}

#[test]
fn a_message_to_itself_comes_in_its_time_and_not_after_the_end() {
    model(|| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let actor = start(None, move |number: u32, context| {
            notes.lock().unwrap().push(number);
            if number == 0 {
                context.send_after(SOME_TIME * 2, 2);
                context.send_after(SOME_TIME, 1);
            }
            if number == 2 {
                context.close();
            }
        });
        actor.send(0).unwrap();
        let _ = actor.send(9);
        assert_eq!(actor.join(), Ok(Exit::Closed));
        let mut seen = seen.lock().unwrap().clone();
        seen.retain(|number| *number != 9);
        assert_eq!(seen, [0, 1, 2]);
    });
}
