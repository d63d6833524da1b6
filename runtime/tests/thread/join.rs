//! Starting and joining threads that own what they use.

use std::sync::{Arc, mpsc};

use lockwise::thread;

use crate::{message_of, text_of};

#[test]
fn a_thread_gives_its_result_to_who_joins_it() {
    let text = String::from("moved");
    assert_eq!(thread::spawn(move || text.len()).join().unwrap(), 5);
}

#[test]
fn a_panic_goes_to_who_joins_it() {
    let handle = thread::spawn(|| panic!("in thread {}", 1));
    assert_eq!(text_of(handle.join().unwrap_err()), "in thread 1");
}

#[test]
fn a_payload_of_any_type_passes_through() {
    let handle = thread::spawn(|| std::panic::panic_any(17_u64));
    assert_eq!(*handle.join().unwrap_err().downcast::<u64>().unwrap(), 17);
}

#[test]
fn names_and_stack_sizes_are_as_given() {
    let builder = thread::Builder::new().name("worker".to_owned());
    let handle = builder
        .stack_size(32 << 20)
        .spawn(|| {
            // More than the usual two mebibytes.
            #[expect(clippy::large_stack_arrays, reason = "that is the point")]
            let room = std::hint::black_box([0_u8; 3 << 20]);
            let name = thread::current().name().map(str::to_owned);
            (room.len(), name, thread::current().id())
        })
        .unwrap();
    assert_eq!(handle.thread().name(), Some("worker"));
    let id = handle.thread().id();
    let expected = (3 << 20, Some("worker".to_owned()), id);
    assert_eq!(handle.join().unwrap(), expected);

    let unnamed = thread::spawn(|| thread::current().name().is_none());
    assert!(unnamed.join().unwrap());
}

#[test]
fn a_name_with_a_zero_byte_panics_as_in_std() {
    let bad = || String::from("zero\0byte");
    assert_eq!(
        message_of(|| thread::Builder::new().name(bad()).spawn(|| ())),
        message_of(|| std::thread::Builder::new().name(bad()).spawn(|| ())),
    );
}

#[test]
fn a_thread_is_finished_when_its_work_is_done() {
    let (go, wait) = mpsc::channel::<()>();
    let handle = thread::spawn(move || wait.recv());
    assert!(!handle.is_finished());
    go.send(()).unwrap();
    while !handle.is_finished() {
        thread::yield_now();
    }
    handle.join().unwrap().unwrap();
}

#[test]
fn a_handle_may_be_dropped_and_the_thread_goes_on() {
    let (tell, told) = mpsc::channel();
    drop(thread::spawn(move || tell.send(1)));
    assert_eq!(told.recv(), Ok(1));
}

#[test]
fn a_handle_may_be_joined_by_another_thread() {
    let first = thread::spawn(|| 1);
    let second = thread::spawn(move || first.join().unwrap() + 1);
    assert_eq!(second.join().unwrap(), 2);
}

#[test]
fn what_a_thread_owns_is_dropped_when_it_is_joined() {
    let owned = Arc::new(());
    let theirs = Arc::clone(&owned);
    thread::spawn(move || drop(theirs)).join().unwrap();
    assert_eq!(Arc::strong_count(&owned), 1);
    let theirs = Arc::clone(&owned);
    let handle = thread::spawn(move || panic!("with {theirs:?} in hand"));
    drop(handle.join());
    assert_eq!(Arc::strong_count(&owned), 1);
}

#[test]
fn an_unchecked_thread_may_borrow_if_it_is_joined() {
    let mut number = 1;
    let add = || number += 1;
    // SAFETY: the thread is joined before `number` is used again or goes out of scope, and its
    // result borrows nothing.
    let handle = unsafe { thread::Builder::new().spawn_unchecked(add) };
    handle.unwrap().join().unwrap();
    assert_eq!(number, 2);
}

#[test]
fn everything_else_of_std_is_there() {
    thread::current().unpark();
    thread::park();
    thread::yield_now();
    assert!(thread::available_parallelism().unwrap().get() >= 1);
    assert!(!thread::panicking());
    let _: Option<thread::ThreadId> = None;
    let _: thread::Result<()> = Ok(());
}
