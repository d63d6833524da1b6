use lockwise::{Mutex, acquire};
use std::sync::Arc;

fn main() {
    let a = Arc::new(Mutex::new(1));
    let _guards = acquire!(read a);
}
