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

/// Schema of the place a path leads to; `None` when the result has no such place or is unknown.
pub fn result_path_exists<'a>(operation: &'a Operation, path: &str) -> Option<&'a Value> {
    let mut schema = operation.resolve(&operation.result);
    for step in parse_path(path)? {
        schema = operation.resolve(member(schema, step)?);
    }
    Some(schema)
}

/// Paths of the result with their schemas: to depth 4, at most 200, shallow ones first; the first element stands for a list.
pub fn result_paths(operation: &Operation) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut waiting = VecDeque::from([(String::new(), operation.resolve(&operation.result), 0)]);
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
}
