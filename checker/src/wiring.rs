//! Which readers and which judge the program uses: the one place where the stages meet.

use crate::command::Stages;
use crate::dot::Graph;
use crate::input::{Readers, log, packed, std_text};
use crate::judge;

/// The stages of the program.
pub const STAGES: Stages = Stages {
    readers: Readers {
        is_log: log::is_log,
        log: |path, bytes, limits, consumer| Ok(log::stream(path, bytes, limits, consumer)?),
        is_packed: packed::is_packed,
        packed: |label, bytes, limits, consumer| {
            Ok(packed::stream(label, bytes, limits, consumer)?)
        },
        std_text: |label, text, limits, consumer| {
            Ok(std_text::stream(label, text, limits, consumer)?)
        },
    },
    judge: judge::judge,
    graph: Graph::of,
};
