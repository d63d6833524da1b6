//! Asking an actor, beside kameo, ractor and actix.
//!
//! Their actors are tasks, ours threads or tasks. Asked from the main thread, as in a program that begins with
//! `#[tokio::main]`, or by actix from another arbiter, each message goes from one thread to another with all of
//! them; ours is a thread there. Asked by another task, all stay mostly on one thread, and nobody has to be woken.
//! That one thread is run by tokio for all of them, as actix's `System` is tokio too; only the last row has ours on the
//! scheduler of this crate.

use actix::{Arbiter, System};
use lockwise::sync::{
    self, ActorBuilder, Backend, Context, Handle, Promise, Raw, Scheduler, Tracked,
};
use tokio::runtime::{Builder, Runtime};

use crate::measure::{Bench, Cost, measure, peer, raw, tracked};

const ASKS: u32 = 10_000;

/// An actor that counts, whoever runs it.
struct Counter(u32);

/// Its message, for kameo and actix.
struct Add(u32);

impl kameo::Actor for Counter {
    type Args = Counter;
    type Error = std::convert::Infallible;

    async fn on_start(
        counter: Counter,
        _: kameo::actor::ActorRef<Counter>,
    ) -> Result<Counter, std::convert::Infallible> {
        Ok(counter)
    }
}

impl kameo::message::Message<Add> for Counter {
    type Reply = u32;

    async fn handle(&mut self, add: Add, _: &mut kameo::message::Context<Counter, u32>) -> u32 {
        self.0 += add.0;
        self.0
    }
}

async fn kameo() -> Cost {
    let counter = <Counter as kameo::actor::Spawn>::spawn(Counter(0));
    let (start, mut sum) = (Cost::start(), 0);
    for _ in 0..ASKS {
        sum = counter.ask(Add(1)).await.expect("it runs");
    }
    assert_eq!(sum, ASKS);
    start.end(ASKS)
}

/// The same for ractor, whose actors keep their state beside them.
struct RactorCounter;

/// Its message.
struct RactorAdd(u32, ractor::RpcReplyPort<u32>);

impl ractor::Actor for RactorCounter {
    type Msg = RactorAdd;
    type State = u32;
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ractor::ActorRef<RactorAdd>,
        (): (),
    ) -> Result<u32, ractor::ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<RactorAdd>,
        RactorAdd(number, reply): RactorAdd,
        sum: &mut u32,
    ) -> Result<(), ractor::ActorProcessingErr> {
        *sum += number;
        Ok(reply.send(*sum)?)
    }
}

async fn ractor() -> Cost {
    let spawned = ractor::Actor::spawn(None, RactorCounter, ()).await;
    let (counter, _) = spawned.expect("it starts");
    let (start, mut sum) = (Cost::start(), 0);
    for _ in 0..ASKS {
        let answer = counter.call(|reply| RactorAdd(1, reply), None).await;
        sum = answer.expect("it runs").expect("it answers");
    }
    assert_eq!(sum, ASKS);
    let cost = start.end(ASKS);
    counter.stop(None);
    cost
}

impl actix::Actor for Counter {
    type Context = actix::Context<Counter>;
}

impl actix::Message for Add {
    type Result = u32;
}

impl actix::Handler<Add> for Counter {
    type Result = u32;

    fn handle(&mut self, add: Add, _: &mut actix::Context<Counter>) -> u32 {
        self.0 += add.0;
        self.0
    }
}

async fn actix(counter: actix::Addr<Counter>) -> Cost {
    let (start, mut sum) = (Cost::start(), 0);
    for _ in 0..ASKS {
        sum = counter.send(Add(1)).await.expect("it runs");
    }
    assert_eq!(sum, ASKS);
    start.end(ASKS)
}

fn actix_across() -> Cost {
    System::new().block_on(async {
        let arbiter = Arbiter::new();
        let counter = actix::Actor::start_in_arbiter(&arbiter.handle(), |_| Counter(0));
        let cost = actix(counter).await;
        arbiter.stop();
        arbiter.join().expect("it does not panic");
        cost
    })
}

fn actix_within() -> Cost {
    System::new().block_on(async { actix(actix::Actor::start(Counter(0))).await })
}

/// The message of ours.
struct OurAdd<B: Backend>(u32, Promise<u32, B>);

impl<B: Backend> sync::Actor<B> for Counter {
    type Message = OurAdd<B>;

    fn handle(&mut self, OurAdd(number, reply): OurAdd<B>, _: &Context<'_, OurAdd<B>, B>) {
        self.0 += number;
        reply.set(self.0).expect("it is wanted");
    }
}

fn ours<B: Backend>() -> Cost {
    let counter: Handle<OurAdd<B>, B> = ActorBuilder::new_in()
        .start(Counter(0))
        .expect("there is room for a thread");
    measure(ASKS, || {
        let mut sum = 0;
        for _ in 0..ASKS {
            let answer = counter.ask(|reply| OurAdd(1, reply)).expect("it is open");
            sum = answer.wait().expect("it answers");
        }
        assert_eq!(sum, ASKS);
    })
}

/// Ours as a task, asked by another one.
async fn ours_as_a_task<B: Backend>() -> Cost {
    let (counter, task) = ActorBuilder::<B>::new_in().task(Counter(0));
    tokio::spawn(task);
    asks(counter).await
}

/// The same on our own scheduler.
fn ours_on_our_scheduler<B: Backend>() -> Cost {
    let scheduler = Scheduler::new();
    let (counter, task) = ActorBuilder::<B>::new_in().task(Counter(0));
    scheduler.spawn(task);
    let asking = scheduler.spawn(asks(counter));
    scheduler.run().expect("all tasks end");
    asking.result().wait().expect("it does not panic")
}

async fn asks<B: Backend>(counter: Handle<OurAdd<B>, B>) -> Cost {
    let (start, mut sum) = (Cost::start(), 0);
    for _ in 0..ASKS {
        let answer = counter.ask_async(|reply| OurAdd(1, reply)).await;
        sum = answer.expect("it answers");
    }
    assert_eq!(sum, ASKS);
    start.end(ASKS)
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.expect("there is room for two threads")
}

pub(crate) fn compare(bench: &mut Bench) {
    let tokio = runtime();
    let task = |cost: tokio::task::JoinHandle<Cost>| tokio.block_on(cost).expect("no panic");
    let ahead = [("kameo", 1.0), ("ractor", 1.0), ("actix", 1.0)];
    bench.compare(
        "actor: ask, from another thread",
        vec![
            peer("kameo", || tokio.block_on(kameo())),
            peer("ractor", || tokio.block_on(ractor())),
            peer("actix", actix_across),
            raw(&ahead, ours::<Raw>),
            tracked(ours::<Tracked>),
        ],
    );
    bench.compare(
        "actor: ask, from another task",
        vec![
            peer("kameo", || task(tokio.spawn(kameo()))),
            peer("ractor", || task(tokio.spawn(ractor()))),
            raw(&ahead[..2], || task(tokio.spawn(ours_as_a_task::<Raw>()))),
            tracked(|| task(tokio.spawn(ours_as_a_task::<Tracked>()))),
        ],
    );
    let local = || Builder::new_current_thread().enable_all().build();
    let local = local().expect("it needs no thread");
    bench.compare(
        "actor: ask, from another task of the same thread",
        vec![
            peer("kameo", || local.block_on(kameo())),
            peer("ractor", || local.block_on(ractor())),
            peer("actix", actix_within),
            raw(&ahead, || local.block_on(ours_as_a_task::<Raw>())),
            tracked(|| local.block_on(ours_as_a_task::<Tracked>())),
        ],
    );
    bench.compare(
        "actor: ask, each on its own scheduler of one thread",
        vec![
            peer("actix", actix_within),
            raw(&ahead[2..], ours_on_our_scheduler::<Raw>),
            tracked(ours_on_our_scheduler::<Tracked>),
        ],
    );
}
