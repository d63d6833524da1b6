//! Work that is done, or not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use lockwise::sync::Queue;
use lockwise::thread;

use crate::{LONG, SHORT, on_each_backend, rounds};

on_each_backend! {
    fn join_blocks_until_done() {
        let queue = Queue::<_, B>::bounded_in(5);
        let sum = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| while let Ok(task) = queue.get_task() {
                    sum.fetch_add(*task, SeqCst);
                });
            }
            let items = u32::try_from(rounds(100)).unwrap();
            for round in 1..=2 {
                (1..=items).for_each(|item| queue.put(item).unwrap());
                queue.join();
                assert_eq!(sum.load(SeqCst), items * (items + 1) / 2 * round);
            }
            queue.close();
        });
    }

    fn get_taskdone_join_race() {
        for _ in 0..rounds(100) {
            let queue = Queue::<_, B>::new_in();
            queue.put(1).unwrap();
            queue.put(2).unwrap();
            let done = AtomicU32::new(0);
            thread::scope(|scope| {
                let joiner = scope.spawn(|| (queue.join_timeout(LONG), done.load(SeqCst)));
                for _ in 0..2 {
                    scope.spawn(|| {
                        let task = queue.get_task().unwrap();
                        done.fetch_add(1, SeqCst);
                        task.done();
                    });
                }
                assert_eq!(joiner.join().unwrap(), (true, 2));
            });
        }
    }

    // By type: a guard is dropped once. What it counts can be seen in that a join still waits.
    fn task_done_too_often() {
        let queue = Queue::<_, B>::new_in();
        queue.put("one").unwrap();
        queue.put("two").unwrap();
        assert_eq!(queue.get_task().unwrap().into_inner(), "one");
        assert!(!queue.join_timeout(SHORT));
        queue.get_task().unwrap().done();
        queue.join();
    }

    fn a_task_is_done_when_its_worker_panics() {
        let queue = Queue::<_, B>::new_in();
        queue.put(1).unwrap();
        let died = catch_unwind(AssertUnwindSafe(|| {
            let task = queue.get_task().unwrap();
            assert!(!queue.join_timeout(SHORT));
            panic!("over {}", *task);
        }));
        assert!(died.is_err());
        queue.join();
    }

    fn a_task_can_be_changed_and_kept() {
        let queue = Queue::<_, B>::new_in();
        queue.put(String::from("a")).unwrap();
        let mut task = queue.get_task_timeout(LONG).unwrap();
        task.push('b');
        assert_eq!(format!("{task:?}"), "Task(\"ab\")");
        assert_eq!(task.into_inner(), "ab");
        queue.join();
    }
}
