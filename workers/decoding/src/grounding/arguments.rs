//! Judges a whole draft call: each argument on its own, then all together, since one word names one thing.

use serde_json::{Map, Value};
use silverback_catalogue::operation::Operation;

use super::{Grounded, Proof, Source, Ungrounded, ground};
use crate::candidate::naming;
use crate::evidence::Evidence;
use crate::sign::place_preposition;
use crate::slot::Slot;
use crate::want::Want;

/// What is left of a draft's arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroundedCall {
    /// Arguments that stand.
    pub kept: Map<String, Value>,
    /// One proof for each leaf that stands.
    pub proofs: Vec<Proof>,
    /// What was refused or left out, each with its reason.
    pub dropped: Vec<Ungrounded>,
    /// Required parameters that have no value yet.
    pub missing: Vec<String>,
}

/// Judges every argument of a draft.
pub fn ground_arguments(operation: &Operation, arguments: &Map<String, Value>, evidence: &Evidence) -> GroundedCall {
    let mut call = GroundedCall::default();
    let mut judged: Vec<(String, Grounded)> = Vec::new();
    for (name, value) in arguments {
        match ground(operation, name, value, evidence) {
            Ok(grounded) => judged.push((name.clone(), grounded)),
            Err(refused) => call.dropped.push(refused),
        }
    }
    for loser in doubly_used(operation, &judged, evidence) {
        let (name, grounded) = judged.remove(loser);
        let text = grounded.proofs.first().map_or(String::new(), |proof| proof.text.clone());
        call.dropped
            .push(Ungrounded { pointer: format!("/{name}"), reason: format!("{text:?} already names something else") });
    }
    for (name, grounded) in judged {
        call.kept.insert(name, grounded.value);
        call.proofs.extend(grounded.proofs);
        call.dropped.extend(grounded.dropped);
    }
    let required = Slot::all(operation).into_iter().filter(|slot| slot.required && !call.kept.contains_key(slot.name));
    call.missing = required.map(|slot| slot.name.to_owned()).collect();
    call
}

// === private ===

/// Indices, highest first, of arguments whose word names another argument better.
fn doubly_used(operation: &Operation, judged: &[(String, Grounded)], evidence: &Evidence) -> Vec<usize> {
    let mut losers = Vec::new();
    for (index, (name, grounded)) in judged.iter().enumerate() {
        let Some((span, score)) = name_use(operation, name, grounded, evidence) else { continue };
        let is_beaten = judged.iter().enumerate().filter(|(other, _)| *other != index && !losers.contains(other)).any(
            |(other, (rival, theirs))| {
                let Some((their_span, their_score)) = name_use(operation, rival, theirs, evidence) else {
                    return false;
                };
                their_span == span && (their_score, std::cmp::Reverse(other)) > (score, std::cmp::Reverse(index))
            },
        );
        if is_beaten {
            losers.push(index);
        }
    }
    losers.sort_unstable_by(|a, b| b.cmp(a));
    losers
}

/// The span a free name stands on and how well it names this parameter's thing. A required parameter has the older right.
fn name_use(
    operation: &Operation,
    name: &str,
    grounded: &Grounded,
    evidence: &Evidence,
) -> Option<((usize, usize), f32)> {
    let slot = Slot::of(operation, name)?;
    let [proof] = grounded.proofs.as_slice() else { return None };
    let plain = matches!(slot.want(), Want::Name | Want::Path | Want::Count)
        || matches!(slot.want(), Want::Id(prefixes) if prefixes.is_empty());
    if !plain || proof.source != Source::Request || proof.start == proof.end {
        return None;
    }
    let range = proof.start..proof.end;
    let score =
        naming(&slot, evidence).score(evidence.step(), &range) + place_preposition(&slot, evidence.step(), &range);
    let score = score + evidence.points_at(&slot, &range);
    Some(((proof.start, proof.end), score + if slot.required { 0.3 } else { 0.0 }))
}
