use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::operation::{Effect, Invocation};

fn operation(parameters: Value) -> Operation {
    let definitions = json!({
        "Node": {"type": "object", "properties": {"Id": {"type": "string"}, "Next": {"$ref": "#/$defs/Node"}},
                 "required": ["Id"], "additionalProperties": false},
        "Either": {"type": "object", "properties": {"S": {"type": "string"}, "N": {"type": "integer"}},
                   "additionalProperties": false, "x-union": true},
        "Circle": {"oneOf": [{"$ref": "#/$defs/Circle"}, {"$ref": "#/$defs/Circle"}]},
    });
    Operation {
        provider: "test".to_owned(),
        service: "test".to_owned(),
        name: "Test".to_owned(),
        summary: String::new(),
        words: Vec::new(),
        effect: Effect::Read,
        undo: None,
        invocation: Invocation::Command { words: vec!["test".to_owned()] },
        parameters,
        result: Value::Null,
        semantics: Default::default(),
        definitions: std::sync::Arc::new(definitions.as_object().unwrap().clone()),
    }
}

fn typical() -> Operation {
    operation(json!({
        "type": "object",
        "properties": {
            "Name": {"type": "string", "minLength": 3, "maxLength": 5, "pattern": "^[a-z]+$"},
            "Count": {"type": "integer", "minimum": 1, "maximum": 9},
            "Kind": {"type": "string", "enum": ["a", "b"]},
            "Only": {"type": "boolean", "const": true},
            "When": {"type": "string", "format": "date-time"},
            "Ids": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
            "Tags": {"type": "object", "additionalProperties": {"type": "string"}},
            "Node": {"$ref": "#/$defs/Node"},
            "Either": {"$ref": "#/$defs/Either"},
            "Any": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"x": {"type": "integer"}}}]},
            "Look": {"type": "string", "pattern": "^(?!no).*$"},
            "Slashed": {"type": "string", "pattern": "/^[a-z]$/"},
            "Broken": {"type": "string", "pattern": "(unclosed"},
            "Slow": {"type": "string", "pattern": "^((a|aa)+)+(?<!x)c$"},
            "Circle": {"$ref": "#/$defs/Circle"},
            "File": {"type": "string"},
            "Free": {},
        },
        "required": ["Name"],
        "additionalProperties": false,
    }))
}

/// Pointers of what is wrong.
fn wrong(arguments: Value) -> Vec<String> {
    check(&typical(), &arguments).into_iter().map(|violation| violation.pointer).collect()
}

#[test]
fn good_arguments_pass() {
    let good = json!({
        "Name": "abc", "Count": 9, "Kind": "b", "Only": true, "When": 1_700_000_000, "Ids": ["x", "y"],
        "Tags": {"anything": "goes"}, "Node": {"Id": "1", "Next": {"Id": "2"}}, "Either": {"N": 1}, "Any": {"x": 1},
        "Free": [1, "2", null],
    });
    assert_eq!(check(&typical(), &good), []);
}

#[test]
fn each_kind_of_mistake_is_found_where_it_is() {
    for (arguments, pointer) in [
        (json!({}), "/Name"),
        (json!({"Name": "abc", "Nam": 1}), "/Nam"),
        (json!({"Name": 1}), "/Name"),
        (json!({"Name": "ab"}), "/Name"),
        (json!({"Name": "abcdef"}), "/Name"),
        (json!({"Name": "ABC"}), "/Name"),
        (json!({"Name": "abc", "Count": 0}), "/Count"),
        (json!({"Name": "abc", "Count": 10}), "/Count"),
        (json!({"Name": "abc", "Count": 1.5}), "/Count"),
        (json!({"Name": "abc", "Count": "1"}), "/Count"),
        (json!({"Name": "abc", "Kind": "c"}), "/Kind"),
        (json!({"Name": "abc", "Only": false}), "/Only"),
        (json!({"Name": "abc", "Ids": []}), "/Ids"),
        (json!({"Name": "abc", "Ids": ["a", "b", "c"]}), "/Ids"),
        (json!({"Name": "abc", "Ids": "a"}), "/Ids"),
        (json!({"Name": "abc", "Ids": ["a", 2]}), "/Ids/1"),
        (json!({"Name": "abc", "Tags": {"a/b": 1}}), "/Tags/a~1b"),
        (json!({"Name": "abc", "Node": {"Next": {"Id": "2"}}}), "/Node/Id"),
        (json!({"Name": "abc", "Node": {"Id": "1", "Next": {"Id": 2}}}), "/Node/Next/Id"),
        (json!({"Name": "abc", "Either": {}}), "/Either"),
        (json!({"Name": "abc", "Either": {"S": "a", "N": 1}}), "/Either"),
        (json!({"Name": "abc", "Any": "text"}), "/Any"),
    ] {
        assert_eq!(wrong(arguments.clone()), [pointer], "{arguments}");
    }
    assert_eq!(wrong(json!(["Name"])), [""]);
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let violations = check(&typical(), &json!({"Name": "abc", "Counts": 1}));
    assert!(violations[0].message.contains("did you mean `Count`?"), "{violations:?}");
}

#[test]
fn references_stand_for_any_value() {
    let reference = json!({"$ref": "c1", "path": "Vpc.VpcId"});
    let element = json!({"$ref": "c1", "path": "Instances[0].InstanceId"});
    let whole = json!({"Name": reference, "Count": reference, "Ids": [element, "x"], "Node": {"Id": element}, "Tags": reference});
    assert_eq!(check(&typical(), &whole), []);
}

#[test]
fn malformed_references_are_refused() {
    for (reference, pointer) in [
        (json!({"$ref": ""  , "path": "a"}), "/Name"),
        (json!({"$ref": "c1; rm", "path": "a"}), "/Name"),
        (json!({"$ref": 1, "path": "a"}), "/Name"),
        (json!({"$ref": "c1"}), "/Name"),
        (json!({"$ref": "c1", "path": "a..b"}), "/Name"),
        (json!({"$ref": "c1", "path": "a", "more": 1}), "/Name/more"),
    ] {
        assert_eq!(wrong(json!({"Name": reference})), [pointer], "{reference}");
    }
}

#[test]
fn patterns_beyond_plain_regular_expressions_are_kept() {
    assert_eq!(wrong(json!({"Name": "abc", "Look": "no"})), ["/Look"]);
    assert!(wrong(json!({"Name": "abc", "Look": "yes"})).is_empty());
    assert_eq!(wrong(json!({"Name": "abc", "Slashed": "1"})), ["/Slashed"]);
    assert!(wrong(json!({"Name": "abc", "Slashed": "a"})).is_empty());
}

#[test]
fn patterns_that_cannot_be_compiled_or_take_too_long_are_left_to_the_vendor() {
    assert!(wrong(json!({"Name": "abc", "Broken": "anything"})).is_empty());
    assert!(wrong(json!({"Name": "abc", "Slow": format!("{}b!", "a".repeat(60))})).is_empty());
}

#[test]
fn every_code_has_a_name_of_its_own_and_says_what_is_wrong() {
    let names: std::collections::BTreeSet<&str> = ViolationCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), ViolationCode::ALL.len());
    for (arguments, name) in [
        (json!({}), "required"),
        (json!({"Name": "abc", "Nam": 1}), "unknown"),
        (json!({"Name": 1}), "type"),
        (json!({"Name": "abc", "Kind": "c"}), "choice"),
        (json!({"Name": "ABC"}), "pattern"),
        (json!({"Name": "abc", "Count": 10}), "bounds"),
        (json!({"Name": "ab"}), "length"),
        (json!({"Name": "abc", "Either": {}}), "union"),
        (json!({"Name": {"$ref": 1, "path": "a"}}), "reference"),
        (json!({"Name": "abc", "File": "${c1.Vpc.VpcId}"}), "reference"),
    ] {
        let found = check(&typical(), &arguments);
        assert_eq!(found.iter().map(|violation| violation.code.name()).collect::<Vec<_>>(), [name], "{arguments}");
    }
}

#[test]
fn what_stands_in_a_path_may_not_change_the_path() {
    let operation = operation(json!({
        "type": "object",
        "properties": {"id": {"type": "string", "x-in": "path"}, "note": {"type": "string", "x-in": "query"}},
    }));
    for text in ["", ".", ".."] {
        assert_eq!(check(&operation, &json!({"id": text, "note": text}))[0].pointer, "/id", "{text:?}");
    }
    assert!(check(&operation, &json!({"id": "a/../b", "note": ""})).is_empty(), "a slash is encoded");
}

#[test]
fn circles_and_depth_end() {
    assert_eq!(wrong(json!({"Name": "abc", "Circle": 1})), ["/Circle"]);
    let mut deep = json!({"Id": "x"});
    for _ in 0..100 {
        deep = json!({"Id": "x", "Next": deep});
    }
    let violations = check(&typical(), &json!({"Name": "abc", "Node": deep}));
    assert!(violations.len() == 2 && violations[0].message.starts_with("too large"), "{violations:?}");
    let many: Vec<Value> = (0..1000).map(|_| json!(1)).collect();
    assert_eq!(wrong(json!({"Name": "abc", "Ids": many})).len(), 1, "the count is said once");
    let wide: Map<String, Value> = (0..1000).map(|at| (format!("x{at}"), json!(1))).collect();
    assert_eq!(check(&typical(), &Value::Object(wide)).len(), MAX_VIOLATIONS);
}

#[test]
fn one_of_several_parameters_may_be_enough() {
    let delete = operation(json!({
        "type": "object",
        "properties": {
            "resource": {"type": "string"},
            "name": {"type": "string", "x-instead": ["all", "selector"]},
            "all": {"type": "boolean"},
            "selector": {"type": "string"},
        },
        "required": ["name"],
        "dependentRequired": {"selector": ["resource"]},
        "additionalProperties": false,
    }));
    let pointers = |arguments| -> Vec<String> { check(&delete, &arguments).into_iter().map(|v| v.pointer).collect() };
    assert_eq!(pointers(json!({})), ["/name"]);
    assert!(pointers(json!({"all": true})).is_empty());
    assert_eq!(pointers(json!({"selector": "app=web"})), ["/resource"]);
    assert!(pointers(json!({"selector": "app=web", "resource": "pod"})).is_empty());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[A-Za-z$ref]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name =
            prop_oneof![Just("$ref".to_owned()), Just("path".to_owned()), Just("Id".to_owned()), "[A-Z][a-z]{0,4}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_violation_points_at_something_or_at_what_is_missing(node in any_json(), either in any_json()) {
        let arguments = json!({"Name": "abc", "Node": node, "Either": either});
        for violation in check(&typical(), &arguments) {
            let there = arguments.pointer(&violation.pointer).is_some();
            prop_assert!(there || violation.message.contains("required"), "{:?}", violation);
        }
    }
}

#[test]
fn what_excludes_each_other_is_refused_and_the_one_in_the_way_is_named() {
    let mut parameters = typical().parameters.clone();
    parameters["x-exclusive"] = json!([["Count", "Kind"]]);
    let found = check(&operation(parameters), &json!({"Name": "abc", "Count": 1, "Kind": "a"}));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].pointer.as_str(), found[0].code), ("/Count", ViolationCode::Exclusive));
}
