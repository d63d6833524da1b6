//! Structs that are locks by another name.

use super::{Field, Shape};
use crate::code::text;

/// Locks that hold what they protect.
const LOCKS: [&str; 4] = ["Mutex", "RwLock", "ReentrantLock", "ReentrantMutex"];

/// The field that a struct wraps.
///
/// One that shares what it wraps is no wrapper: clones of it stand in many fields, and all lead to one
/// lock. Nor is one with more locks than that, unless it protects just any type.
pub(super) fn wrapped(shape: &Shape, found: &syn::ItemStruct) -> Option<u32> {
    let fields: Vec<(u32, &Field)> = (0..).zip(&shape.fields).collect();
    let parameters: Vec<String> = found
        .generics
        .type_params()
        .map(|parameter| parameter.ident.to_string())
        .collect();
    let is_parameter = |word: &str| parameters.iter().any(|one| one == word);
    let is_generic = |of: &str| text::words(of).any(is_parameter);
    let real = |field: &&(u32, &Field)| !field.1.of.contains("PhantomData");
    let mut all = fields.iter().filter(real);
    if let (syn::Fields::Unnamed(_), Some((index, field)), None) =
        (&found.fields, all.next(), all.next())
    {
        let is_shared = matches!(text::last(text::head(&field.of).0), "Arc" | "Rc");
        return (!is_shared || is_generic(&field.of)).then_some(*index);
    }
    let is_lock = |field: &&(u32, &Field)| {
        let outer = text::last(text::head(&field.1.of).0);
        LOCKS.contains(&outer) && is_generic(&field.1.of)
    };
    let mut locks = fields.iter().filter(is_lock);
    let (Some((index, field)), None) = (locks.next(), locks.next()) else {
        return None;
    };
    let protects_anything = text::head(&field.of)
        .1
        .last()
        .is_some_and(|of| is_parameter(of));
    let is_only = fields.iter().all(|(other, field)| {
        other == index || !text::words(&field.of).any(|word| LOCKS.contains(&word))
    });
    (protects_anything || is_only).then_some(*index)
}

/// Whether the lock that a struct wraps protects a value of just any type.
pub(super) fn wraps_any(shape: &Shape, found: &syn::ItemStruct) -> bool {
    let wrapped = shape
        .wraps
        .and_then(|index| shape.fields.get(index as usize));
    let protected = wrapped.and_then(|field| text::head(&field.of).1.last().copied());
    let mut parameters = found.generics.type_params();
    protected.is_some_and(|of| parameters.any(|parameter| parameter.ident == of))
}
