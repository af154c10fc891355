//! Adds what a number or a string means to Stripe's schemas, where the name alone says it.

use serde_json::{Value, json};

/// Page cursors and answer shaping: never the model's to write.
const NEVER: &[&str] = &["expand", "ending_before", "starting_after", "page"];

/// Deepest nesting in the extract.
const MAX_DEPTH: usize = 6;

/// Marks a top-level parameter and everything under it.
pub fn annotate(name: &str, schema: &mut Value) {
    if NEVER.contains(&name) {
        schema["x-never"] = json!(true);
    }
    mark(name, schema, MAX_DEPTH);
}

fn mark(name: &str, schema: &mut Value, depth: usize) {
    let Some(kind) = schema["type"].as_str().map(str::to_owned) else {
        return mark_branches(name, schema, depth);
    };
    match kind.as_str() {
        "integer" if is_amount(name) => schema["x-unit"] = json!("minor-currency"),
        "integer" if schema["format"] == "unix-time" => schema["x-unit"] = json!("unix-seconds"),
        "string" if name == "currency" => schema["x-kind"] = json!("currency"),
        "string" if name == "email" || name.ends_with("_email") => schema["x-kind"] = json!("email"),
        "object" if depth > 0 => mark_fields(schema, depth - 1),
        "array" if depth > 0 => mark(name, &mut schema["items"], depth - 1),
        _ => {}
    }
}

fn mark_branches(name: &str, schema: &mut Value, depth: usize) {
    let branches = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    for branch in branches.into_iter().flatten().take_while(|_| depth > 0) {
        mark(name, branch, depth - 1);
    }
}

fn mark_fields(schema: &mut Value, depth: usize) {
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, field) in fields.into_iter().flatten() {
        mark(name, field, depth);
    }
}

fn is_amount(name: &str) -> bool {
    matches!(name, "amount" | "amounts" | "application_fee" | "minimum" | "maximum")
        || name.ends_with("_amount")
        || name.starts_with("amount_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_marked_at_any_depth() {
        let mut schema = json!({"type": "array", "items": {"type": "object", "properties": {
            "price_data": {"type": "object", "properties": {"unit_amount": {"type": "integer"}, "currency": {"type": "string"}}},
            "quantity": {"type": "integer"},
        }}});
        annotate("line_items", &mut schema);
        let price = &schema["items"]["properties"]["price_data"]["properties"];
        assert_eq!(price["unit_amount"]["x-unit"], "minor-currency");
        assert_eq!(price["currency"]["x-kind"], "currency");
        assert!(schema["items"]["properties"]["quantity"].get("x-unit").is_none());
    }

    #[test]
    fn a_choice_of_types_is_marked_in_each_branch() {
        let mut schema =
            json!({"anyOf": [{"type": "object", "properties": {"amount": {"type": "integer"}}}, {"type": "string"}]});
        annotate("destination", &mut schema);
        assert_eq!(schema["anyOf"][0]["properties"]["amount"]["x-unit"], "minor-currency");
    }
}
