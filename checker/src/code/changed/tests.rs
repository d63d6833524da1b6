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
