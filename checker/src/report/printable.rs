//! Text from traces, made safe to show.
//!
//! Names, sites and types come from the program under test or from a file that somebody sent. A
//! terminal must not obey them, and a reader must not be misled by letters that hide or turn round.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::finding::{Finding, LockUse, Wants};

/// The longest single text shown, in characters: half a screen. Honest messages are shorter.
const SHOWN_MAX: usize = 1000;

/// `text` with control characters and invisible or direction-changing ones written as escapes, and
/// cut, visibly, where it is longer than any honest text.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.len() <= SHOWN_MAX && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len().min(2 * SHOWN_MAX));
    for (count, letter) in text.chars().enumerate() {
        if count == SHOWN_MAX {
            let _ = write!(safe, "… ({} bytes in all)", text.len());
            break;
        }
        if is_hidden(letter) {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    Cow::Owned(safe)
}

/// The finding with all its texts made printable.
pub(super) fn cleaned(finding: &Finding) -> Finding {
    let mut clean = finding.clone();
    let scrub = |text: &mut String| {
        if let Cow::Owned(safe) = printable(text) {
            *text = safe;
        }
    };
    let scrub_lock = |lock: &mut LockUse| {
        scrub(&mut lock.lock);
        scrub(&mut lock.class);
        scrub(&mut lock.mode);
        scrub(&mut lock.site);
        lock.type_name.iter_mut().for_each(scrub);
        lock.expression.iter_mut().for_each(scrub);
    };
    for side in &mut clean.cycle {
        scrub(&mut side.thread);
        side.holds.iter_mut().for_each(scrub_lock);
        match &mut side.wants {
            Some(Wants::Lock(want)) => scrub_lock(want),
            Some(Wants::Resource(want)) => {
                scrub(&mut want.resource);
                scrub(&mut want.name);
                scrub(&mut want.site);
            }
            None => {}
        }
        side.thread_name.iter_mut().for_each(scrub);
        side.started_in.iter_mut().for_each(scrub);
        side.run.iter_mut().for_each(scrub);
        side.stack_of.iter_mut().for_each(scrub);
        side.also_held.iter_mut().for_each(scrub_lock);
        for texts in [&mut side.gates, &mut side.stack, &mut side.path] {
            texts.iter_mut().for_each(scrub);
        }
    }
    scrub(&mut clean.message);
    let after = clean.witness_after.iter_mut();
    let left_out = after.flat_map(|beginning| &mut beginning.without);
    left_out.for_each(|left| scrub(&mut left.thread));
    for texts in [&mut clean.witness, &mut clean.reasons, &mut clean.advice] {
        texts.iter_mut().for_each(scrub);
    }
    clean
}

/// Whether a letter acts on the terminal, or cannot be seen, or turns the text round.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{00ad}'
                | '\u{061c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
