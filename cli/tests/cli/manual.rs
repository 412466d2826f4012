//! Completions and manual pages.

use std::path::Path;

use crate::support::run;

#[test]
fn every_shell_gets_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        for part in ["scan", "doctor", "reader-role"] {
            assert!(ran.stdout.contains(part), "{shell}: {part}");
        }
    }
    assert_eq!(run(&["completions", "tcsh"]).code, 2);
}

#[test]
fn every_command_gets_a_page() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man/deeper");
    let ran = run(&["man", folder.to_str().unwrap()]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for (page, part) in [
        ("copymend.1", "copymend\\-scan"),
        ("copymend-scan.1", "\\-\\-reader\\-role"),
        ("copymend-policy-grant-vault.1", "\\-\\-role"),
    ] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(part), "{page}: {text}");
    }
    let file = crate::support::file("no-folder", "");
    assert_eq!(run(&["man", &file]).code, 2);
}
