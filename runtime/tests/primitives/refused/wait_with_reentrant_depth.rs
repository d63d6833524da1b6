use lockwise::{Condvar, ReentrantMutex};

fn main() {
    let (lock, changed) = (ReentrantMutex::new(()), Condvar::new());
    let _outer = lock.lock();
    let mut inner = lock.lock();
    changed.wait(&mut inner);
}
