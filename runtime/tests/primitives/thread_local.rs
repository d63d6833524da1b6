use lockwise::thread;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use lockwise::sync::{Event, ThreadLocal};

use super::counted::{Counted, Drops};
use super::{on_each_backend, rounds};

on_each_backend! {
    fn local_per_thread_per_object() {
        let objects = [ThreadLocal::<Cell<u32>, B>::new_in(), ThreadLocal::new_in()];
        let next = |at: usize| objects[at].with(
            || Cell::new(0),
            |value| {
                value.set(value.get() + 1);
                value.get()
            },
        );
        assert_eq!([next(0), next(0), next(1)], [1, 2, 1]);
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!([next(0), next(1), next(1)], [1, 1, 2]));
        });
        assert_eq!([next(0), next(1)], [3, 2]);
    }

    fn local_dropped_with_object() {
        let drops = Drops::default();
        let object = ThreadLocal::<Counted, B>::new_in();
        let (used, gone) = (Event::<B>::new_in(), Event::<B>::new_in());
        let make = || drops.value();
        object.with(make, |_| ());
        thread::scope(|scope| {
            let object = &object;
            let other = scope.spawn(|| {
                object.with(make, |_| ());
                used.set();
                gone.wait();
            });
            used.wait();
            assert_eq!(object.idle(), 2);
            gone.set();
            // The end of a scope alone does not wait for the values of its threads.
            other.join().unwrap();
        });
        drop(object);
        assert_eq!(drops.count(), 2);
    }

    fn a_value_goes_with_its_thread() {
        let drops = Drops::default();
        let object = Arc::new(ThreadLocal::<Counted, B>::new_in());
        let (there, counted) = (Arc::clone(&object), drops.clone());
        thread::spawn(move || there.with(|| counted.value(), |_| ())).join().unwrap();
        assert_eq!((drops.count(), object.idle()), (1, 0));
    }

    fn an_object_that_goes_first_takes_the_values_of_all_threads_along() {
        let drops = Drops::default();
        let object = Arc::new(ThreadLocal::<Counted, B>::new_in());
        let (used, gone) = (Arc::new(Event::<B>::new_in()), Arc::new(Event::<B>::new_in()));
        let other = {
            let (object, used, gone) = (Arc::clone(&object), Arc::clone(&used), Arc::clone(&gone));
            let drops = drops.clone();
            thread::spawn(move || {
                object.with(|| drops.value(), |_| ());
                drop(object);
                used.set();
                gone.wait();
            })
        };
        used.wait();
        assert_eq!(drops.count(), 0);
        drop(object);
        assert_eq!(drops.count(), 1);
        gone.set();
        other.join().unwrap();
        assert_eq!(drops.count(), 1);
    }

    fn local_clear_race() {
        for _ in 0..rounds(50) {
            let drops = Drops::default();
            let object = Arc::new(ThreadLocal::<Counted, B>::new_in());
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (object, drops) = (Arc::clone(&object), drops.clone());
                    thread::spawn(move || object.with(|| drops.value(), |_| ()))
                })
                .collect();
            drop(object);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(drops.count(), 4);
        }
    }

    fn a_use_inside_a_use_sees_the_same_value() {
        let object = ThreadLocal::<Cell<u32>, B>::new_in();
        object.with(|| Cell::new(1), |outer| {
            outer.set(5);
            object.with(|| unreachable!(), |inner| assert_eq!(inner.get(), 5));
            assert!(object.take().is_none());
        });
        assert_eq!(object.take(), Some(Cell::new(5)));
    }

    fn a_panic_in_a_use_keeps_the_value() {
        let object = ThreadLocal::<Cell<u32>, B>::new_in();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            object.with(|| Cell::new(7), |_| panic!("in use"));
        }));
        assert!(panicked.is_err());
        object.with(|| unreachable!(), |value| assert_eq!(value.get(), 7));
    }

    fn used_while_a_thread_s_locals_are_destroyed() {
        thread_local! {
            static LATE: Cell<Option<Late>> = const { Cell::new(None) };
        }
        struct Late(Arc<ThreadLocal<Cell<u32>, B>>, Arc<AtomicUsize>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.with(|| Cell::new(1), |value| self.1.fetch_add(value.get() as usize, SeqCst));
            }
        }
        let object = Arc::new(ThreadLocal::<Cell<u32>, B>::new_in());
        let runs = Arc::new(AtomicUsize::new(0));
        let late = Late(Arc::clone(&object), Arc::clone(&runs));
        thread::spawn(move || {
            LATE.set(Some(late));
        }).join().unwrap();
        assert_eq!(runs.load(SeqCst), 1);
    }
}
