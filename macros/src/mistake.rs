//! What is wrong with what the user wrote, said at the user's tokens, with what to write instead.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Error, Expr, Token, UnOp};

use crate::hygiene::Author;
use crate::parse::{Call, Mode, Request};
use crate::text;

/// The most locks in one call: as many as the standard library has tuples with `Debug` for.
pub(crate) const LOCKS_MAX: usize = 12;

/// Collects all that is wrong with a call that is well-formed.
pub(crate) fn check(call: &Call) -> Result<(), Error> {
    let mut errors = Vec::new();
    for (index, request) in call.requests.iter().enumerate() {
        errors.extend(no_lock(&request.lock));
        let twin = call.requests[..index].iter().find(|one| same(one, request));
        errors.extend(twin.map(|_| twice(request)));
    }
    errors.extend(call.requests.get(LOCKS_MAX).map(too_many));
    match errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    }) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// An expression that can be no lock.
fn no_lock(lock: &Expr) -> Option<Error> {
    match bare(lock) {
        Expr::Lit(literal) => Some(Error::new_spanned(
            literal,
            "a literal is not a lock; name the lock that protects it, such as `acquire!(self.balance)`",
        )),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => no_lock(&unary.expr),
        Expr::Tuple(tuple) => Some(Error::new_spanned(
            tuple,
            "a tuple is not a lock; write the locks side by side: `acquire!(a, b)`",
        )),
        Expr::Reference(reference) => reference.mutability.map(mutable),
        _ => None,
    }
}

fn twice(request: &Request) -> Error {
    let lock = text::of(bare(&request.lock));
    Error::new_spanned(
        &request.lock,
        format!(
            "`{lock}` is acquired twice; remove one of the two, or bind both to names first if the \
             expression gives another lock each time"
        ),
    )
}

fn too_many(request: &Request) -> Error {
    Error::new_spanned(
        &request.lock,
        format!(
            "at most {LOCKS_MAX} locks can be acquired at once, and this is one more; \
             put what is always locked together behind one lock"
        ),
    )
}

/// A `mut`, before an expression or after its `&`.
pub(crate) fn mutable(keyword: Token![mut]) -> Error {
    Error::new_spanned(
        keyword,
        "a lock is not acquired by `mut`; make the guard mutable: `let (mut a,) = acquire!(a)`",
    )
}

/// A mode word after another.
pub(crate) fn second_mode(word: &Ident) -> Error {
    Error::new_spanned(
        word,
        format!("a lock is acquired in one mode only; remove `{word}` or the one before it"),
    )
}

/// A word before an expression that is no mode.
pub(crate) fn unknown_mode(word: &Ident) -> Error {
    misspelt_mode(word).unwrap_or_else(|| {
        Error::new_spanned(
            word,
            format!(
                "`{word}` is not a mode: the modes are `read`, `write` and `upgradable`; \
                 or is a comma missing after `{word}`?"
            ),
        )
    })
}

/// A word that is no mode but was surely meant for one.
pub(crate) fn misspelt_mode(word: &Ident) -> Option<Error> {
    let written = word.to_string().to_lowercase();
    let advice = match written.as_str() {
        "shared" => "`read` is the word for it".to_owned(),
        "exclusive" | "lock" => "a lock is taken exclusively where no mode is written".to_owned(),
        "timeout" => "a timeout stands last, after a semicolon: `; timeout duration`".to_owned(),
        _ => format!("did you mean `{}`?", nearest_mode(&written)?),
    };
    Some(Error::new_spanned(
        word,
        format!("`{word}` is not a mode: {advice}"),
    ))
}

/// The mode word that is at most two letters away, and fewer than half of its own.
fn nearest_mode(written: &str) -> Option<&'static str> {
    Mode::WORDS
        .iter()
        .map(|&(name, _)| (distance(written, name), name))
        .filter(|&(distance, name)| distance <= 2 && 2 * distance <= name.len())
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be changed, added or removed (Levenshtein), by the row.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Something after a lock that neither ends it nor goes on with it.
pub(crate) fn no_comma(input: ParseStream<'_>) -> Error {
    input.error("expected `,` and another lock, or `;` and a timeout")
}

/// A semicolon, and nothing more.
pub(crate) fn nothing_after(semicolon: Token![;]) -> Error {
    Error::new_spanned(
        semicolon,
        "expected `timeout` and a duration after `;`; without a timeout, remove it",
    )
}

/// Something else than `timeout` after the semicolon.
pub(crate) fn no_timeout(input: ParseStream<'_>) -> Error {
    input.error("only a timeout may stand after `;`, such as `; timeout Duration::from_millis(50)`")
}

/// A `timeout`, and nothing more.
pub(crate) fn no_duration(word: &Ident) -> Error {
    Error::new_spanned(
        word,
        "expected a duration after `timeout`, such as `timeout Duration::from_millis(50)`",
    )
}

/// Something after the timeout.
pub(crate) fn after_timeout(input: ParseStream<'_>) -> Error {
    input.error("the timeout is the last thing; locks stand before the `;`")
}

/// Whether two requests are surely for the same lock: the same tokens, which mean the same.
///
/// Two identifiers of one spelling are two variables if one of them was written in another macro.
fn same(a: &Request, b: &Request) -> bool {
    let tokens = |request: &Request| flat(bare(&request.lock).to_token_stream());
    let (a, b) = (tokens(a), tokens(b));
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b)
}

/// An expression without the parentheses and references around it: they do not change the lock.
fn bare(mut expression: &Expr) -> &Expr {
    loop {
        expression = match expression {
            Expr::Paren(inner) => &inner.expr,
            Expr::Group(inner) => &inner.expr,
            Expr::Reference(inner) if inner.mutability.is_none() => &inner.expr,
            _ => return expression,
        }
    }
}

/// A token without its place: its spelling, and for an identifier who wrote it.
#[derive(PartialEq)]
struct Word {
    spelling: String,
    author: Option<Author>,
}

/// All tokens in order, groups opened, invisible ones as if they were not there.
fn flat(tokens: TokenStream) -> Vec<Word> {
    let mut words = Vec::new();
    let plain = |spelling: String| Word {
        spelling,
        author: None,
    };
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = text::delimiters(group.delimiter());
                words.extend((!open.is_empty()).then(|| plain(open.to_owned())));
                words.extend(flat(group.stream()));
                words.extend((!close.is_empty()).then(|| plain(close.to_owned())));
            }
            TokenTree::Ident(ident) => words.push(Word {
                spelling: ident.to_string(),
                author: Some(Author::of(ident.span())),
            }),
            other => words.push(plain(other.to_string())),
        }
    }
    words
}

/// The place of an expression's first visible token.
pub(crate) fn place(expression: &Expr) -> Span {
    first(expression.to_token_stream()).unwrap_or_else(|| expression.span())
}

fn first(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Group(group) if text::delimiters(group.delimiter()).0.is_empty() => {
            first(group.stream())
        }
        other => Some(other.span()),
    })
}
