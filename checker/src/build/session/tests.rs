use std::ffi::OsString;
use std::fs;

use super::{ON_DEADLOCK, OnDeadlock, Session, SessionError};
use crate::build::Project;
use crate::settings::LogLevel;

fn project(folder: &tempfile::TempDir) -> Project {
    Project {
        root: folder.path().to_owned(),
        target: folder.path().join("target"),
    }
}

#[test]
fn two_sessions_never_share_a_folder_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(&folder);
    let begin = || Session::begin(Some(&project), None, false, None).unwrap();
    let (one, two) = (begin(), begin());
    assert_ne!(one.logs(), two.logs());
    assert!(
        one.logs()
            .starts_with(folder.path().join("target/lockwise/logs"))
    );
    one.end().unwrap();
    two.end().unwrap();
    let left = fs::read_dir(folder.path().join("target/lockwise/logs")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn a_chosen_folder_stays() {
    let folder = tempfile::tempdir().unwrap();
    let chosen = folder.path().join("logs");
    let session = Session::begin(None, Some(&chosen), false, None).unwrap();
    session.end().unwrap();
    assert!(chosen.is_dir());
}

#[test]
fn a_chosen_folder_with_old_logs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("old.lwlog"), "").unwrap();
    let result = Session::begin(None, Some(folder.path()), false, None);
    assert!(matches!(result, Err(SessionError::NotEmpty { .. })));
}

#[test]
fn the_level_is_set_only_if_one_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let names = |level| {
        let session = Session::begin(Some(&project(&folder)), None, false, level).unwrap();
        let variables = session.variables(OnDeadlock::AsChosen);
        variables
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(Some(LogLevel::Trace)),
        ["LOCKWISE_LOG", "LOCKWISE_LEVEL"]
    );
    assert_eq!(names(None), ["LOCKWISE_LOG"]);
}

#[test]
fn a_deadlock_ends_its_process_unless_something_else_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::begin(Some(&project(&folder)), None, false, None).unwrap();
    let end = (ON_DEADLOCK, OsString::from("abort"));
    assert!(session.variables(OnDeadlock::End).contains(&end));
    assert!(!session.variables(OnDeadlock::AsChosen).contains(&end));
}
