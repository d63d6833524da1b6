use lockwise::{Mutex, try_acquire};

fn main() {
    let a = Mutex::new(1);
    let _guards = try_acquire!(a; timeout 50);
}
