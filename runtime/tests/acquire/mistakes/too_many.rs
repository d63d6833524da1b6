use lockwise::{Mutex, acquire};

fn main() {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m] = std::array::from_fn(Mutex::new);
    let _guards = acquire!(a, b, c, d, e, f, g, h, i, j, k, l, m);
}
