//! Reads switches: on, off, or not meant.

use serde_json::Value;

use super::{ASKED, by_phrase, name_range, phrase_range};
use crate::candidate::{Candidate, proof_by};
use crate::evidence::{Evidence, Kind, Place};
use crate::grounding::Proof;
use crate::pointing::believe;
use crate::resolver::boolean;
use crate::slot::Slot;

/// Ends of phrases that turn a switch off.
const OFF: &[&str] = &["off", "deactivate", "archive"];

/// Words that may turn a switch off.
const DENYING: &[&str] =
    &["no", "not", "never", "off", "don", "dont", "without", "disable", "stop", "nobody", "nothing", "longer"];

/// What a request says about a switch: on, off, nothing, or, where only a model sees that it is meant, one of both.
pub(crate) fn switch(slot: &Slot<'_>, evidence: &Evidence) -> Vec<Candidate> {
    boolean(slot, evidence).map_or_else(|| said_otherwise(slot, evidence), |said| vec![said])
}

fn boolean(slot: &Slot<'_>, evidence: &Evidence) -> Option<Candidate> {
    let step = evidence.step();
    let range = phrase_range(slot, step).or_else(|| name_range(slot, step))?;
    let found = boolean::read(&step.text, range.clone());
    let negative_name = slot.has_word(&["no", "skip", "disable", "disabled", "without", "ignore", "omit"]);
    let said_itself = by_phrase(slot, evidence) > 0.0;
    // "without a final snapshot" is the phrase of `SkipFinalSnapshot`: its own negation is part of it.
    let is_off = step.text[range.clone()].split_whitespace().last().is_some_and(|word| OFF.contains(&word));
    let value = (found.value && !is_off)
        || negative_name
        || (said_itself && step.text[range.clone()].to_ascii_lowercase().starts_with("no"));
    let allowed = slot.schema.get("const").or_else(|| slot.schema.get("enum").and_then(|values| values.get(0)));
    if allowed.and_then(Value::as_bool).is_some_and(|only| only != value) {
        return None;
    }
    let proof = proof_by(slot, &step.span(range, Kind::Name), "boolean");
    Some(Candidate { value: value.into(), proof, score: 0.8, place: Place::Step, pointed: false })
}

/// A switch that is asked for in words that no rule knows: turned from what it is by itself, and where the step denies anything
/// perhaps the other way.
fn said_otherwise(slot: &Slot<'_>, evidence: &Evidence) -> Vec<Candidate> {
    let asked = evidence.pointed_asked(slot).filter(|asked| believe(0.0, *asked) >= ASKED).map(|[asked, _]| asked);
    let Some(asked) = asked.filter(|_| slot.schema.get("const").is_none()) else { return Vec::new() };
    let likelier = slot.schema.get("default") != Some(&Value::Bool(true));
    let denies = evidence.step().words.iter().any(|word| DENYING.contains(&word.lower.as_str()));
    let values = if denies { vec![likelier, !likelier] } else { vec![likelier] };
    // No word alone says it, so none is used up.
    let proof = Proof { start: 0, end: 0, ..proof_by(slot, &evidence.step().all(), "boolean") };
    let candidate = |(value, score): (bool, f32)| Candidate {
        value: value.into(),
        proof: proof.clone(),
        score,
        place: Place::Step,
        pointed: false,
    };
    values.into_iter().zip([asked.min(0.7), 0.5]).map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{evidence, operation};

    #[test]
    fn switches_are_on_or_off() {
        let modify =
            operation("aws/rds/ModifyDBInstance", json!({"properties": {"DeletionProtection": {"type": "boolean"}}}));
        let slot = Slot::of(&modify, "DeletionProtection").expect("there");
        let value = |text| boolean(&slot, &evidence(text)).map(|candidate| candidate.value);
        assert_eq!(value("modify db with deletion protection"), Some(json!(true)));
        assert_eq!(value("modify db without deletion protection"), Some(json!(false)));
        assert_eq!(value("modify db"), None);
    }
}
