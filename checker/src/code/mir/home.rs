//! Places in the source that lie in a macro of another crate: what the user can see is the call of it.
//!
//! The compiler prints where the macro itself says something. Here such a place becomes the last one
//! before it that is in the body's own file, which stands among the macro's arguments or right before.

use std::collections::VecDeque;

use super::{Body, Site, Terminator};
use crate::code::ir::BlockId;
use crate::code::names::Names;

/// Moves the places of blocks into the file of the body.
pub(super) fn bring(body: &mut Body, names: &Names) {
    let home = body.site.file;
    let is_away = |site: Site| {
        site.file != home && names.text(site.file).starts_with(['/', '\\']) && site.line > 0
    };
    if body.site.line == 0 || is_away(body.site) || !body.blocks.iter().any(|one| is_away(one.site))
    {
        return;
    }
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); body.blocks.len()];
    for (number, block) in body.blocks.iter().enumerate() {
        for next in targets(&block.end) {
            if let Some(all) = before.get_mut(next as usize) {
                all.push(number);
            }
        }
    }
    let sites: Vec<Site> = body.blocks.iter().map(|block| block.site).collect();
    for (number, block) in body.blocks.iter_mut().enumerate() {
        if is_away(block.site) {
            block.site = nearest(number, home, &sites, &before).unwrap_or(body.site);
        }
    }
}

/// The place in this file that is the fewest steps before a block; of several, the furthest down.
fn nearest(
    from: usize,
    home: crate::code::names::Name,
    sites: &[Site],
    before: &[Vec<usize>],
) -> Option<Site> {
    let mut seen = vec![false; sites.len()];
    let mut queue = VecDeque::from([(from, 0)]);
    let mut found: Option<(u32, Site)> = None;
    seen[from] = true;
    while let Some((number, steps)) = queue.pop_front() {
        if found.is_some_and(|(least, _)| steps > least) {
            break;
        }
        if sites[number].file == home {
            found = Some(match found {
                Some((least, site)) => (least, site.max(sites[number])),
                None => (steps, sites[number]),
            });
            continue;
        }
        for &number in &before[number] {
            if !std::mem::replace(&mut seen[number], true) {
                queue.push_back((number, steps + 1));
            }
        }
    }
    found.map(|(_, site)| site)
}

/// Where a block leads to.
fn targets(end: &Terminator) -> Vec<BlockId> {
    match end {
        Terminator::Goto(next) | Terminator::Drop(_, next) | Terminator::Suspend(next) => {
            vec![*next]
        }
        Terminator::Branch(all) => all.clone(),
        Terminator::Switch {
            cases, otherwise, ..
        } => cases
            .iter()
            .map(|(_, next)| *next)
            .chain(*otherwise)
            .collect(),
        Terminator::Call { target, .. } => target.iter().copied().collect(),
        Terminator::Return | Terminator::End => Vec::new(),
    }
}
