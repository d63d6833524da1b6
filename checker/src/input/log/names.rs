//! From the numbers of one log to names that mean the same in every run.
//!
//! Only what an event or a chain mentions gets a name: a log may define a million locks of which
//! few matter.

use std::path::Path;

use lockwise::watch::log::LogFile;
use lockwise::watch::{Kind, Mode};
use rustc_hash::FxHashMap;

use super::type_name;
use crate::trace::{
    Asked, Class, ClassId, Evidence, Held, Lock, LockId, Resource, ResourceId, Run, Site, SiteId,
};

/// The names in use so far.
pub(super) struct Names<'a> {
    log: &'a LogFile<'a>,
    sites: Vec<Site>,
    site_ids: FxHashMap<u32, SiteId>,
    /// Two numbers of one log can mean one site or class; by content they are one.
    site_by_content: FxHashMap<Site, SiteId>,
    classes: Vec<Class>,
    class_ids: FxHashMap<u32, ClassId>,
    class_by_content: FxHashMap<Class, ClassId>,
    /// Instance number in the log and class, by lock.
    locks: Vec<(u64, ClassId, Kind, Option<u32>)>,
    lock_ids: FxHashMap<u64, LockId>,
    /// The same for what is no lock, with the units that a semaphore started with.
    resources: Vec<(u64, ClassId, Kind, u32)>,
    resource_ids: FxHashMap<u64, ResourceId>,
}

impl<'a> Names<'a> {
    pub(super) fn new(log: &'a LogFile<'a>) -> Self {
        Names {
            log,
            sites: Vec::new(),
            site_ids: FxHashMap::default(),
            site_by_content: FxHashMap::default(),
            classes: Vec::new(),
            class_ids: FxHashMap::default(),
            class_by_content: FxHashMap::default(),
            locks: Vec::new(),
            lock_ids: FxHashMap::default(),
            resources: Vec::new(),
            resource_ids: FxHashMap::default(),
        }
    }

    /// A file as a reader can find it. The example of a documentation comment is a program of its
    /// own: its lines are counted from its own beginning, and are not those of the file.
    fn file(&self, name: &str) -> String {
        /// What rustdoc calls such a program.
        const DOCTEST: &str = "rust_out";
        if self.log.header.program == DOCTEST && Path::new(name).is_relative() {
            format!("doctest in {name}")
        } else {
            name.to_owned()
        }
    }

    /// The site with this number; `?` if its definition is lost.
    pub(super) fn site(&mut self, number: u32) -> SiteId {
        if let Some(&id) = self.site_ids.get(&number) {
            return id;
        }
        let site = match self.log.sites.get(&number) {
            Some(def) => Site {
                file: self.file(def.file),
                line: def.line,
                column: def.column,
                note: (!def.expression.is_empty()).then(|| def.expression.to_owned()),
            },
            None => Site {
                file: "?".to_owned(),
                line: 0,
                column: 0,
                note: None,
            },
        };
        let sites = &mut self.sites;
        let id = *self.site_by_content.entry(site).or_insert_with_key(|site| {
            sites.push(site.clone());
            SiteId::from(sites.len() - 1)
        });
        self.site_ids.insert(number, id);
        id
    }

    fn class(&mut self, number: u32) -> ClassId {
        if let Some(&id) = self.class_ids.get(&number) {
            return id;
        }
        let class = match self.log.classes.get(&number) {
            Some(def) => {
                let born = self.log.sites.get(&def.born);
                let label = match born {
                    _ if !def.name.is_empty() => def.name.to_owned(),
                    // Whoever called into the standard library made it, we know not where. What it
                    // protects is all that a reader could recognise it by.
                    Some(_) if !def.trusted && def.type_name.is_empty() => {
                        def.kind.name().to_owned()
                    }
                    Some(_) if !def.trusted => {
                        format!("{}<{}>", def.kind.name(), type_name::short(def.type_name))
                    }
                    Some(born) => {
                        format!("{}:{}:{}", self.file(born.file), born.line, born.column)
                    }
                    None => Class::LOST.to_owned(),
                };
                Class {
                    label,
                    type_name: (!def.type_name.is_empty()).then(|| def.type_name.to_owned()),
                    trusted: def.trusted && (born.is_some() || !def.name.is_empty()),
                }
            }
            None => Class {
                label: Class::LOST.to_owned(),
                type_name: None,
                trusted: false,
            },
        };
        let classes = &mut self.classes;
        let id = *self
            .class_by_content
            .entry(class)
            .or_insert_with_key(|class| {
                classes.push(class.clone());
                ClassId::from(classes.len() - 1)
            });
        self.class_ids.insert(number, id);
        id
    }

    fn kind(&self, class: u32) -> Kind {
        self.log
            .classes
            .get(&class)
            .map_or(Kind::Foreign, |class| class.kind)
    }

    /// The lock with this instance number.
    pub(super) fn lock(&mut self, instance: u64) -> LockId {
        if let Some(&id) = self.lock_ids.get(&instance) {
            return id;
        }
        let class = self.log.locks.get(&instance).map_or(0, |def| def.class);
        self.lock_of_class(instance, class)
    }

    /// The lock with this instance number, if the log defines it, or something else has named it.
    pub(super) fn known_lock(&mut self, instance: u64) -> Option<LockId> {
        self.is_known(instance).then(|| self.lock(instance))
    }

    fn is_known(&self, instance: u64) -> bool {
        self.lock_ids.contains_key(&instance) || self.log.locks.contains_key(&instance)
    }

    /// What was asked for at a place, as [`asked`](Names::asked), if it is known.
    pub(super) fn known(&mut self, object: u64, site: u32) -> Option<Asked> {
        let is_known = self.is_known(object) || self.resource_ids.contains_key(&object);
        is_known.then(|| self.asked((object, Mode::Exclusive, site)))
    }

    /// The lock with this instance number, known to be of this class.
    pub(super) fn lock_of_class(&mut self, instance: u64, class: u32) -> LockId {
        if let Some(&id) = self.lock_ids.get(&instance) {
            return id;
        }
        let rank = self.log.locks.get(&instance).and_then(|def| def.rank);
        let kind = self.kind(class);
        let class = self.class(class);
        let id = LockId::from(self.locks.len());
        self.locks.push((instance, class, kind, rank));
        self.lock_ids.insert(instance, id);
        id
    }

    /// A lock as a finding of the runtime names it: by number, in which mode, and where.
    pub(super) fn held(&mut self, (lock, mode, site): (u64, Mode, u32)) -> Held {
        Held {
            lock: self.lock(lock),
            mode,
            site: self.site(site),
        }
    }

    /// The same for what was asked for, which need not be a lock.
    pub(super) fn asked(&mut self, (object, mode, site): (u64, Mode, u32)) -> Asked {
        let class = self.log.locks.get(&object).map_or(0, |def| def.class);
        if self.resource_ids.contains_key(&object) || self.kind(class).is_awaited() {
            Asked::Resource(self.resource(object), self.site(site))
        } else {
            Asked::Lock(self.held((object, mode, site)))
        }
    }

    /// The condition variable, barrier or semaphore with this instance number.
    pub(super) fn resource(&mut self, instance: u64) -> ResourceId {
        if let Some(&id) = self.resource_ids.get(&instance) {
            return id;
        }
        let def = self.log.locks.get(&instance);
        let (class, units) = def.map_or((0, 0), |def| (def.class, def.rank.unwrap_or(0)));
        let kind = self.kind(class);
        let class = self.class(class);
        let id = ResourceId::from(self.resources.len());
        self.resources.push((instance, class, kind, units));
        self.resource_ids.insert(instance, id);
        id
    }

    /// Gives all locks their labels and hands everything over.
    pub(super) fn finish(self, run: &mut Run, evidence: &mut Evidence) {
        let locks = self
            .locks
            .iter()
            .map(|&(instance, class, ..)| (instance, class));
        let lock_labels = labels(locks, &self.classes);
        for ((instance, class, kind, rank), label) in self.locks.into_iter().zip(lock_labels) {
            let def = self.log.locks.get(&instance);
            run.locks.push(Lock {
                label,
                class,
                kind,
                rank,
                sendable: def.is_some_and(|def| def.sendable),
                former: None,
            });
        }
        let resources = self
            .resources
            .iter()
            .map(|&(instance, class, ..)| (instance, class));
        let resource_labels = labels(resources, &self.classes);
        for ((_, class, kind, units), label) in self.resources.into_iter().zip(resource_labels) {
            let of = &self.classes[class.at()].type_name;
            run.resources.push(Resource {
                label,
                kind,
                units,
                tells_end: of.as_deref().is_some_and(|of| of.starts_with(SENDERS)),
            });
        }
        evidence.classes = self.classes;
        evidence.sites = self.sites;
    }
}

/// How the type begins of what tells that all senders of a channel of std are gone.
const SENDERS: &str = "std::sync::mpsc::Sender<";

/// A label for each object: its class, with the instance's place among those whose class is called
/// so, from 1, unless the program gave it a name that no other instance has. No two have one label,
/// also where classes differ only in what they protect.
fn labels(objects: impl Iterator<Item = (u64, ClassId)>, classes: &[Class]) -> Vec<String> {
    let objects: Vec<(u64, &Class)> = objects
        .map(|(instance, class)| (instance, &classes[class.at()]))
        .collect();
    let mut sorted: Vec<usize> = (0..objects.len()).collect();
    sorted.sort_by_key(|&at| (&objects[at].1.label, objects[at].0));
    let mut labels = vec![String::new(); objects.len()];
    // What the program called by a name has a class without a place in the source.
    let named = |class: &Class| {
        let end = class.label.rsplit(':').next();
        class.trusted && end.is_none_or(|end| end.parse::<u32>().is_err())
    };
    for group in sorted.chunk_by(|&a, &b| objects[a].1.label == objects[b].1.label) {
        for (place, &at) in (1..).zip(group) {
            let class = objects[at].1;
            labels[at] = if group.len() == 1 && named(class) {
                class.label.clone()
            } else {
                format!("{}#{place}", class.label)
            };
        }
    }
    labels
}

#[cfg(test)]
mod tests;
