//! What `#[cfg(…)]` says in a crate: fields and items that are not compiled have no place among those that
//! are.
//!
//! What a condition asks that is not known here counts as neither true nor false, and leaves what it stands at.

use std::collections::HashSet;
use std::env::consts;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, Token};

/// Names that the compiler sets itself, for the target and the way of compiling.
const OF_THE_COMPILER: [&str; 10] = [
    "unix",
    "windows",
    "panic",
    "proc_macro",
    "overflow_checks",
    "ub_checks",
    "sanitize",
    "relocation_model",
    "version",
    "accessible",
];

/// What is set while a crate is compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    /// `name` or `name="value"`; nothing if it is not known what is set.
    set: Option<HashSet<String>>,
}

impl Conditions {
    /// These are set, and of what is not the compiler's own no others.
    pub(crate) fn of(set: Option<&[String]>) -> Conditions {
        Conditions {
            set: set.map(|set| set.iter().map(|one| one.replace(' ', "")).collect()),
        }
    }

    /// Whether what has these attributes may be compiled.
    pub(crate) fn allow(&self, attributes: &[Attribute]) -> bool {
        let conditions = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"));
        !conditions
            .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
            .any(|condition| self.is_true(&condition) == Some(false))
    }

    fn is_true(&self, condition: &Meta) -> Option<bool> {
        match condition {
            Meta::Path(name) => self.is_set(&name.get_ident()?.to_string(), None),
            Meta::NameValue(one) => match &one.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => {
                        let name = one.path.get_ident()?.to_string();
                        self.is_set(&name, Some(&text.value()))
                    }
                    _ => None,
                },
                _ => None,
            },
            Meta::List(list) => {
                let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
                let inner = list.parse_args_with(parser).ok()?;
                let mut values = inner.iter().map(|one| self.is_true(one));
                let name = list.path.get_ident()?.to_string();
                match name.as_str() {
                    "not" => values.next()?.map(|value| !value),
                    "all" => together(values, false),
                    "any" => together(values, true),
                    _ => None,
                }
            }
        }
    }

    fn is_set(&self, name: &str, value: Option<&str>) -> Option<bool> {
        let set = self.set.as_ref()?;
        let text = match value {
            Some(value) => format!("{name}=\"{value}\""),
            None => name.to_owned(),
        };
        if set.contains(&text) {
            return Some(true);
        }
        let is_compilers = OF_THE_COMPILER.contains(&name) || name.starts_with("target_");
        // What the target is, is known all at once.
        let stem = match name {
            "unix" | "windows" => "target_family=",
            _ => &format!("{name}="),
        };
        let is_known = !is_compilers || set.iter().any(|one| one.starts_with(stem));
        is_known.then_some(false)
    }
}

/// `all` or `any` of several: one that is `decisive` decides.
fn together(values: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut is_known = true;
    for value in values {
        match value {
            Some(value) if value == decisive => return Some(decisive),
            Some(_) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(!decisive)
}

/// What a compiler sets that compiles for the machine that this program runs on, as far as that is known
/// here.
pub(crate) fn of_this_machine() -> Vec<String> {
    let mut set = vec![
        format!("target_os=\"{}\"", consts::OS),
        format!("target_arch=\"{}\"", consts::ARCH),
        format!("target_family=\"{}\"", consts::FAMILY),
        format!("target_pointer_width=\"{}\"", usize::BITS),
    ];
    let endian = if cfg!(target_endian = "big") {
        "big"
    } else {
        "little"
    };
    set.push(format!("target_endian=\"{endian}\""));
    let atomics = [
        ("8", cfg!(target_has_atomic = "8")),
        ("16", cfg!(target_has_atomic = "16")),
        ("32", cfg!(target_has_atomic = "32")),
        ("64", cfg!(target_has_atomic = "64")),
        ("ptr", cfg!(target_has_atomic = "ptr")),
    ];
    let atomics = atomics.into_iter().filter(|(_, is_there)| *is_there);
    set.extend(atomics.map(|(width, _)| format!("target_has_atomic=\"{width}\"")));
    if matches!(consts::FAMILY, "unix" | "windows") {
        set.push(consts::FAMILY.to_owned());
    }
    set
}

#[cfg(test)]
mod tests;
