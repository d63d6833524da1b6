//! What compilers print in other ways than the one that is at hand.

use super::*;
use crate::code::mir::Reader;
use crate::code::printed::{Declared, Heading};
use crate::finding::{Certainty, Code};

const GUARD: &str = "std::sync::MutexGuard<'_, u32>";

/// A function that locks, puts the guard into a box and locks again; in between the box is emptied through its inner
/// `pointer`, if there is one.
fn function(pointer: Option<&str>) -> String {
    let kept = format!("std::option::Option<{GUARD}>");
    let none = format!("std::option::Option::<{GUARD}>::None");
    let result = format!("std::result::Result<{GUARD}, std::sync::PoisonError<{GUARD}>>");
    let unwrap = format!("std::result::Result::<{GUARD}, std::sync::PoisonError<{GUARD}>>::unwrap");
    let emptied = match pointer {
        Some(pointer) => format!(
            "_8 = copy {pointer};\n_7 = {none};\ndrop((*_8)) -> [return: bb4, unwind continue];"
        ),
        None => "goto -> bb5;".to_owned(),
    };
    let text = format!(
        "fn twice(_1: &std::sync::Mutex<u32>) -> () {{
let mut _0: ();
let mut _2: std::boxed::Box<{kept}>;
let mut _3: {kept};
let mut _4: {GUARD};
let mut _5: {result};
let mut _6: {GUARD};
let mut _7: {kept};
let mut _8: *const {kept};
let mut _9: {result};
bb0: {{
_5 = std::sync::Mutex::<u32>::lock(copy _1) -> [return: bb1, unwind continue];
}}
bb1: {{
_4 = {unwrap}(move _5) -> [return: bb2, unwind continue];
}}
bb2: {{
_3 = std::option::Option::<{GUARD}>::Some(move _4);
_2 = std::boxed::Box::<{kept}>::new(move _3) -> [return: bb3, unwind continue];
}}
bb3: {{
{emptied}
}}
bb4: {{
(*_8) = move _7;
goto -> bb5;
}}
bb5: {{
_9 = std::sync::Mutex::<u32>::lock(copy _1) -> [return: bb6, unwind continue];
}}
bb6: {{
_6 = {unwrap}(move _9) -> [return: bb7, unwind continue];
}}
bb7: {{
drop(_6) -> [return: bb8, unwind continue];
}}
bb8: {{
drop(_2) -> [return: bb9, unwind continue];
}}
bb9: {{
return;
}}
}}"
    );
    let last = text.lines().count();
    let indented = |(number, line): (usize, &str)| match line {
        _ if number == 1 || number == last => format!("{line}\n"),
        _ if line.starts_with("bb") || line == "}" => format!("    {line}\n"),
        _ => format!("        {line} // scope 0 at src/lib.rs:{number}:1: {number}:9\n"),
    };
    (1..).zip(text.lines()).map(indented).collect()
}

/// What is found in a crate of this text.
fn found(text: &str) -> Vec<(Code, Certainty)> {
    let heading = Heading {
        name: "boxes".to_owned(),
        root: PathBuf::from("src/lib.rs"),
        conditions: None,
    };
    let mut reader = Reader::default();
    text.lines().for_each(|line| reader.line(line));
    let printed = Printed::new(&heading, Declared::default(), reader);
    let others = ["std", "core", "alloc"].map(str::to_owned).into();
    let verdict = judge(
        Path::new("/nowhere"),
        vec![printed],
        &others,
        &Asked::default(),
    )
    .verdict;
    assert_eq!(verdict.limits, [""; 0], "{text}");
    let findings = verdict.findings.iter();
    findings
        .map(|finding| (finding.code, finding.certainty))
        .collect()
}

#[test]
fn what_is_in_a_box_is_reached_in_the_ways_of_all_compilers() {
    let kept = format!("std::option::Option<{GUARD}>");
    let (unique, raw) = (
        format!("std::ptr::Unique<{kept}>"),
        format!("std::boxed::BoxRaw<{kept}>"),
    );
    let pointer = format!("std::ptr::NonNull<{kept}>");
    for place in [
        format!("((_2.0: {unique}).0: {pointer}) as *const {kept} (Transmute)"),
        format!("(_2.0: {unique}) as *const {kept} (BoxDerefTransmute)"),
        format!("(_2.0: {raw}) as *const {kept} (BoxDerefTransmute)"),
        format!("((_2.0: {raw}).0: {pointer}) as *const {kept} (Transmute)"),
    ] {
        assert_eq!(found(&function(Some(&place))), [], "{place}");
    }
    let twice = [(Code::SelfDeadlock, Certainty::Certain)];
    assert_eq!(found(&function(None)), twice);
}
