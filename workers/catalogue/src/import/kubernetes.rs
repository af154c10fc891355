//! Knows the kinds of objects a Kubernetes cluster keeps: their spellings and their fields.
//!
//! Facts only, cut from the published schemas by `extract/kubernetes_kinds.py`; knows nothing of commands. Custom
//! resources are not in it: their kinds exist in one cluster, not in the vendor's description. Start at [`kind`].

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

const KINDS: &str = include_str!("../../data/kubernetes_kinds.json");

/// One kind of object, e.g. `Deployment`.
#[derive(Clone, Debug, Deserialize)]
pub struct Kind {
    /// As manifests write it: `Deployment`.
    pub kind: String,
    /// Singular in lower case, the canonical spelling in calls: `deployment`.
    pub name: String,
    /// `deployments`.
    pub plural: String,
    /// Short names: `deploy`.
    pub short: Vec<String>,
    /// Does it live in a namespace?
    pub namespaced: bool,
    /// Group and version: `apps/v1`, or `v1` for the core group.
    pub api: String,
    /// One sentence.
    pub doc: String,
    /// Top-level fields beside `apiVersion`, `kind` and `metadata`, each a JSON Schema, `spec` and `status` to depth 2.
    pub fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct KindsFile {
    kinds: Vec<Kind>,
}

struct Index {
    kinds: Vec<Kind>,
    by_spelling: HashMap<String, usize>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let file: KindsFile = serde_json::from_str(KINDS).expect("the committed extract parses, see the tests");
    let mut by_spelling = HashMap::new();
    for (index, kind) in file.kinds.iter().enumerate() {
        let spellings = [&kind.name, &kind.plural].into_iter().chain(&kind.short);
        by_spelling.extend(spellings.map(|spelling| (spelling.clone(), index)));
    }
    Index { kinds: file.kinds, by_spelling }
});

/// All kinds, ordered by [`Kind::kind`].
pub fn kinds() -> &'static [Kind] {
    &INDEX.kinds
}

/// The kind a word names: singular, plural or short, in any case, also with its group (`deployments.apps`, `deployments.v1.apps`).
pub fn kind(word: &str) -> Option<&'static Kind> {
    let word = word.to_ascii_lowercase();
    let (bare, group) = word.split_once('.').unwrap_or((&word, ""));
    let kind = &INDEX.kinds[*INDEX.by_spelling.get(bare)?];
    (group.is_empty() || kind.is_of_group(group)).then_some(kind)
}

/// Schemas of all kinds by [`Kind::kind`], and `Object` for an answer whose kind is only known when it is asked.
pub fn definitions() -> Map<String, Value> {
    let mut definitions: Map<String, Value> =
        INDEX.kinds.iter().map(|kind| (kind.kind.clone(), kind.schema())).collect();
    definitions.insert("Metadata".to_owned(), metadata());
    definitions.insert("Object".to_owned(), any_object());
    definitions
}

fn metadata() -> Value {
    json!({"type": "object", "properties": {
        "name": {"type": "string"}, "namespace": {"type": "string"}, "uid": {"type": "string"},
        "resourceVersion": {"type": "string"}, "generation": {"type": "integer"}, "creationTimestamp": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    }})
}

fn any_object() -> Value {
    let fields = json!({
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": "#/$defs/Metadata"},
        "spec": {"type": "object"}, "status": {"type": "object"}, "data": {"type": "object"},
    });
    let mut listed = fields.clone();
    listed["items"] = json!({"type": "array", "items": {"type": "object", "properties": fields}});
    json!({"type": "object", "properties": listed})
}

// === impl Kind ===

impl Kind {
    /// Schema of an object of this kind as the cluster gives it.
    pub fn schema(&self) -> Value {
        let mut properties = Map::new();
        properties.insert("apiVersion".to_owned(), json!({"type": "string", "const": self.api}));
        properties.insert("kind".to_owned(), json!({"type": "string", "const": self.kind}));
        properties.insert("metadata".to_owned(), json!({"$ref": "#/$defs/Metadata"}));
        properties.extend(self.fields.clone());
        json!({"type": "object", "description": self.doc, "properties": properties})
    }

    /// Is `suffix` (`apps`, `v1.apps`) this kind's group?
    fn is_of_group(&self, suffix: &str) -> bool {
        let Some((group, version)) = self.api.split_once('/') else {
            return suffix == self.api;
        };
        suffix == group || suffix.strip_prefix(version).and_then(|rest| rest.strip_prefix('.')) == Some(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_finds_the_same_kind() {
        for word in ["deployment", "Deployment", "deployments", "deploy", "deployments.apps", "deployment.v1.apps"] {
            assert_eq!(kind(word).map(|kind| kind.name.as_str()), Some("deployment"), "{word}");
        }
        for (short, name) in [
            ("po", "pod"),
            ("svc", "service"),
            ("cm", "configmap"),
            ("ns", "namespace"),
            ("pvc", "persistentvolumeclaim"),
        ] {
            assert_eq!(kind(short).map(|kind| kind.name.as_str()), Some(name));
        }
    }

    #[test]
    fn a_foreign_group_or_word_is_no_kind() {
        assert!(kind("deployments.example.com").is_none());
        assert!(kind("wombat").is_none());
        assert!(kind("").is_none());
    }

    #[test]
    fn spellings_are_unique_and_fields_are_there() {
        let spellings: usize =
            kinds().iter().map(|kind| if kind.plural == kind.name { 1 } else { 2 } + kind.short.len()).sum();
        assert_eq!(INDEX.by_spelling.len(), spellings);
        assert_eq!(kinds().len(), 57);
        let deployment = kind("deploy").expect("a deployment");
        assert_eq!(deployment.schema()["properties"]["spec"]["properties"]["replicas"]["type"], "integer");
        assert!(deployment.namespaced && !kind("node").expect("a node").namespaced);
    }
}
