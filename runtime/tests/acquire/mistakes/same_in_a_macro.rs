use lockwise::{Mutex, acquire};

macro_rules! both {
    ($a:expr, $b:expr) => { acquire!($a, $b) };
}

fn main() {
    let _guards = both!(A, A);
}

static A: Mutex<i32> = Mutex::new(1);
