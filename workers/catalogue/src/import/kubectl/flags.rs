//! Types one kubectl flag.

use serde_json::{Value, json};

use super::brief;
use super::command::{Command, Flag, FlagKind};

/// What Go's `time.ParseDuration` reads.
const DURATION: &str = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$";

/// Flags a model has no business to set: they change whether or how kubectl acts, not what is asked of the cluster.
const NEVER: &[&str] = &[
    "allow-missing-template-keys",
    "chunk-size",
    "dry-run",
    "field-manager",
    "openapi-patch",
    "resource-version",
    "server-print",
    "show-managed-fields",
    "use-protocol-buffers",
];

/// Flags that take one element each time, commas and all (`StringArray` in kubectl's source, 1.32); other lists are cut at commas.
const REPEATED: &[&str] = &[
    "annotation",
    "annotations",
    "audience",
    "env",
    "from-literal",
    "group",
    "prune-allowlist",
    "resource-name",
    "rule",
    "serviceaccount",
    "user",
];

/// Schema of a flag: type, enumeration when the help lists one, default, and how it is written.
pub fn schema(flag: &Flag, command: &Command) -> Value {
    let kind = command.flags.types.get(&flag.name).copied().unwrap_or(flag.kind);
    let mut schema = typed(flag, kind);
    schema["description"] = json!(brief(&flag.doc, 160));
    mark(&mut schema, flag);
    if NEVER.contains(&flag.name.as_str()) {
        schema["x-never"] = json!(true);
    }
    schema
}

/// Says how a parameter is written as a flag.
pub fn mark(schema: &mut Value, flag: &Flag) {
    schema["x-flag"] = json!(flag.name);
    if let Some(short) = &flag.short {
        schema["x-short"] = json!(short);
    }
}

fn typed(flag: &Flag, kind: FlagKind) -> Value {
    match kind {
        FlagKind::Boolean => json!({"type": "boolean", "default": flag.default.as_deref() == Some("true")}),
        FlagKind::Integer => json!({"type": "integer"}),
        FlagKind::Duration => json!({"type": "string", "pattern": DURATION, "x-kind": "duration"}),
        FlagKind::List if REPEATED.contains(&flag.name.as_str()) => {
            json!({"type": "array", "items": {"type": "string"}, "x-repeat": true})
        }
        FlagKind::List => json!({"type": "array", "items": {"type": "string"}}),
        FlagKind::String => match choices(&flag.doc) {
            Some(choices) => json!({"type": "string", "enum": choices}),
            None if matches!(flag.name.as_str(), "namespace") => json!({"type": "string", "x-kind": "kubernetes-name"}),
            None => json!({"type": "string"}),
        },
    }
}

/// The values a help text enumerates: `One of: (json, yaml)`, `Must be "none", "server", or "client"`, `Legal values [A, B]`.
fn choices(doc: &str) -> Option<Vec<String>> {
    const OPENINGS: &[(&str, char)] = &[
        ("One of: (", ')'),
        ("Must be one of (", ')'),
        ("Valid values are: (", ')'),
        ("Legal values [", ']'),
        ("one of [", ']'),
        ("One of (", ')'),
        ("Must be one of: ", '.'),
        ("Must be \"", '.'),
        ("Options are \"", '.'),
        ("One of '", '.'),
        ("supported values: ", '.'),
        ("legal values: ", '.'),
        ("can be either ", '.'),
        ("Type for this service: ", '.'),
        ("generated object: ", '.'),
    ];
    let (opening, close) = OPENINGS.iter().find(|(opening, _)| doc.contains(opening))?;
    let list = &doc[doc.find(opening)? + opening.trim_end_matches(['"', '\'']).len()..];
    let list = &list[..list.find(*close).unwrap_or(list.len())];
    let values: Vec<String> = list.split([',', '|', ' ']).filter_map(choice).collect();
    (values.len() > 1 || doc.contains("One of: (name)")).then_some(values)
}

/// One value out of an enumeration; nothing for the words between them.
fn choice(word: &str) -> Option<String> {
    // `strict (or true)`: the first spelling is enough.
    if word.starts_with('(') || word.ends_with(')') {
        return None;
    }
    let value = word.trim_matches(['"', '\'', '.', ':', ';']);
    (!value.is_empty() && !["or", "and", "either"].contains(&value)).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enumerations_of_the_help_are_read() {
        let read = |doc| choices(doc).expect("an enumeration").join(" ");
        assert_eq!(read("Output format. One of: (json, yaml, name, custom-columns)."), "json yaml name custom-columns");
        assert_eq!(
            read("Must be \"none\", \"server\", or \"client\". If client strategy, only print"),
            "none server client"
        );
        assert_eq!(
            read("Must be one of: strict (or true), warn, ignore (or false). \"true\" or"),
            "strict warn ignore"
        );
        assert_eq!(
            read("The restart policy for this Pod.  Legal values [Always, OnFailure, Never]."),
            "Always OnFailure Never"
        );
        assert_eq!(
            read("Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName. Default is"),
            "ClusterIP NodePort LoadBalancer ExternalName"
        );
        assert_eq!(read("The field can be either 'cpu' or 'memory'."), "cpu memory");
        assert_eq!(read("One of 'yaml' or 'json'."), "yaml json");
        assert_eq!(read("the type of patch being provided; one of [json merge strategic]"), "json merge strategic");
        assert_eq!(choices("Print the logs of this container"), None);
    }
}
