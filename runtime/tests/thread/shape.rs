//! Traits, variance and formatting are those of std.

use std::cell::Cell;
use std::rc::Rc;
use std::thread as theirs;

use lockwise::thread as ours;

use crate::same_traits::assert_same_traits;

#[test]
fn traits_are_those_of_std() {
    assert_same_traits!(ours::Builder, theirs::Builder);
    assert_same_traits!(
        ours::Scope<'static, 'static>,
        theirs::Scope<'static, 'static>
    );
    assert_same_traits!(
        &'static ours::Scope<'static, 'static>,
        &'static theirs::Scope<'static, 'static>
    );
    macro_rules! assert_same_around {
        ($($result:ty),*) => {
            $(
                assert_same_traits!(ours::JoinHandle<$result>, theirs::JoinHandle<$result>);
                assert_same_traits!(
                    ours::ScopedJoinHandle<'static, $result>,
                    theirs::ScopedJoinHandle<'static, $result>
                );
            )*
        };
    }
    assert_same_around!(u8, Rc<u8>, Cell<u8>, &'static mut u8, &'static Cell<u8>);
}

/// Compiles if a handle may be taken for one of a shorter scope, as std's may.
fn scoped_handles_are_covariant<'short, 'scope: 'short>(
    handle: ours::ScopedJoinHandle<'scope, u8>,
    _shorter: &'short u8,
) -> ours::ScopedJoinHandle<'short, u8> {
    handle
}

#[test]
fn they_look_as_in_std() {
    ours::scope(|scope| {
        let shorter = 0;
        scoped_handles_are_covariant(scope.spawn(|| 1), &shorter)
            .join()
            .unwrap();
    });
    assert_eq!(
        format!("{:?}", ours::Builder::new().name("a".into()).stack_size(9)),
        format!(
            "{:?}",
            theirs::Builder::new().name("a".into()).stack_size(9)
        ),
    );
    let (a, b) = (ours::spawn(|| ()), theirs::spawn(|| ()));
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
    a.join().unwrap();
    b.join().unwrap();
    let handle = ours::scope(|scope| format!("{:?}", scope.spawn(|| ())));
    assert_eq!(
        handle,
        theirs::scope(|scope| format!("{:?}", scope.spawn(|| ())))
    );
    assert_eq!(
        ours::scope(|scope| format!("{scope:?}")),
        theirs::scope(|scope| format!("{scope:?}")),
    );
}

#[cfg(unix)]
#[test]
fn a_handle_has_what_unix_adds() {
    use std::os::unix::thread::JoinHandleExt;
    let handle = ours::spawn(|| ());
    assert_ne!(handle.as_pthread_t(), 0);
    handle.join().unwrap();
}
