//! How much of a recorded trace is kept.

/// How much of a log or a packed trace is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Events beyond this number are left out. An event takes about 40 bytes.
    pub events_max: usize,
}

impl Default for Limits {
    /// Twenty million events.
    fn default() -> Self {
        Limits {
            events_max: 20_000_000,
        }
    }
}
