//! Finds which values of an enumeration a request asks for: by the value itself, by its words, by what people say for it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value;
use silverback_catalogue::operation::Operation;

use crate::candidate::{Candidate, own_words, proof_by};
use crate::evidence::{Evidence, Kind, Naming, Passage, Place};
use crate::grounding::Source;
use crate::sign;
use crate::slot::{Slot, effective_of};
use crate::words::{self, Word};

/// From this score on a value is said rather than hinted at.
pub(crate) const CERTAIN: f32 = 0.7;

/// With a candidate this sure, those fainter by the margin are dropped.
const SURE: f32 = 0.7;
const FAINT_MARGIN: f32 = 0.25;

/// "service account" is no service, though the one word stands there as it is.
const SPELLED_OUT: f32 = 0.4;

static MEANINGS: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let rows = include_str!("../data/meanings.csv").lines().filter_map(|line| line.split_once('|'));
    rows.map(|(value, phrases)| (value, phrases.split(',').collect())).collect()
});

/// Values that are said, best first; a value that is only hinted at scores below [`CERTAIN`].
pub(crate) fn find(slot: &Slot<'_>, values: &[Value], evidence: &Evidence) -> Vec<Candidate> {
    let step = evidence.step();
    let own = own_words(slot);
    let nouns = slot.nouns();
    let naming = Naming { heads: nouns, near: slot.near_nouns(), ..Naming::default() };
    let siblings = sibling_stems(slot);
    let mut found = Vec::new();
    for value in values {
        let Some(hit) = best_hit(step, value) else { continue };
        // "what runs in the namespace shop" asks for no namespace.
        if value == "namespace" && sign::is_namespace_of_another(slot, step, hit.range.end) {
            continue;
        }
        let beside = naming.is_beside_noun(step, &hit.range);
        let stem = words::stem(&hit.words.to_lowercase());
        let mut score = hit.score + if beside { 0.3 } else { 0.0 };
        // "in the prod namespace": the word belongs to the parameter of that name.
        if siblings.contains(&stem) {
            score -= 0.4;
        }
        // The words that ask for the operation ask for no value.
        let plain = hit.words.chars().all(char::is_lowercase);
        let mut said = words::split(&hit.words);
        said.retain(|word| !own.contains(&word.stem) && !words::is_stop(&word.lower));
        if plain && !beside && said.is_empty() {
            continue;
        }
        let mut proof = proof_by(slot, &step.span(hit.range.clone(), Kind::Name), hit.resolver);
        if value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(&proof.text)) {
            (proof.source, proof.resolver) = (Source::Request, String::new());
        }
        // "Copy everything": the verb that opens the request is the operation.
        let opens = step.chunks.iter().any(|chunk| chunk.opens && chunk.start == hit.range.start && chunk.is_common());
        let is_itself = value.as_str().is_some_and(|value| words::stem(&value.to_lowercase()) == stem);
        if opens && is_itself && !slot.required && slot.depth == 0 && step.text[hit.range.clone()] != *value {
            continue;
        }
        found.push(Candidate { value: value.clone(), proof, score, place: Place::Step, pointed: false });
    }
    without_shadows(found)
}

/// Stems of the kinds of thing that the step says, for operations that take the kind as an enumeration.
pub(crate) fn said_kinds(operation: &Operation, evidence: &Evidence) -> Vec<String> {
    let mut kinds = Vec::new();
    for (name, schema) in
        operation.properties().filter(|(name, _)| matches!(*name, "resource" | "kind" | "type" | "resources"))
    {
        let _ = name;
        let schema = effective_of(operation, schema);
        let values =
            schema.get("enum").or(schema.get("items").and_then(|items| items.get("enum"))).and_then(Value::as_array);
        for value in values.into_iter().flatten() {
            if let Some(hit) = best_hit(evidence.step(), value) {
                kinds.extend(words::split(&hit.words).into_iter().map(|word| word.stem));
            }
        }
    }
    if operation.provider == "kubernetes" {
        // Commands whose kind is fixed by the command itself.
        let everyday = [
            "deployment",
            "pod",
            "node",
            "service",
            "app",
            "application",
            "statefulset",
            "daemonset",
            "job",
            "container",
        ];
        kinds.extend(everyday.iter().map(|kind| words::stem(kind)));
    }
    kinds
}

struct Hit {
    range: Range<usize>,
    words: String,
    score: f32,
    resolver: &'static str,
}

// === private ===

/// A value read out of part of a surer one's span ("EU" of `eu-west-1`) or far less sure than the best is no candidate.
fn without_shadows(mut found: Vec<Candidate>) -> Vec<Candidate> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let best = found.first().map_or(0.0, |candidate| candidate.score);
    let mut kept: Vec<Candidate> = Vec::new();
    let all = found.clone();
    for candidate in found {
        let overlaps = |other: &Candidate| {
            other.score > candidate.score
                && candidate.proof.start < other.proof.end
                && other.proof.start < candidate.proof.end
        };
        let is_inside = |other: &Candidate| {
            let (own, others) = (candidate.proof.end - candidate.proof.start, other.proof.end - other.proof.start);
            own < others && other.proof.start <= candidate.proof.start && candidate.proof.end <= other.proof.end
        };
        if all.iter().any(|other| is_inside(other) && other.score + SPELLED_OUT > candidate.score) {
            continue;
        }
        let is_faint = best >= SURE && candidate.score < best - FAINT_MARGIN;
        if !kept.iter().any(overlaps) && !is_faint {
            kept.push(candidate);
        }
    }
    kept
}

fn best_hit(step: &Passage, value: &Value) -> Option<Hit> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let hits =
        [literal(step, &text), by_kind(step, &text), worded(step, &text), meant(step, &text), hinted(step, &text)];
    hits.into_iter().flatten().max_by(|a, b| a.score.total_cmp(&b.score))
}

/// The value stands in the text as it is.
fn literal(step: &Passage, value: &str) -> Option<Hit> {
    // A single letter is an article or a flag, not a value.
    let long = value.chars().count() > 1 || value.chars().all(|c| c.is_ascii_digit());
    let places = if long { step.locate(value) } else { Vec::new() };
    let as_written = places.iter().find(|range| step.text[(*range).clone()] == *value);
    let range = as_written.or(places.first())?.clone();
    let solid = value.contains(|c: char| !c.is_alphabetic());
    let same_case = step.text[range.clone()] == *value && value.chars().any(char::is_uppercase);
    let score = if solid || same_case { 0.95 } else { 0.8 };
    Some(Hit { words: step.text[range.clone()].to_owned(), range, score, resolver: "" })
}

/// A place means its region, "dollars" a currency, "https" a protocol.
fn by_kind(step: &Passage, value: &str) -> Option<Hit> {
    let means = |kind: &Kind| match kind {
        Kind::Region(code) => (code == value).then_some("region"),
        Kind::Currency(code) => code.eq_ignore_ascii_case(value).then_some("money"),
        Kind::Money(money) => money.currency.eq_ignore_ascii_case(value).then_some("money"),
        Kind::Protocol(name) => name.eq_ignore_ascii_case(value).then_some("port"),
        Kind::Number(number) => (number.to_string() == value).then_some("quantity"),
        _ => None,
    };
    let (span, resolver) = step.spans.iter().find_map(|span| Some((span, means(&span.kind)?)))?;
    Some(Hit { range: span.start..span.end, words: span.text.clone(), score: 0.85, resolver })
}

/// The value's words stand side by side, inflected or joined: `ConfigMap` and "config maps", `SYSTEM_ONLY` and "system only".
fn worded(step: &Passage, value: &str) -> Option<Hit> {
    let lower = value.to_lowercase();
    let wanted: Vec<String> = words::split_identifier(value).iter().map(|word| words::stem(word)).collect();
    if wanted.is_empty() || wanted.iter().map(String::len).sum::<usize>() < 2 {
        return None;
    }
    // Short words share stems by accident: "ACM" is not "ACME".
    let likes = |word: &Word, stem: &String| {
        let same_word = wanted.len() > 1 || word.lower == lower || word.lower.strip_suffix('s') == Some(&lower);
        word.stem == *stem && (stem.len() > 4 || same_word)
    };
    let fits = |window: &&[Word]| window.iter().zip(&wanted).all(|(word, stem)| likes(word, stem));
    let window = step.words.windows(wanted.len()).find(fits);
    let range = window.map(|window| window[0].start..window[window.len() - 1].end);
    let glued = || step.locate_glued(&words::stem(&lower.replace(['-', '_', ' ', '.'], "")));
    let range = range.filter(|range| step.is_vouched(range)).or_else(glued)?;
    let score = if wanted.len() > 1 { 0.85 } else { 0.75 };
    Some(Hit { words: step.text[range.clone()].to_owned(), range, score, resolver: "meaning" })
}

/// What people say for the value.
fn meant(step: &Passage, value: &str) -> Option<Hit> {
    let phrases = MEANINGS.get(value)?;
    let range = phrases.iter().find_map(|phrase| step.locate(phrase).into_iter().next())?;
    Some(Hit { words: step.text[range.clone()].to_owned(), range, score: 0.75, resolver: "meaning" })
}

/// All words of a compound value are somewhere in the step, if inflected: `public-read` and "publicly readable".
fn hinted(step: &Passage, value: &str) -> Option<Hit> {
    let wanted: Vec<String> = words::split_identifier(value)
        .into_iter()
        .filter(|word| !words::is_stop(word))
        .map(|word| words::stem(&word))
        .collect();
    if wanted.len() < 2 {
        return None;
    }
    let likes = |stem: &String| {
        step.words.iter().find(|word| word.stem == *stem || (stem.len() >= 4 && word.lower.starts_with(stem.as_str())))
    };
    let found: Option<Vec<_>> = wanted.iter().map(likes).collect();
    let found = found?;
    let range = found.iter().map(|word| word.start).min()?..found.iter().map(|word| word.end).max()?;
    // Words scattered over the whole sentence are a coincidence.
    (range.len() <= value.len() * 3 + 12 && step.is_vouched(&range)).then(|| Hit {
        words: step.text[range.clone()].to_owned(),
        range,
        score: 0.6,
        resolver: "meaning",
    })
}

fn sibling_stems(slot: &Slot<'_>) -> Vec<String> {
    let siblings = slot.operation.properties().filter(|(name, _)| slot.depth == 0 && *name != slot.name);
    siblings.map(|(name, _)| words::stem(&name.to_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{evidence, operation};
    use serde_json::json;

    fn said(text: &str, values: &[&str]) -> Vec<String> {
        let operation = operation(
            "x/y/ChangeThing",
            json!({"properties": {"mode": {"enum": values}, "namespace": {"type": "string"}}}),
        );
        let slot = Slot::of(&operation, "mode").expect("there");
        let values: Vec<Value> = values.iter().map(|value| json!(value)).collect();
        let mut found = find(&slot, &values, &evidence(text));
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.iter().map(|candidate| candidate.value.as_str().unwrap_or("").to_owned()).collect()
    }

    #[test]
    fn values_are_found_by_themselves_their_words_and_their_meaning() {
        assert_eq!(said("a t3.micro please", &["t2.micro", "t3.micro"]), ["t3.micro"]);
        assert_eq!(said("which pods are in kube-system", &["pod", "node", "service"]), ["pod"]);
        assert_eq!(said("in Ireland", &["eu-west-1", "eu-west-2"]), ["eu-west-1"]);
        assert_eq!(said("charge in dollars", &["eur", "usd"]), ["usd"]);
        assert_eq!(said("make it publicly readable", &["public-read", "private"]), ["public-read"]);
        assert_eq!(said("all config maps", &["configmap", "secret"]), ["configmap"]);
        assert_eq!(said("monthly prices", &["1d", "1M"]), ["1M"]);
        assert_eq!(said("use system only", &["SYSTEM_ONLY", "ALL_USERS"]), ["SYSTEM_ONLY"]);
    }

    #[test]
    fn words_of_the_question_are_no_values() {
        assert!(said("change the thing", &["change", "thing", "the"]).is_empty());
        assert!(said("nothing said here", &["eu-west-1", "x", "a"]).is_empty());
    }

    #[test]
    fn a_word_that_names_another_parameter_comes_last() {
        assert_eq!(said("scale web deployment in the prod namespace", &["namespace", "deployment"])[0], "deployment");
    }
}
