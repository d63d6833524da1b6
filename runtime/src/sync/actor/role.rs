//! What an actor does: [`Actor`].

use super::context::Context;
use super::exit::Exit;
use crate::sync::backend::{Backend, Tracked};

/// Something that handles messages, one after the other, on a thread of its own.
///
/// - **Messages, order**: they are of one type, usually an enum: what an actor does not know is an error of the compiler.
///   From each sender they come in the order in which they were sent; urgent ones come before the others.
/// - **Life, close, drop**: [`on_start`](Actor::on_start) comes before any message, [`on_stop`](Actor::on_stop) after the
///   last one. The actor ends when it is closed and its mailbox is empty, when it is killed, or when it
///   panics; then what is left in its mailbox is dropped, and whoever waits for an answer learns that.
///   Its end is known ([`Handle::join`](super::Handle::join)) after all of it is dropped.
/// - **Panic**: that of a handler ends the actor, or, if it was
///   [supervised](super::ActorBuilder::start_supervised), a new one goes on with the same mailbox. The
///   message that was being handled is gone. (Without supervision there is nobody who would ever handle
///   what is left, so keeping it would only keep those waiting who asked.)
/// - **Blocking, capacity**: the mailbox has room for all that is sent, or for so much
///   ([`bounded`](super::ActorBuilder::bounded)); a handler that waits keeps only its own actor waiting.
/// - **Fairness**: messages of several senders are handled in the order in which they came; urgent ones can keep the
///   others waiting for ever.
/// - **Locks, re-entrancy**: none of ours is held while the actor runs. It may use handles of itself, to send, to ask
///   for its end, or to close itself.
///
/// ```
/// use lockwise::sync::{Actor, Context, start};
///
/// struct Greeter(Vec<String>);
///
/// impl Actor for Greeter {
///     type Message = &'static str;
///
///     fn handle(&mut self, name: &'static str, _: &Context<'_, &'static str>) {
///         self.0.push(format!("hello {name}"));
///     }
/// }
///
/// let greeter = start(Greeter(Vec::new()));
/// greeter.send("world").unwrap();
/// greeter.close();
/// greeter.join().unwrap();
/// assert!(greeter.send("anybody").is_err());
/// ```
pub trait Actor<B: Backend = Tracked>: Sized + 'static {
    /// What it is sent.
    type Message: Send + 'static;

    /// Handles one message.
    fn handle(&mut self, message: Self::Message, context: &Context<'_, Self::Message, B>);

    /// Runs before the first message. A panic ends the actor before it has begun.
    fn on_start(&mut self, context: &Context<'_, Self::Message, B>) {
        let _ = context;
    }

    /// Handles messages until there will be no more. An actor that wants to do so in its own way uses
    /// [`Context::recv`], which fails when the actor is to end.
    fn run(&mut self, context: &Context<'_, Self::Message, B>) {
        while let Ok(message) = context.recv() {
            self.handle(message, context);
        }
    }

    /// Runs after the last message, also after a panic; of a supervised actor, once for each one that was made.
    ///
    /// Its own panic is printed, as is that of the actor's destructor, and changes nothing of how the actor has ended:
    /// [`Exit`] says how it came to its last message.
    fn on_stop(&mut self, exit: &Exit) {
        let _ = exit;
    }
}
