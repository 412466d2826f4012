//! From JSON to a policy: which elements there are, and what shapes they may have.

use std::ops::Range;
use std::slice;
use std::sync::Arc;

use crate::condition::Condition;
use crate::document::{Inner, StatementElement, Version};
use crate::error::{Location, ParseError, ParseProblem, shown};
use crate::json::{self, Member, Node, Part, Value, path_of};
use crate::operand::Operand;
use crate::operator::Operator;
use crate::principal::{Grantee, NameKind, PrincipalElement};
use crate::statement::{ActionPattern, Effect, Element, Statement};
use crate::template::{Reading, Template};

/// The path to what is being read, shared by all readers of one document.
struct Reader<'a> {
    text: &'a str,
    source: Arc<str>,
    path: Vec<Part<'a>>,
    version: Version,
}

type Read<T> = Result<T, ParseError>;

/// What is read of a statement when all its elements have been seen.
#[derive(Default)]
struct Elements<'a> {
    effect: Option<Effect>,
    resources: Option<&'a Member<'a>>,
}

/// How many fields an incomplete ARN lacks. In an identity-based policy AWS completes it with
/// wildcards (documented: IAM `reference-arns`); a policy without `Principal` is taken for one.
fn missing_fields(arn: &str) -> usize {
    if !arn.starts_with("arn:") {
        return 0;
    }
    5_usize.saturating_sub(arn.bytes().filter(|byte| *byte == b':').count())
}

pub(crate) fn document(text: &str) -> Read<Inner> {
    let root = json::read(text)?;
    let mut reader = Reader {
        text,
        source: Arc::from(text),
        path: Vec::new(),
        version: Version::default(),
    };
    let members = reader.object(&root, "an object")?;
    let mut statement_node = None;
    let mut id = None;
    for member in members {
        reader.within(&member.key, |reader| {
            match member.key.as_ref() {
                "Version" => reader.version = reader.version(&member.node)?,
                "Id" => id = Some(reader.string(&member.node)?.to_owned()),
                "Statement" => statement_node = Some(&member.node),
                _ => return Err(reader.unknown(member)),
            }
            Ok(())
        })?;
    }
    let Some(node) = statement_node else {
        return Err(reader.error(&root.span, ParseProblem::MissingElement("Statement")));
    };
    let (statements, is_list) = reader.within("Statement", |reader| reader.statements(node))?;
    Ok(Inner {
        source: reader.source,
        version: reader.version,
        id,
        statements,
        statement_element: StatementElement {
            span: node.span.clone(),
            is_list,
        },
    })
}

impl<'a> Reader<'a> {
    fn error(&self, at: &Range<usize>, problem: ParseProblem) -> ParseError {
        let location = Location::new(self.text, at.start, path_of(&self.path));
        ParseError::new(problem, location)
    }

    fn unknown(&self, member: &Member<'_>) -> ParseError {
        let problem = ParseProblem::UnknownElement(shown(&member.key));
        self.error(&(member.key_at..member.key_at), problem)
    }

    fn expected(&self, node: &Node<'_>, what: &'static str) -> ParseError {
        self.error(&node.span, ParseProblem::Expected(what))
    }

    fn within<T>(&mut self, key: &'a str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.path.push(Part::Key(key));
        let result = read(self)?;
        self.path.pop();
        Ok(result)
    }

    fn object<'n>(&self, node: &'n Node<'n>, what: &'static str) -> Read<&'n [Member<'n>]> {
        match &node.value {
            Value::Object(members) => Ok(members),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(self.expected(node, what)),
        }
    }

    fn string<'n>(&self, node: &'n Node<'_>) -> Read<&'n str> {
        match &node.value {
            Value::String(text) => Ok(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Err(self.expected(node, "a string")),
        }
    }

    /// What each string says, of one string or a list of them.
    fn strings<T>(&self, node: &Node<'_>, read: impl Fn(&str) -> T) -> Read<Vec<T>> {
        let items = match &node.value {
            Value::Array(items) => items,
            Value::String(text) => return Ok(vec![read(text)]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(self.expected(node, "a string or a list of strings"));
            }
        };
        let mut strings = Vec::with_capacity(items.len());
        for item in items {
            strings.push(read(self.string(item)?));
        }
        Ok(strings)
    }

    fn version(&self, node: &Node<'_>) -> Read<Version> {
        match self.string(node)? {
            "2008-10-17" => Ok(Version::V2008),
            "2012-10-17" => Ok(Version::V2012),
            other => Err(self.error(&node.span, ParseProblem::UnknownVersion(shown(other)))),
        }
    }

    fn statements(&mut self, node: &'a Node<'a>) -> Read<(Vec<Statement>, bool)> {
        let Value::Array(items) = &node.value else {
            return Ok((vec![self.statement(node)?], false));
        };
        let mut statements = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(Part::Index(index));
            statements.push(self.statement(item)?);
            self.path.pop();
        }
        Ok((statements, true))
    }

    fn statement(&mut self, node: &'a Node<'a>) -> Read<Statement> {
        let members = self.object(node, "a statement: an object")?;
        let mut found = Elements::default();
        let mut statement = Statement {
            source: Arc::clone(&self.source),
            span: node.span.clone(),
            sid: None,
            effect: Effect::Deny,
            principal: PrincipalElement::Absent,
            actions: Element::Absent,
            resources: Element::Absent,
            conditions: Vec::new(),
        };
        for member in members {
            self.within(&member.key, |reader| {
                reader.element(member, &mut statement, &mut found)
            })?;
        }
        let Some(effect) = found.effect else {
            return Err(self.error(&node.span, ParseProblem::MissingElement("Effect")));
        };
        statement.effect = effect;
        if let Some(member) = found.resources {
            let identity_based = !statement.has_principal();
            statement.resources = self.within(&member.key, |reader| {
                reader.resources(member, identity_based)
            })?;
        }
        Ok(statement)
    }

    fn element(
        &mut self,
        member: &'a Member<'a>,
        statement: &mut Statement,
        found: &mut Elements<'a>,
    ) -> Read<()> {
        let node = &member.node;
        let key = member.key_at..member.key_at;
        match member.key.as_ref() {
            "Sid" => statement.sid = Some(self.string(node)?.into()),
            "Effect" => found.effect = Some(self.effect(node)?),
            "Principal" | "NotPrincipal" => {
                if !matches!(statement.principal, PrincipalElement::Absent) {
                    let problem = ParseProblem::Exclusive("Principal", "NotPrincipal");
                    return Err(self.error(&key, problem));
                }
                let grantees = self.grantees(node)?;
                statement.principal = if member.key == "Principal" {
                    PrincipalElement::Principal(grantees)
                } else {
                    PrincipalElement::NotPrincipal(grantees)
                };
            }
            "Action" | "NotAction" => {
                if !matches!(statement.actions, Element::Absent) {
                    return Err(self.error(&key, ParseProblem::Exclusive("Action", "NotAction")));
                }
                let entries = self.strings(node, ActionPattern::new)?;
                statement.actions = if member.key == "Action" {
                    Element::In(entries)
                } else {
                    Element::NotIn(entries)
                };
            }
            "Resource" | "NotResource" => {
                if found.resources.is_some() {
                    let problem = ParseProblem::Exclusive("Resource", "NotResource");
                    return Err(self.error(&key, problem));
                }
                found.resources = Some(member);
            }
            "Condition" => statement.conditions = self.conditions(node)?,
            _ => return Err(self.unknown(member)),
        }
        Ok(())
    }

    fn resources(
        &self,
        member: &Member<'_>,
        identity_based: bool,
    ) -> Read<Element<Option<Template>>> {
        let reading = Reading {
            wildcards: true,
            variables: self.version == Version::V2012,
        };
        let template = |text: &str| match missing_fields(text) {
            missing if missing > 0 && identity_based => {
                Template::new(&format!("{text}{}", ":*".repeat(missing)), reading).narrowed()
            }
            _ => Template::new(text, reading).narrowed(),
        };
        let templates = self.strings(&member.node, template)?;
        Ok(if member.key == "Resource" {
            Element::In(templates)
        } else {
            Element::NotIn(templates)
        })
    }

    fn effect(&self, node: &Node<'_>) -> Read<Effect> {
        match self.string(node)? {
            "Allow" => Ok(Effect::Allow),
            "Deny" => Ok(Effect::Deny),
            _ => Err(self.expected(node, "`Allow` or `Deny`")),
        }
    }

    fn grantees(&mut self, node: &'a Node<'a>) -> Read<Vec<Grantee>> {
        if let Value::String(text) = &node.value {
            return if text == "*" {
                Ok(vec![Grantee::Everyone])
            } else {
                Err(self.expected(node, "`*` or an object"))
            };
        }
        let mut grantees = Vec::new();
        for member in self.object(node, "`*` or an object")? {
            self.within(&member.key, |reader| {
                let kind = match member.key.as_ref() {
                    "AWS" => None,
                    "Service" => Some(NameKind::Service),
                    "Federated" => Some(NameKind::Federated),
                    "CanonicalUser" => Some(NameKind::CanonicalUser),
                    _ => return Err(reader.unknown(member)),
                };
                let named = reader.strings(&member.node, |text| match kind {
                    None => Grantee::aws(text),
                    Some(kind) => Grantee::Name(kind, text.into()),
                })?;
                if grantees.is_empty() {
                    grantees = named;
                } else {
                    grantees.extend(named);
                }
                Ok(())
            })?;
        }
        Ok(grantees)
    }

    fn conditions(&mut self, node: &'a Node<'a>) -> Read<Vec<Condition>> {
        let operators = self.object(node, "an object of operators")?;
        let mut conditions = Vec::with_capacity(operators.len());
        for operator in operators {
            self.within(&operator.key, |reader| {
                let Some(parsed) = Operator::parse(&operator.key) else {
                    let problem = ParseProblem::UnknownOperator(shown(&operator.key));
                    return Err(reader.error(&(operator.key_at..operator.key_at), problem));
                };
                let variables = reader.version == Version::V2012;
                for key in reader.object(&operator.node, "an object of condition keys")? {
                    let operand = |text: &str| Operand::new(parsed.comparison, text, variables);
                    let operands =
                        reader.within(&key.key, |reader| reader.values(&key.node, operand))?;
                    conditions.push(Condition::new(parsed, &key.key, operands));
                }
                Ok(())
            })?;
        }
        Ok(conditions)
    }

    /// A condition's values: strings, numbers or booleans, one or a list.
    fn values<T>(&self, node: &Node<'_>, read: impl Fn(&str) -> T) -> Read<Vec<T>> {
        let items = match &node.value {
            Value::Array(items) => items.as_slice(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => slice::from_ref(node),
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(match &item.value {
                Value::String(text) => read(text),
                Value::Number(text) => read(text),
                Value::Bool(true) => read("true"),
                Value::Bool(false) => read("false"),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    let wanted = "a string, number or boolean, or a list of them";
                    return Err(self.expected(node, wanted));
                }
            });
        }
        Ok(values)
    }
}
