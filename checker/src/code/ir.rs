//! A function as the analysis sees it: what is moved, borrowed, called and dropped, and where.
//!
//! Lowered once from the compiler's text; what cannot move a guard or reach a lock is left out.
//! Unwinding is left out too: a panic is not followed.

use serde::{Deserialize, Serialize};

use super::names::{Name, Names};

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Site {
    /// The file, as the compiler names it.
    pub file: Name,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// A variable of the compiler's: 0 is what is returned, then the parameters.
pub(crate) type Local = u32;

/// A basic block.
pub(crate) type BlockId = u32;

/// A step from a place to one inside it, or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Projection {
    /// What it points to.
    Deref,
    /// A field, and its type.
    Field(u32, Name),
    /// An enum seen as one of its variants.
    Variant(Name),
    /// The element whose number is in this variable.
    Index(Local),
    /// The element of this number.
    Element(u64),
    /// Some element.
    Elements,
}

/// A variable and what is inside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Where it begins.
    pub local: Local,
    /// From there on.
    pub steps: Vec<Projection>,
}

impl Place {
    /// A whole variable.
    pub(crate) fn whole(local: Local) -> Place {
        Place {
            local,
            steps: Vec::new(),
        }
    }

    /// Whether it is a whole variable.
    pub(crate) fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operand {
    /// A place that stays valid.
    Copy(Place),
    /// A place that is left empty.
    Move(Place),
    /// A pointer to a static, by the compiler's number of its allocation.
    Allocation(u32),
    /// A pointer to a static, or to a thread's own.
    Static(Name),
    /// A function, by its path.
    Function(Name),
    /// A number.
    Number(u64),
    /// Something without a meaning for locks.
    Constant,
}

impl Operand {
    /// The place that is read.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Operand::Copy(place) | Operand::Move(place) => Some(place),
            _ => None,
        }
    }

    /// The place that is left empty.
    pub(crate) fn moved(&self) -> Option<&Place> {
        match self {
            Operand::Move(place) => Some(place),
            _ => None,
        }
    }
}

/// What is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rvalue {
    /// The same value, perhaps under another type.
    Use(Operand),
    /// A pointer to a place.
    Borrow(Place),
    /// Which variant an enum is.
    Discriminant(Place),
    /// The opposite of a boolean.
    Not(Operand),
    /// Which of two comes first.
    Compare(Operand, Operand),
    /// Whether a number is this one, or, with `false`, another.
    Equals(Operand, u64, bool),
    /// A struct or variant without fields, by its path.
    Unit(Name),
    /// A struct, tuple, array, closure or coroutine made of these, or an operation on them.
    Aggregate(Vec<Operand>),
}

/// A step inside a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Statement {
    /// A place gets a value.
    Assign(Place, Rvalue),
    /// A variable ends: what it held has been dropped or moved.
    Dead(Local),
    /// A coroutine notes where it will go on.
    State(u32),
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Callee {
    /// A function or method, by its text.
    Path(Name),
    /// A function pointer.
    Pointer(Place),
}

/// How a block ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Terminator {
    /// It goes on there.
    Goto(BlockId),
    /// It goes on there, or elsewhere, depending on nothing that we know.
    Branch(Vec<BlockId>),
    /// It goes on where the value says.
    Switch {
        /// The value.
        on: Operand,
        /// Value and block.
        cases: Vec<(u64, BlockId)>,
        /// All other values.
        otherwise: Option<BlockId>,
    },
    /// The function returns.
    Return,
    /// A place is dropped.
    Drop(Place, BlockId),
    /// A call.
    Call {
        /// What is called.
        callee: Callee,
        /// With what.
        arguments: Vec<Operand>,
        /// Where the result goes.
        result: Place,
        /// Where it returns to, if it does.
        target: Option<BlockId>,
    },
    /// An `.await` that is not ready: goes on there when the task is polled again.
    Suspend(BlockId),
    /// Never goes on.
    End,
}

/// A basic block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// Its steps.
    pub statements: Vec<Statement>,
    /// How it ends.
    pub end: Terminator,
    /// Where that stands in the source: for a call, the method's name.
    pub site: Site,
}

/// What a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A function or method.
    Function,
    /// A closure or coroutine; its type says which.
    Closure,
    /// The initial value of a static.
    Static,
    /// A constant that keeps functions.
    Constant,
}

/// One function, closure, async body, static or constant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    /// Its name in the compiler's text, with the crate.
    pub name: Name,
    /// The crate.
    pub krate: Name,
    /// What it is.
    pub kind: Kind,
    /// Where its `impl` block begins, for methods.
    pub implementation: Option<Site>,
    /// How many parameters it has.
    pub parameters: u32,
    /// The types of all variables.
    pub types: Vec<Name>,
    /// What the source calls them.
    pub named: Vec<(Name, Place)>,
    /// Its blocks; those for unwinding are empty.
    pub blocks: Vec<Block>,
    /// Where it begins.
    pub site: Site,
    /// How many of that name and place are before it.
    pub copy: u32,
}

impl Body {
    /// All statements, block by block.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.blocks.iter().flat_map(|block| &block.statements)
    }

    /// The blocks that a block leads to.
    pub(crate) fn next_of(&self, block: BlockId) -> Vec<BlockId> {
        let Some(block) = self.blocks.get(block as usize) else {
            return Vec::new();
        };
        match &block.end {
            Terminator::Goto(next) | Terminator::Drop(_, next) | Terminator::Suspend(next) => {
                vec![*next]
            }
            Terminator::Branch(all) => all.clone(),
            Terminator::Switch {
                cases, otherwise, ..
            } => {
                let cases = cases.iter().map(|(_, next)| *next);
                cases.chain(*otherwise).collect()
            }
            Terminator::Call { target, .. } => target.iter().copied().collect(),
            Terminator::Return | Terminator::End => Vec::new(),
        }
    }

    /// Whether it is that of a future, which does not run when it is made.
    pub(crate) fn is_coroutine(&self, names: &Names) -> bool {
        let itself = self.types.get(1).map(|of| names.text(*of));
        self.kind == Kind::Closure
            && self.parameters > 0
            && itself.is_some_and(|of| {
                of.starts_with("std::pin::Pin<&mut {") || of.starts_with("core::pin::Pin<&mut {")
            })
    }
}
