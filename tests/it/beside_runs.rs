//! What `cargo lockwise check` says of code of which logs of runs are there, too.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::code::{check, document, project};
use crate::programs::{checker, finish};

#[test]
fn what_a_run_showed_is_told_beside_the_code() {
    let program = r#"
use std::sync::{Arc, Mutex};
use std::thread;
struct Pair {
    a: Mutex<u32>,
    b: Mutex<u32>,
}
fn main() {
    let pair = Arc::new(Pair { a: Mutex::new(1), b: Mutex::new(2) });
    let other = Arc::clone(&pair);
    thread::spawn(move || {
        let a = other.a.lock().unwrap();
        let b = other.b.lock().unwrap();
        println!("{}", *a + *b);
    })
    .join()
    .unwrap();
    if std::env::args().count() > 9 {
        let b = pair.b.lock().unwrap();
        let a = pair.a.lock().unwrap();
        println!("{}", *a + *b);
    }
}
"#;
    let folder = project(
        "2021",
        &BTreeMap::from([("seen".to_owned(), program.to_owned())]),
    );
    let logs = folder.path().join("logs");
    let mut command = checker();
    command.current_dir(folder.path());
    command
        .args(["run", "--bin", "seen", "--log-dir"])
        .arg(&logs);
    assert_eq!(finish(&mut command).status.code(), Some(0));
    let output = check(folder.path(), &["--format", "json", "--with", "logs"]);
    let document = document(&output);
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{document}");
    assert_eq!(findings[0]["evidence"], serde_json::json!(["run", "code"]));
    let reasons = findings[0]["reasons"].to_string();
    assert!(reasons.contains("seen while the program ran"), "{reasons}");
    assert!(
        reasons.contains("possible by the code, and not seen"),
        "{reasons}"
    );
    let both: Vec<&Value> = document["orders"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|order| order["evidence"] == serde_json::json!(["run", "code"]))
        .collect();
    assert_eq!(both.len(), 1, "{document}");
}

#[test]
fn what_a_run_excludes_is_told_by_the_code() {
    let program = r"
use std::sync::{Arc, Mutex};
use std::thread;
struct Pair {
    a: Mutex<u32>,
    b: Mutex<u32>,
}
impl Pair {
    fn add(&self) {
        let mut a = self.a.lock().unwrap();
        *a += *self.b.lock().unwrap();
    }
    fn take(&self) {
        let mut b = self.b.lock().unwrap();
        *b |= *self.a.lock().unwrap();
    }
}
fn main() {
    let pair = Arc::new(Pair { a: Mutex::new(1), b: Mutex::new(2) });
    let other = Arc::clone(&pair);
    thread::spawn(move || other.add()).join().unwrap();
    let other = Arc::clone(&pair);
    thread::spawn(move || other.take()).join().unwrap();
}
";
    let folder = project(
        "2021",
        &BTreeMap::from([("apart".to_owned(), program.to_owned())]),
    );
    let logs = folder.path().join("logs");
    let mut command = checker();
    command.current_dir(folder.path());
    command
        .args(["run", "--bin", "apart", "--log-dir"])
        .arg(&logs);
    assert_eq!(finish(&mut command).status.code(), Some(0));
    let output = check(folder.path(), &["--format", "json", "--with", "logs"]);
    let document = document(&output);
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{document}");
    assert_eq!(findings[0]["certainty"], "possible");
    assert_eq!(findings[0]["evidence"], serde_json::json!(["run", "code"]));
    let reasons = findings[0]["reasons"].to_string();
    assert!(reasons.contains("both: each side was seen"), "{reasons}");
    assert!(reasons.contains("not in this run: "), "{reasons}");
}
