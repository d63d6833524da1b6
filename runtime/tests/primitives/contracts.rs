//! The contract of each primitive is where it is looked for, whole, and with an example.

use std::fs;
use std::path::Path;

/// What a contract says, by the words with which its points begin.
const POINTS: [&str; 8] = [
    "order",
    "blocking",
    "capacity",
    "close",
    "panic",
    "drop",
    "re-entrancy",
    "fairness",
];

/// Where the primitives are, and which.
const PRIMITIVES: [(&str, &str); 21] = [
    ("locks/condvar.rs", "Condvar"),
    ("locks/semaphore.rs", "Semaphore"),
    ("sync/actor/handle.rs", "Handle"),
    ("sync/actor/role.rs", "Actor"),
    ("sync/actor/task.rs", "ActorTask"),
    ("sync/barrier.rs", "Barrier"),
    ("sync/delay.rs", "DelayQueue"),
    ("sync/event.rs", "Event"),
    ("sync/exchange/bus.rs", "Exchange"),
    ("sync/exchange/reader.rs", "Reader"),
    ("sync/poller/ready.rs", "Poller"),
    ("sync/pool/threads.rs", "ThreadPool"),
    ("sync/pool/worker.rs", "Worker"),
    ("sync/priority/queue.rs", "PriorityQueue"),
    ("sync/promise/future.rs", "Future"),
    ("sync/promise/given.rs", "Promise"),
    ("sync/queue/ends.rs", "Receiver"),
    ("sync/queue/ends.rs", "Sender"),
    ("sync/queue/fifo.rs", "Queue"),
    ("sync/scheduler/tasks.rs", "Scheduler"),
    ("sync/thread_local.rs", "ThreadLocal"),
];

/// What stands above the declaration of a type.
fn documentation<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let declared = ["struct", "trait"].map(|kind| format!("pub {kind} {name}"));
    let is_declared = |line: &&str| {
        let mut ways = declared.iter();
        ways.any(|way| {
            let rest = line.strip_prefix(&**way);
            rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    };
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(is_declared);
    let above = lines[..at.expect("it is declared there")].iter().rev();
    let mut above: Vec<_> = above
        .take_while(|line| line.starts_with(['/', '#']))
        .copied()
        .collect();
    above.reverse();
    above
}

#[test]
fn each_primitive_says_all_eight_points_of_its_contract_and_has_an_example() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, name) in PRIMITIVES {
        let source = fs::read_to_string(sources.join(file)).expect(file);
        let documentation = documentation(&source, name);
        let points = documentation.iter().filter_map(|line| {
            let point = line.strip_prefix("/// - **")?;
            Some(point.split_once("**")?.0.to_lowercase())
        });
        let points: Vec<String> = points.collect();
        let words = points.iter().flat_map(|point| point.split(", "));
        let words: Vec<&str> = words.collect();
        for point in POINTS {
            assert!(
                words.iter().any(|word| word.starts_with(point)),
                "{name} says nothing of {point}: {words:?}"
            );
        }
        assert!(documentation.contains(&"/// ```"), "{name} has no example");
    }
}
