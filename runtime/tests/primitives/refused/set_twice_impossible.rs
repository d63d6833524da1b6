use lockwise::sync::Promise;

fn main() {
    let (promise, _future) = Promise::new();
    promise.set(1).unwrap();
    promise.set(2).unwrap();
}
