//! Says what a call still needs.

use serde_json::{Map, Value};

use crate::operation::Operation;

/// Required parameters that `arguments` neither has nor has another for (`x-instead`), and what a given one needs beside it
/// (`dependentRequired`), in the vendor's order.
pub fn missing<'a>(operation: &'a Operation, arguments: &Map<String, Value>) -> Vec<&'a str> {
    let names = |list: &'a Value| list.as_array().into_iter().flatten().filter_map(Value::as_str);
    let required = names(&operation.parameters["required"]).filter(|name| {
        let instead = operation.parameter(name).and_then(|schema| schema.get("x-instead"));
        !instead.is_some_and(|instead| names(instead).any(|other| arguments.contains_key(other)))
    });
    let dependent = operation.parameters["dependentRequired"].as_object().into_iter().flatten();
    let dependent = dependent.filter(|(name, _)| arguments.contains_key(*name)).flat_map(|(_, needs)| names(needs));
    let mut missing: Vec<&str> = required.chain(dependent).filter(|name| !arguments.contains_key(*name)).collect();
    missing.dedup();
    missing
}
