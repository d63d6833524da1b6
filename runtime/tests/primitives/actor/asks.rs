//! Questions to actors, and circles of them.

use super::*;

on_each_backend! {
    fn ask_round_trip_and_timeout() {
        let go = Arc::new(Event::<B>::new_in());
        let waits = Arc::clone(&go);
        let actor = start::<B, (bool, Question<B>), _>(move |(slow, reply), _| {
            if slow {
                waits.wait();
            }
            let _ = reply.set(5);
        });
        assert_eq!(actor.ask(|reply| (false, reply)).unwrap().wait().unwrap(), 5);
        assert_eq!(actor.ask_timeout(|reply| (false, reply), LONG).unwrap(), 5);
        let late = actor.ask_timeout(|reply| (true, reply), SHORT);
        assert!(matches!(late, Err(AskError::Failed(Failure::TimedOut))));
        go.set();
        assert_eq!(actor.ask(|reply| (false, reply)).unwrap().wait().unwrap(), 5);
    }

    fn ask_self() {
        let actor = start::<B, Question<B>, _>(|reply, context| {
            let me = context.handle().unwrap();
            let answer = me.ask(|promise| promise).unwrap().wait();
            let _ = reply.set(u32::from(matches!(answer, Err(Failure::Deadlock))));
            context.close();
        });
        assert_eq!(actor.ask(|promise| promise).unwrap().wait().unwrap(), 1);
    }

    fn a_ring_of_asks() {
        /// Where to ask next, and how to answer.
        struct Pass(Vec<Handle<Pass, B>>, Promise<Result<u32, String>, B>);
        let pass = || start::<B, Pass, _>(|Pass(mut next, reply), _| {
            let answer = match next.pop() {
                None => Ok(1),
                Some(to) => match to.ask(|reply| Pass(next, reply)).unwrap().wait() {
                    Ok(answer) => answer,
                    Err(failure) => Err(failure.to_string()),
                },
            };
            drop(reply.set(answer));
        });
        let (a, b, c) = (pass(), pass(), pass());
        let ask = |first: &Handle<Pass, B>, then: &[&Handle<Pass, B>]| {
            let then = then.iter().rev().map(|handle| Handle::clone(handle)).collect();
            first.ask(|reply| Pass(then, reply)).unwrap().wait().unwrap()
        };
        assert_eq!(ask(&a, &[&b, &c]), Ok(1));
        assert!(ask(&a, &[&b, &c, &a]).is_err());
        assert!(ask(&a, &[&b, &a]).is_err());
        // It was told, and all of them are as before.
        assert_eq!(ask(&c, &[&b, &a]), Ok(1));
    }

    fn a_question_that_another_thread_will_answer_closes_no_circle() {
        /// What each of both is told.
        enum Message<B: Backend> {
            /// Ask the other one, and answer with its answer.
            Ask(Question<B>),
            /// Give this away.
            Give(Question<B>),
        }
        let (hand, take) = std::sync::mpsc::channel();
        let busy = start::<B, (Option<Handle<Message<B>, B>>, Question<B>), _>(|(asks, reply), _| {
            let answer = asks.map(|other| other.ask(Message::Give).unwrap().wait());
            let _ = reply.set(answer.map_or(6, Result::unwrap));
        });
        let other = busy.clone();
        let gives = start::<B, Message<B>, _>(move |message, _| match message {
            Message::Give(reply) => hand.send(reply).unwrap(),
            Message::Ask(reply) => {
                let answer = other.ask(|reply| (None, reply)).unwrap().wait();
                let _ = reply.set(answer.map_or(0, |answer| answer + 1));
            }
        });
        let me = gives.clone();
        let first = busy.ask(|reply| (Some(me), reply)).unwrap();
        let question = take.recv().unwrap();
        // One waits for the other, which waits for this thread.
        let second = gives.ask(Message::Ask).unwrap();
        until(|| busy.len() == 1);
        question.set(5).unwrap();
        assert_eq!(first.wait().unwrap(), 5);
        assert_eq!(second.wait().unwrap(), 7);
    }

    fn ask_stopping_supervisor() {
        /// A parent that joins its child, which asks the parent.
        enum Family {
            Child(Handle<Question<B>, B>, Promise<Result<Exit, JoinError>, B>),
            Asked(Question<B>),
        }
        let both = Arc::new(lockwise::sync::Barrier::<B>::new_in(2));
        let met = Arc::clone(&both);
        let parent = start::<B, Family, _>(move |message, _| match message {
            Family::Child(child, reply) => {
                child.close();
                both.wait().unwrap();
                drop(reply.set(child.join()));
            }
            Family::Asked(reply) => {
                let _ = reply.set(1);
            }
        });
        let asks = parent.clone();
        let child = start::<B, Question<B>, _>(move |reply, _| {
            met.wait().unwrap();
            let answer = asks.ask(Family::Asked).unwrap().wait();
            let _ = reply.set(u32::from(answer.is_err()));
        });
        let child_said = child.ask(|reply| reply).unwrap();
        let parent_said = parent.ask(|reply| Family::Child(child, reply)).unwrap();
        // One of both closes the circle and is told; the other goes on.
        let (child, parent) = (child_said.wait().unwrap() == 1, parent_said.wait().unwrap());
        assert!(child != (parent == Err(JoinError::Deadlock)), "{child} {parent:?}");
    }
}
