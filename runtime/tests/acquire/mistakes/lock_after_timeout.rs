use lockwise::{Mutex, acquire};

fn main() {
    let (a, b) = (Mutex::new(1), Mutex::new(2));
    let _guards = acquire!(a; timeout std::time::Duration::from_secs(1), b);
}
