//! `copymend policy grant`: the statements, and the policy with them.

use std::io::{self, Write};

use copymend_policy::{
    Certificate, GrantError, KEY_POLICY_MAX_BYTES, KeyGrant, KeyProfile, NewStatement,
    PolicyDocument, VaultGrant, VaultScope, append, check_key_policy_characters, check_size, diff,
    prove_only_adds,
};
use serde::Serialize;
use serde_json::Value;

use super::arguments::{GrantKey, GrantVault};
use super::policy;
use crate::output::{self, DIMMED, coloured_diff, printable};
use crate::{CommandError, Ending, io_error};

/// What a grant comes to, as other programs read it.
#[derive(Serialize)]
struct Answer<'a> {
    statements: Vec<Value>,
    policy: Option<&'a str>,
    certificate: Option<&'a Certificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// A policy with the statements in it, and the proof that nothing else changed.
struct Merged {
    after: PolicyDocument,
    certificate: Certificate,
}

/// The policy that the statements shall go into.
enum Target {
    /// None: only the statements are asked for.
    Unnamed,
    /// There is none yet.
    New,
    Existing(PolicyDocument),
}

impl Target {
    fn before(&self) -> Option<&PolicyDocument> {
        match self {
            Self::Existing(before) => Some(before),
            Self::Unnamed | Self::New => None,
        }
    }
}

pub(super) fn vault(arguments: &GrantVault) -> Result<Ending, CommandError> {
    if !arguments.organization_path.is_empty() && arguments.scope != VaultScope::OrganizationalUnit
    {
        // Left out silently, it would open the vault wider than asked for.
        return Err(CommandError::Usage(format!(
            "--organization-path does not limit the scope `{}`; use --scope organizational-unit",
            arguments.scope
        )));
    }
    let role = &arguments.role;
    let source_account = match arguments.source_account {
        Some(account) => account,
        None => role.account_id().ok_or_else(|| {
            CommandError::Usage(format!("the role `{}` names no account", role.as_str()))
        })?,
    };
    let grant = VaultGrant {
        partition: match &arguments.partition {
            Some(partition) => partition.clone(),
            None => role.partition().to_owned(),
        },
        source_account,
        role_arn: role.clone(),
        scope: arguments.scope,
        organization_id: arguments.organization_id.clone(),
        organization_paths: arguments.organization_path.clone(),
    };
    let target = match &arguments.policy {
        Some(path) => Target::Existing(policy(path)?),
        None if arguments.new => Target::New,
        None => Target::Unnamed,
    };
    let statements = grant.statements().map_err(|error| unsafe_grant(&error))?;
    let merged = merge(&target, &statements);
    answer(&target, &statements, merged, arguments.json)
}

pub(super) fn key(arguments: &GrantKey) -> Result<Ending, CommandError> {
    if !arguments.via.is_empty() && arguments.profile == KeyProfile::Documented {
        return Err(CommandError::Usage(
            "--via does not limit the profile `documented`; use --profile least-privilege"
                .to_owned(),
        ));
    }
    if arguments.organization_id.is_some() && arguments.profile == KeyProfile::LeastPrivilege {
        return Err(CommandError::Usage(
            "--organization-id does not limit the profile `least-privilege`; use --profile documented"
                .to_owned(),
        ));
    }
    let grant = KeyGrant {
        partition: arguments.partition.clone(),
        destination_account: arguments.destination_account,
        profile: arguments.profile,
        via_services: arguments.via.clone(),
        organization_id: arguments.organization_id.clone(),
    };
    let target = match &arguments.policy {
        Some(path) => Target::Existing(policy(path)?),
        None => Target::Unnamed,
    };
    let statements = grant.statements().map_err(|error| unsafe_grant(&error))?;
    let merged = merge(&target, &statements).and_then(|merged| {
        if let Some(Merged { after, .. }) = &merged {
            check_size(after, KEY_POLICY_MAX_BYTES).map_err(|error| error.to_string())?;
            check_key_policy_characters(after).map_err(|error| error.to_string())?;
        }
        Ok(merged)
    });
    answer(&target, &statements, merged, arguments.json)
}

fn unsafe_grant(error: &GrantError) -> CommandError {
    CommandError::Usage(format!("refused: {error}"))
}

fn merge(target: &Target, statements: &[NewStatement]) -> Result<Option<Merged>, String> {
    if matches!(target, Target::Unnamed) {
        return Ok(None);
    }
    let before = target.before();
    let after = append(before, statements).map_err(|error| error.to_string())?;
    let certificate =
        prove_only_adds(before, &after, statements).map_err(|error| error.to_string())?;
    Ok(Some(Merged { after, certificate }))
}

fn answer(
    target: &Target,
    statements: &[NewStatement],
    merged: Result<Option<Merged>, String>,
    json: bool,
) -> Result<Ending, CommandError> {
    let (merged, error) = match merged {
        Ok(merged) => (merged, None),
        Err(error) => (None, Some(error)),
    };
    let written = if json {
        machine(statements, merged.as_ref(), error.as_deref())
    } else {
        human(output::terminal(), target, statements, merged.as_ref())
    };
    written.map_err(io_error("write the answer"))?;
    let Some(error) = error else {
        return Ok(Ending::Done);
    };
    if !json {
        anstream::eprintln!("copymend: {error}");
    }
    Ok(Ending::Failed)
}

fn machine(
    statements: &[NewStatement],
    merged: Option<&Merged>,
    error: Option<&str>,
) -> io::Result<()> {
    let statements: Result<Vec<Value>, _> = statements
        .iter()
        .map(|statement| serde_json::from_str(statement.as_str()))
        .collect();
    let answer = Answer {
        statements: statements?,
        policy: merged.map(|merged| merged.after.as_str()),
        certificate: merged.map(|merged| &merged.certificate),
        error,
    };
    output::json(io::stdout().lock(), &answer)
}

fn human(
    mut output: impl Write,
    target: &Target,
    statements: &[NewStatement],
    merged: Option<&Merged>,
) -> io::Result<()> {
    let Some(Merged { after, certificate }) = merged else {
        for statement in statements {
            writeln!(output, "{}", printable(statement.as_str()))?;
        }
        return Ok(());
    };
    writeln!(output, "{DIMMED}policy:{DIMMED:#}")?;
    writeln!(output, "{}", printable(after.as_str()))?;
    if let Some(before) = target.before()
        && before != after
    {
        writeln!(output, "\n{DIMMED}change:{DIMMED:#}")?;
        coloured_diff(&mut output, &diff(Some(before.as_str()), after.as_str()))?;
    }
    writeln!(output, "\n{DIMMED}certificate:{DIMMED:#}")?;
    writeln!(output, "{}", printable(&certificate.to_string()))
}
