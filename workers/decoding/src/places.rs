//! Lists the places of an operation as short texts, for a model that looks in a request for what each of them is given.
//!
//! Structures are listed by their leaves, a list by its elements: `/RestoreRequest/Days` is "restore request days".

use serde_json::Value;
use silverback_catalogue::operation::Operation;

use crate::slot::{Shape, Slot};
use crate::words;

/// More places than this are not read at once: required ones come first, shallow ones before deep ones.
const MAX_PLACES: usize = 40;
/// Structures are opened this deep.
const MAX_LEVELS: usize = 3;
/// Bytes of all descriptions together, and of one.
const DESCRIPTIONS: usize = 1100;
const MAX_DESCRIPTION: usize = 56;
/// Bytes of the values of a choice.
const MAX_VALUES: usize = 36;

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceText {
    /// JSON pointer without the indexes of lists: `/Tags/Key`.
    pub pointer: String,
    /// Its name in words, its kind and what its vendor says of it.
    pub text: String,
}

/// The places of an operation that can be given something.
pub fn places(operation: &Operation) -> Vec<PlaceText> {
    let mut leaves = Vec::new();
    for slot in Slot::all(operation) {
        collect(slot, &[], 0, &mut leaves);
    }
    // Stable: the vendor's order within a level.
    leaves.sort_by_key(|leaf| (!leaf.slot.required || leaf.level > 0, leaf.level));
    leaves.truncate(MAX_PLACES);
    let room = (DESCRIPTIONS / leaves.len().max(1)).min(MAX_DESCRIPTION);
    leaves.iter().map(|leaf| leaf.describe(room)).collect()
}

/// The pointer of a slot as places name it.
pub(crate) fn place_pointer(pointer: &str) -> String {
    pointer.split('/').filter(|step| *step != "0").collect::<Vec<_>>().join("/")
}

struct Leaf<'a> {
    slot: Slot<'a>,
    /// Names of what encloses it.
    trail: Vec<String>,
    level: usize,
}

// === private ===

fn collect<'a>(slot: Slot<'a>, trail: &[String], level: usize, leaves: &mut Vec<Leaf<'a>>) {
    let inner = match slot.shape() {
        Shape::Array => slot.element().filter(|element| element.shape() == Shape::Object),
        Shape::Object => Some(slot.clone()),
        _ => None,
    };
    let members = inner.map(|inner| inner.members()).unwrap_or_default();
    if members.is_empty() || level >= MAX_LEVELS {
        leaves.push(Leaf { slot, trail: trail.to_vec(), level });
        return;
    }
    let mut trail = trail.to_vec();
    trail.push(slot.words.join(" "));
    for member in members {
        collect(member, &trail, level + 1, leaves);
    }
}

// === impl Leaf ===

impl Leaf<'_> {
    fn describe(&self, room: usize) -> PlaceText {
        let mut text = self.trail.join(" ");
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&self.slot.words.join(" "));
        let element = self.slot.element();
        let kind = element.as_ref().unwrap_or(&self.slot);
        if let Some(values) = kind.schema.get("enum").and_then(Value::as_array) {
            let said: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            text.push_str(&format!(" ({})", words::clip(&said.join(" "), MAX_VALUES)));
        } else {
            match kind.shape() {
                Shape::Boolean => text.push_str(" (switch)"),
                Shape::Integer | Shape::Number => text.push_str(" (number)"),
                _ => {}
            }
        }
        let description = words::clip(self.slot.text("description"), room);
        if !description.is_empty() {
            text.push_str(&format!(": {description}"));
        }
        PlaceText { pointer: place_pointer(&self.slot.pointer), text: text.replace(['\t', '\n'], " ") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::operation;

    #[test]
    fn structures_are_listed_by_their_leaves_and_required_places_first() {
        let restore = operation(
            "aws/s3/RestoreObject",
            json!({"required": ["Bucket"], "properties": {
                "RestoreRequest": {"type": "object", "properties": {"Days": {"type": "integer"}}},
                "Tags": {"type": "array", "items": {"type": "object", "properties": {"Key": {"type": "string"}}}},
                "Tier": {"enum": ["Bulk", "Standard"], "description": "How fast."},
                "Bucket": {"type": "string"},
            }}),
        );
        let found = places(&restore);
        let texts: Vec<(&str, &str)> = found.iter().map(|one| (one.pointer.as_str(), one.text.as_str())).collect();
        assert_eq!(texts[0], ("/Bucket", "bucket"));
        assert!(texts.contains(&("/RestoreRequest/Days", "restore request days (number)")));
        assert!(texts.contains(&("/Tags/Key", "tags key")));
        assert!(texts.contains(&("/Tier", "tier (Bulk Standard): How fast.")));
    }
}
