//! What a label does to an identity.

use crate::watch::Identity;

use super::named::Label;

/// The same identity with the name and the rank of `label`.
pub(super) fn identify(identity: Identity, label: Label) -> Identity {
    let identity = match label.name {
        Some(name) => identity.named(name),
        None => identity,
    };
    match label.rank {
        Some(rank) => identity.ranked(rank),
        None => identity,
    }
}
