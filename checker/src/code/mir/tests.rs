//! Tests.

use super::*;
use crate::code::ir::{Callee, Place};
use crate::code::paths::Crate;

const FUNCTION: &str = r#"fn <impl at src/a.rs:3:1: 3:7>::f(_1: &S, _2: std::string::String) -> u32 {
    debug self => _1;                    // in scope 0 at src/a.rs:4:10: 4:15
    let mut _0: u32;                     // return place in scope 0 at src/a.rs:4:25: 4:28
    let mut _3: &std::sync::Mutex<u32>;  // in scope 0 at src/a.rs:5:9: 5:15

    bb0: {
        StorageLive(_3);                 // scope 0 at src/a.rs:5:9: 5:15
        _3 = &((*_1).0: std::sync::Mutex<u32>); // scope 0 at src/a.rs:5:9: 5:15
        _0 = std::sync::Mutex::<u32>::lock(move _3) -> [return: bb1, unwind: bb2]; // scope 0 at src/a.rs:5:9: 5:22
                                         // mir::ConstOperand
                                         // + span: src/a.rs:5:16: 5:20
                                         // + const_: Const { ty: … }
    }

    bb1: {
        StorageDead(_3);                 // scope 0 at src/a.rs:5:22: 5:23
        switchInt(move _4) -> [0: bb3, 1: bb4, otherwise: bb5]; // scope 0 at src/a.rs:6:1: 6:2
    }

    bb2 (cleanup): {
        resume;                          // scope 0 at src/a.rs:4:5: 7:6
    }

    bb3: {
        _5 = const "a // scope 9 at x; (";  // scope 0 at src/a.rs:6:1: 6:2
        _6 = std::mem::drop::<T>(no_retag copy _2) -> [return: bb4, unwind continue]; // scope 0 at src/a.rs:6:9: 6:12
    }

    bb4: {
        drop(_2) -> [return: bb5, unwind continue]; // scope 0 at src/a.rs:7:5: 7:6
    }

    bb5: {
        something new and strange;       // scope 0 at src/a.rs:7:6: 7:6
        return;                          // scope 0 at src/a.rs:7:6: 7:6
    }
}

alloc7 (static: TOTAL, size: 8, align: 4) {
    00 00 00 00 00 __ __ __                         │ .....░░░
}
"#;

fn lowered(text: &str) -> Lowered {
    let mut reader = Reader::default();
    for line in text.lines() {
        reader.line(line);
    }
    reader.lowered()
}

fn read_it(text: &str) -> (Read, Names) {
    let names = Names::default();
    let krate = Crate {
        name: "bank".to_owned(),
        own: ["S".to_owned(), "TOTAL".to_owned()].into(),
        others: ["std".to_owned()].into(),
        uses: std::rc::Rc::default(),
    };
    (lowered(text).read(&krate, &names), names)
}

#[test]
fn a_function_is_read_block_by_block() {
    let (read, names) = read_it(FUNCTION);
    let [body] = &read.bodies[..] else {
        panic!("{:?}", read.bodies);
    };
    assert_eq!(
        &*names.text(body.name),
        "bank::<impl at src/a.rs:3:1: 3:7>::f"
    );
    assert_eq!(
        body.implementation.map(|site| (site.line, site.column)),
        Some((3, 1))
    );
    assert_eq!(body.parameters, 2);
    assert_eq!(&*names.text(body.types[1]), "&bank::S");
    let Terminator::Call {
        callee: Callee::Path(callee),
        arguments,
        result,
        target,
    } = &body.blocks[0].end
    else {
        panic!("{:?}", body.blocks[0]);
    };
    assert_eq!(&*names.text(*callee), "std::sync::Mutex::<u32>::lock");
    assert_eq!(arguments[..], [Operand::Move(Place::whole(3))]);
    assert_eq!((result, target), (&Place::whole(0), &Some(1)));
    // The method's name, not the beginning of the expression.
    assert_eq!(
        (body.blocks[0].site.line, body.blocks[0].site.column),
        (5, 16)
    );
    let statements = &body.blocks[1].statements;
    assert_eq!(statements[..], [Statement::Dead(3)]);
    assert!(matches!(
        &body.blocks[1].end,
        Terminator::Switch { cases, otherwise: Some(5), .. } if cases[..] == [(0, 3), (1, 4)]
    ));
    assert!(matches!(&body.blocks[4].end, Terminator::Drop(place, 5) if place.local == 2));
}

/// What is kept of a crate is of use only as long as it would be read the same way.
#[test]
fn whoever_changes_what_is_read_counts_up_the_format() {
    let read = format!("{:?}", lowered(FUNCTION));
    let mut sum = rustc_hash::FxHasher::default();
    std::hash::Hasher::write(&mut sum, read.as_bytes());
    let sum = std::hash::Hasher::finish(&sum);
    assert_eq!(
        format!("{}: {sum:016x}", crate::code::printed::FORMAT),
        "0.1.0-6: e3a81b910dd9f82b"
    );
}

#[test]
fn what_is_not_understood_is_counted_and_the_rest_is_read() {
    let (read, _) = read_it(FUNCTION);
    assert_eq!(read.unknown.count, 1);
    assert_eq!(
        read.unknown.first.as_deref(),
        Some("something new and strange")
    );
    assert_eq!(read.bodies[0].blocks[5].end, Terminator::Return);
}

#[test]
fn an_arrow_in_a_type_ends_no_block() {
    let (read, names) = read_it(
        "fn f(_1: &S) -> u32 {
    let mut _0: u32;
    bb0: {
        _2 = &((*_1).0: impl Fn(P) -> [f64; 3] + 'static); // scope 0 at src/a.rs:5:9: 5:15
        _3 = &((*_1).1: impl Fn(P) -> bbox::Box); // scope 0 at src/a.rs:5:9: 5:15
        _4 = _::Flags(move _3);          // scope 0 at src/a.rs:5:9: 5:15
        goto -> bb1;                     // scope 0 at src/a.rs:6:1: 6:2
    }
    bb1: {
        return;                          // scope 0 at src/a.rs:7:6: 7:6
    }
}
",
    );
    assert_eq!(read.unknown.first, None);
    let block = &read.bodies[0].blocks[0];
    assert_eq!(block.end, Terminator::Goto(1));
    let field = |index, of| {
        let mut place = Place::whole(1);
        place.steps.push(Projection::Deref);
        place.steps.push(Projection::Field(index, names.of(of)));
        place
    };
    let aggregate = Rvalue::Aggregate(vec![Operand::Move(Place::whole(3))]);
    assert!(matches!(
        &block.statements[0],
        Statement::Assign(_, Rvalue::Borrow(place)) if *place == field(0, "impl Fn(P) -> [f64; 3] + 'static")
    ));
    assert_eq!(
        block.statements[2],
        Statement::Assign(Place::whole(4), aggregate)
    );
}

#[test]
fn a_name_may_begin_as_a_variable_does() {
    let (read, _) = read_it(
        "fn f() -> () {
    bb0: {
        _1 = __private::Name::<N>(move _2); // scope 0 at src/a.rs:5:9: 5:15
        _3 = __f(move _1) -> [return: bb1, unwind continue]; // scope 0 at src/a.rs:5:9: 5:15
    }
    bb1: {
        return;                          // scope 0 at src/a.rs:7:6: 7:6
    }
}
",
    );
    assert_eq!(read.unknown.first, None);
    let block = &read.bodies[0].blocks[0];
    let aggregate = Rvalue::Aggregate(vec![Operand::Move(Place::whole(2))]);
    assert_eq!(
        block.statements[0],
        Statement::Assign(Place::whole(1), aggregate)
    );
    assert!(matches!(
        &block.end,
        Terminator::Call {
            callee: Callee::Path(_),
            ..
        }
    ));
}

#[test]
fn statics_are_known_by_their_allocation() {
    let (read, names) = read_it(FUNCTION);
    assert_eq!(
        read.statics
            .get(&7)
            .map(|name| names.text(*name))
            .as_deref(),
        Some("bank::TOTAL")
    );
}

const THREAD_LOCALS: &str = "fn f() -> () {
    let mut _1: &std::thread::LocalKey<std::sync::Mutex<u32>>;
    let mut _2: &std::thread::LocalKey<std::sync::Arc<std::sync::Mutex<u32>>>;
    let mut _3: &str;
    bb0: {
        _1 = const f::promoted[0];       // scope 0 at src/a.rs:5:9: 5:15
        _2 = const f::promoted[1];       // scope 0 at src/a.rs:6:9: 6:15
        _3 = const f::promoted[2];       // scope 0 at src/a.rs:7:9: 7:15
        return;                          // scope 0 at src/a.rs:8:1: 8:2
    }
}

const f::promoted[0]: &LocalKey<std::sync::Mutex<u32>> = {
    let mut _0: &std::thread::LocalKey<std::sync::Mutex<u32>>;
    let mut _1: std::thread::LocalKey<std::sync::Mutex<u32>>;
    bb0: {
        _1 = const TOTAL;                // scope 0 at src/a.rs:5:9: 5:15
        _0 = &_1;                        // scope 0 at src/a.rs:5:9: 5:15
        return;                          // scope 0 at src/a.rs:5:9: 5:15
    }
}

const f::promoted[1]: &LocalKey<Arc<std::sync::Mutex<u32>>> = {
    bb0: {
        _1 = const S;                    // scope 0 at src/a.rs:6:9: 6:15
        _0 = &_1;                        // scope 0 at src/a.rs:6:9: 6:15
        return;                          // scope 0 at src/a.rs:6:9: 6:15
    }
}
";

#[test]
fn thread_locals_are_known_by_their_constants() {
    let (read, names) = read_it(THREAD_LOCALS);
    assert_eq!(read.unknown.first, None);
    let [body] = &read.bodies[..] else {
        panic!("{:?}", read.bodies);
    };
    let key = |path| Rvalue::Use(Operand::Static(names.of(path)));
    assert_eq!(
        body.blocks[0].statements[..],
        [
            Statement::Assign(Place::whole(1), key("bank::TOTAL")),
            Statement::Assign(Place::whole(2), key("bank::S")),
        ]
    );
    // What is shared may belong to several threads.
    assert_eq!(read.thread_locals[..], [names.of("bank::TOTAL")]);
}

const CONSTANTS: &str = "fn f() -> () {
    let mut _1: &[fn(); 1];
    let mut _2: std::array::IntoIter<fn(), 1>;
    let mut _3: fn();
    bb0: {
        _1 = const f::promoted[0];       // scope 0 at src/a.rs:5:9: 5:15
        _3 = const other::RUN;           // scope 0 at src/a.rs:5:9: 5:15
        _2 = <[fn(); 1] as IntoIterator>::into_iter(const Owner::STEPS) -> [return: bb1, unwind continue]; // scope 0 at src/a.rs:6:9: 6:15
    }
    bb1: {
        return;                          // scope 0 at src/a.rs:8:1: 8:2
    }
}

const <impl at src/a.rs:2:1: 2:9>::STEPS: [fn(); 1] = {
    let mut _0: [fn(); 1];
    let mut _1: fn();
    bb0: {
        _1 = one as fn() (PointerCoercion(ReifyFnPointer(Safe), Implicit)); // scope 0 at src/a.rs:3:9: 3:15
        _0 = [move _1];                  // scope 0 at src/a.rs:3:9: 3:15
        return;                          // scope 0 at src/a.rs:3:9: 3:15
    }
}

const f::promoted[0]: &[fn(); 1] = {
    let mut _0: &[fn(); 1];
    let mut _1: [fn(); 1];
    bb0: {
        _1 = const Owner::STEPS;         // scope 0 at src/a.rs:5:9: 5:15
        _0 = &_1;                        // scope 0 at src/a.rs:5:9: 5:15
        return;                          // scope 0 at src/a.rs:5:9: 5:15
    }
}

const LIMITS: (u32, u32) = {
    let mut _0: (u32, u32);
    bb0: {
        _0 = (const 1_u32, const 2_u32); // scope 0 at src/a.rs:4:9: 4:15
        return;                          // scope 0 at src/a.rs:4:9: 4:15
    }
}
";

#[test]
fn constants_that_keep_functions_are_seen_as_statics() {
    let (read, names) = read_it(CONSTANTS);
    assert_eq!(read.unknown.first, None);
    let constants: Vec<&Body> = read
        .bodies
        .iter()
        .filter(|body| body.kind == Kind::Constant)
        .collect();
    let [steps, _kept_apart] = constants[..] else {
        panic!("{constants:?}");
    };
    let function = &read.bodies[0].blocks[0];
    let key = Operand::Static(steps.name);
    assert_eq!(
        function.statements[..],
        [Statement::Assign(Place::whole(1), Rvalue::Use(key.clone()))]
    );
    let Terminator::Call { arguments, .. } = &function.end else {
        panic!("{function:?}");
    };
    assert_eq!(arguments[..], [key]);
    assert!(names.text(steps.name).ends_with("::STEPS"));
}

#[test]
fn thinning_changes_nothing_that_is_read() {
    let mut thin = Thin::default();
    let kept: Vec<&str> = FUNCTION.lines().filter(|line| thin.keeps(line)).collect();
    assert!(kept.len() < FUNCTION.lines().count() - 8, "{kept:#?}");
    let (thinned, _) = read_it(&kept.join("\n"));
    let (whole, _) = read_it(FUNCTION);
    let shape = |read: &Read| format!("{:?} {:?}", read.bodies[0].blocks, read.statics);
    assert_eq!(shape(&thinned), shape(&whole));
}

#[test]
fn a_body_that_is_printed_once_more_for_the_compiler_itself_is_left_out() {
    let mut thin = Thin::default();
    let twice = format!("{FUNCTION}\n\n// MIR FOR CTFE\n{FUNCTION}");
    let kept: Vec<&str> = twice.lines().filter(|line| thin.keeps(line)).collect();
    let (once, _) = read_it(FUNCTION);
    let (thinned, _) = read_it(&kept.join("\n"));
    assert_eq!(thinned.bodies.len(), once.bodies.len());
    assert_eq!(thinned.statics.len(), once.statics.len());
}

#[test]
fn text_that_is_cut_off_anywhere_is_survived() {
    for end in (0..FUNCTION.len()).filter(|end| FUNCTION.is_char_boundary(*end)) {
        let _ = read_it(&FUNCTION[..end]);
    }
    for garbage in [
        "fn",
        "fn (",
        "fn a(_1) -> {",
        "alloc",
        "alloc9 (static: ",
        "static X",
        "}\n}\nbb0: {",
    ] {
        let _ = read_it(garbage);
    }
}

#[test]
fn a_huge_number_makes_no_huge_table() {
    let text = "fn f() -> () {\n    let mut _4000000000: ();\n\n    bb4000000000: {\n        return;\n    }\n}\n";
    let (read, _) = read_it(text);
    assert!(read.bodies[0].types.len() < 10 && read.bodies[0].blocks.len() < 10);
    assert_eq!(read.unknown.count, 2);
}
