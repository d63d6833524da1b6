//! The source text of an expression, as its author wrote it.
//!
//! Tokens know their places but not the space between them, and a token stream prints itself with a
//! space around almost each. So two tokens are joined if one begins where the other ends, and
//! anything else between two, a comment too, becomes one space.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

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

#[derive(Default)]
struct Text {
    written: String,
    /// Where the last token ended.
    end: Option<(usize, usize)>,
}

impl Text {
    fn stream(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    let (open, close) = delimiters(group.delimiter());
                    self.token(open, group.span_open());
                    self.stream(group.stream());
                    self.token(close, group.span_close());
                }
                other => self.token(&other.to_string(), other.span()),
            }
        }
    }

    fn token(&mut self, token: &str, span: Span) {
        if token.is_empty() {
            return;
        }
        let span = span.unwrap();
        let (start, end) = (span.start(), span.end());
        let joined = self.end == Some((start.line(), start.column()));
        if !joined && !self.written.is_empty() {
            self.written.push(' ');
        }
        self.written.push_str(token);
        self.end = Some((end.line(), end.column()));
    }
}
