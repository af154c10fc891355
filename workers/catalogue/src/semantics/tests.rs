use serde_json::json;

use super::*;
use crate::operation::Invocation;

fn operation(semantics: Semantics) -> Operation {
    Operation {
        provider: "p".to_owned(),
        service: "s".to_owned(),
        name: "Do".to_owned(),
        summary: String::new(),
        words: Vec::new(),
        effect: Effect::Idempotent,
        undo: None,
        invocation: Invocation::Command { words: Vec::new() },
        parameters: json!({}),
        result: Value::Null,
        semantics,
        definitions: Default::default(),
    }
}

fn dry_run() -> Option<DryRun> {
    let values = vec![json!("client"), json!("server")];
    Some(DryRun { parameter: "dry-run".to_owned(), values, from: Origin::Text })
}

#[test]
fn a_dry_run_reads_and_every_other_value_acts() {
    let operation = operation(Semantics { dry_run: dry_run(), ..Semantics::default() });
    for (value, effect) in [
        (json!("client"), Effect::Read),
        (json!("server"), Effect::Read),
        (json!("none"), Effect::Idempotent),
        (json!("wombat"), Effect::Idempotent),
        (json!({"$ref": "c1", "path": "Mode"}), Effect::Idempotent),
        (Value::Null, Effect::Idempotent),
    ] {
        assert_eq!(operation.effect_of(&json!({ "dry-run": value })), effect, "{value}");
    }
    assert_eq!(operation.effect_of(&json!({})), Effect::Idempotent);
}

#[test]
fn an_argument_can_make_a_call_worse_unless_it_is_a_dry_run() {
    let worse =
        |values| Variation { parameter: "prune".to_owned(), values, effect: Effect::Irreversible, from: Origin::Text };
    let semantics = Semantics { dry_run: dry_run(), variations: vec![worse(Vec::new())], ..Semantics::default() };
    let any = operation(semantics);
    assert_eq!(any.effect_of(&json!({"prune": true})), Effect::Irreversible);
    assert_eq!(any.effect_of(&json!({"prune": {"$ref": "c1", "path": "X"}})), Effect::Irreversible);
    assert_eq!(any.effect_of(&json!({"prune": false})), Effect::Idempotent);
    assert_eq!(any.effect_of(&json!({"prune": true, "dry-run": "server"})), Effect::Read);
    let one = operation(Semantics { variations: vec![worse(vec![json!("all")])], ..Semantics::default() });
    assert_eq!(one.effect_of(&json!({"prune": "some"})), Effect::Idempotent);
    assert_eq!(one.effect_of(&json!({"prune": "all"})), Effect::Irreversible);
}

#[test]
fn nothing_known_is_written_as_nothing() {
    assert!(Semantics::default().is_empty());
    let text = serde_json::to_string(&operation(Semantics::default())).unwrap();
    assert!(!text.contains("semantics"), "{text}");
}

#[test]
fn every_origin_survives_a_pack() {
    for origin in [Origin::Unknown, Origin::vendor("readonly"), Origin::Text, Origin::rule("create-delete")] {
        let text = serde_json::to_string(&origin).unwrap();
        assert_eq!(serde_json::from_str::<Origin>(&text).unwrap(), origin, "{text}");
    }
    assert!(serde_json::from_str::<Origin>("\"hearsay\"").is_err());
}

#[test]
fn an_error_nobody_named_allows_nothing() {
    let codes = vec!["SlowDown".to_owned(), "HTTP 503".to_owned()];
    let rule = ErrorRule { kind: ErrorKind::Throttled, codes, from: Origin::vendor("retryable") };
    let operation = operation(Semantics { errors: vec![rule], ..Semantics::default() });
    assert_eq!(operation.error_kind("HTTP 503"), Some(ErrorKind::Throttled));
    assert_eq!(operation.error_kind("AccessDenied"), None);
}
