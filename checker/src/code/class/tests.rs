//! Tests.

use super::short;

#[test]
fn reports_leave_out_the_modules() {
    assert_eq!(short("bank::ledger::Account.balance"), "Account.balance");
    assert_eq!(short("bank::State::Busy.0"), "State::Busy.0");
    assert_eq!(short("static bank::ledger::TOTAL"), "static TOTAL");
    assert_eq!(short("bank::run::{closure}::a"), "run::a");
    assert_eq!(short("channel of bank::Job"), "channel of Job");
}
