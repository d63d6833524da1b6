//! Leaves out of the compiler's text what no reader of it needs: most of it.
//!
//! Constants, storage that begins, unwinding and the bytes of allocations are four fifths of the text.

/// Decides line by line what stays.
#[derive(Debug, Default)]
pub(crate) struct Thin {
    is_inside: bool,
    /// What of that is left out.
    left_out: LeftOut,
    /// The first place noted behind a statement is that of the method's name.
    has_place: bool,
}

/// A part of the text that is left out.
#[derive(Debug, Default, PartialEq, Eq)]
enum LeftOut {
    #[default]
    Nothing,
    /// A block that cleans up.
    Block,
    /// A whole body, which the compiler runs itself: a `const fn` is printed a second time for that.
    Body,
}

impl Thin {
    /// Whether the next line stays.
    pub(crate) fn keeps(&mut self, line: &str) -> bool {
        if !line.starts_with(' ') {
            if line.starts_with("alloc") {
                self.is_inside = false;
                return line.contains(" (static: ");
            }
            if line == "// MIR FOR CTFE" {
                self.left_out = LeftOut::Body;
            } else if line == "}" {
                self.is_inside = false;
                return std::mem::take(&mut self.left_out) != LeftOut::Body;
            } else if self.left_out == LeftOut::Body {
                return false;
            } else if line.ends_with('{') {
                self.is_inside = true;
                self.left_out = LeftOut::Nothing;
            }
            return !line.is_empty() && !line.starts_with("//");
        }
        if !self.is_inside {
            return false;
        }
        let text = line.trim_start();
        if text.starts_with("bb") && text.ends_with('{') {
            self.left_out = if text.contains("(cleanup)") {
                LeftOut::Block
            } else {
                LeftOut::Nothing
            };
            return true;
        }
        if self.left_out == LeftOut::Block {
            if text == "}" {
                self.left_out = LeftOut::Nothing;
                return true;
            }
            return false;
        }
        if let Some(note) = text.strip_prefix("// ") {
            let is_place = !self.has_place && note.starts_with("+ span: ");
            self.has_place |= is_place;
            return is_place;
        }
        if text.starts_with("//") || text.starts_with("StorageLive") || text.starts_with("scope ") {
            return false;
        }
        self.has_place = !text.contains(" -> ");
        true
    }
}
