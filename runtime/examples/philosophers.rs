//! Five philosophers who take both their chopsticks at once, in the one order of all locks.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use lockwise::{Mutex, acquire, thread};

fn main() {
    let chopsticks = [const { Mutex::new(0_u32) }; 5];
    thread::scope(|scope| {
        for seat in 0..5 {
            let (left, right) = (&chopsticks[seat], &chopsticks[(seat + 1) % 5]);
            scope.spawn(move || {
                for _ in 0..100 {
                    let (mut left, mut right) = acquire!(left, right);
                    *left += 1;
                    *right += 1;
                }
                println!("philosopher {seat} has eaten");
            });
        }
    });
    let used: u32 = chopsticks.iter().map(|chopstick| *chopstick.lock()).sum();
    println!("chopsticks were taken {used} times");
}
