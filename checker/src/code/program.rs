//! All bodies of all crates, and who calls whom.

use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::{OnceCell, RefCell};
use std::path::Path as FilePath;
use std::rc::Rc;

use super::extra::Extra;
use super::ir::{Body, Kind, Site};
use super::known::{self, Known};
use super::mir::Read;
use super::names::{Name, Names};
use super::source::Sources;
use super::text::{
    behind_references, closing, head, is_primitive, is_shared_reference, last, without_generics,
    words,
};
use super::trust::Trust;

mod channels;
mod drops;
mod implied;
mod lazies;
mod macros;
mod objects;
mod resolve;
mod shadowed;
mod statics;
mod types;
mod variants;

pub(crate) use drops::{Dropping, Lies};
pub(crate) use implied::{How, ImpliedCall};
pub(crate) use types::{Type, takes_lock};

/// A body, by its number.
pub(crate) type BodyId = usize;

/// More implementations of one method than this are not followed from a call that could mean any.
const IMPLEMENTATIONS_MAX: usize = 12;

/// So many implementations of a trait of the program's own are few.
const FEW: usize = 4;

/// A trait or type that a macro was given.
const UNTOLD: &str = "$";

/// Traits whose calls on a type that is not known would lead everywhere.
const UBIQUITOUS: [&str; 21] = [
    "Clone",
    "Debug",
    "Display",
    "Default",
    "Iterator",
    "IntoIterator",
    "From",
    "Into",
    "TryFrom",
    "TryInto",
    "PartialEq",
    "PartialOrd",
    "Ord",
    "Eq",
    "Hash",
    "AsRef",
    "Borrow",
    "Deref",
    "DerefMut",
    "ToString",
    "Error",
];

/// What a call can lead to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resolved {
    /// The bodies.
    pub bodies: Vec<BodyId>,
    /// Whether it is this one body for sure.
    pub is_sure: bool,
    /// Whether it is one of a few that the program has, and nobody else.
    pub is_one_of_few: bool,
    /// Why it is so that nothing else in the program has the method; none where that is not why.
    pub only: Option<Only>,
    /// What a function of another crate does.
    pub known: Option<Known>,
    /// The crate, type and method or trait method, for what is known of it.
    pub method: Option<Name>,
    /// Whether it calls a function value: its first argument.
    pub is_function_call: bool,
}

/// Why a method of a trait has one body in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    /// Nobody else can implement the trait.
    Ever,
    /// Nobody does; others, who use the program as a library, can.
    SoFar,
}

impl Resolved {
    /// How far it can be trusted that a call leads to the bodies.
    pub(crate) fn trust(&self) -> Trust {
        match (self.is_sure, self.only) {
            (false, _) if self.is_one_of_few => Trust::OneOf,
            (false, _) => Trust::Guess,
            (true, Some(Only::SoFar)) => Trust::Likely,
            (true, Some(Only::Ever) | None) => Trust::Sure,
        }
    }
}

/// The `Drop` implementations that run.
type DropGlue = Rc<[Dropping]>;

/// Where the method of a body belongs.
#[derive(Debug, Clone)]
struct Owner {
    /// The trait, by its last name.
    of: Option<String>,
    /// The traits of the program that this can be, by full path; or the same name for one of others.
    keys: Vec<String>,
    /// The head of the type, with its path; empty if it is any type.
    on: String,
}

/// The whole program.
pub(crate) struct Program {
    /// Its names.
    pub names: Names,
    /// Its bodies.
    pub bodies: Vec<Body>,
    /// What the user has looked at beyond the tables.
    pub extra: Extra,
    /// What the compiler's text left out.
    pub sources: RefCell<Sources>,
    /// The classes of the locks in thread-locals, each of which belongs to its thread alone.
    thread_locals: FxHashSet<Name>,
    /// Statics by crate and number of their allocation.
    statics: FxHashMap<(Name, u32), Name>,
    /// Free functions and inherent methods, by path without generics.
    functions: FxHashMap<String, Vec<BodyId>>,
    /// The same, by crate and the last two names of the path.
    short: FxHashMap<String, Vec<BodyId>>,
    /// Free functions, by crate and last name.
    free: FxHashMap<String, Vec<BodyId>>,
    /// Methods of traits, by trait and method; the trait by full path, or by last name if it is one of
    /// others.
    methods: FxHashMap<(String, String), Vec<(String, BodyId)>>,
    /// Methods that a trait brings along.
    defaults: FxHashMap<(String, String), Vec<BodyId>>,
    /// Closures and async bodies, by their type.
    closures: FxHashMap<Name, Vec<BodyId>>,
    /// Types with a `Drop`, by head.
    drops: FxHashMap<String, BodyId>,
    /// Initial values of statics.
    initials: FxHashMap<Name, BodyId>,
    types: RefCell<FxHashMap<Name, Rc<Type>>>,
    resolved: RefCell<FxHashMap<Name, Rc<Resolved>>>,
    /// The type that each body is a method of.
    owners: Vec<Option<Name>>,
    /// The crates whose code is read.
    crates: FxHashSet<Name>,
    /// What runs when a value of a type is dropped.
    drop_glue: RefCell<FxHashMap<Name, DropGlue>>,
    /// Calls that could mean too many implementations.
    pub capped: RefCell<u64>,
    /// The variants that can't hold guards, of enums that were asked for.
    free_variants: RefCell<FxHashMap<Name, Rc<variants::Free>>>,
    /// What functions of other crates call of the program's own, as far as it was asked for.
    implied: RefCell<implied::Calls>,
    /// Structs whose fields hold guards, by full path.
    holders: FxHashSet<String>,
    /// Where channels are made, by crate and message.
    channels: channels::Channels,
    /// What trait objects are made of.
    objects: objects::Objects,
    /// What makes the values of statics that a macro makes lazy.
    lazies: lazies::Lazies,
    /// The classes of variables of which a function has several.
    shadowed: OnceCell<FxHashSet<Name>>,
}

impl Program {
    /// Puts together what was read.
    pub(crate) fn new(names: Names, crates: Vec<Read>, sources: Sources, extra: Extra) -> Program {
        let mut program = Program {
            names,
            bodies: Vec::new(),
            extra,
            sources: RefCell::new(sources),
            thread_locals: FxHashSet::default(),
            statics: FxHashMap::default(),
            functions: FxHashMap::default(),
            short: FxHashMap::default(),
            free: FxHashMap::default(),
            methods: FxHashMap::default(),
            defaults: FxHashMap::default(),
            closures: FxHashMap::default(),
            drops: FxHashMap::default(),
            initials: FxHashMap::default(),
            types: RefCell::default(),
            resolved: RefCell::default(),
            capped: RefCell::new(0),
            owners: Vec::new(),
            crates: FxHashSet::default(),
            drop_glue: RefCell::default(),
            free_variants: RefCell::default(),
            implied: RefCell::default(),
            holders: FxHashSet::default(),
            channels: channels::Channels::default(),
            objects: objects::Objects::default(),
            lazies: lazies::Lazies::default(),
            shadowed: OnceCell::new(),
        };
        program.find_holders();
        let mut seen = FxHashSet::default();
        for mut read in crates {
            let krate = read.bodies.first().map(|body| body.krate);
            for (number, name) in read.statics {
                if let Some(krate) = krate {
                    program.statics.insert((krate, number), name);
                }
            }
            program.note_thread_locals(&read.thread_locals);
            number_copies(&mut read.bodies);
            for body in read.bodies {
                // A library and its tests have the same bodies.
                if seen.insert((body.name, body.site, body.copy)) {
                    program.bodies.push(body);
                }
            }
        }
        program.owners = vec![None; program.bodies.len()];
        program.crates = program.bodies.iter().map(|body| body.krate).collect();
        for id in 0..program.bodies.len() {
            program.register(id);
        }
        program.name_statics();
        program.lazies = program.find_lazies();
        program.objects = program.find_objects();
        program.channels = program.find_channels();
        program
    }

    /// The text of a name.
    pub(crate) fn text(&self, name: Name) -> Rc<str> {
        self.names.text(name)
    }

    /// Whether a type's path begins with one of the crates whose code is read.
    pub(crate) fn is_own(&self, path: &str) -> bool {
        let krate = path.split("::").next().unwrap_or_default();
        self.crates.contains(&self.names.of(krate))
    }

    /// The body of a closure or async body, by its type, as it is seen in `user`. A type is named after
    /// where it stands, so that all that one macro makes have the same: then it is the one that is made
    /// in `user`.
    pub(crate) fn closure(&self, of: Name, user: &Body) -> Option<BodyId> {
        let all = match &self.closures.get(&of)?[..] {
            [one] => return Some(*one),
            all => all,
        };
        let within = self.text(user.name);
        let is_inside = |id: &&BodyId| {
            let name = self.text(self.bodies[**id].name);
            name.strip_prefix(&*within)
                .is_some_and(|rest| rest.starts_with("::{"))
        };
        let is_beside = |id: &&BodyId| self.bodies[**id].copy == user.copy;
        let mut inside = all.iter().filter(is_inside).filter(is_beside);
        let mut beside = all
            .iter()
            .filter(|id| self.bodies[**id].krate == user.krate);
        match (inside.next(), inside.next(), beside.next(), beside.next()) {
            (Some(one), None, ..) | (None, None, Some(one), None) => Some(*one),
            _ => None,
        }
    }

    /// Structs that hold guards, found by what their fields are written as.
    fn find_holders(&mut self) {
        let sources = self.sources.borrow();
        let mut holders: FxHashSet<String> = FxHashSet::default();
        loop {
            let before = holders.len();
            let short: FxHashSet<&str> = holders.iter().map(|path| last(path)).collect();
            let more: Vec<String> = sources
                .shapes
                .iter()
                .filter(|(path, shape)| {
                    !holders.contains(*path)
                        && shape.fields.iter().any(|field| {
                            // What is only looked at is another's.
                            let is_own = !is_shared_reference(&field.of);
                            is_own
                                && words(&field.of).any(|word| {
                                    known::is_guard(word)
                                        || self.extra.names_guard(word)
                                        || short.contains(word)
                                })
                        })
                })
                .map(|(path, _)| path.clone())
                .collect();
            holders.extend(more);
            if holders.len() == before {
                break;
            }
        }
        drop(sources);
        self.holders = holders;
    }

    fn register(&mut self, id: BodyId) {
        let body = &self.bodies[id];
        let name = self.names.text(body.name);
        match body.kind {
            Kind::Static => {
                self.initials.insert(body.name, id);
                return;
            }
            Kind::Closure => {
                if let Some(site) = body.implementation {
                    let owner = self.owner(id, site);
                    if !owner.on.is_empty() {
                        self.owners[id] = Some(self.names.of(&owner.on));
                    }
                }
                let body = &self.bodies[id];
                if let Some(&of) = body.types.get(1) {
                    for key in self.type_of(of).bodies.iter().take(1) {
                        self.closures.entry(*key).or_default().push(id);
                    }
                }
                return;
            }
            Kind::Constant => return,
            Kind::Function => {}
        }
        let method = last(&name).to_owned();
        if let Some(site) = body.implementation {
            // A function inside a method is no method.
            let inside = name.rfind("<impl at").and_then(|at| name[at..].find(">::"));
            let inside = inside.map_or("", |end| {
                &name[name.rfind("<impl at").unwrap_or(0) + end + 3..]
            });
            if inside.contains("::") {
                let inside = without_generics(inside);
                self.functions.entry(name.to_string()).or_default().push(id);
                self.register_inside(id, site, &inside);
                return;
            }
            let owner = self.owner(id, site);
            if !owner.on.is_empty() {
                self.owners[id] = Some(self.names.of(&owner.on));
            }
            if let Some(of) = &owner.of {
                if of == "Drop" {
                    self.drops.insert(owner.on.clone(), id);
                }
                for key in owner.keys {
                    let all = self.methods.entry((key, method.clone())).or_default();
                    all.push((owner.on.clone(), id));
                }
            } else {
                let path = format!("{}::{method}", owner.on);
                self.short.entry(short(&path)).or_default().push(id);
                self.functions.entry(path).or_default().push(id);
            }
            return;
        }
        let path = without_generics(&name);
        if let Some((of, _)) = path.rsplit_once("::") {
            for key in self.trait_keys(of, "") {
                let all = self.defaults.entry((key, method.clone())).or_default();
                all.push(id);
            }
        }
        self.free.entry(in_crate(&path)).or_default().push(id);
        self.short.entry(short(&path)).or_default().push(id);
        self.functions.entry(path).or_default().push(id);
    }

    /// The type that a method is of.
    pub(crate) fn owner_of(&self, id: BodyId) -> Option<Name> {
        self.owners[id]
    }

    /// Which trait and type the `impl` block of a method is of.
    fn owner(&self, id: BodyId, site: Site) -> Owner {
        let body = &self.bodies[id];
        let krate = self.names.text(body.krate);
        let file = self.names.text(site.file);
        let file = FilePath::new(&*file).to_owned();
        let receiver = body
            .types
            .get(1)
            .filter(|_| body.parameters > 0 && self.is_method(body));
        // A trait for a pointer itself.
        let pointer = receiver.map(|of| self.type_of(*of).head.clone());
        let receiver = receiver.map(|of| self.head_of(*of, &krate));
        let found = {
            let sources = self.sources.borrow();
            sources
                .implementations
                .get(&(file.clone(), site.line, site.column))
                .cloned()
        };
        let Some(found) = found else {
            let text = self.sources.borrow_mut().text(&file);
            let header = text
                .as_deref()
                .and_then(|text| macros::header(text, site.line, site.column));
            if let Some(header) = header {
                // Without a receiver it is mostly what makes a value of the type.
                let result = body.types.first().map(|of| self.head_of(*of, &krate));
                let made = result.filter(|of| self.is_own(of));
                return self.owner_in_macro(&header, receiver, made, &krate);
            }
            // A derive: the word that stands there is the trait. Or nothing is known.
            let word = text.and_then(|text| {
                let line = text.lines().nth(site.line.checked_sub(1)? as usize)?;
                let rest = line.get(site.column.checked_sub(1)? as usize..)?;
                let word = words(rest).next()?;
                line.contains("derive").then(|| word.to_owned())
            });
            return Owner {
                keys: word
                    .as_deref()
                    .map_or_else(Vec::new, |word| self.trait_keys(word, &krate)),
                of: word,
                on: receiver.unwrap_or_default(),
            };
        };
        let written = last(&resolve::head_text(&found.on)).to_owned();
        let on = if found.parameters.contains(&written) {
            String::new()
        } else {
            match (receiver, pointer) {
                (Some(receiver), _) if last(&receiver) == written => receiver,
                (_, Some(pointer)) if last(&pointer) == written => pointer,
                _ => self.full_path(&written, &found.module, &krate),
            }
        };
        let of = found.of.as_deref().map(|of| head(of).0);
        Owner {
            keys: of.map_or_else(Vec::new, |of| self.trait_keys(of, &found.module)),
            of: of.map(|of| last(of).to_owned()),
            on,
        }
    }

    /// The same, where the `impl` block is made by a macro.
    fn owner_in_macro(
        &self,
        header: &macros::Header<'_>,
        receiver: Option<String>,
        made: Option<String>,
        krate: &str,
    ) -> Owner {
        let written = last(head(behind_references(header.on).0).0);
        let on = receiver.or(made).unwrap_or_else(|| {
            if macros::is_told(header.on) {
                self.full_path(written, krate, krate)
            } else {
                UNTOLD.to_owned()
            }
        });
        let of = header
            .of
            .filter(|of| macros::is_told(of))
            .map(|of| head(of).0);
        Owner {
            keys: match of {
                Some(of) => self.trait_keys(of, krate),
                None if header.of.is_some() => vec![UNTOLD.to_owned()],
                None => Vec::new(),
            },
            of: header.of.map(|_| of.map_or(UNTOLD, last).to_owned()),
            on,
        }
    }

    /// What the methods of a trait are found by: the full paths of the traits of the program that a path
    /// can mean in a module, or its last name if it is one of others.
    fn trait_keys(&self, of: &str, module: &str) -> Vec<String> {
        let sources = self.sources.borrow();
        let meant = sources.traits.meant(of, module, &sources.uses);
        if meant.is_empty() {
            vec![last(of).to_owned()]
        } else {
            meant
        }
    }

    /// Whether the first parameter is the receiver.
    fn is_method(&self, body: &Body) -> bool {
        let itself = self.names.of("self");
        body.named
            .iter()
            .any(|(name, place)| *name == itself && place.local == 1)
    }

    /// The path of the type that is called so in a module.
    fn full_path(&self, written: &str, module: &str, krate: &str) -> String {
        if is_primitive(written) {
            return written.to_owned();
        }
        let sources = self.sources.borrow();
        let prefix = format!("{krate}::");
        let all: Vec<&String> = sources
            .by_name
            .get(written)
            .into_iter()
            .flatten()
            .filter(|path| path.starts_with(&prefix))
            .collect();
        let here = format!("{module}::{written}");
        match all[..] {
            [one] => one.clone(),
            _ if all.contains(&&here) => here,
            [] => format!("{krate}::{written}"),
            // The one whose module is nearest.
            _ => all
                .into_iter()
                .max_by_key(|path| {
                    path.bytes()
                        .zip(module.bytes())
                        .take_while(|(a, b)| a == b)
                        .count()
                })
                .cloned()
                .unwrap_or(here),
        }
    }

    /// The head of a type with its path, also of what a macro made at the root of the crate.
    fn head_of(&self, of: Name, krate: &str) -> String {
        let of = self.type_of(of);
        let mut text: &str = &of.head;
        let mut inner = Rc::clone(&of);
        // The receiver may be `Pin<&mut Self>` or `Arc<Self>`.
        while matches!(last(text), "Pin" | "Arc" | "Rc" | "Box")
            && (text.starts_with("std::") || text.starts_with("alloc::"))
        {
            match inner.arguments.first() {
                Some(&argument) => inner = self.type_of(argument),
                None => break,
            }
            text = &inner.head;
        }
        let text = text.strip_prefix("dyn ").unwrap_or(text);
        if text.contains("::")
            || text.starts_with(|c: char| !c.is_alphabetic())
            || is_primitive(text)
        {
            text.to_owned()
        } else {
            format!("{krate}::{text}")
        }
    }
}

/// Numbers bodies that have the same name and place: a macro makes one each time.
fn number_copies(bodies: &mut [Body]) {
    let mut copies = FxHashMap::default();
    for body in bodies {
        let next = copies.entry((body.name, body.site)).or_default();
        body.copy = *next;
        *next += 1;
    }
}

/// The crate and the last name of a path.
fn in_crate(path: &str) -> String {
    let krate = path.split("::").next().unwrap_or_default();
    format!("{krate}|{}", last(path))
}

/// The crate and the last two names of a path.
fn short(path: &str) -> String {
    let krate = path.split("::").next().unwrap_or_default();
    let mut parts = path.rsplit("::");
    let (last, before) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    format!("{krate}|{before}::{last}")
}
