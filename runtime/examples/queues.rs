//! Producers and consumers: a queue that is closed, one with stops, and one with priorities.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use lockwise::sync::{PriorityQueue, Queue};
use lockwise::thread;

fn main() {
    // A bounded queue: the producer waits for the consumer, and its close ends the loop.
    let numbers = Queue::bounded(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=5 {
                numbers.put(number).expect("it is open");
            }
            numbers.close();
        });
        println!("sum: {}", numbers.iter().sum::<u32>());
    });

    // Two consumers, one stop: each puts it again for the next.
    let jobs = Queue::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for job in &jobs {
                    println!("did {job}");
                }
                jobs.put_stop().expect("it is open");
            });
        }
        for job in ["one", "two", "three"] {
            jobs.put(job).expect("it is open");
        }
        jobs.put_stop().expect("it is open");
    });

    // Highest first; what is equal in the order in which it was put.
    let ranked = PriorityQueue::new();
    for (item, priority) in [("foo", 1), ("bar", 5), ("spam", 4), ("grok", 1)] {
        ranked.put(item, priority).expect("it is open");
    }
    println!("{:?}", ranked.drain());

    // All work is done when the queue is joined.
    let work = Queue::new();
    work.put_many(1..=3).expect("it is open");
    thread::scope(|scope| {
        scope.spawn(|| {
            while let Ok(task) = work.get_task() {
                println!("working on {}", *task);
            }
        });
        work.join();
        println!("all done");
        work.close();
    });
}
