//! A policy document: the text exactly as it was, and what it says.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::ParseError;
use crate::meaning;
use crate::parse;
use crate::statement::Statement;

/// The version of the policy language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, the default. It has no policy variables.
    #[default]
    V2008,
    /// `2012-10-17`.
    V2012,
}

impl Version {
    /// The version as policies write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-10-17",
            Self::V2012 => "2012-10-17",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where the `Statement` element stands, and which form it has.
#[derive(Clone, Debug)]
pub(crate) struct StatementElement {
    pub(crate) span: Range<usize>,
    pub(crate) is_list: bool,
}

/// A policy document. It keeps its text byte for byte; two documents are equal when their texts
/// are, and mean the same when [`PolicyDocument::means_the_same_as`] says so.
///
/// ```
/// use copymend_policy::PolicyDocument;
///
/// let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*",
///     "Action": "backup:DeleteRecoveryPoint", "Resource": "*"}}"#;
/// let policy = PolicyDocument::parse(text)?;
/// assert_eq!(policy.as_str(), text);
/// assert_eq!(policy.statements().len(), 1);
/// # Ok::<(), copymend_policy::ParseError>(())
/// ```
#[derive(Clone)]
pub struct PolicyDocument {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) source: Arc<str>,
    pub(crate) version: Version,
    pub(crate) id: Option<String>,
    pub(crate) statements: Vec<Statement>,
    pub(crate) statement_element: StatementElement,
}

impl PolicyDocument {
    /// Reads a policy document.
    ///
    /// Refused, with the place: text that is not JSON, text after the document, a key twice in one
    /// object, deep nesting, elements or operators the policy language does not have, and values of
    /// the wrong shape.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self {
            inner: Arc::new(parse::document(text)?),
        })
    }

    /// The text, byte for byte what was parsed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.inner.source
    }

    /// The version of the policy language; 2008-10-17 where the document names none (documented:
    /// IAM `reference_policies_elements_version`).
    #[must_use]
    pub fn version(&self) -> Version {
        self.inner.version
    }

    /// The document's `Id`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.inner.id.as_deref()
    }

    /// Whether all that the policy says of the time comes out alike at every moment from one
    /// second since 1970 to the other. A variable that holds the time never does.
    #[must_use]
    pub fn is_settled_between(&self, from: i64, until: i64) -> bool {
        self.statements().iter().all(|statement| {
            let text = statement.as_str().to_lowercase();
            // An escape may hide a variable.
            let may_have_variable = ["${aws:currenttime", "${aws:epochtime", r"\u"]
                .iter()
                .any(|part| text.contains(part));
            let mut conditions = statement.conditions.iter();
            !may_have_variable
                && conditions.all(|condition| condition.is_settled_between(from, until))
        })
    }

    /// The statements in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.inner.statements
    }

    /// Whether two documents mean the same to AWS, whatever their texts look like: the order of
    /// lists and statements, one entry or a list of one, the spelling of actions and of an
    /// account's root don't count.
    ///
    /// ```
    /// use copymend_policy::PolicyDocument;
    ///
    /// let read = |principals: &str| {
    ///     PolicyDocument::parse(&format!(
    ///         r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":{principals}}},"Action":"kms:*","Resource":"*"}}]}}"#
    ///     ))
    /// };
    /// let policy = read(r#"["111122223333", "444455556666"]"#)?;
    /// assert!(policy.means_the_same_as(&read(r#"["444455556666", "arn:aws:iam::111122223333:root"]"#)?));
    /// assert!(!policy.means_the_same_as(&read(r#""111122223333""#)?));
    /// # Ok::<(), copymend_policy::ParseError>(())
    /// ```
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        meaning::is_same_document(self, other)
    }

    /// A text that two documents share just where they [mean the same](Self::means_the_same_as), to be
    /// hashed. It is no policy.
    #[must_use]
    pub fn canonical(&self) -> String {
        meaning::canonical(self)
    }

    pub(crate) fn statement_element(&self) -> &StatementElement {
        &self.inner.statement_element
    }
}

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for PolicyDocument {}

impl fmt::Debug for PolicyDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PolicyDocument({})", self.as_str())
    }
}

impl fmt::Display for PolicyDocument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for PolicyDocument {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
