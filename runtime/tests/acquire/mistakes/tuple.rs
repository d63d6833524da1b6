use lockwise::{Mutex, acquire};

fn main() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let _guards = acquire!((a, b));
}
