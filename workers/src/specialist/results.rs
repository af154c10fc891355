//! Makes the results of earlier calls sayable: "the VPC" becomes a reference into the call that creates it.

use silverback_catalogue::{Operation, result_paths};
use silverback_decoding::Referent;
use silverback_proto::v1;
use serde_json::{Value, json};

use super::Specialist;
use crate::WorkerError;

/// Result places of one earlier call that may be referred to; shallow ones come first.
const MAX_PLACES: usize = 40;

// === impl Specialist ===

impl Specialist {
    /// Things of the session, then results of the calls this step waits for.
    pub(super) fn referents(&self, request: &v1::AnswerRequest) -> Result<Vec<Referent>, WorkerError> {
        let session = request.session.iter();
        let mut referents: Vec<Referent> =
            session.map(|known| Referent { name: known.name.clone(), kind: known.kind.clone(), value: known.value.clone() }).collect();
        for call in &request.earlier {
            let Some(found) = self.catalogue.find(&call.provider, &call.service, &call.operation) else {
                continue;
            };
            let operation = self.catalogue.operation(found)?;
            let places = result_paths(&operation);
            let identifying = places.into_iter().filter(|(path, schema)| is_identifying(path, operation.resolve(schema)));
            referents.extend(identifying.take(MAX_PLACES).map(|(path, _)| referent(&operation, &call.id, &path)));
        }
        Ok(referents)
    }
}

/// Only what names a thing is worth referring to: ids, names, ARNs, addresses.
fn is_identifying(path: &str, schema: &Value) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let is_text = schema.get("type").is_none_or(|kind| kind == "string");
    let lower = last.to_ascii_lowercase();
    is_text && ["id", "arn", "name", "url", "uri", "key"].iter().any(|end| lower.ends_with(end))
}

fn referent(operation: &Operation, call: &str, path: &str) -> Referent {
    let last = path.rsplit('.').next().unwrap_or(path);
    let thing = operation.service.trim_end_matches('s').to_owned();
    // A bare `id` is the id of what the operation makes: a `customer`.
    let kind = if last == "id" && !path.contains('.') { thing } else { last.to_owned() };
    Referent { name: kind.clone(), kind, value: json!({ "$ref": call, "path": path }).to_string() }
}
