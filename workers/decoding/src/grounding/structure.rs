//! Grounds lists and structures leaf by leaf: invented elements fall out, a missing required leaf takes the whole with it.

use serde_json::{Map, Value};

use super::{Grounded, Proof, Source, Ungrounded, Verdict, is_reference, leaf, reference_call, scalar};
use crate::evidence::Evidence;
use crate::filters;
use crate::referent;
use crate::slot::Slot;
use crate::want::Want;

/// Lists longer than this are cut; nobody names more things in one sentence.
const MAX_ELEMENTS: usize = 64;

/// Judges a value of any shape.
pub(super) fn ground_value(slot: &Slot<'_>, value: &Value, evidence: &Evidence) -> Verdict {
    if is_reference(value) {
        return ground_reference(slot, value, evidence);
    }
    match (slot.want(), value) {
        (_, Value::Null) => Err(slot.refuse("no value was given")),
        (Want::List, Value::Array(elements)) => ground_list(slot, elements, evidence),
        // A single value where a list is wanted is a list of one.
        (Want::List, single) => ground_list(slot, std::slice::from_ref(single), evidence),
        (Want::Object, Value::Object(members)) => ground_object(slot, members, evidence),
        (Want::Object, _) => Err(slot.refuse("a structure is wanted here")),
        (_, Value::Array(elements)) if elements.len() == 1 => ground_value(slot, &elements[0], evidence),
        (_, Value::Array(_) | Value::Object(_)) => Err(slot.refuse("a single value is wanted here")),
        _ => scalar::ground_scalar(slot, value, evidence),
    }
}

// === private ===

/// A reference stands when the session offers it, whoever wrote it.
fn ground_reference(slot: &Slot<'_>, value: &Value, evidence: &Evidence) -> Verdict {
    if let Some(found) = referent::find(slot, value, evidence) {
        return Ok(leaf(value.clone(), referent::proof_of(slot, found)));
    }
    if slot.want() == Want::List
        && let Some(element) = slot.element()
        && let Ok(grounded) = ground_reference(&element, value, evidence)
    {
        return Ok(Grounded { value: Value::Array(vec![grounded.value]), ..grounded });
    }
    let call = reference_call(value).unwrap_or_default();
    Err(slot.refuse(format!("no earlier call gives such a value ({call})")))
}

fn ground_list(slot: &Slot<'_>, elements: &[Value], evidence: &Evidence) -> Verdict {
    let Some(element) = slot.element() else {
        return Err(slot.refuse("the description does not say what the list holds"));
    };
    let mut all = Grounded { value: Value::Null, proofs: Vec::new(), dropped: Vec::new() };
    let mut values: Vec<Value> = Vec::new();
    for proposed in elements.iter().take(MAX_ELEMENTS) {
        let numbered = Slot { pointer: format!("{}/{}", slot.pointer, values.len()), ..element.clone() };
        let judged = filters::ground(slot, &numbered, proposed, evidence);
        match judged.unwrap_or_else(|| ground_value(&numbered, proposed, evidence)) {
            Ok(grounded) if values.contains(&grounded.value) => {}
            Ok(grounded) => {
                values.push(grounded.value);
                all.proofs.extend(grounded.proofs);
                all.dropped.extend(grounded.dropped);
            }
            Err(refused) => all.dropped.push(refused),
        }
    }
    let least = slot.schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).max(1) as usize;
    if values.len() < least {
        return Err(all.dropped.into_iter().next().unwrap_or_else(|| slot.refuse("the list is empty")));
    }
    all.value = Value::Array(values);
    Ok(all)
}

fn ground_object(slot: &Slot<'_>, proposed: &Map<String, Value>, evidence: &Evidence) -> Verdict {
    let members = slot.members();
    if members.is_empty() {
        return ground_map(slot, proposed, evidence);
    }
    let mut all = Grounded { value: Value::Null, proofs: Vec::new(), dropped: Vec::new() };
    let mut values = Map::new();
    for (name, value) in proposed.iter().take(MAX_ELEMENTS) {
        let Some(member) = members.iter().find(|member| member.name == name) else {
            all.dropped.push(slot.refuse(format!("there is no member {name:?}")));
            continue;
        };
        match ground_value(member, value, evidence) {
            Ok(grounded) => {
                values.insert(name.clone(), grounded.value);
                all.proofs.extend(grounded.proofs);
                all.dropped.extend(grounded.dropped);
            }
            Err(refused) if member.required => return Err(refused),
            Err(refused) => all.dropped.push(refused),
        }
    }
    if let Some(missing) = members.iter().find(|member| member.required && !values.contains_key(member.name)) {
        return Err(missing.refuse(format!("{} is required and was not given", missing.name)));
    }
    if values.is_empty() {
        return Err(first_reason(slot, all.dropped));
    }
    all.value = Value::Object(values);
    Ok(all)
}

/// Free keys: both halves of an entry must be said.
fn ground_map(slot: &Slot<'_>, proposed: &Map<String, Value>, evidence: &Evidence) -> Verdict {
    let mut all = Grounded { value: Value::Null, proofs: Vec::new(), dropped: Vec::new() };
    let mut values = Map::new();
    for (key, value) in proposed.iter().take(MAX_ELEMENTS) {
        let Some(place) = slot.map_value(key) else {
            all.dropped.push(slot.refuse("the description does not say what this holds"));
            continue;
        };
        let Some((passage, range)) = evidence.locate(key) else {
            all.dropped.push(place.refuse(format!("nobody said {key:?}")));
            continue;
        };
        let spelled = passage.text[range].to_owned();
        match ground_value(&Slot { pointer: format!("{}/{spelled}", slot.pointer), ..place }, value, evidence) {
            Ok(grounded) => {
                values.insert(spelled, grounded.value);
                all.proofs.extend(grounded.proofs);
            }
            Err(refused) => all.dropped.push(refused),
        }
    }
    if values.is_empty() {
        return Err(first_reason(slot, all.dropped));
    }
    all.value = Value::Object(values);
    Ok(all)
}

fn first_reason(slot: &Slot<'_>, dropped: Vec<Ungrounded>) -> Ungrounded {
    dropped.into_iter().next().unwrap_or_else(|| slot.refuse("the structure is empty"))
}

/// A proof that the schema leaves no choice.
pub(super) fn schema_proof(slot: &Slot<'_>) -> Proof {
    Proof {
        pointer: slot.pointer.clone(),
        source: Source::Schema,
        start: 0,
        end: 0,
        text: String::new(),
        resolver: String::new(),
    }
}
