//! How far it can be trusted that something happens.

/// How far it can be trusted that something happens on some path through the code. Of several things on
/// one path the least counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// A call on the way can lead elsewhere, or something may not be there.
    Guess,
    /// One such step is on the way, and the program itself shows that it can be so: a trait of its own
    /// has few implementations, of which this is one, or what an owner lets go of may be the last handle.
    OneOf,
    /// It does as far as this program goes: others who use it can bring what leads elsewhere, or put
    /// another function where one is kept.
    Likely,
    /// It does where a branch picks just that of several locks.
    Picked,
    /// It does where an option that goes on the way is filled, or a collection that is searched not empty, as
    /// they most often are.
    Filled,
    /// For sure.
    Sure,
}

impl Trust {
    /// Both must be so. Two that are each one of several are a guess on a guess.
    pub(crate) fn and(self, other: Trust) -> Trust {
        if self == Trust::OneOf && other == Trust::OneOf {
            Trust::Guess
        } else {
            self.min(other)
        }
    }

    /// Whether something else may happen as well.
    pub(crate) fn is_guess(self) -> bool {
        self <= Trust::OneOf
    }

    /// All or nothing.
    pub(crate) fn only_if(is_sure: bool) -> Trust {
        if is_sure { Trust::Sure } else { Trust::Guess }
    }
}
