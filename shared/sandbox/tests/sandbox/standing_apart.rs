//! The judge stands apart from what it judges.

use std::path::PathBuf;

/// What the rules may take from the diagnosis: the names of causes and the types that the world is
/// written in. No rule of AWS's.
const NAMES: [&str; 9] = [
    "BackupVaultArn",
    "Cause",
    "KeyAliasArn",
    "KeyArn",
    "KeyManager",
    "Lifecycle",
    "RoleArn",
    "Tags",
    "CopyJobState",
];

fn sources() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.join("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for name in [
        "authority",
        "call",
        "copies",
        "denials",
        "own_calls",
        "own_roles",
        "writes",
    ] {
        files.push(folder.join(format!("{name}.rs")));
    }
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.display().to_string(), text)
        })
        .collect()
}

#[test]
fn the_rules_use_nothing_of_the_diagnosis_but_names() {
    let sources = sources();
    assert!(sources.len() > 12, "{}", sources.len());
    let mut used = 0;
    for (path, text) in &sources {
        assert!(!text.contains("copymend_remediation"), "{path}");
        for rest in text.split("copymend_diagnosis").skip(1) {
            let (imported, _) = rest.split_once(';').unwrap();
            let imported = imported.trim_start_matches("::");
            let imported = imported.trim_start_matches('{').trim_end_matches('}');
            for name in imported
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                assert!(NAMES.contains(&name), "{path} uses `{name}`");
                used += 1;
            }
        }
    }
    assert!(used > 10);
}
