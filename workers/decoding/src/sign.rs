//! Decides which optional parameters a request asks for.
//!
//! Shown an optional parameter, small models fill it, asked for or not; so a parameter of which the request shows no sign is
//! not offered at all. A sign is a word of its name, one of its further words, or a value only it can take.

mod switch;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use silverback_catalogue::operation::Operation;

use crate::candidate::{Candidate, candidates, own_words};
use crate::choice;
use crate::evidence::{Evidence, Kind, Passage, Place};
use crate::filters;
use crate::pointing::believe;
use crate::referent;
use crate::slot::{Slot, object_stems};
use crate::want::{Want, names_region};
use crate::words;
pub(crate) use switch::switch;

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

/// From this score on a word stands beside the noun of the thing it names.
const NAMED_THING: f32 = 1.0;

/// From this score on a span is a path by its form.
const TYPED_PATH: f32 = 0.85;

/// Values that turn something on or off.
const SWITCHES: &[&str] = &["enabled", "disabled", "enable", "disable", "suspended", "active", "inactive", "on", "off"];

/// From this score on a word after "in" is a namespace.
const PLACED_NAME: f32 = 0.85;

/// Words that ask for an order; so do superlatives.
const ORDER: &[&str] = &[
    "sort",
    "sorted",
    "sorting",
    "order",
    "ordered",
    "rank",
    "ranked",
    "top",
    "most",
    "least",
    "first",
    "last",
    "by",
    "best",
    "worst",
    "hungry",
    "ascending",
    "descending",
];

/// Parts of a structure that are looked at; vendors' structures nest by the hundreds, sentences do not.
const MAX_PARTS: usize = 200;

/// Words of names that say that something is counted.
const COUNTING: &[&str] = &["count", "number", "num", "quantity"];

/// How far behind a number the counted thing may stand: `2 new t3.micro instances`.
const MAX_COUNTED_WORDS: usize = 5;

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
    "unit",
    "units",
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
    let ruled = score_within(slot, evidence, taken, &mut { MAX_PARTS });
    evidence.pointed_asked(slot).map_or(ruled, |asked| believe(ruled, asked))
}

fn score_within(slot: &Slot<'_>, evidence: &Evidence, taken: &[Range<usize>], budget: &mut usize) -> f32 {
    let own = [
        by_phrase(slot, evidence),
        by_name(slot, evidence),
        by_count(slot, evidence),
        by_value(slot, evidence, taken),
        by_referent(slot, evidence),
        if filters::is_asked(slot, evidence) { 1.0 } else { 0.0 },
    ];
    let best = own.into_iter().fold(0.0, f32::max);
    best.max(by_part(slot, evidence, taken, budget))
}

/// Is an order asked for? "How much CPU do the pods use" names what could be sorted by and does not want it sorted.
pub(crate) fn asks_for_order(evidence: &Evidence) -> bool {
    let is_order = |lower: &str| ORDER.contains(&lower) || lower.len() > 5 && lower.ends_with("est");
    evidence.step().words.iter().any(|word| is_order(&word.lower))
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
    if slot.has_word(&["destination", "dest", "target", "to", "new"]) {
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

/// "12 copies of storefront in namespace shop": what stands there is the namespace and names nothing else.
pub(crate) fn is_namespace_of_another(slot: &Slot<'_>, passage: &Passage, start: usize) -> bool {
    if slot.has_word(&["namespace"]) || slot.operation.parameter("namespace").is_none() {
        return false;
    }
    let mut before = passage.text[..start].split_whitespace().rev().map(str::to_ascii_lowercase);
    let noun = before.next().unwrap_or_default();
    let place = before.find(|word| word != "the").unwrap_or_default();
    matches!(noun.as_str(), "namespace" | "ns")
        && matches!(place.as_str(), "in" | "from" | "within" | "inside" | "into")
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
    let by_last = || PHRASES.get(format!("* {}", slot.words.last()?).as_str());
    let own = format!("{}: {}", slot.operation.provider, slot.words.join(" "));
    let listed = PHRASES.get(own.as_str()).or_else(|| PHRASES.get(slot.words.join(" ").as_str())).or_else(by_last);
    let listed = listed.filter(|_| slot.depth == 0 || slot.words.len() > 1);
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
    let is_telling = |word: &&String| !UNTELLING.contains(&word.as_str()) && !words::is_stop(word);
    // "4 shards" says a `ShardCount`: the number itself says that something is counted.
    let counts = slot.want() == Want::Count && slot.words.len() > 1;
    let telling = slot.words.iter().filter(is_telling).filter(|word| !counts || !COUNTING.contains(&word.as_str()));
    let stems: Vec<String> = telling.map(|word| words::stem(word)).collect();
    let fresh: Vec<&String> = stems.iter().filter(|stem| !own.contains(stem)).collect();
    let is_sweeping = slot.want() == Want::Boolean && slot.has_word(&["all", "any"]);
    if fresh.is_empty() || is_sweeping {
        // A switch made of the operation's own words (`AllRegions`) must be said in full.
        let whole: Vec<String> = slot.words.iter().map(|word| words::stem(word)).collect();
        return (slot.want() == Want::Boolean && whole.len() > 1).then(|| find_stems(step, &whole)).flatten();
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
    let named = want.is_name_like() && !placed && slot.is_top() && says_all_further_words(slot, evidence);
    let is_path = want == Want::Path && !slot.has_word(&["prefix"]);
    let measured = measures_alone(slot, &want);
    if !(want.is_distinctive() || is_choice || placed || named || is_path || measured)
        || matches!(want, Want::Currency | Want::Glob)
    {
        return 0.0;
    }
    let best = candidates(slot, evidence)
        .into_iter()
        .filter(|candidate| candidate.proof.source != crate::grounding::Source::Session);
    let mut free = best.filter(|candidate| {
        candidate.place == Place::Step && !is_taken(&candidate.proof.start, &candidate.proof.end, taken)
    });
    let switches = |candidate: &Candidate| {
        candidate.value.as_str().is_some_and(|value| SWITCHES.contains(&value.to_ascii_lowercase().as_str()))
    };
    let (least, sure) = match () {
        () if is_path => (TYPED_PATH, 0.7),
        // A region fits nothing else.
        () if is_choice && names_region(slot) => (choice::CERTAIN, 0.9),
        () if is_choice => (choice::CERTAIN, 0.6),
        // "the myteststack stack": the thing is named, whatever the operation's own words are.
        () if named => (NAMED_THING, 0.6),
        // A name alone is no sign of a namespace, "in" before it is.
        () if placed => (PLACED_NAME, 0.7),
        () if matches!(want, Want::Id(_)) => (f32::MIN, 0.9),
        () => (f32::MIN, 0.8),
    };
    let best = free.next().filter(|candidate| candidate.score >= least);
    // A bare number is no size.
    let best = best.filter(|candidate| !measured || candidate.proof.resolver == "quantity");
    // "enable versioning" enables no MFA: what is switched must be said.
    let best = best.filter(|candidate| !is_choice || !switches(candidate) || says_all_further_words(slot, evidence));
    best.map_or(0.0, |_| sure)
}

/// "a 100 GB volume": the only size or duration of an operation needs no name.
fn measures_alone(slot: &Slot<'_>, want: &Want) -> bool {
    let alike = |other: &Want| std::mem::discriminant(other) == std::mem::discriminant(want);
    let measured = matches!(want, Want::SizeIn(_) | Want::DurationIn(_));
    measured && slot.depth == 0 && Slot::all(slot.operation).iter().filter(|other| alike(&other.want())).count() == 1
}

/// "launch 2 t3.micro instances": a number before the thing itself says how many.
fn by_count(slot: &Slot<'_>, evidence: &Evidence) -> f32 {
    let counts = ["min", "max", "desired", "count", "number", "quantity", "size", "capacity"];
    if slot.want() != Want::Count || !slot.words.iter().all(|word| counts.contains(&word.as_str())) {
        return 0.0;
    }
    let things = object_stems(slot.operation);
    let step = evidence.step();
    let numbers = step.spans.iter().filter(|span| matches!(span.kind, Kind::Number(_)));
    let counted = numbers.filter(|span| {
        let first = step.words.partition_point(|word| word.start < span.end);
        step.words[first..].iter().take(MAX_COUNTED_WORDS).any(|word| things.contains(&word.stem))
    });
    if counted.count() == 1 { 0.7 } else { 0.0 }
}

/// `AlarmNamePrefix` is not asked for by naming an alarm: "prefix" must be said too.
fn says_all_further_words(slot: &Slot<'_>, evidence: &Evidence) -> bool {
    let own = own_words(slot);
    let untelling = |word: &str| {
        matches!(word, "type" | "status" | "state" | "mode") || UNTELLING.contains(&word) || words::is_stop(word)
    };
    let telling = slot.words.iter().filter(|word| !untelling(word));
    let mut further = telling.map(|word| words::stem(word)).filter(|stem| !own.contains(stem));
    further.all(|stem| evidence.step().words.iter().any(|word| word.stem == stem))
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
fn by_part(slot: &Slot<'_>, evidence: &Evidence, taken: &[Range<usize>], budget: &mut usize) -> f32 {
    let parts = match slot.want() {
        Want::List => slot.element().into_iter().collect::<Vec<_>>(),
        Want::Object => slot.members(),
        _ => return 0.0,
    };
    // Deep parts have everyday names ("Type", "Status"): only what can be told by its form counts there.
    let telling = |part: &&Slot<'_>| {
        let shallow = if matches!(part.want(), Want::Choice(_)) { 3 } else { 2 };
        part.depth < shallow || matches!(part.want(), Want::List | Want::Object) || part.want().is_distinctive()
    };
    let mut best = 0.0f32;
    for part in parts.iter().filter(telling) {
        if *budget == 0 {
            break;
        }
        *budget -= 1;
        best = best.max(score_within(part, evidence, taken, budget));
    }
    best * 0.9
}

/// Pairs of the step, `KEY=VALUE` or "key of A and value of B"; tags, labels and environment variables are made of them.
pub(crate) fn pairs(evidence: &Evidence) -> Vec<(String, String)> {
    static WORDED: LazyLock<Regex> = LazyLock::new(|| {
        let said = r#"\bkey (?:of |named |called )?["'`]?(?P<key>[\w.:/-]+)["'`]?,? (?:and|with) (?:an? |the )?value (?:of )?["'`]?(?P<value>[\w.:/-]*\w)"#;
        // The vendors' own notations: `Key=a,Value=b` and `{"Key": "a", "Value": "b"}`.
        let noted = r#"\bkey"?\s*[=:]\s*"?(?P<key2>[^",\s]+)"?\s*,\s*"?value"?\s*[=:]\s*"?(?P<value2>[^",\s}]+)"#;
        Regex::new(&format!("(?i){said}|{noted}")).expect("the pattern is fixed, see the tests")
    });
    let step = evidence.step();
    let written = step.spans.iter().filter(|span| span.kind == Kind::Pair).filter_map(|span| span.text.split_once('='));
    let written = written.filter(|(key, _)| !key.eq_ignore_ascii_case("key") && !key.eq_ignore_ascii_case("value"));
    let mut pairs: Vec<(String, String)> =
        written.map(|(key, value)| (key.to_owned(), value.trim_matches(['"', '\'']).to_owned())).collect();
    for captures in WORDED.captures_iter(&step.text) {
        let part =
            |name: &str, other: &str| captures.name(name).or(captures.name(other)).map(|part| part.as_str().to_owned());
        let vouched = captures.get(0).is_some_and(|whole| step.is_vouched(&whole.range()));
        let pair = part("key", "key2").zip(part("value", "value2")).filter(|pair| vouched && !pairs.contains(pair));
        pairs.extend(pair);
    }
    pairs
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
    fn pairs_are_written_or_worded() {
        let said = pairs(&evidence("tag it with env=prod and with the key of Team and value of payments."));
        assert_eq!(said, [("env".into(), "prod".into()), ("Team".into(), "payments".into())]);
    }
}
