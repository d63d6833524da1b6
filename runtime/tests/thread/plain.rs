//! With checks off the types are those of std, not others like them.

use std::any::TypeId;

#[test]
fn each_type_is_that_of_std() {
    use lockwise::thread as ours;
    use std::thread as theirs;
    assert_eq!(
        TypeId::of::<ours::Builder>(),
        TypeId::of::<theirs::Builder>()
    );
    assert_eq!(
        TypeId::of::<ours::JoinHandle<u8>>(),
        TypeId::of::<theirs::JoinHandle<u8>>()
    );
    assert_eq!(
        TypeId::of::<ours::Scope<'static, 'static>>(),
        TypeId::of::<theirs::Scope<'static, 'static>>()
    );
}
