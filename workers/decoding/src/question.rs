//! Asks for what nobody gave: "Which bucket name?"

use serde_json::Value;
use silverback_catalogue::operation::Operation;

use crate::slot::{Slot, object_stems};
use crate::want::Want;
use crate::words;

/// Descriptions longer than this are cut in a question.
const MAX_HINT_BYTES: usize = 120;

/// Choices listed in a question; more are too many to read.
const MAX_LISTED: usize = 8;

/// One question for all missing parameters, for people; empty when none is missing.
pub fn question_for(operation: &Operation, missing: &[String]) -> String {
    let slots = missing.iter().filter_map(|name| Slot::of(operation, name));
    slots.map(|slot| ask(&slot)).collect::<Vec<_>>().join(" ")
}

// === private ===

fn ask(slot: &Slot<'_>) -> String {
    let thing = thing(slot);
    let question = match slot.want() {
        Want::Boolean => format!("Should {thing} be on?"),
        Want::Amount => "What amount, and in which currency?".to_owned(),
        Want::Count | Want::Port => format!("Which number for {thing}?"),
        Want::DurationIn(_) | Want::DurationText => format!("How long ({thing})?"),
        Want::SizeIn(_) | Want::SizeText => format!("What size ({thing})?"),
        Want::Date { .. } | Want::UnixTime(_) => format!("Which {thing} (a date)?"),
        Want::Choice(values) if values.len() <= MAX_LISTED => format!("Which {thing}: {}?", listed(&values)),
        Want::Resources(_) => format!("How much ({thing}), for example cpu=2,memory=4Gi?"),
        Want::Text => format!("What should the {thing} say?"),
        _ => format!("Which {thing}?"),
    };
    match hint(slot) {
        Some(hint) if !matches!(slot.want(), Want::Choice(_)) => format!("{question} ({hint})"),
        _ => question,
    }
}

/// What is asked for, in words: `Bucket` → "bucket name", `VpcId` → "VPC id", a bare `Name` → "topic name".
fn thing(slot: &Slot<'_>) -> String {
    let mut words = slot.words.clone();
    if words == ["name"] || words == ["id"] {
        let named = words::split_identifier(&slot.operation.name);
        let object = named.into_iter().skip(1).chain(object_stems(slot.operation)).next();
        words.insert(0, object.unwrap_or_default());
    } else if slot.want() == Want::Name
        && words.len() == 1
        && matches!(words[0].as_str(), "bucket" | "table" | "user" | "role" | "cluster" | "pod" | "node")
    {
        words.push("name".to_owned());
    }
    let capitals = ["vpc", "arn", "url", "ip", "cidr", "dns", "ami", "iam", "api"];
    let shown =
        words.iter().map(|word| if capitals.contains(&word.as_str()) { word.to_uppercase() } else { word.clone() });
    shown.collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn listed(values: &[Value]) -> String {
    let shown = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    shown.collect::<Vec<_>>().join(", ")
}

fn hint(slot: &Slot<'_>) -> Option<String> {
    let description = slot.text("description").trim().trim_end_matches('.');
    let short = !description.is_empty() && description.len() <= MAX_HINT_BYTES;
    short.then(|| description.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::operation;
    use serde_json::json;

    fn question(key: &str, name: &str, schema: Value) -> String {
        question_for(&operation(key, json!({"properties": {name: schema}})), &[name.to_owned()])
    }

    #[test]
    fn questions_name_the_thing() {
        let text = || json!({"type": "string"});
        assert_eq!(question("aws/s3/CreateBucket", "Bucket", text()), "Which bucket name?");
        assert_eq!(question("aws/ec2/CreateSubnet", "VpcId", text()), "Which VPC id?");
        assert_eq!(question("aws/sns/CreateTopic", "Name", text()), "Which topic name?");
        assert_eq!(question("x/y/Z", "mode", json!({"enum": ["a", "b"]})), "Which mode: a, b?");
        assert_eq!(
            question("stripe/charges/PostCharges", "amount", json!({"type": "integer"})),
            "What amount, and in which currency?"
        );
        assert_eq!(
            question("x/y/Z", "colour", json!({"type": "string", "description": "Of the car."})),
            "Which colour? (Of the car)"
        );
    }
}
