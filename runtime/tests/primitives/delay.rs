use std::time::{Duration, Instant};

use lockwise::sync::{DelayQueue, GetError, PutError};
use lockwise::thread;

use super::counted::Drops;
use super::{LONG, SHORT, on_each_backend, until_waiting};

on_each_backend! {
    fn timed_entries() {
        let queue = DelayQueue::<_, B>::new_in();
        let now = Instant::now();
        for (item, priority) in [("c", 1), ("a", 2), ("d", 1), ("b", 2)] {
            queue.put_at(item, now, priority).unwrap();
        }
        queue.put_at("later", now + SHORT, 9).unwrap();
        assert_eq!([(); 5].map(|()| queue.get().unwrap()), ["a", "b", "c", "d", "later"]);
        assert!(now.elapsed() >= SHORT);
    }

    fn enter_concurrent() {
        let queue = DelayQueue::<_, B>::new_in();
        let far = Instant::now() + LONG;
        queue.put_at("far", far, 0).unwrap();
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get());
            until_waiting(1, &queue);
            // Due long before what is waited for.
            queue.put_after("soon", SHORT).unwrap();
            assert_eq!(getter.join().unwrap(), Ok("soon"));
        });
        assert!(Instant::now() < far);
        assert_eq!(queue.close_now(), ["far"]);
    }

    fn what_is_not_due_is_not_got() {
        let queue = DelayQueue::<_, B>::new_in();
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        let token = queue.put_after(1, LONG).unwrap();
        assert_eq!(queue.try_get(), Err(GetError::Empty));
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::Timeout));
        assert_eq!(queue.cancel(&token), Some(1));
        assert_eq!(queue.cancel(&token), None);
        assert!(queue.is_empty());
        queue.put_at(2, Instant::now(), 0).unwrap();
        assert_eq!(queue.get_timeout(Duration::ZERO), Ok(2));
    }

    fn closing_lets_what_is_there_come() {
        let drops = Drops::default();
        let queue = DelayQueue::<_, B>::new_in();
        queue.put_after(drops.value(), SHORT).unwrap();
        assert!(!queue.is_closed() && queue.close());
        assert!(!queue.close() && queue.is_closed());
        assert!(matches!(queue.put_after(drops.value(), SHORT), Err(PutError::Closed(_))));
        assert!(queue.get().is_ok());
        assert!(matches!(queue.get(), Err(GetError::Closed)));
        assert_eq!(drops.count(), 2);
    }

    fn many_wait_and_each_gets_one() {
        let queue = DelayQueue::<_, B>::new_in();
        thread::scope(|scope| {
            let getters = [(); 3].map(|()| scope.spawn(|| queue.get().unwrap()));
            for item in 0..3_u32 {
                queue.put_after(item, Duration::from_millis(u64::from(item))).unwrap();
            }
            let mut got = getters.map(|getter| getter.join().unwrap());
            got.sort_unstable();
            assert_eq!(got, [0, 1, 2]);
        });
    }

    fn closing_wakes_who_waits() {
        let queue = DelayQueue::<u32, B>::new_in();
        thread::scope(|scope| {
            let getter = scope.spawn(|| queue.get());
            until_waiting(1, &queue);
            queue.close();
            assert_eq!(getter.join().unwrap(), Err(GetError::Closed));
        });
    }
}
