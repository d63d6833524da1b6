//! What the macros note of each expression.

use lockwise::acquire::TryAcquireError;
use lockwise::{RwLock, try_acquire};

use super::account::Account;

#[test]
fn a_note_has_the_place_and_text_of_the_expression() {
    let locks = [RwLock::new(1), RwLock::new(2)];
    let Err(TryAcquireError::Duplicate { first, second }) = try_acquire!(
        read locks[0],
        read   locks [ usize::from( false ) ] // The same one.
    ) else {
        panic!("they are one");
    };
    assert_eq!(first.expression, "locks[0]");
    assert_eq!(second.expression, "locks [ usize::from( false ) ]");
    assert_eq!((first.line, first.column), (line!() - 7, 14));
    assert_eq!((second.line, second.column), (line!() - 7, 16));
    assert_eq!((second.file, second.module), (file!(), module_path!()));
}

/// A macro that writes one expression, and passes the other.
macro_rules! notes {
    ($account:ident, $other:expr) => {
        match try_acquire!(&$account.balance, $other) {
            Err(TryAcquireError::Duplicate { first, second }) => (first, second),
            _ => panic!("they are one"),
        }
    };
}

#[test]
fn a_note_in_a_macro_has_the_place_of_the_outermost_call() {
    let account = Account::new();
    let (written, passed) = notes!(account, account.balance());
    let line = line!() - 1;
    assert_eq!(written.expression, "&account.balance");
    assert_eq!((written.line, written.column), (line, 29));
    assert_eq!(passed.expression, "account.balance()");
    assert_eq!((passed.line, passed.column), (line, 45));
}
