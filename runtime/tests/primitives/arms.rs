//! How the arms of a `select!` are written.

use std::time::Duration;

use lockwise::sync::{Event, Promise, Queue, select};

use crate::on_each_backend;

on_each_backend! {
    fn a_block_does_without_its_comma() {
        let (queue, full) = (Queue::<u32, B>::new_in(), Queue::<u32, B>::bounded_in(1));
        let stop = Event::<B>::new_in();
        let (promise, result) = Promise::<u32, B>::new_in();
        let mut result = Some(result);
        full.put(1).unwrap();
        let mut first = || select! {
            get(queue) -> got => { got.unwrap() }
            put(full, 2) -> put => {
                put.unwrap();
                20
            }
            wait(stop) => { 30 },
            result(result) -> result => { result.unwrap() }
            default(Duration::ZERO) => { 50 }
        };
        assert_eq!(first(), 50);
        queue.put(10).unwrap();
        assert_eq!(first(), 10);
        assert_eq!(full.get(), Ok(1));
        assert_eq!(first(), 20);
        promise.set(40).unwrap();
        assert_eq!(first(), 40);
        stop.set();
        assert_eq!(first(), 30);
    }

    fn a_default_stands_anywhere_and_arms_of_both_kinds_are_mixed() {
        let (queue, stop) = (Queue::<u32, B>::new_in(), Event::<B>::new_in());
        queue.put_many([1, 2]).unwrap();
        let mut sum = 0;
        loop {
            select! {
                default => { break }
                get(queue) -> number => sum += number.unwrap(),
                wait(stop) => {}
            }
        }
        assert_eq!(sum, 3);
    }
}
