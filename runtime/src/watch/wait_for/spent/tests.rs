use super::*;

fn counting() -> Spent {
    let spent = Spent::new();
    spent.restart();
    spent
}

#[test]
fn a_wait_that_is_taken_up_again_counts_once() {
    let spent = counting();
    spent.begin(|| 10);
    spent.end(|| 15);
    spent.begin(|| 20);
    spent.end(|| 27);
    assert_eq!(spent.by(30), 12);
}

#[test]
fn a_wait_that_lasts_counts_so_far() {
    let spent = counting();
    spent.begin(|| 10);
    assert_eq!(spent.by(13), 3);
    spent.end(|| 15);
    assert_eq!(spent.by(30), 5);
}

#[test]
fn without_a_wait_the_clock_is_not_read() {
    let spent = counting();
    spent.end(|| unreachable!("nothing has begun"));
    assert_eq!(spent.by(30), 0);
}

#[test]
fn waits_before_a_restart_count_no_more() {
    let spent = counting();
    spent.begin(|| 10);
    spent.end(|| 15);
    spent.restart();
    assert_eq!(spent.by(30), 0);
}

#[test]
fn the_clock_is_not_read_for_nobody() {
    let spent = Spent::new();
    spent.begin(|| unreachable!("nobody asks"));
    spent.end(|| unreachable!("nothing has begun"));
    assert_eq!(spent.by(30), 0);
}
