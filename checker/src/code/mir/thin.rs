//! Leaves out of the compiler's text what no reader of it needs: most of it.
//!
//! Constants, storage that begins, unwinding and the bytes of allocations are four fifths of the text.

/// Decides line by line what stays.
#[derive(Debug, Default)]
pub(crate) struct Thin {
    is_inside: bool,
    is_cleanup: bool,
    /// The first place noted behind a statement is that of the method's name.
    has_place: bool,
}

impl Thin {
    /// Whether the next line stays.
    pub(crate) fn keeps(&mut self, line: &str) -> bool {
        if !line.starts_with(' ') {
            if line.starts_with("alloc") {
                self.is_inside = false;
                return line.contains(" (static: ");
            }
            if line.ends_with('{') {
                self.is_inside = true;
                self.is_cleanup = false;
            } else if line == "}" {
                self.is_inside = false;
                return true;
            }
            return !line.is_empty() && !line.starts_with("//");
        }
        if !self.is_inside {
            return false;
        }
        let text = line.trim_start();
        if text.starts_with("bb") && text.ends_with('{') {
            self.is_cleanup = text.contains("(cleanup)");
            return true;
        }
        if self.is_cleanup {
            if text == "}" {
                self.is_cleanup = false;
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
