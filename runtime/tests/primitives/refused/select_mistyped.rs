use lockwise::sync::{Queue, select};

fn main() {
    let queue = Queue::<u32>::new();
    select! {
        recv(queue) -> got => got.is_ok(),
        default => false,
    };
}
