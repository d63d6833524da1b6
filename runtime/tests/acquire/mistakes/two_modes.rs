use lockwise::{RwLock, acquire};

fn main() {
    let a = RwLock::new(1);
    let _guards = acquire!(read write a);
}
