//! Makes earlier calls sayable: "the VPC" becomes a reference into the call that creates it, "her password" is that of the user whose
//! key the call before it took away.

use std::{collections::BTreeSet, ops::RangeInclusive};

use serde_json::{Value, json};
use silverback_catalogue::{Operation, result_paths_of};
use silverback_decoding::Referent;
use silverback_proto::v1;

use super::Specialist;
use crate::WorkerError;

/// Names that one earlier call gives its thing.
const MAX_NAMES: usize = 4;

/// Length of what can name a thing: less is a letter, more a document.
const NAME_BYTES: RangeInclusive<usize> = 3..=128;

/// Result places of one earlier call that may be referred to; shallow ones come first.
const MAX_PLACES: usize = 40;

// === impl Specialist ===

impl Specialist {
    /// Things of the session, then results of the calls this step waits for.
    pub(super) fn referents(&self, request: &v1::AnswerRequest) -> Result<Vec<Referent>, WorkerError> {
        let session = request.session.iter();
        let mut referents: Vec<Referent> = session
            .map(|known| Referent { name: known.name.clone(), kind: known.kind.clone(), value: known.value.clone() })
            .collect();
        for call in &request.earlier {
            let Some(found) = self.catalogue.find(&call.provider, &call.service, &call.operation) else {
                continue;
            };
            let operation = self.catalogue.operation(found)?;
            let arguments: Value = serde_json::from_str(&call.arguments_json).unwrap_or_default();
            referents.extend(things_named(&operation, &arguments));
            let places = result_paths_of(&operation, &arguments);
            let identifying =
                places.into_iter().filter(|(path, schema)| is_identifying(path, operation.resolve(schema)));
            // Shallow places come first; a deeper one of the same name is the same thing seen from elsewhere.
            let mut seen = BTreeSet::new();
            let is_first = |path: &String| seen.insert(last_name(path).to_owned());
            let places: Vec<String> = identifying.map(|(path, _)| path).filter(is_first).take(MAX_PLACES).collect();
            let names = names_given(call);
            for path in &places {
                let made = referent(&operation, &call.id, path);
                // Whoever names the thing as the earlier step did means that thing.
                referents.extend(names.iter().map(|name| Referent { name: name.clone(), ..made.clone() }));
                referents.push(made);
            }
        }
        Ok(referents)
    }
}

/// What the call's arguments name: a later step on the same thing need not say it again.
fn things_named(operation: &Operation, arguments: &Value) -> Vec<Referent> {
    let named = arguments.as_object().into_iter().flatten().filter_map(|(name, value)| {
        let (text, schema) = (value.as_str()?, operation.parameter(name)?);
        let is_thing = operation.is_required(name) || is_identifying(name, operation.resolve(schema));
        let referent = || Referent { name: text.to_owned(), kind: name.clone(), value: text.to_owned() };
        (is_thing && NAME_BYTES.contains(&text.len())).then(referent)
    });
    named.take(MAX_NAMES).collect()
}

/// Texts by which the earlier call knows its thing, e.g. a name or an address.
fn names_given(call: &v1::Call) -> Vec<String> {
    let arguments: Value = serde_json::from_str(&call.arguments_json).unwrap_or_default();
    let texts = arguments.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str());
    texts.filter(|text| NAME_BYTES.contains(&text.len())).map(str::to_owned).take(MAX_NAMES).collect()
}

/// Only what names a thing is worth referring to: ids, names, ARNs, addresses.
fn is_identifying(path: &str, schema: &Value) -> bool {
    let last = last_name(path);
    let is_text = schema.get("type").is_none_or(|kind| kind == "string");
    let lower = last.to_ascii_lowercase();
    is_text && ["id", "arn", "name", "url", "uri", "key"].iter().any(|end| lower.ends_with(end))
}

fn referent(operation: &Operation, call: &str, path: &str) -> Referent {
    let last = last_name(path);
    let thing = operation.service.trim_end_matches('s').to_owned();
    // A bare `id` is the id of what the operation makes: a `customer`.
    let kind = if last == "id" && !path.contains('.') { thing } else { last.to_owned() };
    Referent { name: kind.clone(), kind, value: json!({ "$ref": call, "path": path }).to_string() }
}

fn last_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_name_things_are_remembered_and_others_are_not() {
        let operation: Operation = serde_json::from_value(json!({
            "provider": "aws", "service": "iam", "name": "UpdateAccessKey", "summary": "", "effect": "idempotent",
            "invocation": {"kind": "command", "words": ["aws", "iam", "update-access-key"]},
            "parameters": {"type": "object", "required": ["AccessKeyId", "Status"], "properties": {
                "UserName": {"type": "string"}, "AccessKeyId": {"type": "string"},
                "Status": {"type": "string"}, "Comment": {"type": "string"}
            }},
        }))
        .unwrap();
        let arguments = json!({"UserName": "marta", "AccessKeyId": "AKIA4M7Q", "Comment": "left today"});
        let found = things_named(&operation, &arguments);
        let things: BTreeSet<(&str, &str)> =
            found.iter().map(|referent| (referent.kind.as_str(), referent.value.as_str())).collect();
        assert_eq!(things, BTreeSet::from([("AccessKeyId", "AKIA4M7Q"), ("UserName", "marta")]));
    }
}
