//! Waiting for several things at once: with a poller, and with `select!`.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use std::time::Duration;

use lockwise::sync::{Event, Poller, Queue, select};
use lockwise::thread;

fn main() {
    let (numbers, texts) = (Queue::new(), Queue::new());
    let stop = Event::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut poller = Poller::new();
            poller.add(&numbers, "numbers");
            poller.add(&texts, "texts");
            poller.add(&stop, "stop");
            loop {
                // Which one is ready; another thread might be quicker, so getting may still find nothing.
                match *poller.wait().expect("there are sources") {
                    "numbers" => numbers
                        .try_iter()
                        .for_each(|it: u32| println!("number {it}")),
                    "texts" => texts.try_iter().for_each(|it: &str| println!("text {it}")),
                    _ => break,
                }
            }
        });
        numbers.put(1).expect("it is open");
        texts.put("hello").expect("it is open");
        numbers.put(10).expect("it is open");
        while !(numbers.is_empty() && texts.is_empty()) {
            thread::yield_now();
        }
        stop.set();
    });

    // Exactly one arm is done.
    texts.put("last").expect("it is open");
    let done = select! {
        get(texts) -> text => format!("got {text:?}"),
        get(numbers) -> number => format!("got {number:?}"),
        default(Duration::from_secs(1)) => "nothing came".to_owned(),
    };
    println!("{done}");
}
