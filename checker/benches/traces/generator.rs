//! Traces with planted deadlocks and known answers; the same for the same plan on every machine.
//!
//! The background cannot deadlock: nested sections take locks in ascending order. Each planted
//! instance has locks of its own and takes place while its threads hold nothing, among events of the
//! others. Kinds, in turn: an inversion; a ring of four threads; an inversion that needs two sections
//! of a third lock turned round; one under a gate; one whose sides are ordered by a write and a read;
//! one whose sides are ordered by fork and join.

use std::fmt::Write as _;

/// What to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) threads: u32,
    pub(crate) locks: u32,
    pub(crate) variables: u32,
    pub(crate) events: u64,
    pub(crate) planted: u32,
    pub(crate) seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            threads: 16,
            locks: 1_000,
            variables: 500,
            events: 4_000_000,
            planted: 18,
            seed: 1,
        }
    }
}

/// A trace in two forms, and its key.
pub(crate) struct Generated {
    pub(crate) events: u64,
    pub(crate) text: Vec<u8>,
    pub(crate) packed: Vec<u8>,
    pub(crate) instances: Vec<Instance>,
    /// The instances as JSON.
    pub(crate) key: String,
}

/// A planted instance.
pub(crate) struct Instance {
    pub(crate) kind: &'static str,
    pub(crate) locks: Vec<u32>,
    pub(crate) deadlocks: bool,
}

/// Operations, by their numbers in LTB1.
const ACQUIRE: u32 = 0;
const RELEASE: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 3;
const FORK: u32 = 4;
const JOIN: u32 = 5;

const NAMES: [&str; 6] = ["acq(L", "rel(L", "r(V", "w(V", "fork(T", "join(T"];

struct Generator {
    plan: Plan,
    random: u64,
    events: u64,
    text: String,
    packed: Vec<u8>,
    /// Per thread, the locks that it holds in the background, oldest first.
    held: Vec<Vec<u32>>,
    /// Threads that stand aside for an instance.
    aside: Vec<u32>,
    next_lock: u32,
    next_variable: u32,
    next_thread: u32,
    next_place: u32,
}

pub(crate) fn generate(plan: &Plan) -> Generated {
    let mut generator = Generator {
        plan: *plan,
        random: plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        events: 0,
        text: String::new(),
        packed: vec![0; 32],
        held: vec![Vec::new(); plan.threads as usize],
        aside: Vec::new(),
        next_lock: plan.locks,
        next_variable: plan.variables,
        next_thread: plan.threads,
        next_place: 0,
    };
    let mut instances = Vec::new();
    for at in 0..=plan.planted {
        let until = plan.events * u64::from(at + 1) / u64::from(plan.planted + 1);
        while generator.events < until {
            generator.background();
        }
        if at < plan.planted {
            instances.push(generator.plant(at % 6));
        }
    }
    for thread in 0..plan.threads {
        generator.let_go(thread);
    }
    generator.finish(instances)
}

impl Generator {
    fn finish(mut self, instances: Vec<Instance>) -> Generated {
        let header = [
            u64::from(u32::from_le_bytes(*b"LTB1")) | 1 << 32,
            self.events,
            u64::from(self.next_thread) | u64::from(self.next_lock) << 32,
            u64::from(self.next_variable),
        ];
        for (at, word) in header.iter().enumerate() {
            self.packed[at * 8..at * 8 + 8].copy_from_slice(&word.to_le_bytes());
        }
        let told: Vec<String> = instances
            .iter()
            .map(|instance| {
                format!(
                    "{{\"kind\":\"{}\",\"locks\":{:?},\"deadlocks\":{}}}",
                    instance.kind, instance.locks, instance.deadlocks
                )
            })
            .collect();
        let seed = self.plan.seed;
        let key = format!("{{\"seed\":{seed},\"instances\":[{}]}}\n", told.join(","));
        Generated {
            events: self.events,
            text: self.text.into_bytes(),
            packed: self.packed,
            instances,
            key,
        }
    }

    /// Marsaglia, Xorshift RNGs, 2003.
    fn below(&mut self, most: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        u32::try_from(((self.random >> 32) * u64::from(most)) >> 32).expect("it is below `most`")
    }

    fn event(&mut self, thread: u32, op: u32, argument: u32) {
        self.events += 1;
        // Places repeat, as they do in a program.
        self.next_place = (self.next_place * 5 + op + 1) % 4093;
        let place = self.next_place;
        let name = NAMES[op as usize];
        writeln!(self.text, "T{thread}|{name}{argument})|{place}").expect("a string takes it");
        let word = u64::from(op)
            | u64::from(thread) << 4
            | u64::from(argument) << 20
            | u64::from(place) << 44;
        self.packed.extend(word.to_le_bytes());
    }

    /// One event of one thread that does not stand aside.
    fn background(&mut self) {
        let thread = self.below(self.plan.threads);
        if self.aside.contains(&thread) {
            return;
        }
        let top = self.held[thread as usize].last().copied();
        match self.below(10) {
            0..=5 => {
                let op = if self.below(3) == 0 { WRITE } else { READ };
                let variable = self.below(self.plan.variables);
                self.event(thread, op, variable);
            }
            6 | 7 if top.is_none_or(|top| top + 1 < self.plan.locks) => {
                let least = top.map_or(0, |top| top + 1);
                let lock = least + self.below(self.plan.locks - least);
                let free = self.held.iter().all(|held| !held.contains(&lock));
                if free && self.held[thread as usize].len() < 4 {
                    self.held[thread as usize].push(lock);
                    self.event(thread, ACQUIRE, lock);
                }
            }
            _ => {
                if let Some(lock) = self.held[thread as usize].pop() {
                    self.event(thread, RELEASE, lock);
                }
            }
        }
    }

    fn let_go(&mut self, thread: u32) {
        while let Some(lock) = self.held[thread as usize].pop() {
            self.event(thread, RELEASE, lock);
        }
    }

    /// Some events of the others.
    fn meanwhile(&mut self) {
        for _ in 0..200 {
            self.background();
        }
    }

    fn locks(&mut self, count: u32) -> Vec<u32> {
        self.next_lock += count;
        (self.next_lock - count..self.next_lock).collect()
    }

    /// Takes the locks in this order and gives them back.
    fn nest(&mut self, thread: u32, locks: &[u32]) {
        for &lock in locks {
            self.event(thread, ACQUIRE, lock);
            self.meanwhile();
        }
        for &lock in locks.iter().rev() {
            self.event(thread, RELEASE, lock);
        }
        self.meanwhile();
    }

    fn plant(&mut self, kind: u32) -> Instance {
        let first = self.below(self.plan.threads);
        let threads: Vec<u32> = (0..4).map(|at| (first + at) % self.plan.threads).collect();
        for &thread in &threads {
            self.let_go(thread);
        }
        self.aside.clone_from(&threads);
        let instance = self.instance(kind, &threads);
        self.aside.clear();
        instance
    }

    fn instance(&mut self, kind: u32, threads: &[u32]) -> Instance {
        let (one, two) = (threads[0], threads[1]);
        let count = if kind == 1 { 4 } else { 2 };
        let locks = self.locks(count);
        let (a, b) = (locks[0], locks[1]);
        let (kind, deadlocks) = match kind {
            0 => {
                self.nest(one, &[a, b]);
                self.nest(two, &[b, a]);
                ("inversion", true)
            }
            1 => {
                for at in 0..4 {
                    self.nest(threads[at], &[locks[at], locks[(at + 1) % 4]]);
                }
                ("ring", true)
            }
            2 => {
                let third = self.locks(1)[0];
                self.nest(two, &[third]);
                self.nest(one, &[third, a, b]);
                self.nest(two, &[b, a]);
                ("turned", true)
            }
            3 => {
                let gate = self.locks(1)[0];
                self.nest(one, &[gate, a, b]);
                self.nest(two, &[gate, b, a]);
                ("gate", false)
            }
            4 => {
                let variable = self.next_variable;
                self.next_variable += 1;
                self.nest(one, &[a, b]);
                self.event(one, WRITE, variable);
                self.meanwhile();
                self.event(two, READ, variable);
                self.nest(two, &[b, a]);
                ("data", false)
            }
            _ => {
                let child = self.next_thread;
                self.next_thread += 1;
                self.event(one, FORK, child);
                self.nest(child, &[a, b]);
                self.event(one, JOIN, child);
                self.nest(one, &[b, a]);
                ("fork-join", false)
            }
        };
        Instance {
            kind,
            locks,
            deadlocks,
        }
    }
}
