//! Paths into an operation's result: what a later call may refer to.

use std::collections::VecDeque;

use serde_json::Value;

use crate::operation::Operation;

/// Deepest path that [`result_paths`] lists, in names.
const MAX_DEPTH: usize = 4;
/// Most paths that [`result_paths`] lists.
const MAX_PATHS: usize = 200;
/// Longest path that is read, in steps.
const MAX_STEPS: usize = 16;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Name(&'a str),
    Element(usize),
}

/// Reads `Vpc.VpcId`, `Instances[0].InstanceId` or `Instances.0.InstanceId`; `None` when it is no path.
pub(crate) fn parse_path(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        match name.parse() {
            Ok(number) if !steps.is_empty() => steps.push(Step::Element(number)),
            _ if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == ']') => return None,
            _ => steps.push(Step::Name(name)),
        }
        while !rest.is_empty() {
            let (number, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::Element(number.parse().ok()?));
            rest = after;
        }
    }
    (steps.len() <= MAX_STEPS).then_some(steps)
}

/// Schema of what a call with these arguments answers: for `kubectl get deployment web` that of a deployment.
///
/// A result whose shape hangs on an argument says so in `x-by`: `parameter`, `one` and `many` (schemas by the argument's value),
/// and `named`, the parameters of which exactly the first must be given for `one`. Without `many`, it is always `one`.
pub fn result_schema<'a>(operation: &'a Operation, arguments: &Value) -> &'a Value {
    let of_argument = || {
        let by = operation.result.get("x-by")?;
        let value = arguments.get(by.get("parameter")?.as_str()?)?.as_str()?;
        let is_given =
            |name: &Value| name.as_str().and_then(|name| arguments.get(name)).is_some_and(|value| !is_empty(value));
        let named: Vec<bool> = by.get("named").and_then(Value::as_array).into_iter().flatten().map(is_given).collect();
        let is_one = named.first() == Some(&true) && !named.iter().skip(1).any(|given| *given);
        let of = |key: &str| by.get(key).and_then(|cases| cases.get(value));
        if is_one || by.get("many").is_none() { of("one") } else { of("many") }
    };
    operation.resolve(of_argument().unwrap_or(&operation.result))
}

/// Schema of the place a path leads to; `None` when the result has no such place or is unknown.
pub fn result_path_exists<'a>(operation: &'a Operation, path: &str) -> Option<&'a Value> {
    result_path_of(operation, &Value::Null, path)
}

/// Like [`result_path_exists`], in what a call with these arguments answers.
pub fn result_path_of<'a>(operation: &'a Operation, arguments: &Value, path: &str) -> Option<&'a Value> {
    let mut schema = result_schema(operation, arguments);
    for step in parse_path(path)? {
        schema = operation.resolve(member(schema, step)?);
    }
    Some(schema)
}

/// Paths of the result with their schemas: to depth 4, at most 200, shallow ones first; the first element stands for a list.
pub fn result_paths(operation: &Operation) -> Vec<(String, &Value)> {
    result_paths_of(operation, &Value::Null)
}

/// Like [`result_paths`], of what a call with these arguments answers.
pub fn result_paths_of<'a>(operation: &'a Operation, arguments: &Value) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    let mut waiting = VecDeque::from([(String::new(), result_schema(operation, arguments), 0)]);
    while let Some((path, schema, depth)) = waiting.pop_front() {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, member) in properties.into_iter().flatten() {
            if found.len() == MAX_PATHS {
                return found;
            }
            let mut path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let mut schema = operation.resolve(member);
            found.push((path.clone(), schema));
            while let Some(items) = schema.get("items") {
                path.push_str("[0]");
                schema = operation.resolve(items);
                // Elements of a list of lists end here: nothing real needs them and a circle would not end.
                if schema.get("items").is_some() {
                    break;
                }
                found.push((path.clone(), schema));
            }
            if depth + 1 < MAX_DEPTH {
                waiting.push_back((path, schema, depth + 1));
            }
        }
    }
    found.truncate(MAX_PATHS);
    found
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn member<'a>(schema: &'a Value, step: Step<'_>) -> Option<&'a Value> {
    match step {
        Step::Element(_) => schema.get("items"),
        Step::Name(name) => {
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            known.or_else(|| schema.get("additionalProperties").filter(|further| further.is_object()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read_in_both_spellings() {
        let expected = vec![Step::Name("Instances"), Step::Element(0), Step::Name("InstanceId")];
        assert_eq!(parse_path("Instances[0].InstanceId").as_ref(), Some(&expected));
        assert_eq!(parse_path("Instances.0.InstanceId").as_ref(), Some(&expected));
        for bad in ["", ".", "a..b", "a[", "a[x]", "a]b", "[0]", "a b"] {
            assert_eq!(parse_path(bad), None, "{bad}");
        }
    }

    fn kubectl(name: &str) -> Operation {
        let service = crate::import::kubectl::operations().unwrap().services.remove(0);
        let operation = service.operations.into_iter().find(|operation| operation.name == name).unwrap();
        Operation { definitions: service.definitions, ..operation }
    }

    #[test]
    fn what_kubectl_answers_hangs_on_the_kind_and_on_a_name() {
        let get = kubectl("get");
        let exists = |arguments: Value, path: &str| result_path_of(&get, &arguments, path).is_some();
        let one = json!({"resource": "service", "name": "web"});
        assert!(exists(one.clone(), "status.loadBalancer.ingress[0].ip"));
        assert!(exists(one.clone(), "spec.ports[0].nodePort") && exists(one.clone(), "metadata.uid"));
        assert!(!exists(one.clone(), "status.loadBalancer.ingress[0].port"), "it has ports, not a port");
        assert!(!exists(one.clone(), "spec.replicas") && !exists(one, "items[0].metadata.name"));
        let many = json!({"resource": "deployment"});
        assert!(exists(many.clone(), "items[0].spec.replicas") && !exists(many, "spec.replicas"));
        let several = json!({"resource": "pod", "name": "a", "names": ["b"]});
        assert!(exists(several.clone(), "items[0].status.podIP") && !exists(several, "status.podIP"));
        // A kind that a reference gives, or all kinds: only what every object has.
        let open = json!({"resource": {"$ref": "c1", "path": "kind"}, "name": "x"});
        assert!(exists(open.clone(), "metadata.name") && !exists(open, "status.loadBalancer.ingress"));
    }

    #[test]
    fn what_is_made_or_changed_has_the_fields_of_its_kind() {
        let create = kubectl("create service loadbalancer");
        assert!(result_path_of(&create, &json!({}), "status.loadBalancer.ingress[0].hostname").is_some());
        let scale = kubectl("scale");
        let arguments = json!({"resource": "statefulset", "name": "db", "replicas": 3});
        assert!(result_path_of(&scale, &arguments, "spec.serviceName").is_some());
        assert!(result_path_of(&scale, &arguments, "spec.strategy").is_none(), "that is a deployment's");
        let get = kubectl("get");
        let paths = result_paths_of(&get, &json!({"resource": "service", "name": "web"}));
        for path in ["spec.clusterIP", "status.loadBalancer.ingress[0].ip", "metadata.name"] {
            assert!(paths.iter().any(|(found, _)| found == path), "{path}");
        }
    }
}
