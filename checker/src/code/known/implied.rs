//! What functions of std call of the types that they are used with: the table for it.

use crate::code::text::last;

/// A method of a trait that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Implied {
    /// The trait, with its path.
    pub of: &'static str,
    /// The method.
    pub method: &'static str,
    /// Of whose type.
    pub whose: Whose,
}

/// Whose method is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of what this argument is, points to or holds.
    Argument(usize),
    /// That of the first thing which this argument is generic over.
    First(usize),
    /// That of the result.
    Result,
}

const fn of_argument(of: &'static str, method: &'static str, number: usize) -> Implied {
    let whose = Whose::Argument(number);
    Implied { of, method, whose }
}

const fn of_first(of: &'static str, method: &'static str) -> Implied {
    let whose = Whose::First(0);
    Implied { of, method, whose }
}

const fn of_result(of: &'static str, method: &'static str) -> Implied {
    let whose = Whose::Result;
    Implied { of, method, whose }
}

/// The key that is given, and those that are there.
static HASHED: [Implied; 3] = [
    of_argument("std::hash::Hash", "hash", 1),
    of_first("std::hash::Hash", "hash"),
    of_first("std::cmp::PartialEq", "eq"),
];
static SORTED: [Implied; 1] = [of_first("std::cmp::Ord", "cmp")];
static COMPARED: [Implied; 2] = [
    of_argument("std::cmp::Ord", "cmp", 0),
    of_argument("std::cmp::PartialOrd", "partial_cmp", 0),
];
static PARTLY_COMPARED: [Implied; 1] = [of_argument("std::cmp::PartialOrd", "partial_cmp", 0)];
static EQUAL: [Implied; 1] = [of_argument("std::cmp::PartialEq", "eq", 0)];
static HASHES: [Implied; 1] = [of_argument("std::hash::Hash", "hash", 0)];
static HASHED_ONE: [Implied; 1] = [of_argument("std::hash::Hash", "hash", 1)];
static CLONED: [Implied; 1] = [of_argument("std::clone::Clone", "clone", 0)];
static DEFAULT: [Implied; 1] = [of_result("std::default::Default", "default")];
static SHOWN: [Implied; 1] = [of_argument("std::fmt::Display", "fmt", 0)];
static READ: [Implied; 1] = [of_argument("std::io::Read", "read", 0)];
static WRITTEN: [Implied; 2] = [
    of_argument("std::io::Write", "write", 0),
    of_argument("std::fmt::Write", "write_str", 0),
];
static PARSED: [Implied; 1] = [of_result("std::str::FromStr", "from_str")];
static COLLECTED: [Implied; 1] = [of_result("std::iter::FromIterator", "from_iter")];
static SUMMED: [Implied; 1] = [of_result("std::iter::Sum", "sum")];

/// What the function at this path calls.
pub(crate) fn implied(path: &str) -> &'static [Implied] {
    let method = last(path);
    let on = path.rsplit("::").nth(1).unwrap_or_default();
    match (on, method) {
        (
            "HashMap" | "HashSet",
            "insert" | "get" | "get_mut" | "contains_key" | "contains" | "remove" | "entry"
            | "replace" | "take" | "remove_entry" | "get_key_value" | "get_or_insert_with",
        )
        | ("Index", "index") => &HASHED,
        (
            "BTreeMap" | "BTreeSet",
            "insert" | "get" | "get_mut" | "contains_key" | "contains" | "remove" | "entry"
            | "replace" | "take" | "remove_entry" | "get_key_value" | "range",
        )
        | ("BinaryHeap", "push" | "pop" | "into_sorted_vec") => &SORTED,
        (
            "slice",
            "sort" | "sort_unstable" | "binary_search" | "is_sorted" | "select_nth_unstable",
        )
        | ("cmp", "max" | "min")
        | ("Ord", "max" | "min" | "clamp" | "cmp") => &COMPARED,
        ("PartialOrd", _) => &PARTLY_COMPARED,
        ("slice", "contains" | "starts_with" | "ends_with" | "split_first_chunk")
        | ("Vec", "dedup")
        | ("VecDeque" | "LinkedList", "contains")
        | ("PartialEq", "eq" | "ne") => &EQUAL,
        ("Hash", "hash" | "hash_slice") => &HASHES,
        ("BuildHasher", "hash_one") => &HASHED_ONE,
        ("Clone", "clone" | "clone_from")
        | ("slice", "to_vec" | "repeat")
        | ("ToOwned", "to_owned")
        | ("Option", "cloned")
        | ("vec", "from_elem")
        | ("Arc" | "Rc", "make_mut" | "unwrap_or_clone") => &CLONED,
        ("Option" | "Result" | "Entry", "unwrap_or_default" | "or_default") | ("mem", "take") => {
            &DEFAULT
        }
        ("ToString", "to_string") => &SHOWN,
        ("Read", _) => &READ,
        ("Write", "write_fmt" | "write_all" | "write_char" | "write_vectored") => &WRITTEN,
        ("str", "parse") => &PARSED,
        ("Iterator", "collect") => &COLLECTED,
        ("Iterator", "sum") => &SUMMED,
        _ => &[],
    }
}

/// Whether a method that the function at this path calls is called only if the collection holds something: a
/// key that is put in is hashed in any case.
pub(crate) fn asks_elements(path: &str, method: &str) -> bool {
    const COLLECTIONS: [&str; 10] = [
        "HashMap",
        "HashSet",
        "BTreeMap",
        "BTreeSet",
        "BinaryHeap",
        "LinkedList",
        "VecDeque",
        "Vec",
        "slice",
        "Index",
    ];
    let on = path.rsplit("::").nth(1).unwrap_or_default();
    let is_put_in = method == "hash" && matches!(last(path), "insert" | "entry" | "replace");
    COLLECTIONS.contains(&on) && !is_put_in
}

/// Whether the function at this path asks an iterator that it is given for its elements, if it does not give
/// it back.
pub(crate) fn asks_iterators(path: &str) -> bool {
    !matches!(
        last(path),
        "size_hint"
            | "len"
            | "is_empty"
            | "clone"
            | "fmt"
            | "drop"
            | "forget"
            | "new"
            | "eq"
            | "insert"
            | "push"
            | "push_back"
            | "spawn"
            | "send"
            | "swap"
            | "replace"
            | "set"
    )
}
