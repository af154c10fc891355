//! Checks the objects that `kubectl apply -f` and its like send: a manifest's kind chooses its shape.
//!
//! A parameter whose file holds such objects says so in `x-content`. The shapes are among the operation's definitions
//! (`Manifest`, see `import/kubernetes.rs`). Start at [`check_manifest`].

use serde_json::{Value, json};

use crate::check::{Violation, check};
use crate::operation::Operation;

/// What does not fit in one object of a manifest file; empty when all fits.
///
/// A kind that no Kubernetes has by itself (a custom resource) is only checked for `apiVersion`, `kind` and `metadata.name`.
pub fn check_manifest(operation: &Operation, manifest: &Value) -> Vec<Violation> {
    let schema = manifest_schema(operation, manifest).cloned().unwrap_or_else(any_kind);
    let shape = Operation { parameters: schema, ..operation.clone() };
    check(&shape, manifest)
}

/// The shape of a manifest's kind, and whether it is known at all.
pub fn manifest_schema<'a>(operation: &'a Operation, manifest: &Value) -> Option<&'a Value> {
    let (api, kind) = (manifest.get("apiVersion")?.as_str()?, manifest.get("kind")?.as_str()?);
    let contents = operation.properties().find_map(|(_, schema)| schema.get("x-content"))?;
    let cases = operation.resolve(contents).get("x-cases")?;
    let case = cases.get(format!("{api}/{kind}"))?;
    Some(operation.resolve(case))
}

fn any_kind() -> Value {
    let text = json!({"type": "string", "minLength": 1});
    json!({"type": "object", "properties": {"apiVersion": text, "kind": text, "metadata": {"type": "object"}},
           "required": ["apiVersion", "kind", "metadata"]})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply() -> Operation {
        let service = crate::import::kubectl::operations().unwrap().services.remove(0);
        let operation = service.operations.into_iter().find(|operation| operation.name == "apply").unwrap();
        Operation { definitions: service.definitions, ..operation }
    }

    fn deployment() -> Value {
        let container = json!({"name": "web", "image": "nginx:1.27", "ports": [{"containerPort": 80}],
                               "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}});
        let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}});
        let spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template});
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    }

    #[test]
    fn a_right_manifest_fits_and_a_wrong_field_is_pointed_at() {
        let apply = apply();
        assert_eq!(check_manifest(&apply, &deployment()), []);
        let mut wrong = deployment();
        wrong["spec"]["template"]["spec"]["containers"][0]["imagge"] = json!("nginx");
        wrong["spec"]["replicas"] = json!("two");
        let pointers: Vec<String> = check_manifest(&apply, &wrong).into_iter().map(|found| found.pointer).collect();
        assert!(pointers.iter().any(|at| at == "/spec/replicas"), "{pointers:?}");
        assert!(pointers.iter().any(|at| at.starts_with("/spec/template/spec/containers/0")), "{pointers:?}");
        let mut empty = deployment();
        empty["spec"].as_object_mut().unwrap().remove("selector");
        assert_eq!(check_manifest(&apply, &empty).len(), 1);
    }

    #[test]
    fn the_version_chooses_the_shape_and_a_custom_kind_is_let_through() {
        let apply = apply();
        let scaler = |api: &str, spec: Value| json!({"apiVersion": api, "kind": "HorizontalPodAutoscaler", "metadata": {}, "spec": spec});
        let target = json!({"kind": "Deployment", "name": "web"});
        let old = json!({"maxReplicas": 3, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 80});
        assert_eq!(check_manifest(&apply, &scaler("autoscaling/v1", old.clone())), []);
        assert_eq!(check_manifest(&apply, &scaler("autoscaling/v2", old)).len(), 1);
        let custom =
            json!({"apiVersion": "example.com/v1", "kind": "Wombat", "metadata": {"name": "w"}, "spec": {"x": 1}});
        assert_eq!(check_manifest(&apply, &custom), []);
        assert!(!check_manifest(&apply, &json!({"kind": "Pod"})).is_empty());
        assert!(!check_manifest(&apply, &json!([])).is_empty());
    }
}
