//! Decides which optional parameters a request asks for.
//!
//! Shown an optional parameter, small models fill it, asked for or not; so a parameter of which the request shows no sign is
//! not offered at all. A sign is a word of its name, one of its further words, or a value only it can take.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;
use silverback_catalogue::operation::Operation;

use crate::candidate::{Candidate, candidates, own_words, proof_by};
use crate::choice;
use crate::evidence::{Evidence, Kind, Passage, Place, Span};
use crate::referent;
use crate::resolver::boolean;
use crate::slot::Slot;
use crate::want::Want;
use crate::words;

/// From this score on a parameter is offered.
pub(crate) const ASKED: f32 = 0.5;

/// How surely the request asks for an optional parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Sign {
    /// Name of the top-level parameter.
    pub parameter: String,
    /// 0 to 1; parameters below 0.5 are not listed.
    pub score: f32,
}

/// Words of names that are no sign when a request says them.
const UNTELLING: &[&str] = &[
    "id",
    "ids",
    "name",
    "names",
    "arn",
    "arns",
    "value",
    "values",
    "list",
    "identifier",
    "identifiers",
    "set",
    "is",
    "input",
];

/// Parameter name (words joined) → phrases that ask for it.
static PHRASES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let rows = include_str!("../data/signs.csv").lines().filter_map(|line| line.split_once('|'));
    rows.map(|(name, phrases)| (name, phrases.split(',').collect())).collect()
});

/// Optional parameters of which the request shows a sign, surest first.
pub fn signs(operation: &Operation, evidence: &Evidence) -> Vec<Sign> {
    let slots = Slot::all(operation);
    let (required, optional): (Vec<_>, Vec<_>) = slots.iter().partition(|slot| slot.required);
    let taken: Vec<Range<usize>> = required.iter().flat_map(|slot| leaf_spans(slot, evidence)).collect();
    let scored =
        optional.iter().map(|slot| Sign { parameter: slot.name.to_owned(), score: score(slot, evidence, &taken) });
    let mut signs: Vec<Sign> = scored.filter(|sign| sign.score >= ASKED).collect();
    signs.sort_by(|a, b| b.score.total_cmp(&a.score));
    signs
}

/// How surely the request asks for this place, 0 to 1. `taken` are spans that required parameters use up.
pub(crate) fn score(slot: &Slot<'_>, evidence: &Evidence, taken: &[Range<usize>]) -> f32 {
    let own = [
        by_phrase(slot, evidence),
        by_name(slot, evidence),
        by_value(slot, evidence, taken),
        by_referent(slot, evidence),
    ];
    let best = own.into_iter().fold(0.0, f32::max);
    best.max(by_part(slot, evidence, taken))
}

/// What a request says about a switch: on, off, or nothing.
pub(crate) fn boolean(slot: &Slot<'_>, evidence: &Evidence) -> Option<Candidate> {
    let step = evidence.step();
    let range = phrase_range(slot, step).or_else(|| name_range(slot, step))?;
    let found = boolean::read(&step.text, range.clone());
    let negative_name = slot.has_word(&["no", "skip", "disable", "disabled", "without", "ignore", "omit"]);
    let said_itself = by_phrase(slot, evidence) > 0.0;
    // "without a final snapshot" is the phrase of `SkipFinalSnapshot`: its own negation is part of it.
    let value = found.value
        || negative_name
        || (said_itself && step.text[range.clone()].to_ascii_lowercase().starts_with("no"));
    let allowed = slot.schema.get("const").or_else(|| slot.schema.get("enum").and_then(|values| values.get(0)));
    if allowed.and_then(Value::as_bool).is_some_and(|only| only != value) {
        return None;
    }
    let proof = proof_by(slot, &step.span(range, Kind::Name), "boolean");
    Some(Candidate { value: value.into(), proof, score: 0.8, place: Place::Step })
}

/// "in kube-system", "from a to b": the preposition tells a namespace, a source, a destination.
pub(crate) fn place_preposition(slot: &Slot<'_>, passage: &Passage, range: &Range<usize>) -> f32 {
    let before = passage.text[..range.start].split_whitespace().rev();
    let mut before = before
        .map(|word| word.to_ascii_lowercase())
        .filter(|word| !matches!(word.as_str(), "the" | "my" | "our" | "bucket" | "file"));
    let Some(preposition) = before.next() else { return 0.0 };
    let is = |wanted: &[&str]| wanted.contains(&preposition.as_str());
    let stands = is(&["in", "inside", "within", "into"]);
    if slot.has_word(&["namespace"]) && slot.words.len() == 1 {
        return if stands || is(&["from"]) { 0.4 } else { 0.0 };
    }
    let towards = is(&["to", "into", "onto", "as"]);
    if slot.has_word(&["source", "src", "from"]) {
        return if is(&["from", "of"]) {
            0.4
        } else if towards {
            -0.4
        } else {
            0.0
        };
    }
    if slot.has_word(&["destination", "dest", "target", "to"]) {
        return if towards {
            0.4
        } else if is(&["from"]) {
            -0.4
        } else {
            0.0
        };
    }
    0.0
}

// === private ===

/// Spans that the best candidates of a place and its parts use.
pub(crate) fn leaf_spans(slot: &Slot<'_>, evidence: &Evidence) -> Vec<Range<usize>> {
    let parts = match slot.want() {
        Want::List => slot.element().into_iter().collect(),
        Want::Object => slot.members(),
        _ => {
            return candidates(slot, evidence)
                .into_iter()
                .map(|candidate| candidate.proof.start..candidate.proof.end)
                .collect();
        }
    };
    parts
        .iter()
        .filter(|part| part.required || slot.want() == Want::List)
        .flat_map(|part| leaf_spans(part, evidence))
        .collect()
}

fn by_phrase(slot: &Slot<'_>, evidence: &Evidence) -> f32 {
    if phrase_range(slot, evidence.step()).is_some() { 0.85 } else { 0.0 }
}

fn phrase_range(slot: &Slot<'_>, step: &Passage) -> Option<Range<usize>> {
    let further = slot.further_words();
    let listed = PHRASES.get(slot.words.join(" ").as_str()).filter(|_| slot.depth == 0 || slot.words.len() > 1);
    let phrases = further.iter().map(String::as_str).chain(listed.into_iter().flatten().copied());
    let stemmed = |phrase: &str| words::split(phrase).into_iter().map(|word| word.stem).collect::<Vec<_>>();
    phrases.map(stemmed).find_map(|phrase| find_stems(step, &phrase))
}

/// All telling words of the name are said, together or apart.
fn by_name(slot: &Slot<'_>, evidence: &Evidence) -> f32 {
    if name_range(slot, evidence.step()).is_some() { 0.7 } else { 0.0 }
}

fn name_range(slot: &Slot<'_>, step: &Passage) -> Option<Range<usize>> {
    let own = own_words(slot);
    let telling = slot.words.iter().filter(|word| !UNTELLING.contains(&word.as_str()) && !words::is_stop(word));
    let stems: Vec<String> = telling.map(|word| words::stem(word)).collect();
    let fresh: Vec<&String> = stems.iter().filter(|stem| !own.contains(stem)).collect();
    if fresh.is_empty() {
        return None;
    }
    let places: Option<Vec<_>> =
        stems.iter().filter(|stem| fresh.contains(stem)).map(|stem| find_stem(step, stem)).collect();
    let places = places?;
    Some(places.iter().map(|range| range.start).min()?..places.iter().map(|range| range.end).max()?)
}

fn find_stem(step: &Passage, stem: &str) -> Option<Range<usize>> {
    let word = step.words.iter().find(|word| word.stem == stem)?;
    let range = word.start..word.end;
    step.is_vouched(&range).then_some(range)
}

fn find_stems(step: &Passage, phrase: &[String]) -> Option<Range<usize>> {
    if phrase.is_empty() {
        return None;
    }
    let window = step
        .words
        .windows(phrase.len())
        .find(|window| window.iter().zip(phrase).all(|(word, stem)| word.stem == *stem))?;
    let range = window[0].start..window[window.len() - 1].end;
    step.is_vouched(&range).then_some(range)
}

/// A value that can be told by its form, or an enumeration's own value, which no required parameter uses up.
fn by_value(slot: &Slot<'_>, evidence: &Evidence, taken: &[Range<usize>]) -> f32 {
    let want = slot.want();
    let is_choice = matches!(want, Want::Choice(_));
    let placed = slot.has_word(&["namespace"]);
    if !(want.is_distinctive() || is_choice || placed) || matches!(want, Want::Currency | Want::Glob) {
        return 0.0;
    }
    let best = candidates(slot, evidence)
        .into_iter()
        .filter(|candidate| candidate.proof.source != crate::grounding::Source::Session);
    let mut free = best.filter(|candidate| {
        candidate.place == Place::Step && !is_taken(&candidate.proof.start, &candidate.proof.end, taken)
    });
    match free.next() {
        Some(candidate) if is_choice => {
            if candidate.score >= choice::CERTAIN {
                0.6
            } else {
                0.0
            }
        }
        // A name alone is no sign of a namespace, "in" before it is.
        Some(candidate) if placed => {
            if candidate.score >= 0.85 {
                0.7
            } else {
                0.0
            }
        }
        Some(_) => 0.8,
        None => 0.0,
    }
}

fn is_taken(start: &usize, end: &usize, taken: &[Range<usize>]) -> bool {
    taken.iter().any(|range| *start < range.end && range.start < *end)
}

/// "charge her": a pronoun, and the session or an earlier call knows one thing of this kind.
fn by_referent(slot: &Slot<'_>, evidence: &Evidence) -> f32 {
    let fitting = referent::candidates(slot, &slot.want(), evidence);
    let named = fitting.iter().any(|candidate| candidate.place == Place::Step);
    if named || (!fitting.is_empty() && referent::has_pronoun(evidence)) { 0.7 } else { 0.0 }
}

/// A structure or list is asked for when one of its parts is.
fn by_part(slot: &Slot<'_>, evidence: &Evidence, taken: &[Range<usize>]) -> f32 {
    let parts = match slot.want() {
        Want::List => slot.element().into_iter().collect::<Vec<_>>(),
        Want::Object => slot.members(),
        _ => return 0.0,
    };
    // Deep parts have everyday names ("Type", "Status"): only what can be told by its form counts there.
    let telling = |part: &&Slot<'_>| {
        part.depth < 2 || matches!(part.want(), Want::List | Want::Object) || part.want().is_distinctive()
    };
    let scores = parts.iter().filter(telling).map(|part| score(part, evidence, taken));
    scores.fold(0.0, f32::max) * 0.9
}

/// Pairs `KEY=VALUE` of the step; tags, labels and environment variables are made of them.
pub(crate) fn pairs<'a>(evidence: &'a Evidence) -> impl Iterator<Item = (&'a Span, &'a str, &'a str)> {
    let pairs = evidence.step().spans.iter().filter(|span| span.kind == Kind::Pair);
    pairs.filter_map(|span| span.text.split_once('=').map(|(key, value)| (span, key, value.trim_matches(['"', '\'']))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{evidence, evidence_in_session, operation};
    use serde_json::json;

    fn asked(operation: &Operation, text: &str) -> Vec<String> {
        signs(operation, &evidence(text)).into_iter().map(|sign| sign.parameter).collect()
    }

    fn get() -> Operation {
        operation(
            "kubernetes/kubectl/get",
            json!({"required": ["resource"], "properties": {
                "resource": {"type": "string", "enum": ["pod", "deployment", "service"]},
                "name": {"type": "string"}, "namespace": {"type": "string"}, "all-namespaces": {"type": "boolean"},
                "output": {"type": "string", "enum": ["json", "yaml", "wide"]}, "watch": {"type": "boolean"},
                "chunk-size": {"type": "integer"}, "limit-token": {"type": "string", "x-never": true}
            }}),
        )
    }

    #[test]
    fn a_plain_request_asks_for_nothing_optional() {
        assert_eq!(asked(&get(), "which pods are there?"), [] as [&str; 0]);
    }

    #[test]
    fn words_and_values_are_signs() {
        assert_eq!(asked(&get(), "which pods in kube-system are not running?"), ["namespace"]);
        assert_eq!(asked(&get(), "list pods in all namespaces"), ["all-namespaces", "namespace"]);
        assert_eq!(asked(&get(), "get the pods as yaml"), ["output"]);
    }

    #[test]
    fn a_value_that_a_required_parameter_uses_is_no_sign() {
        let describe = operation(
            "aws/ec2/AttachVolume",
            json!({"required": ["VpcId"], "properties": {"VpcId": {"type": "string"}, "PeerVpcId": {"type": "string"}}}),
        );
        assert_eq!(asked(&describe, "attach vpc-0abc123"), [] as [&str; 0]);
    }

    #[test]
    fn a_pronoun_asks_for_what_was_made_before() {
        let charge = operation("stripe/charges/PostCharges", json!({"properties": {"customer": {"type": "string"}}}));
        let session = [("jane", "customer", r#"{"$ref":"c1","path":"id"}"#)];
        assert_eq!(signs(&charge, &evidence_in_session("charge her 25 dollars", &session)).len(), 1);
        assert!(signs(&charge, &evidence_in_session("charge 25 dollars", &session)).is_empty());
    }

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
