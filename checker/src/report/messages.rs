//! The report in cargo's own shape, a message a line: what editors show.
//!
//! As `cargo check --message-format=json` prints the compiler's diagnostics, so that whoever reads those
//! (rust-analyzer's `check.overrideCommand`) shows findings where they are.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::snippet::Place;
use super::{Report, text};
use crate::finding::{Finding, Level, Side, Wants};

/// Writes all findings. `targets` are cargo's messages on what was built, of which each finding gets
/// the package and target that its first place lies in.
pub(super) fn write(report: &Report, targets: &[Value], out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.verdict.findings {
        let message = message(report, finding, targets);
        serde_json::to_writer(&mut *out, &message)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn message(report: &Report, finding: &Finding, targets: &[Value]) -> Value {
    let level = if report.policy.fails(finding) {
        "error"
    } else {
        match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        }
    };
    let spans: Vec<Value> = finding
        .cycle
        .iter()
        .enumerate()
        .flat_map(|(at, side)| places(side, at == 0))
        .filter_map(|(site, label, is_primary)| span(report, &site, &label, is_primary))
        .collect();
    let more = finding.reasons.iter().map(|text| ("note", text));
    let more = more.chain(finding.advice.iter().map(|text| ("help", text)));
    let children: Vec<Value> = more
        .map(|(level, text)| {
            json!({"message": text, "code": null, "level": level, "spans": [], "children": [],
                   "rendered": null})
        })
        .collect();
    let rendered = anstream::adapter::strip_str(&text::render_one(finding, report)).to_string();
    let file = spans.first().and_then(|span| span["file_name"].as_str());
    let target = file
        .and_then(|file| target_of(report, file, targets))
        .or(targets.first());
    let of = |key: &str| target.map_or(Value::Null, |target| target[key].clone());
    json!({
        "reason": "compiler-message",
        "package_id": of("package_id"),
        "manifest_path": of("manifest_path"),
        "target": of("target"),
        "message": {
            "rendered": rendered + "\n",
            "$message_type": "diagnostic",
            "message": finding.message,
            "code": {"code": finding.code.text(), "explanation": null},
            "level": level,
            "spans": spans,
            "children": children,
        },
    })
}

/// The places of a side with what happens there; the one where it waits is what the message is about.
fn places(side: &Side, is_first: bool) -> Vec<(String, String, bool)> {
    let mut found = Vec::new();
    match &side.wants {
        Some(Wants::Lock(want)) => {
            found.push((
                want.site.clone(),
                format!("wants `{}`", want.lock),
                is_first,
            ));
        }
        Some(Wants::Resource(want)) => {
            found.push((
                want.site.clone(),
                format!("waits for {}", want.resource),
                is_first,
            ));
        }
        None => {}
    }
    if let Some(held) = &side.holds {
        found.push((held.site.clone(), format!("takes `{}`", held.lock), false));
    }
    let calls = side.path.iter();
    found.extend(calls.map(|site| (site.clone(), "calls what leads there".to_owned(), false)));
    found
}

/// A place as the compiler would point to it.
fn span(report: &Report, site: &str, label: &str, is_primary: bool) -> Option<Value> {
    let place = Place::parse(site)?;
    let source = report.sources.read(&place.path);
    let found = source
        .as_ref()
        .and_then(|source| Some((source, place.find(source)?)));
    let (bytes, width, text) = match found {
        Some((source, bytes)) => {
            let width = source[bytes.clone()].chars().count();
            let line = source.lines().nth(place.line - 1).unwrap_or_default();
            let text = json!([{"text": line, "highlight_start": place.column,
                               "highlight_end": place.column + width}]);
            (bytes, width, text)
        }
        None => (0..0, 1, json!([])),
    };
    Some(json!({
        "file_name": place.path,
        "byte_start": bytes.start,
        "byte_end": bytes.end,
        "line_start": place.line,
        "line_end": place.line,
        "column_start": place.column,
        "column_end": place.column + width,
        "is_primary": is_primary,
        "text": text,
        "label": label,
        "suggested_replacement": null,
        "suggestion_applicability": null,
        "expansion": null,
    }))
}

/// The target whose sources lie nearest around a file.
fn target_of<'a>(report: &Report, file: &str, targets: &'a [Value]) -> Option<&'a Value> {
    let file = report.sources.path(file);
    targets
        .iter()
        .filter_map(|target| {
            let root = Path::new(target["target"]["src_path"].as_str()?);
            let folder = root.parent()?;
            file.starts_with(folder)
                .then(|| ((root == file, folder.as_os_str().len()), target))
        })
        .max_by_key(|(near, _)| *near)
        .map(|(_, target)| target)
}
