//! [`mpsc`]: order of messages, ends of both sides, and what is said of them.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use lockwise::stdsync::mpsc::{self, RecvTimeoutError, TryRecvError, TrySendError};

use crate::assert_same_as_std;

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(30);

#[test]
#[cfg_attr(miri, ignore = "too many rounds")]
fn each_sender_is_heard_in_its_order_and_all_are_heard() {
    const EACH: u32 = 500;
    let (sender, receiver) = mpsc::channel();
    let (bounded, narrow) = mpsc::sync_channel(3);
    thread::scope(|scope| {
        for name in 0..3 {
            let (sender, bounded) = (sender.clone(), bounded.clone());
            scope.spawn(move || {
                for count in 0..EACH {
                    sender.send((name, count)).unwrap();
                    bounded.send((name, count)).unwrap();
                }
            });
        }
        drop((sender, bounded));
        for received in [receiver.into_iter(), narrow.into_iter()] {
            scope.spawn(move || {
                let mut next = [0; 3];
                for (name, count) in received {
                    assert_eq!(count, next[name]);
                    next[name] += 1;
                }
                assert_eq!(next, [EACH; 3]);
            });
        }
    });
}

#[test]
fn without_room_both_sides_meet() {
    let (sender, receiver) = mpsc::sync_channel(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let passed = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            sender.send(2).unwrap();
            passed.fetch_add(1, SeqCst);
        });
        assert_eq!(passed.load(SeqCst), 0);
        assert_eq!(receiver.recv(), Ok(2));
        scope.spawn(|| while sender.try_send(3).is_err() {});
        assert_eq!(receiver.recv_timeout(LONG), Ok(3));
    });
}

#[test]
fn what_comes_of_each_call_is_stds() {
    let outcomes = assert_same_as_std!({
        let (sender, receiver) = sync::mpsc::channel();
        let mut outcomes = vec![format!("{:?}", receiver.try_recv())];
        outcomes.push(format!("{:?}", receiver.recv_timeout(SHORT)));
        let second = sender.clone();
        sender.send(1).unwrap();
        second.send(2).unwrap();
        second.send(3).unwrap();
        outcomes.push(format!("{:?}", receiver.recv()));
        outcomes.push(format!("{:?}", receiver.recv_timeout(SHORT)));
        drop((sender, second));
        outcomes.push(format!("{:?}", receiver.try_recv()));
        outcomes.push(format!("{:?}", receiver.try_recv()));
        outcomes.push(format!("{:?}", receiver.recv()));
        outcomes.push(format!("{:?}", receiver.recv_timeout(SHORT)));
        outcomes.push(format!("{:?}", receiver.try_iter().next()));

        let (bounded, receiver) = sync::mpsc::sync_channel(1);
        outcomes.push(format!(
            "{:?} {:?}",
            bounded.try_send(1),
            bounded.try_send(2)
        ));
        drop(receiver);
        outcomes.push(format!("{:?} {:?}", bounded.send(4), bounded.try_send(5)));
        outcomes.push(bounded.send(6).unwrap_err().to_string());
        outcomes
    });
    assert_eq!(
        outcomes[1],
        format!("{:?}", Err::<u8, _>(RecvTimeoutError::Timeout))
    );
    assert_eq!(
        outcomes[5],
        format!("{:?}", Err::<u8, _>(TryRecvError::Disconnected))
    );
}

#[test]
fn the_receiver_drops_what_nobody_heard() {
    struct Counted<'a>(&'a AtomicUsize);
    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, SeqCst);
        }
    }
    let dropped = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    for _ in 0..3 {
        assert!(sender.send(Counted(&dropped)).is_ok());
    }
    drop(receiver.recv());
    assert_eq!(dropped.load(SeqCst), 1);
    drop(receiver);
    assert_eq!(dropped.load(SeqCst), 3);
    let refused = sender.send(Counted(&dropped)).unwrap_err();
    assert_eq!(dropped.load(SeqCst), 3);
    drop(refused);
    assert_eq!(dropped.load(SeqCst), 4);
}

#[test]
fn a_waiting_receiver_learns_that_the_last_sender_is_gone() {
    let (sender, receiver) = mpsc::channel::<u8>();
    thread::scope(|scope| {
        for _ in 0..2 {
            let sender = sender.clone();
            scope.spawn(move || drop(sender));
        }
        drop(sender);
        assert!(receiver.recv().is_err());
        assert_eq!(receiver.iter().count(), 0);
    });
}

#[test]
fn iterators_end_as_in_std() {
    assert_same_as_std!({
        let (sender, receiver) = sync::mpsc::channel();
        (0..6).for_each(|n| sender.send(n).unwrap());
        let two: Vec<i32> = receiver.iter().take(2).collect();
        let more: Vec<i32> = receiver.try_iter().take(2).collect();
        let hint = (receiver.iter().size_hint(), receiver.try_iter().size_hint());
        drop(sender);
        let mut rest = Vec::new();
        for n in &receiver {
            rest.push(n);
        }
        (two, more, hint, rest, receiver.into_iter().next())
    });
}

#[test]
fn they_look_as_in_std() {
    assert_same_as_std!({
        let (sender, receiver) = sync::mpsc::channel::<u8>();
        let (bounded, _) = sync::mpsc::sync_channel::<u8>(1);
        let iterators = (receiver.iter(), receiver.try_iter());
        let texts = format!("{sender:?} {bounded:?} {receiver:?} {iterators:#?}");
        format!("{texts} {:?}", receiver.into_iter())
    });
}
