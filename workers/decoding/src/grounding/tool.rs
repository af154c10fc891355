//! Judges calls of tools that nobody knew beforehand.
//!
//! A vendor's operation is judged strictly: what nobody said is asked for. A tool that comes with a request may want what its caller
//! knows how to read ("Paris" as `Paris, FR`, a date in its own format, a word as a choice by meaning), so a required value is the model's
//! reading, and how much of it was said is measured: [`ToolCall::unsaid`]. An optional value stands only where the request shows
//! it, for shown an optional parameter small models fill it.

use serde_json::{Map, Number, Value};
use silverback_catalogue::operation::Operation;

use super::{Proof, ground_arguments};
use crate::calendar::Date;
use crate::evidence::{Evidence, Kind, Place, Span};
use crate::resolver::date;
use crate::sign::signs;
use crate::slot::{Shape, Slot};
use crate::words;

/// Share of a text's telling words that must be said for it to count as said: "San Francisco, CA" for "San Francisco".
const SAID_SHARE: f32 = 0.5;

/// Words of switches' names that say nothing of what is switched.
const SWITCHING: &[&str] =
    &["include", "includes", "included", "enable", "enabled", "show", "with", "allow", "return", "flag"];

/// What is left of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// Arguments that stand.
    pub arguments: Map<String, Value>,
    /// What proves them; a required value may have no proof.
    pub proofs: Vec<Proof>,
    /// Required parameters of whose value the request says nothing.
    pub unsaid: Vec<String>,
}

/// Judges the arguments of a call; all required ones must be there.
pub fn ground_tool(operation: &Operation, arguments: Map<String, Value>, evidence: &Evidence) -> ToolCall {
    let strict = ground_arguments(operation, &arguments, evidence);
    let signs = signs(operation, evidence);
    let mut call = ToolCall::default();
    for (name, value) in arguments {
        let Some(slot) = Slot::of(operation, &name) else { continue };
        let is_proven = strict.kept.contains_key(&name);
        let is_said = is_proven || says(&value, evidence);
        let is_asked_for = || match value {
            Value::Bool(_) => is_proven || signs.iter().any(|sign| sign.parameter == name) || names_it(&slot, evidence),
            _ => is_said && slot.schema.get("default") != Some(&value),
        };
        if !slot.required && !is_asked_for() {
            continue;
        }
        if slot.required && !is_said && !is_choice(&slot) {
            call.unsaid.push(name.clone());
        }
        let value = in_format(&slot, as_typed(&slot, value), evidence);
        if strict.kept.get(&name) == Some(&value) {
            let prefix = &slot.pointer;
            let own = |proof: &&Proof| proof.pointer == *prefix || proof.pointer.starts_with(&format!("{prefix}/"));
            call.proofs.extend(strict.proofs.iter().filter(own).cloned());
        }
        call.arguments.insert(name, value);
    }
    call
}

/// How many values of the request stand in none of the calls that were said, `said` being their JSON: numbers, names of people and places,
/// and what can be nothing but a value.
pub fn unplaced(evidence: &Evidence, said: &str) -> usize {
    let said = said.to_lowercase();
    let is_value = |span: &&Span| match span.kind {
        Kind::Number(_) | Kind::Date(_) | Kind::Duration(_) | Kind::Size(_) | Kind::Region(_) | Kind::Ticker(_) => true,
        Kind::Name => span.start > 0 && span.text.starts_with(char::is_uppercase),
        _ => span.is_plainly_a_value(),
    };
    let said_numbers = numbers(&said);
    let is_placed = |span: &&Span| {
        let text = span.text.to_lowercase();
        match span.kind {
            Kind::Number(number) => said_numbers.contains(&number),
            // In another form or unit: its numbers will stand there.
            Kind::Date(_) | Kind::Duration(_) | Kind::Size(_) | Kind::Money(_) => {
                said.contains(&text) || numbers(&text).iter().all(|number| said_numbers.contains(number))
            }
            // `a=2` is said by its value.
            Kind::Pair => text.split_once('=').is_some_and(|(_, value)| {
                value.parse().map_or(said.contains(value), |number: f64| said_numbers.contains(&number.abs()))
            }),
            _ => said.contains(&text),
        }
    };
    let values = evidence.spans().filter(is_value).filter(|span| span.place == Place::Step);
    values.filter(|span| !is_placed(span)).count()
}

fn is_choice(slot: &Slot<'_>) -> bool {
    slot.schema.get("enum").is_some() || slot.shape() == Shape::Boolean
}

/// Does the request show any part of this value?
fn says(value: &Value, evidence: &Evidence) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) => true,
        Value::Number(number) => says_number(number.as_f64().unwrap_or_default(), evidence),
        Value::String(text) => says_text(text, evidence),
        Value::Array(items) => items.iter().any(|item| says(item, evidence)),
        Value::Object(members) => members.values().any(|member| says(member, evidence)),
    }
}

/// A telling word of a switch's name, or the beginning of one: "include its statistics" for `include_stats`.
fn names_it(slot: &Slot<'_>, evidence: &Evidence) -> bool {
    let telling = slot.words.iter().filter(|word| word.len() > 3 && !words::is_stop(word));
    let mut telling = telling.filter(|word| !SWITCHING.contains(&word.as_str()));
    telling.any(|word| {
        let (stem, start) = (words::stem(word), word.get(..word.len().min(5)).unwrap_or(word));
        let begins = |said: &words::Word| said.lower.starts_with(start.trim_end_matches('s'));
        evidence.step().words.iter().any(|said| said.stem == stem || begins(said))
    })
}

/// Every number in a text, signs left out.
fn numbers(text: &str) -> Vec<f64> {
    let pieces = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    pieces.filter_map(|piece| piece.trim_matches('.').parse().ok()).collect()
}

/// A day is written as the description wants it, when that is the international form.
fn in_format(slot: &Slot<'_>, value: Value, evidence: &Evidence) -> Value {
    let description = slot.schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let Value::String(text) = &value else { return value };
    if !description.to_ascii_uppercase().contains("YYYY-MM-DD") || Date::parse_iso(text).is_some() {
        return value;
    }
    match date::find(text, evidence.today()).as_slice() {
        [only] if only.value.is_single_day() && text.len() == only.range.len() => {
            Value::String(only.value.start.to_string())
        }
        _ => value,
    }
}

/// In digits, in words, as a part of something said ("2023-04-05", "5%").
fn says_number(number: f64, evidence: &Evidence) -> bool {
    let is_it = |said: f64| said == number || (said / 100.0 - number).abs() < 1e-9;
    let by_span = evidence.spans().any(|span| matches!(span.kind, Kind::Number(said) if is_it(said)));
    let digits = |text: &str| {
        let pieces = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
        pieces.filter_map(|piece| piece.trim_matches(['.', ',']).replace(',', "").parse::<f64>().ok()).any(is_it)
    };
    by_span || evidence.passages().any(|passage| digits(&passage.text))
}

fn says_text(text: &str, evidence: &Evidence) -> bool {
    if evidence.locate(text).is_some() {
        return true;
    }
    let words = words::split(text);
    let telling: Vec<&words::Word> = words.iter().filter(|word| !words::is_stop(&word.lower)).collect();
    let is_said = |word: &&&words::Word| {
        evidence.passages().any(|passage| passage.words.iter().any(|said| said.stem == word.stem))
    };
    let said = telling.iter().filter(is_said).count();
    said > 0 && said as f32 >= SAID_SHARE * telling.len() as f32
}

/// A number is written as its type: `1.0` where a number is wanted, which readers of typed languages take for one.
fn as_typed(slot: &Slot<'_>, value: Value) -> Value {
    match value {
        Value::Number(number) if slot.shape() == Shape::Number => {
            number.as_f64().and_then(Number::from_f64).map_or(Value::Number(number), Value::Number)
        }
        Value::Array(items) => match slot.element() {
            Some(element) => items.into_iter().map(|item| as_typed(&element, item)).collect(),
            None => Value::Array(items),
        },
        Value::Object(members) => {
            let slots = slot.members();
            let typed = |(name, value): (String, Value)| match slots.iter().find(|slot| slot.name == name) {
                Some(slot) => (name, as_typed(slot, value)),
                None => (name, value),
            };
            Value::Object(members.into_iter().map(typed).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{evidence, operation};

    fn weather() -> Operation {
        operation(
            "tools/tools/get_weather",
            json!({"required": ["city"], "properties": {
                "city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "default": 1}, "include_alerts": {"type": "boolean"},
                "points": {"type": "array", "items": {"type": "number"}}}}),
        )
    }

    fn call(text: &str, arguments: Value) -> ToolCall {
        ground_tool(&weather(), arguments.as_object().cloned().unwrap(), &evidence(text))
    }

    #[test]
    fn a_required_value_is_the_models_reading() {
        let call = call("how is the weather in san francisco?", json!({"city": "San Francisco, CA"}));
        assert_eq!(Value::Object(call.arguments), json!({"city": "San Francisco, CA"}));
        assert!(call.unsaid.is_empty());
    }

    #[test]
    fn a_required_value_nobody_said_is_told() {
        assert_eq!(call("how is the weather?", json!({"city": "Berlin"})).unsaid, ["city"]);
    }

    #[test]
    fn an_optional_value_must_be_said() {
        let kept =
            |text, arguments| call(text, arguments).arguments.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let invented = json!({"city": "Oslo", "unit": "celsius", "days": 7, "include_alerts": true});
        assert_eq!(kept("weather in Oslo", invented.clone()), ["city"]);
        let all = ["city", "days", "include_alerts", "unit"];
        let mut found = kept("weather in Oslo for seven days in celsius, include alerts", invented);
        found.sort();
        assert_eq!(found, all);
    }

    #[test]
    fn a_switch_is_asked_for_by_its_name() {
        let kept = |text| call(text, json!({"city": "Oslo", "include_alerts": true})).arguments.len();
        assert_eq!((kept("Oslo, and alert me of storms"), kept("Oslo, include everything")), (2, 1));
    }

    #[test]
    fn what_no_call_says_yet_is_counted() {
        let evidence = evidence("weather in Paris and in Oslo for 15 days");
        assert_eq!(unplaced(&evidence, r#"{"city": "Paris", "days": 1}"#), 2);
        assert_eq!(unplaced(&evidence, r#"{"city": "Paris", "days": 15} {"city": "Oslo"}"#), 0);
    }

    #[test]
    fn numbers_are_written_as_their_type() {
        let call = call("Oslo at 1 and 2.5", json!({"city": "Oslo", "points": [1, 2.5]}));
        assert_eq!(serde_json::to_string(&call.arguments["points"]).unwrap(), "[1.0,2.5]");
    }
}
