//! Checks arguments against an operation's schema: the last look before a call is shown or sent.
//!
//! Not the `jsonschema` crate: it would compile a validator for each of thousands of operations and knows nothing of
//! references to earlier results. Start at [`check`]. What is checked: `type`, `properties`, `required`,
//! `additionalProperties`, `dependentRequired`, `items`, `enum`, `const`, `pattern`, lengths, bounds, `oneOf`/`anyOf`,
//! `x-union` (exactly one member), `x-instead` (what may be given in place of a required parameter) and `x-exclusive` (pairs that
//! may not be given together; the first of a pair is the one in the way).

mod code;
mod pattern;
mod scalar;

use serde_json::{Map, Value};

use crate::command::reads_as_reference;
use crate::manifest::check_patch;
use crate::operation::Operation;
pub use code::ViolationCode;
use scalar::{Fault, check_scalar};

/// Values within values; deeper ones are refused, not followed.
const MAX_DEPTH: usize = 48;
/// Most values looked at, alternatives counted each: schemas may point in circles.
const MAX_STEPS: usize = 100_000;
/// After so many the rest is not looked for: the arguments are wrong anyway.
const MAX_VIOLATIONS: usize = 50;

/// One thing that is wrong with arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the value in the arguments; of a missing parameter, where it should be.
    pub pointer: String,
    /// Which kind of rule is broken.
    pub code: ViolationCode,
    /// What is wrong and what would be right.
    pub message: String,
}

struct Checker<'a> {
    operation: &'a Operation,
    pointer: Vec<String>,
    violations: Vec<Violation>,
    /// Is it a part of an object, as patches are: nothing is required, `null` takes a member away, `$…` says how to merge?
    partial: bool,
    /// Calls of `check_value` within each other, and how many are left in all.
    depth: usize,
    steps: usize,
}

/// Everything that is wrong with the arguments of a call, at most 50 things; empty when they are valid.
///
/// A reference to an earlier result, `{"$ref": "c1", "path": "Vpc.VpcId"}`, is accepted in place of any value, also within lists
/// and structures; only its form is checked here (its target is known to the plan, not to the catalogue).
pub fn check(operation: &Operation, arguments: &Value) -> Vec<Violation> {
    let mut checker = Checker::of(operation, false);
    match arguments {
        Value::Object(given) => {
            checker.check_object(&operation.parameters, given);
            checker.violations.extend(check_patch(operation, given));
        }
        _ => {
            let message = format!("the arguments of {} must be an object", operation.key());
            checker.report(ViolationCode::Type, message);
        }
    }
    checker.violations
}

/// Everything that is wrong with a part of an object of this shape; pointers start at the part.
pub(crate) fn check_part(operation: &Operation, shape: &Value, part: &Value) -> Vec<Violation> {
    let mut checker = Checker::of(operation, true);
    checker.check_value(shape, part);
    checker.violations
}

/// Does a value without members keep the rules of its own schema: type, choices, pattern, lengths, bounds?
pub fn conforms(schema: &Value, value: &Value) -> bool {
    scalar::check_scalar(schema, value).is_ok()
}

/// Is this value a reference to an earlier result?
pub fn is_reference(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.contains_key("$ref"))
}

// === impl Checker ===

impl<'a> Checker<'a> {
    fn of(operation: &'a Operation, partial: bool) -> Self {
        Self { operation, pointer: Vec::new(), violations: Vec::new(), partial, depth: 0, steps: MAX_STEPS }
    }

    fn report(&mut self, code: ViolationCode, message: String) {
        if self.violations.len() < MAX_VIOLATIONS {
            let pointer = self.pointer.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")));
            self.violations.push(Violation { pointer: pointer.collect(), code, message });
        }
    }

    fn within(&mut self, part: impl Into<String>, look: impl FnOnce(&mut Self)) {
        self.pointer.push(part.into());
        look(self);
        self.pointer.pop();
    }

    fn check_value(&mut self, schema: &Value, value: &Value) {
        if self.depth == MAX_DEPTH || self.steps == 0 {
            let message = format!("too large to check: nested deeper than {MAX_DEPTH} or over {MAX_STEPS} values");
            return self.report(ViolationCode::TooLarge, message);
        }
        self.steps -= 1;
        self.depth += 1;
        self.check_kind(schema, value);
        self.depth -= 1;
    }

    fn check_kind(&mut self, schema: &Value, value: &Value) {
        if let Some(reference) = value.as_object().filter(|object| object.contains_key("$ref")) {
            return self.check_reference(reference);
        }
        let operation = self.operation;
        let schema = operation.resolve(schema);
        if let Some(choices) = alternatives(schema) {
            return self.check_alternatives(choices, value);
        }
        if let Err(Fault { code, message }) = check_scalar(schema, value) {
            return self.report(code, message);
        }
        if schema["x-in"] == "path" && value.as_str().is_some_and(|text| matches!(text, "" | "." | "..")) {
            let message = "it stands in a path: nothing, `.` and `..` would lead to another place";
            return self.report(ViolationCode::Pattern, message.to_owned());
        }
        if value.as_str().is_some_and(reads_as_reference) {
            let message = "this text would be read as a reference: give it as {\"$ref\": …, \"path\": …}";
            return self.report(ViolationCode::Reference, message.to_owned());
        }
        match value {
            Value::Object(given) => self.check_object(schema, given),
            Value::Array(items) => self.check_list(schema, items),
            _ => {}
        }
    }

    fn check_object(&mut self, schema: &Value, given: &Map<String, Value>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let missing = if self.partial { Vec::new() } else { missing(schema, given) };
        for name in missing {
            self.within(name, |checker| {
                checker.report(ViolationCode::Required, format!("`{name}` is required and missing"));
            });
        }
        let instructs = |name: &str, value: &Value| self.partial && (value.is_null() || name.starts_with('$'));
        let members: Vec<_> = given.iter().filter(|(name, value)| !instructs(name, value)).collect();
        for (name, value) in members {
            let known = properties.and_then(|properties| properties.get(name));
            let further = schema.get("additionalProperties");
            self.within(name.as_str(), |checker| match (known, further) {
                (Some(schema), _) => checker.check_value(schema, value),
                (None, Some(Value::Bool(false))) => {
                    let message = unknown_name(name, properties);
                    checker.report(ViolationCode::Unknown, message);
                }
                (None, Some(schema @ Value::Object(_))) => checker.check_value(schema, value),
                (None, _) => {}
            });
        }
        for [wrong, other] in exclusive(schema).filter(|pair| pair.iter().all(|name| given.contains_key(*name))) {
            self.within(wrong, |checker| {
                let message = format!("`{wrong}` may not be given together with `{other}`");
                checker.report(ViolationCode::Exclusive, message);
            });
        }
        if schema.get("x-union").is_some() && given.len() != 1 {
            let message = format!("exactly one member must be given, not {}", given.len());
            self.report(ViolationCode::Union, message);
        }
    }

    fn check_list(&mut self, schema: &Value, items: &[Value]) {
        if let Some(item) = schema.get("items") {
            for (at, value) in items.iter().enumerate() {
                self.within(at.to_string(), |checker| checker.check_value(item, value));
            }
        }
    }

    /// Valid when one alternative accepts; else what the nearest one (fewest violations) says.
    fn check_alternatives(&mut self, choices: &[Value], value: &Value) {
        let mut nearest: Option<Vec<Violation>> = None;
        for choice in choices {
            let pointer = self.pointer.clone();
            let mut trial = Checker { pointer, violations: Vec::new(), ..*self };
            trial.check_value(choice, value);
            self.steps = trial.steps;
            if trial.violations.is_empty() {
                return;
            }
            if nearest.as_ref().is_none_or(|nearest| trial.violations.len() < nearest.len()) {
                nearest = Some(trial.violations);
            }
        }
        let room = MAX_VIOLATIONS.saturating_sub(self.violations.len());
        self.violations.extend(nearest.unwrap_or_default().into_iter().take(room));
    }

    fn check_reference(&mut self, reference: &Map<String, Value>) {
        let call = reference.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if call.is_empty() || !call.chars().all(plain) {
            self.report(ViolationCode::Reference, "`$ref` must name an earlier call, e.g. \"c1\"".to_owned());
        }
        let path = reference.get("path").and_then(Value::as_str);
        if path.is_none_or(|path| crate::results::parse_path(path).is_none()) {
            let message = "`path` must lead into the result, e.g. \"Vpc.VpcId\" or \"Instances[0].InstanceId\"";
            self.report(ViolationCode::Reference, message.to_owned());
        }
        for name in reference.keys().filter(|name| !matches!(name.as_str(), "$ref" | "path")) {
            let message = "a reference has only `$ref` and `path`".to_owned();
            self.within(name.as_str(), |checker| checker.report(ViolationCode::Reference, message));
        }
    }
}

fn alternatives(schema: &Value) -> Option<&[Value]> {
    let listed = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    Some(listed.as_slice()).filter(|listed| !listed.is_empty())
}

/// Pairs of members that may not be given together.
pub fn exclusive(schema: &Value) -> impl Iterator<Item = [&str; 2]> {
    let pairs = schema.get("x-exclusive").and_then(Value::as_array).into_iter().flatten();
    pairs.filter_map(|pair| Some([pair.get(0)?.as_str()?, pair.get(1)?.as_str()?]))
}

/// Names that must be given and are not.
fn missing<'a>(schema: &'a Value, given: &Map<String, Value>) -> Vec<&'a str> {
    let names = |list: &'a Value| list.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut wanted: Vec<&str> = schema.get("required").into_iter().flat_map(names).collect();
    let dependent = schema.get("dependentRequired").and_then(Value::as_object).into_iter().flatten();
    for (_, needed) in dependent.filter(|(name, _)| given.contains_key(*name)) {
        wanted.extend(names(needed).filter(|name| !wanted.contains(name)).collect::<Vec<_>>());
    }
    wanted.retain(|name| !given.contains_key(*name));
    wanted.retain(|name| {
        let instead = schema.pointer(&format!("/properties/{name}/x-instead"));
        !instead.into_iter().flat_map(names).any(|other| given.contains_key(other))
    });
    wanted
}

/// Names the nearest known parameter, when there is one.
fn unknown_name(name: &str, properties: Option<&Map<String, Value>>) -> String {
    let known = properties.into_iter().flatten().map(|(known, _)| known);
    let scored = known.map(|known| (strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase()), known));
    match scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8) {
        Some((_, known)) => format!("there is no parameter `{name}`; did you mean `{known}`?"),
        None => format!("there is no parameter `{name}`"),
    }
}

#[cfg(test)]
mod tests;
