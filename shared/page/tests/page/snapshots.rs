//! The whole of a small page, but its style and script.

use copymend_page::{preflight, scan};

use crate::worlds::{self, incident};

/// What is written by hand elsewhere, and its hashes, are left out.
fn without_own_files(page: &str) -> String {
    let (before, rest) = page.split_once("<meta http-equiv").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let (head, rest) = rest.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    let (body, rest) = rest.rsplit_once("<script>").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    // One text a line, so that a difference can be read.
    let body = body.replace("\",\"", "\",\n\"");
    [before, head, &body, after].concat()
}

#[test]
fn a_scan() {
    let page = scan(&worlds::scan(
        vec![incident(3, worlds::VAULT, "Access denied")],
        vec!["a note".to_owned()],
    ));
    insta::assert_snapshot!(without_own_files(&page.unwrap()));
}

#[test]
fn a_preflight() {
    let page = preflight(&worlds::preflight("nightly")).unwrap();
    insta::assert_snapshot!(without_own_files(&page));
}
