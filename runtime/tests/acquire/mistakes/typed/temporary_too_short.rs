use lockwise::{Mutex, acquire};

fn main() {
    let (guard,) = acquire!(Mutex::new(1));
    assert_eq!(*guard, 1);
}
