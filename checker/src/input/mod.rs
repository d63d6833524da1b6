//! From files to evidence: each format is a file of its own, [`load`] decides which one reads what.

mod blocked;
pub mod bulk;
mod compressed;
mod copies;
mod load;
pub mod log;
#[cfg_attr(unix, path = "mapped/unix.rs")]
#[cfg_attr(not(unix), path = "mapped/none.rs")]
mod mapped;
mod meter;
mod nature;
pub mod packed;
mod readers;
mod relative;
pub mod std_text;

pub use load::{Aim, InputError, Loaded, load};
pub use meter::Seen;
pub use readers::{ReadResult, Readers};
pub use relative::relative_to;
