//! What may be done when a call to Stripe fails: from Stripe's API conventions, which its OpenAPI file does not carry.

use super::Endpoint;
use crate::operation::Operation;
use crate::semantics::{
    ArgumentSource, ErrorKind, ErrorRule, IdempotencyKey, Inverse, KeyPlace, Origin, Paging, Semantics,
};

/// Header under which Stripe keeps the outcome of a POST for at least 24 hours.
const KEY_HEADER: &str = "Idempotency-Key";

/// The semantics of one endpoint, without its inverse.
pub(super) fn of(endpoint: &Endpoint) -> Semantics {
    let (effect_from, has_key) = match endpoint.method.as_str() {
        "GET" => (Origin::rule("http-get-reads"), false),
        "POST" => (Origin::rule("stripe-post-takes-a-key"), true),
        _ => (Origin::Unknown, false),
    };
    let place = KeyPlace::Header(KEY_HEADER.to_owned());
    let rule = |kind, codes: &[&str]| ErrorRule {
        kind,
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        from: Origin::rule("stripe-error-codes"),
    };
    Semantics {
        effect_from,
        key: has_key.then(|| IdempotencyKey { place, from: Origin::rule("stripe-post-takes-a-key") }),
        paging: paging(endpoint),
        errors: vec![
            rule(ErrorKind::Throttled, &["rate_limit", "lock_timeout", "HTTP 429"]),
            rule(
                ErrorKind::Transient,
                &["idempotency_key_in_use", "HTTP 409", "HTTP 500", "HTTP 502", "HTTP 503", "HTTP 504"],
            ),
        ],
        ..Semantics::default()
    }
}

/// Lists page by the id of the last element, searches by a token.
fn paging(endpoint: &Endpoint) -> Option<Paging> {
    let answered = endpoint.result.get("properties")?;
    answered.get("has_more")?;
    let (input, output) = if endpoint.properties.contains_key("starting_after") {
        ("starting_after", "data[-1].id")
    } else {
        endpoint.properties.get("page").and(answered.get("next_page"))?;
        ("page", "next_page")
    };
    Some(Paging {
        input: vec![input.to_owned()],
        output: vec![output.to_owned()],
        limit: endpoint.properties.contains_key("limit").then(|| "limit".to_owned()),
        more: Some("has_more".to_owned()),
        results: vec!["data".to_owned()],
        from: Origin::rule("stripe-lists"),
    })
}

/// What a POST on a collection made is deleted by its `id` under the same path.
pub(super) fn inverse(operation: &Operation, delete: &str, url: &str) -> Option<Inverse> {
    let placeholders: Vec<&str> =
        url.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect();
    let (made, around) = placeholders.split_last()?;
    if !around.iter().all(|name| operation.is_required(name)) {
        return None;
    }
    let argument = |name: &&str| ((*name).to_owned(), ArgumentSource::Argument((*name).to_owned()));
    let mut arguments: Vec<(String, ArgumentSource)> = around.iter().map(argument).collect();
    arguments.push(((*made).to_owned(), ArgumentSource::Result("id".to_owned())));
    Some(Inverse { operation: delete.to_owned(), arguments, from: Origin::rule("same-path-post-delete") })
}
