//! Publish and subscribe: an exchange by its name, subscribers of all kinds, and one that is slow.
#![expect(clippy::print_stdout, reason = "this is a program that talks")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use lockwise::sync::{Slow, exchange};

fn main() {
    let news = exchange::<String>("news").expect("nobody has it with another type");

    // A counter, for as long as its guard lives.
    let count = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&count);
    let counting = news.subscribe(move |_: String| {
        counts.fetch_add(1, Relaxed);
    });
    // A reader that wants the latest only.
    let latest = news.reader(Slow::DropOldest(1));

    let desk = exchange::<String>("news").expect("it is the same one");
    for item in ["first", "second", "third"] {
        desk.send(item.to_owned());
    }
    drop(counting);
    desk.send("nobody counts this".to_owned());

    println!("counted {}", count.load(Relaxed));
    println!("missed: {:?}", latest.get());
    println!("latest: {:?}", latest.get());
}
