//! Adding statements to a document and taking them out again, without touching any other byte.

use crate::document::PolicyDocument;
use crate::error::ParseError;
use crate::grant::NewStatement;
use crate::layout::{self, Layout};

/// The size limit of a key policy in bytes (documented: KMS `resource-limits`; more gives
/// `LimitExceededException`).
pub const KEY_POLICY_MAX_BYTES: usize = 32_768;

/// Why a document can't be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// No statement was given for a document that is yet to be made.
    #[error("there is no statement to make a document of")]
    NothingToAdd,
    /// Another statement has this `Sid`.
    #[error("the document has another statement with the `Sid` `{0}`")]
    SidTaken(String),
    /// The statement was changed since it was added: it is no longer ours to remove.
    #[error("the statement `{0}` was changed since it was added")]
    Changed(String),
    /// The document is larger than allowed.
    #[error("the document has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A character that KMS does not allow in a key policy.
    #[error("the document holds the character U+{0:04X}, which a key policy must not")]
    Character(u32),
    /// The edited text is not a policy. It is never returned.
    #[error("the edited document is not a policy: {0}")]
    Broken(#[from] ParseError),
}

/// What is left after an undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// None of the statements was there any more; nothing changed.
    Unchanged,
    /// The document without the statements. When no statement is left in it, AWS will not take it:
    /// delete the policy.
    Document(PolicyDocument),
    /// The document was made for the statements and held nothing else: there is none to go back to.
    NoDocument,
}

/// Adds the statements that are missing to the end of the document; without a document, makes one.
///
/// Existing statements keep their bytes and their order. A statement that is already there (same
/// `Sid`, same meaning) is not added again; when all are there, the document comes back as it was.
/// A `Statement` that is one object becomes a list that starts with the same bytes. New text
/// follows the document's layout.
pub fn append(
    before: Option<&PolicyDocument>,
    statements: &[NewStatement],
) -> Result<PolicyDocument, EditError> {
    let mut missing: Vec<&NewStatement> = Vec::new();
    for statement in statements {
        let mut same = 0;
        let mut other = 0;
        let existing = before.map_or(&[][..], PolicyDocument::statements);
        for present in existing.iter().filter(|s| s.sid() == Some(statement.sid())) {
            if statement.is_same(present.as_str()) {
                same += 1;
            } else {
                other += 1;
            }
        }
        for present in missing.iter().filter(|s| s.sid() == statement.sid()) {
            if statement.is_same(present.as_str()) {
                same += 1;
            } else {
                other += 1;
            }
        }
        if other > 0 {
            return Err(EditError::SidTaken(statement.sid().to_owned()));
        }
        if same == 0 {
            missing.push(statement);
        }
    }
    let Some(document) = before else {
        if missing.is_empty() {
            return Err(EditError::NothingToAdd);
        }
        return Ok(PolicyDocument::parse(&layout::fresh(&missing))?);
    };
    if missing.is_empty() {
        return Ok(document.clone());
    }
    let edited = Layout::of(document).insert(&missing);
    Ok(PolicyDocument::parse(&edited)?)
}

/// Takes the statements out again, also when others edited the document since.
///
/// A statement counts as ours when its `Sid` and its meaning are as recorded. One with our `Sid`
/// but another meaning was changed by someone: refused. Straight after [`append`] this gives back
/// the bytes from before.
pub fn undo(current: &PolicyDocument, added: &[NewStatement]) -> Result<Undone, EditError> {
    for statement in added {
        let foreign = current.statements().iter().any(|present| {
            present.sid() == Some(statement.sid()) && !statement.is_same(present.as_str())
        });
        if foreign {
            return Err(EditError::Changed(statement.sid().to_owned()));
        }
    }
    let mut document = current.clone();
    let mut removed = false;
    loop {
        // From the end, so that the separators go the way they came.
        let found = document.statements().iter().rposition(|present| {
            added
                .iter()
                .any(|ours| present.sid() == Some(ours.sid()) && ours.is_same(present.as_str()))
        });
        let Some(index) = found else { break };
        match Layout::of(&document).remove(index) {
            Some(text) if text == layout::EMPTY => return Ok(Undone::NoDocument),
            Some(text) => document = PolicyDocument::parse(&text)?,
            None => return Ok(Undone::NoDocument),
        }
        removed = true;
    }
    Ok(if removed {
        Undone::Document(document)
    } else {
        Undone::Unchanged
    })
}

/// Refuses a document of more than `limit` bytes.
pub fn check_size(document: &PolicyDocument, limit: usize) -> Result<(), EditError> {
    let bytes = document.as_str().len();
    if bytes > limit {
        return Err(EditError::TooLarge { bytes, limit });
    }
    Ok(())
}

/// Refuses a character that KMS does not take in a key policy: it takes tab, line feed, carriage
/// return and U+0020 to U+00FF (documented: KMS `API_PutKeyPolicy`).
pub fn check_key_policy_characters(document: &PolicyDocument) -> Result<(), EditError> {
    let refused = document
        .as_str()
        .chars()
        .find(|character| !matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}'));
    match refused {
        Some(character) => Err(EditError::Character(u32::from(character))),
        None => Ok(()),
    }
}
