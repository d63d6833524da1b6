use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Detail, Format, Program, Report, Sources, printable, write};
use crate::finding::{
    Basis, Certainty, Code, Exclusion, Finding, LockUse, ResourceUse, Side, Source, Stats, Verdict,
    Wants,
};
use crate::policy::{FailOn, Policy};

/// A bank as a user would write it; the sites below point into it.
const BANK: &str = "\
use std::sync::Mutex;

pub struct Bank {
    accounts: Mutex<Vec<u64>>,
    audit: Mutex<Vec<String>>,
}

impl Bank {
    pub fn transfer(&self, from: usize, to: usize, amount: u64) {
        let mut accounts = self.accounts.lock().unwrap();
        accounts[from] -= amount;
        accounts[to] += amount;
        let mut audit = self.audit.lock().unwrap();
        audit.push(format!(\"{from} -> {to}: {amount}\"));
    }

    pub fn check(&self) -> bool {
        let audit = self.audit.lock().unwrap();
        let accounts = self.accounts.lock().unwrap();
        audit.len() == accounts.len()
    }
}
";

/// A project with the bank in it.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/bank.rs"), BANK).unwrap();
    folder
}

fn lock(name: &str, mode: &str, site: &str) -> LockUse {
    LockUse {
        lock: name.to_owned(),
        class: name.to_owned(),
        family: None,
        mode: mode.to_owned(),
        site: site.to_owned(),
        type_name: None,
        made: None,
        expression: None,
    }
}

fn exclusive(name: &str, site: &str) -> LockUse {
    lock(name, "exclusive", site)
}

fn side(thread: &str, name: Option<&str>, holds: LockUse, wants: Wants) -> Side {
    Side {
        thread: thread.to_owned(),
        holds: Some(holds),
        wants: Some(wants),
        gates: Vec::new(),
        thread_name: name.map(str::to_owned),
        started_in: None,
        run: None,
        also_held: Vec::new(),
        stack: Vec::new(),
        stack_of: None,
        path: Vec::new(),
    }
}

fn finding(code: Code, certainty: Certainty, basis: Option<Basis>, cycle: Vec<Side>) -> Finding {
    Finding {
        code,
        name: code.name(),
        certainty,
        basis,
        level: Finding::level_of(code, certainty, basis),
        fingerprint: Finding::fingerprint_of(code, &cycle),
        message: "a message".to_owned(),
        evidence: vec![Source::Run],
        cycle,
        witness: Vec::new(),
        witness_after: None,
        excluded_by: Vec::new(),
        reasons: Vec::new(),
        advice: Vec::new(),
        in_dependencies: false,
    }
}

/// Two locks in opposite orders.
fn abba() -> Finding {
    let accounts = |site: &str| LockUse {
        class: "src/bank.rs:4:5".to_owned(),
        type_name: Some("Vec<u64>".to_owned()),
        ..exclusive("accounts", site)
    };
    let audit = |site: &str| exclusive("audit", site);
    let cycle = vec![
        side(
            "T1",
            Some("alice"),
            accounts("src/bank.rs:10:42"),
            Wants::Lock(audit("src/bank.rs:13:36")),
        ),
        side(
            "T2",
            Some("the auditor"),
            audit("src/bank.rs:18:32"),
            Wants::Lock(accounts("src/bank.rs:19:38")),
        ),
    ];
    Finding {
        message: "`accounts` and `audit` are acquired in opposite orders".to_owned(),
        witness: vec!["T2".to_owned(), "T1*3".to_owned()],
        reasons: vec!["no lock is held on both sides".to_owned()],
        advice: vec![
            "acquire `accounts` before `audit` everywhere, as 12 of 13 places do".to_owned(),
            "or take both at once: `acquire!(accounts, audit)`".to_owned(),
        ],
        ..finding(Code::LockOrderCycle, Certainty::Certain, None, cycle)
    }
}

fn verdict(findings: Vec<Finding>) -> Verdict {
    let mut verdict = Verdict {
        findings,
        stats: Stats {
            events: 812,
            threads: 4,
            locks: 12,
            classes: 5,
            edges: 9,
            runs: 1,
            functions: 0,
        },
        limits: Vec::new(),
        orders: Vec::new(),
    };
    verdict.settle();
    verdict
}

fn report(findings: Vec<Finding>, root: &Path) -> Report {
    Report::new(verdict(findings), Policy::default(), Sources::at(root))
}

fn render(report: &Report, format: Format, detail: Detail) -> String {
    let mut text = anstream::StripStream::new(Vec::new());
    write(report, format, detail, &mut text).unwrap();
    String::from_utf8(text.into_inner()).unwrap()
}

/// The text report on one finding.
fn text(finding: Finding) -> String {
    let project = project();
    let mut report = report(vec![finding], project.path());
    report.policy.show_excluded = true;
    render(&report, Format::Text, Detail::Full)
}

#[test]
fn opposite_orders() {
    insta::assert_snapshot!(text(abba()));
}

#[test]
fn opposite_orders_as_json() {
    let project = project();
    let report = report(vec![abba()], project.path());
    insta::assert_snapshot!(render(&report, Format::Json, Detail::Full));
}

#[test]
fn a_lock_taken_again_by_its_holder() {
    let cycle = vec![side(
        "T0",
        Some("main"),
        exclusive("audit", "src/bank.rs:13:36"),
        Wants::Lock(exclusive("audit", "src/bank.rs:18:32")),
    )];
    insta::assert_snapshot!(text(Finding {
        message: "`audit` is requested by the thread that already holds it".to_owned(),
        advice: vec!["pass the guard on instead of locking again".to_owned()],
        ..finding(Code::SelfDeadlock, Certainty::Actual, None, cycle)
    }));
}

#[test]
fn a_recursive_read() {
    let mut reader = side(
        "T3",
        None,
        lock("cache", "shared", "src/gone.rs:5:9"),
        Wants::Lock(lock("cache", "shared", "src/gone.rs:8:13")),
    );
    reader.path = vec!["cache::get".to_owned(), "cache::refresh".to_owned()];
    let basis = Some(Basis::SameInstances);
    insta::assert_snapshot!(text(Finding {
        message: "`cache` is read again by its own reader".to_owned(),
        reasons: vec!["no writer of `cache` was seen in this run".to_owned()],
        advice: vec!["read once and pass the guard on, or use `read_recursive`".to_owned()],
        ..finding(
            Code::RecursiveRead,
            Certainty::Possible,
            basis,
            vec![reader]
        )
    }));
}

#[test]
fn a_join_under_a_lock_that_the_thread_needs() {
    let join = ResourceUse {
        resource: "join".to_owned(),
        name: "T1 \"worker\"".to_owned(),
        site: "src/bank.rs:13:13".to_owned(),
    };
    let cycle = vec![
        side(
            "T0",
            Some("main"),
            exclusive("accounts", "src/bank.rs:10:42"),
            Wants::Resource(join),
        ),
        Side {
            holds: None,
            ..side(
                "T1",
                Some("worker"),
                exclusive("accounts", "src/bank.rs:19:38"),
                Wants::Lock(exclusive("accounts", "src/bank.rs:19:38")),
            )
        },
    ];
    insta::assert_snapshot!(text(Finding {
        message: "thread T0 waits for T1 to end while holding `accounts`, which T1 needs"
            .to_owned(),
        witness: vec!["T0*4".to_owned()],
        advice: vec!["drop the guard of `accounts` before joining".to_owned()],
        ..finding(Code::WaitWhileHolding, Certainty::Certain, None, cycle)
    }));
}

#[test]
fn a_cycle_excluded_by_a_gate_lock() {
    let mut excluded = abba();
    for side in &mut excluded.cycle {
        side.gates = vec!["ledger".to_owned()];
        side.also_held = vec![exclusive("ledger", "src/main.rs:7:20")];
    }
    excluded.certainty = Certainty::Excluded;
    excluded.level = crate::finding::Level::Note;
    excluded.excluded_by = vec![Exclusion::GateLock];
    excluded.witness.clear();
    excluded.advice.clear();
    excluded.reasons = vec!["both sides hold `ledger` exclusively".to_owned()];
    let project = project();
    let findings = vec![excluded];
    let hidden = report(findings.clone(), project.path());
    let policy = Policy {
        show_excluded: true,
        ..Policy::default()
    };
    let shown = Report::new(verdict(findings), policy, Sources::at(project.path()));
    insta::assert_snapshot!(
        "excluded_hidden",
        render(&hidden, Format::Text, Detail::Full)
    );
    insta::assert_snapshot!("excluded_shown", render(&shown, Format::Text, Detail::Full));
    assert!(!render(&hidden, Format::Json, Detail::Full).contains("LW0003"));
    assert!(render(&shown, Format::Json, Detail::Full).contains("gate-lock"));
}

#[test]
fn a_cycle_seen_in_one_thread_only() {
    let mut possible = abba();
    possible.cycle[1].thread = "T1".to_owned();
    possible.cycle[1].thread_name = Some("alice".to_owned());
    possible.certainty = Certainty::Possible;
    possible.basis = Some(Basis::OneThread);
    possible.level = Finding::level_of(possible.code, possible.certainty, possible.basis);
    possible.witness.clear();
    possible.reasons.clear();
    insta::assert_snapshot!(text(possible));
}

#[test]
fn a_broken_rank_with_what_acquire_recorded_and_a_stack() {
    let mut want = exclusive("accounts", "src/bank.rs:19:38");
    want.expression = Some("bank::Bank::check: self.accounts".to_owned());
    let mut breaker = side(
        "T0",
        None,
        exclusive("audit", "src/bank.rs:18:32"),
        Wants::Lock(want),
    );
    breaker.stack = (0..15)
        .map(|frame| format!("bank::frame_{frame}"))
        .collect();
    breaker.run = Some("bank-4711".to_owned());
    insta::assert_snapshot!(text(Finding {
        message: "`accounts` (rank 1) is acquired while `audit` (rank 2) is held".to_owned(),
        ..finding(Code::OrderViolation, Certainty::Actual, None, vec![breaker])
    }));
}

#[test]
fn three_threads_in_a_circle() {
    let cycle = (0..3)
        .map(|at| {
            side(
                &format!("T{at}"),
                None,
                exclusive(&format!("fork {at}"), &format!("dine.c:{}", 10 + at)),
                Wants::Lock(exclusive(&format!("fork {}", (at + 1) % 3), "dine.c:20")),
            )
        })
        .collect();
    insta::assert_snapshot!(text(Finding {
        message: "three locks are acquired in a circle".to_owned(),
        witness: vec!["T0".to_owned(), "T1".to_owned(), "T2".to_owned()],
        ..finding(Code::LockOrderCycle, Certainty::Certain, None, cycle)
    }));
}

#[test]
fn nothing_found_is_one_calm_line() {
    let project = project();
    let mut report = report(Vec::new(), project.path());
    insta::assert_snapshot!("nothing_found", render(&report, Format::Text, Detail::Full));
    insta::assert_snapshot!(
        "nothing_found_json",
        render(&report, Format::Json, Detail::Full)
    );
    assert_eq!(render(&report, Format::Text, Detail::Quiet), "");

    report.verdict.stats = Stats {
        runs: 1,
        ..Stats::default()
    };
    insta::assert_snapshot!("no_lock_taken", render(&report, Format::Text, Detail::Full));
    report.logs = 0;
    insta::assert_snapshot!("no_log", render(&report, Format::Text, Detail::Full));
}

#[test]
fn both_verdicts_stand_last_and_apart() {
    let project = project();
    let mut report = report(vec![abba()], project.path());
    report.verdict.limits = vec!["T3 of run bank-12: the log ends in the middle".to_owned()];
    report.program = Some(Program {
        command: "test",
        exit: 101,
    });
    let text = render(&report, Format::Text, Detail::Full);
    let last: Vec<&str> = text.lines().rev().take(4).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    insta::assert_snapshot!(last.join("\n"));
    let json: serde_json::Value =
        serde_json::from_str(&render(&report, Format::Json, Detail::Full)).unwrap();
    assert_eq!(json["program"]["exit"], 101);
    assert_eq!(json["findings"][0]["fails"], true);
}

#[test]
fn findings_in_dependencies_stand_apart_unless_asked_for() {
    let project = project();
    let mut inside = abba();
    inside.in_dependencies = true;
    inside.level = crate::finding::Level::Note;
    let apart = report(vec![inside.clone()], project.path());
    assert!(!apart.fails());
    insta::assert_snapshot!(render(&apart, Format::Text, Detail::Full));

    let policy = Policy {
        deps: true,
        ..Policy::default()
    };
    let joined = Report::new(verdict(vec![inside]), policy, Sources::at(project.path()));
    assert!(joined.fails());
    assert!(render(&joined, Format::Text, Detail::Full).starts_with("error[LW0003]"));
}

#[test]
fn quiet_shows_only_what_fails() {
    let project = project();
    let mut possible = abba();
    possible.certainty = Certainty::Possible;
    possible.basis = Some(Basis::Class);
    possible.level = Finding::level_of(possible.code, possible.certainty, possible.basis);
    let mut report = report(vec![possible], project.path());
    assert_eq!(render(&report, Format::Text, Detail::Quiet), "");
    report.policy.fail_on = FailOn::Possible;
    assert!(render(&report, Format::Text, Detail::Quiet).starts_with("warning[LW0003]"));
}

#[test]
fn hostile_names_neither_move_the_cursor_nor_the_reader() {
    let hostile = "\u{1b}[2J\u{1b}]8;;http://evil\u{7}\r\nerror: all good\u{202e}\u{9b}31m";
    let mut finding = abba();
    finding.message = hostile.to_owned();
    finding.reasons = vec![hostile.to_owned()];
    finding.advice = vec![hostile.to_owned()];
    for side in &mut finding.cycle {
        side.thread_name = Some(hostile.to_owned());
        side.holds = Some(exclusive(hostile, hostile));
        side.wants = Some(Wants::Lock(exclusive(hostile, &"long".repeat(5000))));
        side.gates = vec![hostile.to_owned()];
        side.stack = vec![hostile.to_owned()];
        side.path = vec![hostile.to_owned()];
    }
    let project = project();
    let mut report = report(vec![finding], project.path());
    report.verdict.limits = vec![hostile.to_owned()];
    let mut bytes = Vec::new();
    write(&report, Format::Text, Detail::Full, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    // Our own colours, and nothing else, act on the terminal.
    let stripped = anstream::adapter::strip_str(&text).to_string();
    assert!(!stripped.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!stripped.contains(['\u{202e}', '\u{9b}']));
    assert!(!text.contains("\u{1b}[2J") && !text.contains("\u{1b}]8"));
    assert!(
        !stripped
            .lines()
            .any(|line| line.starts_with("error: all good"))
    );
    assert!(stripped.lines().all(|line| line.chars().count() < 3000));
}

#[test]
fn only_rust_sources_are_opened() {
    let project = project();
    fs::write(project.path().join("secret"), "password\n").unwrap();
    let sources = Sources::at(project.path());
    assert!(sources.read("src/bank.rs").is_some());
    for path in ["secret", "/dev/zero", "/etc/passwd", "src", "src/none.rs"] {
        assert_eq!(sources.read(path), None, "{path}");
    }
}

#[test]
fn a_source_that_is_not_what_was_compiled_is_not_shown() {
    let mut moved = abba();
    let side = &mut moved.cycle[0];
    side.holds = Some(exclusive("accounts", "src/bank.rs:900:1"));
    side.wants = Some(Wants::Lock(exclusive("audit", "src/bank.rs:3:400")));
    let text = text(moved);
    assert!(text.contains("--> src/bank.rs:900:1\n"), "{text}");
}

#[test]
fn plain_text_is_left_as_it_is() {
    for plain in ["accounts", "Größe", "キャッシュ", "a -> b", ""] {
        assert_eq!(printable(plain), plain);
    }
    assert_eq!(printable("a\tb"), "a\\tb");
}
