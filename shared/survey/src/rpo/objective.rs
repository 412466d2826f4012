//! How old the newest good copy may be.

use std::fmt;
use std::str::FromStr;

use copymend_diagnosis::{BackupVaultArn, Tags};
pub use copymend_remediation::settings::Age;
use copymend_remediation::settings::InvalidAge;

/// What an objective is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum For {
    Everything,
    /// A vault's name, or its ARN.
    Vault(String),
    /// A resource type, in capitals.
    Type(String),
    /// A tag of the resource.
    Tag {
        key: String,
        value: String,
    },
}

/// How old the newest good copy may be, and of what: `26h`, `vault=NAME:26h`, `vault=ARN:26h`,
/// `type=RDS:4h` or `tag=KEY=VALUE:1h`. A tag's key ends at the first `=`.
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

impl From<InvalidAge> for InvalidObjective {
    fn from(error: InvalidAge) -> Self {
        Self(error.to_string())
    }
}

impl Objective {
    /// One for everything.
    pub(super) const fn of_everything(age: Age) -> Self {
        Self {
            of: For::Everything,
            age,
        }
    }
}

impl FromStr for Objective {
    type Err = InvalidObjective;

    fn from_str(text: &str) -> Result<Self, InvalidObjective> {
        let Some((of, age)) = text.rsplit_once(':') else {
            return Ok(Self::of_everything(text.parse()?));
        };
        let age = age.parse()?;
        let of = match of.split_once('=') {
            Some(("vault", name)) if !name.is_empty() => For::Vault(name.to_owned()),
            Some(("type", name)) if !name.is_empty() => For::Type(name.to_uppercase()),
            Some(("tag", tag)) => match tag.split_once('=') {
                Some((key, value)) if !key.is_empty() => For::Tag {
                    key: key.to_owned(),
                    value: value.to_owned(),
                },
                Some(_) | None => {
                    return Err(InvalidObjective(format!(
                        "`{of}` names no tag: write tag=KEY=VALUE:1h"
                    )));
                }
            },
            Some(_) | None => {
                return Err(InvalidObjective(format!(
                    "`{of}` names nothing that an objective is for: write vault=NAME:26h, type=RDS:4h or tag=KEY=VALUE:1h"
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
            For::Tag { key, value } => write!(formatter, "tag={key}={value}:")?,
        }
        write!(formatter, "{}", self.age)
    }
}

/// All objectives. The shortest of those that name the vault, the type or a tag holds; where none does,
/// the shortest of those for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objectives(Vec<Objective>);

/// How old the newest good copy of a resource may be in a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// So old; nothing where no objective says so.
    Known(Option<Age>),
    /// It depends on tags that aren't known: something from the shortest to the longest. No longest one
    /// is where no objective may hold.
    Between { shortest: Age, longest: Option<Age> },
}

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

    /// Whether one names a tag, so that the resources' tags must be known.
    #[must_use]
    pub fn name_tags(&self) -> bool {
        self.iter()
            .any(|objective| matches!(objective.of, For::Tag { .. }))
    }

    /// The tags of a resource that an objective names.
    pub(super) fn named_of(&self, tags: Tags) -> Tags {
        let is_named = |tag: &str| {
            self.iter()
                .any(|objective| matches!(&objective.of, For::Tag { key, .. } if key == tag))
        };
        tags.into_iter().filter(|(key, _)| is_named(key)).collect()
    }

    /// How old the newest good copy of a resource of this type may be in a vault. Without `tags` they
    /// aren't known.
    pub(super) fn of(
        &self,
        vault: &BackupVaultArn,
        resource_type: &str,
        tags: Option<&Tags>,
    ) -> Allowed {
        let has = |of: &For| match of {
            For::Everything | For::Tag { .. } => false,
            For::Vault(name) => *name == vault.name() || name == vault.as_str(),
            For::Type(name) => resource_type.eq_ignore_ascii_case(name),
        };
        let everything = self.shortest(|of| *of == For::Everything);
        let named = self.shortest(has);
        if let Some(tags) = tags {
            let is_tagged =
                |of: &For| matches!(of, For::Tag { key, value } if tags.get(key) == Some(value));
            let tagged = self.shortest(is_tagged);
            let shortest = named.into_iter().chain(tagged).min();
            return Allowed::Known(shortest.or(everything));
        }
        let is_tag = |of: &For| matches!(of, For::Tag { .. });
        let of_tags = self.0.iter().filter(|objective| is_tag(&objective.of));
        let longest_of_tags = of_tags.map(|objective| objective.age).max();
        let (Some(shortest), Some(longest)) = (self.shortest(is_tag), longest_of_tags) else {
            return Allowed::Known(named.or(everything));
        };
        match (named, everything) {
            (Some(named), _) if named <= shortest => Allowed::Known(Some(named)),
            (Some(named), _) => Allowed::Between {
                shortest,
                longest: Some(named),
            },
            (None, Some(everything)) => Allowed::Between {
                shortest: shortest.min(everything),
                longest: Some(longest.max(everything)),
            },
            (None, None) => Allowed::Between {
                shortest,
                longest: None,
            },
        }
    }

    fn shortest(&self, admits: impl Fn(&For) -> bool) -> Option<Age> {
        let admitted = self.0.iter().filter(|objective| admits(&objective.of));
        admitted.map(|objective| objective.age).min()
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
        let seconds = |name: &str, kind: &str| match all.of(&vault(name), kind, None) {
            Allowed::Known(Some(age)) => age.seconds(),
            other @ (Allowed::Known(None) | Allowed::Between { .. }) => panic!("{other:?}"),
        };
        assert_eq!(seconds("dr", "EBS"), 26 * 3_600);
        assert_eq!(seconds("archive", "EBS"), 8 * 86_400);
        assert_eq!(seconds("archive", "RDS"), 4 * 3_600);
        assert_eq!(seconds("gold", "RDS"), 90 * 60);
        assert_eq!(
            objectives(&["type=S3:1h"]).of(&vault("dr"), "EBS", None),
            Allowed::Known(None)
        );
        let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(texts[..3], ["26h", "vault=archive:8d", "type=RDS:4h"]);
    }

    #[test]
    fn a_tag_names_its_resources_and_one_that_is_not_known_leaves_it_open() {
        let vault: BackupVaultArn = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr"
            .parse()
            .unwrap();
        let tags = |value: &str| Tags::from([("stage".to_owned(), value.to_owned())]);
        let age = |text: &str| Some(text.parse::<Age>().unwrap());
        let of = |texts: &[&str], tags: Option<&Tags>| objectives(texts).of(&vault, "EBS", tags);

        let texts = ["26h", "tag=stage=prod:4h", "tag=stage=test:8d"];
        assert_eq!(of(&texts, Some(&tags("prod"))), Allowed::Known(age("4h")));
        assert_eq!(of(&texts, Some(&tags("test"))), Allowed::Known(age("8d")));
        assert_eq!(of(&texts, Some(&tags("Prod"))), Allowed::Known(age("26h")));
        let (shortest, longest) = ("4h".parse().unwrap(), age("8d"));
        assert_eq!(of(&texts, None), Allowed::Between { shortest, longest });
        // Where the vault or the type has one, tags only shorten it.
        let longest = age("1d");
        let with_type = ["26h", "type=EBS:1d", "tag=stage=prod:4h"];
        assert_eq!(of(&with_type, None), Allowed::Between { shortest, longest });
        let shorter = ["vault=dr:1h", "tag=stage=prod:4h"];
        assert_eq!(of(&shorter, None), Allowed::Known(age("1h")));
        let longest = None;
        let alone = ["tag=stage=prod:4h"];
        assert_eq!(of(&alone, None), Allowed::Between { shortest, longest });
        assert_eq!(of(&alone, Some(&tags("test"))), Allowed::Known(None));
        assert_eq!(
            objectives(&["tag=a=b=c:1h"])
                .iter()
                .next()
                .unwrap()
                .to_string(),
            "tag=a=b=c:1h"
        );
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
            "tag=stage:1h",
            "tag==prod:1h",
            "1h:26h",
        ] {
            let error = text.parse::<Objective>().unwrap_err().to_string();
            assert!(error.contains("write"), "{text}: {error}");
        }
    }
}
