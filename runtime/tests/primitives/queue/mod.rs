//! [`lockwise::sync::Queue`].

mod awaited;
mod closing;
mod ends;
mod order;
mod stops;
mod work;
