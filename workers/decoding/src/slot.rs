//! One place of an operation that wants a value: a parameter, a member of a structure, an element of a list.
//!
//! Says what the place is called, which nouns point at it in a sentence and what kind of value fits. Knows no request.

use serde_json::Value;
use silverback_catalogue::operation::Operation;

use crate::want::Want;
use crate::words;

/// Structures deeper than this are not offered; descriptions may recurse.
pub(crate) const MAX_DEPTH: usize = 6;

#[derive(Clone)]
pub(crate) struct Slot<'a> {
    pub operation: &'a Operation,
    /// Name of the nearest named place: a list's elements go by the list's name.
    pub name: &'a str,
    /// Resolved: no `$ref`, one branch of an alternative.
    pub schema: &'a Value,
    /// JSON pointer into the arguments, e.g. `/Tags/0/Key`.
    pub pointer: String,
    pub required: bool,
    pub depth: usize,
    /// Words of the name and of the enclosing structures', lower case.
    pub words: Vec<String>,
}

/// The shape a schema allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
}

/// Words of names that say nothing about which thing is meant.
const GENERIC: &[&str] = &[
    "name",
    "names",
    "id",
    "ids",
    "identifier",
    "identifiers",
    "arn",
    "arns",
    "value",
    "values",
    "key",
    "list",
    "set",
    "input",
    "type",
    "data",
    "resource",
    "resources",
    "number",
    "string",
    "spec",
    "specification",
    "configuration",
    "config",
    "options",
    "request",
    "exposed",
    "new",
];

// === impl Slot ===

impl<'a> Slot<'a> {
    /// The place of a top-level parameter.
    pub fn of(operation: &'a Operation, name: &str) -> Option<Self> {
        let (name, schema) = operation.properties().find(|(known, _)| *known == name)?;
        Some(Slot {
            operation,
            name,
            schema: effective_of(operation, schema),
            pointer: format!("/{}", escape_pointer(name)),
            required: operation.is_required(name),
            depth: 0,
            words: words::split_identifier(name),
        })
    }

    /// All top-level places that the model may write.
    pub fn all(operation: &'a Operation) -> Vec<Self> {
        let names = operation.properties().filter(|(_, schema)| !is_never(operation, schema));
        names.filter_map(|(name, _)| Slot::of(operation, name)).collect()
    }

    /// The members of a structure.
    pub fn members(&self) -> Vec<Slot<'a>> {
        if self.depth >= MAX_DEPTH {
            return Vec::new();
        }
        let properties = self.schema.get("properties").and_then(Value::as_object);
        let given = properties.into_iter().flatten().filter(|(_, schema)| !is_never(self.operation, schema));
        given.map(|(name, schema)| self.inner(name, schema, &format!("/{}", escape_pointer(name)))).collect()
    }

    /// The elements of a list.
    pub fn element(&self) -> Option<Slot<'a>> {
        let items = self.schema.get("items")?;
        (self.depth < MAX_DEPTH).then(|| Slot {
            required: self.required,
            words: self.words.clone(),
            ..self.inner(self.name, items, "/0")
        })
    }

    /// The values of a map with free keys.
    pub fn map_value(&self, key: &str) -> Option<Slot<'a>> {
        let values = self.schema.get("additionalProperties").filter(|values| values.is_object())?;
        let step = format!("/{}", escape_pointer(key));
        (self.depth < MAX_DEPTH).then(|| Slot {
            name: self.name,
            words: self.words.clone(),
            ..self.inner(self.name, values, &step)
        })
    }

    fn inner(&self, name: &'a str, schema: &'a Value, step: &str) -> Slot<'a> {
        let required = self.schema.get("required").and_then(Value::as_array);
        Slot {
            operation: self.operation,
            name,
            schema: effective_of(self.operation, schema),
            pointer: format!("{}{step}", self.pointer),
            required: required.is_some_and(|names| names.iter().any(|known| known == name)),
            depth: self.depth + 1,
            words: words::split_identifier(name),
        }
    }

    /// A parameter itself, or an element of one.
    pub fn is_top(&self) -> bool {
        let steps = self.pointer.matches('/').count();
        steps == 1 || (steps == 2 && self.pointer.ends_with("/0"))
    }

    /// Has the operation another parameter for the same thing's name (`EnvironmentId` beside `EnvironmentName`)?
    pub fn has_named_sibling(&self) -> bool {
        let meaning = |words: &[String]| {
            words
                .iter()
                .filter(|word| !GENERIC.contains(&word.as_str()))
                .map(|word| words::stem(word))
                .collect::<Vec<_>>()
        };
        let own = meaning(&self.words);
        if own.is_empty() {
            return false;
        }
        self.operation.properties().filter(|(name, _)| *name != self.name).any(|(name, _)| {
            let words = words::split_identifier(name);
            let is_id = words.last().is_some_and(|word| matches!(word.as_str(), "id" | "ids" | "identifier"));
            !is_id && meaning(&words) == own
        })
    }

    pub fn shape(&self) -> Shape {
        shape(self.schema)
    }

    /// What kind of value fits here.
    pub fn want(&self) -> Want {
        Want::of(self)
    }

    pub fn has_word(&self, wanted: &[&str]) -> bool {
        self.words.iter().any(|word| wanted.contains(&word.as_str()))
    }

    pub fn text(&self, key: &str) -> &'a str {
        self.schema.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// Stems of the nouns that point at this place: `bucket` for `Bucket`, `group` for `LogGroupName`; for a bare `Name` the
    /// thing the operation is about (`CreateUser` → `user`).
    pub fn nouns(&self) -> Vec<String> {
        let mut nouns = match self.own_nouns().pop() {
            Some(head) => vec![head],
            None => object_stems(self.operation),
        };
        nouns.extend(self.further_words().iter().filter(|phrase| !phrase.contains(' ')).map(|word| words::stem(word)));
        nouns
    }

    /// Stems that only go with the noun: `log` for `LogGroupName`.
    pub fn near_nouns(&self) -> Vec<String> {
        let mut nouns = self.own_nouns();
        nouns.pop();
        nouns
    }

    fn own_nouns(&self) -> Vec<String> {
        let own = self.words.iter().filter(|word| !GENERIC.contains(&word.as_str()) && word.len() > 1);
        own.map(|word| words::stem(word)).collect()
    }

    /// The vendor's or our further words for this place (`x-words`), lower case.
    pub fn further_words(&self) -> Vec<String> {
        match self.schema.get("x-words") {
            Some(Value::Array(given)) => given.iter().filter_map(Value::as_str).map(str::to_lowercase).collect(),
            Some(Value::String(given)) => given.split(',').map(|word| word.trim().to_lowercase()).collect(),
            _ => Vec::new(),
        }
    }
}

/// Stems of what an operation acts on: its name without the verb, then its service.
pub(crate) fn object_stems(operation: &Operation) -> Vec<String> {
    let named = words::split_identifier(&operation.name);
    let mut stems: Vec<String> = named.iter().skip(1).map(|word| words::stem(word)).collect();
    if stems.is_empty() || operation.provider == "stripe" {
        stems.extend(words::split_identifier(&operation.service).iter().map(|word| words::stem(word)));
    }
    stems.retain(|stem| !words::is_stop(stem));
    stems
}

/// Is this parameter never the model's to write?
pub(crate) fn is_never(operation: &Operation, schema: &Value) -> bool {
    let marked = |schema: &Value| schema.get("x-never").and_then(Value::as_bool).unwrap_or(false);
    marked(schema) || marked(operation.resolve(schema))
}

pub(crate) fn shape(schema: &Value) -> Shape {
    let named = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        Some(Value::String(name)) => Some(name.as_str()),
        _ => None,
    };
    match named {
        Some("object") => Shape::Object,
        Some("array") => Shape::Array,
        Some("integer") => Shape::Integer,
        Some("number") => Shape::Number,
        Some("boolean") => Shape::Boolean,
        None if schema.get("properties").is_some() => Shape::Object,
        None if schema.get("items").is_some() => Shape::Array,
        _ => Shape::String,
    }
}

/// Follows `$ref`, then takes the simplest branch of an alternative: a scalar before a list before a structure.
pub(crate) fn effective_of<'a>(operation: &'a Operation, schema: &'a Value) -> &'a Value {
    let mut current = operation.resolve(schema);
    for _ in 0..MAX_DEPTH {
        let branches = ["anyOf", "oneOf"].iter().find_map(|key| current.get(*key)).and_then(Value::as_array);
        let Some(branches) = branches.filter(|_| current.get("type").is_none()) else { break };
        let resolved = branches.iter().map(|branch| operation.resolve(branch));
        let simplest = resolved
            .filter(|branch| branch.get("type").is_none_or(|name| name != "null"))
            .min_by_key(|branch| weight(branch));
        let Some(simplest) = simplest else { break };
        current = simplest;
    }
    current
}

// === private ===

fn weight(schema: &Value) -> usize {
    match shape(schema) {
        _ if schema.get("enum").is_some_and(|values| values == &Value::from(vec![""])) => 9,
        Shape::Object => 3,
        Shape::Array => 2,
        _ => 1,
    }
}

fn escape_pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::operation;
    use serde_json::json;

    #[test]
    fn nouns_come_from_the_name_or_from_what_the_operation_is_about() {
        let create = operation(
            "aws/iam/CreateUser",
            json!({"properties": {"UserName": {"type": "string"}, "Path": {"type": "string"}}}),
        );
        assert_eq!(Slot::of(&create, "UserName").expect("there").nouns(), ["user"]);
        let get = operation("aws/sns/CreateTopic", json!({"properties": {"Name": {"type": "string"}}}));
        assert_eq!(Slot::of(&get, "Name").expect("there").nouns(), ["topic"]);
    }

    #[test]
    fn a_description_in_circles_ends() {
        let mut circle = operation("x/y/Z", json!({"properties": {"a": {"$ref": "#/$defs/A"}}}));
        let definitions = json!({"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}});
        circle.definitions = std::sync::Arc::new(definitions.as_object().expect("an object").clone().into());
        let mut slot = Slot::of(&circle, "a").expect("there");
        let mut depth = 0;
        while let Some(inner) = slot.members().pop() {
            slot = inner;
            depth += 1;
        }
        assert_eq!(depth, MAX_DEPTH);
    }

    #[test]
    fn parameters_never_to_write_are_not_there() {
        let list = operation(
            "x/y/Z",
            json!({"properties": {"token": {"type": "string", "x-never": true}, "n": {"type": "integer"}}}),
        );
        assert_eq!(Slot::all(&list).iter().map(|slot| slot.name).collect::<Vec<_>>(), ["n"]);
    }
}
