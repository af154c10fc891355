//! Checks the objects that `kubectl apply -f` and its like send: a manifest's kind chooses its shape.
//!
//! A parameter whose file holds such objects says so in `x-content`. The shapes are among the operation's definitions
//! (`Manifest`, see `import/kubernetes.rs`). Start at [`check_manifest`]. A patch is a part of such an object, given as text
//! in the call itself: it is checked with the call ([`check_patch`]).

use serde_json::{Map, Value, json};

use crate::check::{Violation, ViolationCode, check, check_part};
use crate::operation::Operation;
use crate::results::result_schema;

/// Where a JSON patch (RFC 6902) says what to do.
const JSON_PATCH_STEPS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

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

/// What does not fit in the parts of objects that a call gives as text (`x-patch`); the kind is the one the call is about.
pub(crate) fn check_patch(operation: &Operation, arguments: &Map<String, Value>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, text) in arguments.iter().filter_map(|(name, value)| Some((name, value.as_str()?))) {
        let Some(kind) = operation.parameter(name).and_then(|schema| schema.get("x-patch")) else { continue };
        let is_list = arguments.get("type").is_some_and(|form| form == "json");
        let found = match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(steps)) if is_list => check_steps(&steps),
            Ok(part @ Value::Object(_)) if !is_list => {
                let whole = Value::Object(arguments.clone());
                let shape = if kind.is_object() { operation.resolve(kind) } else { result_schema(operation, &whole) };
                // A custom resource has no shape here.
                if shape.get("properties").is_some() { check_part(operation, shape, &part) } else { Vec::new() }
            }
            Ok(_) if is_list => vec![wrong("a JSON patch is a list of steps")],
            Ok(_) => vec![wrong("a patch is an object with the fields that change")],
            // YAML is allowed too, and is not read here.
            Err(_) if text.trim_start().starts_with(['{', '[']) => vec![wrong("this is no valid JSON")],
            Err(_) => Vec::new(),
        };
        violations.extend(found.into_iter().map(|found| Violation {
            message: match found.pointer.as_str() {
                "" => found.message.clone(),
                place => format!("{} (at {place} of the patch)", found.message),
            },
            pointer: format!("/{name}"),
            ..found
        }));
    }
    violations
}

fn check_steps(steps: &[Value]) -> Vec<Violation> {
    let is_step = |step: &Value| {
        let what = step.get("op").and_then(Value::as_str);
        let place = step.get("path").and_then(Value::as_str);
        what.is_some_and(|what| JSON_PATCH_STEPS.contains(&what)) && place.is_some_and(|place| place.starts_with('/'))
    };
    let is_right = steps.iter().all(is_step);
    if is_right { Vec::new() } else { vec![wrong("each step of a JSON patch has an \"op\" and a \"path\" from /")] }
}

fn wrong(message: &str) -> Violation {
    Violation { pointer: String::new(), code: ViolationCode::Type, message: message.to_owned() }
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
        command("apply")
    }

    fn command(name: &str) -> Operation {
        let service = crate::import::kubectl::operations().unwrap().services.remove(0);
        let operation = service.operations.into_iter().find(|operation| operation.name == name).unwrap();
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

    #[test]
    fn a_patch_is_checked_as_a_part_of_its_kind() {
        let patch = command("patch");
        let found = |resource: &str, more: &[(&str, &str)]| {
            let mut arguments = json!({"resource": resource, "name": "web"});
            more.iter().for_each(|(name, value)| arguments[*name] = json!(value));
            check(&patch, &arguments).into_iter().map(|found| found.message).collect::<Vec<_>>()
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(found("deployment", &[("patch", r#"{"spec":{"replicas":3,"paused":null}}"#)]), none);
        let merged =
            r#"{"spec":{"template":{"spec":{"$retainKeys":["x"],"containers":[{"name":"web","image":"a:1"}]}}}}"#;
        assert_eq!(found("deployment", &[("patch", merged)]), none);
        let wrong = found("deployment", &[("patch", r#"{"spec":{"replicaz":3}}"#)]);
        assert!(wrong.len() == 1 && wrong[0].contains("/spec/replicaz of the patch"), "{wrong:?}");
        assert_eq!(found("node", &[("patch", r#"{"spec":{"unschedulable":"yes"}}"#)]).len(), 1);
        assert_eq!(found("node", &[("patch", r#"{"spec":"#)]).len(), 1, "cut off");
        let steps = r#"[{"op":"replace","path":"/spec/replicas","value":3}]"#;
        assert_eq!(found("deployment", &[("patch", steps), ("type", "json")]), none);
        assert_eq!(found("deployment", &[("patch", steps)]).len(), 1, "a list where an object is merged");
        assert_eq!(found("deployment", &[("patch", r#"[{"op":"set"}]"#), ("type", "json")]).len(), 1);
    }

    #[test]
    fn overrides_of_run_are_a_pod() {
        let run = command("run");
        let with = |text: &str| check(&run, &json!({"name": "tmp", "image": "busybox", "overrides": text}));
        assert_eq!(with(r#"{"spec":{"nodeName":"worker-1"}}"#), []);
        assert_eq!(with(r#"{"spec":{"nodeNam":"worker-1"}}"#).len(), 1);
    }
}
