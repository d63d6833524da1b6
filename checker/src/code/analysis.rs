//! From what is known of each crate to a verdict on all.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::changed::{self, Changes};
use super::extra::Extra;
use super::joined::Seen;
use super::mir::Read;
use super::names::Names;
use super::paths::Crate;
use super::printed::Printed;
use super::program::Program;
use super::source::Sources;
use super::{allow, rules, solve};
use crate::finding::{Source, Stats, Verdict};

/// What was asked for beside.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only findings that have to do with these changes.
    pub changes: Option<Changes>,
    /// What runs of the program showed.
    pub seen: Option<Seen>,
    /// What is looked at beyond the tables.
    pub extra: Extra,
}

/// A verdict, and what it rests on.
#[derive(Debug, Default)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The sources that were read beside the compiler's texts.
    pub read: Vec<PathBuf>,
}

/// Judges a program from its code. Paths are relative to the folder `root`; `others` are the names of
/// all crates that it can name.
#[expect(
    clippy::implicit_hasher,
    reason = "there is one caller, and it has the usual one"
)]
pub fn judge(
    root: &Path,
    mut printed: Vec<Printed>,
    others: &HashSet<String>,
    asked: &Asked,
) -> Judged {
    let names = Names::default();
    let mut sources = Sources::at(root);
    // A library and its tests are one crate; what both have is read as it is in the library.
    printed.sort_by_key(|one| one.is_test);
    let mut own: HashMap<(String, PathBuf), HashSet<String>> = HashMap::new();
    for one in &mut printed {
        own.entry((one.name.clone(), one.root.clone()))
            .or_insert_with(|| {
                sources.join(std::mem::take(&mut one.sources));
                std::mem::take(&mut one.own)
            });
    }
    let uses = Rc::new(sources.uses.clone());
    let mut reads: Vec<Read> = Vec::new();
    let mut unknown = 0;
    let mut first = None;
    for one in printed {
        let mut others = others.clone();
        others.remove(&one.name);
        let key = (one.name, one.root);
        let krate = Crate {
            own: own[&key].clone(),
            name: key.0,
            others,
            uses: Rc::clone(&uses),
        };
        let read = one.code.read(&krate, &names);
        unknown += read.unknown.count;
        if first.is_none() {
            first.clone_from(&read.unknown.first);
        }
        reads.push(read);
    }
    let program = Program::new(names, reads, sources, asked.extra.clone());
    let solved = solve::solve(&program);
    let (mut findings, cycles_left_out) = rules::findings(&program, &solved);
    let mut limits = limits(&program, &solved, cycles_left_out);
    if unknown > 0 {
        let first = first.unwrap_or_default();
        let lines = counted(unknown, "line", "lines");
        let said = format!("{lines} of the compiler's text not understood, the first: {first}");
        limits.insert(0, said);
    }
    let changes = asked.changes.as_ref();
    let lines = changes.map(|changes| changed::functions(&program.bodies, &program.names, changes));
    // What a comment expects is there, whether or not a change has to do with it.
    let allowances = program.sources.borrow().allowances();
    let said = allow::apply(&mut findings, &allowances);
    if let Some(lines) = &lines {
        findings.retain(|finding| changed::concerns(finding, lines));
    }
    let mut orders = rules::orders(&program, &solved);
    if let Some(seen) = &asked.seen {
        for finding in &mut findings {
            seen.mark(finding);
        }
        for order in &mut orders {
            if seen.has(&order.holds.site, &order.wants.site) {
                order.evidence = vec![Source::Run, Source::Code];
            }
        }
    }
    limits.extend(said.into_iter().filter_map(|(allowance, text)| {
        let concerns = lines
            .as_ref()
            .is_none_or(|lines| changed::has(lines, &allowance.file, allowance.line));
        concerns.then_some(text)
    }));
    let mut verdict = Verdict {
        findings,
        stats: stats(&program, &solved),
        limits,
        orders,
    };
    verdict.settle();
    let read = program.sources.borrow().read_files();
    Judged { verdict, read }
}

/// What was left out, and why.
fn limits(program: &Program, solved: &solve::Solved, cycles_left_out: u64) -> Vec<String> {
    let all = [
        (
            *program.capped.borrow(),
            "call of a trait's method was",
            "calls of traits' methods were",
            "not followed: too many implementations",
        ),
        (
            solved.capped,
            "call of a function kept in data was",
            "calls of functions kept in data were",
            "not followed: too many of that type",
        ),
        (
            solved.left_out,
            "effect was",
            "effects were",
            "left out: a function has too many",
        ),
        (
            solved.unfinished,
            "function",
            "functions",
            "that call each other were given up early",
        ),
        (
            cycles_left_out,
            "cycle was",
            "cycles were",
            "not looked at: too long, or too many",
        ),
    ];
    let reached = all.into_iter().filter(|(number, ..)| *number > 0);
    reached
        .map(|(number, one, many, what)| format!("{} {what}", counted(number, one, many)))
        .collect()
}

fn stats(program: &Program, solved: &solve::Solved) -> Stats {
    let mut classes = HashSet::new();
    let mut edges = HashSet::new();
    for summary in &solved.summaries {
        for effect in &summary.effects {
            if let super::summary::What::Wants(lock, _) = &effect.what {
                classes.insert(lock.class);
            }
        }
    }
    for order in &solved.orders {
        edges.insert((order.held.lock.class, order.wanted.class));
    }
    Stats {
        functions: program.bodies.len() as u64,
        classes: classes.len() as u64,
        edges: edges.len() as u64,
        ..Stats::default()
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}
