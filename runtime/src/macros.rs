//! The macros, with their documentation: the crate that has them cannot use this one in examples.

/// Acquires several locks at once, in the one order of all locks, so that threads which take their
/// locks by it never wait for each other in a circle.
///
/// ```
/// use lockwise::{Mutex, acquire};
///
/// struct Account {
///     balance: Mutex<i64>,
/// }
///
/// fn transfer(from: &Account, to: &Account, amount: i64) {
///     let (mut from, mut to) = acquire!(from.balance, to.balance);
///     *from -= amount;
///     *to += amount;
/// }
///
/// let (a, b) = (Account { balance: Mutex::new(5) }, Account { balance: Mutex::new(0) });
/// transfer(&a, &b, 3);
/// transfer(&b, &a, 1);
/// assert_eq!(*a.balance.lock(), 3);
/// ```
///
/// # What it takes
///
/// Up to 12 expressions, each of which is a lock, or what `.lock()` could be called on: a
/// reference, a `Box`, an `Arc`. Each is evaluated once, in the order written, before any lock is
/// taken.
///
/// A mode may stand before an expression. Without one, the lock is taken exclusively.
///
/// | written | taken | by |
/// | --- | --- | --- |
/// | `a` | exclusively | every lock |
/// | `write a` | exclusively | `RwLock` |
/// | `read a` | shared | `RwLock` |
/// | `upgradable a` | shared with readers, and may become exclusive | `RwLock` |
///
/// A mode is a mode only before an expression: a variable may be called `read`. Where that would be
/// unclear, braces help: `read (a)` calls the function `read`, and `read { a }` reads the lock `a`.
///
/// ```
/// use lockwise::{Mutex, RwLock, acquire};
///
/// let (prices, stock) = (RwLock::new([10, 20]), Mutex::new(7));
/// let (prices, mut stock) = acquire!(read prices, stock);
/// *stock += prices[0];
/// assert_eq!(*stock, 17);
/// ```
///
/// # What it gives
///
/// A tuple of guards in the order of the *arguments*, whatever the order of acquisition: the guards
/// that the locks' own methods return. One argument gives a tuple of one, `acquire!()` does nothing
/// and gives `()`. A lock of `lockwise::stdsync` gives a `LockResult`, as its `lock` does: a
/// poisoned lock is taken like any other.
///
/// With `; timeout duration` it gives a `Result` of that tuple, or of [`TimedOut`], which names the
/// lock that was not free in time; then none is held. The duration bounds the whole, and counts
/// from when all arguments are evaluated. std cannot wait for a lock with a limit, so one of
/// `stdsync` is tried again and again.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::acquire::TimedOut;
/// use lockwise::{Mutex, acquire};
///
/// fn sum(a: &Mutex<i32>, b: &Mutex<i32>) -> Result<i32, TimedOut> {
///     let (a, b) = acquire!(a, b; timeout Duration::from_millis(50))?;
///     Ok(*a + *b)
/// }
///
/// assert_eq!(sum(&Mutex::new(1), &Mutex::new(2)), Ok(3));
/// ```
///
/// # Order
///
/// The locks are taken in ascending order of rank, else of creation site, then of instance number.
/// If one of them cannot be had, by timeout or panic, those already taken are released in
/// descending order and no others. Guards that were handed out are the caller's: each is released
/// when it is dropped. `let (a, b) = acquire!(x, y)` drops `b`, then `a`; a tuple dropped as a
/// whole drops its elements from first to last. The order of release can never cause a deadlock.
///
/// # Panics
///
/// Before anything is taken, if two expressions are the same lock, in whatever modes; and if a lock
/// does not come after all those that this thread already holds (LW0005), unless the program asked
/// for reports only, by [`set_enforcement`], or for no rule at all, by [`set_order`]. Taking a
/// re-entrant lock again is no violation. [`try_acquire!`] returns these as errors.
///
/// What is refused is still an attempt against the order: under `cargo lockwise` it is reported (LW0005), and the run
/// fails for it, also where the program handles the error of [`try_acquire!`].
///
/// With the feature `checks` off, locks are ordered by their addresses, duplicates are refused, and
/// nothing else is checked.
///
/// # Compile errors
///
/// A literal, the same expression twice, an unknown mode, more than 12 locks, a `mut`. Where an
/// expression written twice gives another lock each time, bind the two to names first.
///
/// # The crate's path
///
/// The expansion names `::lockwise`. Where the crate has another name, or is reached through
/// another crate, that is said first: `acquire!(crate = my_prelude::lockwise, a, b)`.
///
/// [`TimedOut`]: crate::acquire::TimedOut
/// [`set_enforcement`]: crate::set_enforcement
/// [`set_order`]: crate::set_order
/// [`try_acquire!`]: crate::try_acquire!
pub use lockwise_macros::acquire;

/// Acquires several locks at once, or none: nothing is held unless all could be had at once.
///
/// It is written as [`acquire!`] is, with the same modes, and gives a `Result`: the guards in the
/// order of the arguments, or a [`TryAcquireError`].
///
/// ```
/// use lockwise::acquire::TryAcquireError;
/// use lockwise::{Mutex, try_acquire};
///
/// let (a, b) = (Mutex::new(1), Mutex::new(2));
/// {
///     let (a, b) = try_acquire!(a, b)?;
///     assert_eq!(*a + *b, 3);
/// }
/// match try_acquire!(a) {
///     Ok((mut a,)) => *a += 1,
///     Err(TryAcquireError::WouldBlock { lock }) => println!("`{}` is busy", lock.expression),
///     Err(other) => return Err(other),
/// }
/// # Ok::<(), TryAcquireError>(())
/// ```
///
/// It never waits, but `try_acquire!(a, b; timeout duration)` does so until the duration has
/// passed.
///
/// # Errors
///
/// - `WouldBlock`, if a lock is not free, and with a timeout `TimedOut`: both name the lock.
/// - `Duplicate`, if two expressions are the same lock, in whatever modes.
/// - `Order`, if a lock does not come after all those that this thread already holds (LW0005).
///
/// The last two are found before anything is taken; after the first, what was taken is released in
/// descending order.
///
/// [`acquire!`]: crate::acquire!
/// [`TryAcquireError`]: crate::acquire::TryAcquireError
pub use lockwise_macros::try_acquire;
