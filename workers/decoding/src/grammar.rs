//! Describes what may be said, before it is compiled.
//!
//! The only modules that know the grammar library's notation are this one and its children. Start at
//! [`Grammar::for_call`] for calls, [`Grammar::from_json_schema`] for anything else.

use llguidance::api::TopLevelGrammar;
use serde_json::{Value, json};
use silverback_catalogue::operation::Operation;

use crate::error::Result;
use crate::offer::Offers;

mod call;
mod notation;
#[cfg(test)]
mod tests;

/// A set of texts, as a JSON schema or in llguidance's dialect of Lark.
#[derive(Clone, Debug, PartialEq)]
pub struct Grammar {
    source: Source,
}

/// How the JSON of a call is spaced; a model writes best what it has read most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallStyle {
    /// `{"a": 1, "b": 2}`, as Python writes it.
    #[default]
    Spaced,
    /// `{"a":1,"b":2}`
    Compact,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Schema(Value),
    Lark(String),
}

// === impl Grammar ===

impl Grammar {
    /// One JSON value of this schema, spaced as Python writes JSON; keys in the schema's order.
    pub fn from_json_schema(schema: &Value) -> Self {
        let mut schema = schema.clone();
        if let Some(object) = schema.as_object_mut() {
            // Free white space would let the model wander; one spelling also forces more tokens.
            let spacing = json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "});
            object.entry("x-guidance").or_insert(spacing);
        }
        Grammar { source: Source::Schema(schema) }
    }

    /// A grammar in llguidance's dialect of Lark.
    pub fn from_lark(lark: String) -> Self {
        Grammar { source: Source::Lark(lark) }
    }

    /// `{"operation": "<key>", "arguments": {…}}` for exactly these operations and what is offered for each. Keys come in any
    /// order without repetition, required ones must come, lists are bounded, values are those of the offers.
    ///
    /// # Errors
    /// [`crate::Error::GrammarRejected`] when no operation is given.
    pub fn for_call(operations: &[(&Operation, &Offers)], style: CallStyle) -> Result<Self> {
        call::write(operations, style).map(Grammar::from_lark)
    }

    /// `{"name": "<tool>", "arguments": {…}}` for exactly these operations, arguments by their schemas alone; keys in the schema's order.
    pub fn for_tools(operations: &[Operation]) -> Self {
        let call = |operation: &Operation| {
            json!({"type": "object", "required": ["name", "arguments"], "additionalProperties": false,
                "properties": {"name": {"const": operation.name}, "arguments": operation.parameters}})
        };
        let definitions = operations.first().map(|operation| Value::Object((*operation.definitions).clone()));
        let calls: Vec<Value> = operations.iter().map(call).collect();
        // What the grammar cannot say the gate behind it checks.
        let guidance =
            json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": ", "lenient": true});
        Grammar::from_json_schema(&json!({"anyOf": calls, "$defs": definitions, "x-guidance": guidance}))
    }

    /// The grammar's own text, for logs and limits.
    pub fn text(&self) -> String {
        match &self.source {
            Source::Schema(schema) => schema.to_string(),
            Source::Lark(lark) => lark.clone(),
        }
    }

    pub(crate) fn size_bytes(&self) -> usize {
        match &self.source {
            Source::Schema(schema) => schema.to_string().len(),
            Source::Lark(lark) => lark.len(),
        }
    }

    pub(crate) fn to_llguidance(&self) -> TopLevelGrammar {
        match &self.source {
            Source::Schema(schema) => TopLevelGrammar::from_json_schema(schema.clone()),
            Source::Lark(lark) => TopLevelGrammar::from_lark(lark.clone()),
        }
    }
}
