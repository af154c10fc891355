//! Lists the values that the evidence gives for one place, best first, each with its proof.
//!
//! Offers and grounding both stand on this list: what is offered can be grounded, and a wrong proposal for a kind that can
//! be told from its form is set right when there is exactly one candidate.

use serde_json::Value;
use silverback_catalogue::check;

use crate::choice;
use crate::evidence::{Evidence, Kind, Naming, Passage, Place, Span, THRESHOLD};
use crate::grounding::{Proof, Source};
use crate::pointing;
use crate::reading::{self, Reading};
use crate::referent;
use crate::resolver::{Found, boolean, pair, resources, selector};
use crate::sign;
use crate::slot::{Slot, object_stems};
use crate::want::Want;
use crate::words;

/// More candidates than this are not offered; the grammar stays small.
pub(crate) const MAX_CANDIDATES: usize = 48;

/// From this score on the words around a name say whose it is: the form of a word alone scores less.
pub(crate) const RELATED: f32 = 0.75;

/// The same where a noun beside the word says so: then an everyday word may be a name ("cluster main").
const POINTED: f32 = 0.55;

/// Candidates this much worse than the best are noise.
const NOISE_MARGIN: f32 = 0.5;

/// Stems of names of vendors and their services that people put before a noun.
const VENDOR_WORDS: &[&str] =
    &["s3", "ec2", "aw", "aws", "amazon", "kubernet", "k8s", "stripe", "lambda", "dynamodb", "rd", "rds", "iam", "vpc"];

/// The same for a single name that the words around it point at.
const CLEAR_MARGIN: f32 = 0.12;

/// A value that may be said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub value: Value,
    pub proof: Proof,
    /// How well it fits, about 0 to 1.5.
    pub score: f32,
    /// Where the span stands.
    pub place: Place,
    /// Does something beside the span say that it names this place's thing?
    pub pointed: bool,
}

/// Values for a scalar place, best first, each value once.
pub(crate) fn candidates(slot: &Slot<'_>, evidence: &Evidence) -> Vec<Candidate> {
    let want = slot.want();
    let mut found = match &want {
        Want::Choice(values) => choice::find(slot, values, evidence),
        Want::Boolean => sign::switch(slot, evidence),
        Want::List | Want::Object => Vec::new(),
        _ => of_spans(slot, &want, evidence),
    };
    let step = &evidence.step().text;
    found.extend(match &want {
        Want::Pair => worded(slot, evidence, "pair", pair::find(step).into_iter().chain(pair::find_removed(step))),
        Want::FieldSelector => worded(slot, evidence, "selector", selector::find_node(step)),
        Want::Resources(bound) => worded(slot, evidence, "resources", resources::find(step, *bound)),
        _ => Vec::new(),
    });
    found.extend(referent::candidates(slot, &want, evidence));
    pointing::heed(slot, &want, evidence, &mut found);
    found.retain(|candidate| within_bounds(slot, &candidate.value));
    found.sort_by(|a, b| a.place.cmp(&b.place).then(b.score.total_cmp(&a.score)));
    // "put alice into the admins group": the noun beside it says which word is the group.
    if want.is_name_like() && !slot.pointer.ends_with("/0") && found.iter().any(|candidate| candidate.pointed) {
        found.retain(|candidate| candidate.pointed);
    }
    if want.is_name_like()
        && let Some(best) = found.first().map(|candidate| candidate.score).filter(|score| *score >= 0.9)
    {
        let margin = if best >= 1.0 && !slot.pointer.ends_with("/0") { CLEAR_MARGIN } else { NOISE_MARGIN };
        found.retain(|candidate| candidate.score >= best - margin);
    }
    let mut seen: Vec<Value> = Vec::new();
    found.retain(|candidate| {
        !seen.contains(&candidate.value) && {
            seen.push(candidate.value.clone());
            true
        }
    });
    found.truncate(MAX_CANDIDATES);
    found
}

/// Stems that point at this place in this request: its own nouns and, for the name of a thing, the kinds of thing said.
pub(crate) fn nouns_in(slot: &Slot<'_>, evidence: &Evidence) -> Vec<String> {
    let mut nouns = slot.nouns();
    if slot.operation.provider == "kubernetes" && slot.has_word(&["name", "names", "pod", "node", "target", "resource"])
    {
        nouns.extend(choice::said_kinds(slot.operation, evidence));
    }
    nouns
}

/// How words of this request are judged as names for this place.
pub(crate) fn naming(slot: &Slot<'_>, evidence: &Evidence) -> Naming {
    Naming { heads: nouns_in(slot, evidence), near: slot.near_nouns(), own_words: own_words(slot) }
}

/// Stems of the operation's own words: they ask for the operation and name nothing.
pub(crate) fn own_words(slot: &Slot<'_>) -> Vec<String> {
    let mut stems: Vec<String> =
        words::split_identifier(&slot.operation.name).iter().map(|word| words::stem(word)).collect();
    stems.extend(object_stems(slot.operation));
    // "an S3 bucket": the service is no bucket's name.
    stems.extend(words::split_identifier(&slot.operation.service).iter().map(|word| words::stem(word)));
    stems.extend(VENDOR_WORDS.iter().map(|word| (*word).to_owned()));
    stems
}

/// A proof by a span of the step; spans that stand only elsewhere in the request have no offsets.
pub(crate) fn proof_by(slot: &Slot<'_>, span: &Span, resolver: &str) -> Proof {
    let (start, end) = if span.place == Place::Step { (span.start, span.end) } else { (0, 0) };
    let source = if resolver.is_empty() { Source::Request } else { Source::Resolver };
    Proof { pointer: slot.pointer.clone(), source, start, end, text: span.text.clone(), resolver: resolver.to_owned() }
}

/// Does the schema's range hold this number, its lengths this string?
pub(crate) fn within_bounds(slot: &Slot<'_>, value: &Value) -> bool {
    // A reference stands for a value that is not known yet.
    check::is_reference(value) || check::conforms(slot.schema, value)
}

// === private ===

/// What a resolver puts together from words of the step.
fn worded(
    slot: &Slot<'_>,
    evidence: &Evidence,
    resolver: &str,
    found: impl IntoIterator<Item = Found<String>>,
) -> Vec<Candidate> {
    let step = evidence.step();
    let said = found.into_iter().filter(|found| step.is_vouched(&found.range));
    let candidate = |found: Found<String>| Candidate {
        proof: proof_by(slot, &step.span(found.range, Kind::Name), resolver),
        value: found.value.into(),
        score: 0.9,
        place: Place::Step,
        pointed: true,
    };
    said.map(candidate).collect()
}

fn of_spans(slot: &Slot<'_>, want: &Want, evidence: &Evidence) -> Vec<Candidate> {
    let naming = naming(slot, evidence);
    let mut found = Vec::new();
    for span in evidence.spans() {
        let Some(passage) = evidence.passages().find(|passage| passage.place == span.place) else { continue };
        // Words of the rest of the request count only where their form alone tells what they are.
        if span.place == Place::Request && !want.is_distinctive() {
            continue;
        }
        let readings = reading::readings(slot, want, span, evidence);
        found.extend(readings.into_iter().filter_map(|reading| judge(slot, want, (passage, span), &naming, reading)));
    }
    found
}

fn judge(
    slot: &Slot<'_>,
    want: &Want,
    (passage, span): (&Passage, &Span),
    naming: &Naming,
    reading: Reading,
) -> Option<Candidate> {
    let range = span.start..span.end;
    if span.kind == Kind::Name && sign::is_namespace_of_another(slot, passage, span.start) {
        return None;
    }
    if *want == Want::Glob && !is_on_its_side(slot, passage, span) {
        return None;
    }
    let judgement = naming.judge(passage, &range);
    let by_name = want.is_name_like() && matches!(span.kind, Kind::Name | Kind::Quoted | Kind::Number(_) | Kind::Path);
    let score = if by_name {
        let preposition = sign::place_preposition(slot, passage, &range);
        let score = judgement.score + preposition;
        // An optional parameter needs the words around the name to say that it is this one's.
        let threshold = match slot.required || !slot.is_top() {
            true => THRESHOLD,
            false if judgement.pointed => POINTED,
            false => RELATED,
        };
        if score < threshold {
            return None;
        }
        score.min(1.5)
    } else {
        reading.score
            + if naming.is_beside_noun(passage, &range) { 0.4 } else { 0.0 }
            + sign::place_preposition(slot, passage, &range)
    };
    Some(Candidate {
        value: reading.value,
        proof: proof_by(slot, span, reading.resolver),
        score,
        place: span.place,
        pointed: judgement.pointed,
    })
}

/// "without the csv files" is what is left out, "the csv files" what is taken.
fn is_on_its_side(slot: &Slot<'_>, passage: &Passage, span: &Span) -> bool {
    let is_taken = boolean::read(&passage.text, span.start..span.end).value;
    is_taken != slot.has_word(&["exclude"])
}
