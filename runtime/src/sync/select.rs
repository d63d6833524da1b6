//! Doing whichever of several things can be done first: [`select!`](crate::select).

/// Does one of several things, whichever can be done first, and then what stands behind it.
///
/// | arm | does |
/// | --- | --- |
/// | `get(queue) -> got => …` | gets from a queue, receiver, priority queue or reader; `got` is what `try_get` gives, and not empty |
/// | `put(queue, item) -> put => …` | puts into a queue or sender; the item is made in any case, and dropped if another arm is done |
/// | `wait(event) => …` | waits until an event is set |
/// | `ended(actor) => …` | waits until an actor has ended, of which this is a handle |
/// | `result(future) -> result => …` | takes the result out of an `Option<Future>` that it borrows mutably |
/// | `default => …` | if nothing can be done now |
/// | `default(timeout) => …` | if nothing can be done in this time |
///
/// A queue, event, actor or future is named as it is, also where it is shared or was lent (`Arc`, `&`): an arm only borrows it.
///
/// Behind what an arm does comes a comma, which a block (`{ … }`) may do without. There is one `default` at most,
/// anywhere.
///
/// Exactly one arm is done; nothing is taken from the others. If several can be done each has its turn.
/// Closed counts as possible. What stands behind an arm runs when nothing is waited for any more, and may `break`
/// or `return`.
///
/// A panic behind an arm is that of the caller, and leaves nothing behind in what was waited for; so it may use all of
/// that again, also in a `select!` of its own.
///
/// Of several puts into queues without capacity in one `select!`, one at a time is seen by a `select!` of
/// another thread that wants to get there.
///
/// ```
/// use std::time::Duration;
///
/// use lockwise::sync::{Event, Queue, select};
///
/// let (numbers, texts, stop) = (Queue::<u32>::new(), Queue::bounded(1), Event::new());
/// numbers.put(5).unwrap();
/// texts.put("full").unwrap();
/// let done = select! {
///     get(numbers) -> number => format!("got {}", number.unwrap()),
///     put(texts, "more") -> put => format!("put {put:?}"),
///     wait(stop) => "stopped".to_owned(),
///     default(Duration::from_secs(1)) => "nothing".to_owned(),
/// };
/// assert_eq!(done, "got 5");
/// ```
#[macro_export]
macro_rules! select {
    // All arms are there: the last part says how long to wait, and what to do then.
    (@arms [$(($arm:ident $pattern:pat => $body:expr))*] [$limit:expr, $otherwise:expr]) => {{
        let arms: &mut [&mut dyn $crate::sync::poller::arms::Arm] = &mut [$(&mut $arm),*];
        let _ = $crate::sync::poller::arms::choose(arms, $limit);
        $crate::select!(@taken [$(($arm $pattern => $body))*] $otherwise)
    }};
    (@taken [($arm:ident $pattern:pat => $body:expr) $($rest:tt)*] $otherwise:expr) => {
        if let ::core::option::Option::Some($pattern) = $arm.take() {
            $body
        } else {
            $crate::select!(@taken [$($rest)*] $otherwise)
        }
    };
    (@taken [] $otherwise:expr) => { $otherwise };

    // What stands behind an arm: a block may do without the comma.
    (@body $arms:tt $limit:tt [$make:expr, $pattern:pat] $body:block, $($rest:tt)*) => {
        $crate::select!(@arm $arms $limit [$make, $pattern, $body] $($rest)*)
    };
    (@body $arms:tt $limit:tt [$make:expr, $pattern:pat] $body:block $($rest:tt)*) => {
        $crate::select!(@arm $arms $limit [$make, $pattern, $body] $($rest)*)
    };
    (@body $arms:tt $limit:tt [$make:expr, $pattern:pat] $body:expr $(, $($rest:tt)*)?) => {
        $crate::select!(@arm $arms $limit [$make, $pattern, $body] $($($rest)*)?)
    };
    (@body $arms:tt $limit:tt [$limits:expr] $body:block, $($rest:tt)*) => {
        $crate::select!(@next $arms [$limits, $body] $($rest)*)
    };
    (@body $arms:tt $limit:tt [$limits:expr] $body:block $($rest:tt)*) => {
        $crate::select!(@next $arms [$limits, $body] $($rest)*)
    };
    (@body $arms:tt $limit:tt [$limits:expr] $body:expr $(, $($rest:tt)*)?) => {
        $crate::select!(@next $arms [$limits, $body] $($($rest)*)?)
    };
    (@body $arms:tt $limit:tt $head:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`select!`: behind `=>` comes an expression and, unless it is a block, a comma; here is: ",
            ::core::stringify!($($rest)*)
        ))
    };
    (@arm [$($arms:tt)*] $limit:tt [$make:expr, $pattern:pat, $body:expr] $($rest:tt)*) => {{
        let mut arm = $make;
        $crate::select!(@next [$($arms)* (arm $pattern => $body)] $limit $($rest)*)
    }};

    (@next $arms:tt [] default => $($rest:tt)*) => {
        $crate::select!(@body $arms []
            [$crate::sync::poller::arms::Limit::After(::core::time::Duration::ZERO)] $($rest)*)
    };
    (@next $arms:tt [] default($timeout:expr) => $($rest:tt)*) => {
        $crate::select!(@body $arms []
            [$crate::sync::poller::arms::Limit::After($timeout)] $($rest)*)
    };
    (@next $arms:tt [$($limit:tt)+] default $($rest:tt)*) => {
        ::core::compile_error!("`select!`: there is a second `default`")
    };
    (@next $arms:tt $limit:tt get($source:expr) -> $pattern:pat => $($rest:tt)*) => {
        $crate::select!(@body $arms $limit
            [$crate::sync::poller::arms::get(&$source), $pattern] $($rest)*)
    };
    (@next $arms:tt $limit:tt put($queue:expr, $item:expr) -> $pattern:pat => $($rest:tt)*) => {
        $crate::select!(@body $arms $limit
            [$crate::sync::poller::arms::put(&$queue, $item), $pattern] $($rest)*)
    };
    (@next $arms:tt $limit:tt wait($event:expr) => $($rest:tt)*) => {
        $crate::select!(@body $arms $limit
            [$crate::sync::poller::arms::wait(&$event), ()] $($rest)*)
    };
    (@next $arms:tt $limit:tt ended($actor:expr) => $($rest:tt)*) => {
        $crate::select!(@body $arms $limit
            [$crate::sync::poller::arms::ended(&$actor), ()] $($rest)*)
    };
    (@next $arms:tt $limit:tt result($future:expr) -> $pattern:pat => $($rest:tt)*) => {
        $crate::select!(@body $arms $limit
            [$crate::sync::poller::arms::result(&mut $future), $pattern] $($rest)*)
    };
    (@next [$($arms:tt)*] []) => {
        $crate::select!(@arms [$($arms)*]
            [$crate::sync::poller::arms::Limit::Never,
             ::core::unreachable!("without a limit one arm is done")])
    };
    (@next [$($arms:tt)*] [$($limit:tt)+]) => {
        $crate::select!(@arms [$($arms)*] [$($limit)+])
    };
    (@next $arms:tt $limit:tt $first:tt $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`select!`: an arm is `get(queue) -> got =>`, `put(queue, item) -> put =>`, `wait(event) =>`, `ended(actor) =>`, \
             `result(future) -> result =>`, `default =>` or `default(timeout) =>`, and here is: ",
            ::core::stringify!($first $($rest)*)
        ))
    };

    ($($arms:tt)+) => {
        $crate::select!(@next [] [] $($arms)+)
    };
}

#[doc(inline)]
pub use crate::select;
