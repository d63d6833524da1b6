//! Which readers and which judge the program uses: the one place where the stages meet.

use std::io::BufRead;

use crate::command::Stages;
use crate::dot::Graph;
use crate::input::bulk::{self, Drain};
use crate::input::{Readers, log, packed, std_text};
use crate::judge;

/// The stages of the program.
pub const STAGES: Stages = Stages {
    readers: Readers {
        is_log: log::is_log,
        log: |path, bytes, evidence| {
            evidence.absorb(log::read_bytes(path, bytes, log::Limits::default())?);
            Ok(())
        },
        is_packed: packed::is_packed,
        packed: |label, bytes, again, evidence| {
            let limits = packed::Limits::default();
            let once = |bytes: &mut dyn BufRead, drain: Drain<'_>| {
                packed::stream(label, bytes, &limits, drain)
            };
            let failed = |source| packed::PackedError::Read {
                label: label.to_owned(),
                event: 0,
                source,
            };
            evidence.absorb(bulk::read(
                label,
                &bulk::Limits::default(),
                |drain| once(bytes, drain),
                |drain| {
                    Some(
                        again()?
                            .map_err(failed)
                            .and_then(|mut bytes| once(&mut bytes, drain)),
                    )
                },
            )?);
            Ok(())
        },
        std_text: |label, text, again, evidence| {
            let limits = std_text::Limits::default();
            let once = |text: &mut dyn BufRead, drain: Drain<'_>| {
                std_text::stream(label, text, &limits, drain)
            };
            let failed = |source| std_text::StdTextError::Read {
                label: label.to_owned(),
                line: 0,
                source,
            };
            evidence.absorb(bulk::read(
                label,
                &bulk::Limits::default(),
                |drain| once(text, drain),
                |drain| {
                    Some(
                        again()?
                            .map_err(failed)
                            .and_then(|mut text| once(&mut text, drain)),
                    )
                },
            )?);
            Ok(())
        },
    },
    judge: |evidence| judge::judge(evidence, &judge::Options::default()),
    graph: Graph::of,
};
