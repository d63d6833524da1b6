//! What a call becomes.
//!
//! ```text
//! acquire!(read a, b)
//!
//! {
//!     use ::lockwise::acquire::{WantRead as _, WantExclusive as _};
//!     ::lockwise::acquire::all((
//!         (a).__lockwise_read({ static NOTE: … = …; &NOTE }),
//!         (b).__lockwise_exclusive({ static NOTE: … = …; &NOTE }),
//!     ))
//! }
//! ```
//!
//! A method call finds the lock behind references, boxes and pointers of the user's own just as
//! `.lock()` does, borrows it where it is, and lets the temporaries of its receiver live to the end
//! of the statement.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Expr;

use crate::mistake;
use crate::parse::{Call, Mode, Request};
use crate::text;

/// What a macro promises.
#[derive(Clone, Copy)]
pub(crate) enum Promise {
    /// `acquire!`: all locks.
    All,
    /// `try_acquire!`: all locks, or none.
    AllOrNothing,
}

/// Expands one call; a mistake becomes a compile error.
pub(crate) fn expand(input: TokenStream, promise: Promise) -> TokenStream {
    let call = syn::parse2(input).and_then(|call| mistake::check(&call).map(|()| call));
    match call {
        Ok(call) => block(&call, promise),
        Err(error) => error.into_compile_error(),
    }
}

fn block(call: &Call, promise: Promise) -> TokenStream {
    // Names of ours are looked up where the macro was called but cannot capture the user's.
    let ours = Span::mixed_site();
    let lockwise = (call.lockwise.as_ref()).map_or_else(
        || quote_spanned!(ours=> ::lockwise),
        ToTokens::to_token_stream,
    );
    let function = match (promise, &call.timeout) {
        (Promise::All, None) => quote_spanned!(ours=> all),
        (Promise::All, Some(_)) => quote_spanned!(ours=> all_within),
        (Promise::AllOrNothing, None) => quote_spanned!(ours=> try_all),
        (Promise::AllOrNothing, Some(_)) => quote_spanned!(ours=> try_all_within),
    };
    let traits = traits(&call.requests);
    let wanted = call
        .requests
        .iter()
        .map(|request| wanted(request, &lockwise));
    let timeout = call.timeout.iter();
    quote_spanned! {ours=> {
        #(use #lockwise::acquire::#traits as _;)*
        #lockwise::acquire::#function((#(#wanted,)*) #(, #timeout)*)
    }}
}

/// The traits whose methods the requests call, each once.
fn traits(requests: &[Request]) -> Vec<Ident> {
    [Mode::Bare, Mode::Read, Mode::Write, Mode::Upgradable]
        .into_iter()
        .filter(|&mode| requests.iter().any(|request| request.mode == mode))
        .map(|mode| Ident::new(trait_of(mode).0, Span::mixed_site()))
        .collect()
}

/// The trait, and its method, by which a lock is asked for in this mode.
fn trait_of(mode: Mode) -> (&'static str, &'static str) {
    match mode {
        Mode::Bare => ("WantExclusive", "__lockwise_exclusive"),
        Mode::Read => ("WantRead", "__lockwise_read"),
        Mode::Write => ("WantWrite", "__lockwise_write"),
        Mode::Upgradable => ("WantUpgradable", "__lockwise_upgradable"),
    }
}

/// One lock, asked for but not yet taken.
fn wanted(request: &Request, lockwise: &TokenStream) -> TokenStream {
    let lock = &request.lock;
    let ours = Span::mixed_site();
    // If the expression is no lock, the compiler complains about this name: let it point there.
    let method = Ident::new(
        trait_of(request.mode).1,
        ours.located_at(mistake::place(lock)),
    );
    let note = note(lock, lockwise);
    quote_spanned!(ours=> (#lock).#method(#note))
}

/// The note about one lock expression, as a reference that lives for ever.
///
/// The place is that of the tokens of `line!()`, if they are the user's own. (`::std`, because in
/// edition 2015 they mean the crate root, and there is no `core` there.)
fn note(lock: &Expr, lockwise: &TokenStream) -> TokenStream {
    let ours = Span::mixed_site();
    let theirs = mistake::place(lock);
    let file = quote_spanned!(theirs=> ::std::file!());
    let line = quote_spanned!(theirs=> ::std::line!());
    let column = quote_spanned!(theirs=> ::std::column!());
    let expression = text::of(lock);
    quote_spanned! {ours=> {
        static NOTE: #lockwise::acquire::Note = #lockwise::acquire::Note {
            file: #file,
            line: #line,
            column: #column,
            module: ::std::module_path!(),
            expression: #expression,
        };
        &NOTE
    }}
}
