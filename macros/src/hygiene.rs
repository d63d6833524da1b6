//! Who wrote a token: the user, or one of the macros that the user called.

use proc_macro2::Span;

/// What tells apart the macros that wrote tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Author(String);

impl Author {
    /// The author of the token with this span.
    ///
    /// Only the debug text of a span shows it, beside the place. Nothing depends on how: all spans
    /// are given one place before their texts are compared.
    pub(crate) fn of(span: Span) -> Author {
        Author(format!("{:?}", Span::call_site().resolved_at(span)))
    }
}
