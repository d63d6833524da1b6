//! What is the same for every lock that protects a value: how it is made, and its common traits.

/// The constructors of a lock type, and the traits that need nothing but these.
///
/// `$make` builds the raw lock from an identity, `$wrap` the lock from raw lock and value.
macro_rules! constructors {
    ($Lock:ident, $make:path, $wrap:expr) => {
        impl<T> $Lock<T> {
            /// Makes an unlocked lock around `value`.
            ///
            /// The caller is its creation site. Locks made at one site form one class.
            #[inline]
            #[track_caller]
            pub const fn new(value: T) -> Self {
                Self::with_identity(Self::identity_at(Site::caller()), value)
            }

            /// Makes an unlocked lock of the class `name`.
            ///
            /// Reports call it so, and locks of one name form one class wherever they are made.
            #[inline]
            #[track_caller]
            pub const fn named(name: &'static str, value: T) -> Self {
                Self::with_identity(Self::identity_at(Site::caller()).named(name), value)
            }

            /// Makes an unlocked lock with a declared rank.
            ///
            /// A thread that holds a ranked lock may take only locks of higher rank.
            #[inline]
            #[track_caller]
            pub const fn ranked(rank: Rank, value: T) -> Self {
                Self::with_identity(Self::identity_at(Site::caller()).ranked(rank), value)
            }

            /// Makes an unlocked lock of the class `name` with a declared rank.
            #[inline]
            #[track_caller]
            pub const fn named_ranked(name: &'static str, rank: Rank, value: T) -> Self {
                let identity = Self::identity_at(Site::caller()).named(name).ranked(rank);
                Self::with_identity(identity, value)
            }

            /// Consumes the lock and returns the value.
            #[inline]
            pub fn into_inner(self) -> T {
                self.0.into_inner()
            }

            /// What is known of a lock made at `born`.
            #[inline]
            const fn identity_at(born: Site) -> Identity {
                Identity::new(Kind::$Lock, born, type_name::<T>)
            }

            /// Makes an unlocked lock with this identity.
            #[inline]
            const fn with_identity(identity: Identity, value: T) -> Self {
                $Lock($wrap($make(identity), value))
            }
        }

        impl<T: Default> Default for $Lock<T> {
            #[inline]
            #[track_caller]
            fn default() -> Self {
                $Lock::new(T::default())
            }
        }

        impl<T> From<T> for $Lock<T> {
            #[inline]
            #[track_caller]
            fn from(value: T) -> Self {
                $Lock::new(value)
            }
        }

        /// Shows the value, or `<locked>` if that would have to wait.
        impl<T: ?Sized + fmt::Debug> fmt::Debug for $Lock<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

/// A view of an `Arc` of one of our locks as an `Arc` of the `lock_api` lock inside, as `lock_api`'s
/// `Arc` guards hold it. It owns no count.
macro_rules! inner_arc {
    ($this:expr, $Inner:ty) => {{
        let this: &Arc<Self> = $this;
        // SAFETY: `this` is a reference, so it is valid, aligned and initialised for a read. The
        // copy does not add a count, so it must never be dropped: `into_raw` does not drop, and the
        // `ManuallyDrop` below does not either.
        let copy = unsafe { ptr::read(this) };
        let outer: *const Self = Arc::into_raw(copy);
        // SAFETY: `outer` comes from `Arc::into_raw`, in the same allocator. `Self` is
        // `repr(transparent)` around `$Inner`, so both have the same size and alignment and, for an
        // unsized value, the same metadata. `this` keeps a count for as long as it is borrowed.
        ManuallyDrop::new(unsafe { Arc::from_raw(outer as *const $Inner) })
    }};
}

pub(super) use {constructors, inner_arc};
