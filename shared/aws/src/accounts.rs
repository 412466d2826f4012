//! Credentials and clients for each account and Region.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use copymend_diagnosis::RoleArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::config::briefly;
use crate::error::Call;
use crate::sts::{self, AssumedRole, IDENTITY, Session};

/// The access key that the SAM CLI gives a function where it finds no credentials.
const PLACEHOLDER_ACCESS_KEY: &str = "defaultkey";

/// Calls that wait for the same answer share its failure for this long, instead of each trying
/// again.
const SHARED_FAILURE: Duration = Duration::from_secs(5);

/// Who we are, from `sts:GetCallerIdentity`.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) account: AccountId,
    pub(crate) partition: String,
}

/// How a member account is reached.
#[derive(Clone, Debug)]
struct Member {
    role: Arc<str>,
    config: SdkConfig,
    session: Session,
}

/// How other accounts are reached, as the settings or the options say it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberRole {
    /// `COPYMEND_MEMBER_ROLE`: a name with its path, an ARN with `*` as account, or the ARN of one
    /// role.
    pub(crate) setting: Option<String>,
    /// `COPYMEND_EXTERNAL_ID`: the external id to assume it with.
    pub(crate) external_id: Option<String>,
    /// Who named it.
    pub(crate) named_by: NamedBy,
}

/// What names the role to assume, so that an error says what to change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum NamedBy {
    /// The functions' setting.
    #[default]
    Setting,
    /// The command line's option.
    #[cfg(feature = "survey")]
    Option,
}

impl NamedBy {
    const fn name(self) -> &'static str {
        match self {
            Self::Setting => "COPYMEND_MEMBER_ROLE",
            #[cfg(feature = "survey")]
            Self::Option => "--reader-role",
        }
    }
}

/// The way into every account: the own one with the function's credentials, others through the
/// member role.
#[derive(Debug)]
pub(crate) struct Accounts {
    config: SdkConfig,
    /// That of the call which asks who we are.
    of_identity: SdkConfig,
    member_role: MemberRole,
    own: OnceCell<Identity>,
    failure: Mutex<Option<(Instant, CallError)>>,
    members: Mutex<HashMap<AccountId, Member>>,
    /// Accounts with credentials of their own.
    others: HashMap<AccountId, SdkConfig>,
    is_local_run: bool,
    /// When each call may go out; as soon as it wants to where there is none.
    #[cfg(feature = "survey")]
    pace: Option<Arc<crate::pace::Pace>>,
}

impl Accounts {
    pub(crate) fn new(config: SdkConfig, member_role: MemberRole) -> Self {
        Self {
            of_identity: config.clone(),
            config,
            member_role,
            own: OnceCell::new(),
            failure: Mutex::default(),
            members: Mutex::default(),
            others: HashMap::new(),
            is_local_run: false,
            #[cfg(feature = "survey")]
            pace: None,
        }
    }

    /// The same with every call in its turn.
    #[cfg(feature = "survey")]
    pub(crate) fn paced(mut self, pace: Arc<crate::pace::Pace>) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Whose credentials these are.
    #[cfg(feature = "survey")]
    pub(crate) async fn identity(&self) -> CallResult<&Identity> {
        self.own.get_or_try_init(|| self.who_we_are()).await
    }

    /// The same with other accounts that are called with credentials of their own, instead of a
    /// role.
    #[cfg(feature = "proving")]
    pub(crate) fn with_others(
        mut self,
        others: impl IntoIterator<Item = (AccountId, SdkConfig)>,
    ) -> Self {
        self.others.extend(others);
        self
    }

    /// For a deployed function, or for a run by hand.
    pub(crate) fn of(config: SdkConfig, member_role: MemberRole, is_local_run: bool) -> Self {
        if is_local_run {
            Self::in_local_run(config, member_role)
        } else {
            Self::new(config, member_role)
        }
    }

    /// The same for a run by hand with the SAM CLI.
    pub(crate) fn in_local_run(config: SdkConfig, member_role: MemberRole) -> Self {
        Self {
            of_identity: briefly(&config),
            is_local_run: true,
            ..Self::new(config, member_role)
        }
    }

    /// The configuration of the function itself.
    pub(crate) const fn own_config(&self) -> &SdkConfig {
        &self.config
    }

    /// The configuration to call `account` with, and the role that it assumes.
    async fn config_of(
        &self,
        call: &Call,
        account: AccountId,
        partition: Option<&str>,
    ) -> CallResult<(SdkConfig, Option<Arc<str>>)> {
        if let Some(config) = self.others.get(&account) {
            return Ok((config.clone(), None));
        }
        let own = self.own.get_or_try_init(|| self.who_we_are()).await?;
        if own.account == account {
            return Ok((self.config.clone(), None));
        }
        let member = self
            .known_or_new(account, partition.unwrap_or(&own.partition))
            .map_err(|detail| call.error(CallErrorKind::Failed, detail))?;
        Ok((member.config, Some(member.role)))
    }

    /// Whoever came first is kept, so that all share one session.
    fn known_or_new(&self, account: AccountId, partition: &str) -> Result<Member, String> {
        if let Some(member) = locked(&self.members).get(&account) {
            return Ok(member.clone());
        }
        let member = self.member(account, partition)?;
        Ok(locked(&self.members)
            .entry(account)
            .or_insert(member)
            .clone())
    }

    /// Assumes the role in an account that wasn't called yet, so that its first call need not wait for it.
    /// Where that fails, the first call tries again, and tells why.
    pub(crate) async fn make_ready(&self, account: AccountId, partition: &str) {
        let is_known = locked(&self.members).contains_key(&account);
        if is_known || self.others.contains_key(&account) {
            return;
        }
        let Ok(own) = self.own.get_or_try_init(|| self.who_we_are()).await else {
            return;
        };
        if own.account == account {
            return;
        }
        if let Ok(member) = self.known_or_new(account, partition) {
            member.session.begin().await;
        }
    }

    /// Takes it as known who we are, so that AWS STS isn't asked.
    pub(crate) fn know(&self, identity: Identity) {
        // Whoever asked AWS STS before knows it as well.
        let _ = self.own.set(identity);
    }

    async fn who_we_are(&self) -> CallResult<Identity> {
        let recent = locked(&self.failure).clone();
        if let Some((at, error)) = recent
            && at.elapsed() < SHARED_FAILURE
        {
            return Err(error);
        }
        let identity = self.caller_identity().await;
        *locked(&self.failure) = identity
            .as_ref()
            .err()
            .map(|error| (Instant::now(), error.clone()));
        identity
    }

    async fn caller_identity(&self) -> CallResult<Identity> {
        if self.is_local_run && self.has_placeholder_credentials().await {
            return Err(Call::new(IDENTITY, "*").error(
                CallErrorKind::Failed,
                "no credentials: the SAM CLI found none on this machine",
            ));
        }
        sts::caller_identity(&self.of_identity).await
    }

    /// Whether the credentials are those that the SAM CLI makes up where it finds none (seen:
    /// `samcli/local/lambdafn/env_vars.py`).
    async fn has_placeholder_credentials(&self) -> bool {
        let Some(provider) = self.config.credentials_provider() else {
            return false;
        };
        let credentials = provider.provide_credentials().await;
        credentials.is_ok_and(|found| found.access_key_id() == PLACEHOLDER_ACCESS_KEY)
    }

    fn member(&self, account: AccountId, partition: &str) -> Result<Member, String> {
        if !self.others.is_empty() {
            return Err(format!(
                "account {account} is of neither profile, so it is not called"
            ));
        }
        let named_by = self.member_role.named_by;
        let setting = self.member_role.setting.as_deref().ok_or_else(|| {
            format!(
                "account {account} is not the function's own: set {} to the role to assume there",
                named_by.name()
            )
        })?;
        let role = member_role_arn(named_by, setting, partition, account)?;
        let session = Session::of(AssumedRole {
            config: self.config.clone(),
            role: role.as_str().to_owned(),
            external_id: self.member_role.external_id.clone(),
        });
        Ok(Member {
            role: role.as_str().into(),
            config: self
                .config
                .to_builder()
                .credentials_provider(SharedCredentialsProvider::new(session.clone()))
                .build(),
            session,
        })
    }
}

/// The member role of an account. The setting is a name with its path, an ARN with `*` as account,
/// or the ARN of one role.
pub(crate) fn member_role_arn(
    named_by: NamedBy,
    setting: &str,
    partition: &str,
    account: AccountId,
) -> Result<RoleArn, String> {
    let text = match setting.strip_prefix("arn:") {
        None => format!(
            "arn:{partition}:iam::{account}:role/{}",
            setting.trim_start_matches('/')
        ),
        Some(rest) => match rest.split(':').collect::<Vec<_>>().as_slice() {
            [partition, "iam", "", "*", role] => {
                format!("arn:{partition}:iam::{account}:{role}")
            }
            [_, "iam", "", one, _] if *one == account.as_str() => setting.to_owned(),
            [_, "iam", "", one, _] => {
                return Err(format!(
                    "{} names a role of account {one}, so account {account} cannot be reached: write `*` in place of the account",
                    named_by.name()
                ));
            }
            _ => setting.to_owned(),
        },
    };
    text.parse()
        .map_err(|error| format!("{} cannot be used: {error}", named_by.name()))
}

/// The clients of one service, each made when it is first needed.
#[derive(Debug)]
pub(crate) struct Clients<C> {
    accounts: Arc<Accounts>,
    make: fn(&SdkConfig) -> C,
    made: Mutex<HashMap<Place, Made<C>>>,
}

type Place = (AccountId, Option<String>);
type Made<C> = (C, Option<Arc<str>>);

/// Where a call goes. Without a partition or a Region it goes to the function's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) account: AccountId,
    pub(crate) partition: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// The account and Region that own a resource.
    pub(crate) fn owner_of(call: &Call, arn: &'a Arn) -> CallResult<Self> {
        Ok(Self {
            region: Some(arn.region()),
            ..Self::account_of(call, arn)?
        })
    }

    /// The account that owns what a global service keeps, such as a role.
    pub(crate) fn account_of(call: &Call, arn: &'a Arn) -> CallResult<Self> {
        let account = arn
            .account_id()
            .ok_or_else(|| call.error(CallErrorKind::Failed, "its ARN names no real account"))?;
        Ok(Self::global(account, arn.partition()))
    }

    /// A global service in an account: the SDK finds the endpoint of the partition from the
    /// function's Region.
    pub(crate) const fn global(account: AccountId, partition: &'a str) -> Self {
        Self {
            account,
            partition: Some(partition),
            region: None,
        }
    }
}

impl<C: Clone> Clients<C> {
    pub(crate) fn new(accounts: Arc<Accounts>, make: fn(&SdkConfig) -> C) -> Self {
        Self {
            accounts,
            make,
            made: Mutex::default(),
        }
    }

    /// A client for the account and Region, and the call with what is known of both.
    pub(crate) async fn of(&self, call: Call, target: Target<'_>) -> CallResult<(C, Call)> {
        let place = (target.account, target.region.map(ToOwned::to_owned));
        let known = locked(&self.made).get(&place).cloned();
        let (client, role) = if let Some(made) = known {
            made
        } else {
            // Boxed, because it is needed once, and large: every call's future would carry it
            // along.
            let (config, role) = Box::pin(self.accounts.config_of(
                &call,
                target.account,
                target.partition,
            ))
            .await?;
            let config = match target.region {
                Some(region) => config
                    .into_builder()
                    .region(Region::new(region.to_owned()))
                    .build(),
                None => config,
            };
            let made = ((self.make)(&config), role);
            locked(&self.made).insert(place, made.clone());
            made
        };
        #[cfg(feature = "survey")]
        if let Some(pace) = &self.accounts.pace {
            pace.turn(target.account, target.region, call.operation())
                .await;
        }
        Ok((client, call.within(target.account, role)))
    }
}

/// No lock is held over an await, and a map is never left half written.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
