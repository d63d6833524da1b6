//! Minutes of traffic through thousands of actors, queues and exchanges: nothing is lost, and memory stays
//! as it was.
//!
//! `SOAK_SECONDS=300 cargo test --release -p lockwise --test soak -- --ignored --nocapture`. A round makes all
//! of it anew, lets threads send, read, subscribe, leave and close as chance has it, and counts at its end.

use std::env;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use lockwise::sync::{
    Actor, ActorBuilder, Backend, Context, Event, Exchange, Exit, Handle, PriorityQueue, Promise,
    Queue, Raw, ReadError, Reader, Slow, ThreadPool, Tracked,
};
use lockwise::thread;

/// How many there are at once, in each round.
const ACTORS: usize = 2_000;
const QUEUES: usize = 2_000;
const EXCHANGES: usize = 500;
/// So many readers have a queue each, more have their messages in common.
const READERS: [usize; 2] = [4, 20];
/// Threads that do something with them.
const DRIVERS: usize = 4;
/// How often each of them does, in a round.
const STEPS: usize = 20_000;

/// How many readers an exchange has that stay.
fn readers_of(exchange: usize) -> usize {
    READERS[usize::from(exchange.is_multiple_of(10))]
}

/// What was put in somewhere, and what came out somewhere.
#[derive(Debug, Default)]
struct Account {
    sent: AtomicU64,
    handled: AtomicU64,
    queued: AtomicU64,
    got: AtomicU64,
    published: AtomicU64,
    read: AtomicU64,
    asked: AtomicU64,
    answered: AtomicU64,
}

impl Account {
    /// The pairs that must be equal at the end of a round.
    fn pairs(&self) -> [(&'static str, u64, u64); 4] {
        let of = |count: &AtomicU64| count.load(Relaxed);
        [
            ("messages to actors", of(&self.sent), of(&self.handled)),
            ("items of queues", of(&self.queued), of(&self.got)),
            (
                "deliveries of exchanges",
                of(&self.published),
                of(&self.read),
            ),
            ("questions", of(&self.asked), of(&self.answered)),
        ]
    }
}

/// What an actor is sent.
enum Mail<B: Backend> {
    Count(u64),
    Ask(Promise<u64, B>),
}

/// An actor that adds up what it is sent.
struct Adds {
    account: Arc<Account>,
    sum: u64,
}

impl<B: Backend> Actor<B> for Adds {
    type Message = Mail<B>;

    fn handle(&mut self, mail: Mail<B>, _: &Context<'_, Mail<B>, B>) {
        match mail {
            Mail::Count(number) => self.sum += number,
            Mail::Ask(reply) => drop(reply.set(self.sum).is_ok()),
        }
    }

    fn on_stop(&mut self, exit: &Exit) {
        assert_eq!(*exit, Exit::Closed);
        self.account.handled.fetch_add(self.sum, Relaxed);
    }
}

/// Chance, from a seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is less")
    }
}

/// All that a round makes.
struct World<B: Backend> {
    actors: Vec<Handle<Mail<B>, B>>,
    queues: Vec<Queue<u64, B>>,
    ranked: PriorityQueue<u64, u8, B>,
    exchanges: Vec<Exchange<u64, B>>,
    readers: Vec<Reader<u64, B>>,
    pool: ThreadPool<B>,
    account: Arc<Account>,
}

impl<B: Backend> World<B> {
    fn new() -> World<B> {
        let account = Arc::<Account>::default();
        let actor = |_| {
            let adds = Adds {
                account: Arc::clone(&account),
                sum: 0,
            };
            let builder = ActorBuilder::<B>::new_in()
                .bounded(16)
                .stack_size(128 << 10);
            builder.start(adds).expect("there is room for a thread")
        };
        let exchanges: Vec<_> = (0..EXCHANGES).map(|_| Exchange::new_in()).collect();
        let readers = exchanges.iter().enumerate().flat_map(|(at, exchange)| {
            let readers = (0..readers_of(at)).map(|_| exchange.reader(Slow::Never));
            readers.collect::<Vec<_>>()
        });
        World {
            actors: (0..ACTORS).map(actor).collect(),
            queues: (0..QUEUES)
                .map(|at| Queue::bounded_in(1 + at % 64))
                .collect(),
            ranked: PriorityQueue::new_in(),
            readers: readers.collect(),
            exchanges,
            pool: ThreadPool::new_in(4).expect("there is room for threads"),
            account: Arc::clone(&account),
        }
    }

    /// Something, as chance has it.
    fn step(&self, chance: &mut Chance) {
        let account = &*self.account;
        let number = chance.below(100) as u64 + 1;
        match chance.below(10) {
            0..=2 => {
                let actor = &self.actors[chance.below(ACTORS)];
                if actor.send(Mail::Count(number)).is_ok() {
                    account.sent.fetch_add(number, Relaxed);
                }
            }
            3 => {
                account.asked.fetch_add(1, Relaxed);
                let asked = self.actors[chance.below(ACTORS)].ask(Mail::Ask);
                if asked.is_ok_and(|answer| answer.wait().is_ok()) {
                    account.answered.fetch_add(1, Relaxed);
                }
            }
            4 | 5 => {
                let queue = &self.queues[chance.below(QUEUES)];
                let put = queue.put_timeout(number, Duration::from_micros(50));
                if put.is_ok() {
                    account.queued.fetch_add(number, Relaxed);
                }
            }
            6 => {
                if let Ok(number) = self.queues[chance.below(QUEUES)].try_get() {
                    account.got.fetch_add(number, Relaxed);
                }
                let priority = u8::try_from(number).expect("it is small");
                self.ranked.put(number, priority).expect("it is open");
                account.queued.fetch_add(number, Relaxed);
                if chance.below(2) == 0
                    && let Ok(number) = self.ranked.get()
                {
                    account.got.fetch_add(number, Relaxed);
                }
            }
            7 => {
                let at = chance.below(EXCHANGES);
                let (exchange, readers) = (&self.exchanges[at], readers_of(at));
                // Now and then a subscriber comes and goes, beside those that stay.
                let passing = (chance.below(2) == 0).then(|| exchange.subscribe(|_| ()));
                let delivered = exchange.send(number);
                drop(passing);
                assert!(delivered.taken >= readers);
                account
                    .published
                    .fetch_add(number * readers as u64, Relaxed);
            }
            8 => match self.readers[chance.below(self.readers.len())].try_get() {
                Ok(number) => drop(account.read.fetch_add(number, Relaxed)),
                Err(error) => assert_eq!(error, ReadError::Empty),
            },
            _ => {
                account.asked.fetch_add(1, Relaxed);
                let job = self.pool.submit(move || number).expect("it is open");
                assert_eq!(job.wait().ok(), Some(number));
                account.answered.fetch_add(1, Relaxed);
            }
        }
    }

    /// Closes all, empties all, and ends all threads.
    fn end(self) -> Arc<Account> {
        let account = self.account;
        for actor in &self.actors {
            actor.close();
        }
        for actor in &self.actors {
            assert_eq!(actor.join(), Ok(Exit::Closed));
        }
        for queue in &self.queues {
            queue.close();
            account.got.fetch_add(queue.iter().sum(), Relaxed);
        }
        let left: u64 = self.ranked.close_now().into_iter().sum();
        account.got.fetch_add(left, Relaxed);
        drop(self.exchanges);
        for reader in &self.readers {
            while let Ok(number) = reader.get() {
                account.read.fetch_add(number, Relaxed);
            }
        }
        drop(self.pool);
        account
    }
}

/// One round: all of it is made, used and gone.
fn round<B: Backend>(seed: u64) {
    let world = World::<B>::new();
    let go = Event::<B>::new_in();
    thread::scope(|scope| {
        for driver in 1..=DRIVERS {
            let (world, go) = (&world, &go);
            scope.spawn(move || {
                let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ driver as u64);
                go.wait();
                for _ in 0..STEPS {
                    world.step(&mut chance);
                }
            });
        }
        go.set();
    });
    let account = world.end();
    for (what, into, out) in account.pairs() {
        assert_eq!(into, out, "{what}");
        assert!(into > 0, "{what}");
    }
}

/// How much memory the process has in use, in MiB, where the system tells it.
fn memory() -> Option<u64> {
    const PAGE_KIB: u64 = 4;
    let said = fs::read_to_string("/proc/self/statm").ok()?;
    let resident: u64 = said.split(' ').nth(1)?.parse().ok()?;
    Some(resident * PAGE_KIB / 1024)
}

#[expect(
    clippy::print_stdout,
    reason = "whoever waits for minutes may know how it goes"
)]
fn soak<B: Backend>(name: &str) {
    /// Memory is at its usual level after so many rounds.
    const WARM: u64 = 4;
    let seconds = env::var("SOAK_SECONDS").ok().and_then(|it| it.parse().ok());
    let limit = Duration::from_secs(seconds.unwrap_or(120)) / 2;
    let start = Instant::now();
    let (mut rounds, mut usual, mut lately) = (0, None, [None; 4]);
    while start.elapsed() < limit || rounds < 2 * WARM {
        rounds += 1;
        round::<B>(rounds);
        let now = memory();
        if rounds == WARM {
            usual = now;
        }
        lately.rotate_left(1);
        lately[lately.len() - 1] = now;
        println!("{name}: round {rounds}, {now:?} MiB");
    }
    // What allocators keep differs from round to round, but what was lost is missing after each of the last ones.
    let last = lately.into_iter().flatten().min();
    if let (Some(usual), Some(last)) = (usual, last) {
        assert!(
            last <= usual + usual / 4 + 16,
            "{usual} MiB have become {last} MiB"
        );
    }
}

#[test]
#[ignore = "it takes minutes: SOAK_SECONDS says how many"]
fn nothing_is_lost_and_memory_stays_as_it_was() {
    soak::<Raw>("raw");
    soak::<Tracked>("tracked");
}
