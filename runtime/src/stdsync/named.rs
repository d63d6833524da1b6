//! Names and ranks for types whose constructors are std's and know neither.

use crate::watch::Rank;

/// Constructors that give an object a name, a rank or both.
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
/// of a trait, its constructors are not `const`: a static is known by its creation site.
pub trait Named: Sized {
    /// What the plain constructor takes: the value of a lock, the function of a lazy value, the
    /// number of threads of a barrier; `()` where it takes nothing.
    type Content;

    /// An object that reports call `name`. The instances of one name form one class.
    #[must_use]
    #[track_caller]
    fn named(name: &'static str, content: Self::Content) -> Self {
        let name = Some(name);
        Self::labelled(Label { name, rank: None }, content)
    }

    /// An object with a declared place in the order of all locks.
    #[must_use]
    #[track_caller]
    fn ranked(rank: Rank, content: Self::Content) -> Self {
        let rank = Some(rank);
        Self::labelled(Label { name: None, rank }, content)
    }

    /// An object with a name and a declared place.
    #[must_use]
    #[track_caller]
    fn named_ranked(name: &'static str, rank: Rank, content: Self::Content) -> Self {
        let (name, rank) = (Some(name), Some(rank));
        Self::labelled(Label { name, rank }, content)
    }

    /// An object with this label.
    #[must_use]
    #[track_caller]
    fn labelled(label: Label, content: Self::Content) -> Self;
}

/// What a program may say of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Label {
    /// What reports call it.
    pub name: Option<&'static str>,
    /// Its place in the order of all locks.
    pub rank: Option<Rank>,
}
