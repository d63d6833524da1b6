//! A thread that counts down, and an event that tells when it has begun.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use std::sync::Arc;

use lockwise::sync::Event;
use lockwise::thread;

fn main() {
    let started = Arc::new(Event::new());
    let begins = Arc::clone(&started);
    let countdown = thread::spawn(move || {
        println!("countdown starting");
        begins.set();
        for left in (1..=3).rev() {
            println!("T-minus {left}");
        }
    });
    started.wait();
    println!("countdown is running");
    countdown.join().expect("it does not panic");
}
