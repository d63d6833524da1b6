//! Names that macros bring in at the root of a crate: the compiler prints them alone there, as it does the
//! parameters of a generic.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};

/// Words that the name of an item follows.
const DECLARE: [&str; 5] = ["struct", "enum", "union", "trait", "type"];

/// The names of types and traits that macros among these items may declare.
///
/// What such a macro is given may be one of them, unless some item here has a parameter of that name.
pub(super) fn names(items: &[syn::Item]) -> HashSet<String> {
    let mut names = HashSet::new();
    for item in items {
        if let syn::Item::Macro(found) = item {
            let is_rules = found.ident.is_some();
            collect(found.mac.tokens.clone(), is_rules, &mut names);
        }
    }
    if !names.is_empty() {
        for item in items {
            for parameter in parameters(item) {
                names.remove(&parameter);
            }
        }
    }
    names
}

/// Of a macro's rules what they declare by name; of what a macro is given each name that a type could have.
fn collect(tokens: TokenStream, is_rules: bool, names: &mut HashSet<String>) {
    let mut declares = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect(group.stream(), is_rules, names),
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let is_type =
                    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
                let is_declared = declares;
                declares = DECLARE.contains(&name.as_str());
                if is_type && (is_declared || !is_rules) {
                    names.insert(name);
                }
                continue;
            }
            _ => {}
        }
        declares = false;
    }
}

/// The names of the type parameters of an item and of what stands in it.
fn parameters(item: &syn::Item) -> Vec<String> {
    let of = |generics: &syn::Generics| -> Vec<String> {
        let types = generics.type_params();
        types.map(|parameter| parameter.ident.to_string()).collect()
    };
    match item {
        syn::Item::Fn(found) => of(&found.sig.generics),
        syn::Item::Struct(found) => of(&found.generics),
        syn::Item::Enum(found) => of(&found.generics),
        syn::Item::Union(found) => of(&found.generics),
        syn::Item::Type(found) => of(&found.generics),
        syn::Item::Trait(found) => {
            let methods = found.items.iter().filter_map(|item| match item {
                syn::TraitItem::Fn(method) => Some(of(&method.sig.generics)),
                _ => None,
            });
            let methods = methods.flatten().collect::<Vec<_>>();
            [of(&found.generics), methods].concat()
        }
        syn::Item::Impl(found) => {
            let methods = found.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(method) => Some(of(&method.sig.generics)),
                _ => None,
            });
            let methods = methods.flatten().collect::<Vec<_>>();
            [of(&found.generics), methods].concat()
        }
        syn::Item::Mod(found) => {
            let items = found.content.iter().flat_map(|(_, items)| items);
            items.flat_map(parameters).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Vec<String> {
        let file = syn::parse_file(text).unwrap();
        let mut names: Vec<String> = names(&file.items).into_iter().collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_macro_is_given_or_declares_may_be_a_type_of_the_crate() {
        let text = "
            macro_rules! runner { ($name:ident) => { struct $name; pub struct Shared; impl Run for $name {} }; }
            runner!(One, two, THREE, T);";
        assert_eq!(made(text), ["One", "Shared"]);
    }

    #[test]
    fn the_parameter_of_a_generic_is_none() {
        let text = "
            runner!(State, Other, Inner, Deep);
            fn run<State>(_: State) {}
            impl<Other> Run for Vec<Other> { fn go<Inner>(&self) {} }
            mod inside { pub struct Holder<Deep>(Deep); }";
        assert!(made(text).is_empty());
    }
}
