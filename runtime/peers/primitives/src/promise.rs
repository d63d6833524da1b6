//! A promise that is made, kept and read, beside the channels that people use for that.

use std::hint::black_box;

use lockwise::sync::{Backend, Promise, Raw, Tracked};
use tokio::sync::oneshot;

use crate::measure::{Bench, Cost, measure, peer, raw, tracked};

const PROMISES: u32 = 100_000;

fn crossbeam() -> Cost {
    measure(PROMISES, || {
        for number in 0..PROMISES {
            let (sender, receiver) = crossbeam_channel::bounded(1);
            sender.send(number).expect("it is open");
            black_box(receiver.recv().expect("it is there"));
        }
    })
}

fn tokio() -> Cost {
    measure(PROMISES, || {
        for number in 0..PROMISES {
            let (sender, receiver) = oneshot::channel();
            sender.send(number).expect("it is open");
            black_box(receiver.blocking_recv().expect("it is there"));
        }
    })
}

fn ours<B: Backend>() -> Cost {
    measure(PROMISES, || {
        for number in 0..PROMISES {
            let (promise, future) = Promise::<u32, B>::new_in();
            promise.set(number).expect("it is wanted");
            black_box(future.wait().expect("it is set"));
        }
    })
}

pub(crate) fn compare(bench: &mut Bench) {
    bench.compare(
        "promise: make, keep and read",
        vec![
            peer("tokio", tokio),
            peer("crossbeam", crossbeam),
            raw(&[("crossbeam", 1.0)], ours::<Raw>),
            tracked(ours::<Tracked>),
        ],
    );
}
