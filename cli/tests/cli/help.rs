//! The help texts, as they are printed.

use crate::support::run;

#[test]
fn help_texts() {
    for command in [
        "",
        "explain",
        "replay",
        "scan",
        "completions",
        "man",
        "rpo",
        "history",
        "undo",
        "doctor",
        "pause",
        "preflight",
        "resume",
        "prove",
        "policy",
        "policy evaluate",
        "policy authorize",
        "policy grant",
        "policy grant vault",
        "policy grant key",
        "policy prove",
        "policy diff",
        "sandbox",
        "sandbox serve",
        "sandbox event",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ran = run(&arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let name = format!("help {command}").trim().replace(' ', "-");
        insta::assert_snapshot!(name, ran.stdout);
    }
}

#[test]
fn an_unknown_command_is_wrong_usage() {
    assert_eq!(run(&["mend"]).code, 2);
    assert_eq!(run(&[]).code, 2);
    assert_eq!(run(&["policy"]).code, 2);
}
