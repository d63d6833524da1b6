//! What the user wrote between the parentheses.
//!
//! ```text
//! call    = [ "crate" "=" path "," ] [ request { "," request } [ "," ] ] [ ";" "timeout" expression ]
//! request = [ "read" | "write" | "upgradable" ] expression
//! ```
//!
//! The mode words are no keywords: `read` before an operator, a call or a comma is a variable. They
//! are looked up in the raw tokens, because an expression that came through a `macro_rules!` is one
//! invisible group there, which never is a mode.

use proc_macro2::{Delimiter, Ident, TokenTree};
use syn::buffer::Cursor;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Path, Result, Token};

use crate::mistake;

/// All that was written.
pub(crate) struct Call {
    /// Where the `lockwise` crate is, if the user said so.
    pub(crate) lockwise: Option<Path>,
    /// The locks, in the order written.
    pub(crate) requests: Vec<Request>,
    /// The duration after which to give up.
    pub(crate) timeout: Option<Expr>,
}

/// One lock.
pub(crate) struct Request {
    /// How it is to be taken.
    pub(crate) mode: Mode,
    /// The expression whose value is the lock.
    pub(crate) lock: Expr,
}

/// How a lock is to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No word: exclusively.
    Bare,
    Read,
    Write,
    Upgradable,
}

impl Mode {
    /// The modes that are written as a word.
    pub(crate) const WORDS: [(&'static str, Mode); 3] = [
        ("read", Mode::Read),
        ("write", Mode::Write),
        ("upgradable", Mode::Upgradable),
    ];

    fn of_word(word: &Ident) -> Option<Mode> {
        Mode::WORDS
            .iter()
            .find(|(name, _)| word == name)
            .map(|&(_, mode)| mode)
    }
}

impl Parse for Call {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let lockwise = lockwise_path(input)?;
        let mut requests = Vec::new();
        while !input.is_empty() && !input.peek(Token![;]) {
            requests.push(input.parse()?);
            if input.is_empty() || input.peek(Token![;]) {
                break;
            }
            if !input.peek(Token![,]) {
                return Err(mistake::no_comma(input));
            }
            input.parse::<Token![,]>()?;
        }
        let timeout = timeout(input)?;
        Ok(Call {
            lockwise,
            requests,
            timeout,
        })
    }
}

impl Parse for Request {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mode = match mode(input)? {
            Mode::Bare => Mode::Bare,
            mode => only(mode, input)?,
        };
        if input.peek(Token![mut]) {
            return Err(mistake::mutable(input.parse()?));
        }
        let lock = input.parse()?;
        Ok(Request { mode, lock })
    }
}

/// Parses `crate = path,`.
fn lockwise_path(input: ParseStream<'_>) -> Result<Option<Path>> {
    if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
        return Ok(None);
    }
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style)?;
    if !input.is_empty() && !input.peek(Token![;]) {
        input.parse::<Token![,]>()?;
    }
    Ok(Some(path))
}

/// Parses a mode word, if one stands before an expression.
fn mode(input: ParseStream<'_>) -> Result<Mode> {
    // A keyword is no mode: `match x {…}`, `unsafe {…}`, `self.lock`.
    let Ok(word) = input.fork().parse::<Ident>() else {
        return Ok(Mode::Bare);
    };
    let Some((TokenTree::Ident(_), after)) = input.cursor().token_tree() else {
        return Ok(Mode::Bare);
    };
    let next = Next::after_word(after);
    match (Mode::of_word(&word), next) {
        (Some(mode), Next::Expression | Next::Either | Next::Braces) => {
            input.parse::<Ident>()?;
            Ok(mode)
        }
        (None, Next::Expression) => Err(mistake::unknown_mode(&word)),
        (None, Next::Either) => match mistake::misspelt_mode(&word) {
            Some(error) => Err(error),
            None => Ok(Mode::Bare),
        },
        (None, Next::Braces) | (_, Next::SameExpression) => Ok(Mode::Bare),
    }
}

/// Makes sure that no second mode word follows.
fn only(mode: Mode, input: ParseStream<'_>) -> Result<Mode> {
    let next = input.fork();
    match self::mode(&next)? {
        Mode::Bare => Ok(mode),
        _ => Err(mistake::second_mode(&input.parse()?)),
    }
}

/// What the tokens after a word make of it.
enum Next {
    /// An expression begins: the word stands apart.
    Expression,
    /// Grammar allows both; with the word as an operand it would hardly be a lock: `read &a`.
    Either,
    /// A block after a mode, else the fields of a struct: `read { a }`, `Account { .. }`.
    Braces,
    /// The word is the beginning of an expression, or all of it.
    SameExpression,
}

impl Next {
    fn after_word(after: Cursor<'_>) -> Next {
        match after.token_tree() {
            None => Next::SameExpression,
            Some((TokenTree::Ident(ident), _)) if ident == "as" => Next::SameExpression,
            Some((TokenTree::Ident(_) | TokenTree::Literal(_), _)) => Next::Expression,
            Some((TokenTree::Group(group), _)) => match group.delimiter() {
                Delimiter::None => Next::Expression,
                Delimiter::Brace => Next::Braces,
                Delimiter::Parenthesis | Delimiter::Bracket => Next::SameExpression,
            },
            Some((TokenTree::Punct(punct), _)) => match punct.as_char() {
                '&' | '*' | '<' => Next::Either,
                _ => Next::SameExpression,
            },
        }
    }
}

/// Parses `; timeout duration` up to the end.
fn timeout(input: ParseStream<'_>) -> Result<Option<Expr>> {
    if input.is_empty() {
        return Ok(None);
    }
    let semicolon = input.parse::<Token![;]>()?;
    if input.is_empty() {
        return Err(mistake::nothing_after(semicolon));
    }
    let word = match input.fork().parse::<Ident>() {
        Ok(word) if word == "timeout" => input.parse::<Ident>()?,
        _ => return Err(mistake::no_timeout(input)),
    };
    if input.is_empty() || input.peek(Token![,]) {
        return Err(mistake::no_duration(&word));
    }
    let duration = input.parse()?;
    if !input.is_empty() {
        return Err(mistake::after_timeout(input));
    }
    Ok(Some(duration))
}
