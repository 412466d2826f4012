//! What a failure message says.
//!
//! [`explain`] reads the status message of a failed job and ranks the causes that its wording
//! admits. Wording is evidence, not proof: AWS uses one text for several causes, so the candidates
//! are checked against facts before anything is written.
//!
//! Three readers look at a text:
//!
//! - the catalogue: stable fragments of AWS's texts, found in one pass by one automaton, and the
//!   rules over them that each cause's entry holds (`catalogue`);
//! - the access-denied grammar of IAM: who, which action, which resource, which policy type
//!   (`access_denied`);
//! - the missing thing: what a phrase such as "does not exist" speaks of (`missing`).
//!
//! Every rule names its source: *documented* (a text that AWS prints in its documentation), *seen*
//! (quoted verbatim in public by people who got it) or *inferred* (built from a documented fact or
//! grammar).

mod access_denied;
mod catalogue;
mod decoded;
mod denial_causes;
mod missing;
mod other_call;
mod policy_type;
mod rule;
mod text;
mod verb;
pub(crate) mod wording;
mod words;

pub use access_denied::AccessDenial;
pub use policy_type::PolicyType;

use crate::causes::{Cause, Family};
use access_denied::Sentence;
use catalogue::{Catalogue, Evidence};
pub(crate) use rule::{Rule, Stage, rules};
use text::Plain;

/// One cause that a message admits, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The cause.
    pub cause: Cause,
    /// One short sentence for people.
    pub why: &'static str,
}

/// What a failure message says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation<'m> {
    /// The message, untouched.
    pub message: &'m str,
    /// The causes that the wording admits, best first. Never empty, no cause twice;
    /// [`Cause::Unknown`] stands alone.
    pub candidates: Vec<Candidate>,
    /// Those of them that the text says it is, in so many words. The others give the same text.
    pub named: Vec<Cause>,
    /// The access-denied sentence, if the message holds one. Of several, the first that names an
    /// action.
    pub denial: Option<AccessDenial<'m>>,
    /// The first ARN of a KMS key in the message.
    pub key_arn: Option<&'m str>,
    /// Whether a key is refused to somebody who isn't AWS Backup: then it is no copy that was refused.
    pub is_of_another_caller: bool,
}

impl<'m> Explanation<'m> {
    /// The best candidate's cause.
    #[must_use]
    pub fn best(&self) -> Cause {
        self.candidates
            .first()
            .map_or(Cause::Unknown, |candidate| candidate.cause)
    }

    /// The principal that was refused, as the message writes it.
    #[must_use]
    pub fn principal(&self) -> Option<&'m str> {
        self.denial.as_ref().and_then(|denial| denial.principal)
    }

    /// The action that was refused, as the message writes it.
    #[must_use]
    pub fn action(&self) -> Option<&'m str> {
        self.denial.as_ref().and_then(|denial| denial.action)
    }

    /// The resource that the action was refused on, as the message writes it.
    #[must_use]
    pub fn resource(&self) -> Option<&'m str> {
        self.denial.as_ref().and_then(|denial| denial.resource)
    }

    /// Whether Copymend has a repair for the best candidate. See [`Cause::is_repairable`].
    #[must_use]
    pub fn is_repairable(&self) -> bool {
        self.best().is_repairable() && !self.is_of_another_caller
    }
}

/// Explains a failure message.
///
/// Letter case, white space (also as JSON escapes it), typographic apostrophes, surrounding quotes,
/// prefixes and SDK suffixes make no difference. The work is linear in the length of the message. A
/// text that says nothing recognisable is [`Cause::Unknown`].
///
/// ```
/// use copymend_diagnosis::{Cause, messages::explain};
///
/// let explanation = explain("Copy job failed. Given key ID is not accessible");
/// assert_eq!(explanation.best(), Cause::SourceKeyPolicy);
/// assert!(explanation.is_repairable());
/// assert_eq!(explain("Abort signal detected").best(), Cause::Unknown);
/// ```
#[must_use]
pub fn explain(message: &str) -> Explanation<'_> {
    let catalogue = Catalogue::get();
    let plain = Plain::new(message);
    let evidence = catalogue.read(&plain.text);
    let mut sentences = if evidence.verbs().len() == 0 {
        Vec::new()
    } else if plain.in_place {
        access_denied::parse(message, evidence.verbs())
    } else {
        access_denied::parse(message, verb::ends(message))
    };
    if evidence.holds_a_decoded_message() {
        sentences.extend(decoded::parse(message));
    }
    for sentence in &mut sentences {
        sentence.leaves_a_deny_open = evidence.leaves_a_deny_open();
    }
    let (candidates, named) = rank(catalogue, &evidence, &plain.text, &sentences);
    let key_arn = evidence.kms_arn().and_then(|at| {
        let from = if plain.in_place { at } else { 0 };
        text::key_arn(message, from)
    });
    let best = sentences
        .iter()
        .find(|sentence| sentence.denial.action.is_some())
        .or_else(|| sentences.first());
    Explanation {
        message,
        candidates,
        named,
        is_of_another_caller: best
            .is_some_and(|sentence| denial_causes::is_of_another_caller(&sentence.denial)),
        denial: best.map(|sentence| sentence.denial),
        key_arn,
    }
}

/// What a reader found in a text.
struct Found {
    main: Candidate,
    /// The other causes that the text admits.
    others: &'static [Cause],
    /// Whether the text says that it is the main one.
    is_named: bool,
}

/// Candidates in the making.
struct Ranking(Vec<Found>);

impl Ranking {
    fn add(&mut self, causes: &'static [Cause], why: &'static str, is_named: bool) {
        if let Some((&cause, others)) = causes.split_first() {
            let main = Candidate { cause, why };
            self.0.push(Found {
                main,
                others,
                is_named,
            });
        }
    }

    fn apply(&mut self, catalogue: &Catalogue, evidence: &Evidence, stage: Stage) {
        for (cause, rule) in catalogue.matching(evidence, stage) {
            let why = rule.why;
            self.0.push(Found {
                main: Candidate { cause, why },
                others: rule.or,
                is_named: rule.names && stage != Stage::Weak,
            });
        }
    }

    /// Whether a main cause is such a one.
    fn finds(&self, is: impl Fn(Cause) -> bool) -> bool {
        self.0.iter().any(|found| is(found.main.cause))
    }

    /// The causes that the text says it is.
    fn named(&self, explicit_deny: bool) -> Vec<Cause> {
        let found = self.0.iter().filter(|found| found.is_named);
        let named = found.map(|found| found.main.cause);
        named
            .map(|cause| cause.denied().filter(|_| explicit_deny).unwrap_or(cause))
            .collect()
    }

    /// The main causes in the order found, then their alternatives.
    fn finish(self, explicit_deny: bool, caution: Option<&'static str>) -> Vec<Candidate> {
        // Whatever else the message says, a policy that no repair touches comes first.
        let names_another_policy = self.finds(|cause| cause.is_in(Family::OtherPolicy));
        let mut candidates = Vec::with_capacity(4);
        for found in &self.0 {
            push(&mut candidates, found.main);
        }
        for &cause in self.0.iter().flat_map(|found| found.others) {
            let why = cause.entry().also;
            push(&mut candidates, Candidate { cause, why });
        }
        if explicit_deny {
            candidates = without_repairs(&candidates);
        } else if let Some(why) = caution.or(names_another_policy.then_some(CAUTION)) {
            advice_first(&mut candidates, why);
        }
        if candidates.is_empty() {
            candidates.push(Candidate {
                cause: Cause::Unknown,
                why: "The message says nothing that Copymend knows.",
            });
        }
        candidates
    }
}

fn push(candidates: &mut Vec<Candidate>, new: Candidate) {
    if !candidates.iter().any(|known| known.cause == new.cause) {
        candidates.push(new);
    }
}

/// The candidates, and those of them that the text names.
///
/// The order of the readers keeps the traps apart: organization and AWS managed keys before access
/// denied, the wording of keys before a generic "does not exist", weak signs last and only where
/// nothing else spoke.
fn rank(
    catalogue: &Catalogue,
    evidence: &Evidence,
    plain: &str,
    sentences: &[Sentence<'_>],
) -> (Vec<Candidate>, Vec<Cause>) {
    let mut ranking = Ranking(Vec::with_capacity(4));
    ranking.apply(catalogue, evidence, Stage::First);
    for sentence in sentences {
        let (causes, why) = denial_causes::causes(sentence);
        let is_named = sentence.denial.policy_type.is_some() && !sentence.leaves_a_deny_open;
        ranking.add(causes, why, is_named);
    }
    ranking.apply(catalogue, evidence, Stage::Keys);
    if sentences.is_empty() {
        let keys = [
            Cause::SourceKeyPolicy,
            Cause::SourceKeyState,
            Cause::DestinationVaultKey,
        ];
        let key_explained = ranking.finds(|cause| keys.contains(&cause));
        for (causes, why) in missing::causes(plain, evidence, key_explained) {
            ranking.add(causes, why, true);
        }
    }
    ranking.apply(catalogue, evidence, Stage::Others);
    if ranking.0.is_empty() {
        ranking.apply(catalogue, evidence, Stage::Weak);
    }
    let explicit = sentences.iter().any(|sentence| sentence.denial.explicit)
        || evidence.speaks_of_explicit_deny()
        || ranking.finds(Cause::is_deny);
    let why = if evidence.calls_for_caution() {
        Some(CAUTION)
    } else if evidence.tells_of_another_call(plain) {
        Some(ANOTHER_CALL)
    } else {
        None
    };
    let named = ranking.named(explicit);
    (ranking.finish(explicit, why), named)
}

const DENIED: &str = "The message speaks of an explicit deny, which no allow can lift.";

/// An explicit deny wins over every allow, so nothing that adds an allow may stay: a repairable
/// policy cause becomes the deny that it stands for, and no other repairable cause comes first.
fn without_repairs(candidates: &[Candidate]) -> Vec<Candidate> {
    let mut kept = Vec::with_capacity(candidates.len());
    for &candidate in candidates {
        let deny = candidate.cause.denied();
        let candidate = deny.map_or(candidate, |cause| Candidate { cause, why: DENIED });
        push(&mut kept, candidate);
    }
    advice_first(&mut kept, DENIED);
    kept
}

const CAUTION: &str = "The message may speak of another policy, which no repair touches.";

const ANOTHER_CALL: &str = "The message tells of another service's call than a copy's.";

/// Puts what cannot be repaired first: a permission of the job role where everything can be.
fn advice_first(candidates: &mut Vec<Candidate>, why: &'static str) {
    candidates.sort_by_key(|candidate| candidate.cause.is_repairable());
    if candidates
        .first()
        .is_some_and(|first| first.cause.is_repairable())
    {
        let cause = Cause::JobRolePermission;
        candidates.insert(0, Candidate { cause, why });
    }
}
