//! The report for programs: one compact document on a line of its own, `version` first.
//!
//! The shape is a contract: fields may be added, never changed. Nothing is escaped beyond what JSON
//! asks for, so that names come out as they are.

use std::io::{self, Write};

use serde::Serialize;

use super::{Program, Report};
use crate::finding::{CodeOrder, Finding, Stats};

/// The version of the document.
const VERSION: u32 = 1;

/// The document; its fields come out in this order.
#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Entry<'a>>,
    stats: &'a Stats,
    limits: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    orders: &'a [CodeOrder],
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<&'a Program>,
}

/// A finding, and whether it fails this build.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    fails: bool,
}

/// Writes the document and a line feed.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        findings: report
            .verdict
            .findings
            .iter()
            .map(|finding| Entry {
                finding,
                fails: report.policy.fails(finding),
            })
            .collect(),
        stats: &report.verdict.stats,
        limits: &report.verdict.limits,
        orders: &report.verdict.orders,
        program: report.program.as_ref(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}
