//! The search for cycles through a chain that is new.

use super::super::memory::mix;
use super::super::mode::Ask;
use super::super::stack::Stack;
use super::{CYCLE_MAX, Cycle, CycleSide, Learned, NODES_MAX, Node, SEEN_MAX, STEPS_MAX};

/// Locks that a search looks at for the price of one step.
const LOOKS_PER_STEP: usize = 16;

impl Learned {
    /// Whether some path of orders leads from what the node asks for to what is held there: if not,
    /// no cycle can close here, and mostly none can.
    pub(super) fn may_close(&mut self, node: u32) -> bool {
        if self.links.are_ordered() {
            return false;
        }
        if self.gather(0, node).is_none() {
            self.searches_cut += 1;
            return false;
        }
        let wants = self.node(node).number;
        let (held, locks) = (&self.held_at[0], &self.locks);
        self.links.lead(wants, |lock| {
            lock != wants && held.holds(locks.row(lock).lock)
        })
    }

    /// Collects what the side at this place of a path holds, from its node; returns how many locks
    /// were looked at, or nothing without memory.
    ///
    /// Mostly it holds what it held before and a little more: then only that is added.
    fn gather(&mut self, side: usize, node: u32) -> Option<usize> {
        let Learned {
            nodes,
            held_at,
            locks,
            ..
        } = self;
        let row = |number: u32| &nodes[number as usize - 1];
        let held = &mut held_at[side];
        let youngest = row(node).parent;
        let (mut at, mut count) = (youngest, 0);
        while at != 0 && at != held.youngest {
            at = row(at).parent;
            count += 1;
        }
        if at == 0 {
            held.clear();
        }
        let mut at = youngest;
        while at != 0 && at != held.youngest {
            if !held.add(locks.row(row(at).number).lock, row(at).mode) {
                held.clear();
                return None;
            }
            at = row(at).parent;
        }
        held.youngest = youngest;
        Some(count)
    }

    /// The shortest cycle that asks first for what `node` asks for, if it could happen; else one
    /// that was seen on one thread only.
    pub(super) fn search(&mut self, node: u32, running: u32) -> Option<Cycle> {
        // Without another node that wants anything while holding the wanted lock there is none.
        let mut steps = STEPS_MAX;
        let mut found = None;
        for one_thread in [false, true] {
            for len in 2..=CYCLE_MAX {
                let mut path = [0_u32; CYCLE_MAX];
                path[0] = node;
                let mut deeper = false;
                if self.extend(&mut path, 1, len, one_thread, &mut steps, &mut deeper) {
                    found = Some((path, len, one_thread));
                    break;
                }
                if !deeper || steps == 0 {
                    break;
                }
            }
            if found.is_some() {
                break;
            }
        }
        if steps == 0 {
            self.searches_cut += 1;
        }
        let (path, len, one_thread) = found?;
        if self.reported.len() < NODES_MAX {
            // Without memory it may be reported again: better than not at all.
            let _ = self
                .reported
                .insert(self.cycle_hash(&path[..len], one_thread), 1);
        }
        Some(self.cycle(&path[..len], one_thread, running))
    }

    /// Tries to make the path into a cycle of `len` nodes. What its nodes so far hold is in
    /// `held_at`. The depth of the recursion is at most [`CYCLE_MAX`].
    fn extend(
        &mut self,
        path: &mut [u32; CYCLE_MAX],
        at: usize,
        len: usize,
        one_thread: bool,
        steps: &mut usize,
        deeper: &mut bool,
    ) -> bool {
        let last = *self.node(path[at - 1]);
        let mut holder = self.locks.row(last.number).holder;
        while holder != 0 {
            let Node {
                mode,
                next_of_lock,
                first_child,
                ..
            } = *self.node(holder);
            let mut node = if mode.excludes(last.mode) && !self.is_gated(holder, at, steps) {
                first_child
            } else {
                0
            };
            while node != 0 {
                if *steps == 0 {
                    return false;
                }
                *steps -= 1;
                if self.fits(path, at, node, one_thread) {
                    path[at] = node;
                    *deeper = true;
                    let found = if at + 1 < len {
                        let gathered = self.gather(at, node);
                        pay(steps, gathered.unwrap_or(usize::MAX));
                        self.extend(path, at + 1, len, one_thread, steps, deeper)
                    } else {
                        let mode = self.node(node).mode;
                        self.held_at[0].keeps_out(self.lock_of(node), mode)
                            && self.threads_fit(&path[..len], one_thread)
                            && !self.is_reported(&path[..len], one_thread)
                    };
                    if found {
                        return true;
                    }
                }
                // Whatever is asked for while a gate lock is held cannot be the next side.
                let below = !self.is_gate(node, at);
                node = self.next(holder, node, below);
            }
            holder = next_of_lock;
        }
        false
    }

    /// Whether who holds what the node acquired is kept apart from the first `sides` of the path.
    fn is_gate(&self, node: u32, sides: usize) -> bool {
        let (lock, mode) = (self.lock_of(node), self.node(node).mode);
        self.held_at[..sides]
            .iter()
            .any(|side| side.is_gate(lock, mode))
    }

    /// Whether the node or one that it lies below is a gate lock against the first `sides`.
    fn is_gated(&self, node: u32, sides: usize, steps: &mut usize) -> bool {
        let mut count = 0;
        let mut at = node;
        while at != 0 && !self.is_gate(at, sides) {
            at = self.node(at).parent;
            count += 1;
        }
        pay(steps, count);
        at != 0
    }

    /// What stands for a cycle in `reported`: the same whichever side closes it.
    fn cycle_hash(&self, path: &[u32], one_thread: bool) -> u64 {
        let sides = path.iter().map(|&node| mix(self.lock_of(node).0, 11));
        sides.fold(u64::from(one_thread) << 1, u64::wrapping_add) | 1
    }

    fn is_reported(&self, path: &[u32], one_thread: bool) -> bool {
        let hash = self.cycle_hash(path, one_thread);
        self.reported.get(hash).is_some()
    }

    /// The node after `node` in a walk over all that lies below `top`; what lies below `node` itself
    /// only if `below`.
    fn next(&self, top: u32, node: u32, below: bool) -> u32 {
        let mut at = node;
        if below && self.node(at).first_child != 0 {
            return self.node(at).first_child;
        }
        while at != top {
            if self.node(at).next_sibling != 0 {
                return self.node(at).next_sibling;
            }
            at = self.node(at).parent;
        }
        0
    }

    /// Whether `node` can be the next side, for all that its thread and its lock say: it waits, for
    /// another lock than the sides before it, and could overlap with them.
    fn fits(&self, path: &[u32; CYCLE_MAX], at: usize, node: u32, one_thread: bool) -> bool {
        let wants = self.node(node);
        if wants.ask != Ask::Wait {
            return false;
        }
        path[..at].iter().all(|&side| {
            side != node
                && self.node(side).number != wants.number
                && if one_thread {
                    self.together(side, node)
                } else {
                    self.apart(side, node)
                }
        })
    }

    /// Whether the sides were seen on different threads and could overlap.
    fn apart(&self, a: u32, b: u32) -> bool {
        let seen = |node: u32| {
            self.node(node)
                .seen
                .into_iter()
                .filter(|place| place.0 != 0)
        };
        seen(a).any(|a| seen(b).any(|b| a.0 != b.0 && !self.before(a, b) && !self.before(b, a)))
    }

    /// Whether one thread showed both sides.
    fn together(&self, a: u32, b: u32) -> bool {
        let seen = self.node(b).seen;
        self.node(a)
            .seen
            .iter()
            .any(|a| a.0 != 0 && seen.iter().any(|b| a.0 == b.0))
    }

    /// Whether all sides can be on different threads at once; for `one_thread`, that they need not.
    fn threads_fit(&self, path: &[u32], one_thread: bool) -> bool {
        one_thread || self.assign(path, None).is_some()
    }

    /// A thread for each side, all different and unordered; for the first side `first`, if given.
    fn assign(&self, path: &[u32], first: Option<u32>) -> Option<[(u32, u32); CYCLE_MAX]> {
        let mut chosen = [(0, 0); CYCLE_MAX];
        let mut tried = [0_usize; CYCLE_MAX];
        let mut at = 0;
        loop {
            if at == path.len() {
                return Some(chosen);
            }
            let seen = &self.node(path[at]).seen;
            let next = (tried[at]..SEEN_MAX).find(|&choice| {
                let place = seen[choice];
                place.0 != 0
                    && (at > 0 || first.is_none_or(|first| place.0 == first))
                    && chosen[..at].iter().all(|&other| {
                        other.0 != place.0
                            && !self.before(place, other)
                            && !self.before(other, place)
                    })
            });
            if let Some(choice) = next {
                chosen[at] = seen[choice];
                tried[at] = choice + 1;
                at += 1;
            } else if at == 0 {
                return None;
            } else {
                tried[at] = 0;
                at -= 1;
            }
        }
    }

    /// The cycle, whose first side is the running thread's if that can be.
    fn cycle(&self, path: &[u32], one_thread: bool, running: u32) -> Cycle {
        let threads = if one_thread {
            None
        } else {
            self.assign(path, Some(running))
                .or_else(|| self.assign(path, None))
        };
        let mut cycle = Cycle {
            len: path.len(),
            sides: [None; CYCLE_MAX],
            one_thread,
        };
        for (at, &number) in path.iter().enumerate() {
            let node = self.node(number);
            let before = self.node(path[(at + path.len() - 1) % path.len()]);
            let holds = self
                .held(number)
                .find(|&held| self.node(held).number == before.number);
            // Where one thread showed all sides it is mostly the running one, which showed the last.
            let shown = node.seen.iter().any(|seen| seen.0 == running);
            let alone = if shown { running } else { node.seen[0].0 };
            let thread = threads.map_or(alone, |threads| threads[at].0);
            let row = self.threads.get(thread);
            let (stack_of, stack) = self.stack(number);
            cycle.sides[at] = holds.map(|holds| CycleSide {
                thread,
                name: row.map_or([0; 32], |row| row.name),
                holds: self.node(holds).as_held(self.lock_of(holds)),
                wants: node.as_held(self.lock_of(number)),
                stack,
                stack_of,
            });
        }
        cycle
    }

    /// Where the first thread that asked for what is asked for at the node was, and which that is.
    fn stack(&self, node: u32) -> (u32, Stack) {
        let place = self.stack_of.get(node.into());
        place.map_or((0, Stack::EMPTY), |place| self.stacks[place as usize])
    }
}

/// Takes from the steps of a search what looking at so many locks costs.
fn pay(steps: &mut usize, looks: usize) {
    *steps = steps.saturating_sub(looks / LOOKS_PER_STEP);
}
