use lockwise::{Mutex, acquire};

fn main() {
    let pair = (Mutex::new(1), Mutex::new(2));
    let _guards = acquire!(pair.0, pair.1, pair.0);
}
