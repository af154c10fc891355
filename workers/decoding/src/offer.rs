//! Lists what may be said for an operation: for each parameter that is asked for, the values the evidence gives.
//!
//! Required parameters come first, optional ones only with a sign, those marked `x-never` not at all. A required parameter
//! without any value is missing: it is asked for, never guessed. Start at [`offers`].

use std::ops::Range;

use serde_json::{Map, Value};
use silverback_catalogue::{check::exclusive, operation::Operation};

use crate::candidate::{Candidate, MAX_CANDIDATES, candidates};
use crate::evidence::{Evidence, Place};
use crate::filters;
use crate::pointing::pointed_pairs;
use crate::sign::{self, ASKED, pairs};
use crate::slot::Slot;
use crate::want::Want;

/// Parameters offered beyond this many are the least asked for and are left out; key order is tracked in 64 bits.
const MAX_OFFERED: usize = 24;

/// Lists are never longer than this, whatever the schema allows.
const MAX_LIST: usize = 8;

/// An enumeration without a said value is offered whole up to this size.
const MAX_WHOLE_CHOICE: usize = 64;

/// A name is another parameter's when it fits that one better by this much.
const RIVAL_MARGIN: f32 = 0.25;

/// What may be said for one operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offers {
    /// Parameters with something to say, required ones first.
    pub parameters: Vec<ParamOffer>,
    /// Required parameters for which the evidence gives no value.
    pub missing: Vec<String>,
}

/// What may be said for one parameter or member.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamOffer {
    /// Its name.
    pub name: String,
    /// Must it be said?
    pub required: bool,
    /// Which values.
    pub form: Form,
}

/// The values that may be said at a place. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// One of these literals, best first.
    OneOf(Vec<Value>),
    /// Any run of whole words of this text, as a string.
    Copied(String),
    /// A list; literals are not repeated.
    List {
        /// What each element may be.
        element: Box<Form>,
        /// Least number of elements, at least 1.
        least: usize,
        /// Greatest number of elements, at most 8.
        most: usize,
    },
    /// A structure of these members, in any order, each at most once.
    Object(Vec<ParamOffer>),
}

/// What may be said for an operation besides the arguments already kept.
pub fn offers(operation: &Operation, evidence: &Evidence, kept: &Map<String, Value>) -> Offers {
    let mut slots: Vec<Slot<'_>> =
        Slot::all(operation).into_iter().filter(|slot| !kept.contains_key(slot.name)).collect();
    slots.retain(|slot| !is_excluded(operation, slot.name, kept));
    say_the_long_form(&mut slots, operation, evidence);
    let taken = taken_spans(&slots, evidence);
    let mut asked: Vec<(f32, Slot<'_>)> = Vec::new();
    for slot in slots {
        let score = if slot.required { f32::INFINITY } else { sign::score(&slot, evidence, &taken) };
        if score >= ASKED {
            asked.push((score, slot));
        }
    }
    asked.sort_by(|a, b| b.0.total_cmp(&a.0));
    asked.truncate(MAX_OFFERED.max(asked.iter().filter(|(score, _)| score.is_infinite()).count()).min(64));
    let said: Vec<Vec<Candidate>> = asked.iter().map(|(_, slot)| own_candidates(slot, evidence, kept)).collect();
    let mut offers = Offers::default();
    for (index, (_, slot)) in asked.iter().enumerate() {
        let fitting = without_rivals(&said, index, slot);
        match form(slot, fitting, evidence) {
            Some(form) => {
                offers.parameters.push(ParamOffer { name: slot.name.to_owned(), required: slot.required, form })
            }
            None if slot.required => offers.missing.push(slot.name.to_owned()),
            None => {}
        }
    }
    offers
}

// === impl Offers ===

impl Offers {
    /// Is there exactly one thing to say, so that no model is needed?
    pub fn is_settled(&self) -> bool {
        self.parameters.iter().all(|offer| offer.required && offer.form.only_value().is_some())
    }
}

// === impl ParamOffer ===

impl ParamOffer {
    /// The literals, where the values are a plain choice.
    pub fn values(&self) -> Option<&[Value]> {
        match &self.form {
            Form::OneOf(values) => Some(values),
            _ => None,
        }
    }
}

// === impl Form ===

impl Form {
    /// The value, when there is no choice.
    pub fn only_value(&self) -> Option<Value> {
        match self {
            Form::OneOf(values) if values.len() == 1 => Some(values[0].clone()),
            Form::List { element, .. } => element.only_value().map(|value| Value::Array(vec![value])),
            Form::Object(members) if members.iter().all(|member| member.required) => {
                let pairs = members.iter().map(|member| Some((member.name.clone(), member.form.only_value()?)));
                pairs.collect::<Option<Map<String, Value>>>().map(Value::Object)
            }
            _ => None,
        }
    }
}

// === private ===

/// Does something that is kept forbid it?
fn is_excluded(operation: &Operation, name: &str, kept: &Map<String, Value>) -> bool {
    exclusive(&operation.parameters)
        .any(|[one, other]| (one == name && kept.contains_key(other)) || (other == name && kept.contains_key(one)))
}

/// "the service prometheus": a kind of its own is said, so kind and name are said in place of the short form `pod`.
fn say_the_long_form(slots: &mut Vec<Slot<'_>>, operation: &Operation, evidence: &Evidence) {
    let names = |list: Option<&Value>| {
        let texts = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let is_said = |name: &String, short: &str| {
        let kind = Slot::of(operation, name).filter(|slot| matches!(slot.want(), Want::Choice(_)));
        let said = kind.map(|slot| candidates(&slot, evidence)).unwrap_or_default();
        said.first().is_some_and(|best| best.place == Place::Step && best.value != short)
    };
    let required: Vec<&str> = slots.iter().filter(|slot| slot.required).map(|slot| slot.name).collect();
    for short in required {
        let instead = names(Slot::of(operation, short).and_then(|slot| slot.schema.get("x-instead")));
        let Some(kind) = instead.iter().find(|name| is_said(name, short)) else { continue };
        let needed = names(operation.parameters["dependentRequired"].get(kind));
        slots.retain(|slot| slot.name != short);
        let long = slots.iter_mut().filter(|slot| slot.name == kind || needed.iter().any(|name| name == slot.name));
        long.for_each(|slot| slot.required = true);
    }
}

fn taken_spans(slots: &[Slot<'_>], evidence: &Evidence) -> Vec<Range<usize>> {
    let required = slots.iter().filter(|slot| slot.required);
    required.flat_map(|slot| sign::leaf_spans(slot, evidence)).collect()
}

/// Candidates of a scalar place or of a list's elements.
fn own_candidates(slot: &Slot<'_>, evidence: &Evidence, kept: &Map<String, Value>) -> Vec<Candidate> {
    let element = slot.element().filter(|_| slot.want() == Want::List);
    let place = element.as_ref().unwrap_or(slot);
    let mut said = candidates(place, evidence);
    // One word names one thing: what a kept argument uses is used.
    if place.want().is_name_like() || place.want() == Want::Count {
        said.retain(|candidate| !kept.values().any(|value| uses(value, &candidate.value)));
    }
    said
}

fn uses(kept: &Value, value: &Value) -> bool {
    match kept {
        Value::Array(elements) => elements.contains(value),
        other => other == value,
    }
}

/// Names that fit another parameter clearly better are left to it.
fn without_rivals(said: &[Vec<Candidate>], index: usize, slot: &Slot<'_>) -> Vec<Candidate> {
    let mut own = said[index].clone();
    if !slot.want().is_name_like() && slot.want() != Want::List && slot.want() != Want::Count {
        return own;
    }
    own.retain(|candidate| {
        let rivals =
            said.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, candidates)| candidates);
        let mut same =
            rivals.filter(|rival| rival.value == candidate.value && rival.proof.start == candidate.proof.start);
        !same.any(|rival| rival.score > candidate.score + RIVAL_MARGIN)
    });
    own
}

fn form(slot: &Slot<'_>, said: Vec<Candidate>, evidence: &Evidence) -> Option<Form> {
    let values: Vec<Value> = said.into_iter().map(|candidate| candidate.value).collect();
    match slot.want() {
        Want::Object => object_form(slot, evidence),
        Want::List => list_form(slot, values, evidence),
        _ if !values.is_empty() => Some(Form::OneOf(values)),
        want => fallback(slot, &want, evidence),
    }
}

/// What may be said where the evidence gives no value of the right kind.
fn fallback(slot: &Slot<'_>, want: &Want, evidence: &Evidence) -> Option<Form> {
    if let Some(default) = slot.schema.get("default").filter(|_| slot.required) {
        return Some(Form::OneOf(vec![default.clone()]));
    }
    match want {
        Want::Text => {
            let text = evidence.step().vouched_text();
            (!text.trim().is_empty()).then_some(Form::Copied(text))
        }
        Want::Choice(values) if values.len() == 1 => slot.required.then(|| Form::OneOf(values.clone())),
        Want::Choice(values) if values.len() <= MAX_WHOLE_CHOICE => {
            (sign::score(slot, evidence, &[]) >= ASKED).then(|| Form::OneOf(values.clone()))
        }
        _ => None,
    }
}

fn object_form(slot: &Slot<'_>, evidence: &Evidence) -> Option<Form> {
    let slots = slot.members();
    if slots.is_empty() {
        return map_form(slot, evidence);
    }
    let mut members = Vec::new();
    for member in &slots {
        if !member.required && sign::score(member, evidence, &[]) < ASKED {
            continue;
        }
        match form_at(member, evidence) {
            Some(form) => members.push(ParamOffer { name: member.name.to_owned(), required: member.required, form }),
            None if member.required => return None,
            None => {}
        }
    }
    members.truncate(MAX_OFFERED);
    (!members.is_empty()).then_some(Form::Object(members))
}

fn form_at(slot: &Slot<'_>, evidence: &Evidence) -> Option<Form> {
    let said = own_candidates(slot, evidence, &Map::new());
    form(slot, said, evidence)
}

/// Free keys: the pairs of the step.
fn map_form(slot: &Slot<'_>, evidence: &Evidence) -> Option<Form> {
    slot.map_value("")?;
    let mut said = pairs(evidence);
    if said.is_empty() {
        said = pointed_pairs(evidence, slot, slot);
    }
    let entries = said.into_iter().map(|(key, value)| ParamOffer {
        name: key,
        required: false,
        form: Form::OneOf(vec![value.into()]),
    });
    let mut entries: Vec<ParamOffer> = entries.take(MAX_LIST).collect();
    if let [only] = entries.as_mut_slice() {
        only.required = true;
    }
    (!entries.is_empty()).then_some(Form::Object(entries))
}

fn list_form(slot: &Slot<'_>, values: Vec<Value>, evidence: &Evidence) -> Option<Form> {
    let bound = |key: &str| {
        slot.schema.get(key).and_then(Value::as_u64).map(|bound| usize::try_from(bound).unwrap_or(MAX_LIST))
    };
    let least = bound("minItems").unwrap_or(1).max(1);
    let most = bound("maxItems").unwrap_or(MAX_LIST).clamp(1, MAX_LIST);
    let place = slot.element()?;
    let filters = filters::entries(slot, evidence);
    let element = match place.want() {
        Want::Object if !filters.is_empty() => {
            // Each is said in words of its own: all are meant.
            let (least, most) = (least.max(filters.len()), most.max(filters.len()));
            return Some(Form::List { element: Box::new(Form::OneOf(filters)), least, most });
        }
        Want::Object => keyed_entries(&place, evidence).or_else(|| object_form(&place, evidence))?,
        Want::List => return None,
        _ if values.is_empty() => fallback(&place, &place.want(), evidence)?,
        _ => Form::OneOf(values),
    };
    let most = match &element {
        Form::OneOf(values) => most.min(values.len()),
        Form::Copied(_) | Form::Object(_) => 1,
        Form::List { .. } => most,
    };
    (least <= most).then(|| Form::List { element: Box::new(element), least, most })
}

/// Tags: `env=prod` is `{"Key":"env","Value":"prod"}` where the structure has such members.
fn keyed_entries(place: &Slot<'_>, evidence: &Evidence) -> Option<Form> {
    let members = place.members();
    let named =
        |wanted: &[&str]| members.iter().find(|member| wanted.contains(&member.name.to_ascii_lowercase().as_str()));
    let (key, value) = (named(&["key", "tagkey", "name"])?, named(&["value", "tagvalue"])?);
    if members.iter().any(|member| member.required && member.name != key.name && member.name != value.name) {
        return None;
    }
    let entry = |(said_key, said_value): (String, String)| {
        let pair = [(key.name.to_owned(), said_key.into()), (value.name.to_owned(), said_value.into())];
        Value::Object(pair.into_iter().collect())
    };
    let mut said = pairs(evidence);
    if said.is_empty() {
        said = pointed_pairs(evidence, key, value);
    }
    let entries: Vec<Value> = said.into_iter().map(entry).take(MAX_CANDIDATES).collect();
    (!entries.is_empty()).then_some(Form::OneOf(entries))
}

#[cfg(test)]
mod tests;
