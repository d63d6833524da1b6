//! Tests.

use super::*;

fn krate() -> Crate {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Crate {
        name: "bank".to_owned(),
        own: set(&["Account", "log", "transfer"]),
        others: set(&["std", "core", "log", "tokio"]),
        uses: std::rc::Rc::default(),
    }
}

#[test]
fn what_is_the_crates_own_gets_its_name() {
    let text = |text: &str| krate().text(text);
    assert_eq!(
        text("&std::sync::Mutex<Account>"),
        "&std::sync::Mutex<bank::Account>"
    );
    assert_eq!(
        text("<Account as log::Write>::put"),
        "<bank::Account as bank::log::Write>::put"
    );
    assert_eq!(text("inner::W"), "bank::inner::W");
    assert_eq!(text("T"), "T");
    assert_eq!(text("&'a mut [u8; 4]"), "&'a mut [u8; 4]");
}

#[test]
fn closures_are_known_by_their_place() {
    let text = |text: &str| krate().text(text);
    assert_eq!(
        text("{closure@src/log.rs:1:2: 1:9}"),
        "{closure@src/log.rs:1:2: 1:9}"
    );
    assert_eq!(
        text("{async fn body of Account::run()}"),
        "{async fn body of bank::Account::run()}"
    );
}

#[test]
fn an_impl_stands_in_the_crate() {
    let path = krate().path("<impl at src/a.rs:3:1: 3:9>::put");
    assert_eq!(path, "bank::<impl at src/a.rs:3:1: 3:9>::put");
}
