//! A planned change in the words of the tools that people change policies with: the AWS CLI, Terraform
//! and `CloudFormation`. Pure.
//!
//! A policy holds text that others wrote. Every text stands in quotes of the tool's own, with every sign
//! that isn't plain ASCII escaped, so that none of it can end its string or its file.

use std::fmt::Write as _;

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::PolicyDocument;
use copymend_remediation::report::PolicyChange;
use serde_json::{Map, Value};

/// What a change is made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Commands of the AWS CLI.
    AwsCli,
    /// Terraform, or `OpenTofu`.
    Terraform,
    /// `CloudFormation`, in YAML.
    CloudFormation,
}

/// The change for this tool, to be pasted. `plan` names what it is of; `start` is the step that starts
/// the copy again. `None` where the change can't be said: a statement of it can't be read.
#[must_use]
pub fn paste(tool: Tool, change: &PolicyChange, plan: &str, start: &str) -> Option<String> {
    let target = Target::of(&change.resource);
    let statements = match target {
        Target::Role => Vec::new(),
        Target::Vault(_) | Target::Key(_) => statements(change)?,
    };
    let mut text = String::new();
    let comment = |text: &mut String, line: &str| {
        let _ = writeln!(text, "# {}", plain(line));
    };
    let account = account_of(&change.resource);
    match tool {
        Tool::AwsCli => {
            comment(
                &mut text,
                &format!("Plan {plan}: the policy of {}", change.resource),
            );
            cli(&mut text, &target, change, &account);
            text.push('\n');
            for line in start.lines().take(1) {
                comment(&mut text, line);
            }
            for line in start.lines().skip(1) {
                let _ = writeln!(text, "{line}");
            }
        }
        Tool::Terraform => {
            comment(
                &mut text,
                &format!("Plan {plan}: the policy of {}", change.resource),
            );
            terraform(&mut text, &target, change, &statements);
        }
        Tool::CloudFormation => {
            comment(
                &mut text,
                &format!("Plan {plan}: the policy of {}", change.resource),
            );
            cloudformation(&mut text, &target, change, &statements);
        }
    }
    Some(text)
}

enum Target {
    Vault(BackupVaultArn),
    Key(KeyArn),
    /// AWS Backup's service-linked role: no policy is edited.
    Role,
}

impl Target {
    fn of(resource: &str) -> Self {
        let vault = resource.parse().map(Self::Vault).ok();
        let key = || resource.parse().map(Self::Key).ok();
        vault.or_else(key).unwrap_or(Self::Role)
    }
}

fn account_of(resource: &str) -> String {
    plain(resource.split(':').nth(4).unwrap_or_default())
}

/// The statements that are added, as they stand in the policy after.
fn statements(change: &PolicyChange) -> Option<Vec<Map<String, Value>>> {
    let policy = PolicyDocument::parse(&change.after).ok()?;
    let added = policy.statements().iter().filter(|statement| {
        let sid = statement.sid();
        sid.is_some_and(|sid| change.added.iter().any(|one| one == sid))
    });
    let statements: Option<Vec<_>> = added
        .map(|statement| match serde_json::from_str(statement.as_str()) {
            Ok(Value::Object(members)) => Some(members),
            Ok(_) | Err(_) => None,
        })
        .collect();
    statements.filter(|found| found.len() == change.added.len())
}

fn cli(text: &mut String, target: &Target, change: &PolicyChange, account: &str) {
    let (put, get, file) = match target {
        Target::Role => {
            let _ = writeln!(
                text,
                "# With credentials of account {account}:\naws iam create-service-linked-role --aws-service-name backup.amazonaws.com"
            );
            return;
        }
        Target::Vault(vault) => {
            let (name, region) = (vault.name(), vault.region());
            (
                format!(
                    "aws backup put-backup-vault-access-policy --region {region} --backup-vault-name {name} --policy"
                ),
                format!(
                    "aws backup get-backup-vault-access-policy --region {region} --backup-vault-name {name}"
                ),
                "vault-policy.json",
            )
        }
        Target::Key(key) => {
            let region = key.region();
            let arn = key.as_str();
            (
                format!(
                    "aws kms put-key-policy --region {region} --key-id {arn} --policy-name default --policy"
                ),
                format!(
                    "aws kms get-key-policy --region {region} --key-id {arn} --policy-name default"
                ),
                "key-policy.json",
            )
        }
    };
    let look = match &change.before {
        Some(_) => {
            "Look first: the policy must be the one that the plan was made for. Where it changed, plan again."
        }
        None => {
            "Look first: there must be no policy (ResourceNotFoundException). Where there is one, plan again."
        }
    };
    let _ = writeln!(
        text,
        "# With credentials of account {account}. {look}\n{get} --query Policy --output text\n\n# The whole policy: a put replaces it.\ncat > {file} <<'END_OF_POLICY'"
    );
    let _ = writeln!(
        text,
        "{}\nEND_OF_POLICY\n{put} file://{file}",
        ascii_json(&change.after)
    );
}

fn terraform(
    text: &mut String,
    target: &Target,
    change: &PolicyChange,
    statements: &[Map<String, Value>],
) {
    let resource = match target {
        Target::Role => {
            text.push_str("resource \"aws_iam_service_linked_role\" \"backup\" {\n  aws_service_name = \"backup.amazonaws.com\"\n}\n");
            return;
        }
        Target::Vault(vault) => format!(
            "resource \"aws_backup_vault_policy\" \"copymend\" {{\n  backup_vault_name = {}\n  policy            = data.aws_iam_policy_document.copymend.json\n}}",
            hcl(vault.name())
        ),
        Target::Key(key) => format!(
            "resource \"aws_kms_key_policy\" \"copymend\" {{\n  key_id = {}\n  policy = data.aws_iam_policy_document.copymend.json\n}}",
            hcl(key.as_str())
        ),
    };
    text.push_str(if change.before.is_some() {
        "# Add these statements to the document that the policy is made of, or name that document here:\n#   source_policy_documents = [data.aws_iam_policy_document.NAME.json]\n# A policy that this document alone makes would replace all statements that are there.\n"
    } else {
        "# There is no policy yet.\n"
    });
    text.push_str("data \"aws_iam_policy_document\" \"copymend\" {\n");
    for (place, statement) in statements.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        hcl_statement(text, statement);
    }
    text.push_str("}\n");
    if change.before.is_none() {
        let _ = writeln!(text, "\n{resource}");
    }
}

fn hcl_statement(text: &mut String, statement: &Map<String, Value>) {
    text.push_str("  statement {\n");
    let one = |name: &str| match statement.get(name) {
        Some(Value::String(value)) => Some(hcl(value)),
        Some(_) | None => None,
    };
    let list = |name: &str| statement.get(name).map(hcl_list);
    let arguments: Vec<(&str, String)> = [
        ("sid", one("Sid")),
        ("effect", one("Effect")),
        ("actions", list("Action")),
        ("not_actions", list("NotAction")),
        ("resources", list("Resource")),
        ("not_resources", list("NotResource")),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let width = arguments
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    for (name, value) in &arguments {
        let _ = writeln!(text, "    {name:<width$} = {value}");
    }
    for (name, block) in [
        ("Principal", "principals"),
        ("NotPrincipal", "not_principals"),
    ] {
        let Some(value) = statement.get(name) else {
            continue;
        };
        let kinds: Vec<(&str, &Value)> = match value.as_object() {
            Some(kinds) => kinds
                .iter()
                .map(|(kind, who)| (kind.as_str(), who))
                .collect(),
            None => vec![("*", value)],
        };
        for (kind, who) in kinds {
            let _ = writeln!(
                text,
                "\n    {block} {{\n      type        = {}\n      identifiers = {}\n    }}",
                hcl(kind),
                hcl_list(who)
            );
        }
    }
    if let Some(Value::Object(operators)) = statement.get("Condition") {
        for (operator, keys) in operators {
            for (key, values) in keys.as_object().into_iter().flatten() {
                let _ = writeln!(
                    text,
                    "\n    condition {{\n      test     = {}\n      variable = {}\n      values   = {}\n    }}",
                    hcl(operator),
                    hcl(key),
                    hcl_list(values)
                );
            }
        }
    }
    text.push_str("  }\n");
}

fn hcl_list(value: &Value) -> String {
    let one = |value: &Value| match value.as_str() {
        Some(text) => hcl(text),
        None => hcl(&value.to_string()),
    };
    let entries: Vec<String> = match value.as_array() {
        Some(entries) => entries.iter().map(one).collect(),
        None => vec![one(value)],
    };
    format!("[{}]", entries.join(", "))
}

/// A quoted string of HCL: as in JSON, and `${` and `%{` begin no template.
fn hcl(text: &str) -> String {
    quoted(text).replace("${", "$${").replace("%{", "%%{")
}

fn cloudformation(
    text: &mut String,
    target: &Target,
    change: &PolicyChange,
    statements: &[Map<String, Value>],
) {
    let (resource, property) = match target {
        Target::Role => {
            text.push_str("BackupRole:\n  Type: AWS::IAM::ServiceLinkedRole\n  Properties:\n    AWSServiceName: backup.amazonaws.com\n");
            return;
        }
        Target::Vault(_) => (
            "AWS::Backup::BackupVault or AWS::Backup::LogicallyAirGappedBackupVault",
            "AccessPolicy",
        ),
        Target::Key(_) => ("AWS::KMS::Key", "KeyPolicy"),
    };
    let _ = writeln!(text, "# A property of {resource}.");
    if change.before.is_some() {
        text.push_str("# Add these statements to those that the template has: the property is the whole policy.\n");
    }
    let _ = writeln!(text, "{property}:\n  Version: \"2012-10-17\"\n  Statement:");
    for statement in statements {
        for (place, (name, value)) in statement.iter().enumerate() {
            let indent = if place == 0 { "    - " } else { "      " };
            let _ = write!(text, "{indent}{}:", yaml_key(name));
            yaml(text, value, 8);
        }
    }
}

/// A value after its key, with the line's end.
fn yaml(text: &mut String, value: &Value, indent: usize) {
    match (value.as_object(), value.as_array()) {
        (Some(members), _) if !members.is_empty() => {
            text.push('\n');
            for (name, value) in members {
                let _ = write!(text, "{:indent$}{}:", "", yaml_key(name));
                yaml(text, value, indent.saturating_add(2));
            }
        }
        (_, Some(entries)) if !entries.is_empty() => {
            text.push('\n');
            for entry in entries {
                let _ = writeln!(text, "{:indent$}- {}", "", ascii_json(&entry.to_string()));
            }
        }
        // JSON is YAML.
        (Some(_) | None, Some(_) | None) => {
            let _ = writeln!(text, " {}", ascii_json(&value.to_string()));
        }
    }
}

fn yaml_key(name: &str) -> String {
    if !name.is_empty() && name.bytes().all(|sign| sign.is_ascii_alphanumeric()) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    ascii_json(&Value::String(text.to_owned()).to_string())
}

/// The same JSON with every sign that isn't visible ASCII escaped. White space between its parts stays.
fn ascii_json(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for sign in json.chars() {
        if sign.is_ascii_graphic() || matches!(sign, ' ' | '\n' | '\t') {
            ascii.push(sign);
        } else if sign != '\r' {
            let mut units = [0; 2];
            for unit in sign.encode_utf16(&mut units) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

/// A text in a comment: one line of visible ASCII.
fn plain(text: &str) -> String {
    let visible = |sign: char| {
        if sign.is_ascii_graphic() || sign == ' ' {
            sign
        } else {
            '?'
        }
    };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "Start the copy again, in account 111122223333:\naws backup start-copy-job --region us-east-1";

    fn change(resource: &str, before: Option<&str>, statement: &str) -> PolicyChange {
        let after = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        PolicyChange {
            resource: resource.to_owned(),
            before: before.map(ToOwned::to_owned),
            after,
            added: vec!["CopymendA".to_owned()],
            certificate: None,
            applied: false,
            id: None,
            grantee: None,
        }
    }

    const STATEMENT: &str = r#"{"Sid":"CopymendA","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/Backup"},"Action":"backup:CopyIntoBackupVault","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}"#;
    const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn a_vault_without_a_policy_and_a_key_with_one() {
        let mut text = String::new();
        for (resource, before) in [(VAULT, None), (KEY, Some("{}"))] {
            for tool in [Tool::AwsCli, Tool::Terraform, Tool::CloudFormation] {
                let _ = writeln!(text, "── {resource}, {tool:?}");
                text.push_str(
                    &paste(
                        tool,
                        &change(resource, before, STATEMENT),
                        "7K3F-9Q2M-X4TD",
                        START,
                    )
                    .unwrap(),
                );
            }
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_role_is_created() {
        let role = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
        let mut made = change(role, None, STATEMENT);
        made.after = "AWSServiceRoleForBackup, created for backup.amazonaws.com".to_owned();
        for (tool, word) in [
            (Tool::AwsCli, "aws iam create-service-linked-role"),
            (Tool::Terraform, "aws_iam_service_linked_role"),
            (Tool::CloudFormation, "AWS::IAM::ServiceLinkedRole"),
        ] {
            assert!(paste(tool, &made, "x", START).unwrap().contains(word));
        }
    }

    #[test]
    fn text_of_others_ends_neither_its_string_nor_its_file() {
        let hostile = r#"{"Sid":"CopymendA","Effect":"Allow","Principal":{"AWS":"x\"}\n${path}%{if}\u202e'; rm é"},"Action":"backup:CopyIntoBackupVault","Resource":"*"}"#;
        let change = change(VAULT, Some("{}"), hostile);
        let terraform = paste(Tool::Terraform, &change, "x\n$(id)", START).unwrap();
        assert!(
            terraform.contains(r#""x\"}\n$${path}%%{if}\u202e'; rm \u00e9""#),
            "{terraform}"
        );
        for tool in [Tool::AwsCli, Tool::Terraform, Tool::CloudFormation] {
            let text = paste(tool, &change, "x\n$(id)", START).unwrap();
            let is_plain =
                |sign: char| sign.is_ascii_graphic() || matches!(sign, ' ' | '\n' | '\t');
            assert!(text.chars().all(is_plain), "{text}");
            assert!(text.starts_with("# Plan x?$(id): "), "{text}");
            assert!(
                text.lines()
                    .all(|line| !line.starts_with("${") && line != "'; rm"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_said() {
        let mut lost = change(VAULT, None, STATEMENT);
        lost.added.push("CopymendB".to_owned());
        assert_eq!(paste(Tool::Terraform, &lost, "x", START), None);
    }
}
