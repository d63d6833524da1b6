use super::{Wait, is_asleep, number_after, wait};

#[cfg(target_arch = "x86_64")]
#[test]
fn only_a_futex_is_waited_at() {
    let slept = |has_deadline, is_shared| {
        Some(Wait {
            has_deadline,
            is_shared,
        })
    };
    let good = "202 0x55bcc6200e50 0x189 0x0 0x0 0x0 0xffffffff 0x7efd0e81e950 0x7efd0eea3f16\n";
    assert_eq!(wait(good), slept(false, false));
    let joins =
        "202 0x7f36be1fe990 0x109 0x3039 0x0 0x0 0xffffffff 0x7ffd58a31bb0 0x7f36be299d16\n";
    assert_eq!(wait(joins), slept(false, true));
    let timed = "202 0x55bcc6200e50 0x189 0x0 0x7ffc0 0x0 0xffffffff 0x7efd0e81e950 0x7efd0\n";
    assert_eq!(wait(timed), slept(true, false));
    let wakes = "202 0x55bcc6200e50 0x81 0x1 0x0 0x0 0x0 0x7efd0e81e950 0x7efd0eea3f16\n";
    assert_eq!(wait(wakes), None);
    let reads = "0 0x3 0x55bcc6267b60 0x2000 0x0 0x0 0x0 0x7ffcb79cd860 0x7efd0ef162ec\n";
    assert_eq!(wait(reads), None);
    assert_eq!(wait("running\n"), None);
    assert_eq!(wait(""), None);
}

#[test]
fn a_line_is_found_by_its_whole_name() {
    let status = "Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";
    assert_eq!(
        number_after(status, "\nvoluntary_ctxt_switches:", 10),
        Some(12)
    );
    assert_eq!(
        number_after(status, "\nnonvoluntary_ctxt_switches:", 10),
        Some(3)
    );
    assert_eq!(number_after(status, "\nThreads:", 10), None);
}

#[test]
fn who_was_woken_sleeps_no_more() {
    let status = |state| format!("Name:\tx\nUmask:\t0022\nState:\t{state}\nTgid:\t7\n");
    assert!(is_asleep(&status("S (sleeping)")));
    for other in ["R (running)", "D (disk sleep)", "T (stopped)"] {
        assert!(!is_asleep(&status(other)), "{other}");
    }
    assert!(!is_asleep(""));
}
