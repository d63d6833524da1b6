//! Tests.

use super::*;

#[test]
fn hunks_are_read_with_one_line_or_many() {
    let diff = "\
diff --git a/src/a.rs b/src/a.rs
--- a/src/a.rs
+++ b/src/a.rs
@@ -3 +3 @@ fn f() {
-old
+new
@@ -10,0 +11,3 @@
+a
@@ -20,2 +24,0 @@
-gone
--- a/src/b.rs
+++ /dev/null
@@ -1,5 +0,0 @@
";
    let changes = read(diff);
    assert_eq!(changes["src/a.rs"], [(3, 3), (11, 13), (24, 24)]);
    assert_eq!(changes.len(), 1);
}

#[test]
fn garbage_is_no_change() {
    assert!(read("@@ -1 +1 @@\n+++ b/a.rs\n@@ x\n@@ -1 +a,b @@\n").is_empty());
}

#[test]
fn names_of_files_may_hold_what_git_quotes() {
    let diff = "\
+++ b/src/with space.rs\t
@@ -1 +1 @@
-a
+b
+++ b/src/größe.rs
@@ -1 +1 @@
-a
+b
+++ \"b/src/\\\"quoted\\\"\\\\.rs\"
@@ -1 +1 @@
-a
+b
";
    let changes = read(diff);
    let mut names: Vec<_> = changes.keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = ["src/\"quoted\"\\.rs", "src/größe.rs", "src/with space.rs"];
    assert_eq!(names, expected);
}

#[test]
fn changed_lines_are_no_heads_whatever_they_say() {
    let diff = "\
+++ b/src/a.rs
@@ -1,0 +2,2 @@
+++ b/src/b.rs
+@@ -1 +1 @@
@@ -9 +11 @@
-- a/src/a.rs
+x
";
    let changes = read(diff);
    assert_eq!(changes["src/a.rs"], [(2, 3), (11, 11)]);
    assert_eq!(changes.len(), 1);
}

#[test]
fn files_that_are_new_have_changed_everywhere() {
    let mut changes = read("+++ b/src/a.rs\n@@ -1 +1 @@\n-a\n+b\n");
    add_new(&mut changes, ["src/new.rs"].into_iter());
    assert_eq!(changes["src/a.rs"], [(1, 1)]);
    assert_eq!(changes["src/new.rs"], [(1, u32::MAX)]);
}
