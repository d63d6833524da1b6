//! Which readers and which judge the program uses: the one place where the stages meet.

use std::io::BufRead;

use crate::command::Stages;
use crate::dot::Graph;
use crate::input::bulk::{self, Consumer};
use crate::input::{Again, Readers, log, packed, std_text};
use crate::judge;

/// The stages of the program.
pub const STAGES: Stages = Stages {
    readers: Readers {
        is_log: log::is_log,
        log: |path, bytes, evidence| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let label = format!("`{}`", name.display());
            let limits = bulk::Limits {
                events_max: LOG_EVENTS_MAX,
                ..bulk::Limits::default()
            };
            let once = |consumer: &mut dyn Consumer| {
                log::stream(path, bytes, log::Limits::default(), consumer)
            };
            let kind = bulk::Kind {
                label: &label,
                is_long: bytes.len() / LOG_BYTES > limits.events_max,
                reentrant: false,
            };
            evidence.absorb(bulk::read(kind, &limits, once, |consumer| {
                Some(once(consumer))
            })?);
            Ok(())
        },
        is_packed: packed::is_packed,
        packed: |label, bytes, again, evidence| {
            let limits = packed::Limits::default();
            let once = |bytes: &mut dyn BufRead, consumer: &mut dyn Consumer| {
                packed::stream(label, bytes, &limits, consumer)
            };
            let failed = |source| packed::PackedError::Read {
                label: label.to_owned(),
                event: 0,
                source,
            };
            evidence.absorb(bulk::read(
                kind(label, again, PACKED_BYTES, true),
                &bulk::Limits::default(),
                |consumer| once(bytes, consumer),
                |consumer| {
                    let opened = (again.open)()?.map_err(failed);
                    Some(opened.and_then(|mut bytes| once(&mut bytes, consumer)))
                },
            )?);
            Ok(())
        },
        std_text: |label, text, again, evidence| {
            let limits = std_text::Limits::default();
            let once = |text: &mut dyn BufRead, consumer: &mut dyn Consumer| {
                std_text::stream(label, text, &limits, consumer)
            };
            let failed = |source| std_text::StdTextError::Read {
                label: label.to_owned(),
                line: 0,
                source,
            };
            evidence.absorb(bulk::read(
                kind(label, again, TEXT_BYTES, false),
                &bulk::Limits::default(),
                |consumer| once(text, consumer),
                |consumer| {
                    let opened = (again.open)()?.map_err(failed);
                    Some(opened.and_then(|mut text| once(&mut text, consumer)))
                },
            )?);
            Ok(())
        },
    },
    judge: |evidence| judge::judge(evidence, &judge::Options::default()),
    graph: Graph::of,
};

/// Events of one of our logs that are kept whole: some 600 megabytes. More than of other traces, because
/// there is more in them than locks, and a proof needs all of it.
const LOG_EVENTS_MAX: usize = 4_000_000;

/// Bytes of a record in one of our logs, at the most.
const LOG_BYTES: usize = 8;

/// Bytes of a packed event.
const PACKED_BYTES: u64 = 8;

/// Bytes of a line of text with short names.
const TEXT_BYTES: u64 = 16;

/// What is to be read, given how long its events are.
fn kind<'a>(label: &'a str, again: Again<'_>, bytes: u64, reentrant: bool) -> bulk::Kind<'a> {
    let events_max = bulk::Limits::default().events_max as u64;
    bulk::Kind {
        label,
        is_long: again.bytes / bytes > events_max,
        reentrant,
    }
}
