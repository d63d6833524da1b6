use lockwise::sync::{Event, Queue, select};

fn main() {
    let (queue, stop) = (Queue::<u32>::new(), Event::new());
    select! {
        get(queue) -> _ => 1
        wait(stop) => 2,
    };
}
