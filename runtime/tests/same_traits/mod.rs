//! Whether two types implement the same traits, for more than one test binary.

/// Whether a type implements a trait: an inherent constant, which needs the trait, goes before the
/// one of a trait that everything implements.
macro_rules! implements {
    ($type:ty: $trait:path) => {{
        #[allow(dead_code, reason = "not used where the trait is there")]
        trait Otherwise {
            const IMPLEMENTS: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "not used where the trait is missing")]
        impl<T: ?Sized + $trait> Probe<T> {
            const IMPLEMENTS: bool = true;
        }
        <Probe<$type>>::IMPLEMENTS
    }};
}
pub(crate) use implements;

/// Asserts that two types implement the same traits. Of those that std still gives to more types
/// from version to version, ours may have more.
macro_rules! assert_same_traits {
    ($ours:ty, $theirs:ty) => {
        $crate::same_traits::assert_same_traits!($ours, $theirs;
            equal: Send, Sync, Unpin, std::panic::UnwindSafe, std::panic::RefUnwindSafe,
            std::fmt::Debug, std::fmt::Display, Clone, Copy,
            PartialEq, Eq, PartialOrd, Ord, std::hash::Hash;
            at_least: Default, From<u8>, From<std::rc::Rc<u8>>, std::ops::DerefMut);
    };
    ($ours:ty, $theirs:ty; equal: $($equal:path),*; at_least: $($at_least:path),*) => {
        $(assert_eq!(
            $crate::same_traits::implements!($ours: $equal),
            $crate::same_traits::implements!($theirs: $equal),
            "{}: {}", stringify!($theirs), stringify!($equal),
        );)*
        $(assert!(
            $crate::same_traits::implements!($ours: $at_least)
                || !$crate::same_traits::implements!($theirs: $at_least),
            "{}: {}", stringify!($theirs), stringify!($at_least),
        );)*
    };
}
pub(crate) use assert_same_traits;
