use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Aim, Loaded};
use crate::finding::{Basis, Certainty, Verdict, Wants};
use crate::input::readers::Readers;
use crate::limits::Limits;
use crate::trace::{Evidence, Run};
use crate::wiring::STAGES;

/// Readers that only note what they were given; a log is what starts with `LOG!`.
const READERS: Readers = Readers {
    is_log: |head| head.starts_with(b"LOG!"),
    log: |path, bytes, _, _| {
        if bytes.ends_with(b"damaged") {
            return Err("record 7 is damaged".into());
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        Ok(noted("log", name))
    },
    is_packed: |head| head.starts_with(b"PACK"),
    packed: |label, bytes, _, _| {
        let mut whole = Vec::new();
        bytes.read_to_end(&mut whole)?;
        let name = Path::new(label).file_name().unwrap().to_str().unwrap();
        let what = format!("{name} with {} bytes", whole.len());
        Ok(noted("packed", &what))
    },
    std_text: |label, text, _, _| {
        let lines = text.lines().collect::<Result<Vec<_>, _>>()?.len();
        let name = Path::new(label).file_name().unwrap().to_str().unwrap();
        Ok(noted("text", &format!("{name} with {lines} lines")))
    },
};

fn noted(format: &str, what: &str) -> Evidence {
    let run = Run {
        label: format!("{format} {what}"),
        ..Run::default()
    };
    Evidence {
        runs: vec![run],
        ..Evidence::default()
    }
}

/// Loads with the default limits.
fn load(inputs: &[PathBuf], stdin: &mut dyn BufRead, readers: &Readers) -> Loaded {
    let limits = Limits::default();
    super::load(inputs, stdin, readers, &limits, Aim::Verdict, &mut |_| {})
}

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn read(inputs: &[PathBuf]) -> Loaded {
    load(inputs, &mut io::empty(), &READERS)
}

fn labels(loaded: &Loaded) -> Vec<&str> {
    let runs = loaded.evidence.runs.iter();
    runs.map(|run| run.label.as_str()).collect()
}

/// The errors, without the folder's name.
fn errors(loaded: &Loaded, folder: &TempDir) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    let errors = loaded.errors.iter();
    errors
        .map(|error| error.to_string().replace(&prefix, ""))
        .collect()
}

#[test]
fn a_file_is_read_as_what_its_first_bytes_say() {
    let folder = folder(&[
        ("a.lwlog", "LOG!..."),
        ("b.std", "T1|acq(L)|1\nT1|rel(L)|2\n"),
        ("c", "LOG!..."),
        ("d.txt", "# a comment\n\nT1|acq(L)|1\n"),
    ]);
    let inputs: Vec<PathBuf> = ["a.lwlog", "b.std", "c", "d.txt"]
        .iter()
        .map(|name| folder.path().join(name))
        .collect();
    let loaded = read(&inputs);
    assert_eq!(
        labels(&loaded),
        [
            "log a.lwlog",
            "text b.std with 2 lines",
            "log c",
            "text d.txt with 3 lines"
        ]
    );
    assert_eq!((loaded.read, loaded.errors.len()), (4, 0));
}

#[test]
fn a_folder_is_searched_and_foreign_files_are_named() {
    let folder = folder(&[
        ("b.lwlog", "LOG!"),
        ("deep/er/a.std", "T1|acq(L)|1"),
        ("core", "\0\0\0"),
        ("notes.md", "T1|acq(L)|1"),
        ("x/1", ""),
        ("x/2", ""),
        ("x/3", ""),
        ("raw", "LOG! without an extension"),
    ]);
    let loaded = read(&[folder.path().to_owned()]);
    assert_eq!(
        labels(&loaded),
        ["log b.lwlog", "text a.std with 1 lines", "log raw"]
    );
    assert!(loaded.errors.is_empty());
    let limits = &loaded.evidence.limits;
    assert_eq!(limits.len(), 1);
    assert!(
        limits[0].ends_with("by name or content: `core`, `notes.md`, `x/1` and 2 more"),
        "{limits:?}"
    );
}

#[test]
fn an_empty_folder_is_no_error_and_no_log() {
    let folder = folder(&[]);
    let loaded = read(&[folder.path().to_owned()]);
    assert_eq!((loaded.read, loaded.errors.len()), (0, 0));
}

#[test]
fn what_cannot_be_read_is_an_error_and_hides_nothing() {
    let folder = folder(&[
        ("good.lwlog", "LOG!"),
        ("empty.lwlog", ""),
        ("renamed.lwlog", "T1|acq(L)|1"),
        ("damaged.lwlog", "LOG! damaged"),
        ("binary.std", "\u{7f}ELF\0\0"),
        ("prose", "To whom it may concern.\n"),
    ]);
    let names = [
        "good.lwlog",
        "empty.lwlog",
        "renamed.lwlog",
        "damaged.lwlog",
        "binary.std",
        "prose",
        "none",
    ];
    let inputs: Vec<PathBuf> = names.iter().map(|name| folder.path().join(name)).collect();
    let loaded = read(&inputs);
    assert_eq!(labels(&loaded), ["log good.lwlog"]);
    assert_eq!(
        errors(&loaded, &folder),
        [
            "cannot read `empty.lwlog`: the file is empty",
            "cannot read `renamed.lwlog`: not a lockwise log, although its name says so",
            "cannot read `damaged.lwlog`",
            "cannot read `binary.std`: neither a lockwise log nor STD text nor a packed trace",
            "cannot read `prose`: neither a lockwise log nor STD text nor a packed trace",
            "cannot read `none`",
        ]
    );
}

#[test]
fn the_same_file_under_two_names_is_read_once() {
    let folder = folder(&[("a.lwlog", "LOG!")]);
    let file = folder.path().join("a.lwlog");
    let loaded = read(&[file.clone(), folder.path().to_owned(), file]);
    assert_eq!(loaded.read, 1);
}

#[cfg(unix)]
#[test]
fn a_circle_of_links_is_no_trap() {
    let folder = folder(&[("sub/a.lwlog", "LOG!")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/up")).unwrap();
    assert_eq!(read(&[folder.path().to_owned()]).read, 1);
}

#[test]
fn standard_input_is_text() {
    let stdin = |mut content: &[u8]| {
        let content: &mut dyn BufRead = &mut content;
        load(&[PathBuf::from("-")], content, &READERS)
    };
    assert_eq!(
        labels(&stdin(b"T1|acq(L)|1\n")),
        ["text standard input with 1 lines"]
    );
    assert!(
        stdin(b"").errors[0]
            .to_string()
            .ends_with("the file is empty")
    );
    assert_eq!(stdin(&[0xff; 100]).errors.len(), 1);
}

/// Sparse, so that a gigabyte costs nothing; what matters is that nobody reads it.
#[test]
fn a_gigabyte_of_garbage_is_refused_at_once() {
    let folder = folder(&[]);
    for (name, head) in [
        ("a.lwlog", [0x9c_u8; 16]),
        ("b.std", [0xe3; 16]),
        ("c", [0x9c; 16]),
    ] {
        let path = folder.path().join(name);
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(&head).unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(read(&[path]).errors.len(), 1);
    }
}

#[test]
fn a_letter_cut_at_the_end_of_the_look_is_still_text() {
    let folder = folder(&[]);
    let path = folder.path().join("wide");
    let mut content = String::from("T1|acq(L)|é\n");
    content.push_str(&"é".repeat(super::HEAD));
    fs::write(&path, &content).unwrap();
    assert_eq!(read(std::slice::from_ref(&path)).read, 1);
    fs::write(&path, format!("T{content}")).unwrap();
    assert_eq!(read(&[path]).read, 1);
}

#[test]
fn what_is_compressed_is_read_as_what_is_in_it() {
    let folder = folder(&[]);
    let gz = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    // As `zstd` makes it: one block, stored, without a checksum; then a frame that is for others.
    let zst = |bytes: &[u8]| {
        let len = u8::try_from(bytes.len()).unwrap();
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, len, len << 3 | 1, len >> 5, 0];
        frame.extend(bytes);
        frame.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 7, 7, 7]);
        frame
    };
    let text = b"T1|acq(L)|1\nT1|rel(L)|2\n".as_slice();
    // Two members one after the other are one text.
    let files = [
        ("a.std.gz", [gz(text), gz(text)].concat()),
        ("b.std.zst", [zst(text), zst(text)].concat()),
        ("c.lwlog.gz", gz(b"LOG!...")),
        ("d.ltb.zst", zst(b"PACKED")),
        ("e.gz", gz(b"")),
        ("f.gz", gz(text)[..20].to_vec()),
        ("g.lwlog", gz(b"LOG!...")),
    ];
    for (name, bytes) in &files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut loaded = read(&[folder.path().to_owned()]);
    loaded.evidence.limits.clear();
    assert_eq!(
        labels(&loaded),
        [
            "text a.std.gz with 4 lines",
            "text b.std.zst with 4 lines",
            "log c.lwlog",
            "packed d.ltb.zst with 6 bytes",
            "log g.lwlog"
        ]
    );
    let named = read(&["e.gz", "f.gz"].map(|name| folder.path().join(name)));
    assert_eq!(
        errors(&named, &folder),
        [
            "cannot read `e.gz`: the file is empty",
            "cannot read `f.gz`",
        ]
    );
}

#[test]
fn standard_input_may_be_compressed_or_packed() {
    let from = |bytes: &[u8]| {
        let mut bytes = bytes;
        load(&[PathBuf::from("-")], &mut bytes, &READERS)
    };
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"T1|acq(L)|1\n").unwrap();
    let gz = gz.finish().unwrap();
    assert_eq!(labels(&from(&gz)), ["text standard input with 1 lines"]);
    assert_eq!(
        labels(&from(b"PACK")),
        ["packed standard input with 4 bytes"]
    );
}

/// An order of two locks, in one thread, after so many accesses to data.
fn order(first: &str, second: &str, before: usize) -> String {
    format!(
        "{}T1|acq({first})|1\nT1|acq({second})|2\nT1|rel({second})|3\nT1|rel({first})|4\n",
        "T1|w(V)|9\n".repeat(before)
    )
}

/// Reads these traces, those of more than ten events in two readings, and judges them.
fn judged(texts: &[String]) -> Verdict {
    let named = (b'a'..).zip(texts);
    let named: Vec<(String, &str)> = named
        .map(|(name, text)| (format!("{}.std", char::from(name)), text.as_str()))
        .collect();
    let files: Vec<(&str, &str)> = named.iter().map(|(name, text)| (&**name, *text)).collect();
    let folder = folder(&files);
    let limits = Limits {
        kept_events: 10,
        ..Limits::default()
    };
    let paths = [folder.path().to_owned()];
    let (readers, aim) = (&STAGES.readers, Aim::Verdict);
    let loaded = super::load(&paths, &mut io::empty(), readers, &limits, aim, &mut |_| {});
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    (STAGES.judge)(&loaded.evidence, &limits)
}

#[test]
fn a_cycle_whose_halves_stand_in_different_runs_is_found_whichever_is_long() {
    for (before, after) in [(0, 0), (0, 50), (50, 0), (50, 50)] {
        let verdict = judged(&[order("A", "B", before), order("B", "A", after)]);
        let [finding] = verdict.findings.as_slice() else {
            panic!("{before} {after}: {verdict:?}");
        };
        assert_eq!(finding.certainty, Certainty::Possible);
        assert_eq!(finding.basis, Some(Basis::CrossRun));
        let runs: BTreeSet<_> = finding.cycle.iter().map(|side| side.run.clone()).collect();
        assert_eq!(runs.len(), 2);
        let sites = finding.cycle.iter().map(|side| match &side.wants {
            Some(Wants::Lock(want)) => want.site.as_str(),
            _ => "",
        });
        assert_eq!(sites.collect::<Vec<_>>(), ["2", "2"]);
    }
}

#[test]
fn a_cycle_over_three_long_runs_and_a_way_within_one_is_found() {
    let around = judged(&[
        order("A", "B", 50),
        order("B", "C", 50) + &order("C", "D", 50),
        order("D", "A", 50),
    ]);
    let [finding] = around.findings.as_slice() else {
        panic!("{around:?}");
    };
    assert_eq!(finding.cycle.len(), 4);
    assert_eq!(finding.basis, Some(Basis::CrossRun));
}

#[test]
fn orders_that_agree_between_long_runs_are_no_finding_and_read_once() {
    let verdict = judged(&[order("A", "B", 50), order("A", "B", 50), order("B", "C", 0)]);
    assert!(verdict.findings.is_empty(), "{verdict:?}");
    // A second reading would say how far proofs were looked for.
    assert_eq!(verdict.limits, [""; 0]);
}

#[test]
fn a_drawing_has_all_orders_of_a_long_trace() {
    let text = order("A", "B", 50) + &order("B", "C", 50);
    let folder = folder(&[("a.std", &text)]);
    let limits = Limits {
        kept_events: 10,
        ..Limits::default()
    };
    let paths = [folder.path().to_owned()];
    let (readers, aim) = (&STAGES.readers, Aim::Orders);
    let loaded = super::load(&paths, &mut io::empty(), readers, &limits, aim, &mut |_| {});
    assert_eq!((STAGES.graph)(&loaded.evidence).edges.len(), 2);
}

#[test]
fn what_a_cut_or_damaged_compressed_trace_still_has_is_read() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for at in 0..2_000_u64 {
        let lock = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 911;
        let thread = at % 5;
        for op in ["acq", "rel"] {
            writeln!(text, "T{thread}|{op}(L{lock})|{at}").unwrap();
        }
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    let cut = gz[..gz.len() / 2].to_vec();
    let with_more = [gz, b"more that is none".to_vec()].concat();
    for (bytes, least) in [(cut, 1_000), (with_more, 4_000)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.std.gz");
        fs::write(&path, bytes).unwrap();
        let loaded = load(&[path], &mut io::empty(), &STAGES.readers);
        assert_eq!(errors(&loaded, &folder), [""; 0]);
        let evidence = loaded.evidence;
        assert!(evidence.runs[0].events.len() >= least);
        assert!(evidence.limits[0].contains("it cannot be read further than line"));
    }
}

#[test]
fn zeros_behind_the_lines_of_a_text_are_one_line_that_is_not_understood() {
    let folder = folder(&[("a.std", "T1|acq(L)|1\nT1|rel(L)|2\n\0\0\0\0\0\0")]);
    let path = folder.path().join("a.std");
    let loaded = load(&[path], &mut io::empty(), &STAGES.readers);
    assert_eq!(errors(&loaded, &folder), [""; 0]);
    assert_eq!(loaded.evidence.runs[0].events.len(), 2);
    assert!(loaded.evidence.limits[0].contains("1 line not understood"));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_not_opened_whatever_it_is_called() {
    let folder = folder(&[("a.std", "T1|acq(L)|1")]);
    let pipe = folder.path().join("b.std");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let loaded = read(&[folder.path().to_owned()]);
    assert_eq!(labels(&loaded), ["text a.std with 1 lines"]);
}
