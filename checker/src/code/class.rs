//! Which class a lock belongs to: the field, static or variable that it stands in.
//!
//! A newtype around a lock makes no class of its own, since all locks behind it would be one.

use super::frame::Frame;
use super::ir::Kind;
use super::names::Name;
use super::program::Program;
use super::text::last;
use super::value::{Path, Root, Step};

/// A class, and whether the caller could tell better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    /// Its name.
    pub name: Name,
    /// Whether it only names a parameter.
    pub is_open: bool,
}

/// Stands for what has no name in the source.
const NAMELESS: &str = "…";

impl Class {
    /// The class of what has no name.
    pub(crate) fn nameless(program: &Program) -> Class {
        closed(program.names.of(NAMELESS))
    }

    /// Whether it names nothing in the source.
    pub(crate) fn is_nameless(self, program: &Program) -> bool {
        is_nameless(program, self.name)
    }
}

/// Whether a class names nothing in the source.
pub(crate) fn is_nameless(program: &Program, class: Name) -> bool {
    program.text(class).contains(NAMELESS)
}

/// Whether a class is that of a field or static.
pub(crate) fn is_place(program: &Program, class: Name) -> bool {
    let text = program.text(class);
    text.contains('.') || text.starts_with("static ")
}

/// The class of the lock at a path, as seen in a function.
pub(crate) fn of_path(frame: &Frame<'_>, path: &Path) -> Class {
    let program = frame.program;
    let is_parameter = matches!(path.root, Root::Parameter(_));
    let mut newtype = None;
    // A lock in what another protects is another class than that.
    let mut is_inside = false;
    let named = |name: Name, is_inside: bool| {
        closed(if is_inside {
            inside(program, name)
        } else {
            name
        })
    };
    for step in path.steps.iter().rev() {
        let (owner, index) = match (*step, newtype) {
            (Step::Field(owner, index), _) => (owner, index),
            // What lies in another lock is no part of it.
            (Step::Data | Step::Lazy, Some(name)) if is_of_any(program, name) => {
                return Class::nameless(program);
            }
            (Step::Asked(asked), Some(name)) if is_of_any(program, name) => return closed(asked),
            (Step::Data | Step::Lazy | Step::Asked(_), Some(name)) | (Step::Asked(name), None) => {
                return closed(name);
            }
            (Step::Data, None) => {
                is_inside = true;
                continue;
            }
            _ => continue,
        };
        match field(program, owner, index) {
            // Of several newtypes around one another, the outermost.
            Some((name, true)) => newtype = Some(name),
            Some((name, false)) => return named(name, is_inside),
            None => {}
        }
    }
    if let Root::Static(name) = path.root {
        let name = program.names.of(&format!("static {}", program.text(name)));
        return named(name, is_inside);
    }
    if let Some(name) = newtype.filter(|_| is_parameter) {
        return Class {
            name,
            is_open: true,
        };
    }
    if matches!(path.root, Root::Call(_) | Root::Local(_))
        && !path
            .steps
            .iter()
            .any(|step| matches!(step, Step::Index | Step::Chosen(_)))
        && let Some((owner, index)) = frame.kept_in(path.root)
        && let Some((name, false)) = field(program, owner, index)
    {
        // Made here, for a struct.
        return named(name, is_inside);
    }
    if let Root::Call(block) = path.root
        && let Some(mut from) = frame.taken_out_of(block)
    {
        from.steps.extend(&path.steps);
        let class = of_path(frame, &from);
        if is_place(program, class.name) && !class.is_open {
            return class;
        }
    }
    let variable = frame.name_of(path);
    let named = variable.filter(|_| is_parameter && frame.body.kind == Kind::Closure);
    let variable = if let Some(name) = named {
        program
            .text(of_captured(program, frame.body.name, name))
            .to_string()
    } else {
        let mut function = function_name(program, frame.body.name);
        if is_parameter {
            function = function.replace("::{closure}", "");
        }
        let variable = variable.map_or_else(|| NAMELESS.into(), |name| program.text(name));
        format!("{function}::{variable}")
    };
    let element = if path
        .steps
        .iter()
        .any(|step| matches!(step, Step::Index | Step::Element(_) | Step::Chosen(_)))
    {
        "[]"
    } else {
        ""
    };
    Class {
        name: program.names.of(&format!("{variable}{element}")),
        is_open: is_parameter,
    }
}

/// The class of what a closure captured under this name, as the closure sees it: a variable of the function around. Where
/// that has several of the name, each closure has its own.
pub(crate) fn of_captured(program: &Program, closure: Name, variable: Name) -> Name {
    let class = of_variable(program, closure, variable);
    if !program.is_shadowed(class) {
        return class;
    }
    let closure = program.text(closure);
    let numbers = closure.split("{closure#").skip(1);
    let numbers = numbers.filter_map(|number| number.split('}').next());
    let numbers: String = numbers.flat_map(|number| [OF_CLOSURE, number]).collect();
    program
        .names
        .of(&format!("{}{numbers}", program.text(class)))
}

/// Stands before the number of a closure whose variable it is.
const OF_CLOSURE: &str = "#";

/// The class of a variable of a function, or of the function around a closure.
pub(crate) fn of_variable(program: &Program, body: Name, variable: Name) -> Name {
    let function = function_name(program, body).replace("::{closure}", "");
    let variable = program.text(variable);
    program.names.of(&format!("{function}::{variable}"))
}

/// The class of the locks in what the lock of a class protects.
pub(crate) fn inside(program: &Program, class: Name) -> Name {
    program.names.of(&format!("{}[]", program.text(class)))
}

/// The class of a field of the type at this path; none of a newtype's.
pub(crate) fn of_field(program: &Program, owner: &str, index: u32) -> Option<Name> {
    let (name, is_newtype) = field(program, program.names.of(owner), index)?;
    (!is_newtype).then_some(name)
}

fn closed(name: Name) -> Class {
    Class {
        name,
        is_open: false,
    }
}

/// The name of a field with its type, and whether the type is a newtype. Tuples and closures have no
/// names.
fn field(program: &Program, owner: Name, index: u32) -> Option<(Name, bool)> {
    let text = program.text(owner);
    if text.starts_with(['(', '{', '[']) {
        return None;
    }
    let sources = program.sources.borrow();
    let path = sources.known_path(&text);
    let shape = sources.shapes.get(&*path);
    let name = shape
        .and_then(|shape| shape.fields.get(index as usize))
        .map_or_else(|| index.to_string(), |field| field.name.clone());
    let is_newtype = shape.is_some_and(|shape| shape.wraps == Some(index));
    Some((program.names.of(&format!("{path}.{name}")), is_newtype))
}

/// Whether the class of a newtype's field is that of a wrapper for whatever its user likes: all locks that
/// are wrapped so would be one.
fn is_of_any(program: &Program, class: Name) -> bool {
    let text = program.text(class);
    let owner = text.rsplit_once('.').map_or(&*text, |(owner, _)| owner);
    let sources = program.sources.borrow();
    sources
        .shapes
        .get(owner)
        .is_some_and(|shape| shape.wraps_any)
}

/// The name of a function as its author would say it.
pub(crate) fn function_name(program: &Program, name: Name) -> String {
    let text = program.text(name);
    let mut parts: Vec<String> = Vec::new();
    let mut rest: &str = &text;
    while !rest.is_empty() {
        if rest.starts_with('<') || rest.starts_with('{') {
            let end = super::text::closing(rest, 0).map_or(rest.len(), |end| end + 1);
            if rest.starts_with("{closure#") || rest.starts_with("{async") {
                parts.push("{closure}".to_owned());
            }
            rest = rest[end..].trim_start_matches("::");
        } else {
            let end = rest.find("::").unwrap_or(rest.len());
            parts.push(rest[..end].to_owned());
            rest = rest[end..].trim_start_matches("::");
        }
    }
    parts.join("::")
}

/// A class as reports name it: without the modules.
pub(crate) fn short(class: &str) -> String {
    if let Some(message) = class.strip_prefix("channel of ") {
        return format!("channel of {}", last(message));
    }
    if let Some(path) = class.strip_prefix("static ") {
        return format!("static {}", last(path));
    }
    if let Some((of, field)) = class.rsplit_once('.') {
        let mut parts: Vec<&str> = of.rsplit("::").take(2).collect();
        parts.reverse();
        // Of a variant, the enum too.
        let is_variant = parts.len() == 2 && parts[0].starts_with(char::is_uppercase);
        let of = if is_variant {
            parts.join("::")
        } else {
            last(of).to_owned()
        };
        return format!("{of}.{field}");
    }
    if let Some((variable, number)) = class.split_once(OF_CLOSURE) {
        let element = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '#');
        return short(variable) + element;
    }
    let parts: Vec<&str> = class
        .split("::")
        .filter(|part| *part != "{closure}")
        .collect();
    parts[parts.len().saturating_sub(2)..].join("::")
}

#[cfg(test)]
mod tests;
