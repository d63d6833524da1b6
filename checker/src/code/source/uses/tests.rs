use super::{Uses, leaves};

/// The `use` declarations of a module.
fn uses(all: &[(&str, &str)], items: &[&str]) -> Uses {
    let mut uses = Uses::default();
    for item in items {
        let (module, name) = item.rsplit_once("::").unwrap();
        uses.note_crate(item.split("::").next().unwrap());
        uses.note_item(module, name);
    }
    for (module, text) in all {
        uses.note_crate(module.split("::").next().unwrap());
        let item: syn::ItemUse = syn::parse_str(text).unwrap();
        for leaf in leaves(&item.tree) {
            uses.note_use(module, &leaf);
        }
    }
    uses
}

fn workspace() -> Uses {
    uses(
        &[
            ("base", "pub use deep::registry::{add, Registry};"),
            ("base", "pub use self::deep::Plugin;"),
            (
                "base::prelude",
                "pub use super::deep::registry::Registry as Reg;",
            ),
            ("facade", "pub use base::*;"),
            ("facade", "pub use base::add as append;"),
            (
                "facade::traits",
                "pub use base::{self, Plugin as Extension};",
            ),
            ("facade::sync", "pub use tokio::sync::{Mutex, RwLock};"),
            ("facade", "pub use parking_lot;"),
            ("app::uses", "use facade::traits::Extension;"),
            ("app::uses", "use crate::own::*;"),
            ("around", "pub use around::*;"),
        ],
        &[
            "base::deep",
            "base::deep::registry",
            "base::deep::registry::Registry",
            "base::deep::registry::add",
            "base::deep::Plugin",
            "base::prelude",
            "facade::traits",
            "facade::sync",
            "app::own",
            "app::own::Thing",
            "app::uses",
        ],
    )
}

#[test]
fn a_path_leads_to_where_the_item_is_declared() {
    let uses = workspace();
    let declared = |path: &str| uses.declared_as(path);
    let registry = "base::deep::registry::Registry";
    assert_eq!(declared("base::Registry").as_deref(), Some(registry));
    assert_eq!(declared("base::prelude::Reg").as_deref(), Some(registry));
    assert_eq!(declared("facade::Registry").as_deref(), Some(registry));
    assert_eq!(declared("facade::prelude::Reg").as_deref(), Some(registry));
    assert_eq!(
        declared("facade::Registry::len").as_deref(),
        Some("base::deep::registry::Registry::len")
    );
    assert_eq!(
        declared("facade::append").as_deref(),
        Some("base::deep::registry::add")
    );
    assert_eq!(
        declared("facade::traits::base::Registry").as_deref(),
        Some(registry)
    );
}

#[test]
fn what_is_declared_or_unknown_stays_what_it_is() {
    let uses = workspace();
    assert_eq!(uses.declared_as("base::deep::registry::Registry"), None);
    assert_eq!(uses.declared_as("base::deep::Unknown"), None);
    assert_eq!(uses.declared_as("facade::Unknown"), None);
    assert_eq!(uses.declared_as("std::sync::Mutex"), None);
    // A crate that hands on itself.
    assert_eq!(uses.declared_as("around::Thing"), None);
}

#[test]
fn what_a_crate_of_others_gives_keeps_its_path() {
    let uses = workspace();
    assert_eq!(
        uses.declared_as("facade::sync::Mutex").as_deref(),
        Some("tokio::sync::Mutex")
    );
    assert_eq!(
        uses.declared_as("facade::parking_lot::Mutex").as_deref(),
        Some("parking_lot::Mutex")
    );
}

#[test]
fn a_written_name_is_that_of_its_module() {
    let uses = workspace();
    assert_eq!(
        uses.resolved("Extension", "app::uses"),
        "base::deep::Plugin"
    );
    assert_eq!(uses.resolved("Thing", "app::uses"), "app::own::Thing");
    assert_eq!(
        uses.resolved("super::own::Thing", "app::uses"),
        "app::own::Thing"
    );
    assert_eq!(uses.resolved("fmt::Display", "app::uses"), "fmt::Display");
}
