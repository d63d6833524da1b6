//! Sites and classes by number: interned by content, defined in the log before anyone uses them.
//!
//! Each crate has its own copy of a location, so equal pointers are only a short cut: per thread, a
//! small table maps the pointers last seen to numbers, and behind it stands one table for all,
//! keyed by content. A class is found by its number without a lock: comparing the places of held
//! locks asks for that.

use super::identity::Class;
use super::log::{self, Op};
use super::memory::{SysMap, SysTable, SysVec, hash_bytes, mix};
use super::own_lock::Guarded;
use super::site::Site;
use super::slot::Slot;

/// The most classes that are told apart; the rest share number 0.
const CLASSES_MAX: usize = 1 << 20;
/// The most sites that are told apart; the rest share number 0.
const SITES_MAX: usize = 1 << 20;

/// Classes by number, from 1. The registry's lock is held to add one.
static CLASSES: SysTable<Class> = SysTable::new();

static REGISTRY: Guarded<Registry> = Guarded::new(Registry {
    sites: SysVec::new(),
    site_numbers: SysMap::new(),
    classes_logged: SysVec::new(),
    class_numbers: SysMap::new(),
});

struct Registry {
    /// By number, from 1; with the log generation in which each was defined.
    sites: SysVec<(Site, u32)>,
    /// Number by content hash; a collision is resolved by rehashing.
    site_numbers: SysMap,
    /// The log generation in which each of `CLASSES` was defined.
    classes_logged: SysVec<u32>,
    class_numbers: SysMap,
}

/// The number of a site; 0 if there are too many, or it cannot be had.
pub(super) fn site_number(slot: &Slot, site: Site) -> u32 {
    let word = site.pack();
    if let Some(number) = slot.cached_site(word) {
        return number;
    }
    let Some(number) = alone(|registry| registry.site(slot, site)) else {
        return 0;
    };
    slot.cache_site(word, number);
    number
}

/// Runs `work` on the registry, alone. None, and it is in the log's count of what was lost, if a handler of a signal
/// keeps that from being done.
fn alone<R>(work: impl FnOnce(&mut Registry) -> R) -> Option<R> {
    let done = REGISTRY.with(work);
    if done.is_none() {
        log::count_lost();
    }
    done
}

/// The number of a class; 0 if there are too many. None if it cannot be had now.
pub(super) fn class_number(slot: &Slot, class: &Class) -> Option<u32> {
    alone(|registry| registry.class(slot, class))
}

/// The class with this number.
pub(super) fn class(number: u32) -> Option<Class> {
    CLASSES.get((number as usize).checked_sub(1)?)
}

/// Makes sure that the class with this number is defined in the log as it is now.
pub(super) fn define_class(slot: &Slot, number: u32) {
    alone(|registry| registry.log_class(slot, number));
}

impl Registry {
    fn site(&mut self, slot: &Slot, site: Site) -> u32 {
        let seed = u64::from(site.line()) << 32 | u64::from(site.column());
        let mut key = hash_bytes(seed, site.file().as_bytes()) | 1;
        let number = loop {
            match self.site_numbers.get(key) {
                Some(number) if same_site(self.sites[number as usize - 1].0, site) => break number,
                Some(_) => key = mix(key, 1) | 1,
                None => {
                    let number = self.sites.len() as u32 + 1;
                    if self.sites.len() >= SITES_MAX
                        || !self.sites.push((site, 0))
                        || !self.site_numbers.insert(key, number)
                    {
                        return 0;
                    }
                    break number;
                }
            }
        };
        self.log_site(slot, number);
        number
    }

    fn log_site(&mut self, slot: &Slot, number: u32) {
        let row = &mut self.sites[number as usize - 1];
        if row.1 == log::generation() {
            return;
        }
        row.1 = log::generation();
        let site = row.0;
        let (module, expression) = site
            .note()
            .map_or(("", ""), |note| (note.module, note.expression));
        slot.log_texts(Op::DefSite, |record| {
            record
                .number(number)
                .number(site.line())
                .number(site.column())
                .text(site.file())
                .text(module)
                .text(expression)
        });
    }

    fn class(&mut self, slot: &Slot, class: &Class) -> u32 {
        let born = class.born;
        let mut key = match class.name {
            Some(name) => hash_bytes(class.kind as u64, name.as_bytes()),
            None => hash_bytes(
                u64::from(born.line()) << 32 | u64::from(born.column()) << 8 | class.kind as u64,
                born.file().as_bytes(),
            ),
        };
        key = hash_bytes(key, class.type_name.as_bytes()) | 1;
        let number = loop {
            match self.class_numbers.get(key) {
                Some(number)
                    if self::class(number).is_some_and(|known| same_class(&known, class)) =>
                {
                    break number;
                }
                Some(_) => key = mix(key, 1) | 1,
                None => match self.add_class(*class, key) {
                    Some(number) => break number,
                    None => return 0,
                },
            }
        };
        self.log_class(slot, number);
        number
    }

    /// Gives a new class its number, unless there are too many or there is no memory.
    fn add_class(&mut self, class: Class, key: u64) -> Option<u32> {
        let number = CLASSES.len() as u32 + 1;
        if CLASSES.len() >= CLASSES_MAX || self.classes_logged.len() < CLASSES.len() {
            return None;
        }
        // SAFETY: the registry's lock is held, and nobody adds a class without it.
        let added = unsafe { CLASSES.push(class) };
        let fits = added && self.classes_logged.push(0) && self.class_numbers.insert(key, number);
        fits.then_some(number)
    }

    fn log_class(&mut self, slot: &Slot, number: u32) {
        let at = (number as usize).wrapping_sub(1);
        let (Some(class), Some(logged)) = (class(number), self.classes_logged.get_mut(at)) else {
            return;
        };
        if *logged == log::generation() {
            return;
        }
        *logged = log::generation();
        let born = self.site(slot, class.born);
        slot.log_texts(Op::DefClass, |record| {
            record
                .number(number)
                .small(class.kind as u8)
                .small(u8::from(class.trusted()))
                .number(born)
                .text(class.name.unwrap_or(""))
                .text(class.type_name)
        });
    }
}

/// Whether two sites are one, notes included: a macro says more about a place than its location.
fn same_site(a: Site, b: Site) -> bool {
    a == b && a.note() == b.note()
}

fn same_class(a: &Class, b: &Class) -> bool {
    a.kind == b.kind
        && a.type_name == b.type_name
        && match (a.name, b.name) {
            (Some(a), Some(b)) => a == b,
            (None, None) => a.born == b.born,
            _ => false,
        }
}

/// Takes the registry's lock before a fork.
pub(super) fn before_fork() {
    REGISTRY.begin_fork();
}

/// Gives it back afterwards, in the parent and in the child.
pub(super) fn after_fork() {
    REGISTRY.end_fork();
}

#[cfg(test)]
mod tests {
    use super::super::mode::Kind;
    use super::super::slot;
    use super::*;

    #[test]
    fn a_known_class_is_found_while_another_has_the_registry() {
        let class = Class {
            kind: Kind::Mutex,
            name: Some("known"),
            born: Site::caller(),
            type_name: "()",
        };
        let slot = slot::current().expect("there is memory");
        let number = class_number(slot, &class).expect("nobody has the registry");
        let found = REGISTRY.with(|_| super::class(number)).flatten();
        assert_eq!(found.and_then(|class| class.name), Some("known"));
    }
}
