//! What the source says about findings: `// lockwise: allow(LW0003) reason = "…"`.
//!
//! Such a comment silences the findings of that code that name its line, or the next line of code if
//! the comment stands alone. A reason is asked for: who reads the code later must know why. `expect`
//! in place of `allow` also wants there to be such a finding.

use serde::{Deserialize, Serialize};

use crate::finding::{Code, Finding, Wants};

/// A comment that silences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Allowance {
    /// The code; the comment's own words where they name none.
    pub code: Result<Code, String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether something must be there to silence.
    pub is_expected: bool,
    /// The file.
    pub file: String,
    /// The line of the comment.
    pub written: u32,
    /// The line that it speaks of.
    pub line: u32,
}

/// Finds the comments in a file.
pub(crate) fn find(file: &str, text: &str) -> Vec<Allowance> {
    const MARK: &str = "lockwise:";
    // Most files say nothing of us.
    if !text.contains(MARK) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (line, column) in comments(text) {
        let at = line;
        let (before, comment) = lines[line].split_at(column);
        let comment = &comment[2..];
        let comment = comment.trim_start_matches(['/', '!']).trim_start();
        let Some(rest) = comment.strip_prefix(MARK).map(str::trim_start) else {
            continue;
        };
        let Some((is_expected, codes, rest)) = parts(rest) else {
            continue;
        };
        let target = if before.trim().is_empty() {
            // Comments and attributes may stand between.
            let next = lines.iter().skip(at + 1).position(|line| {
                let line = line.trim_start();
                !(line.is_empty() || line.starts_with("//") || line.starts_with("#["))
            });
            next.map_or(at, |next| at + 1 + next)
        } else {
            at
        };
        for code in codes.split(',') {
            found.push(Allowance {
                code: Code::from_text(code.trim()).ok_or_else(|| code.trim().to_owned()),
                reason: reason(rest),
                is_expected,
                file: file.to_owned(),
                written: number(at),
                line: number(target),
            });
        }
    }
    found
}

/// Whether the words of a comment expect, the codes that they name, and what follows. Words that mean
/// to silence, and do not say it as it must be said, name themselves; others mean nothing.
fn parts(words: &str) -> Option<(bool, &str, &str)> {
    for (word, is_expected) in [("allow(", false), ("expect(", true)] {
        let rest = words.strip_prefix(word);
        if let Some((codes, rest)) = rest.and_then(|rest| rest.split_once(')')) {
            return Some((is_expected, codes, rest));
        }
    }
    let names_a_code = words
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| Code::from_text(word).is_some());
    let end = words.find(',').unwrap_or(words.len());
    names_a_code.then(|| (false, &words[..end], ""))
}

/// Where comments to the end of a line begin: index of the line, and byte in it. What looks like one in a
/// string or in another comment is none.
fn comments(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += if rest.starts_with(b"//") {
            let line = starts.partition_point(|start| *start <= at) - 1;
            found.push((line, at - starts[line]));
            let end = rest.iter().position(|byte| *byte == b'\n');
            end.unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            block_comment(rest)
        } else if rest[0] == b'"' {
            string(rest)
        } else if rest[0] == b'r' && is_start_of_word(bytes, at) {
            raw_string(rest).max(1)
        } else if rest[0] == b'\'' {
            character(rest)
        } else {
            1
        };
    }
    found
}

/// Whether a letter is not inside of a word; `br"…"` begins with another.
fn is_start_of_word(bytes: &[u8], at: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match at.checked_sub(1).map(|before| bytes[before]) {
        Some(b'b' | b'c') => at < 2 || !is_word(bytes[at - 2]),
        Some(before) => !is_word(before),
        None => true,
    }
}

/// The length of a comment, with those inside it.
fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1);
    while at < rest.len() && depth > 0 {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
    }
    at
}

/// The length of a string.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The length of a raw string; 0 if it is none.
fn raw_string(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let end: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let from = 2 + hashes;
    let length = rest[from..].windows(end.len()).position(|part| part == end);
    length.map_or(rest.len(), |length| from + length + end.len())
}

/// The length of a character, or of the quote alone that a lifetime begins with.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|byte| *byte == b'\'');
        return end.map_or(1, |end| end + 4);
    }
    let end = rest.iter().skip(1).take(5).position(|byte| *byte == b'\'');
    match end {
        // One character, of up to four bytes; a lifetime has a quote only by chance.
        Some(length)
            if length > 0
                && std::str::from_utf8(&rest[1..=length])
                    .is_ok_and(|text| text.chars().count() == 1) =>
        {
            length + 2
        }
        _ => 1,
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// `reason = "…"`
fn reason(text: &str) -> Option<String> {
    let rest = text.trim_start().trim_start_matches(',').trim_start();
    let rest = rest.strip_prefix("reason")?.trim_start();
    let rest = rest.strip_prefix('=')?.trim_start().strip_prefix('"')?;
    let reason = rest.split('"').next()?.trim();
    (!reason.is_empty()).then(|| reason.to_owned())
}

/// Takes out the findings that the source silences, and returns what is to be said of each comment.
pub(crate) fn apply<'a>(
    findings: &mut Vec<Finding>,
    allowances: &'a [Allowance],
) -> Vec<(&'a Allowance, String)> {
    let mut said = Vec::new();
    let mut used = vec![0_u32; allowances.len()];
    findings.retain(|finding| {
        let found = allowances.iter().position(|allowance| {
            allowance.reason.is_some()
                && allowance.code == Ok(finding.code)
                && speaks_of(allowance, finding)
        });
        if let Some(at) = found {
            used[at] += 1;
        }
        found.is_none()
    });
    for (allowance, used) in allowances.iter().zip(used) {
        said.extend(told(allowance, used).map(|text| (allowance, text)));
    }
    said
}

/// What is to be said of a comment that silenced so many findings.
fn told(allowance: &Allowance, used: u32) -> Option<String> {
    let place = format!("{}:{}", allowance.file, allowance.written);
    let code = match &allowance.code {
        Ok(code) => code.text(),
        Err(words) => {
            return Some(format!(
                "the comment at {place} silences nothing: `{words}` names no finding (`lockwise: allow(LW0003) reason = \"…\"`)"
            ));
        }
    };
    match (&allowance.reason, used) {
        (None, _) => Some(format!(
            "the comment at {place} silences nothing: it gives no reason (`lockwise: allow({code}) reason = \"…\"`)"
        )),
        (Some(_), 0) if allowance.is_expected => Some(format!(
            "the comment at {place} expects {code}, which was not found there"
        )),
        (Some(_), 0) => None,
        (Some(reason), used) => {
            let findings = if used == 1 { "finding" } else { "findings" };
            Some(format!(
                "{used} {findings} of {code} silenced at {place}: {reason}"
            ))
        }
    }
}

/// Whether a finding names the line that a comment speaks of.
fn speaks_of(allowance: &Allowance, finding: &Finding) -> bool {
    let prefix = format!("{}:{}:", allowance.file, allowance.line);
    sites(finding).any(|site| site.starts_with(&prefix))
}

/// All places that a finding names.
pub(crate) fn sites(finding: &Finding) -> impl Iterator<Item = &str> {
    finding.cycle.iter().flat_map(|side| {
        let wants = side.wants.as_ref().map(|wants| match wants {
            Wants::Lock(want) => want.site.as_str(),
            Wants::Resource(want) => want.site.as_str(),
        });
        let holds = side.holds.as_ref().map(|held| held.site.as_str());
        let path = side.path.iter().map(String::as_str);
        holds.into_iter().chain(wants).chain(path)
    })
}

#[cfg(test)]
mod tests;
