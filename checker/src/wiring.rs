//! Which readers and which judge the program uses: the one place where the stages meet.

use crate::command::Stages;
use crate::dot::Graph;
use crate::input::{Readers, log, packed, std_text};
use crate::judge;

/// The stages of the program.
pub const STAGES: Stages = Stages {
    readers: Readers {
        is_log: log::is_log,
        log: |path, bytes, evidence| {
            evidence.absorb(log::read(path, bytes, log::Limits::default())?);
            Ok(())
        },
        is_packed: packed::is_packed,
        packed: |label, bytes, evidence| {
            evidence.absorb(packed::read(label, bytes, &packed::Limits::default())?);
            Ok(())
        },
        std_text: |label, text, evidence| {
            evidence.absorb(std_text::read(label, text, &std_text::Limits::default())?);
            Ok(())
        },
    },
    judge: |evidence| judge::judge(evidence, &judge::Options::default()),
    graph: Graph::of,
};
