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

/// Asserts that two types implement the same traits.
macro_rules! assert_same_traits {
    ($ours:ty, $theirs:ty) => {
        $crate::same_traits::assert_same_traits!($ours, $theirs;
            Send, Sync, Unpin, std::panic::UnwindSafe, std::panic::RefUnwindSafe,
            std::fmt::Debug, std::fmt::Display, Default, Clone, Copy,
            PartialEq, Eq, PartialOrd, Ord, std::hash::Hash,
            From<u8>, From<std::rc::Rc<u8>>);
    };
    ($ours:ty, $theirs:ty; $($trait:path),*) => {
        $(assert_eq!(
            $crate::same_traits::implements!($ours: $trait),
            $crate::same_traits::implements!($theirs: $trait),
            "{}: {}", stringify!($theirs), stringify!($trait),
        );)*
    };
}
pub(crate) use assert_same_traits;
