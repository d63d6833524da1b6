use super::*;

const NAME: [u8; 32] = [0; 32];

/// Threads of which rows are taken out as it goes, and the same threads with all their rows.
struct Both {
    kept: Threads,
    all: Threads,
    /// The number of each thread's stretch, by its number.
    stretches: Vec<u32>,
    /// Threads that live, by number.
    living: Vec<u32>,
    /// Those that have ended and were not joined.
    ended: Vec<u32>,
    /// What the tree names, with the stretch.
    named: Vec<(u32, u32)>,
}

impl Both {
    fn new() -> Both {
        let mut both = Both {
            kept: Threads::new(),
            all: Threads::new(),
            stretches: vec![0],
            living: Vec::new(),
            ended: Vec::new(),
            named: Vec::new(),
        };
        both.fork(None);
        both
    }

    fn fork(&mut self, parent: Option<u32>) -> u32 {
        let parent = parent.map(|parent| (parent, self.next_stretch(parent)));
        let child = self.kept.add(NAME, parent);
        assert_eq!(self.all.add(NAME, parent), child);
        self.stretches.push(0);
        self.living.push(child);
        child
    }

    /// The stretch of a thread, which ends.
    fn next_stretch(&mut self, thread: u32) -> u32 {
        let stretch = &mut self.stretches[thread as usize];
        *stretch += 1;
        *stretch - 1
    }

    fn end(&mut self, thread: u32) {
        self.living.retain(|&other| other != thread);
        self.ended.push(thread);
        self.kept.ended(thread);
        self.all.ended(thread);
    }

    fn join(&mut self, thread: u32, joiner: u32) {
        self.ended.retain(|&other| other != thread);
        let stretch = self.next_stretch(joiner);
        self.kept.joined(thread, joiner, stretch);
        self.all.joined(thread, joiner, stretch);
    }

    fn name(&mut self, thread: u32) {
        self.named.push((thread, self.stretches[thread as usize]));
    }

    fn sweep(&mut self) {
        let named = self.named.iter().map(|named| named.0);
        self.kept.keep_needed(named, 0);
    }

    /// All that may be asked has the same answer.
    fn agree(&self) {
        let live = self
            .living
            .iter()
            .map(|&thread| (thread, self.stretches[thread as usize]));
        let asked: Vec<_> = self.named.iter().copied().chain(live).collect();
        for &a in &asked {
            for &b in &asked {
                assert_eq!(self.kept.before(a, b), self.all.before(a, b), "{a:?} {b:?}");
            }
        }
    }
}

fn pick(row: &[u32], chance: u64) -> Option<u32> {
    let count = row.len() as u64;
    (count > 0).then(|| row[usize::try_from(chance % count).expect("it is less")])
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn taking_rows_out_changes_no_answer() {
    for seed in 1..=300_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut chance = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 8
        };
        let mut both = Both::new();
        for _ in 0..120 {
            let one = pick(&both.living, chance()).expect("somebody always lives");
            match chance() % 8 {
                0..=2 => drop(both.fork(Some(one))),
                3 if both.living.len() > 1 => both.end(one),
                4 | 5 => {
                    if let Some(thread) = pick(&both.ended, chance()) {
                        both.join(thread, one);
                    }
                }
                6 if both.named.len() < 12 => both.name(one),
                _ => both.sweep(),
            }
        }
        both.agree();
        both.sweep();
        both.agree();
    }
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn threads_that_come_and_go_leave_no_rows() {
    let mut threads = Threads::new();
    let main = threads.add(NAME, None);
    let named = threads.add(NAME, Some((main, 0)));
    threads.ended(named);
    threads.joined(named, main, 1);
    for stretch in 2..100_000 {
        let child = threads.add(NAME, Some((main, stretch)));
        threads.ended(child);
        threads.joined(child, main, stretch);
        if threads.are_enough() {
            threads.keep_needed([named].into_iter(), 0);
        }
        assert!(threads.rows.len() <= 2 * FEW, "{}", threads.rows.len());
    }
    assert!(threads.before((named, 0), (main, 2)));
    assert!(!threads.before((named, 0), (main, 1)));
}

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn a_relay_of_threads_leaves_no_rows() {
    let mut threads = Threads::new();
    let first = threads.add(NAME, None);
    let mut runner = first;
    for _ in 0..100_000 {
        let next = threads.add(NAME, Some((runner, 3)));
        threads.ended(runner);
        runner = next;
        if threads.are_enough() {
            threads.keep_needed([first].into_iter(), 0);
        }
        assert!(threads.rows.len() <= 2 * FEW, "{}", threads.rows.len());
    }
    // Up to the fork, and not beyond.
    assert!(threads.before((first, 3), (runner, 0)));
    assert!(!threads.before((first, 4), (runner, 0)));
}

#[test]
fn who_lives_is_kept_with_its_name() {
    let mut threads = Threads::new();
    let living = threads.add([b'a'; 32], None);
    let gone = threads.add([b'b'; 32], None);
    threads.ended(gone);
    threads.keep_needed(std::iter::empty(), 0);
    assert!(threads.get(gone).is_none());
    assert_eq!(threads.get(living).map(|row| row.name), Some([b'a'; 32]));
    // In the child of a fork one thread is left.
    let other = threads.add(NAME, None);
    threads.all_ended_but(other);
    threads.keep_needed(std::iter::empty(), 0);
    assert!(threads.get(living).is_none() && threads.get(other).is_some());
}
