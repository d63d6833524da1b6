use lockwise::sync::{Queue, select};

fn main() {
    let queue = Queue::<u32>::new();
    select! {
        default => 1,
        get(queue) -> _ => 2,
        default => 3,
    };
}
