//! What reports say differently each time, taken out of them: numbers of events where threads may
//! or may not have met, and process numbers.

/// The report with a placeholder for all that is another one in each run.
pub(crate) fn steady(report: &str) -> String {
    let report = without_number_before(report, " events");
    let report = without_number_behind(&report, "(process ");
    without_log_numbers(&without_blocked(&report))
}

/// Without the note of how long threads were blocked elsewhere: a busy machine makes it come and go.
fn without_blocked(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !line.starts_with("note: threads were blocked for "))
        .collect()
}

/// `6 events` → `[n] events`.
fn without_number_before(text: &str, word: &str) -> String {
    let mut parts = text.split(word).peekable();
    let mut steady = String::new();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            steady.push_str(part);
        } else {
            let kept = part.trim_end_matches(|c: char| c.is_ascii_digit());
            steady.push_str(kept);
            if kept.len() < part.len() {
                steady.push_str("[n]");
            }
            steady.push_str(word);
        }
    }
    steady
}

/// `(process 77)` → `(process [n])`.
fn without_number_behind(text: &str, word: &str) -> String {
    let mut parts = text.split(word);
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        steady.push_str(word);
        steady.push_str("[n]");
        steady.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    steady
}

/// `bank.77.c0ffee.lwlog` → `bank.[n].[n].lwlog`.
fn without_log_numbers(text: &str) -> String {
    let mut parts: Vec<String> = text.split(".lwlog").map(str::to_owned).collect();
    let behind = parts.pop().unwrap_or_default();
    let mut steady = String::new();
    for part in parts {
        let mut pieces = part.rsplitn(3, '.');
        match (pieces.next(), pieces.next(), pieces.next()) {
            (Some(_nonce), Some(process), Some(program))
                if process.chars().all(|c| c.is_ascii_digit()) =>
            {
                steady.push_str(program);
                steady.push_str(".[n].[n]");
            }
            _ => steady.push_str(&part),
        }
        steady.push_str(".lwlog");
    }
    steady + &behind
}

#[test]
fn a_report_loses_its_numbers() {
    let report = "`bank.77.c0ffee.lwlog`: cut off (process 77); `own.lwlog` has 1 lock in 6 events";
    assert_eq!(
        steady(report),
        "`bank.[n].[n].lwlog`: cut off (process [n]); `own.lwlog` has 1 lock in [n] events"
    );
}
