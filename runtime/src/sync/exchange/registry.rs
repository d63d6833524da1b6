//! Exchanges by name: [`exchange`].

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Weak};

use super::bus::Exchange;
use crate::Mutex;

/// The exchanges that somebody has, by name, and the names of some that nobody has any more.
static NAMES: Mutex<Names> = Mutex::named(
    "names of exchanges",
    Names {
        exchanges: BTreeMap::new(),
        swept: 0,
    },
);

struct Names {
    exchanges: BTreeMap<Box<str>, Weak<dyn Any + Send + Sync>>,
    /// How many there were after those were taken out that nobody has.
    swept: usize,
}

impl Names {
    /// Takes out those that nobody has, each time their number has doubled.
    fn sweep_now_and_then(&mut self) {
        if self.exchanges.len() > 2 * self.swept + 8 {
            self.exchanges.retain(|_, it| it.strong_count() > 0);
            self.swept = self.exchanges.len();
        }
    }
}

/// There is an exchange of this name, for messages of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongType;

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the exchange of this name has messages of another type")
    }
}

impl Error for WrongType {}

/// The exchange of this name, which is made if nobody has it. It lives as long as somebody has it, or one of
/// its clones.
///
/// ```
/// use std::sync::Arc;
///
/// use lockwise::sync::exchange;
///
/// let here = exchange::<u32>("temperatures").unwrap();
/// let there = exchange::<u32>("temperatures").unwrap();
/// assert!(Arc::ptr_eq(&here, &there));
/// assert!(exchange::<String>("temperatures").is_err());
/// ```
///
/// # Errors
///
/// If there is one for messages of another type.
#[track_caller]
pub fn exchange<T: Send + 'static>(name: &str) -> Result<Arc<Exchange<T>>, WrongType> {
    // Made before the lock is taken; often for nothing.
    let fresh = Arc::new(Exchange::<T>::new());
    let mut names = NAMES.lock();
    let known = names.exchanges.get(name).and_then(Weak::upgrade);
    if let Some(known) = known {
        drop(names);
        return known.downcast().map_err(|_| WrongType);
    }
    names.sweep_now_and_then();
    let weak = Arc::downgrade(&fresh) as Weak<dyn Any + Send + Sync>;
    let old = names.exchanges.insert(Box::from(name), weak);
    drop(names);
    drop(old);
    Ok(fresh)
}

/// The names of all exchanges that somebody has.
#[track_caller]
pub fn exchange_names() -> Vec<String> {
    let mut names = NAMES.lock();
    names.exchanges.retain(|_, it| it.strong_count() > 0);
    names.swept = names.exchanges.len();
    names.exchanges.keys().map(ToString::to_string).collect()
}
