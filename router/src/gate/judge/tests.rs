use serde_json::json;
use silverback_catalogue::Invocation as Vendor;

use super::*;

fn operation() -> Operation {
    let definitions = json!({
        "Subnet": {"type": "object", "properties": {"Id": {"type": "string"}, "Tags": {"type": "array", "items": {"type": "string"}}}},
    });
    Operation {
        provider: "aws".into(),
        service: "ec2".into(),
        name: "Create".into(),
        summary: String::new(),
        words: Vec::new(),
        effect: CatalogueEffect::Keyed,
        undo: None,
        invocation: Vendor::Command { words: vec!["aws".into()] },
        parameters: json!({"type": "object", "properties": {
            "Subnets": {"type": "array", "items": {"$ref": "#/$defs/Subnet"}}, "a/b": {"type": "integer"}}}),
        result: json!({"$ref": "#/$defs/Subnet"}),
        semantics: Default::default(),
        definitions: Arc::new(definitions.as_object().unwrap().clone()),
    }
}

#[test]
fn pointers_lead_through_lists_and_shared_shapes() {
    let operation = operation();
    let shape_at = |pointer: &str| schema_at(&operation, pointer).and_then(shape);
    assert_eq!(shape_at("/Subnets"), Some("a list"));
    assert_eq!(shape_at("/Subnets/0"), Some("an object"));
    assert_eq!(shape_at("/Subnets/3/Id"), Some("a single value"));
    assert_eq!(shape_at("/Subnets/3/Tags/0"), Some("a single value"));
    assert_eq!(shape_at("/a~1b"), Some("a single value"));
    assert_eq!(shape_at("/Unknown"), None);
}

#[test]
fn a_result_nobody_describes_may_be_referred_to() {
    let reference = Reference { call: CallId::nth(0), path: "Anything".into() };
    let mut target = operation();
    assert!(check_path("/x", &reference, (&target, &Value::Null)).unwrap_err().reason.contains("has no Anything"));
    target.result = Value::Null;
    assert_eq!(check_path("/x", &reference, (&target, &Value::Null)), Ok(None));
}

#[test]
fn the_arguments_of_a_call_decide_its_effect_and_what_may_be_referred_to() {
    let mut target = operation();
    target.result["x-by"] = json!({"parameter": "resource", "one": {"pod": {"type": "object", "properties": {"status": {"type": "string"}}}}});
    let reference = Reference { call: CallId::nth(0), path: "status".into() };
    let pod = json!({"resource": "pod"});
    assert!(check_path("/x", &reference, (&target, &pod)).is_ok());
    assert!(check_path("/x", &reference, (&target, &json!({"resource": "node"}))).is_err());
}
