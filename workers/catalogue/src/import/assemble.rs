//! Puts the operations of a description that somebody brought into services.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::brought::{MAX_OPERATIONS, Source};
use super::document::refused;
use super::schema::reachable;
use super::{Imported, ImportedService, clean, paging};
use crate::error::Result;
use crate::operation::{Effect, Invocation, Operation};
use crate::semantics::{IdempotencyKey, KeyPlace, Origin, Semantics};

/// Most parameters of one operation.
const MAX_PARAMETERS: usize = 2000;

/// What an importer knows of an operation.
pub(super) struct Described {
    pub service: String,
    pub name: String,
    /// JSON pointer into the description, for errors.
    pub place: String,
    pub summary: String,
    pub words: Vec<String>,
    pub effect: Effect,
    pub undo: Option<String>,
    pub invocation: Invocation,
    pub parameters: Value,
    pub result: Value,
}

/// Collects operations of one provider; each name once.
pub(super) struct Assembly<'a> {
    source: &'a Source,
    places: HashMap<String, String>,
    services: BTreeMap<String, Vec<Operation>>,
    count: usize,
}

// === impl Assembly ===

impl<'a> Assembly<'a> {
    pub fn new(source: &'a Source) -> Self {
        Self { source, places: HashMap::new(), services: BTreeMap::new(), count: 0 }
    }

    /// Was an operation of this name added?
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Adds one operation.
    ///
    /// # Errors
    /// A name given twice or with control characters, too many operations or parameters; with the place.
    pub fn add(&mut self, described: Described) -> Result<()> {
        let Described { service, name, place, summary, words, effect, undo, invocation, parameters, result } =
            described;
        let wrong = |reason: String| Err(refused(&self.source.origin, format!("#{place}: {reason}")));
        if let Some(problem) = clean::problem_of_name(&name) {
            return wrong(problem);
        }
        if let Some(first) = self.places.insert(name.clone(), place.clone()) {
            return wrong(format!("the operation \"{name}\" is already at #{first}; give each a name of its own"));
        }
        self.count += 1;
        if self.count > MAX_OPERATIONS {
            return wrong(format!("more than {MAX_OPERATIONS} operations; cut the description to what you need"));
        }
        let given = parameters.get("properties").and_then(Value::as_object).map_or(0, Map::len);
        if given > MAX_PARAMETERS {
            return wrong(format!("{given} parameters, at most {MAX_PARAMETERS} are possible"));
        }
        let semantics = semantics(effect, &invocation, &parameters);
        let operation = Operation {
            provider: self.source.name.clone(),
            service: service.clone(),
            name,
            summary,
            words,
            effect,
            undo,
            invocation,
            parameters,
            result,
            semantics,
            definitions: Arc::default(),
        };
        self.services.entry(service).or_default().push(operation);
        Ok(())
    }

    /// The services in the order of their names, each with the definitions that it needs; `titles` by service.
    ///
    /// # Errors
    /// There is no operation at all.
    pub fn finish(self, definitions: &Map<String, Value>, titles: &HashMap<String, String>) -> Result<Imported> {
        if self.count == 0 {
            return Err(refused(&self.source.origin, "it describes no operation".to_owned()));
        }
        let name = &self.source.name;
        let service = |(service, mut operations): (String, Vec<Operation>)| {
            operations.iter_mut().for_each(|operation| paging::note(operation, definitions));
            let schemas = operations.iter().flat_map(|operation| [&operation.parameters, &operation.result]);
            ImportedService {
                definitions: Arc::new(reachable(definitions, schemas)),
                title: clean::line(titles.get(&service).map_or(name.as_str(), String::as_str), 120),
                name: service,
                operations,
            }
        };
        Ok(Imported { provider: name.clone(), services: self.services.into_iter().map(service).collect() })
    }
}

/// Who says the effect class; the importers decide it.
fn semantics(effect: Effect, invocation: &Invocation, parameters: &Value) -> Semantics {
    let effect_from = match (effect, invocation) {
        (Effect::Read, Invocation::GraphQl { .. }) => Origin::rule("graphql-query-reads"),
        (Effect::Read, Invocation::Mcp { .. }) => Origin::vendor("readOnlyHint"),
        (Effect::Read, _) => Origin::rule("http-get-reads"),
        (Effect::Idempotent, Invocation::Mcp { .. }) => Origin::vendor("idempotentHint"),
        (Effect::Idempotent, _) => Origin::rule("http-put-delete-repeat"),
        (Effect::Keyed, _) => Origin::rule("idempotency-key-parameter"),
        (Effect::Irreversible, _) => Origin::Unknown,
    };
    let given = parameters.get("properties").and_then(Value::as_object).into_iter().flatten();
    let mut keys = given.map(|(name, _)| name).filter(|name| super::openapi::is_idempotency_key(name));
    let key = keys
        .next()
        .filter(|_| effect == Effect::Keyed)
        .map(|name| IdempotencyKey { place: KeyPlace::Parameter(name.clone()), from: effect_from.clone() });
    Semantics { effect_from, key, ..Semantics::default() }
}
