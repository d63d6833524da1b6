use lockwise::{Mutex, acquire};

fn main() {
    let a = Mutex::new(1);
    let _guards = acquire!(a, 42);
}
