//! How old the newest good copy may be.

use std::fmt;
use std::str::FromStr;

use copymend_diagnosis::BackupVaultArn;
use jiff::SignedDuration;

/// A time, written with its unit: `45m`, `26h`, `8d` or `2w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(SignedDuration);

impl Age {
    /// The time in seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.as_secs()
    }

    /// As a time.
    #[must_use]
    pub const fn duration(self) -> SignedDuration {
        self.0
    }
}

impl FromStr for Age {
    type Err = InvalidObjective;

    fn from_str(text: &str) -> Result<Self, InvalidObjective> {
        let refused = || InvalidObjective(format!("`{text}` is no time: write it like 26h or 8d"));
        let unit = text.chars().last().ok_or_else(refused)?;
        let seconds: i64 = match unit {
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(refused()),
        };
        let number = text.strip_suffix(unit).ok_or_else(refused)?;
        let number: i64 = number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(refused)?;
        let seconds = number.checked_mul(seconds).ok_or_else(refused)?;
        Ok(Self(SignedDuration::from_secs(seconds)))
    }
}

/// What an objective is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum For {
    Everything,
    /// A vault's name, or its ARN.
    Vault(String),
    /// A resource type, in capitals.
    Type(String),
}

/// How old the newest good copy may be, and of what: `26h`, `vault=NAME:26h`, `vault=ARN:26h` or
/// `type=RDS:4h`.
///
/// ```
/// use copymend_survey::rpo::Objective;
///
/// assert!("type=RDS:4h".parse::<Objective>().is_ok());
/// assert!("26".parse::<Objective>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    of: For,
    age: Age,
}

/// A text that is no objective.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidObjective(String);

impl FromStr for Objective {
    type Err = InvalidObjective;

    fn from_str(text: &str) -> Result<Self, InvalidObjective> {
        let Some((of, age)) = text.rsplit_once(':') else {
            return Ok(Self {
                of: For::Everything,
                age: text.parse()?,
            });
        };
        let age = age.parse()?;
        let of = match of.split_once('=') {
            Some(("vault", name)) if !name.is_empty() => For::Vault(name.to_owned()),
            Some(("type", name)) if !name.is_empty() => For::Type(name.to_uppercase()),
            Some(_) | None => {
                return Err(InvalidObjective(format!(
                    "`{of}` names nothing that an objective is for: write vault=NAME:26h or type=RDS:4h"
                )));
            }
        };
        Ok(Self { of, age })
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            For::Everything => {}
            For::Vault(name) => write!(formatter, "vault={name}:")?,
            For::Type(name) => write!(formatter, "type={name}:")?,
        }
        let seconds = self.age.seconds();
        if seconds % 86_400 == 0 {
            write!(formatter, "{}d", seconds / 86_400)
        } else if seconds % 3_600 == 0 {
            write!(formatter, "{}h", seconds / 3_600)
        } else {
            write!(formatter, "{}m", seconds / 60)
        }
    }
}

/// All objectives. The shortest of those that name the vault or the type holds; where none does, the
/// shortest of those for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objectives(Vec<Objective>);

impl Objectives {
    /// These objectives.
    #[must_use]
    pub const fn new(objectives: Vec<Objective>) -> Self {
        Self(objectives)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Objective> {
        self.0.iter()
    }

    /// How old the newest good copy of a resource of this type may be in a vault; nothing where no
    /// objective says so.
    #[must_use]
    pub fn of(&self, vault: &BackupVaultArn, resource_type: &str) -> Option<Age> {
        let names = |objective: &&Objective| match &objective.of {
            For::Everything => false,
            For::Vault(name) => *name == vault.name() || name == vault.as_str(),
            For::Type(name) => resource_type.eq_ignore_ascii_case(name),
        };
        let shortest = |objectives: &mut dyn Iterator<Item = &Objective>| {
            objectives.map(|objective| objective.age).min()
        };
        shortest(&mut self.0.iter().filter(names)).or_else(|| {
            shortest(
                &mut self
                    .0
                    .iter()
                    .filter(|objective| objective.of == For::Everything),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objectives(texts: &[&str]) -> Objectives {
        Objectives::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn what_names_the_vault_or_the_type_goes_first_and_the_shortest_of_it_holds() {
        let vault = |name: &str| -> BackupVaultArn {
            format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:{name}")
                .parse()
                .unwrap()
        };
        let all = objectives(&[
            "26h",
            "vault=archive:8d",
            "type=rds:4h",
            "vault=arn:aws:backup:eu-west-1:444455556666:backup-vault:gold:90m",
        ]);
        let seconds = |name: &str, kind: &str| all.of(&vault(name), kind).unwrap().seconds();
        assert_eq!(seconds("dr", "EBS"), 26 * 3_600);
        assert_eq!(seconds("archive", "EBS"), 8 * 86_400);
        assert_eq!(seconds("archive", "RDS"), 4 * 3_600);
        assert_eq!(seconds("gold", "RDS"), 90 * 60);
        assert_eq!(objectives(&["type=S3:1h"]).of(&vault("dr"), "EBS"), None);
        let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(texts[..3], ["26h", "vault=archive:8d", "type=RDS:4h"]);
    }

    #[test]
    fn what_is_no_objective_is_refused_with_an_example() {
        for text in [
            "",
            "26",
            "h",
            "0h",
            "-1h",
            "26x",
            "name=a:1h",
            "vault=:1h",
            "1h:26h",
        ] {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains("write"), "{text}: {error}");
        }
    }
}
