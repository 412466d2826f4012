//! What this project takes for true of AWS without having it from a page of AWS's, as far as a run
//! touches it, and what the run saw of it.
//!
//! A fact that a run touches has one row here. `stated_in` and `words` say where the code states it:
//! a test holds that it still does.

use serde::Serialize;

use super::seen::{KeyType, Seen};

/// How the fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Label {
    /// In public code or posts.
    Seen,
    /// From documented parts.
    Inferred,
    /// Not at all.
    Unverified,
}

/// What a run says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Agrees,
    Differs,
    NotSeen,
}

/// The verdict, with what was seen.
pub(crate) type Observed = (Verdict, String);

/// A fact.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) label: Label,
    pub(crate) says: &'static str,
    /// The file that states it.
    pub(crate) stated_in: &'static str,
    /// Words of that file.
    pub(crate) words: &'static str,
    observe: fn(&Seen) -> Option<Observed>,
}

/// A fact in a record.
#[derive(Debug, Serialize)]
pub(crate) struct FactSeen {
    pub(crate) fact: &'static str,
    label: Label,
    says: &'static str,
    stated_in: &'static str,
    stated_as: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) seen: String,
}

/// What a run saw of every fact.
pub(crate) fn seen_of(seen: &Seen) -> Vec<FactSeen> {
    let facts = FACTS.iter().map(|fact| {
        let not_seen = || (Verdict::NotSeen, "the run did not touch it".to_owned());
        let (verdict, text) = (fact.observe)(seen).unwrap_or_else(not_seen);
        FactSeen {
            fact: fact.name,
            label: fact.label,
            says: fact.says,
            stated_in: fact.stated_in,
            stated_as: fact.words,
            verdict,
            seen: text,
        }
    });
    facts.collect()
}

fn agrees_if(agrees: bool, text: impl Into<String>) -> Observed {
    let verdict = if agrees {
        Verdict::Agrees
    } else {
        Verdict::Differs
    };
    (verdict, text.into())
}

/// Every fact.
pub(crate) const FACTS: [Fact; 13] = [
    Fact {
        name: "vault-without-policy",
        label: Label::Seen,
        says: "a vault without an access policy answers ResourceNotFoundException",
        stated_in: "shared/aws/src/backup/mod.rs",
        words: "AWS Backup states absence with this code only",
        observe: |seen| {
            let answer = seen.vault_without_policy.as_ref()?;
            Some(agrees_if(answer == "ResourceNotFoundException", answer))
        },
    },
    Fact {
        name: "default-key-type",
        label: Label::Unverified,
        says: "for a vault on the default key, aws/backup, DescribeBackupVault names no EncryptionKeyType",
        stated_in: "shared/sandbox/src/world/mod.rs",
        words: "For the default key `aws/backup` AWS names none (unverified)",
        observe: |seen| {
            Some(match seen.default_key_type.as_ref()? {
                KeyType::Unnamed => (Verdict::Agrees, "it names none".to_owned()),
                KeyType::Named(name) => (Verdict::Differs, name.clone()),
            })
        },
    },
    Fact {
        name: "on-demand-without-creator",
        label: Label::Seen,
        says: "a copy on demand has no CreatedBy",
        stated_in: "shared/sandbox/src/event.rs",
        words: "a copy on demand has no `createdBy` (seen)",
        observe: |seen| {
            let plan = seen.failed.as_ref()?.backup_plan.is_some();
            Some(agrees_if(
                !plan,
                if plan { "it has one" } else { "it has none" },
            ))
        },
    },
    Fact {
        name: "job-id-shape",
        label: Label::Inferred,
        says: "the ids of copy jobs are UUIDs",
        stated_in: "shared/diagnosis/src/event.rs",
        words: "Job ids are UUIDs in every sample, but no page says so (inferred)",
        observe: |seen| {
            let id = &seen.failed.as_ref()?.id;
            let shape: Vec<usize> = id.split('-').map(str::len).collect();
            Some(agrees_if(shape == [8, 4, 4, 4, 12], id))
        },
    },
    Fact {
        name: "size-of-a-failed-job",
        label: Label::Inferred,
        says: "the size of a failed copy job may be absent or 0",
        stated_in: "shared/remediation/src/guards/copy.rs",
        words: "0 says nothing (inferred)",
        observe: |seen| {
            let size = seen.failed.as_ref()?.size_bytes;
            let text = size.map_or_else(|| "absent".to_owned(), |size| format!("{size} bytes"));
            let verdict = match size {
                None | Some(0) => Verdict::Agrees,
                Some(_) => Verdict::NotSeen,
            };
            Some((verdict, text))
        },
    },
    Fact {
        name: "identity-side-of-a-simulation",
        label: Label::Unverified,
        says: "for a vault of another account the policy simulator tells what the role's own policies make of it",
        stated_in: "shared/sandbox/src/world/mod.rs",
        words: "AWS doesn't document whether it does so",
        observe: |seen| {
            let tells = seen.simulation_tells_identity_side?;
            let text = if tells {
                "EvalDecisionDetails are there: it tells"
            } else {
                "EvalDecisionDetails are not there: it doesn't tell"
            };
            Some(agrees_if(tells, text))
        },
    },
    Fact {
        name: "global-settings-in-members",
        label: Label::Seen,
        says: "DescribeGlobalSettings is refused in member accounts",
        stated_in: "shared/remediation/src/ports.rs",
        words: "member accounts (seen)",
        observe: |seen| {
            let answer = seen.global_settings.as_ref()?;
            Some(agrees_if(answer.contains("AccessDenied"), answer))
        },
    },
    Fact {
        name: "vault-statement-suffices",
        label: Label::Inferred,
        says: "the statement that Copymend adds to a vault's policy is enough for the copy",
        stated_in: "shared/policy/src/grant/vault.rs",
        words: "The statement itself is inferred from documented parts",
        observe: |seen| {
            let completed = seen.completed_after_repair?;
            let text = if completed {
                "the copy completed"
            } else {
                "the copy failed"
            };
            Some(agrees_if(completed, text))
        },
    },
    Fact {
        name: "vault-policy-reads-at-once",
        label: Label::Inferred,
        says: "a vault's policy that was just put is read back as put",
        stated_in: "shared/remediation/src/repair/write.rs",
        words: "No late reads are known of a vault's policy (inferred)",
        observe: |seen| {
            let applied = seen.vault_change_was_read_back?;
            let text = if applied { "it was" } else { "it was not" };
            Some(agrees_if(applied, text))
        },
    },
    Fact {
        name: "denial-is-remembered",
        label: Label::Inferred,
        says: "AWS may answer as before for about a minute after a policy has changed",
        stated_in: "shared/remediation/src/later.rs",
        words: "(inferred: a test of vault policies that is validated against AWS waits a minute",
        observe: |seen| {
            let waits = &seen.waits;
            let last = waits.last()?;
            let late = waits.iter().filter(|wait| !wait.worked);
            let longest = late.map(|wait| wait.after_denial).max();
            let text = match longest {
                Some(longest) => format!(
                    "still refused {longest} seconds after the denial, with the statement in place; worked {} seconds after one",
                    last.after_denial
                ),
                None => format!("worked {} seconds after the denial", last.after_denial),
            };
            let agrees = last.worked && longest.is_none_or(|longest| longest <= 120);
            Some(agrees_if(agrees, text))
        },
    },
    Fact {
        name: "key-statements-suffice",
        label: Label::Inferred,
        says: "the statements of the profile least-privilege are enough for the destination's service-linked role",
        stated_in: "shared/policy/src/grant/key.rs",
        words: "only what it can use (inferred from its managed",
        observe: |seen| {
            let completed = seen.completed_after_repair?;
            let text = if completed {
                "the copy completed"
            } else {
                "the copy failed"
            };
            seen.key_was_repaired.then(|| agrees_if(completed, text))
        },
    },
    Fact {
        name: "order-in-key-policies",
        label: Label::Seen,
        says: "GetKeyPolicy tells the lists of an unchanged policy in an order that changes from call to call",
        stated_in: "shared/policy/src/meaning.rs",
        words: "(seen: aws/aws-cli#9456",
        observe: |seen| {
            let changes = seen.key_policy_order_changes?;
            let text = if changes {
                "two reads differed"
            } else {
                "ten reads were the same; that refutes nothing"
            };
            let verdict = if changes {
                Verdict::Agrees
            } else {
                Verdict::NotSeen
            };
            Some((verdict, text.to_owned()))
        },
    },
    Fact {
        name: "arn-of-a-copy",
        label: Label::Inferred,
        says: "the copy of a snapshot is a snapshot of the destination's Region, with an id of its own",
        stated_in: "shared/sandbox/src/copies.rs",
        words: "The ARN of a copy: of the same kind as the source's",
        observe: |seen| {
            let copy = seen.copied_arn.as_ref()?;
            let begin = format!(
                "arn:{}:ec2:{}::snapshot/snap-",
                copy.partition(),
                seen.destination_region
            );
            Some(agrees_if(copy.as_str().starts_with(&begin), copy.as_str()))
        },
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_fact_is_stated_where_it_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for fact in &FACTS {
            let text = std::fs::read_to_string(root.join(fact.stated_in)).unwrap();
            // Comments break their lines anywhere.
            let text = text
                .replace("///", " ")
                .replace("//!", " ")
                .replace("//", " ");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(fact.words), "{}: {}", fact.name, fact.words);
        }
        let names: BTreeSet<&str> = FACTS.iter().map(|fact| fact.name).collect();
        assert_eq!(names.len(), FACTS.len());
    }

    #[test]
    fn a_run_that_saw_nothing_says_so_of_every_fact() {
        let seen = seen_of(&Seen::default());
        assert_eq!(seen.len(), FACTS.len());
        assert!(seen.iter().all(|fact| fact.verdict == Verdict::NotSeen));
    }

    #[test]
    fn what_differs_is_told() {
        let seen = Seen {
            vault_without_policy: Some("AccessDeniedException".to_owned()),
            completed_after_repair: Some(false),
            ..Seen::default()
        };
        let differs: Vec<&str> = seen_of(&seen)
            .iter()
            .filter(|fact| fact.verdict == Verdict::Differs)
            .map(|fact| fact.fact)
            .collect();
        assert_eq!(
            differs,
            ["vault-without-policy", "vault-statement-suffices"]
        );
    }
}
