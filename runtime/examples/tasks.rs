//! Tasks that take turns on one thread, instead of a thread for each.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use std::rc::Rc;
use std::time::Duration;

use lockwise::sync::{Queue, Scheduler, yield_now};

async fn countdown(from: u32) {
    for left in (1..=from).rev() {
        println!("T-minus {left}");
        yield_now().await;
    }
    println!("blastoff!");
}

async fn count_up(to: u32) {
    for count in 0..to {
        println!("counting up {count}");
        yield_now().await;
    }
}

fn main() {
    let scheduler = Scheduler::new();
    let _ = scheduler.spawn(countdown(3));
    let _ = scheduler.spawn(count_up(4));

    // A producer and a consumer, with a queue between them.
    let line = Rc::new(Queue::bounded(1));
    let (puts, clock) = (Rc::clone(&line), scheduler.clone());
    let _ = scheduler.spawn(async move {
        for number in 1..=3 {
            clock.sleep(Duration::from_millis(1)).await;
            puts.put_async(number).await.expect("it is open");
        }
        puts.close();
    });
    let sum = scheduler.spawn(async move {
        let mut sum = 0;
        while let Ok(number) = line.get_async().await {
            sum += number;
        }
        sum
    });
    scheduler.run().expect("nobody is left behind");
    println!("sum: {}", sum.result().wait().expect("it does not panic"));
}
