//! Knows the kinds of objects a Kubernetes cluster keeps: their spellings, and the shape of each in every version.
//!
//! Facts only, cut from the published schemas by `extract/kubernetes_kinds.py`; knows nothing of commands. Custom
//! resources are not in it: their kinds exist in one cluster, not in the vendor's description. Start at [`kind`].

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::{CatalogueError, Result};

const KINDS: &str = include_str!("../../data/kubernetes_kinds.json");
const SCHEMAS: &[u8] = include_bytes!("../../data/kubernetes_schemas.json.zst");
const SCHEMAS_ORIGIN: &str = "data/kubernetes_schemas.json.zst";

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
}

/// One kind in one version, and the name of its shape: also reviews, lists and older versions, which no command names.
#[derive(Clone, Debug, Deserialize)]
pub struct VersionedKind {
    /// `apps/v1`, or `v1` for the core group.
    pub api: String,
    /// `Deployment`.
    pub kind: String,
    /// Name among the definitions: `apps.v1.Deployment`.
    pub shape: String,
}

#[derive(Deserialize)]
struct SchemasFile {
    kinds: Vec<VersionedKind>,
    shapes: Map<String, Value>,
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

/// Every kind in every version, ordered by version and kind.
///
/// # Errors
/// The committed extract does not parse.
pub fn versioned_kinds() -> Result<Vec<VersionedKind>> {
    Ok(schemas()?.kinds)
}

/// Every shape by its name (`apps.v1.Deployment`), the kinds that commands name by theirs (`Deployment`, `DeploymentList`),
/// `Object` for an answer whose kind is only known when it is asked, and `Manifest` with the shape of each `apiVersion/kind`.
///
/// # Errors
/// The committed extract does not parse.
pub fn definitions() -> Result<Map<String, Value>> {
    let SchemasFile { kinds, mut shapes } = schemas()?;
    let of = |api: &str, kind: &str| kinds.iter().find(|one| one.api == api && one.kind == kind);
    for kind in &INDEX.kinds {
        for name in [kind.kind.clone(), format!("{}List", kind.kind)] {
            if let Some(found) = of(&kind.api, &name) {
                shapes.insert(name, reference(&found.shape));
            }
        }
    }
    let cases: Map<String, Value> =
        kinds.iter().map(|kind| (format!("{}/{}", kind.api, kind.kind), reference(&kind.shape))).collect();
    shapes.insert("Manifest".to_owned(), json!({"type": "object", "x-cases": cases}));
    shapes.insert("Object".to_owned(), any_object());
    shapes.sort_keys();
    Ok(shapes)
}

/// `{"$ref": "#/$defs/NAME"}`.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn schemas() -> Result<SchemasFile> {
    let failed = |reason: String| CatalogueError::ImportFailed { origin: SCHEMAS_ORIGIN.to_owned(), reason };
    let text = zstd::decode_all(SCHEMAS).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))
}

fn any_object() -> Value {
    let fields = json!({
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": reference("meta.v1.ObjectMeta"),
        "spec": {"type": "object"}, "status": {"type": "object"}, "data": {"type": "object"},
    });
    let mut listed = fields.clone();
    listed["items"] = json!({"type": "array", "items": {"type": "object", "properties": fields}});
    json!({"type": "object", "properties": listed})
}

// === impl Kind ===

impl Kind {
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
        assert!(deployment.namespaced && !kind("node").expect("a node").namespaced);
    }

    #[test]
    fn every_kind_has_a_shape_with_all_its_fields() {
        let definitions = definitions().expect("parses");
        let kinds = versioned_kinds().expect("parses");
        for kind in &kinds {
            assert!(definitions.contains_key(&kind.shape), "{}/{}", kind.api, kind.kind);
        }
        for kind in INDEX.kinds.iter().map(|kind| &kind.kind) {
            assert!(definitions.contains_key(kind) && definitions.contains_key(&format!("{kind}List")), "{kind}");
        }
        let container = &definitions["core.v1.Container"]["properties"];
        assert_eq!(container["livenessProbe"]["$ref"], "#/$defs/core.v1.Probe");
        assert_eq!(definitions["apps.v1.DeploymentSpec"]["properties"]["replicas"]["type"], "integer");
    }

    #[test]
    fn every_reference_has_its_target() {
        fn targets<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|member| targets(member, found));
                }
                Value::Array(items) => items.iter().for_each(|item| targets(item, found)),
                _ => {}
            }
        }
        let definitions = definitions().expect("parses");
        let mut found = Vec::new();
        definitions.values().for_each(|schema| targets(schema, &mut found));
        assert!(found.len() > 1000);
        for target in found {
            let name = target.strip_prefix("#/$defs/").expect(target);
            assert!(definitions.contains_key(name), "{name}");
        }
    }
}
