//! Short ways to run the program and read its answer.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/CopyRole";
pub(crate) const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:copies";
pub(crate) const KEY: &str =
    "arn:aws:kms:eu-west-1:444455556666:key/f0562021-f04f-5882-bf63-7352767d0941";
pub(crate) const COPY: &str = "backup:CopyIntoBackupVault";

/// A key policy as AWS makes it.
pub(crate) const KEY_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The answer, which is one line of JSON.
    pub(crate) fn json(&self) -> Value {
        let lines = self.json_lines();
        assert_eq!(lines.len(), 1, "{}", self.stdout);
        lines[0].clone()
    }

    /// The answers, one a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The program, in the workspace's folder and without any environment.
pub(crate) fn copymend() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("copymend"));
    command
        .env_clear()
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program with these arguments and nothing on standard input.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    finish(copymend().args(arguments))
}

/// Runs the program with these arguments and this on standard input.
pub(crate) fn run_with(arguments: &[&str], input: impl Into<Vec<u8>>) -> Ran {
    finish(copymend().args(arguments).write_stdin(input))
}

/// A file with this content. The name is the test's own, so that tests can run side by side.
pub(crate) fn file(name: &str, content: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}
