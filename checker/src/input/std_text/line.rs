//! One line of a text trace, taken apart.

use super::Malformed;

/// `thread|operation(argument, argument, name=value)|location`.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) thread: &'a str,
    pub(super) operation: &'a str,
    /// All between the parentheses.
    arguments: &'a str,
    /// Verbatim; empty where there is none.
    pub(super) location: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let (thread, rest) = text.split_once('|').ok_or(Malformed::Shape)?;
        let (operation, rest) = rest.split_once('(').ok_or(Malformed::Shape)?;
        // A variable may have parentheses in its name, so the argument ends at `)|` if there is one.
        let (arguments, location) = match rest.split_once(")|") {
            Some(parts) => parts,
            None => (rest.strip_suffix(')').ok_or(Malformed::Shape)?, ""),
        };
        let (thread, operation) = (thread.trim(), operation.trim());
        if location.contains('\r') {
            return Err(Malformed::Shape);
        }
        let word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        if !word(thread) || !word(operation) || operation.contains('|') {
            return Err(Malformed::Shape);
        }
        Ok(Line {
            thread,
            operation,
            arguments: arguments.trim(),
            location: location.trim(),
        })
    }

    /// The argument at this position, `name=value` pairs not counted.
    pub(super) fn argument(&self, at: usize) -> Option<&'a str> {
        self.parts()
            .filter(|part| !part.contains('='))
            .nth(at)
            .filter(|part| !part.is_empty())
    }

    /// The first argument; `needs` says what it is, for the error.
    pub(super) fn first(&self, needs: &'static str) -> Result<&'a str, Malformed> {
        self.argument(0).ok_or_else(|| self.lacks(needs))
    }

    /// All between the parentheses as one name.
    pub(super) fn whole_argument(&self, needs: &'static str) -> Result<&'a str, Malformed> {
        Some(self.arguments)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| self.lacks(needs))
    }

    /// The value of `name=value`.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parts()
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    }

    pub(super) fn lacks(&self, needs: &'static str) -> Malformed {
        Malformed::Argument {
            operation: self.operation.to_owned(),
            needs,
        }
    }

    /// All arguments.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &'a str> {
        self.parts().filter(|part| !part.is_empty())
    }

    fn parts(&self) -> impl Iterator<Item = &'a str> {
        self.arguments.split(',').map(str::trim)
    }
}
