//! The formats that evidence comes in. One file each; all of them make an
//! [`Evidence`](crate::trace::Evidence).

pub mod std_text;
