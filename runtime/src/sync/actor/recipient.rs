//! A handle that forgets what else an actor understands: [`Recipient`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::handle::{Handle, SendError};
use crate::sync::backend::Backend;

/// The right to send an actor messages of one kind, whatever it is otherwise sent.
///
/// It counts as a handle: the actor is not closed while there is one.
///
/// ```
/// use lockwise::sync::{Actor, Context, Recipient, start};
///
/// enum Drawer {
///     Line(String),
///     Number(u32),
/// }
///
/// struct Draws;
///
/// impl Actor for Draws {
///     type Message = Drawer;
///
///     fn handle(&mut self, message: Drawer, _: &Context<'_, Drawer>) {
///         match message {
///             Drawer::Line(text) => println!("{text}"),
///             Drawer::Number(number) => println!("{number}"),
///         }
///     }
/// }
///
/// let draws = start(Draws);
/// // Who has these need not know what else can be drawn.
/// let lines: Recipient<String> = draws.recipient(Drawer::Line);
/// let numbers: Recipient<u32> = draws.recipient(Drawer::Number);
/// lines.send("a line".to_owned()).unwrap();
/// numbers.send(5).unwrap();
/// draws.close();
/// draws.join().unwrap();
/// assert!(numbers.send(6).is_err());
/// ```
pub struct Recipient<N>(Arc<dyn Receives<N>>);

/// Something that takes messages of a kind.
trait Receives<N>: Send + Sync {
    fn send(&self, message: N) -> Result<(), SendError<()>>;

    fn send_async(&self, message: N) -> Sending<'_>;
}

/// A message on its way.
type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError<()>>> + Send + 'a>>;

/// A handle, and how its messages are made.
struct Into<M: Send, B: Backend, F> {
    handle: Handle<M, B>,
    make: F,
}

impl<N, M: Send, B: Backend, F: Fn(N) -> M + Send + Sync> Receives<N> for Into<M, B, F> {
    #[track_caller]
    fn send(&self, message: N) -> Result<(), SendError<()>> {
        self.handle
            .send((self.make)(message))
            .map_err(|refused| without_message(&refused))
    }

    #[track_caller]
    fn send_async(&self, message: N) -> Sending<'_> {
        let sending = self.handle.send_async((self.make)(message));
        Box::pin(async move { sending.await.map_err(|refused| without_message(&refused)) })
    }
}

fn without_message<M>(refused: &SendError<M>) -> SendError<()> {
    match refused {
        SendError::Full(_) => SendError::Full(()),
        SendError::Timeout(_) => SendError::Timeout(()),
        SendError::Closed(_) => SendError::Closed(()),
    }
}

impl<M: Send + 'static, B: Backend> Handle<M, B> {
    /// A handle for messages that `make` makes.
    pub fn recipient<N: 'static>(
        &self,
        make: impl Fn(N) -> M + Send + Sync + 'static,
    ) -> Recipient<N> {
        let handle = self.clone();
        Recipient(Arc::new(Into { handle, make }))
    }
}

impl<N> Recipient<N> {
    /// Sends a message, waiting for room if the mailbox is bounded.
    ///
    /// # Errors
    ///
    /// As [`Handle::send`]; the message has been made into one of the actor's by then, and is dropped.
    #[track_caller]
    pub fn send(&self, message: N) -> Result<(), SendError<()>> {
        self.0.send(message)
    }

    /// [`send`](Recipient::send), as a future. Dropped before it is ready, it has not sent, and drops the message.
    ///
    /// # Errors
    ///
    /// As [`send`](Recipient::send).
    #[track_caller]
    pub fn send_async(
        &self,
        message: N,
    ) -> impl Future<Output = Result<(), SendError<()>>> + Send + use<'_, N> {
        self.0.send_async(message)
    }
}

impl<N> Clone for Recipient<N> {
    fn clone(&self) -> Recipient<N> {
        Recipient(Arc::clone(&self.0))
    }
}

impl<N> fmt::Debug for Recipient<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipient").finish_non_exhaustive()
    }
}
