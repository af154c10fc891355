//! What botocore says of failing, repeating and paging, beside the effect class.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::shapes::{Shapes, is_true, shape_name};
use super::text::opening;
use crate::semantics::{DryRun, ErrorKind, ErrorRule, IdempotencyKey, KeyPlace, Origin, Paging};

/// Names an idempotency token goes by; the trait alone also marks session names that are none.
static TOKEN_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let names = "(?i)^(client(request)?(token|id)?|clientrequesttoken|clienttokenid|clientuniquetoken|clientrequestid|\
                 idempotency(token|key)|idempotent(token|id)|(creator)?requestid|requesttoken|callerreference|operationid|\
                 creationtoken|uniquetoken|token)$";
    Regex::new(names).expect("a constant")
});
static SAYS_KEY: LazyLock<Regex> = LazyLock::new(|| {
    let words = "(?i)idempoten|without the risk of|more than once|only once|duplicate|same token|multiple times|retry requests|retr(y|ied) (the|this|a) request|safely retr";
    Regex::new(words).expect("a constant")
});
static SAYS_DRY_RUN: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        "(?i)without|isn't sent|will succeed|dry run of|but does not|instead of|permissions required for the action";
    Regex::new(words).expect("a constant")
});
/// Words in names of error codes and retry policies that mean "refused for load".
static THROTTLES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(?i)throttl|slow_?down|too_?many_?requests|limit_?exceeded|throughput").expect("a constant")
});

/// The idempotency token among the top-level members: by the vendor's trait, or by what its text says.
pub(super) fn key(members: &[(&str, &Value, &Value)]) -> Option<IdempotencyKey> {
    let text = |reference: &Value| opening(reference.get("documentation").and_then(Value::as_str).unwrap_or_default());
    let key = |name: &str, from| IdempotencyKey { place: KeyPlace::Parameter(name.to_owned()), from };
    let marked = members.iter().find(|(name, reference, _)| {
        is_true(reference, "idempotencyToken") && (TOKEN_NAME.is_match(name) || SAYS_KEY.is_match(&text(reference)))
    });
    if let Some((name, ..)) = marked {
        return Some(key(name, Origin::vendor("idempotencyToken")));
    }
    let told = members.iter().find(|(name, reference, shape)| {
        TOKEN_NAME.is_match(name) && shape["type"] == "string" && SAYS_KEY.is_match(&text(reference))
    });
    told.map(|(name, ..)| key(name, Origin::Text))
}

/// The switch that only asks: `DryRun`, or `DryRun` among the values of a top-level enumeration (lambda's `InvocationType`).
pub(super) fn dry_run(members: &[(&str, &Value, &Value)]) -> Option<DryRun> {
    members.iter().find_map(|(name, reference, shape)| {
        let text = opening(reference.get("documentation").and_then(Value::as_str).unwrap_or_default());
        let is_switch =
            name.eq_ignore_ascii_case("dryrun") && shape["type"] == "boolean" && SAYS_DRY_RUN.is_match(&text);
        let is_choice = shape["enum"].as_array().is_some_and(|values| values.iter().any(|value| value == "DryRun"));
        let values = if is_switch { vec![json!(true)] } else { vec![json!("DryRun")] };
        (is_switch || is_choice && text.contains("DryRun")).then(|| DryRun {
            parameter: (*name).to_owned(),
            values,
            from: Origin::Text,
        })
    })
}

/// The operation's entry among the paginators.
pub(super) fn paging(paginators: &Value, operation: &str) -> Option<Paging> {
    let entry = paginators.get("pagination")?.get(operation)?;
    let many = |key: &str| match entry.get(key) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let one = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let (input, output) = (many("input_token"), many("output_token"));
    (!input.is_empty()).then(|| Paging {
        input,
        output,
        limit: one("limit_key"),
        more: one("more_results"),
        results: many("result_key"),
        from: Origin::vendor("paginators-1"),
    })
}

/// Errors after which trying again makes sense: those the operation declares so, and those of botocore's own retry table.
pub(super) fn errors(described: &Value, shapes: &Shapes, table: &[ErrorRule]) -> Vec<ErrorRule> {
    let (mut throttled, mut transient, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for name in described.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(shape_name) {
        let Some(shape) = shapes.get(name) else { continue };
        let code = shape.pointer("/error/code").and_then(Value::as_str).unwrap_or(name).to_owned();
        match shape.get("retryable") {
            Some(retryable) if is_true(retryable, "throttling") => throttled.push(code),
            Some(_) => transient.push(code),
            None if is_true(shape, "fault") => faults.push(code),
            None => {}
        }
    }
    let rule = |kind, codes: Vec<String>, from| (!codes.is_empty()).then_some(ErrorRule { kind, codes, from });
    [
        rule(ErrorKind::Throttled, throttled, Origin::vendor("retryable")),
        rule(ErrorKind::Transient, transient, Origin::vendor("retryable")),
        rule(ErrorKind::Transient, faults, Origin::vendor("fault")),
    ]
    .into_iter()
    .flatten()
    .chain(table.iter().cloned())
    .collect()
}

/// Botocore's `_retry.json` for one service: the codes of everybody and its own.
pub(super) fn retry_table(table: &Value, folder: &str) -> Vec<ErrorRule> {
    let (mut throttled, mut transient) = (BTreeSet::new(), BTreeSet::new());
    let policies = ["/retry/__default__/policies".to_owned(), format!("/retry/{folder}/__default__/policies")];
    for (policy, rule) in policies.iter().filter_map(|at| table.pointer(at)?.as_object()).flatten() {
        let rule = match rule.get("$ref").and_then(Value::as_str) {
            Some(name) => table.pointer(&format!("/definitions/{name}")),
            None => Some(rule),
        };
        let Some(response) = rule.and_then(|rule| rule.pointer("/applies_when/response")) else { continue };
        let status = response.get("http_status_code").and_then(Value::as_u64);
        let code = match response.get("service_error_code").and_then(Value::as_str) {
            Some(code) => code.to_owned(),
            None => match status {
                Some(status) => format!("HTTP {status}"),
                None => continue,
            },
        };
        let throttles = THROTTLES.is_match(&code) || THROTTLES.is_match(policy);
        if throttles {
            throttled.insert(code)
        } else {
            transient.insert(code)
        };
    }
    let rule = |kind, codes: BTreeSet<String>| ErrorRule {
        kind,
        codes: codes.into_iter().collect(),
        from: Origin::vendor("_retry"),
    };
    let rules = [rule(ErrorKind::Throttled, throttled), rule(ErrorKind::Transient, transient)];
    rules.into_iter().filter(|rule| !rule.codes.is_empty()).collect()
}
