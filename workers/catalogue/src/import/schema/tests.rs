use super::*;

fn convert(root: &Value) -> (Value, Map<String, Value>) {
    let mut schemas = Schemas::new(root, "x.json", "");
    let converted = schemas.convert(&root["schema"], "/schema").unwrap();
    (converted, schemas.into_definitions())
}

fn converted(schema: Value) -> Value {
    convert(&json!({ "schema": schema })).0
}

fn error(root: &Value) -> String {
    Schemas::new(root, "x.json", "").convert(&root["schema"], "/schema").unwrap_err().to_string()
}

#[test]
fn null_goes_in_every_spelling() {
    assert_eq!(converted(json!({"type": "string", "nullable": true})), json!({"type": "string"}));
    assert_eq!(converted(json!({"type": ["integer", "null"]})), json!({"type": "integer"}));
    assert_eq!(converted(json!({"type": ["integer", "string"]})), json!({"type": ["integer", "string"]}));
    assert_eq!(
        converted(json!({"anyOf": [{"type": "string"}, {"type": "null"}], "title": "T"})),
        json!({"type": "string", "description": "T"})
    );
    assert_eq!(converted(json!({"enum": ["a", null]})), json!({"type": "string", "enum": ["a"]}));
}

#[test]
fn exclusive_bounds_become_plain_ones_where_that_is_exact() {
    assert_eq!(converted(json!({"type": "integer", "exclusiveMinimum": 0})), json!({"type": "integer", "minimum": 1}));
    assert_eq!(
        converted(json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true, "maximum": 9})),
        json!({"type": "integer", "minimum": 1, "maximum": 9})
    );
    assert_eq!(
        converted(json!({"type": "number", "exclusiveMaximum": 1.5})),
        json!({"type": "number", "maximum": 1.5})
    );
}

#[test]
fn all_of_is_merged_and_its_parts_requirements_with_it() {
    let root = json!({"defs": {"Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
        "schema": {"allOf": [{"$ref": "#/defs/Base"}, {"required": ["name", "ghost"], "properties": {"name": {"type": "string"}}}]}});
    let (merged, _) = convert(&root);
    assert_eq!(merged["required"], json!(["id", "name"]));
    assert_eq!(merged["properties"]["id"]["type"], "string");
    let words = converted(json!({"allOf": [{"type": "string"}], "description": "Words."}));
    assert_eq!(words, json!({"type": "string", "description": "Words."}));
}

#[test]
fn choices_stay_choices_and_rules_about_requirements_are_left_to_the_vendor() {
    let choice = converted(json!({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}));
    assert_eq!(choice["anyOf"][1]["items"]["type"], "string");
    let rule = json!({"type": "object", "properties": {"a": {}, "b": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
    assert_eq!(converted(rule), json!({"type": "object", "properties": {"a": {}, "b": {}}}));
    let values = json!({"oneOf": [{"const": "a", "type": "string"}, {"enum": ["b"], "type": "string"}]});
    assert_eq!(converted(values), json!({"type": "string", "enum": ["a", "b"]}));
    let beside = json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"b": {"type": "integer"}}, "required": ["b"]}]});
    assert_eq!(converted(beside)["anyOf"][0]["required"], json!(["b"]));
}

#[test]
fn a_circle_of_structures_stays_references() {
    let root = json!({"defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/defs/Node"}}}}, "schema": {"$ref": "#/defs/Node"}});
    let (converted, definitions) = convert(&root);
    assert_eq!(converted["$ref"], "#/$defs/Node");
    assert_eq!(definitions["Node"]["properties"]["next"]["$ref"], "#/$defs/Node");
}

#[test]
fn a_circle_through_a_reference_with_words_beside_it_stays_a_reference() {
    let root = json!({"defs": {"Node": {"type": "object", "properties": {
        "next": {"allOf": [{"$ref": "#/defs/Node"}, {"description": "The next one."}]}}}}, "schema": {"$ref": "#/defs/Node"}});
    let next = convert(&root).1["Node"]["properties"]["next"].clone();
    assert_eq!(next, json!({"$ref": "#/$defs/Node", "description": "The next one."}));
}

#[test]
fn a_circle_that_holds_nothing_is_an_error_with_its_place() {
    let itself = json!({"defs": {"A": {"$ref": "#/defs/A"}}, "schema": {"$ref": "#/defs/A"}});
    assert!(error(&itself).contains("#/defs/A leads back to itself"), "{}", error(&itself));
    let pair = json!({"defs": {"A": {"$ref": "#/defs/B"}, "B": {"$ref": "#/defs/A"}}, "schema": {"$ref": "#/defs/A"}});
    assert!(error(&pair).contains("leads back to itself"), "{}", error(&pair));
    let joined = json!({"defs": {"A": {"allOf": [{"$ref": "#/defs/B"}, {"type": "object"}]}, "B": {"allOf": [{"$ref": "#/defs/A"}, {"type": "object"}]}},
        "schema": {"$ref": "#/defs/A"}});
    assert!(error(&joined).contains("`allOf` leads back to #/defs/A"), "{}", error(&joined));
}

#[test]
fn references_that_lead_nowhere_or_away_say_where_they_stand() {
    let nowhere = json!({"schema": {"properties": {"a/b": {"$ref": "#/defs/None"}}}});
    assert!(
        error(&nowhere).contains("#/schema/properties/a~1b: \"#/defs/None\" refers to nothing"),
        "{}",
        error(&nowhere)
    );
    assert!(error(&json!({"schema": {"$ref": "other.yaml#/A"}})).contains("another file; bundle"));
    let hostile = json!({"schema": {"properties": {"a\u{1b}[2J": {}}}});
    assert!(error(&hostile).contains("U+001B"));
}

#[test]
fn a_tower_of_joined_parts_ends_in_an_error_and_not_in_a_full_stack() {
    let mut defs = Map::new();
    for at in 0..20_000 {
        let next = json!({"$ref": format!("#/defs/D{}", at + 1)});
        defs.insert(format!("D{at}"), json!({"allOf": [next.clone(), next]}));
    }
    defs.insert("D20000".to_owned(), json!({"type": "object", "properties": {"x": {}}}));
    let root = json!({"defs": defs, "schema": {"$ref": "#/defs/D0"}});
    assert!(error(&root).contains("nested deeper than 100"), "{}", error(&root));
}

#[test]
fn two_definitions_of_one_last_name_keep_apart() {
    let root = json!({"a": {"X": {"type": "string"}}, "b": {"X": {"type": "integer"}},
        "schema": {"properties": {"p": {"$ref": "#/a/X"}, "q": {"$ref": "#/b/X"}}}});
    let (converted, definitions) = convert(&root);
    assert_eq!(converted["properties"]["q"]["$ref"], "#/$defs/X_2");
    assert_eq!((&definitions["X"]["type"], &definitions["X_2"]["type"]), (&json!("string"), &json!("integer")));
}

#[test]
fn only_what_is_reached_is_kept() {
    let definitions = json!({"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"$ref": "#/$defs/A"}, "C": {}});
    let kept = reachable(definitions.as_object().unwrap(), [json!({"$ref": "#/$defs/A"})].iter());
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["A", "B"]);
}
