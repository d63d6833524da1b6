//! The source text of an expression, as its author wrote it.
//!
//! Tokens know their places but not the space between them, and a token stream prints itself with a
//! space around almost each. So two tokens are joined if one begins where the other ends, and
//! anything else between two, a comment too, becomes one space. Where two tokens were written by
//! different macros their places say nothing: then only words are kept apart.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use crate::hygiene::Author;

/// The source text of an expression, on one line.
pub(crate) fn of(expression: &Expr) -> String {
    let mut text = Text::default();
    text.stream(expression.to_token_stream());
    text.written
}

/// What stands before and after a group.
pub(crate) fn delimiters(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// A line and a column.
type Place = (usize, usize);

#[derive(Default)]
struct Text {
    written: String,
    /// Who wrote the last token, and where it ended.
    last: Option<(Author, Place)>,
}

impl Text {
    fn stream(&mut self, tokens: TokenStream) {
        for token in tokens {
            let author = Author::of(token.span());
            let (start, end) = extent(token.span());
            match token {
                TokenTree::Group(group) => {
                    // The span of a group is that of the whole.
                    let (open, close) = delimiters(group.delimiter());
                    self.token(open, &author, start, (start.0, start.1 + open.len()));
                    self.stream(group.stream());
                    self.token(
                        close,
                        &author,
                        (end.0, end.1.saturating_sub(close.len())),
                        end,
                    );
                }
                other => self.token(&other.to_string(), &author, start, end),
            }
        }
    }

    fn token(&mut self, token: &str, author: &Author, start: Place, end: Place) {
        if token.is_empty() {
            return;
        }
        let apart = match &self.last {
            None => false,
            Some((last, place)) if last == author => *place != start,
            Some(_) => self.written.ends_with(in_word) && token.starts_with(in_word),
        };
        if apart {
            self.written.push(' ');
        }
        self.written.push_str(token);
        self.last = Some((author.clone(), end));
    }
}

/// Whether two such letters side by side would become one word.
fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '"' | '\'')
}

fn extent(span: Span) -> (Place, Place) {
    let span = span.unwrap();
    let (start, end) = (span.start(), span.end());
    ((start.line(), start.column()), (end.line(), end.column()))
}
