#![deny(unused_must_use)]
use lockwise::{Mutex, acquire};

fn main() {
    let a = Mutex::new(1);
    acquire!(a);
}
