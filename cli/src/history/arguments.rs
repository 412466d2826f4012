//! The options of `copymend history`.

use clap::{Args, ValueEnum};
use copymend_policy::AccountId;
use copymend_remediation::records::RecordKind;
use copymend_survey::RegionCode;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment, or how long ago one was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    At(Timestamp),
    Ago(SignedDuration),
}

impl When {
    pub(crate) fn moment(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

/// `7d`, `12h`, a day in UTC, or a moment.
fn when(text: &str) -> Result<When, String> {
    let number = |unit| {
        let digits = text.strip_suffix(unit)?;
        digits.parse::<u16>().ok().map(i64::from)
    };
    if let Some(days) = number('d') {
        return Ok(When::Ago(SignedDuration::from_hours(24 * days)));
    }
    if let Some(hours) = number('h') {
        return Ok(When::Ago(SignedDuration::from_hours(hours)));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(When::At(moment));
    }
    let day = text.parse::<Date>().ok();
    let start = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    start.map(|start| When::At(start.timestamp())).ok_or_else(|| {
        "neither so many days or hours ago (7d, 12h), nor a day (2026-11-01), nor a moment (2026-11-01T06:00:00Z)"
            .to_owned()
    })
}

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Copies that failed for one reason
    Incident,
    /// Writes to policies, and undos
    Change,
    /// Who isn't admitted again after an undo
    Refusal,
    /// When a person stopped every write
    Pause,
    /// Plans that people were asked about, and their answers
    Approval,
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Incident => Self::Incident,
            Kind::Change => Self::Change,
            Kind::Refusal => Self::Refusal,
            Kind::Pause => Self::Pause,
            Kind::Approval => Self::Approval,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  copymend history --stack copymend
  copymend history --stack copymend --resource arn:aws:backup:eu-west-1:111122223333:backup-vault:dr --since 365d
  copymend history --stack copymend --kind change --since 2026-10-01 --until 2026-11-01 --json > october.json
  copymend history --stack copymend 1DE46DC6-1784-4B3F-8A2D-000000000001-1767225600000

What the ledger has on record, the newest first: incidents, changes of policies and their undos, refusals, pauses, approvals.
Each is listed by when something last happened to it. With a change's id: its diff, what it was decided on, who made it, and how it
is taken back. Only the ledger is read, by its indexes; docs/history.md has the permissions, and what is not on record. With
--json:
{\"history\":1,\"since\",\"until\",\"resource\",\"account\",\"kinds\",\"records\":[{\"kind\",\"at\",…}],\"goes_on_before\",\"unreadable\"}
A change has \"id\",\"state\",\"resource\",\"grantee\",\"account\",\"before\",\"after\",\"statements\",\"certificate\",\"copy_job_id\",\"made_by\",
\"undoes\",\"allows_again\",\"undone_by\",\"undo\",\"grounds\":{\"program_version\",\"settings_hash\",\"settings\",\"admitted_by\",\"guards\"}.

Exit codes: 0 shown, even where there is nothing; 1 some records can't be read, and the rest is shown, or no change has that
id; 2 wrong usage, or the ledger can't be read.")]
pub(crate) struct HistoryArguments {
    /// One change, by its id
    #[arg(conflicts_with_all = ["resource", "account", "since", "until", "kinds"])]
    pub(crate) change: Option<String>,
    /// Only about this vault, key or role
    #[arg(long, value_name = "ARN")]
    pub(crate) resource: Option<String>,
    /// Only about this account, as the owner of the resource or as the one that is admitted or whose
    /// copies fail
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<AccountId>,
    /// From then on: so long ago (7d, 12h), a day in UTC (2026-11-01), or a moment
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = when)]
    pub(crate) since: When,
    /// Before then [default: now]
    #[arg(long, value_name = "TIME", value_parser = when)]
    pub(crate) until: Option<When>,
    /// Only of this kind; several by commas, or by giving it again
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<Kind>,
    /// Stop at the end of the day that has the so-manieth record
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) most: u32,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: LedgerArguments,
}

/// Where the ledger is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct LedgerArguments {
    /// The ledger's table, by its name or its ARN [default: that of the stack, or
    /// `COPYMEND_LEDGER_TABLE`]
    #[arg(long, value_name = "TABLE", conflicts_with = "stack")]
    pub(crate) ledger: Option<String>,
    /// The hub's stack, whose ledger counts
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// A profile of the shared AWS configuration
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// The Region of the ledger [default: that of the environment or of the profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<RegionCode>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_a_day_or_so_long_ago() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("7d", "2026-11-15T12:00:00Z"),
            ("12h", "2026-11-22T00:00:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T06:00:00+01:00", "2026-11-01T05:00:00Z"),
        ] {
            let moment = when(text).map(|when| when.moment(now).to_string());
            assert_eq!(moment.as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "d", "-1d", "7", "yesterday", "2026-13-01", "99999999d"] {
            assert!(when(text).is_err(), "{text}");
        }
    }
}
