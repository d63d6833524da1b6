//! What the compiler's text leaves out and the source says: names of fields, which trait an `impl`
//! is of, what stands at the root of a crate.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quote::ToTokens;
use serde::{Deserialize, Serialize};
use syn::spanned::Spanned as _;

use super::allow::{self, Allowance};
use super::conditions::Conditions;

mod beside;
mod made;
mod traits;
mod uses;
mod wrappers;

use traits::Traits;
pub(crate) use uses::Uses;

/// A struct, or a variant of an enum.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Names and types of its fields, in order; those of tuples are numbers.
    pub fields: Vec<Field>,
    /// The field of a lock that the struct only wraps: a newtype, or one that is generic over what
    /// the lock protects.
    pub wraps: Option<u32>,
    /// Whether that lock protects whatever a user likes.
    pub wraps_any: bool,
    /// Whether the fields are those of all variants of an enum.
    pub is_enum: bool,
}

/// A field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Field {
    /// Its name.
    pub name: String,
    /// Its type, as written.
    pub of: String,
}

/// An enum, as far as it is more than its variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enum {
    /// The names of its variants, in order.
    pub variants: Vec<String>,
    /// Its type parameters.
    pub parameters: Vec<Parameter>,
}

/// A type parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    /// Its name.
    pub name: String,
    /// What it stands for where nothing is said, as written.
    pub default: Option<String>,
}

/// An `impl` block.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Implementation {
    /// The trait's path as written, if it is of one.
    pub of: Option<String>,
    /// The type as written.
    pub on: String,
    /// The names of its type parameters.
    pub parameters: Vec<String>,
    /// The module it stands in, from the crate on.
    pub module: String,
}

/// The sources of one crate, or of all.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sources {
    #[serde(skip)]
    root: PathBuf,
    /// By full path; variants by `Enum::Variant`.
    pub shapes: HashMap<String, Shape>,
    /// Enums whose variants have no numbers of their own, by full path.
    pub enums: HashMap<String, Enum>,
    /// The last part of a type's path, and all full paths that end so.
    pub by_name: HashMap<String, Vec<String>>,
    /// The traits.
    pub traits: Traits,
    /// What names mean.
    pub uses: Uses,
    /// By file, line and column.
    pub implementations: HashMap<(PathBuf, u32, u32), Implementation>,
    /// The comments that silence findings.
    allowances: Vec<Allowance>,
    /// The text of all files that were asked for.
    #[serde(skip)]
    files: HashMap<PathBuf, Option<Arc<str>>>,
    /// Files, modules, blocks and functions that allow `clippy::await_holding_lock`: file, first and last line.
    pub allows_await: Vec<(PathBuf, u32, u32)>,
    /// Whether what is being read lies in a module that allows it.
    #[serde(skip)]
    in_allowing: bool,
    /// Files that were read, and as which module.
    #[serde(skip)]
    seen: HashSet<(PathBuf, String)>,
    /// What is set in the crate that is being read.
    #[serde(skip)]
    conditions: Conditions,
}

impl Sources {
    /// Nothing read yet; the compiler's paths are relative to `root`.
    pub(crate) fn at(root: &Path) -> Sources {
        Sources {
            root: root.to_owned(),
            ..Sources::default()
        }
    }

    /// Reads a crate from its root file on, as it is compiled under these conditions, and returns the names
    /// of what stands at its root.
    pub(crate) fn read_crate(
        &mut self,
        name: &str,
        root: &Path,
        conditions: Conditions,
    ) -> HashSet<String> {
        let mut own = HashSet::new();
        self.conditions = conditions;
        self.uses.note_crate(name);
        if let Some(file) = self.parsed(root) {
            for item in &file.items {
                own.extend(name_of(item));
                if matches!(item, syn::Item::Fn(function) if function.sig.ident == "main") {
                    self.traits.note_program(name);
                }
            }
            own.extend(made::names(&file.items));
            let folder = root.parent().unwrap_or(Path::new("")).to_owned();
            self.in_allowing = allows_await(&file.attrs);
            self.note_file(root);
            self.items(&file.items, name, root, &folder, 0);
            self.in_allowing = false;
        }
        self.allowances = self.read_allowances();
        own
    }

    /// Takes in what was read of another crate, or of another part of one.
    pub(crate) fn join(&mut self, other: Sources) {
        // Of two by one name it is not known which is compiled.
        let is_open =
            |path: &String| other.shapes.contains_key(path) && !other.enums.contains_key(path);
        self.enums.retain(|path, _| !is_open(path));
        for (path, found) in other.enums {
            let is_other = match self.enums.get(&path) {
                Some(known) => *known != found,
                None => self.shapes.contains_key(&path),
            };
            if is_other {
                self.enums.remove(&path);
            } else {
                self.enums.insert(path, found);
            }
        }
        self.shapes.extend(other.shapes);
        for (name, paths) in other.by_name {
            join_names(self.by_name.entry(name).or_default(), paths);
        }
        self.traits.join(other.traits);
        self.uses.join(other.uses);
        self.implementations.extend(other.implementations);
        self.allowances.extend(other.allowances);
        self.allows_await.extend(other.allows_await);
    }

    /// The text of a file.
    pub(crate) fn text(&mut self, file: &Path) -> Option<Arc<str>> {
        if let Some(text) = self.files.get(file) {
            return text.clone();
        }
        let text = std::fs::read_to_string(self.root.join(file))
            .ok()
            .map(Arc::from);
        self.files.insert(file.to_owned(), text.clone());
        text
    }

    /// The files that were asked for, whether they were there or not.
    pub(crate) fn read_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.files.keys().cloned().collect();
        files.sort();
        files
    }

    /// The comments in all files that silence findings.
    pub(crate) fn allowances(&self) -> Vec<Allowance> {
        let mut found = self.allowances.clone();
        found.extend(self.read_allowances());
        // Crates share files.
        let key = |one: &Allowance| (one.file.clone(), one.written, one.code.clone());
        found.sort_by_cached_key(key);
        found.dedup();
        found
    }

    /// Those in the files that were asked for.
    fn read_allowances(&self) -> Vec<Allowance> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.to_str()?, text.as_ref()?)))
            .flat_map(|(path, text)| allow::find(path, text))
            .collect()
    }

    fn parsed(&mut self, file: &Path) -> Option<syn::File> {
        let text = self.text(file)?;
        syn::parse_file(&text).ok()
    }

    /// Notes the order of an enum's variants, unless it hangs on something that is not known here.
    fn note_enum(&mut self, path: &str, found: &syn::ItemEnum) {
        let is_open = found.variants.iter().any(|variant| {
            let is_conditional = |attribute: &syn::Attribute| attribute.path().is_ident("cfg");
            variant.discriminant.is_some() || variant.attrs.iter().any(is_conditional)
        });
        // Of two by one name it is not known which is compiled.
        if is_open || self.shapes.contains_key(path) {
            self.enums.remove(path);
            return;
        }
        let variants = found.variants.iter();
        let parameters = found.generics.type_params().map(|parameter| Parameter {
            name: parameter.ident.to_string(),
            default: parameter.default.as_ref().map(|(_, of)| tokens(of)),
        });
        let found = Enum {
            variants: variants.map(|variant| variant.ident.to_string()).collect(),
            parameters: parameters.collect(),
        };
        self.enums.insert(path.to_owned(), found);
    }

    fn items(&mut self, items: &[syn::Item], module: &str, file: &Path, folder: &Path, depth: u32) {
        // A module that includes itself.
        if depth > 64 {
            return;
        }
        for item in items {
            if !self.conditions.allow(attributes(item)) {
                continue;
            }
            if let Some(name) = name_of(item) {
                self.uses.note_item(module, &name);
            }
            match item {
                syn::Item::Struct(found) => {
                    let mut shape = shape(&found.fields, &self.conditions);
                    shape.wraps = wrappers::wrapped(&shape, found);
                    shape.wraps_any = wrappers::wraps_any(&shape, found);
                    self.shape(format!("{module}::{}", found.ident), shape);
                }
                syn::Item::Enum(found) => {
                    let path = format!("{module}::{}", found.ident);
                    for variant in &found.variants {
                        let shape = shape(&variant.fields, &self.conditions);
                        self.shapes
                            .insert(format!("{path}::{}", variant.ident), shape);
                    }
                    self.note_enum(&path, found);
                    let all = found
                        .variants
                        .iter()
                        .flat_map(|variant| shape(&variant.fields, &self.conditions).fields);
                    let fields = all.collect();
                    let shape = Shape {
                        fields,
                        is_enum: true,
                        ..Shape::default()
                    };
                    self.shape(path, shape);
                }
                syn::Item::Impl(found) => {
                    self.implementation(found, module, file);
                    self.note_attributes(&found.attrs, found.span(), file);
                    for item in &found.items {
                        if let syn::ImplItem::Fn(function) = item {
                            self.note_attributes(&function.attrs, function.span(), file);
                            self.block(
                                &function.block,
                                &format!("{module}::{}", function.sig.ident),
                                file,
                                folder,
                                depth,
                            );
                        }
                    }
                }
                syn::Item::Fn(found) => {
                    self.note_attributes(&found.attrs, found.span(), file);
                    self.block(
                        &found.block,
                        &format!("{module}::{}", found.sig.ident),
                        file,
                        folder,
                        depth,
                    );
                }
                syn::Item::Mod(found) => {
                    let path = format!("{module}::{}", found.ident);
                    self.traits.note_module(&path, is_open(&found.vis));
                    self.module(found, module, file, folder, depth);
                }
                syn::Item::Trait(found) => {
                    let path = format!("{module}::{}", found.ident);
                    self.traits.note(path, is_open(&found.vis));
                }
                syn::Item::Use(found) => {
                    for leaf in uses::leaves(&found.tree) {
                        self.uses.note_use(module, &leaf);
                        if is_open(&found.vis) {
                            self.traits.note_handed_on(&leaf);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Items inside a function.
    fn block(&mut self, block: &syn::Block, module: &str, file: &Path, folder: &Path, depth: u32) {
        for statement in &block.stmts {
            if let syn::Stmt::Item(item) = statement {
                self.items(std::slice::from_ref(item), module, file, folder, depth + 1);
            }
        }
    }

    fn shape(&mut self, path: String, shape: Shape) {
        let last = super::text::last(&path).to_owned();
        let all = self.by_name.entry(last).or_default();
        if !all.contains(&path) {
            all.push(path.clone());
        }
        self.shapes.insert(path, shape);
    }

    fn module(
        &mut self,
        found: &syn::ItemMod,
        module: &str,
        file: &Path,
        folder: &Path,
        depth: u32,
    ) {
        let path = format!("{module}::{}", found.ident);
        let inner = folder.join(found.ident.to_string());
        self.note_attributes(&found.attrs, found.span(), file);
        if let Some((_, items)) = &found.content {
            return self.items(items, &path, file, &inner, depth + 1);
        }
        let named = found.attrs.iter().find_map(|attribute| {
            let value = &attribute.meta.require_name_value().ok()?.value;
            let is_path = attribute.path().is_ident("path");
            match value {
                syn::Expr::Lit(literal) if is_path => match &literal.lit {
                    syn::Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            }
        });
        let candidates = match named {
            Some(named) => vec![file.parent().unwrap_or(Path::new("")).join(named)],
            None => vec![inner.with_extension("rs"), inner.join("mod.rs")],
        };
        for candidate in candidates {
            let seen = (candidate.clone(), path.clone());
            if self.seen.contains(&seen) {
                return;
            }
            if let Some(parsed) = self.parsed(&candidate) {
                self.seen.insert(seen);
                let folder = match candidate.file_name() {
                    Some(name) if name == "mod.rs" => {
                        candidate.parent().unwrap_or(Path::new("")).to_owned()
                    }
                    _ => candidate.with_extension(""),
                };
                let around = self.in_allowing;
                self.in_allowing |= allows_await(&found.attrs) || allows_await(&parsed.attrs);
                self.note_file(&candidate);
                self.items(&parsed.items, &path, &candidate, &folder, depth + 1);
                self.in_allowing = around;
                return;
            }
        }
    }

    fn implementation(&mut self, found: &syn::ItemImpl, module: &str, file: &Path) {
        let start = found.impl_token.span.start();
        // The compiler's place begins at `unsafe` or `default` where there is one.
        let first = found
            .unsafety
            .as_ref()
            .map_or(start, |token| token.span.start());
        let parameters = found
            .generics
            .type_params()
            .map(|parameter| parameter.ident.to_string())
            .collect();
        let implementation = Implementation {
            of: found.trait_.as_ref().map(|(path, _)| tokens(path)),
            on: tokens(&found.self_ty),
            parameters,
            module: module.to_owned(),
        };
        for place in [first, start] {
            self.implementations.insert(
                (
                    file.to_owned(),
                    number(place.line),
                    number(place.column) + 1,
                ),
                implementation.clone(),
            );
        }
    }

    fn note_attributes(
        &mut self,
        attributes: &[syn::Attribute],
        span: proc_macro2::Span,
        file: &Path,
    ) {
        if allows_await(attributes) {
            let lines = (number(span.start().line), number(span.end().line));
            self.allows_await.push((file.to_owned(), lines.0, lines.1));
        }
    }

    /// Notes a file of a module that allows it.
    fn note_file(&mut self, file: &Path) {
        if self.in_allowing {
            self.allows_await.push((file.to_owned(), 1, u32::MAX));
        }
    }
}

/// Adds the names that are not there yet.
fn join_names(all: &mut Vec<String>, more: Vec<String>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// Whether attributes allow `clippy::await_holding_lock`, or expect it.
fn allows_await(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_lint = ["allow", "expect", "cfg_attr"]
            .iter()
            .any(|name| attribute.path().is_ident(name));
        is_lint
            && tokens(attribute)
                .replace(' ', "")
                .contains("clippy::await_holding_lock")
    })
}

fn is_open(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The tokens as text, without blanks where none are needed.
fn tokens(item: &impl ToTokens) -> String {
    item.to_token_stream()
        .to_string()
        .replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace("& ", "&")
        .replace(" ,", ",")
}

fn shape(fields: &syn::Fields, conditions: &Conditions) -> Shape {
    let compiled = fields.iter().filter(|field| conditions.allow(&field.attrs));
    let fields = compiled.enumerate().map(|(index, field)| Field {
        name: field
            .ident
            .as_ref()
            .map_or_else(|| index.to_string(), ToString::to_string),
        of: tokens(&field.ty),
    });
    Shape {
        fields: fields.collect(),
        ..Shape::default()
    }
}

/// The attributes of what is read.
fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Union(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &syn::Item) -> Option<String> {
    Some(match item {
        syn::Item::Struct(item) => item.ident.to_string(),
        syn::Item::Enum(item) => item.ident.to_string(),
        syn::Item::Union(item) => item.ident.to_string(),
        syn::Item::Trait(item) => item.ident.to_string(),
        syn::Item::Mod(item) => item.ident.to_string(),
        syn::Item::Fn(item) => item.sig.ident.to_string(),
        syn::Item::Static(item) => item.ident.to_string(),
        syn::Item::Const(item) => item.ident.to_string(),
        syn::Item::Type(item) => item.ident.to_string(),
        _ => return None,
    })
}
