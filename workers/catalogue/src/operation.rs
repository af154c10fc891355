//! Describes one callable thing as its vendor documents it.
//!
//! Importers make [`Operation`]s, packs keep them, retrieval finds them, decoding and the gate read their schemas.
//! Knows no file format and no vendor.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::semantics::Semantics;

/// What may be done when the outcome of a call is unknown; the order is danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing: may be repeated and sent to a mirror.
    Read,
    /// The same again gives the same state.
    Idempotent,
    /// The vendor takes an idempotency key: the same again with the same key.
    Keyed,
    /// Never again before finding out what happened. Unknown counts as this.
    Irreversible,
}

/// How the vendor's own tool or wire says the operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Invocation {
    /// `words` then positionals (parameters with `x-position`), then flags (parameters with `x-flag`).
    Command {
        /// Program and command words, e.g. `["aws", "ec2", "create-vpc"]`.
        words: Vec<String>,
    },
    /// Parameters carry `x-in`: `path`, `query`, `header` or `body`.
    Http {
        /// `GET`, `POST`, …
        method: String,
        /// Absolute URL with `{name}` placeholders.
        url: String,
        /// Media type of the body, e.g. `application/x-www-form-urlencoded`; empty without a body.
        body: String,
    },
    /// One POST of a document that is fixed and variables that are the arguments.
    GraphQl {
        /// Absolute URL.
        url: String,
        /// `query pet($id: ID!) { pet(id: $id) { name } }`
        document: String,
    },
    /// A tool of an MCP server, called with the arguments as they are.
    Mcp {
        /// The name the server was added under. Not its address or command line: those may hold secrets, and the
        /// executor knows them.
        server: String,
        /// The tool's own name.
        tool: String,
    },
}

/// One callable thing: an AWS API operation, a kubectl command, a Stripe endpoint, a market-data path.
///
/// `parameters` and `result` are JSON Schemas of objects (draft 2020-12 keywords `type`, `properties`, `required`,
/// `additionalProperties`, `items`, `enum`, `const`, `pattern`, `minLength`, `maxLength`, `minimum`, `maximum`, `minItems`,
/// `maxItems`, `format`, `description`, `default`, `oneOf`, `anyOf`, and `$ref` to `#/$defs/NAME` looked up in `definitions`).
/// Ours beside them, on a parameter:
///
/// | key | value |
/// |---|---|
/// | `x-flag` | long flag name without dashes, e.g. `cidr-block` |
/// | `x-short` | short flag letter |
/// | `x-position` | index among the positionals, from 0; `x-rest: true` takes all that remain |
/// | `x-in` | `path`, `query`, `header`, `body`; `variable` of a GraphQL document |
/// | `x-never` | `true`: never the model's to write (page tokens, idempotency tokens, dry-run switches) |
/// | `x-filters` | of a list of names with values: the names that it can have, each with the values that the vendor lists |
/// | `x-needs` | parameters with their values that this one has no effect without, e.g. `{"exclude": ["*"]}` |
/// | `x-words` | further words people use for it |
/// | `x-patch` | this text is a part of an object: of the shape that stands here, or of the kind the call is about (`true`) |
/// | `x-exclusive` | of the whole: pairs that may not be given together |
/// | `x-content` | the shape of what the named file holds, see [`crate::manifest`] |
///
/// A result may carry `x-by`, see [`crate::result_schema`]; a definition `x-cases`, shapes by `apiVersion/kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Vendor: `aws`, `kubernetes`, `stripe`, `openbb`, or the name a catalogue was added under.
    pub provider: String,
    /// Service within the vendor as its command line names it (`ec2`); for vendors without services a group (`charges`, `equity`).
    pub service: String,
    /// The vendor's own name: `CreateVpc`, `rollout restart`, `PostCharges`, `equity.price.historical`.
    pub name: String,
    /// One sentence, plain text, at most 300 bytes.
    pub summary: String,
    /// Further words for search only: vendor synonyms, example titles.
    #[serde(default)]
    pub words: Vec<String>,
    /// What happens to the world, whatever the arguments; [`Operation::effect_of`] looks at those too.
    pub effect: Effect,
    /// Name of the inverse operation, when certain; its arguments are in `semantics.inverse`.
    #[serde(default)]
    pub undo: Option<String>,
    /// How it is said to the vendor.
    pub invocation: Invocation,
    /// Schema of the arguments: an object.
    pub parameters: Value,
    /// Schema of the result: an object, or `null` when unknown.
    #[serde(default)]
    pub result: Value,
    /// What may be done when it fails, who says so, what takes it back.
    #[serde(default, skip_serializing_if = "Semantics::is_empty")]
    pub semantics: Semantics,
    /// Shapes shared by the operations of one service; target of `$ref`.
    #[serde(skip)]
    pub definitions: Arc<Map<String, Value>>,
}

// === impl Effect ===

impl Effect {
    /// The name on the wire and in the plan document.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Idempotent => "idempotent",
            Effect::Keyed => "keyed",
            Effect::Irreversible => "irreversible",
        }
    }
}

// === impl Operation ===

impl Operation {
    /// `provider/service/name`, unique in a catalogue.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.provider, self.service, self.name)
    }

    /// Schemas of the top-level parameters by name, in the vendor's order.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        let properties = self.parameters.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    /// Schema of one top-level parameter.
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get("properties")?.get(name)
    }

    /// Must the caller give this parameter?
    pub fn is_required(&self, name: &str) -> bool {
        let required = self.parameters.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|given| given == name))
    }

    /// Follows `$ref` until a schema without one; gives the schema itself when the target is missing.
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut current = schema;
        // Bounded: a hostile description may point in circles.
        for _ in 0..32 {
            let Some(target) = current.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let Some(next) = target.strip_prefix("#/$defs/").and_then(|name| self.definitions.get(name)) else {
                break;
            };
            current = next;
        }
        current
    }
}
