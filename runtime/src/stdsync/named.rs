//! Names and ranks for types whose constructors are std's and know neither.

use crate::watch::Rank;

/// Constructors that give an object a name or a rank.
///
/// ```
/// use lockwise::stdsync::{Mutex, Named, OnceLock};
///
/// let accounts = Mutex::named("accounts", vec![100, 200]);
/// let config = OnceLock::<String>::named("config", ());
/// # accounts.lock().unwrap()[0] -= 10;
/// # config.set(String::new()).unwrap();
/// ```
///
/// With checks off the trait is there all the same, and makes the plain objects of std. As methods
/// of a trait, its constructors are not `const`: a static gets its name from its creation site.
pub trait Named: Sized {
    /// What the plain constructor takes: the value of a lock, the function of a lazy value, the
    /// number of threads of a barrier; `()` where it takes nothing.
    type Content;

    /// An object that reports call `name`. The instances of one name form one class.
    #[must_use]
    #[track_caller]
    fn named(name: &'static str, content: Self::Content) -> Self;

    /// An object with a declared place in the order of all locks.
    #[must_use]
    #[track_caller]
    fn ranked(rank: Rank, content: Self::Content) -> Self;
}
