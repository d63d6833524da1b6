use super::*;

fn thread(number: u32) -> ThreadId {
    ThreadId(number)
}

#[test]
fn what_a_child_does_comes_after_its_fork_and_before_its_join() {
    let mut stretches = Stretches::new(2);
    let (main, child) = (thread(0), thread(1));
    let before = stretches.now(main);
    stretches.fork(main, child);
    let (between, during) = (stretches.now(main), stretches.now(child));
    stretches.join(main, child);
    let after = stretches.now(main);
    let order = |stretch| stretches.ordered((main, stretch), (child, during));
    assert_eq!(order(before), Some(Tie::ForkJoin));
    assert_eq!(order(between), None);
    assert_eq!(order(after), Some(Tie::ForkJoin));
    assert!(stretches.precedes((main, before), (child, during)));
    assert!(stretches.precedes((child, during), (main, after)));
}

#[test]
fn order_passes_through_a_third_thread() {
    let mut stretches = Stretches::new(3);
    let (main, first, second) = (thread(0), thread(1), thread(2));
    stretches.fork(main, first);
    let early = stretches.now(first);
    stretches.join(main, first);
    stretches.fork(main, second);
    let late = stretches.now(second);
    assert!(stretches.precedes((first, early), (second, late)));
    assert!(!stretches.precedes((second, late), (first, early)));
}

#[test]
fn a_barrier_orders_what_lies_before_it_against_what_lies_behind_it() {
    let mut stretches = Stretches::new(3);
    let now = |stretches: &Stretches| [0, 1, 2].map(|n| stretches.now(thread(n)));
    let before = now(&stretches);
    stretches.barrier(&[thread(0), thread(1)]);
    let after = now(&stretches);
    let order = |a, b| stretches.ordered((thread(0), a), (thread(1), b));
    assert_eq!(order(before[0], after[1]), Some(Tie::Barrier));
    assert_eq!(order(before[0], before[1]), None);
    assert_eq!(order(after[0], after[1]), None);
    let outside = stretches.ordered((thread(0), after[0]), (thread(2), before[2]));
    assert_eq!(outside, None);
}
