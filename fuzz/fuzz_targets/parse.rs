//! Any text is a policy or an error with a place; a policy keeps its bytes, and `undo` takes out
//! what `append` put in.

#![no_main]

use std::sync::LazyLock;

use copymend_policy::{
    NewStatement, PolicyDocument, Undone, VaultGrant, VaultScope, append, diff, prove_only_adds, undo,
};
use libfuzzer_sys::fuzz_target;

static GRANTED: LazyLock<Vec<NewStatement>> = LazyLock::new(|| {
    VaultGrant {
        partition: "aws".to_owned(),
        source_account: "111122223333".parse().expect("an account id"),
        role_arn: "arn:aws:iam::111122223333:role/CopyRole".parse().expect("an ARN"),
        scope: VaultScope::Role,
        organization_id: Some("o-abcde12345".to_owned()),
        organization_paths: Vec::new(),
    }
    .statements()
    .expect("statements")
});

fuzz_target!(|text: &str| {
    let before = match PolicyDocument::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let place = error.location();
            assert!(place.line() > 0 && place.column() > 0 && place.path().starts_with('$'));
            return;
        }
    };
    assert_eq!(before.as_str(), text);
    for statement in before.statements() {
        assert_eq!(text.get(statement.span()), Some(statement.as_str()));
    }
    // A Sid of ours with other content refuses the append, and rightly.
    let Ok(after) = append(Some(&before), &GRANTED) else { return };
    assert_eq!(append(Some(&after), &GRANTED).as_ref(), Ok(&after));
    if after == before {
        return;
    }
    prove_only_adds(Some(&before), &after, &GRANTED).expect("a certificate");
    assert!(!diff(Some(before.as_str()), after.as_str()).is_empty());
    match undo(&after, &GRANTED).expect("an undo") {
        Undone::Document(left) => assert_eq!(left, before),
        other => assert!(matches!(other, Undone::NoDocument) && before.statements().is_empty()),
    }
});
