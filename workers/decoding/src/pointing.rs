//! Takes in what a model that reads found in the step for the places of an operation.
//!
//! It only points: which place is asked for, which words are its value. A word that is pointed at still has to stand in the request and
//! to fit the place's schema, and values that need reading (a date, an amount of money) are read by their resolvers.

use std::collections::BTreeMap;
use std::ops::Range;

use silverback_catalogue::operation::Operation;

use crate::calendar::Date;
use crate::candidate::{Candidate, proof_by, within_bounds};
use crate::evidence::{Evidence, Kind, Passage, Place, Span};
use crate::places::place_pointer;
use crate::resolver::s3_uri;
use crate::slot::Slot;
use crate::want::Want;

/// What the step gives one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pointed {
    /// Probability that it is asked for.
    pub asked: f32,
    /// Bytes of the step that hold values for it, and how sure each is, 0 to 1.
    pub spans: Vec<(Range<usize>, f32)>,
}

/// What the step gives the places of one operation, by their pointers ([`places`](crate::places)).
pub type Pointing = BTreeMap<String, Pointed>;

/// What a value counts more when all of it is pointed at.
const POINTED_AT: f32 = 0.6;
/// From this on what is pointed at leaves nothing else.
const SURE: f32 = 0.7;
/// From this on a word is more likely a value than none.
const LIKELY: f32 = 0.5;
/// Score of words that nothing but the pointing makes a value.
const FOUND: f32 = 0.6;

/// What is less likely asked for than this is not, whatever a draft says.
pub(crate) const UNASKED: f32 = 0.07;

/// Weights in the log-odds that an optional place is asked for: of the model's own, of the rules' score, of the surest word, and of none of
/// them. Fitted on 2,097 optional parameters of 285 tune requests (wrong by rules alone 153, by the model alone 150, by both 116,
/// cross-validated), then moved towards offering: what is offered can still be left out.
const BELIEF: [f32; 4] = [0.45, 3.8, 2.5, -1.2];

// === impl Evidence ===

impl Evidence {
    /// Remembers what a model found for an operation.
    pub fn point(&mut self, operation: &str, found: Pointing) {
        self.pointing.insert(operation.to_owned(), shared_out(found));
    }

    /// How surely the model says that a place or a part of it is asked for, and of its surest word; `None` when it was not asked.
    pub(crate) fn pointed_asked(&self, slot: &Slot<'_>) -> Option<[f32; 2]> {
        let pointing = self.pointing.get(&slot.operation.key())?;
        let own = place_pointer(&slot.pointer);
        let is_part = |pointer: &str| pointer.strip_prefix(own.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let parts = pointing.iter().filter(|(pointer, _)| **pointer == own || is_part(pointer));
        let surest = |one: &Pointed| one.spans.iter().map(|(_, sure)| *sure).fold(0.0, f32::max);
        let asked = parts.map(|(_, one)| [one.asked, surest(one)]);
        asked.reduce(|one, other| [one[0].max(other[0]), one[1].max(other[1])])
    }

    /// How surely the request asks for a top-level parameter; `None` when no model has read it.
    pub fn asks_for(&self, operation: &Operation, parameter: &str) -> Option<f32> {
        self.pointed_asked(&Slot::of(operation, parameter)?).map(|[asked, _]| asked)
    }

    /// How surely the model points from this place at these words of the step, 0 to 1.
    pub(crate) fn points_at(&self, slot: &Slot<'_>, range: &Range<usize>) -> f32 {
        let spans = self.pointed(slot).map(|pointed| pointed.spans.as_slice()).unwrap_or_default();
        spans.iter().map(|(span, sure)| sure * share(span, range)).fold(0.0, f32::max)
    }

    fn pointed(&self, slot: &Slot<'_>) -> Option<&Pointed> {
        self.pointing.get(&slot.operation.key())?.get(&place_pointer(&slot.pointer))
    }
}

/// Gives each word to the place that is surest of it: one word says one thing. A place that has none of its own takes its next best.
fn shared_out(mut found: Pointing) -> Pointing {
    let mut claims: Vec<(String, Range<usize>, f32)> = Vec::new();
    for (pointer, one) in &mut found {
        claims.extend(one.spans.drain(..).map(|(range, sure)| (pointer.clone(), range, sure)));
    }
    claims.sort_by(|(.., one), (.., other)| other.total_cmp(one));
    let mut taken: Vec<Range<usize>> = Vec::new();
    for (pointer, range, sure) in claims {
        let Some(place) = found.get_mut(&pointer) else { continue };
        let is_free = !taken.iter().any(|other| share(other, &range) > 0.0);
        if is_free && (sure >= LIKELY || place.spans.is_empty()) {
            taken.push(range.clone());
            place.spans.push((range, sure));
        }
    }
    found.values_mut().for_each(|one| one.spans.sort_by_key(|(range, _)| range.start));
    found
}

/// Is the place asked for, by the rules' score and the model's odds and surest word? Again a score; what is asked for has at least 0.5.
pub(crate) fn believe(ruled: f32, [asked, surest]: [f32; 2]) -> f32 {
    let [model, rules, word, none] = BELIEF;
    // What a rule is sure of stands against the model's no.
    let asked = asked.clamp(0.04, 0.999);
    let odds = model * (asked / (1.0 - asked)).ln() + rules * ruled + word * surest + none;
    1.0 / (1.0 + (-odds).exp())
}

/// Prefers the values that are pointed at, and adds those that no rule has found.
pub(crate) fn heed(slot: &Slot<'_>, want: &Want, evidence: &Evidence, found: &mut Vec<Candidate>) {
    let Some(pointed) = evidence.pointed(slot).filter(|pointed| !pointed.spans.is_empty()) else { return };
    let step = evidence.step();
    let pointed_at: Vec<(Range<usize>, f32)> =
        pointed.spans.iter().filter_map(|(range, sure)| Some((trimmed(&step.text, range)?, *sure))).collect();
    // Identifiers of a known form are told by it: pointing only says which of them.
    let is_told_by_form = matches!(want, Want::Id(prefixes) if !prefixes.is_empty());
    let is_whole = |candidate: &Candidate| {
        let own = candidate.proof.start..candidate.proof.end;
        let is_within = |range: &Range<usize>| share(&own, range) > 0.0 && share(&own, range) < 1.0;
        candidate.place == Place::Step && !pointed_at.iter().any(|(range, _)| is_within(range))
    };
    let is_formed = is_told_by_form && found.iter().any(is_whole);
    for (range, sure) in pointed_at.iter().filter(|(range, _)| step.is_vouched(range)) {
        let mut is_known = is_formed;
        for candidate in found.iter_mut().filter(|candidate| candidate.place == Place::Step) {
            let shared = share(&(candidate.proof.start..candidate.proof.end), range);
            if shared > 0.0 {
                candidate.score += POINTED_AT * sure * shared;
                candidate.pointed = true;
                is_known |= shared == 1.0 || !is_spelled(want);
            }
        }
        let span = step.span(range.clone(), Kind::Name);
        // A region, a date or an amount names nothing, and what is more likely no value is not made one.
        is_known |=
            *sure < LIKELY || (want.is_name_like() && (is_measure(step, range) || is_purpose(slot, step, range)));
        let Some((part, value)) = (!is_known).then(|| spelled(slot, want, &span.text)).flatten() else { continue };
        let value = value.into();
        if within_bounds(slot, &value) {
            // `rtb-0a` within `tgw-rtb-0a` is no identifier.
            found.retain(|candidate| part < 1.0 || share(&(candidate.proof.start..candidate.proof.end), range) == 0.0);
            let proof = proof_by(slot, &span, if part < 1.0 { "part" } else { "" });
            let score = FOUND + POINTED_AT * sure;
            found.push(Candidate { value, proof, score, place: Place::Step, pointed: true });
        }
    }
    let is_at = |candidate: &Candidate| {
        let own = candidate.proof.start..candidate.proof.end;
        pointed_at.iter().any(|(range, sure)| *sure >= SURE && share(&own, range) > 0.0)
    };
    if found.iter().any(|candidate| candidate.place == Place::Step && is_at(candidate)) {
        found.retain(|candidate| candidate.place == Place::Step && is_at(candidate));
    }
}

/// Keys and values that are pointed at, in their order: "tagged owner: ana".
pub(crate) fn pointed_pairs(evidence: &Evidence, keys: &Slot<'_>, values: &Slot<'_>) -> Vec<(String, String)> {
    let step = evidence.step();
    let said = |slot: &Slot<'_>| {
        let spans = evidence.pointed(slot).map(|pointed| pointed.spans.as_slice()).unwrap_or_default();
        let likely = spans.iter().filter(|(_, sure)| *sure >= LIKELY);
        let ranges = likely.filter_map(|(range, _)| trimmed(&step.text, range)).filter(|range| step.is_vouched(range));
        ranges.map(|range| step.text[range].to_owned()).collect::<Vec<_>>()
    };
    let (keys, values) = match keys.pointer == values.pointer {
        // A map's own place holds both.
        true => said(keys).chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).unzip(),
        false => (said(keys), said(values)),
    };
    if keys.len() == values.len() { keys.into_iter().zip(values).collect() } else { Vec::new() }
}

// === private ===

/// Share of all bytes of two spans that both hold.
fn share(one: &Range<usize>, other: &Range<usize>) -> f32 {
    let both = one.end.min(other.end).saturating_sub(one.start.max(other.start));
    let all = (one.end.max(other.end) - one.start.min(other.start)).max(1);
    both as f32 / all as f32
}

/// Is the value the words as they stand?
fn is_spelled(want: &Want) -> bool {
    want.is_name_like() || matches!(want, Want::Text | Want::PortText | Want::DurationText | Want::Glob | Want::Id(_))
}

/// Is it all of a region, a day, an amount?
fn is_measure(step: &Passage, range: &Range<usize>) -> bool {
    let is_typed = |kind: &Kind| {
        matches!(kind, Kind::Region(_) | Kind::Date(_) | Kind::Money(_) | Kind::Duration(_) | Kind::Size(_))
    };
    let covers = |span: &Span| span.start <= range.start && range.end <= span.end;
    step.spans.iter().any(|span| is_typed(&span.kind) && covers(span))
}

/// "Create a bucket for logs" says what it is for, not what it is called.
fn is_purpose(slot: &Slot<'_>, step: &Passage, range: &Range<usize>) -> bool {
    let before = step.text[..range.start].trim_end().to_ascii_lowercase();
    let is_after_for = before == "for" || before.ends_with(" for") || before.ends_with(" for the");
    let is_plain = step.text[range.clone()].bytes().all(|byte| byte.is_ascii_lowercase());
    slot.operation.name.to_ascii_lowercase().starts_with("create") && is_after_for && is_plain
}

/// What words that are pointed at say, and which share of them the value is; `None` where they have to be read.
fn spelled<'a>(slot: &Slot<'_>, want: &Want, text: &'a str) -> Option<(f32, &'a str)> {
    if let (Want::Date { with_time: true, .. }, true) = (want, is_instant(text)) {
        return Some((1.0, text));
    }
    if !is_spelled(want) {
        return None;
    }
    let part =
        |part: &'a str| Some((part.len() as f32 / text.len().max(1) as f32, part)).filter(|(_, part)| !part.is_empty());
    if let Some(uri) = s3_uri::parse(text).filter(|_| slot.operation.provider == "aws" && *want != Want::Path) {
        let is_bucket = slot.has_word(&["bucket"]) && !slot.has_word(&["key", "prefix"]);
        return part(if is_bucket { uri.bucket } else { uri.key });
    }
    // `deploy/web` names the deployment web.
    let is_typed = slot.operation.provider == "kubernetes" && slot.has_word(&["name", "names", "pod", "node"]);
    match text.split_once('/') {
        Some((kind, name)) if is_typed && kind.bytes().all(|byte| byte.is_ascii_alphabetic()) => part(name),
        _ => part(text),
    }
}

/// `2026-11-20T06:00:00Z`
fn is_instant(text: &str) -> bool {
    let is_time = |time: &str| time.ends_with('Z') && time.len() >= 6 && time.as_bytes()[2] == b':';
    text.split_once('T').is_some_and(|(day, time)| Date::parse_iso(day).is_some() && is_time(time))
}

/// Without quotation marks and the sentence's own marks.
fn trimmed(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let said = text.get(range.clone())?;
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '(' | ')');
    let front = said.trim_start_matches(is_mark);
    let start = range.start + said.len() - front.len();
    let kept = front.trim_end_matches(|c: char| is_mark(c) || matches!(c, '.' | ':' | '!' | '?'));
    (!kept.is_empty()).then(|| start..start + kept.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::offer::offers;
    use crate::testing::{evidence, operation};

    /// Pointer, probability, and words with how sure each is.
    type Read<'a> = (&'a str, f32, &'a [(&'a str, f32)]);

    fn pointed(text: &str, found: &[Read<'_>]) -> Pointing {
        let span = |(said, sure): &(&str, f32)| {
            let start = text.find(said).expect("said");
            (start..start + said.len(), *sure)
        };
        let place = |(pointer, asked, spans): &Read<'_>| {
            ((*pointer).to_owned(), Pointed { asked: *asked, spans: spans.iter().map(span).collect() })
        };
        found.iter().map(place).collect()
    }

    fn offered(operation: &Operation, text: &str, found: &[Read<'_>]) -> Vec<(String, Vec<Value>)> {
        let mut evidence = evidence(text);
        evidence.point(&operation.key(), pointed(text, found));
        let offers = offers(operation, &evidence, &serde_json::Map::new());
        let said = |offer: &crate::offer::ParamOffer| (offer.name.clone(), offer.values().unwrap_or_default().to_vec());
        offers.parameters.iter().map(said).collect()
    }

    fn top() -> Operation {
        operation(
            "kubernetes/kubectl/top node",
            json!({"required": ["name"], "properties": {"name": {"type": "string"}, "context": {"type": "string"}}}),
        )
    }

    #[test]
    fn words_that_are_pointed_at_become_values() {
        let text = "is worker-07 short on ram on lab2? jobs crawl";
        let found: [Read<'_>; 2] = [("/name", 0.99, &[("worker-07", 0.9)]), ("/context", 0.97, &[("lab2?", 0.8)])];
        let wanted = [("name".to_owned(), vec![json!("worker-07")]), ("context".to_owned(), vec![json!("lab2")])];
        assert_eq!(offered(&top(), text, &found), wanted);
        assert!(offered(&top(), text, &[("/context", 0.01, &[])]).iter().all(|(name, _)| name != "context"));
    }

    #[test]
    fn one_word_goes_to_the_place_that_is_surest_of_it() {
        let text = "move alpha to beta";
        let found = pointed(text, &[("/from", 0.9, &[("alpha", 0.9)]), ("/to", 0.9, &[("alpha", 0.8), ("beta", 0.4)])]);
        let shared = shared_out(found);
        assert_eq!(shared["/from"].spans, [(5..10, 0.9)]);
        assert_eq!(shared["/to"].spans, [(14..18, 0.4)]);
    }

    #[test]
    fn a_part_of_what_is_pointed_at_can_be_the_value() {
        let slot_of = |name: &str| operation("aws/s3/PutObject", json!({"properties": {name: {"type": "string"}}}));
        let value = |name: &str, text: &str| {
            let operation = slot_of(name);
            spelled(&Slot::of(&operation, name).expect("there"), &Want::Name, text).map(|(_, value)| value.to_owned())
        };
        assert_eq!(value("Bucket", "s3://ev/cam7/0412.mp4").as_deref(), Some("ev"));
        assert_eq!(value("Key", "s3://ev/cam7/0412.mp4").as_deref(), Some("cam7/0412.mp4"));
        assert!(is_instant("2026-11-20T06:00:00Z") && !is_instant("2026-11-20") && !is_instant("TZ"));
    }

    #[test]
    fn the_models_and_the_rules_odds_add_up() {
        assert!(believe(0.0, [0.99, 0.0]) > 0.5 && believe(0.0, [0.6, 0.0]) < 0.5);
        assert!(believe(0.0, [0.6, 0.9]) > 0.5 && believe(0.0, [0.04, 0.5]) < 0.5);
        assert!(believe(0.7, [0.001, 0.0]) > 0.5 && believe(0.6, [0.001, 0.0]) < 0.5);
    }
}
