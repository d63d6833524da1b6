use super::{Inputs, code};

#[test]
fn failing_findings_win_over_everything() {
    for program in [None, Some(0), Some(101), Some(137)] {
        for inputs in [Inputs::Read, Inputs::Unreadable, Inputs::Missing] {
            assert_eq!(code(true, program, inputs), 1);
        }
    }
}

#[test]
fn the_program_s_own_failure_wins_over_our_input_trouble() {
    assert_eq!(code(false, Some(101), Inputs::Missing), 101);
    assert_eq!(code(false, Some(137), Inputs::Unreadable), 137);
    assert_eq!(code(false, Some(4), Inputs::Read), 4);
}

#[test]
fn a_clean_run_is_0_only_if_something_was_read() {
    assert_eq!(code(false, Some(0), Inputs::Read), 0);
    assert_eq!(code(false, None, Inputs::Read), 0);
    assert_eq!(code(false, None, Inputs::Unreadable), 3);
    assert_eq!(code(false, Some(0), Inputs::Missing), 4);
    assert_eq!(code(false, None, Inputs::Missing), 4);
}
