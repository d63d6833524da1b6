use lockwise::{RwLock, try_acquire};

fn main() {
    let a = RwLock::new(1);
    let _guards = try_acquire!(read a, write &a);
}
