//! Long and hostile texts.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::explain;

use crate::data::{assert_best, assert_sound};

const MEGABYTE: usize = 1 << 20;

fn repeated(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len())
}

/// Each would take minutes if any reader looked at the whole text again and again.
#[test]
fn hostile_texts_are_explained_in_one_go() {
    for piece in [
        "a",
        " ",
        "perform",
        "to perform ",
        "is not authorized to perform: a:b ",
        "User: arn:aws:iam::1:role/R is not authorized to perform: kms:Decrypt on resource: \"",
        "does not exist ",
        "cannot find ",
        ":kms:",
        "arn:aws:kms:",
        "arn:aws",
        "because no ",
        "explicit deny ",
        "n't ",
        "\u{2019}",
        "\u{a0}",
        "access denied",
        "backup vault not found. ",
        "\\",
        "\\n",
        r"\\\n",
        r"\nto\nperform\n",
        "is not authorized to call a:b ",
        "to call ",
        "call",
        "callperform",
        "<",
        ">",
        "(]",
        "\"(",
        "User:(((((((((((((((( is not authorized to perform: ",
        "explicitly denies ",
        "nonexistent ",
        r"\u0020",
        r"\u002",
        "u0020",
        "\u{200b}",
        "<br",
        "scp",
    ] {
        assert_sound(&explain(&repeated(piece, MEGABYTE / 8)));
    }
}

#[test]
fn a_megabyte_is_explained() {
    let text = repeated(
        "User: arn:aws:iam::1:role/R is not authorized to perform: kms:Decrypt on resource: x. ",
        MEGABYTE,
    );
    assert_sound(&explain(&text));
}

#[test]
fn a_cause_is_found_at_the_end_of_a_megabyte() {
    let text = format!(
        "{} Given key ID is not accessible",
        repeated("lorem ipsum ", MEGABYTE)
    );
    assert_best(&text, Cause::SourceKeyPolicy);
}

#[test]
fn text_that_is_not_english_is_left_alone() {
    for text in [
        "Zugriff verweigert",
        "アクセスが拒否されました",
        "مرفوض",
        "\u{0}\u{1}\u{2}",
        "e\u{301}\u{200d}🦀",
    ] {
        assert_best(text, Cause::Unknown);
    }
}
