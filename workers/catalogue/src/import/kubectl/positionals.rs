//! Types the positionals of a kubectl command from its entry in the table.

use serde_json::{Map, Value, json};

use super::command::{Command, Help};
use crate::error::{CatalogueError, Result};
use crate::import::kubernetes;

/// `KEY=VALUE`, or `KEY-` to remove.
const ASSIGNMENT: &str = r"^[^=\s]+=.*$|^[^=\s]+-$";

/// `KEY=VALUE:EFFECT`, `KEY:EFFECT`, or either with `-` to remove.
const TAINT: &str = r"^[^=:\s]+(=[^:\s]*)?(:[A-Za-z]+)?-?$";

struct Slot<'a> {
    name: &'a str,
    position: usize,
    join: Option<char>,
    is_optional: bool,
    takes_rest: bool,
}

/// Schemas of the positionals by name, in order, each with `x-position`.
pub fn schemas(help: &Help, command: &Command) -> Result<Map<String, Value>> {
    let mut properties = Map::new();
    for slot in slots(command) {
        let Some(mut schema) = schema(slot.name, command) else {
            return Err(CatalogueError::ImportFailed {
                origin: format!("data/kubectl_commands.json, command {:?}", help.name),
                reason: format!("nothing is known of a positional {:?}", slot.name),
            });
        };
        schema["x-position"] = json!(slot.position);
        if let Some(join) = slot.join {
            schema["x-join"] = json!(join);
        }
        if slot.takes_rest {
            schema = json!({"type": "array", "items": schema, "minItems": 1});
            move_ours(&mut schema);
        }
        properties.insert(slot.name.to_owned(), schema);
    }
    Ok(properties)
}

/// Names of the positionals that must be said; of two that stand for each other, the first.
pub fn required(command: &Command) -> Vec<String> {
    let mut seen = Vec::new();
    let mut names = Vec::new();
    for slot in slots(command) {
        let is_alternative = slot.join.is_none() && seen.contains(&slot.position);
        seen.push(slot.position);
        // What is joined to an alternative (`pod|resource/name`) depends on it, not on the call.
        let joined_to_alternative = slot.join.is_some() && command.positionals.contains('|');
        if !slot.is_optional && !is_alternative && !joined_to_alternative {
            names.push(slot.name.to_owned());
        }
    }
    names
}

/// What an optional kind and its name need of each other: `logs deployment/` says nothing, nor does a name without its kind.
pub fn dependent(properties: &Map<String, Value>, required: &[String]) -> Option<Value> {
    let joined = properties.get("name").is_some_and(|schema| schema["x-join"] == "/");
    let mut dependent = Map::new();
    if joined && !required.iter().any(|name| name == "resource") {
        dependent.insert("name".to_owned(), json!(["resource"]));
        if properties.contains_key("pod") {
            dependent.insert("resource".to_owned(), json!(["name"]));
        }
    }
    // Further names come after the first.
    if properties.contains_key("names") && properties.contains_key("name") {
        dependent.insert("names".to_owned(), json!(["name"]));
    }
    (!dependent.is_empty()).then_some(Value::Object(dependent))
}

fn slots(command: &Command) -> Vec<Slot<'_>> {
    let mut slots = Vec::new();
    let mut position = 0;
    for token in command.positionals.split_whitespace() {
        let joined = token.strip_prefix(['/', '.']).and_then(|_| token.chars().next());
        // `/name` shares the word of what stands before it.
        let at = if joined.is_some() { position - 1 } else { position };
        for alternative in token.trim_start_matches(['/', '.']).split('|') {
            push_alternative(&mut slots, alternative, at, joined);
        }
        position = at + 1;
    }
    slots
}

fn push_alternative<'a>(slots: &mut Vec<Slot<'a>>, text: &'a str, position: usize, join: Option<char>) {
    let (first, second) = text.split_once('/').map_or((text, None), |(first, second)| (first, Some(second)));
    slots.push(slot(first, position, join));
    slots.extend(second.map(|name| slot(name, position, Some('/'))));
}

fn slot(text: &str, position: usize, join: Option<char>) -> Slot<'_> {
    let takes_rest = text.ends_with("...");
    let text = text.trim_end_matches("...");
    let name = text.trim_end_matches('?');
    Slot { name, position, join, is_optional: text.ends_with('?'), takes_rest }
}

/// Moves our keys from the item of a list to the list.
fn move_ours(schema: &mut Value) {
    let item = schema["items"].as_object_mut().expect("every schema is an object");
    let ours: Vec<String> = item
        .keys()
        .filter(|key| matches!(key.as_str(), "x-position" | "x-after-dashes" | "x-never" | "description"))
        .cloned()
        .collect();
    let moved: Vec<(String, Value)> =
        ours.into_iter().filter_map(|key| item.shift_remove(&key).map(|value| (key, value))).collect();
    for (key, value) in moved {
        schema[key] = value;
    }
    schema["x-rest"] = json!(true);
}

fn schema(name: &str, command: &Command) -> Option<Value> {
    let text = |description: &str| json!({"type": "string", "minLength": 1, "description": description});
    let object = |description: &str| json!({"type": "string", "pattern": r"^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$", "description": description, "x-kind": "kubernetes-name"});
    let assignment = |description: &str| json!({"type": "string", "pattern": ASSIGNMENT, "description": description});
    Some(match name {
        "resource" => {
            json!({"type": "string", "enum": kinds(command), "description": "Kind of resource", "x-kind": "kubernetes-kind"})
        }
        "name" => object("Name of the object"),
        "names" => {
            let mut names = object("Further objects of the same kind");
            // A model shown both writes the one name twice; a draft that has several still binds.
            names["x-never"] = json!(true);
            names
        }
        "pod" => object("Name of the pod"),
        "node" => object("Name of the node"),
        "service_account" => object("Name of the service account"),
        "context_name" | "new_name" => text("Name of the context"),
        "labels" => assignment("Label as KEY=VALUE, or KEY- to remove it"),
        "annotations" => assignment("Annotation as KEY=VALUE, or KEY- to remove it"),
        "env" => assignment("Environment variable as KEY=VALUE, or KEY- to remove it"),
        "taints" => {
            json!({"type": "string", "pattern": TAINT, "description": "Taint as KEY=VALUE:EFFECT with NoSchedule, PreferNoSchedule or NoExecute, or KEY- to remove it"})
        }
        "images" => assignment("Image as CONTAINER=IMAGE"),
        "expressions" => assignment("Selector as KEY=VALUE"),
        "ports" => {
            json!({"type": "string", "pattern": "^([0-9]{0,5}:)?[a-z0-9-]+$", "description": "Port as LOCAL:REMOTE or PORT"})
        }
        "command" => json!({"type": "string", "description": "Program and its arguments", "x-after-dashes": true}),
        "source" => text("Path, or POD:PATH, or NAMESPACE/POD:PATH to copy from"),
        "destination" => text("Path, or POD:PATH, or NAMESPACE/POD:PATH to copy to"),
        "verb" => text("What would be done: get, list, watch, create, update, patch, delete, or *"),
        "url" => json!({"type": "string", "pattern": "^/", "description": "Path of the API that is no resource"}),
        "field" => {
            json!({"type": "string", "pattern": "^[A-Za-z0-9.]+$", "description": "Path of the field, e.g. spec.containers"})
        }
        "dir" => text("Directory or URL of the kustomization"),
        "shell" => json!({"type": "string", "enum": ["bash", "zsh", "fish", "powershell"], "description": "Shell"}),
        "property_name" => text("Dotted path in the kubeconfig, e.g. contexts.test.namespace"),
        "property_value" => json!({"type": "string", "description": "New value"}),
        _ => return None,
    })
}

/// The words `resource` may be.
pub fn kinds(command: &Command) -> Vec<&str> {
    let extra = command.extra_kinds.split_whitespace().chain(command.all.then_some("all"));
    if command.kinds.is_empty() {
        return kubernetes::kinds().iter().map(|kind| kind.name.as_str()).chain(extra).collect();
    }
    command.kinds.split_whitespace().chain(extra).collect()
}
