use lockwise::{RwLock, acquire};

fn main() {
    let mut a = RwLock::new(1);
    let _guards = acquire!(write &mut a);
}
