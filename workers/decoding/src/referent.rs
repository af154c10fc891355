//! Offers things of the session and results of earlier calls: what "it", "that bucket" and "her" stand for.

use serde_json::Value;

use crate::candidate::{Candidate, nouns_in};
use crate::evidence::{Evidence, Place, Referent};
use crate::grounding::{Proof, Source, reference_call};
use crate::slot::Slot;
use crate::want::Want;
use crate::words;

/// Words that stand for a thing named before.
const PRONOUNS: &[&str] = &[
    "it", "its", "them", "they", "their", "that", "this", "those", "these", "her", "him", "his", "she", "he", "there",
    "same", "both",
];

/// Referents that fit this place, the latest with the highest score.
pub(crate) fn candidates(slot: &Slot<'_>, want: &Want, evidence: &Evidence) -> Vec<Candidate> {
    let fitting = evidence.session().iter().enumerate().filter(|(_, referent)| fits(slot, want, referent, evidence));
    let count = evidence.session().len().max(1) as f32;
    let mut found: Vec<Candidate> = Vec::new();
    for (index, referent) in fitting {
        let named = evidence.step().locate(&referent.name).is_empty();
        let score = if named { 0.6 } else { 1.2 } + 0.3 * (index as f32 / count);
        // Behind what the step itself says, unless the step names it.
        let place = if named { Place::Request } else { Place::Step };
        found.push(Candidate {
            value: value_of(referent),
            proof: proof_of(slot, referent),
            score,
            place,
            pointed: false,
        });
    }
    found
}

/// The referent whose name or value this is, for a place it fits.
pub(crate) fn find<'a>(slot: &Slot<'_>, value: &Value, evidence: &'a Evidence) -> Option<&'a Referent> {
    let is_it = |referent: &&Referent| match value {
        Value::String(text) => {
            referent.value.eq_ignore_ascii_case(text) || (!text.is_empty() && referent.name.eq_ignore_ascii_case(text))
        }
        other => value_of(referent) == *other,
    };
    let want = slot.want();
    evidence.session().iter().rev().find(|referent| is_it(referent) && fits(slot, &want, referent, evidence))
}

/// Does the step point at something named before?
pub(crate) fn has_pronoun(evidence: &Evidence) -> bool {
    evidence.step().words.iter().any(|word| PRONOUNS.contains(&word.lower.as_str()))
}

/// What to say for a referent: a reference object where its value is one.
pub(crate) fn value_of(referent: &Referent) -> Value {
    let parsed = referent.value.starts_with('{').then(|| serde_json::from_str::<Value>(&referent.value).ok()).flatten();
    parsed.filter(|value| reference_call(value).is_some()).unwrap_or_else(|| referent.value.clone().into())
}

pub(crate) fn proof_of(slot: &Slot<'_>, referent: &Referent) -> Proof {
    let value = value_of(referent);
    let (source, text) = match reference_call(&value) {
        Some(call) => (Source::Call, call.to_owned()),
        None => (Source::Session, referent.name.clone()),
    };
    Proof { pointer: slot.pointer.clone(), source, start: 0, end: 0, text, resolver: String::new() }
}

// === private ===

/// A referent fits a place of its own kind: `VpcId` for `VpcId`, `bucket` for `Bucket`.
fn fits(slot: &Slot<'_>, want: &Want, referent: &Referent, evidence: &Evidence) -> bool {
    let scalar = !matches!(want, Want::Boolean | Want::Choice(_) | Want::List | Want::Object);
    if !scalar {
        return false;
    }
    if let Want::Id(prefixes) = want
        && prefixes.iter().any(|prefix| referent.value.starts_with(prefix))
    {
        return true;
    }
    let kind = stems(&words::split_identifier(&referent.kind));
    let place = stems(&slot.words);
    if kind.is_empty() || matches!(want, Want::Count | Want::Amount | Want::Text) {
        return false;
    }
    // `VpcId` and `VpcIds`, `bucket` and `BucketName`.
    let same = kind == place
        // `intent` for the payment intent that an earlier call made.
        || (!place.is_empty() && kind.ends_with(&place) && reference_call(&value_of(referent)).is_some())
        || (!place.is_empty()
            && kind.len() <= place.len()
            && kind.iter().all(|stem| nouns_in(slot, evidence).contains(stem)));
    same && !matches!(want, Want::Id(prefixes) if !prefixes.is_empty() && reference_call(&value_of(referent)).is_none())
}

fn stems(words: &[String]) -> Vec<String> {
    let meaning =
        words.iter().filter(|word| !matches!(word.as_str(), "id" | "ids" | "name" | "names" | "arn" | "arns"));
    meaning.map(|word| words::stem(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{evidence_in_session, operation};
    use serde_json::json;

    fn values(parameter: &str, text: &str, session: &[(&str, &str, &str)]) -> Vec<Value> {
        let schema = json!({"properties": {parameter: {"type": "string"}}});
        let operation = operation("aws/ec2/CreateSubnet", schema);
        let slot = Slot::of(&operation, parameter).expect("there");
        let found = candidates(&slot, &slot.want(), &evidence_in_session(text, session));
        found.into_iter().map(|candidate| candidate.value).collect()
    }

    #[test]
    fn an_earlier_result_fits_its_own_kind_only() {
        let reference = r#"{"$ref":"c1","path":"Vpc.VpcId"}"#;
        let session = [("the VPC", "VpcId", reference)];
        assert_eq!(values("VpcId", "a subnet in it", &session), [json!({"$ref": "c1", "path": "Vpc.VpcId"})]);
        assert_eq!(values("SubnetId", "a subnet in it", &session), [] as [Value; 0]);
    }

    #[test]
    fn a_thing_of_the_session_fits_its_noun() {
        let session = [("logs-eu", "bucket", "logs-eu"), ("jane", "customer", "cus_9")];
        assert_eq!(values("Bucket", "empty that bucket", &session), [json!("logs-eu")]);
    }
}
