//! What is rendered is read back, whatever the arguments.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Rendered, bind, parse, quote, render};
use super::ALL;
use crate::operation::{Invocation, Operation};

/// Words no tool takes for a flag, a list or a structure.
fn word() -> impl Strategy<Value = String> {
    "[a-z0-9]([a-z0-9 '\"$.:-]{0,8}[a-z0-9])?"
}

fn name() -> impl Strategy<Value = String> {
    "[a-z]([a-z0-9-]{0,8}[a-z0-9])?"
        .prop_filter("kinds alone are read as kinds", |name| crate::import::kubernetes::kind(name).is_none())
}

fn reference() -> impl Strategy<Value = Value> {
    "[A-Z][a-z]{0,5}(\\.[A-Z][a-z]{0,5}|\\[0\\]){0,2}".prop_map(|path| json!({"$ref": "c1", "path": path}))
}

/// A value of a simple schema; nothing for shapes the property is not about.
fn value(schema: &Value) -> Option<BoxedStrategy<Value>> {
    if let Some(choices) = schema["enum"].as_array() {
        return Some(proptest::sample::select(choices.clone()).boxed());
    }
    Some(match (schema["type"].as_str()?, schema["x-kind"].as_str(), schema["pattern"].as_str()) {
        ("string", Some("kubernetes-name"), _) => name().prop_map(Value::from).boxed(),
        ("string", None, None) => prop_oneof![4 => word().prop_map(Value::from), 1 => reference()].boxed(),
        ("integer", ..) => any::<i32>().prop_map(Value::from).boxed(),
        ("boolean", ..) if schema["const"] == true => Just(json!(true)).boxed(),
        ("boolean", ..) => any::<bool>().prop_map(Value::from).boxed(),
        ("array", ..) => proptest::collection::vec(value(&schema["items"])?, 1..4).prop_map(Value::from).boxed(),
        _ => return None,
    })
}

/// Arguments of a call: everything required and some of the rest, where values can be made.
fn arguments(operation: &'static Operation) -> impl Strategy<Value = Value> {
    let offered = operation.properties().filter_map(|(name, schema)| {
        // Alternatives to `pod` and what only makes sense with them are left to the tests above.
        let stands_for_pod = matches!(name, "resource" | "name") && operation.parameter("pod").is_some();
        let is_left = stands_for_pod || matches!(name, "template" | "names" | "url");
        let value = value(schema).filter(|_| !is_left)?;
        let chosen = if operation.is_required(name) {
            value.prop_map(Some).boxed()
        } else {
            proptest::option::weighted(0.2, value).boxed()
        };
        Some((Just(name), chosen))
    });
    let pairs: Vec<_> = offered.collect();
    pairs.prop_map(|pairs| {
        let mut given: Map<_, _> =
            pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let is_joined = operation.parameter("name").is_some_and(|schema| schema["x-join"] == "/");
        if is_joined && !given.contains_key("resource") {
            given.shift_remove("name");
        }
        // One number on the command line says both.
        if let Some(count) = given.get("MinCount").or(given.get("MaxCount")).cloned() {
            for name in ["MinCount", "MaxCount"] {
                given.entry(name).or_insert_with(|| count.clone());
            }
        }
        given.into()
    })
}

fn commands() -> impl Strategy<Value = (&'static Operation, Value)> {
    let commands: Vec<&'static Operation> =
        ALL.iter().filter(|operation| matches!(operation.invocation, Invocation::Command { .. })).collect();
    proptest::sample::select(commands)
        .prop_flat_map(|operation| arguments(operation).prop_map(move |arguments| (operation, arguments)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn what_is_rendered_is_read_back((operation, arguments) in commands()) {
        let Rendered::Command(vector) = render(operation, &arguments) else { panic!("a command") };
        let lines = parse(&quote(&vector));
        prop_assert_eq!(lines.len(), 1, "{}", quote(&vector));
        let bound = bind(operation, &lines[0]);
        prop_assert!(bound.leftovers.is_empty(), "{}: left {:?}", quote(&vector), bound.leftovers);
        prop_assert_eq!(Value::Object(bound.arguments), arguments, "{}", quote(&vector));
    }

    #[test]
    fn binding_never_panics(text in "(kubectl|aws|stripe|obb) ([a-z]{1,8} ){0,3}(-{1,2}[a-z]{1,6}[= ]?\\PC{0,12} ){0,4}", at in 0..10_000_usize) {
        for line in parse(&text) {
            bind(&ALL[at % ALL.len()], &line);
        }
    }
}
