//! `oneOf` and `anyOf`: a choice of schemas.

use serde_json::{Map, Value, json};

use super::Schemas;
use super::merge::{drop_unknown_requirements, merge, remove, says_nothing};
use crate::error::Result;

/// Most branches that are kept; a choice of more is left open.
const MAX_BRANCHES: usize = 64;

// === impl Schemas ===

impl Schemas<'_> {
    /// Adds the branches of `oneOf` or `anyOf` to what is known beside them.
    pub(super) fn with_choices(&mut self, given: &Map<String, Value>, mut base: Value) -> Result<Value> {
        let listed = ["oneOf", "anyOf"].into_iter().find_map(|key| Some((key, given.get(key)?.as_array()?)));
        let Some((key, listed)) = listed.filter(|(_, listed)| !listed.is_empty() && listed.len() <= MAX_BRANCHES)
        else {
            if given.get("allOf").is_none() && base.get("properties").is_none() {
                remove(&mut base, "required");
            }
            return Ok(base);
        };
        let has_structure = !says_nothing(&base);
        let mut branches: Vec<Value> = Vec::new();
        self.place.push(key.to_owned());
        for (at, branch) in listed.iter().enumerate().filter(|(_, branch)| !is_null(branch)) {
            let converted =
                self.within(
                    &at.to_string(),
                    |this| {
                        if has_structure { this.joined(branch) } else { this.schema(branch) }
                    },
                )?;
            // `oneOf: [{required: [a]}, {required: [b]}]` says which may be left out, not what there is.
            let is_rule = says_nothing(&converted) || is_only_required(&converted);
            if !is_rule {
                branches.push(converted);
            }
        }
        self.place.pop();
        if has_structure {
            return Ok(beside(base, branches));
        }
        Ok(chosen(base, branches))
    }
}

/// Each branch together with what holds for all of them.
fn beside(mut base: Value, branches: Vec<Value>) -> Value {
    drop_unknown_requirements(&mut base);
    let is_plain = |branch: &Value| branch.get("anyOf").is_none() && branch.get("properties").is_some();
    if branches.is_empty() || !branches.iter().all(is_plain) || base.get("anyOf").is_some() {
        return base;
    }
    let description = base.get("description").cloned();
    remove(&mut base, "description");
    let joined = branches.into_iter().map(|branch| {
        let mut whole = base.clone();
        merge(&mut whole, branch);
        remove(&mut whole, "additionalProperties");
        drop_unknown_requirements(&mut whole);
        whole
    });
    let mut choice = json!({ "anyOf": joined.collect::<Vec<_>>() });
    if let Some(text) = description {
        choice["description"] = text;
    }
    choice
}

fn chosen(base: Value, mut branches: Vec<Value>) -> Value {
    let mut choice = match branches.len() {
        0 => json!({}),
        1 => branches.remove(0),
        _ => one_enumeration(&branches).unwrap_or_else(|| json!({ "anyOf": branches })),
    };
    // Words beside the choice are about this place, those of the branch about any.
    if let (Some(choice), Value::Object(words)) = (choice.as_object_mut(), base) {
        choice.extend(words);
    }
    choice
}

/// Branches that only list values are one list.
fn one_enumeration(branches: &[Value]) -> Option<Value> {
    let kind = branches.first()?.get("type")?;
    let mut values: Vec<Value> = Vec::new();
    for branch in branches {
        if branch.get("type") != Some(kind) {
            return None;
        }
        match (branch.get("const"), branch.get("enum").and_then(Value::as_array)) {
            (Some(only), _) => values.push(only.clone()),
            (None, Some(listed)) => values.extend(listed.iter().cloned()),
            (None, None) => return None,
        }
    }
    Some(json!({ "type": kind, "enum": values }))
}

fn is_null(branch: &Value) -> bool {
    branch.get("type").is_some_and(|kind| kind == "null")
        || branch.get("enum").is_some_and(|listed| *listed == json!([null]))
}

fn is_only_required(branch: &Value) -> bool {
    branch
        .as_object()
        .is_some_and(|members| members.keys().all(|key| matches!(key.as_str(), "required" | "description")))
}
