use lockwise::acquire;

fn main() {
    let a = std::cell::RefCell::new(1);
    let _guards = acquire!(write a);
}
