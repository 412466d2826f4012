//! The alias of the copy remediator by which people answer plans. Whoever answers needs to be let invoke
//! it, and nothing else.

use std::time::SystemTime;

use aws_config::{Region, SdkConfig};
use copymend_policy::Arn;
use copymend_remediation::approval::{ALIAS, ApprovalInput, SignedIdentity, SignedWords};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use serde_json::Value;

use super::{COPY_REMEDIATOR, Whose, formation, functions};
use crate::callers::{SigningError, sign_answer};
use crate::error::Call;
use crate::signed;

/// The way to the alias.
#[derive(Debug)]
pub struct ApprovalsAlias {
    config: SdkConfig,
    region: String,
    /// The function's name or ARN, as AWS Lambda takes it.
    function: String,
}

/// What answers says that it is another function than the one that was asked.
#[derive(Debug, thiserror::Error)]
#[error(
    "the function that answers says that it is `{said}`, and not `{asked}`: nothing was signed"
)]
pub struct NotTheFunction {
    said: String,
    asked: String,
}

impl ApprovalsAlias {
    /// Of a function, by its name or ARN. The ARN's Region counts.
    pub async fn of_function(whose: Whose<'_>, function: &str) -> CallResult<Self> {
        let arn: Option<Arn> = function.parse().ok();
        let config = whose.config().await;
        let config = match arn
            .as_ref()
            .map(Arn::region)
            .filter(|region| !region.is_empty())
        {
            Some(region) => config
                .to_builder()
                .region(Region::new(region.to_owned()))
                .build(),
            None => config,
        };
        // With the alias it may be given, too.
        let function = function
            .strip_suffix(&format!(":{ALIAS}"))
            .unwrap_or(function);
        Self::new(config, function)
    }

    /// Of a stack, whose function is looked up.
    pub async fn of_stack(whose: Whose<'_>, stack: &str) -> CallResult<Self> {
        let config = whose.config().await;
        let deployed = formation::stack(&config, stack).await?;
        let function = deployed.id(COPY_REMEDIATOR).ok_or_else(|| {
            let call = Call::new("cloudformation:ListStackResources", stack);
            call.error(
                CallErrorKind::Failed,
                "the stack has no function `CopyRemediator`: name the hub's stack",
            )
        })?;
        let function = function.to_owned();
        Self::new(config, &function)
    }

    fn new(config: SdkConfig, function: &str) -> CallResult<Self> {
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            Call::new("lambda:InvokeFunction", function).error(
                CallErrorKind::Failed,
                "no Region: name one with --region, or set `region` in the profile or AWS_REGION",
            )
        })?;
        Ok(Self {
            config,
            region,
            function: function.to_owned(),
        })
    }

    /// Asks the alias. Answers what the function answers, and whether that is an error of it.
    pub async fn ask(&self, input: &ApprovalInput) -> CallResult<(Value, bool)> {
        let event = input.to_event();
        let asked = (self.function.as_str(), Some(ALIAS));
        let invoked = functions::invoke(&self.config, asked, &event).await?;
        Ok((invoked.answer, invoked.is_failed))
    }

    /// Signs an answer with the person's credentials, to be shown to AWS STS in the function's Region.
    pub async fn sign(&self, words: &SignedWords) -> Result<SignedIdentity, SigningError> {
        sign_answer(&self.config, &self.region, words, SystemTime::now()).await
    }

    /// Whether what the function says of itself is what was asked. Otherwise somebody else's function
    /// might have people sign answers to this one.
    ///
    /// Where another address stands for AWS's, what is behind it has an ARN of its own; there only the
    /// name is compared.
    pub async fn check(&self, said: &str) -> CallResult<Result<(), NotTheFunction>> {
        let not = || NotTheFunction {
            said: said.chars().take(200).collect(),
            asked: format!("{}:{ALIAS}", self.function),
        };
        let Ok(said_arn) = said.parse::<Arn>() else {
            return Ok(Err(not()));
        };
        let asked_arn: Option<Arn> = self.function.parse().ok();
        let asked_name = match &asked_arn {
            Some(arn) => arn
                .resource()
                .split(':')
                .nth(1)
                .unwrap_or_default()
                .to_owned(),
            // `ACCOUNT:function:NAME` is taken by AWS Lambda as well.
            None => self
                .function
                .rsplit(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        let is_name = said_arn.resource() == format!("function:{asked_name}:{ALIAS}");
        let is_place = signed::is_elsewhere(&self.config, functions::LAMBDA, &self.region)
            || (said_arn.region() == self.region
                && self.account(asked_arn.as_ref()).await? == said_arn.account());
        Ok(if is_name && is_place {
            Ok(())
        } else {
            Err(not())
        })
    }

    /// The account of the function: that of its ARN, or the person's own.
    async fn account(&self, asked: Option<&Arn>) -> CallResult<String> {
        if let Some(asked) = asked {
            return Ok(asked.account().to_owned());
        }
        let identity = crate::sts::caller_identity(&self.config).await?;
        Ok(identity.account.to_string())
    }
}
