//! Turns Stripe's API description into operations: one for each endpoint, body fields as parameters beside path and query.
//!
//! `data/stripe.json.zst` is cut from the vendor's OpenAPI file by `extract/stripe.py`; `data/stripe_words.json` adds what that
//! file leaves out. Every POST takes an `Idempotency-Key`, hence its effect `keyed`. Amounts are in the currency's minor
//! unit (cents). A field that may be cleared with an empty string is offered without that. Start at [`operations`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::{CatalogueError, Result};
use crate::import::{Imported, ImportedService};
use crate::operation::{Effect, Invocation, Operation};

mod annotate;
mod semantics;

const DESCRIPTION: &[u8] = include_bytes!("../../data/stripe.json.zst");
const ADDITIONS: &str = include_str!("../../data/stripe_words.json");

/// Provider of what is imported here; also the program people type.
pub const PROVIDER: &str = "stripe";

#[derive(Deserialize)]
struct Description {
    schemas: Map<String, Value>,
    operations: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    name: String,
    method: String,
    url: String,
    doc: String,
    body: String,
    properties: Map<String, Value>,
    required: Vec<String>,
    result: Value,
}

/// What the vendor's description leaves out.
#[derive(Deserialize)]
struct Additions {
    /// Prefix of the identifiers a parameter takes: `customer` → `cus_`.
    prefixes: HashMap<String, String>,
    /// The same for `id` and other vague names, by the group in the path.
    path_prefixes: HashMap<String, String>,
    /// Beginnings of paths whose endpoints only repeat newer ones.
    superseded: Vec<String>,
    operations: HashMap<String, Addition>,
}

#[derive(Default, Deserialize)]
struct Addition {
    /// What the API refuses to do without although the description calls it optional.
    #[serde(default)]
    required: Vec<String>,
    /// What may stand for a required parameter.
    #[serde(default)]
    instead: HashMap<String, Vec<String>>,
    #[serde(default)]
    words: Vec<String>,
}

/// Method, URL, name and group of an endpoint: what a drafted HTTP call is matched against.
pub(crate) struct Route {
    pub method: String,
    pub url: String,
    pub name: String,
    pub service: String,
}

/// All endpoints of Stripe, grouped by the first word of their path.
pub fn operations() -> Result<Imported> {
    let description = describe()?;
    let additions: Additions =
        serde_json::from_str(ADDITIONS).map_err(|source| failed("data/stripe_words.json", &source))?;
    let deletes: HashMap<&str, &Endpoint> = description.operations.iter().filter_map(deletion).collect();
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for endpoint in &description.operations {
        let delete = (endpoint.method == "POST").then(|| deletes.get(endpoint.url.as_str())).flatten();
        let mut operation = operation(endpoint, &additions);
        operation.semantics.inverse =
            delete.and_then(|delete| semantics::inverse(&operation, &delete.name, &delete.url));
        operation.undo = operation.semantics.inverse.as_ref().map(|inverse| inverse.operation.clone());
        groups.entry(operation.service.clone()).or_default().push(operation);
    }
    let service = |(name, operations): (String, Vec<Operation>)| ImportedService {
        title: format!("Stripe {} payments", name.replace('_', " ")),
        definitions: Arc::new(definitions_of(&operations, &description.schemas)),
        name,
        operations,
    };
    Ok(Imported { provider: PROVIDER.to_owned(), services: groups.into_iter().map(service).collect() })
}

/// All routes, in the vendor's order.
pub(crate) fn routes() -> Result<Vec<Route>> {
    let route = |endpoint: Endpoint| Route {
        service: group_of(&endpoint.url).to_owned(),
        method: endpoint.method,
        url: endpoint.url,
        name: endpoint.name,
    };
    Ok(describe()?.operations.into_iter().map(route).collect())
}

fn describe() -> Result<Description> {
    let origin = "data/stripe.json.zst";
    let text = zstd::decode_all(DESCRIPTION).map_err(|source| failed(origin, &source))?;
    serde_json::from_slice(&text).map_err(|source| failed(origin, &source))
}

fn failed(origin: &str, source: &dyn std::error::Error) -> CatalogueError {
    CatalogueError::ImportFailed { origin: origin.to_owned(), reason: source.to_string() }
}

/// URL of the collection and the operation that deletes one of its elements.
fn deletion(endpoint: &Endpoint) -> Option<(&str, &Endpoint)> {
    let (collection, element) = endpoint.url.rsplit_once('/')?;
    (endpoint.method == "DELETE" && element.starts_with('{')).then_some((collection, endpoint))
}

/// `https://api.stripe.com/v1/charges/{charge}` → `charges`.
fn group_of(url: &str) -> &str {
    url.split('/').nth(4).unwrap_or_default()
}

fn operation(endpoint: &Endpoint, additions: &Additions) -> Operation {
    let nothing = Addition::default();
    let addition = additions.operations.get(&endpoint.name).unwrap_or(&nothing);
    let mut required = endpoint.required.clone();
    required.extend(addition.required.iter().filter(|name| !endpoint.required.contains(name)).cloned());
    let mut properties = endpoint.properties.clone();
    for (name, schema) in &mut properties {
        annotate::annotate(name, schema);
        if let Some(prefix) = prefix_of(endpoint, name, additions) {
            schema["x-prefix"] = json!(prefix);
        }
        if let Some(instead) = addition.instead.get(name) {
            schema["x-instead"] = json!(instead);
        }
    }
    let mut parameters =
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let path = endpoint.url.split_once("/v1/").map_or("", |(_, path)| path);
    if additions.superseded.iter().any(|old| path.starts_with(old.as_str())) {
        parameters["deprecated"] = json!(true);
    }
    let (method, url, body) = (endpoint.method.clone(), endpoint.url.clone(), endpoint.body.clone());
    Operation {
        provider: PROVIDER.to_owned(),
        service: group_of(&endpoint.url).to_owned(),
        name: endpoint.name.clone(),
        summary: if endpoint.doc.is_empty() { format!("{method} {path}") } else { endpoint.doc.clone() },
        words: addition.words.clone(),
        effect: effect(&endpoint.method),
        undo: None,
        invocation: Invocation::Http { method, url, body },
        parameters,
        result: endpoint.result.clone(),
        semantics: semantics::of(endpoint),
        definitions: Arc::default(),
    }
}

fn prefix_of<'a>(endpoint: &Endpoint, name: &str, additions: &'a Additions) -> Option<&'a String> {
    let is_vague = matches!(name, "id" | "intent");
    if !is_vague {
        return additions.prefixes.get(name);
    }
    // The word before the placeholder says what is meant: `/v1/products/{id}`.
    let segments: Vec<&str> = endpoint.url.split('/').collect();
    let at =
        segments.iter().position(|segment| segment.trim_matches(['{', '}']) == name && segment.starts_with('{'))?;
    additions.path_prefixes.get(segments[at - 1])
}

fn effect(method: &str) -> Effect {
    match method {
        "GET" => Effect::Read,
        "POST" => Effect::Keyed,
        _ => Effect::Irreversible,
    }
}

/// The answers that operations of one group refer to.
fn definitions_of(operations: &[Operation], schemas: &Map<String, Value>) -> Map<String, Value> {
    let mut names: Vec<&str> = operations.iter().filter_map(|operation| answer_name(&operation.result)).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| schemas.get(name).map(|schema| (name.to_owned(), schema.clone()))).collect()
}

fn answer_name(result: &Value) -> Option<&str> {
    let listed = &result["properties"]["data"]["items"]["$ref"];
    let target = result["$ref"].as_str().or(listed.as_str())?;
    target.strip_prefix("#/$defs/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Operation> {
        let imported = operations().expect("the committed extract imports");
        imported.services.into_iter().flat_map(|service| service.operations).collect()
    }

    fn named(name: &str) -> Operation {
        all().into_iter().find(|operation| operation.name == name).expect(name)
    }

    #[test]
    fn all_452_endpoints_become_operations() {
        let all = all();
        assert_eq!(all.len(), 452);
        for operation in &all {
            assert!(
                !operation.service.is_empty() && !operation.summary.is_empty() && operation.summary.len() <= 300,
                "{}",
                operation.name
            );
            let names: Vec<_> = operation.properties().map(|(name, _)| name.to_owned()).collect();
            for required in operation.parameters["required"].as_array().expect("a list") {
                assert!(names.iter().any(|name| required == name), "{} requires {required}", operation.name);
            }
        }
    }

    #[test]
    fn each_method_has_its_effect() {
        assert_eq!(named("GetCharges").effect, Effect::Read);
        assert_eq!(named("PostCharges").effect, Effect::Keyed);
        assert_eq!(named("DeleteCustomersCustomer").effect, Effect::Irreversible);
        assert_eq!(named("PostCustomers").undo.as_deref(), Some("DeleteCustomersCustomer"));
        assert_eq!(named("PostRefunds").undo, None);
    }

    #[test]
    fn a_charge_needs_an_amount_in_minor_units_and_a_currency() {
        let charge = named("PostCharges");
        assert!(charge.is_required("amount") && charge.is_required("currency") && !charge.is_required("metadata"));
        assert_eq!(charge.parameter("amount").expect("amount")["x-unit"], "minor-currency");
        assert_eq!(charge.parameter("currency").expect("currency")["x-kind"], "currency");
        assert_eq!(charge.parameter("expand").expect("expand")["x-never"], true);
        assert_eq!(charge.parameter("customer").expect("customer")["x-prefix"], "cus_");
        assert_eq!(named("GetProductsId").parameter("id").expect("id")["x-prefix"], "prod_");
    }

    #[test]
    fn old_forms_of_newer_endpoints_are_marked() {
        assert_eq!(named("PostChargesChargeRefunds").parameters["deprecated"], true);
        assert!(named("PostRefunds").parameters.get("deprecated").is_none());
    }

    #[test]
    fn placeholders_of_the_url_are_path_parameters() {
        for operation in all() {
            let Invocation::Http { url, .. } = &operation.invocation else { panic!("{} is HTTP", operation.name) };
            for placeholder in url.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')) {
                let schema = operation.parameter(placeholder).expect(placeholder);
                assert_eq!(schema["x-in"], "path", "{}", operation.name);
            }
        }
    }

    #[test]
    fn every_answer_that_is_referred_to_is_defined() {
        for service in operations().expect("imports").services {
            for operation in &service.operations {
                let Some(name) = answer_name(&operation.result) else { continue };
                assert!(service.definitions.contains_key(name), "{} answers {name}", operation.name);
            }
        }
        let customers = operations().expect("imports").services.into_iter().find(|service| service.name == "customers");
        assert_eq!(customers.expect("customers").definitions["customer"]["properties"]["id"]["type"], "string");
    }

    #[test]
    fn every_hand_written_addition_is_about_an_operation_that_exists() {
        let additions: Additions = serde_json::from_str(ADDITIONS).expect("parses");
        let names: Vec<String> = all().into_iter().map(|operation| operation.name).collect();
        for name in additions.operations.keys() {
            assert!(names.contains(name), "{name} is no operation of Stripe");
        }
    }

    #[test]
    fn a_post_takes_the_key_in_a_header_and_a_list_its_pages() {
        use crate::semantics::KeyPlace;
        let charge = named("PostCharges");
        assert_eq!(charge.semantics.key.expect("a key").place, KeyPlace::Header("Idempotency-Key".to_owned()));
        let paging = named("GetCharges").semantics.paging.expect("pages");
        assert_eq!((paging.input[0].as_str(), paging.output[0].as_str()), ("starting_after", "data[-1].id"));
        assert_eq!(named("GetCustomersSearch").semantics.paging.expect("pages").output, ["next_page"]);
        assert_eq!(named("GetBalance").semantics.paging, None);
        for operation in all() {
            assert_eq!(operation.semantics.key.is_some(), operation.effect == Effect::Keyed, "{}", operation.name);
            // A quote as a PDF is no JSON.
            let is_typed = operation.result.is_object() || operation.name == "GetQuotesQuotePdf";
            assert!(is_typed, "{} answers nothing known", operation.name);
        }
    }

    #[test]
    fn what_was_posted_is_deleted_by_the_id_in_the_answer() {
        let services = operations().expect("imports").services;
        let all: Vec<Operation> = services
            .iter()
            .flat_map(|service| {
                let with = |operation: &Operation| Operation {
                    definitions: Arc::clone(&service.definitions),
                    ..operation.clone()
                };
                service.operations.iter().map(with).collect::<Vec<_>>()
            })
            .collect();
        let mut count = 0;
        for operation in &all {
            let Some(inverse) = &operation.semantics.inverse else { continue };
            count += 1;
            let target = all.iter().find(|other| other.name == inverse.operation).expect("it exists");
            let mut names = target.properties().map(|(name, _)| name).filter(|name| target.is_required(name));
            assert!(names.all(|name| inverse.arguments.iter().any(|(given, _)| given == name)), "{}", operation.name);
            for (_, source) in &inverse.arguments {
                match source {
                    crate::semantics::ArgumentSource::Result(path) => {
                        assert!(crate::result_path_exists(operation, path).is_some(), "{} {path}", operation.name);
                    }
                    crate::semantics::ArgumentSource::Argument(name) => assert!(operation.is_required(name)),
                    crate::semantics::ArgumentSource::Constant(_) => {}
                }
            }
        }
        assert!(count >= 25, "{count}");
    }
}
