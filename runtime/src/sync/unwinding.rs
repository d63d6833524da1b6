//! That all of this may be used in `catch_unwind`, without further words: no critical section of ours can panic
//! half-way, so no panic leaves an object in a state that nobody expects.

use std::panic::{RefUnwindSafe, UnwindSafe};

use super::{
    ActorBuilder, AsCompleted, Backend, Barrier, DelayQueue, Event, Exchange, Future, Handle, Map,
    PoolBuilder, Priority, PriorityQueue, Promise, Queue, Reader, Receiver, Recipient, Semaphore,
    Sender, ThreadLocal, ThreadPool, WeakHandle, WeakSender, Worker,
};

macro_rules! whole_after_a_panic {
    ($(($($generics:tt)*) $Object:ty;)*) => {$(
        impl<$($generics)*> UnwindSafe for $Object {}
        impl<$($generics)*> RefUnwindSafe for $Object {}
    )*};
}

whole_after_a_panic! {
    () Semaphore;
    (B: Backend) Event<B>;
    (B: Backend) Barrier<B>;
    (B: Backend) ThreadPool<B>;
    (B: Backend) PoolBuilder<B>;
    (B: Backend) Worker<B>;
    (B: Backend) ActorBuilder<B>;
    (T: Send, B: Backend) Queue<T, B>;
    (T: Send, B: Backend) Sender<T, B>;
    (T: Send, B: Backend) Receiver<T, B>;
    (T: Send, B: Backend) WeakSender<T, B>;
    (T: Send, P: Priority, B: Backend) PriorityQueue<T, P, B>;
    (T: Send, B: Backend) DelayQueue<T, B>;
    (T: Send, B: Backend) Exchange<T, B>;
    (T: Send, B: Backend) Reader<T, B>;
    (M: Send, B: Backend) Handle<M, B>;
    (M: Send, B: Backend) WeakHandle<M, B>;
    (N) Recipient<N>;
    (T: Send, B: Backend) Promise<T, B>;
    (T: Send, B: Backend) Future<T, B>;
    (T: Send, B: Backend) AsCompleted<T, B>;
    (T: Send, B: Backend) Map<T, B>;
    // Its values are seen again after a panic as it left them, as in a `&T`.
    (T: Send + RefUnwindSafe + 'static, B: Backend) ThreadLocal<T, B>;
}
